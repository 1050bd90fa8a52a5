/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The user engine, inside. Guest code runs in ring 3 of this very process: guest memory is mapped
 * a second time so that a guest-physical address *is* the virtual address, and each vCPU is a
 * thread that jumps into it. What ring 3 may not do faults; the handler carries the whole
 * instruction out and goes on.
 *
 * IT ISOLATES NOTHING. The guest can read and write this process and make system calls (SYSCALL and
 * INT 0x80 reach the host's kernel). It is for guests one trusts: for machines without
 * virtualization hardware, for tests and for measuring.
 *
 * What differs from ring 0, beyond that:
 *  - PUSHF shows IF set and POPF does not change it; only CLI, STI, IRET and gates do.
 *  - Segment registers read as the host's; loads of the guest's selectors are accepted and have no
 *    effect. FS and GS bases cannot be set.
 *  - CR3 and the paging bits of CR0 and CR4 cannot be changed: memory is identity-mapped for good.
 *  - Guest-physical 0 to 0xffff cannot be mapped without privilege; accesses there are emulated
 *    (2 us each) and code there cannot run.
 *  - Memory the guest does not have, below 2^47, is MMIO; what of it this process has mapped is not
 *    trapped. Windows belong below 4 GiB.
 *
 * Life of a vCPU thread: it blocks the kick signal, sends one to itself and unblocks it. The
 * handler keeps the interrupted (host) registers and resumes with the guest's instead; to leave,
 * a later handler puts the host's back. Each handler runs on the vCPU's alternate stack, with the
 * kick signal blocked, so handlers never nest.
 *
 * Interrupt lines are pipes with O_ASYNC: an I/O core's write becomes a SIGIO sent to vCPU 0's
 * thread by the kernel, with no thread of ours between. SIGIO coalesces, the pipe keeps the edge.
 */
#ifndef COOPVMM_ENGINE_USER_H
#define COOPVMM_ENGINE_USER_H

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <ucontext.h>

#include "../emul/x86.h"
#include "engine.h"
#include "x2apic.h"

#define USER_KICK         SIGIO
#define USER_LOW          0x10000u /* bytes at the bottom that are emulated, not mapped */
#define USER_STACK_SIZE   (256u << 10)
#define USER_MAX_LINES    224 /* vectors 0x20 to 0xff */
#define USER_FIRST_VECTOR 0x20
#define USER_PHYS_LIMIT   (1ull << 47) /* addresses from here on are no MMIO but a page fault */

/* Exceptions, by vector. */
enum {
    USER_DE = 0,
    USER_DB = 1,
    USER_BP = 3,
    USER_UD = 6,
    USER_GP = 13,
    USER_PF = 14,
};
#define USER_NO_ERROR_CODE UINT64_MAX

struct user_dtr {
    uint16_t limit;
    uint64_t base;
};

/* Ring-0 state a ring-3 thread does not have. */
struct user_ctl {
    bool iflag;    /* the guest's RFLAGS.IF */
    bool shadow;   /* STI was the last instruction; the one at shadow_rip runs first */
    bool stepping; /* TF is set to end the shadow */
    uint64_t shadow_rip;
    uint64_t cr0, cr2, cr3, cr4, efer;
    uint16_t cs, ss; /* selectors pushed by interrupts */
    struct user_dtr gdt, idt;
};

struct user_engine;

struct user_vcpu {
    struct vm *vm;
    struct user_engine *eng;
    unsigned index;
    int tid; /* atomic; 0: not there yet */
    int err; /* why the thread could not be set up */
    pthread_t thread;
    uint8_t *stack; /* alternate signal stack; begins with a pointer back to this struct */
    uint64_t fs_base;
    bool fix_fs; /* the guest may have changed FS, and it can be put right from here */

    bool enter;    /* the next kick enters the guest */
    bool in_guest; /* the thread's context is the guest's */
    bool leave;    /* the handler at work puts the host's registers back */
    greg_t host[NGREG];

    struct x86_decoder *dec;
    ucontext_t *uc; /* of the handler at work */
    struct x86_cpu cpu;
    bool vectors; /* cpu.ymm is filled */
    uint8_t ymm[16][32];
    struct user_ctl ctl;
    struct x2apic apic;
};

struct user_line {
    int rd, wr; /* pipe; -1: not made */
};

struct user_engine {
    struct vm *vm;
    uint64_t entry;
    uint64_t spin_ns;
    unsigned started;           /* threads */
    bool go;                    /* all threads are set up: enter */
    bool mapped;                /* guest memory at its own addresses */
    sem_t ready;                /* posted by each thread once it is set up */
    sem_t gate;                 /* lets each go on, to enter or to end */
    pthread_mutex_t lines_lock; /* making lines; reading them needs none */
    struct user_line line[USER_MAX_LINES];
    unsigned nlines;                /* atomic; entries of active[] */
    uint8_t active[USER_MAX_LINES]; /* lines that were made */
    unsigned nvcpus;
    struct user_vcpu vcpu[];
};

/* Is the VM at its end, one way or the other? */
static inline bool user_ending(const struct vm *vm)
{
    return __atomic_load_n(&vm->stopping, __ATOMIC_ACQUIRE) ||
           __atomic_load_n(&vm->end, __ATOMIC_ACQUIRE) != VM_RUNNING;
}

/* engine_user_trap.c: signals */
int user_signals_install(void);
void user_signals_restore(void);
/** Reports and ends the VM; the vCPU leaves. */
void user_crash(struct user_vcpu *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** Bytes at `rip`. @return how many are readable (0 to 15) */
size_t user_fetch(const struct user_vcpu *v, uint64_t rip, const uint8_t **insn);

/* engine_user_mem.c: memory and ports for the emulator */
extern const struct x86_ops user_ops;
/** Ordinary memory only. @return true if all of it is there */
bool user_ram_read(const struct user_vcpu *v, uint64_t addr, void *to, size_t len);
bool user_ram_write(const struct user_vcpu *v, uint64_t addr, const void *from, size_t len);

/* engine_user_priv.c: instructions that only ring 0 has */
/** @return false: not one of them, nothing was done */
bool user_privileged(struct user_vcpu *v, const uint8_t *insn, size_t len);

/* engine_user_msr.c */
/** RDMSR, WRMSR with the guest's registers. @return false: #GP */
bool user_rdmsr(struct user_vcpu *v);
bool user_wrmsr(struct user_vcpu *v);

/* engine_user_irq.c: interrupts, exceptions, HLT */
/** Delivers the pending interrupt of the highest priority, if the guest takes interrupts now. */
void user_interrupts(struct user_vcpu *v);
/** The guest ran or trapped: a step through an STI shadow is over. @return there was one */
bool user_end_step(struct user_vcpu *v);
/** An exception of the guest's own making; without a handler it is a crash. */
void user_exception(struct user_vcpu *v, unsigned vector, uint64_t error_code);
/** INT n: through the guest's gate. */
void user_soft_interrupt(struct user_vcpu *v, uint8_t vector);
/** Waits as HLT does. */
void user_halt(struct user_vcpu *v);
/** Sends an IPI the guest asked for. */
void user_ipi(struct user_vcpu *v, const struct x2apic_ipi *ipi);
/** Makes vCPU v's thread look at what is pending, or leave. */
void user_kick(struct user_vcpu *v);

/* engine_user_line.c */
int user_irq_fd(struct vm *vm, unsigned line);
/** vCPU 0's thread receives the lines' signals from now on. @return 0 or a negative errno */
int user_lines_own(struct user_engine *e, int tid);
/** Takes what arrived on the lines into vCPU 0's APIC. */
void user_lines_drain(struct user_vcpu *v);
void user_lines_close(struct user_engine *e);

/* engine_user_vec.c: vector registers in a signal frame */
/** Copies them in and points cpu.ymm at them. */
void user_vectors_load(struct user_vcpu *v);
void user_vectors_store(struct user_vcpu *v);

#endif
