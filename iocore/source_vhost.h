/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A port of type vhost-user: a socket that a VMM connects to, and its guest's rings as a request
 * source. To the switch it is a port like any other.
 *
 * Threads: by function, "control" or "core".
 */
#ifndef COOPVMM_IOCORE_SOURCE_VHOST_H
#define COOPVMM_IOCORE_SOURCE_VHOST_H

#include <stdio.h>

#include "core.h"
#include "telemetry.h"
#include "vhost_user.h"

struct rte_mempool;

/* Front ends come and go. Counted by the control thread, read by telemetry's. */
struct vhost_port_counters {
    uint64_t connects;
    uint64_t turned_away; /* there was one already */
    uint64_t malformed;   /* front ends sent away for a message that was none */
    uint64_t failed;      /* ... for one that could not be carried out, or not be answered */
};

struct vhost_port {
    struct ioc_source src; /* first */
    struct vhost v;
    const struct cfg_port *cfg;
    struct ioc_core *core;
    struct rte_mempool *pool;
    int sw_port;
    bool joined;   /* the core polls it */
    int pid;       /* the front end's, as this process sees it; 0: none is connected */
    int listen_fd; /* where front ends connect; one at a time */
    int sock;      /* the one that is; -1: none */
    struct vhost_rx rx;
    struct vhost_kept *kept;
    struct vhost_port_counters n;
    uint64_t now; /* of this poll */
    /* The next frames from the guest will be built in these, tx[i] where room[i] says. */
    unsigned ntx;
    struct rte_mbuf *tx[VHOST_TX_BURST];
    struct vnet_frame room[VHOST_TX_BURST];
};

/**
 * Control, before privileges are given away and before the core runs: listens at c->socket, and
 * plugs the port into the switch. What is to outlive this process is kept in a file in `rundir`.
 * @return 0 or a negative errno, reported on err
 */
int vhost_port_open(const struct cfg_port *c, const char *rundir, struct ioc_core *core,
                    struct rte_mempool *pool, struct vhost_port **out, FILE *err);
/** Control. The core runs, and polls it from now on. */
void vhost_port_start(struct vhost_port *p);
void vhost_port_close(struct vhost_port *p);

/** Control. Somebody wants to connect. @return true: p->sock is to be watched */
bool vhost_port_accept(struct vhost_port *p);
/** Control. The front end said something. @return false: it is gone, and p->sock closed */
bool vhost_port_serve(struct vhost_port *p);
/** Any thread, while the port is there. */
void vhost_port_tel(const struct vhost_port *p, struct tel_vhost *out);
/** Control. Forgets the front end. */
void vhost_port_hang_up(struct vhost_port *p);

#endif
