/* SPDX-License-Identifier: BSD-3-Clause */
/* A tap of the host's, for devices that run in the VMM's own process. */
#ifndef COOPVMM_TAP_H
#define COOPVMM_TAP_H

#include <stdio.h>

/**
 * Opens or creates a tap and brings it up.
 * @param address "10.77.1.1/24" to give the host's end, NULL: leave it alone
 * @return a non-blocking descriptor, one frame a read or write; a negative errno (said on `err`)
 */
int tap_open(const char *name, const char *address, FILE *err);

#endif
