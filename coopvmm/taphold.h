/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keeps the carrier of the ports' taps up while the I/O-core process is restarted.
 *
 * A tap without any queue loses its carrier, and the kernel then forgets its neighbours: after the
 * restart each is asked for anew, a second apart, long after the taps are served again. So the
 * supervisor holds one queue of each tap, detached: no frame goes there, but the carrier stays.
 *
 * Threads: one.
 */
#ifndef COOPVMM_TAPHOLD_H
#define COOPVMM_TAPHOLD_H

#include "../config/config.h"

struct taphold {
    unsigned n;
    int *fd; /* [n] */
};

/** Takes a queue of each tap that is there now. A tap that cannot be held is left out. */
void taphold_take(struct taphold *h, const struct cfg *c);
void taphold_release(struct taphold *h);

#endif
