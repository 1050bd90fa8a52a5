/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What every benchmark has: options, the clock, two CPUs, the guard, an I/O-core process, the
 * baselines and a line of progress. bench_session_open() makes all of it, in an order in which
 * nothing that shall be free to run anywhere inherits the measuring thread's CPU.
 *
 *   struct session s;
 *   int status = session_open(&s, &help, argc, argv);
 *   if (status != OPTS_GO_ON)
 *       return status;
 *   ...
 *   return session_close(&s, err);
 */
#ifndef COOPVMM_BENCH_SESSION_H
#define COOPVMM_BENCH_SESSION_H

#include <time.h>

#include "bvm.h"
#include "floor.h"
#include "guard.h"
#include "host.h"
#include "iod.h"
#include "opts.h"
#include "tsc.h"

/* Numbers of VMs: the baselines' are out of the way of the benchmark's own. */
#define SESSION_INLINE_VM   60000
#define SESSION_BLOCKING_VM 60001

struct session {
    const char *name;
    struct bench_opts o;
    unsigned rounds; /* to be measured; in the end, those that were */
    struct host host;
    struct host_time before;
    struct host_pair pair;
    struct tsc tsc;
    struct guard *guard;
    struct iod iod;
    struct floor *floor;
    unsigned variant;                     /* the floor's: the fastest one */
    double variant_ticks[FLOOR_VARIANTS]; /* medians when the session began */
    struct bvm inl, blocking;             /* the baselines' VMs */
    cpu_set_t cpus;                       /* this thread's before it was pinned */
    struct timespec began;
    bool progress_shown;
};

/** @return OPTS_GO_ON, or an exit status: there is nothing to close then */
int session_open(struct session *s, const struct bench_help *h, int argc, char **argv);
/**
 * Ends everything; children and temporary files are gone afterwards.
 * @param err 0, or a negative errno: said, with what the I/O-core process printed if it ended
 * @return the exit status: that of a shell for a signal (130 for SIGINT)
 */
int session_close(struct session *s, int err);

/** Has a signal come, or the I/O-core process ended? To be asked between rounds. @return 0, -EINTR
 */
int session_check(const struct session *s);
/**
 * Another round? Not after the last one, and not, unless --rounds asked for so many, when the time
 * is over: on a busy machine a run ends after 15 seconds (--quick: 2) with the rounds it has. Shows
 * how far it is: a line on standard error, if that is a terminal and a second is over.
 */
bool session_another(struct session *s, unsigned done, unsigned of);

/** Pins this thread to the measuring CPU, or frees it again. */
int session_pin(struct session *s);
void session_unpin(struct session *s);

/* The baselines' samples, for a round. The I/O-core process is paused for the last two: they need
 * its CPU, or someone who may run there. */
struct baselines {
    struct series floor, inl, blocking;
};
/** How many samples a round, over how many rounds. @return 0 or -ENOMEM */
int baselines_init(struct baselines *b, size_t n, size_t nblocking, unsigned rounds);
void baselines_fini(struct baselines *b);
/** One round of each. @return 0, -ECANCELED */
int baselines_round(struct session *s, struct baselines *b, size_t n, size_t nblocking);

#endif
