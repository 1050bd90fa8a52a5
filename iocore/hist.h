/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A histogram in log buckets over raw TSC ticks: each power of two is divided into HIST_SUB linear
 * buckets, so a value is known to 1/8 over the whole 64-bit range. Ticks are converted to
 * nanoseconds only when somebody reads.
 *
 *   values 0 .. 7           one bucket each
 *   values 2^e .. 2^(e+1)-1 HIST_SUB buckets of 2^(e-HIST_SUB_BITS) values, e = 3 .. 63
 *
 * Threads: one writer (hist_add, hist_reset); any thread may take a copy with hist_read at any
 * time. Each counter is read whole; what is added during the copy may be in it or not, and the
 * copy's count is the sum of its buckets, so percentiles never run off the end.
 * All other functions work on copies.
 */
#ifndef COOPVMM_IOCORE_HIST_H
#define COOPVMM_IOCORE_HIST_H

#include <stdint.h>
#include <string.h>

#define HIST_SUB_BITS 3
#define HIST_SUB      (1u << HIST_SUB_BITS)
#define HIST_BUCKETS  ((64 - HIST_SUB_BITS + 1) * HIST_SUB)

struct hist {
    uint64_t sum;   /* of all values; wraps after 2^64 ticks */
    uint64_t low;   /* ~ the smallest value (zeroed memory is an empty histogram) */
    uint64_t max;   /* the largest value */
    uint64_t count; /* in a copy: number of values. The writer does not keep it */
    uint64_t bucket[HIST_BUCKETS];
};

/** The bucket of a value: 0 to HIST_BUCKETS - 1. No branch. */
static inline unsigned hist_index(uint64_t v)
{
    unsigned shift = 63 - HIST_SUB_BITS - (unsigned)__builtin_clzll(v | HIST_SUB);

    return (shift << HIST_SUB_BITS) + (unsigned)(v >> shift);
}

/** The smallest value of bucket i. */
static inline uint64_t hist_bucket_low(unsigned i)
{
    unsigned shift = i < 2 * HIST_SUB ? 0 : i / HIST_SUB - 1;

    return (uint64_t)(i - (shift << HIST_SUB_BITS)) << shift;
}

/** The largest value of bucket i. */
static inline uint64_t hist_bucket_high(unsigned i)
{
    unsigned shift = i < 2 * HIST_SUB ? 0 : i / HIST_SUB - 1;

    return hist_bucket_low(i) + (1ull << shift) - 1;
}

static inline uint64_t hist_load(const uint64_t *p)
{
    return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static inline void hist_store(uint64_t *p, uint64_t v)
{
    __atomic_store_n(p, v, __ATOMIC_RELAXED);
}

/** Counts one value. Only the one writer may call it. */
static inline void hist_add(struct hist *h, uint64_t v)
{
    uint64_t *b = &h->bucket[hist_index(v)];

    hist_store(b, *b + 1);
    hist_store(&h->sum, h->sum + v);
    if (__builtin_expect(v > h->max, 0))
        hist_store(&h->max, v);
    if (__builtin_expect(~v > h->low, 0))
        hist_store(&h->low, ~v);
}

/** Empties it. Only the one writer may call it. */
static inline void hist_reset(struct hist *h)
{
    for (unsigned i = 0; i < HIST_BUCKETS; i++)
        hist_store(&h->bucket[i], 0);
    hist_store(&h->sum, 0);
    hist_store(&h->low, 0);
    hist_store(&h->max, 0);
}

/** A copy, from any thread. */
static inline void hist_read(const struct hist *h, struct hist *copy)
{
    copy->count = 0;
    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        copy->bucket[i] = hist_load(&h->bucket[i]);
        copy->count += copy->bucket[i];
    }
    copy->sum = hist_load(&h->sum);
    copy->low = hist_load(&h->low);
    copy->max = hist_load(&h->max);
}

/** Adds copy b to copy a. */
static inline void hist_merge(struct hist *a, const struct hist *b)
{
    for (unsigned i = 0; i < HIST_BUCKETS; i++)
        a->bucket[i] += b->bucket[i];
    a->count += b->count;
    a->sum += b->sum;
    a->low = b->low > a->low ? b->low : a->low;
    a->max = b->max > a->max ? b->max : a->max;
}

/** The smallest value of a copy; 0 if it is empty. */
static inline uint64_t hist_min(const struct hist *copy)
{
    return copy->count ? ~copy->low : 0;
}

/** The mean of a copy's values, in ticks; 0 if it is empty. */
static inline uint64_t hist_mean(const struct hist *copy)
{
    return copy->count ? copy->sum / copy->count : 0;
}

/**
 * A percentile of a copy: an upper bound, at most 1/8 above the true value and never above max.
 * @param per_million 500000 for the median, 990000 for p99, 999000 for p99.9
 * @return ticks; 0 if the copy is empty
 */
static inline uint64_t hist_percentile(const struct hist *copy, uint32_t per_million)
{
    uint64_t want = (uint64_t)((__uint128_t)copy->count * per_million / 1000000u);
    uint64_t seen = 0;

    if (copy->count == 0)
        return 0;
    if (want >= copy->count)
        want = copy->count - 1;
    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        seen += copy->bucket[i];
        if (seen > want) {
            uint64_t high = hist_bucket_high(i);

            return high < copy->max ? high : copy->max;
        }
    }
    return copy->max;
}

/** Ticks to nanoseconds. @param hz ticks a second, not 0 */
static inline uint64_t hist_ns(uint64_t ticks, uint64_t hz)
{
    return (uint64_t)((__uint128_t)ticks * 1000000000u / hz);
}

#endif
