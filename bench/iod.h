/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A real coopvmm-iocored for a benchmark: one I/O core on a given CPU, a run directory of its own
 * that goes with it.
 */
#ifndef COOPVMM_BENCH_IOD_H
#define COOPVMM_BENCH_IOD_H

#include <stdio.h>

#include "../config/config.h"
#include "guard.h"

#define IOD_CORE "io0" /* the I/O core's name */

struct iod {
    struct guard *guard;
    struct child child;
    char dir[64];
    char sock[96];       /* where VMs attach */
    char telemetry[128]; /* DPDK's telemetry socket */
};

struct iod_spec {
    int cpu;
    enum cfg_idle idle;
    const char *ports; /* the items of the configuration's list, each a line; NULL: none */
};

/**
 * Starts it and waits until it serves.
 * @return 0; a negative errno (said on `err`), -EINTR if the guard stopped
 */
int iod_start(struct iod *d, struct guard *g, const struct iod_spec *spec, FILE *err);
/** Takes it off its CPU, all threads, until iod_continue. Returns when it has stopped. */
void iod_pause(struct iod *d);
void iod_continue(struct iod *d);
/** Ends it and removes its directory. Harmless if it was not started. */
void iod_stop(struct iod *d);

/** Makes a temporary directory ($TMPDIR, else /tmp). @return 0 or a negative errno */
int iod_make_dir(char *path, size_t size);
/** Removes a directory with the files in it. */
void iod_remove_dir(const char *path);

#endif
