/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DPDK's testpmd as a child process: one forwarding core on a CPU of its own, without hugepages;
 * what its ports count is read from its telemetry socket, as an I/O-core process's is.
 */
#ifndef COOPVMM_BENCH_TESTPMD_H
#define COOPVMM_BENCH_TESTPMD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "../coopvmm/child.h"
#include "../coopvmm/telclient.h"
#include "console.h"

#define TESTPMD_MAX_VDEVS 2

struct testpmd_spec {
    const char *dir;                     /* its files go there */
    const char *name;                    /* tells it from others in dir; as in a file's name */
    const char *mode;                    /* --forward-mode: "io", "txonly", ... */
    int cpu;                             /* that forwards */
    int main_cpu;                        /* of the thread that waits */
    const char *vdev[TESTPMD_MAX_VDEVS]; /* NULL: no more */
    unsigned size;                       /* txonly: bytes of a frame */
};

struct testpmd {
    struct child child;
    struct console console;
    char telemetry[128];
};

/** Starts it. @return 0; -ENOENT: there is no dpdk-testpmd; another negative errno */
int testpmd_start(struct testpmd *t, const struct testpmd_spec *s);
/** Kills it. Harmless if it was not started. */
void testpmd_stop(struct testpmd *t);
/** Has it ended? What it printed is in console.text then. */
bool testpmd_ended(struct testpmd *t);

/** Is there a dpdk-testpmd? */
bool testpmd_found(void);

/* Frames a port of a DPDK process received and sent. */
struct ethdev_count {
    uint64_t received, sent;
};
/** Asks the process behind a telemetry socket. @return 0; a negative errno of telclient.h */
int ethdev_count(struct telclient *t, unsigned port, struct ethdev_count *out);

#endif
