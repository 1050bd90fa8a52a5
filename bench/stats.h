/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Samples and what is said of them.
 *
 * Quantiles are those of the *mid-distribution* (Ma, Genton, Parzen 2011, "Asymptotic properties of
 * sample quantiles of discrete distributions"): a value that occurs k times stands for the middle
 * of its k ranks, and between neighbouring values quantiles are interpolated. Without ties that is
 * the usual interpolated quantile; with a clock that only counts every 10 ns it keeps a median from
 * jumping by 10 ns.
 *
 * Threads: a series belongs to one thread.
 */
#ifndef COOPVMM_BENCH_STATS_H
#define COOPVMM_BENCH_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "tsc.h"

#define STATS_MAX_ROUNDS 512

/** Sorts ascending. */
void stats_sort(uint32_t *v, size_t n);
/** The q-quantile (0 to 1) of n sorted values; 0 if there are none. */
double stats_quantile(const uint32_t *sorted, size_t n, double q);
/** The median of n values, which are sorted by it; 0 if there are none. */
double stats_median(double *v, size_t n);

/* Samples of one kind, in ticks, taken in rounds. */
struct series {
    uint32_t *ticks; /* [room], of which n are there */
    size_t n, room;
    size_t round_start;
    unsigned rounds;
    double round_p50[STATS_MAX_ROUNDS]; /* each round's median, in ticks */
};

/** Room for `room` samples, written to once, so that sampling meets no page fault.
 * @return 0 or -ENOMEM */
int series_init(struct series *s, size_t room);
void series_fini(struct series *s);
/** Adds a sample; dropped if there is no room. */
static inline void series_add(struct series *s, uint32_t ticks)
{
    if (s->n < s->room)
        s->ticks[s->n++] = ticks;
}
/** Ends a round: sorts its samples and keeps its median. A round without samples is none. */
void series_end_round(struct series *s);

/* Nanoseconds, with the cost of reading the clock taken off. */
struct summary {
    size_t n;
    double min, p50, p99, p999, max;
};

/**
 * Round by round, what a series' median is in parts of another's (`ratio`) or how much more: the
 * median of the rounds. Where the machine changes between rounds, this says more than the medians
 * of everything do. @param less subtracted, too; NULL: nothing
 */
double series_paired_ratio(const struct series *s, const struct series *base, const struct tsc *t);
double series_paired_excess(const struct series *s, const struct series *base,
                            const struct series *less, const struct tsc *t);

/** Summarises all rounds; sorts the samples. */
void series_summary(struct series *s, const struct tsc *t, struct summary *out);

#endif
