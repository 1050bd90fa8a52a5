/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The switch from inside: switch.c is its control side (ports, ageing, reports), switch_path.c the
 * way of a frame. See switch.h for who may call what.
 */
#ifndef COOPVMM_IOCORE_SWITCH_PRIV_H
#define COOPVMM_IOCORE_SWITCH_PRIV_H

#include <pthread.h>

#include <rte_rcu_qsbr.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>

#include "fdb.h"
#include "switch.h"

/* A frame on its way to another core. The generation keeps a frame for a port that went away from
 * coming out of the one that got its number. */
struct sw_msg {
    struct rte_mbuf *m;
    uint32_t port;
    uint32_t gen;
};

struct sw_port {
    uint16_t id;
    unsigned core;
    unsigned flags;
    uint32_t gen;
    sw_send_fn send;
    void *ctx;
    uint32_t macs; /* learned or pinned here; changed under the fdb's lock */
    char name[SW_NAME_SIZE];
    struct sw_counters c __rte_cache_aligned; /* written by the port's core */
};

/* The ports a flooded frame goes to. */
struct sw_portset {
    unsigned n;
    struct sw_port *p[SW_MAX_PORTS];
};

struct sw {
    struct sw_opts o;
    uint64_t start;            /* TSC at which second 0 began */
    struct sw_portset *set;    /* published: one of sets[] */
    struct sw_portset sets[2]; /* the other is changed, and published once nobody looks at it */
    struct sw_port *port[SW_MAX_PORTS];
    struct rte_ring *inbox[SW_MAX_CORES];
    struct rte_rcu_qsbr *rcu;
    struct fdb fdb;
    uint32_t next_gen;
    pthread_mutex_t lock; /* ports come and go; never taken by an I/O core */
};

static inline struct sw_port *sw_port_at(const struct sw *sw, unsigned id)
{
    return id < SW_MAX_PORTS ? __atomic_load_n(&sw->port[id], __ATOMIC_ACQUIRE) : NULL;
}

/* The entry's port, if it still is the one that was meant. */
static inline struct sw_port *sw_port_of(const struct sw *sw, struct fdb_where w)
{
    struct sw_port *p = sw_port_at(sw, w.port);

    return p && p->gen == w.gen ? p : NULL;
}

static inline uint32_t sw_second(const struct sw *sw, uint64_t now)
{
    return (uint32_t)((now - sw->start) / sw->o.tsc_hz);
}

/**
 * Sets an entry and the shares of the ports it comes from and goes to; the fdb's lock must be held.
 * @return as fdb_set
 */
int sw_place(struct sw *sw, struct sw_port *p, uint64_t key, uint32_t sec, bool pinned,
             struct fdb_where *was);

#endif
