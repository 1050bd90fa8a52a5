/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kvm engine, inside: freestanding guests on /dev/kvm. Source: Linux
 * Documentation/virt/kvm/api.rst.
 *
 * Long mode with identity page tables, GDT and start info as boot.h lays them out; in-kernel
 * interrupt controllers, of which the guest uses the local APIC in x2APIC mode; interrupt line n is
 * an irqfd routed as an MSI of vector 0x20 + n to vCPU 0; HLT is waited for in the kernel.
 */
#ifndef COOPVMM_ENGINE_KVM_H
#define COOPVMM_ENGINE_KVM_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KVM_FIRST_VECTOR 0x20
#define KVM_MAX_LINES    224
#define KVM_MAX_MEMORY   0xfec00000ull /* the in-kernel I/O APIC's page lies there */

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
/** Gives it memory from guest-physical 0. @return 0 or a negative errno */
int kvm_machine_memory(const struct kvm_machine *m, void *host, uint64_t size);
/** Creates vCPU `index`, in long mode. @return 0 or a negative errno; kvm_cpu_close() then, too */
int kvm_cpu_open(const struct kvm_machine *m, unsigned index, struct kvm_cpu *c);
void kvm_cpu_close(const struct kvm_machine *m, struct kvm_cpu *c);
/** Sets the general registers: RIP, RBX, RSI; the others are zero. @return 0, -errno */
int kvm_cpu_enter_at(const struct kvm_cpu *c, uint64_t rip, uint64_t rbx, uint64_t rsi);

/* engine_kvm_run.c */
struct vm;
/** Runs a vCPU until the VM ends or stops. The thread's own. */
void kvm_run_loop(struct vm *vm, unsigned vcpu, const struct kvm_cpu *c);

/* engine_kvm_probe.c */
int kvm_probe(char found[256]);

#endif
