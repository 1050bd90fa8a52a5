/* SPDX-License-Identifier: BSD-3-Clause */
/* coopvmm bench net, part "guests": a Linux guest under KVM, on our NICs and on QEMU's. */
#include "net.h"

#include <errno.h>

static bool possible(const struct net_options *o, char why[NET_WHY])
{
    (void)o;
    snprintf(why, NET_WHY, "this version does not measure Linux guests yet");
    return false;
}

static int run(struct guard *g, const struct net_options *o, json_t *part, FILE *err)
{
    (void)g, (void)o, (void)part, (void)err;
    return -ENOTSUP;
}

static void goals(json_t *doc, const json_t *part)
{
    (void)doc, (void)part;
}

static void print(const json_t *part, FILE *out)
{
    (void)part, (void)out;
}

const struct net_part net_guests = {.name = "guests",
                                    .what = "Linux under KVM, on our NICs and on QEMU's",
                                    .possible = possible,
                                    .run = run,
                                    .goals = goals,
                                    .print = print};
