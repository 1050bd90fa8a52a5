/* SPDX-License-Identifier: BSD-3-Clause */
/* coopvmm bench: finds the benchmark and runs it. */
#include <stdio.h>
#include <string.h>

#include "../bench/echo.h"
#include "../bench/opts.h"
#include "cmd.h"

static const struct {
    const char *name, *summary;
    int (*run)(int argc, char **argv);
} benches[] = {
    {"ring", "one synchronous access, beside inline, blocking and the physical floor", bench_ring},
    {"trap", "the same with a guest and its traps (--engine user or kvm)", bench_trap},
    {"posted", "posted writes a second through one ring", bench_posted},
    {"registers", "what posted and shadowed registers gain, for each NIC model", bench_registers},
    {"exits", "a guest's write under KVM: exits, posts, ioeventfd, coalesced I/O", bench_exits},
    {"scale", "one active VM beside 1 to 256 idle ones", bench_scale},
    {"xen", "in Xen's dom0: an access polled for, slept for, and answered by Xen", bench_xen},
    {"net", "frames and connections of guests, beside other VMMs' devices", bench_net},
    {"echo", "UDP echo against a running guest", bench_echo},
};
#define BENCHES (sizeof(benches) / sizeof(benches[0]))

static void usage(FILE *out)
{
    fputs("Usage: coopvmm bench NAME [options]\n"
          "Measures on this machine, each time beside the baselines.\n\n",
          out);
    for (size_t i = 0; i < BENCHES; i++)
        fprintf(out, "  %-9s %s\n", benches[i].name, benches[i].summary);
    fputs("\n`coopvmm bench NAME --help` tells more, and so does coopvmm-bench(1).\n", out);
}

int cmd_bench(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : NULL;

    if (name && (!strcmp(name, "--help") || !strcmp(name, "-h"))) {
        usage(stdout);
        return CMD_OK;
    }
    for (size_t i = 0; name && i < BENCHES; i++)
        if (!strcmp(name, benches[i].name))
            return benches[i].run(argc - 1, argv + 1);
    if (name)
        return cmd_usage("bench", "there is no benchmark %s", name);
    usage(stderr);
    return CMD_USAGE;
}
