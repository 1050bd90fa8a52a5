/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tests and measures spinning completion (xen/patches) from dom0, with the guest in guest.c.
 *
 *   spin_test DOMID stock             a Xen without the patches: refused, and cleanly
 *   spin_test DOMID measure           latencies, a JSON line
 *   spin_test DOMID verify BOUND_US [TIMES]
 *                                     values, answers around the bound, sleep, invalidation
 *   spin_test DOMID meanwhile BOUND_US [TIMES]
 *                                     hypercalls while the vCPU polls
 *   spin_test DOMID late BOUND_US     all answers come after the bound: Xen must have given up
 *   spin_test DOMID crash             a state that no device model may write
 *   spin_test DOMID mute              takes requests and never answers: for what others do then
 *
 * The domain is created paused; spin_test says "ready" when it is to be unpaused.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig.h"

static const struct run {
    const char *name;
    int (*run)(void);
} runs[] = {
    {"stock", run_stock},         {"measure", run_measure}, {"verify", run_verify},
    {"meanwhile", run_meanwhile}, {"late", run_late},       {"crash", run_crash},
    {"mute", run_mute},
};

static int usage(void)
{
    fprintf(stderr, "spin_test DOMID stock|measure|verify|meanwhile|late|crash|mute "
                    "[BOUND_US [TIMES]]\n");
    return 2;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return usage();
    rig.bound = (argc > 3 ? strtoul(argv[3], NULL, 0) : 20) * 1000u;
    rig.times = argc > 4 ? (unsigned)strtoul(argv[4], NULL, 0) : 1;
    for (unsigned i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
        if (strcmp(argv[2], runs[i].name))
            continue;
        dm_open(&rig.dm, (domid_t)strtoul(argv[1], NULL, 0));
        return runs[i].run();
    }
    return usage();
}
