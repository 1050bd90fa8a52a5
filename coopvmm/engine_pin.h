/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef COOPVMM_ENGINE_PIN_H
#define COOPVMM_ENGINE_PIN_H

#include <pthread.h>

#include "engine.h"

/**
 * Pins a vCPU's thread to the core it was planned for; CFG_ANY leaves it alone. A failure is said
 * in the VM's log. @return 0 or a negative errno
 */
int engine_pin(struct vm *vm, unsigned vcpu, pthread_t thread, int core);

#endif
