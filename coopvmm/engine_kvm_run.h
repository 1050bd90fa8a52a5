/* SPDX-License-Identifier: BSD-3-Clause */
/* A vCPU of the kvm engine while it runs; belongs to its thread. */
#ifndef COOPVMM_ENGINE_KVM_RUN_H
#define COOPVMM_ENGINE_KVM_RUN_H

#include "../emul/x86.h"
#include "engine.h"
#include "engine_kvm.h"

struct kvm_runner {
    struct vm *vm;
    unsigned vcpu;
    const struct kvm_cpu *c;
    /* The last exit, if it was a single port write; last_size 0: it was not. */
    uint16_t last_port;
    uint8_t last_size;
    uint32_t repeats; /* writes like it before it, in a row */
};

/** Copies the instruction bytes at linear address `rip`. @return how many there are, 0 to 15 */
unsigned kvm_fetch(const struct kvm_runner *r, uint64_t rip, uint8_t insn[X86_MAX_INSN]);

/** Is the VM at its end? */
bool kvm_ending(const struct vm *vm);

/**
 * engine_kvm_outs.c: if the vCPU is inside a REP OUTS to last_port, carries out what is left of it
 * as string requests and moves the registers on. If it is not, nothing happens.
 * @return 0; -ECANCELED
 */
int kvm_finish_outs(struct kvm_runner *r);

#endif
