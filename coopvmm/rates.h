/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What happened between two snapshots, a second of it: the rows of `coopvmm top`.
 * A counter that went down was begun anew (the I/O cores were restarted): it counts from zero.
 */
#ifndef COOPVMM_RATES_H
#define COOPVMM_RATES_H

#include <jansson.h>

#include "lathist.h"

#define RATES_NAME 64

struct rate_core {
    char name[RATES_NAME], idle[16];
    int cpu;
    double busy, sleep; /* shares of the time, 0 to 1 */
    double requests, posted;
    struct lathist wait, service;
};

struct rate_vm {
    char name[RATES_NAME];
    unsigned vcpus;
    double requests, posted, irqs;
    double tx_frames, rx_frames, drops; /* of its devices */
    struct lathist wait, service;
};

struct rate_port {
    char name[RATES_NAME];
    double rx_frames, rx_bytes, tx_frames, tx_bytes, drops;
};

/* A guest of another VMM's, on a vhost-user port. */
struct rate_vhost {
    char name[RATES_NAME]; /* of the port */
    unsigned pid, pairs;   /* of the front end, 0: none; queue pairs in use */
    double tx_frames, rx_frames, drops, kicks, calls;
};

struct rates {
    double seconds; /* between the two */
    unsigned ncores, nvms, nports, nvhosts;
    struct rate_core *core;
    struct rate_vm *vm;
    struct rate_port *port;
    struct rate_vhost *vhost;
};

/**
 * @param before NULL, or the earlier snapshot
 * @param after the later one; with before NULL all rates are 0, but what there is is listed
 * @return 0 (release with rates_free) or -ENOMEM
 */
int rates_between(const json_t *before, const json_t *after, struct rates *out);
void rates_free(struct rates *r);

#endif
