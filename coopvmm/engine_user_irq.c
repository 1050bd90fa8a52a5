/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Interrupts, exceptions and HLT of the user engine. What the CPU does through the IDT in ring 0
 * is done here by hand: Intel SDM volume 3, chapter 6, "Exception and Interrupt Handling in 64-bit
 * Mode". Stacks are not switched: a gate with an IST index is refused.
 */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "engine_user.h"

#define GATE_SIZE      16
#define GATE_INTERRUPT 0xe /* clears IF */
#define GATE_TRAP      0xf

struct gate {
    uint64_t offset;
    uint16_t selector;
    uint8_t ist;
    uint8_t type;
    bool present;
};

/* @return NULL, or what is wrong with it */
static const char *read_gate(const struct user_vcpu *v, unsigned vector, struct gate *g)
{
    const struct user_dtr *idt = &v->ctl.idt;
    uint8_t b[GATE_SIZE];
    uint64_t low, high;

    if (vector * GATE_SIZE + GATE_SIZE - 1u > idt->limit)
        return "the IDT has no such gate";
    if (!user_ram_read(v, idt->base + vector * GATE_SIZE, b, sizeof(b)))
        return "the IDT lies outside memory";
    memcpy(&low, b, 8);
    memcpy(&high, b + 8, 8);
    g->offset = (low & 0xffff) | (low >> 48 << 16) | (high & 0xffffffff) << 32;
    g->selector = low >> 16;
    g->ist = low >> 32 & 7;
    g->type = low >> 40 & 0xf;
    g->present = low >> 47 & 1;
    if (!g->present || (g->type != GATE_INTERRUPT && g->type != GATE_TRAP) || !g->selector)
        return "its gate in the IDT is absent or no 64-bit interrupt or trap gate";
    return g->ist ? "its gate in the IDT uses an IST stack, which the user engine does not have"
                  : NULL;
}

/* Pushes the frame and jumps. @return NULL, or what is wrong */
static const char *deliver(struct user_vcpu *v, unsigned vector, uint64_t error_code)
{
    struct x86_cpu *c = &v->cpu;
    uint64_t frame[6], *top = frame;
    const char *why;
    struct gate g;
    uint64_t rsp;

    why = read_gate(v, vector, &g);
    if (why)
        return why;
    if (error_code != USER_NO_ERROR_CODE)
        *top++ = error_code;
    *top++ = c->rip;
    *top++ = v->ctl.cs;
    *top++ = c->rflags;
    *top++ = c->gpr[X86_RSP];
    *top++ = v->ctl.ss;
    rsp = (c->gpr[X86_RSP] & ~15ull) - (top - frame) * 8;
    if (!user_ram_write(v, rsp, frame, (top - frame) * 8))
        return "the stack does not lie in memory";
    c->gpr[X86_RSP] = rsp;
    c->rip = g.offset;
    c->rflags &= ~(uint64_t)X86_FLAG_TF;
    v->ctl.cs = g.selector & ~3;
    v->ctl.shadow = false;
    if (g.type == GATE_INTERRUPT)
        c->rflags &= ~(uint64_t)X86_FLAG_IF;
    return NULL;
}

static const char *exception_name(unsigned vector)
{
    static const char *const name[] = {
        [0] = "#DE divide error",
        [1] = "#DB debug",
        [3] = "#BP breakpoint",
        [4] = "#OF overflow",
        [5] = "#BR bound",
        [6] = "#UD invalid opcode",
        [12] = "#SS stack fault",
        [13] = "#GP general protection",
        [14] = "#PF page fault",
        [16] = "#MF floating point",
        [17] = "#AC alignment check",
        [19] = "#XM SIMD floating point",
    };

    return vector < sizeof(name) / sizeof(name[0]) && name[vector] ? name[vector] : "exception";
}

void user_exception(struct user_vcpu *v, unsigned vector, uint64_t error_code)
{
    const char *why = deliver(v, vector, error_code);

    if (!why)
        return;
    if (vector == USER_PF)
        user_crash(v, "%s at address %#llx, and %s", exception_name(vector),
                   (unsigned long long)v->ctl.cr2, why);
    else
        user_crash(v, "%s (vector %u), and %s", exception_name(vector), vector, why);
}

void user_soft_interrupt(struct user_vcpu *v, uint8_t vector)
{
    const char *why = deliver(v, vector, USER_NO_ERROR_CODE);

    if (why)
        user_crash(v, "INT %u, and %s", vector, why);
}

bool user_end_step(struct user_vcpu *v)
{
    if (!v->ctl.stepping)
        return false;
    v->ctl.stepping = false;
    v->ctl.shadow = false;
    v->cpu.rflags &= ~(uint64_t)X86_FLAG_TF;
    return true;
}

/* One instruction after STI is to run before an interrupt is taken. If it has not yet, TF brings us
 * back behind it. @return true: not now */
static bool in_sti_shadow(struct user_vcpu *v)
{
    if (!v->ctl.shadow)
        return false;
    if (v->cpu.rip != v->ctl.shadow_rip) {
        user_end_step(v);
        v->ctl.shadow = false;
        return false;
    }
    v->ctl.stepping = true;
    v->cpu.rflags |= X86_FLAG_TF;
    return true;
}

void user_interrupts(struct user_vcpu *v)
{
    int vector = x2apic_pending(&v->apic);
    const char *why;

    if (vector < 0 || !(v->cpu.rflags & X86_FLAG_IF) || in_sti_shadow(v))
        return;
    x2apic_accept(&v->apic, vector);
    why = deliver(v, vector, USER_NO_ERROR_CODE);
    if (why)
        user_crash(v, "interrupt on vector %#x, and %s", vector, why);
}

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static bool wakes(const struct user_vcpu *v)
{
    return user_ending(v->vm) || ((v->cpu.rflags & X86_FLAG_IF) && x2apic_pending(&v->apic) >= 0);
}

/*
 * The kick signal is blocked in here, so one that comes at any time stays pending until
 * sigtimedwait takes it: no wake-up is lost. While spinning, taking it that way costs one cheap
 * system call a round and saves a signal frame; and nobody has to interrupt this core.
 */
void user_halt(struct user_vcpu *v)
{
    static const struct timespec at_once = {0, 0};
    uint64_t until = now_ns() + v->eng->spin_ns;
    sigset_t kick;

    v->ctl.shadow = false;
    sigemptyset(&kick);
    sigaddset(&kick, USER_KICK);
    while (!wakes(v)) {
        bool spin = v->eng->spin_ns && now_ns() < until;

        if (sigtimedwait(&kick, NULL, spin ? &at_once : NULL) == USER_KICK)
            user_lines_drain(v);
    }
}

void user_kick(struct user_vcpu *v)
{
    int tid = __atomic_load_n(&v->tid, __ATOMIC_SEQ_CST);

    if (tid)
        syscall(SYS_tgkill, getpid(), tid, USER_KICK);
}

void user_ipi(struct user_vcpu *v, const struct x2apic_ipi *ipi)
{
    struct user_engine *e = v->eng;

    if (!ipi->wanted)
        return;
    if (ipi->mode != 0) {
        user_crash(v,
                   "an IPI of delivery mode %u; only fixed ones (0) can be sent, and all vCPUs "
                   "run from the start",
                   ipi->mode);
        return;
    }
    for (unsigned i = 0; i < e->nvcpus; i++) {
        if (!x2apic_is_target(ipi, v->index, i))
            continue;
        x2apic_raise(&e->vcpu[i].apic, ipi->vector);
        if (i != v->index)
            user_kick(&e->vcpu[i]);
    }
}
