/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An I/O core: one pinned thread (a DPDK lcore) that polls request sources, ports and the devices
 * that have something left to do. Everything it owns is touched by this thread alone; others ask it
 * by a message (core_do).
 *
 * Sources are kept in two lists. A *hot* one had work lately and is polled each round; a *cold* one
 * is only peeked at, a few a round, so that a hundred idle VMs cost an active one next to nothing.
 */
#ifndef COOPVMM_IOCORE_CORE_H
#define COOPVMM_IOCORE_CORE_H

#include <stdbool.h>
#include <stdint.h>

#include "../config/config.h"
#include "idle.h"
#include "port.h"
#include "switch.h"

struct ioc_core;
struct ioc_dev;
struct rte_ring;

#define CORE_MAX_SOURCES 1024
#define CORE_MAX_PORTS   16
#define CORE_MAX_DEVS    4096
#define CORE_HOT_POLLS   64 /* polls of hot sources in one round, at most; shared among them */
#define CORE_HOT_WORK    8  /* requests after which the rest of the round has its turn */
#define CORE_COLD_BUSY   2  /* cold sources peeked at in a round that found work */
#define CORE_COLD_QUIET  16 /* the same in one that found none */
#define CORE_COOL_MS     2  /* a hot source without work for so long becomes cold */

/*
 * A request source: where requests come from. IOTP areas are one kind.
 * All functions run on the I/O core that owns the source.
 */
struct ioc_source;
struct ioc_source_ops {
    const char *name;
    /** Serves what is there. @return how much was done */
    unsigned (*poll)(struct ioc_source *s, uint64_t now);
    /** Is there something to poll for? Of a cold source; one cache line or so. */
    bool (*peek)(struct ioc_source *s);
    /** Becomes cold: stops watching. @return false if something came meanwhile: it stays hot */
    bool (*cool)(struct ioc_source *s);
    /** The core is about to sleep: asks the other side for a kick. @return false if something is
     * there, so that the core must not sleep */
    bool (*arm)(struct ioc_source *s);
    void (*disarm)(struct ioc_source *s);
};

struct ioc_source {
    const struct ioc_source_ops *ops;
    uint64_t last_work; /* TSC */
    int kick_fd;        /* to wake a sleeping core; -1: none */
};

/* A message: fn(core, arg) runs on the core; `done` is set afterwards. */
struct core_msg {
    void (*fn)(struct ioc_core *c, void *arg);
    void *arg;
    bool done;
};

struct ioc_core {
    unsigned index; /* in the configuration and of the switch */
    const struct cfg_iocore *c;
    int node; /* NUMA node of its CPU */
    struct sw *sw;
    struct rte_ring *inbox; /* struct core_msg * */
    struct idle idle;
    uint64_t cool_ticks;
    bool quit;
    unsigned nhot, ncold, next_cold;
    struct ioc_source *hot[CORE_MAX_SOURCES], *cold[CORE_MAX_SOURCES];
    unsigned nports;
    struct port *port[CORE_MAX_PORTS];
    unsigned nbusy; /* devices with something left to do, see ioc_dev.busy */
    struct ioc_dev *busy[CORE_MAX_DEVS];
    uint32_t nareas, ndevs; /* for telemetry */
};

/**
 * @param c the configuration's entry; must outlive the core
 * @return 0; a negative errno
 */
int core_init(struct ioc_core *k, unsigned index, const struct cfg_iocore *c, struct sw *sw,
              uint64_t tsc_hz);
void core_fini(struct ioc_core *k);

/** The thread itself: an lcore function; returns 0 after core_quit(). */
int core_run(void *core);
/** Makes core_run return. Any thread. */
void core_quit(struct ioc_core *k);

/** Runs fn(core, arg) on the core and waits until it has. Control thread. */
void core_do(struct ioc_core *k, void (*fn)(struct ioc_core *k, void *arg), void *arg);

/* The rest runs on the core itself, or before it runs. */
/** @return 0; -ENOSPC */
int core_add_source(struct ioc_core *k, struct ioc_source *s);
void core_remove_source(struct ioc_core *k, struct ioc_source *s);
int core_add_port(struct ioc_core *k, struct port *p);

#endif
