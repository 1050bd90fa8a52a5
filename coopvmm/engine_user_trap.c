/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The user engine's signal handlers: between a signal frame and a struct x86_cpu.
 *
 * Everything in here runs on a vCPU's alternate stack with the kick signal blocked. A fault of our
 * own in a handler kills the process, as it should: SIGSEGV is blocked there, too.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine_report.h"
#include "engine_user.h"

#define PF_FETCH (1u << 4) /* page-fault error code: instruction fetch */

static const int trap_signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};

/* Where a general register lies in a signal frame, by enum x86_gpr. */
static const uint8_t frame_reg[16] = {
    REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
    REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
};

static void load_cpu(struct user_vcpu *v)
{
    const greg_t *g = v->uc->uc_mcontext.gregs;

    for (unsigned i = 0; i < 16; i++)
        v->cpu.gpr[i] = g[frame_reg[i]];
    v->cpu.rip = g[REG_RIP];
    v->cpu.rflags = g[REG_EFL] & ~(greg_t)X86_FLAG_IF;
    if (v->ctl.iflag)
        v->cpu.rflags |= X86_FLAG_IF;
    v->cpu.ymm = NULL;
    v->vectors = false;
}

static void store_cpu(struct user_vcpu *v)
{
    greg_t *g = v->uc->uc_mcontext.gregs;

    for (unsigned i = 0; i < 16; i++)
        g[frame_reg[i]] = v->cpu.gpr[i];
    g[REG_RIP] = v->cpu.rip;
    g[REG_EFL] = v->cpu.rflags | X86_FLAG_IF;
    v->ctl.iflag = v->cpu.rflags & X86_FLAG_IF;
    if (v->vectors)
        user_vectors_store(v);
}

size_t user_fetch(const struct user_vcpu *v, uint64_t rip, const uint8_t **insn)
{
    uint64_t size = v->vm->mem.size;

    if (rip >= size)
        return 0;
    *insn = v->vm->mem.host + rip;
    return size - rip < X86_MAX_INSN ? size - rip : X86_MAX_INSN;
}

void user_crash(struct user_vcpu *v, const char *fmt, ...)
{
    struct engine_spot at = {.cpu = &v->cpu};
    char why[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, sizeof(why), fmt, ap);
    va_end(ap);
    at.len = user_fetch(v, v->cpu.rip, &at.insn);
    engine_report(v->vm, v->index, &at, why);
    vm_end(v->vm, VM_CRASHED, 0);
    v->leave = true;
}

/* @return the emulator's verdict; vector registers are fetched only when it turns out they matter
 */
static enum x86_result emulate(struct user_vcpu *v, const uint8_t *insn, size_t len,
                               struct x86_fault *fault)
{
    enum x86_result r = x86_emulate(v->dec, &v->cpu, insn, len, &user_ops, v, fault);

    if (__builtin_expect(r != X86_UNSUPPORTED, 1))
        return r;
    user_vectors_load(v);
    return x86_emulate(v->dec, &v->cpu, insn, len, &user_ops, v, fault);
}

static void access_trap(struct user_vcpu *v, const uint8_t *insn, size_t len)
{
    struct x86_fault fault;

    switch (emulate(v, insn, len, &fault)) {
    case X86_EMULATED:
    case X86_REPEAT: break;
    case X86_CANCELLED: v->leave = true; break;
    case X86_FAULTED:
        v->ctl.cr2 = fault.addr;
        user_exception(v, USER_PF, 0);
        break;
    case X86_UNSUPPORTED: user_crash(v, "cannot emulate: %.*s", 95, fault.text); break;
    }
}

/* IN, OUT, INS, OUTS behind any prefixes? */
static bool is_port_io(const uint8_t *insn, size_t len)
{
    size_t i = 0;

    while (i < len && (insn[i] == 0x66 || insn[i] == 0x67 || insn[i] == 0xf2 || insn[i] == 0xf3 ||
                       (insn[i] & 0xf0) == 0x40))
        i++;
    if (i == len)
        return false;
    return (insn[i] & 0xf4) == 0xe4 || (insn[i] & 0xfc) == 0x6c;
}

static void protection_trap(struct user_vcpu *v, uint64_t error_code)
{
    const uint8_t *insn = NULL;
    size_t len = user_fetch(v, v->cpu.rip, &insn);

    if (!len)
        user_crash(v, "a jump out of guest memory");
    else if (is_port_io(insn, len))
        access_trap(v, insn, len);
    else if (!user_privileged(v, insn, len))
        user_exception(v, USER_GP, error_code);
}

static void page_trap(struct user_vcpu *v, uint64_t error_code)
{
    const uint8_t *insn = NULL;
    size_t len = user_fetch(v, v->cpu.rip, &insn);

    v->ctl.cr2 = v->uc->uc_mcontext.gregs[REG_CR2];
    if (!len)
        user_crash(v, "a jump out of guest memory");
    else if (error_code & PF_FETCH)
        user_crash(v, "code below %#x, where the user engine cannot run it", USER_LOW);
    else
        access_trap(v, insn, len);
}

static void guest_trap(struct user_vcpu *v)
{
    bool stepped = user_end_step(v);
    uint64_t trap = v->uc->uc_mcontext.gregs[REG_TRAPNO];
    uint64_t error_code = v->uc->uc_mcontext.gregs[REG_ERR];

    switch (trap) {
    case USER_DB:
        if (!stepped)
            user_exception(v, USER_DB, USER_NO_ERROR_CODE);
        break;
    case USER_GP: protection_trap(v, error_code); break;
    case USER_PF: page_trap(v, error_code); break;
    case 12: /* #SS: a non-canonical stack */
    case 17: user_exception(v, trap, error_code); break;
    default: user_exception(v, trap, USER_NO_ERROR_CODE); break;
    }
}

static void leave_guest(struct user_vcpu *v)
{
    memcpy(v->uc->uc_mcontext.gregs, v->host, sizeof(v->host));
    v->in_guest = false;
}

/* The registers at entry: engine.h, "What a freestanding guest sees". */
static void enter_guest(struct user_vcpu *v)
{
    greg_t *g = v->uc->uc_mcontext.gregs;

    memcpy(v->host, g, sizeof(v->host));
    for (unsigned i = 0; i < 16; i++)
        g[frame_reg[i]] = v->cpu.gpr[i];
    g[REG_RIP] = v->cpu.rip;
    g[REG_EFL] = X86_FLAG_IF | 2;
    v->enter = false;
    v->in_guest = true;
}

/* What every trap and kick ends with. */
static void resume(struct user_vcpu *v)
{
    if (!v->leave)
        user_interrupts(v);
    if (v->leave || user_ending(v->vm))
        leave_guest(v);
    else
        store_cpu(v);
}

/* The vCPU a signal frame belongs to, NULL: not one of ours. Not by TLS: a guest that loads FS with
 * a null selector has taken that away. */
static struct user_vcpu *vcpu_of(const ucontext_t *uc)
{
    struct user_vcpu *v;

    if (!uc->uc_stack.ss_sp || uc->uc_stack.ss_size != USER_STACK_SIZE)
        return NULL;
    memcpy(&v, uc->uc_stack.ss_sp, sizeof(v));
    return v->stack == uc->uc_stack.ss_sp ? v : NULL;
}

__attribute__((target("fsgsbase"))) static void restore_fs(const struct user_vcpu *v)
{
    if (v->fix_fs && __builtin_ia32_rdfsbase64() != v->fs_base)
        __builtin_ia32_wrfsbase64(v->fs_base);
}

static void on_trap(int sig, siginfo_t *si, void *ctx)
{
    struct user_vcpu *v = vcpu_of(ctx);
    int saved;

    if (!v || !v->in_guest || si->si_code <= 0) {
        signal(sig, SIG_DFL); /* a fault of the host's: it happens again, and kills */
        return;
    }
    restore_fs(v);
    saved = errno;
    v->uc = ctx;
    load_cpu(v);
    guest_trap(v);
    resume(v);
    errno = saved;
}

static void on_kick(int sig, siginfo_t *si, void *ctx)
{
    struct user_vcpu *v = vcpu_of(ctx);
    int saved;

    (void)sig;
    (void)si;
    if (!v || (!v->in_guest && !v->enter))
        return;
    restore_fs(v);
    saved = errno;
    v->uc = ctx;
    if (v->enter)
        enter_guest(v);
    load_cpu(v);
    user_lines_drain(v);
    resume(v);
    errno = saved;
}

int user_signals_install(void)
{
    struct sigaction sa = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    /* Each of the handlers' signals is blocked in the others: they never nest. */
    sigfillset(&sa.sa_mask);
    for (unsigned i = 0; i < sizeof(trap_signals) / sizeof(trap_signals[0]); i++) {
        if (sigaction(trap_signals[i], &sa, NULL) < 0)
            return -errno;
    }
    sa.sa_sigaction = on_kick;
    return sigaction(USER_KICK, &sa, NULL) < 0 ? -errno : 0;
}

void user_signals_restore(void)
{
    for (unsigned i = 0; i < sizeof(trap_signals) / sizeof(trap_signals[0]); i++)
        signal(trap_signals[i], SIG_DFL);
    signal(USER_KICK, SIG_IGN); /* one may still be on its way */
}
