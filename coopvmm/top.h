/* SPDX-License-Identifier: BSD-3-Clause */
/* What `coopvmm top` shows, without how it gets on a screen. */
#ifndef COOPVMM_TOP_H
#define COOPVMM_TOP_H

#include <jansson.h>
#include <stdio.h>

#include "rates.h"
#include "rundir.h"
#include "telclient.h"

struct top {
    struct rundir_ref ref;
    struct telclient tel;     /* fd -1: not connected at the moment */
    json_t *last;             /* the latest snapshot, NULL: none yet */
    struct rates rates;       /* between the latest two */
    char problem[RUNDIR_WHY]; /* why there are no new figures; empty: there are */
};

void top_init(struct top *t, const struct rundir_ref *ref);
void top_fini(struct top *t);
/**
 * Takes a snapshot and computes the rates since the one before. If the I/O cores do not answer,
 * says so in `problem`, keeps the rates as they are, and tries anew next time.
 * @return 0; -ENOENT: the testbed ended
 */
int top_sample(struct top *t);
/** Prints tables. */
void top_print(const struct top *t, FILE *out);
/** The same figures as JSON. */
json_t *top_json(const struct top *t);
/** Shows it on the terminal until `q` is typed or the testbed ends. @return a cmd_exit */
int top_screen(struct top *t, unsigned delay_ms);

#endif
