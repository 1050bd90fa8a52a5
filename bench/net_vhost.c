/* SPDX-License-Identifier: BSD-3-Clause */
/* coopvmm bench net, part "vhost": virtio_user on our vhost-user port and on net_vhost. */
#include "net.h"

#include <errno.h>

static bool possible(const struct net_options *o, char why[NET_WHY])
{
    (void)o;
    snprintf(why, NET_WHY, "this version does not measure vhost-user ports yet");
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

const struct net_part net_vhost = {
    .name = "vhost",
    .what = "DPDK virtio_user on a vhost-user port and on testpmd net_vhost",
    .possible = possible,
    .run = run,
    .goals = goals,
    .print = print};
