/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kvm engine, inside: guests on /dev/kvm. Source: Linux Documentation/virt/kvm/api.rst.
 *
 * Platform "bare", freestanding guests: long mode with identity page tables, GDT and start info as
 * boot.h lays them out; in-kernel interrupt controllers, of which the guest uses the local APIC in
 * x2APIC mode; interrupt line n is an irqfd routed as an MSI of vector 0x20 + n to vCPU 0; HLT is
 * waited for in the kernel.
 *
 * Platform "pc" (pc.h), stock kernels: vCPU 0 enters the kernel (pc_boot.h), the others wait for
 * it; PIC, I/O APIC and PIT are KVM's, too, and lines are their pins.
 */
#ifndef COOPVMM_ENGINE_KVM_H
#define COOPVMM_ENGINE_KVM_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pc_boot.h"

#define KVM_FIRST_VECTOR 0x20
#define KVM_MAX_LINES    224
#define KVM_MAX_MEMORY   0xfec00000ull /* bare: the in-kernel I/O APIC's page lies there */

/* A virtual machine, no more than the kernel needs of it. */
struct kvm_machine {
    int sys; /* /dev/kvm */
    int vm;
    size_t run_size;
    bool gib_pages;
    struct kvm_cpuid2 *cpuid; /* what the host supports */
};

/* A vCPU. */
struct kvm_cpu {
    int fd;
    struct kvm_run *run;
};

/* engine_kvm_cpu.c */
/**
 * Opens /dev/kvm and creates a machine with in-kernel interrupt controllers.
 * @param step receives, if it fails, what did (constant text)
 * @return 0 or a negative errno; kvm_machine_close() in either case
 */
int kvm_machine_open(struct kvm_machine *m, const char **step);
void kvm_machine_close(struct kvm_machine *m);
/** Gives it memory at guest-physical `gpa`, as its slot `slot`. @return 0 or a negative errno */
int kvm_machine_memory(const struct kvm_machine *m, unsigned slot, uint64_t gpa, void *host,
                       uint64_t size);
/** Creates vCPU `index` as KVM makes it. @return 0 or a negative errno; kvm_cpu_close() then, too
 */
int kvm_cpu_create(const struct kvm_machine *m, unsigned index, struct kvm_cpu *c);
/** Creates vCPU `index`, in long mode. @return 0 or a negative errno; kvm_cpu_close() then, too */
int kvm_cpu_open(const struct kvm_machine *m, unsigned index, struct kvm_cpu *c);
void kvm_cpu_close(const struct kvm_machine *m, struct kvm_cpu *c);
/** Sets the general registers: RIP, RBX, RSI; the others are zero. @return 0, -errno */
int kvm_cpu_enter_at(const struct kvm_cpu *c, uint64_t rip, uint64_t rbx, uint64_t rsi);

/* Platform "pc". engine_kvm_pc.c */
/** Gives the machine its timer. @return 0 or a negative errno */
int kvm_pc_machine(const struct kvm_machine *m);
/** Creates vCPU `index` of `nvcpus` as a PC's firmware leaves it. @return as kvm_cpu_create */
int kvm_pc_cpu(const struct kvm_machine *m, unsigned index, unsigned nvcpus, struct kvm_cpu *c);
/** Puts vCPU 0 at the kernel's entry. @return 0 or a negative errno */
int kvm_pc_enter(const struct kvm_cpu *c, const struct pc_start *start);

/* engine_kvm_cpuid.c */
/** Says that vCPU `index` of `nvcpus` is a core of one package, its number its APIC ID. */
void kvm_pc_cpuid(const struct kvm_machine *m, unsigned index, unsigned nvcpus);

/* engine_kvm_run.c */
struct vm;
/** Runs a vCPU until the VM ends or stops. The thread's own. */
void kvm_run_loop(struct vm *vm, unsigned vcpu, const struct kvm_cpu *c);

/* engine_kvm_probe.c */
int kvm_probe(char found[256]);
int kvm_suits(const struct cfg_vm *c, char why[256]);

#endif
