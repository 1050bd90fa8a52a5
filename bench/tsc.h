/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The time stamp counter as a clock: fenced reads, its frequency, and what a reading costs.
 *
 * Its resolution is coarser than its unit on some CPUs: AMD Zen counts up once every 10 ns, by some
 * 20 to 40 ticks at a time. stats.h deals with the ties this gives.
 *
 * Threads: a struct tsc is read-only once made. The TSC must be invariant and the same on all CPUs
 * (constant_tsc and nonstop_tsc in /proc/cpuinfo); tsc_init() refuses others.
 */
#ifndef COOPVMM_BENCH_TSC_H
#define COOPVMM_BENCH_TSC_H

#include <stdint.h>

struct tsc {
    double hz;       /* ticks a second */
    double overhead; /* ticks between two readings with nothing in between: the median */
};

/**
 * Measures both: some 50 ms.
 * @return 0; -ENOTSUP: the TSC is not invariant
 */
int tsc_init(struct tsc *t);

/** A reading that earlier instructions cannot fall behind and later ones not get before. */
static inline uint64_t tsc_read(void)
{
    uint32_t low, high;

    __asm__ volatile("lfence; rdtsc; lfence" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

/** The difference of two readings as a sample: saturates. */
static inline uint32_t tsc_sample(uint64_t begin, uint64_t end)
{
    return end - begin < UINT32_MAX ? (uint32_t)(end - begin) : UINT32_MAX;
}

/** Ticks, less the cost of reading, in nanoseconds; never negative. */
static inline double tsc_ns(const struct tsc *t, double ticks)
{
    double net = ticks - t->overhead;

    return net > 0 ? net * 1e9 / t->hz : 0;
}

#endif
