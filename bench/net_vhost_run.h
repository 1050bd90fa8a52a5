/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One run of coopvmm bench net, part "vhost": a guest (testpmd with virtio_user) on one CPU and a
 * back end on the other, and how many frames a second get to the receiver.
 *
 *   out   guest (txonly) -> back end -> net_null, which swallows them; counted at net_null
 *   in    net_pcap, which repeats a file from memory -> back end -> guest (rxonly); counted there
 *
 * Back ends: ours is an I/O core with a vhost-user port and the other port on its switch; the peer
 * is testpmd, which forwards between net_vhost and the same other port without looking at frames.
 */
#ifndef COOPVMM_BENCH_NET_VHOST_RUN_H
#define COOPVMM_BENCH_NET_VHOST_RUN_H

#include <stdbool.h>
#include <stdio.h>

#include "guard.h"

enum nv_backend { NV_OURS, NV_PEER, NV_BACKENDS };

struct nv_case {
    bool packed;   /* else split rings */
    bool in;       /* to the guest; else from it */
    unsigned size; /* bytes of a frame, without FCS */
};

struct nv_run {
    struct nv_case c;
    enum nv_backend backend;
    int cpu, iocpu; /* of the guest, of the back end */
    unsigned ms;    /* how long frames are counted */
};

/**
 * Starts all, measures, ends all.
 * @param mpps million frames a second
 * @return 0; a negative errno (said on `err`); -EINTR: the guard stopped
 */
int nv_run(struct guard *g, const struct nv_run *r, double *mpps, FILE *err);

#endif
