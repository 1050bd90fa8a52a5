/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * When to start a process again that ended by itself: at once, then after growing pauses, then no
 * more. Only quick deaths count against it: one that served for RESTART_SERVED_MS did its work, and
 * whatever killed it (an operator, a fault test) may do so again.
 */
#ifndef COOPVMM_RESTART_H
#define COOPVMM_RESTART_H

#include <stdint.h>

#define RESTART_MAX       5     /* quick deaths ... */
#define RESTART_WINDOW_MS 10000 /* ... within this: give up */
#define RESTART_SERVED_MS 200   /* a life that long, from ready to death, was no quick death */
#define RESTART_FIRST_MS  100   /* pause before the second restart in a row; doubles */

/* Zeroed memory is a fresh one. */
struct restart {
    uint64_t died_ms[RESTART_MAX]; /* the latest quick deaths, oldest first */
    unsigned n;
};

/**
 * A process died.
 * @param now_ms a monotonic time, milliseconds
 * @param served_ms how long it had been ready; 0: it never was
 * @return milliseconds to wait before starting it again; -1: give up
 */
int restart_after(struct restart *r, uint64_t now_ms, uint64_t served_ms);

#endif
