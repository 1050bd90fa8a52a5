/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the user engine cannot do without: a fault that is taken and returned from, and nothing done
 * in between. `in %dx, %al` in ring 3 without I/O privilege is a general protection fault, which
 * the kernel turns into SIGSEGV; the handler steps over the instruction's one byte.
 */
#ifndef COOPVMM_BENCH_TRAP_FAULT_H
#define COOPVMM_BENCH_TRAP_FAULT_H

#include "stats.h"

/** Takes n samples. The handler is installed for as long as that takes. @return 0, negative errno
 */
int trap_fault_sample(struct series *s, size_t n);

#endif
