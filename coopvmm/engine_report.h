/* SPDX-License-Identifier: BSD-3-Clause */
/* How an engine says what a guest died of: reason, instruction (bytes and text), registers. */
#ifndef COOPVMM_ENGINE_REPORT_H
#define COOPVMM_ENGINE_REPORT_H

#include <stddef.h>

#include "../emul/x86.h"
#include "engine.h"

/* Where a guest stopped. */
struct engine_spot {
    const struct x86_cpu *cpu;
    const uint8_t *insn; /* bytes at rip; NULL: not in memory */
    size_t len;          /* how many are readable; 15 are enough */
};

/**
 * Writes the report to the VM's log, several lines. Async-signal-safe as vm_log is.
 * @param why one line, without the vCPU's number
 */
void engine_report(struct vm *vm, unsigned vcpu, const struct engine_spot *at, const char *why);

#endif
