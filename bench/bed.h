/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A program that runs a testbed or a VM for a benchmark (`coopvmm run FILE`, QEMU), and what it
 * prints: guests tell there how far they are.
 *
 * Threads: one.
 */
#ifndef COOPVMM_BENCH_BED_H
#define COOPVMM_BENCH_BED_H

#include <stdbool.h>
#include <stdio.h>

#include "console.h"
#include "guard.h"

struct bed {
    struct child child;
    struct console console;
    void (*line)(void *ctx, const char *text); /* gets each line; NULL: nobody does */
    void *ctx;
};

/** Zeroes `child` and `console` and starts the program. @return 0 or a negative errno */
int bed_start(struct bed *b, const struct child_spec *spec);
/**
 * Reads what it prints until *done, which `line` sets.
 * @return 0; -ECHILD: it ended before; -ETIMEDOUT; -EINTR: the guard stopped
 */
int bed_wait(struct guard *g, struct bed *b, const bool *done, unsigned seconds);
/** Asks it to end, and kills it if that takes more than some seconds. Harmless if it did not start.
 */
void bed_end(struct bed *b, unsigned seconds);
/** Says what went wrong, and what the program printed last. */
void bed_complain(struct bed *b, const char *what, int err, FILE *to);

#endif
