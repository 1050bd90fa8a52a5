/* SPDX-License-Identifier: BSD-3-Clause */
/* The probe guest as benchmarks use it: where it is, and its figures (tests/guest/guest.h). */
#ifndef COOPVMM_BENCH_GUEST_H
#define COOPVMM_BENCH_GUEST_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define TRAP_NAME_SIZE 24

/* A kind of access, as a line of its console tells. Ticks, the guest's reading of its clock
 * included. */
struct trap_kind {
    char name[TRAP_NAME_SIZE];
    uint32_t n, min, p50, p99, p999, max;
};

/** Parses a line of the console. @return false: it is none of "lat name=...", or not whole */
bool trap_parse(const char *line, struct trap_kind *out);

/**
 * Finds the guest's file.
 * @param named as the user named it; NULL: the one beside this program
 * @return 0; a negative errno (said on `err`)
 */
int guest_find(const char *named, char path[PATH_MAX], FILE *err);

/** Writes text as a YAML scalar in single quotes. */
void guest_put_quoted(FILE *f, const char *text);

#endif
