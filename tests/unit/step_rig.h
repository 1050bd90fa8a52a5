/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A process that dies at any store it makes to memory that outlives it: such memory is closed, each
 * store faults, and is let through by a single step of the CPU, or not at all. Deterministic, so
 * that all places to die can be tried one after another.
 */
#ifndef COOPVMM_TESTS_STEP_RIG_H
#define COOPVMM_TESTS_STEP_RIG_H

#include <stdbool.h>
#include <stddef.h>

/** Memory that outlives the process, whole pages. Forgotten when step_run returns. */
void step_watch(void *at, size_t len);
/** Something else that is a place to die; called by what step_run runs. */
void step_here(void);
/**
 * Runs fn(arg).
 * @param last the step at which it dies, before it happens, from 1 on; 0: it does not
 * @return the steps it made if it lived; 0: it died, and whatever it allocated is still there
 */
unsigned step_run(void (*fn)(void *arg), void *arg, unsigned last);

#endif
