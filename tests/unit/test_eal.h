/* SPDX-License-Identifier: BSD-3-Clause */
/* Starts DPDK for a suite: ordinary pages, no PCI, nothing shared with other processes. */
#ifndef COOPVMM_TESTS_TEST_EAL_H
#define COOPVMM_TESTS_TEST_EAL_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>

/* Once a process; ends it if DPDK does not start, since nothing could be tested then. */
static inline void test_eal(void)
{
    static int started;
    static char prefix[64];
    char *arg[] = {"test", "--no-huge", "-m",          "96",      "--no-pci", "--lcores",
                   "0@0",  prefix,      "--log-level", "warning", NULL};

    if (started)
        return;
    snprintf(prefix, sizeof(prefix), "--file-prefix=coopvmm-test-%d", (int)getpid());
    if (rte_eal_init(10, arg) < 0) {
        fprintf(stderr, "DPDK does not start: %s\n", rte_strerror(rte_errno));
        exit(1);
    }
    started = 1;
    atexit((void (*)(void))rte_eal_cleanup);
}

#endif
