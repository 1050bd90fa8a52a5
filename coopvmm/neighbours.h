/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Other testbeds of this user that run now: do their polling cores want our CPUs, or ours theirs?
 * Threads: any one. Source: the other testbeds' answers to "ps".
 */
#ifndef COOPVMM_NEIGHBOURS_H
#define COOPVMM_NEIGHBOURS_H

#include <stdio.h>

#include "../config/config.h"

/**
 * Writes a line to `err` for each CPU that an I/O core of ours or theirs would share with the other
 * testbed, naming both sides and what to do. The config must be planned.
 * @return how many
 */
unsigned neighbours_warn(const struct cfg *c, FILE *err);

#endif
