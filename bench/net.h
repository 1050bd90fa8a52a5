/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * coopvmm bench net: what guests get out of the I/O cores' NICs, beside what others give them. It
 * has parts, since what it takes differs; each is a struct net_part in a file of its own:
 *
 *   vhost    DPDK's virtio_user as the guest, on a vhost-user port and on testpmd with net_vhost
 *   guests   a Linux guest under KVM, on our NICs and on QEMU's
 *
 * The document (report.h says what every one begins with):
 *
 *   rounds     of each part, unless it says otherwise
 *   PART       an object for each part that was measured; its file says what is in it
 *   left_out   [{part, why}]: what was asked for, or would have been measured, and was not
 *   goals      of all parts that were measured
 *
 * Threads: one.
 */
#ifndef COOPVMM_BENCH_NET_H
#define COOPVMM_BENCH_NET_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "guard.h"

#define NET_NAME       "bench net"
#define NET_MAX_ROUNDS 64
#define NET_WHY        256 /* bytes of a reason, with its NUL */

/* What the user said; NULL and 0: nothing. */
struct net_options {
    int cpu, iocpu;  /* of the guest, of the I/O core; CFG_ANY: chosen */
    unsigned rounds; /* 0: as many as the part likes */
    bool quick;      /* one short round, to see that it works */
    /* guests */
    const char *kernel, *initrd; /* files */
    const char *models;          /* names of NIC models, separated by commas */
};

struct net_part {
    const char *name; /* as in --part, and its key in the document */
    const char *what; /* it measures: one line for --help */
    /** Can it be measured here? If not, `why` says what is missing, and what the user can do. */
    bool (*possible)(const struct net_options *o, char why[NET_WHY]);
    /**
     * Measures, round by round; shows its progress (progress.h). Leaves nothing behind, in good or
     * bad.
     * @param part an empty object: the part's figures
     * @return 0; a negative errno, said on `err`: the part counts as left out. -EINTR: the guard
     *         stopped
     */
    int (*run)(struct guard *g, const struct net_options *o, json_t *part, FILE *err);
    /** Adds the part's goals (report_goal) to the document. */
    void (*goals)(json_t *doc, const json_t *part);
    /** The figures as tables, each ends with an empty line. */
    void (*print)(const json_t *part, FILE *out);
};

extern const struct net_part net_vhost, net_guests;

/** Is `name` in the list, separated by commas, or is there no list? */
bool net_in_list(const char *list, const char *name);
/** A series of rounds: {median, rounds: [...]}, each value rounded to `digits` behind the point. */
json_t *net_series(const double *v, unsigned n, int digits);
/** Its median. NAN if there is none. */
double net_median(const json_t *series);
/**
 * What `above` is in parts of `below`, two such series, round by round, and the median of that: a
 * machine that is slow for a while is so for both. NAN if they do not pair.
 */
double net_ratio(const json_t *above, const json_t *below);

#endif
