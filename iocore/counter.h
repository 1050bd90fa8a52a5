/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counters that others may read while they count.
 *
 * Threads: one writer; any may read, with a relaxed load, and finds each counter whole.
 */
#ifndef COOPVMM_IOCORE_COUNTER_H
#define COOPVMM_IOCORE_COUNTER_H

#include <stdint.h>

/** Counts n more. Only the one writer may call it. */
static inline void counter_add(uint64_t *c, uint64_t n)
{
    __atomic_store_n(c, *c + n, __ATOMIC_RELAXED);
}

#endif
