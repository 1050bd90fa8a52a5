/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an I/O core does when a round brought no work, and the account of busy and idle time.
 *
 *   spin   nothing: the next round starts at once
 *   pause  one pause, unless that takes the CPU away (some hypervisors); on CPUs with WAITPKG
 * (CPUID.7.ECX[5]), once it has been quiet for a while, a TPAUSE of at most IDLE_TPAUSE_NS in state
 * C0.1 sleep  as pause; after idle_us without work the loop is told to sleep: it arms its sources,
 *          looks at everything once more, and sleeps in epoll_wait() until one of the watched
 *          descriptors fires or the bound is over
 *
 * The loop:
 *
 *     for (;;) {
 *         unsigned work = ...poll everything...;
 *
 *         if (idle_round(&idle, work, rte_rdtsc()) == IDLE_GO_ON)
 *             continue;
 *         idle_prepare(&idle);             (from here on idle_kick() writes the eventfd)
 *         ...arm every source (iotp_ioc_arm), sw_core_offline...
 *         if (...look once more, nothing...)
 *             idle_sleep(&idle, ...);
 *         idle_resume(&idle);
 *         ...disarm, sw_core_online...
 *     }
 *
 * Descriptors are watched edge-triggered: eventfds need not be read, and a tap that already holds
 * frames does not wake the core again and again. A port without a descriptor to wait on
 * (port_rx_fd() < 0) must be polled: while there is one, sleep at most IDLE_PORT_BOUND_MS.
 *
 * Threads: a struct idle belongs to one core. idle_kick() and idle_read() may be called from any
 * thread; idle_watch()/idle_unwatch() too (epoll allows it).
 */
#ifndef COOPVMM_IOCORE_IDLE_H
#define COOPVMM_IOCORE_IDLE_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_pause.h>

#include "../config/config.h"

#define IDLE_TPAUSE_NS     100 /* longest a paused core is away */
#define IDLE_QUIET_ROUNDS  64  /* idle rounds before TPAUSE is used instead of PAUSE */
#define IDLE_PORT_BOUND_MS 1   /* longest sleep while a port must be polled */

enum idle_action { IDLE_GO_ON, IDLE_SLEEP };

/* Counters; written by the core only, read whole by any thread. Ticks are TSC. */
struct idle_counters {
    uint64_t busy_ticks;  /* in rounds that did work */
    uint64_t idle_ticks;  /* in rounds that did none */
    uint64_t sleep_ticks; /* in idle_sleep() */
    uint64_t rounds, busy_rounds;
    uint64_t work;            /* sum of what rounds returned */
    uint64_t sleeps, wakeups; /* wakeups: sleeps a descriptor ended, not the bound */
};

struct idle {
    enum cfg_idle mode;
    bool pause; /* not in mode spin, nor where a pause is dear (iotp_pause_ns) */
    bool tpause;
    uint64_t idle_limit; /* ticks without work before sleeping */
    uint64_t tpause_ticks;
    uint64_t last;         /* TSC at the end of the last round */
    uint64_t quiet_since;  /* TSC of the end of the last round with work */
    uint32_t quiet_rounds; /* saturating */
    int epfd;              /* -1 unless mode is sleep */
    int kick_fd;           /* this core's own eventfd */
    uint32_t asleep; /* 1 from idle_prepare to idle_resume; exchanged by idle_kick (edge K1) */
    struct idle_counters c;
};

/**
 * @param idle_us see struct cfg_iocore
 * @param now TSC
 * @return 0; negative errno of epoll_create1() or eventfd()
 */
int idle_init(struct idle *i, enum cfg_idle mode, uint32_t idle_us, uint64_t tsc_hz, uint64_t now);
void idle_fini(struct idle *i);

/** Waits on a descriptor too. Does nothing unless the mode is sleep. @return 0 or negative errno */
int idle_watch(struct idle *i, int fd);
void idle_unwatch(struct idle *i, int fd);

/**
 * Accounts for one round and, if it brought no work, pauses as the mode says. Time counts from the
 * end of the first round.
 * @param work what the pollers returned
 * @param now TSC at the end of the round
 */
enum idle_action idle_round(struct idle *i, unsigned work, uint64_t now);

/** Between two polls within a round: the mode's short pause, if any. */
static inline void idle_breathe(const struct idle *i)
{
    if (i->pause)
        rte_pause();
}

/** Edge K1: asleep is visible before anything the caller looks at next. */
void idle_prepare(struct idle *i);
/**
 * Sleeps until a watched descriptor or idle_kick() fires.
 * @param bound_ms at most so long; -1: without bound
 */
void idle_sleep(struct idle *i, int bound_ms);
void idle_resume(struct idle *i);

/** Wakes the core if it sleeps or is about to; one load if not. Any thread. */
void idle_kick(struct idle *i);

/** A copy of the counters. Any thread. */
void idle_read(const struct idle *i, struct idle_counters *out);

#endif
