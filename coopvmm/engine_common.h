/* SPDX-License-Identifier: BSD-3-Clause */
/* What the engines share: loading the configured kernel, pinning vCPU threads. */
#ifndef COOPVMM_ENGINE_COMMON_H
#define COOPVMM_ENGINE_COMMON_H

#include <pthread.h>

#include "elf.h"
#include "engine.h"

/**
 * Loads the VM's kernel and boot structures into its memory (boot.h). A failure is said in the VM's
 * log. @return 0 and *img, or a negative errno
 */
int engine_load(struct vm *vm, struct elf_image *img);

/**
 * Pins a vCPU's thread to the core it was planned for; CFG_ANY leaves it alone. A failure is said
 * in the VM's log. @return 0 or a negative errno
 */
int engine_pin(struct vm *vm, unsigned vcpu, pthread_t thread, int core);

#endif
