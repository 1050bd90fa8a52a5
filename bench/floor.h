/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The physical floor: one cache line that goes from one CPU to another and back, and nothing else.
 * No hand-over of a request to another core can be faster.
 *
 * The line holds two words. The measuring thread writes the first and polls the second; the other
 * thread polls the first and writes the second. How the line is written (a plain store, or an
 * exchange) and who pauses between two polls (nobody, both, the far side only) makes a difference
 * that depends on how far apart the CPUs are: all variants are tried, and the best one is the
 * floor.
 *
 * Threads: made and used by one thread, the measuring one, which is pinned by its owner.
 */
#ifndef COOPVMM_BENCH_FLOOR_H
#define COOPVMM_BENCH_FLOOR_H

#include "stats.h"

#define FLOOR_VARIANTS 6

struct floor;

/** Starts the other thread, pinned; it sleeps while nothing is measured.
 * @return 0 and *out; a negative errno */
int floor_create(int cpu, struct floor **out);
void floor_free(struct floor *f);

/** "store, no pause", "exchange, far side pauses", ... */
const char *floor_variant_name(unsigned variant);

/** Takes n samples, after some that do not count. */
void floor_measure(struct floor *f, unsigned variant, struct series *s, size_t n);

#endif
