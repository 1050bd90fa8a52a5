/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A histogram of latencies as telemetry gives it: buckets by their lower bound in nanoseconds, not
 * in any order beforehand. What happened between two readings is the later minus the earlier one.
 */
#ifndef COOPVMM_LATHIST_H
#define COOPVMM_LATHIST_H

#include <jansson.h>
#include <stdint.h>

#define LATHIST_BUCKETS 512 /* the I/O cores have 496 */

/* Zeroed memory is an empty one. */
struct lathist {
    unsigned used;
    struct {
        uint64_t low; /* ns */
        int64_t count;
    } bucket[LATHIST_BUCKETS]; /* sorted by low */
};

/** Adds count (or takes it away) in the bucket of that lower bound. Too many buckets are dropped.
 */
void lathist_add(struct lathist *h, uint64_t low, int64_t count);
/**
 * Adds the arrays WHAT_low_ns and WHAT_n of a slot, times `sign`.
 * @param what "wait" or "service"
 */
void lathist_add_json(struct lathist *h, const json_t *slot, const char *what, int sign);
void lathist_merge(struct lathist *to, const struct lathist *from);
/** Values in it; those taken away beyond zero do not count. */
uint64_t lathist_count(const struct lathist *h);
/**
 * @param per_mille 500: the median, 990: p99
 * @return nanoseconds, the middle of the bucket: at most 1/16 off; 0 if it is empty
 */
uint64_t lathist_percentile(const struct lathist *h, unsigned per_mille);

#endif
