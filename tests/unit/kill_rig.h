/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An I/O-core process that is killed (SIGKILL) at random instants, again and again, while a vCPU
 * works a device behind it; each successor takes up where it died.
 */
#ifndef COOPVMM_TESTS_KILL_RIG_H
#define COOPVMM_TESTS_KILL_RIG_H

#include <stdbool.h>
#include <stdint.h>

#include "iotp_rig.h"

#define KILLS 300

extern struct rig_vmm kill_vmm; /* the guest's; open while kill_run runs */

/** For the guest: the killing is over, the last I/O core lives until the guest returns. */
bool kill_is_over(void);

/** For the guest: repeatable pseudo-random numbers of 24 bits. */
uint32_t kill_random(void);

/**
 * Runs the guest on a thread of its own, over KILLS kills. An I/O core that ends in another way is
 * a failed assertion.
 * @param model the device's
 */
void kill_run(const char *model, void (*guest)(void));

#endif
