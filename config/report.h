/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How config errors are told: "FILE:LINE: KEY: what is wrong; what to do", one a line, all of them
 * (up to a limit, so that a hostile file cannot flood a log). Internal to config/.
 */
#ifndef COOPVMM_CONFIG_REPORT_H
#define COOPVMM_CONFIG_REPORT_H

#include <stdio.h>

#define REPORT_MAX 100 /* lines; then one that says there are more */

struct doc_node;

struct report {
    FILE *err;
    const char *file; /* name used in messages */
    unsigned errors;  /* found so far, also those beyond REPORT_MAX */
};

/** Reports what is wrong with `n`: its line, its key's path ("vms[0].devices[1].mac"). */
void report_node(struct report *r, const struct doc_node *n, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/** The same about a line without a node; `key` may be NULL. */
void report_line(struct report *r, unsigned line, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/** Writes the path of `n` into `out`; cut short if it does not fit. */
void report_path(const struct doc_node *n, char *out, size_t size);

#endif
