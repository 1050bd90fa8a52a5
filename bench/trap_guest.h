/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The probe guest in a real coopvmm-vm, with mode=lat: it measures each kind of access by itself
 * and prints a line a kind on its console (tests/guest/guest.h).
 */
#ifndef COOPVMM_BENCH_TRAP_GUEST_H
#define COOPVMM_BENCH_TRAP_GUEST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "session.h"

#define TRAP_MAX_KINDS 40
#define TRAP_NAME_SIZE 24

/* One line: a kind of access. Ticks, the guest's reading of its clock included. */
struct trap_kind {
    char name[TRAP_NAME_SIZE];
    uint32_t n, min, p50, p99, p999, max;
};
struct trap_result {
    unsigned nkinds;
    struct trap_kind kind[TRAP_MAX_KINDS];
};

/** Parses a line of the console. @return false: it is none of "lat name=...", or not whole */
bool trap_parse(const char *line, struct trap_kind *out);
/** @return NULL: the guest did not measure it */
const struct trap_kind *trap_find(const struct trap_result *r, const char *name);

/**
 * Runs the guest to its end, with its NIC in the given placement.
 * @param n samples a kind
 * @return 0; -EINTR; another negative errno (said on `err`, with what coopvmm-vm printed)
 */
int trap_guest_run(struct session *s, enum cfg_placement place, unsigned n, FILE *err,
                   struct trap_result *out);

#endif
