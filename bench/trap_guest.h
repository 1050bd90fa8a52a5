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

#include "guest.h"
#include "session.h"

#define TRAP_MAX_KINDS 40

struct trap_result {
    unsigned nkinds;
    struct trap_kind kind[TRAP_MAX_KINDS];
};

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
