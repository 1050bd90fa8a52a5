/* SPDX-License-Identifier: BSD-3-Clause */
/* How a benchmark with a session goes: measured, summed up, drawn, told. */
#ifndef COOPVMM_BENCH_RUN_H
#define COOPVMM_BENCH_RUN_H

#include <jansson.h>

#include "session.h"

/* A benchmark. `b` is its own struct, zeroed, which begins with a struct session. */
struct bench_run {
    const struct bench_help *help;
    unsigned rounds, quick; /* how many, and with --quick; unless --rounds says so */
    unsigned most;          /* whatever --rounds says */
    /** For s.rounds rounds. @return 0 or a negative errno */
    int (*set_up)(void *b);
    /** Round i, from 0 on. @return 0 or a negative errno */
    int (*one_round)(void *b, unsigned i);
    /** The document, common part and goals included; samples may be sorted. NULL: out of memory */
    json_t *(*result)(void *b);
    /** Draws to the file that --plot names. @return 0 or a negative errno */
    int (*draw)(void *b, const json_t *j);
    /** Ends what uses the session, however far set_up came. NULL: nothing does */
    void (*stop)(void *b);
    /** Prints what stands between the common part and the goals. */
    void (*print)(const json_t *j);
    /** Frees the samples. */
    void (*release)(void *b);
};

/** @return the exit status, enum cmd_exit or that of a shell for a signal */
int bench_run(const struct bench_run *r, void *b, int argc, char **argv);

#endif
