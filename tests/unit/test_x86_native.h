/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs one instruction on the CPU itself, from a given register state, on memory of a fixed arena;
 * an exception ends the run and is reported. For the oracle suite; one thread.
 */
#ifndef COOPVMM_TESTS_X86_NATIVE_H
#define COOPVMM_TESTS_X86_NATIVE_H

#include <asm/prctl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "emul/x86.h"

/* Below 4 GiB, so that 32-bit addresses reach it; a guard page on both sides. */
#define ARENA      0x20000000ULL
#define ARENA_SIZE 0x4000ULL
#define ARENA_END  (ARENA + ARENA_SIZE)
/* Within reach of RIP-relative operands. */
#define CODE_PAGE 0x21000000ULL
#define LANDING   (CODE_PAGE + 0x800) /* where branches of the tests go */
#define GS_BASE   0x10000000ULL

struct native_state {
    uint64_t gpr[16];
    uint64_t rflags;
    uint64_t code;     /* where to jump to */
    uint64_t host_rsp; /* the trampoline's own */
    uint64_t avx;      /* load and save all of ymm, not only xmm */
    uint8_t ymm[16][32];
};

/* What native_enter() loads, and leaves in it. Known to the assembler by its offsets. */
__attribute__((visibility("hidden"), used)) struct native_state native;
__attribute__((visibility("hidden"))) void native_enter(void);
__attribute__((visibility("hidden"))) extern const char native_leave[];

_Static_assert(offsetof(struct native_state, rflags) == 128, "known to the trampoline");
_Static_assert(offsetof(struct native_state, code) == 136, "known to the trampoline");
_Static_assert(offsetof(struct native_state, host_rsp) == 144, "known to the trampoline");
_Static_assert(offsetof(struct native_state, avx) == 152, "known to the trampoline");
_Static_assert(offsetof(struct native_state, ymm) == 160, "known to the trampoline");

#define EACH_GPR(f)                                                                                \
    f("rax", "0") f("rcx", "8") f("rdx", "16") f("rbx", "24") f("rbp", "40") f("rsi", "48")        \
        f("rdi", "56") f("r8", "64") f("r9", "72") f("r10", "80") f("r11", "88") f("r12", "96")    \
            f("r13", "104") f("r14", "112") f("r15", "120") f("rsp", "32")
#define EACH_VECTOR(f)                                                                             \
    f("0") f("1") f("2") f("3") f("4") f("5") f("6") f("7") f("8") f("9") f("10") f("11") f("12")  \
        f("13") f("14") f("15")
#define LOAD_GPR(r, at) "mov native+" at "(%rip), %" r "\n"
#define SAVE_GPR(r, at) "mov %" r ", native+" at "(%rip)\n"
#define LOAD_YMM(n)     "vmovdqu native+160+32*" n "(%rip), %ymm" n "\n"
#define SAVE_YMM(n)     "vmovdqu %ymm" n ", native+160+32*" n "(%rip)\n"
#define LOAD_XMM(n)     "movdqu native+160+32*" n "(%rip), %xmm" n "\n"
#define SAVE_XMM(n)     "movdqu %xmm" n ", native+160+32*" n "(%rip)\n"

/* clang-format off */
__asm__(
    ".text\n"
    ".globl native_enter\n"
    ".hidden native_enter\n"
    "native_enter:\n"
    "push %rbx\n" "push %rbp\n" "push %r12\n" "push %r13\n" "push %r14\n" "push %r15\n"
    "mov %rsp, native+144(%rip)\n"
    "cmpq $0, native+152(%rip)\n"
    "je 1f\n"
    EACH_VECTOR(LOAD_YMM)
    "jmp 2f\n"
    "1:\n"
    EACH_VECTOR(LOAD_XMM)
    "2:\n"
    "pushq native+128(%rip)\n"
    "popfq\n"
    EACH_GPR(LOAD_GPR)
    "jmp *native+136(%rip)\n"
    ".globl native_leave\n"
    ".hidden native_leave\n"
    "native_leave:\n"
    EACH_GPR(SAVE_GPR)
    "mov native+144(%rip), %rsp\n"
    "pushfq\n"
    "popq native+128(%rip)\n"
    "cld\n"
    "cmpq $0, native+152(%rip)\n"
    "je 1f\n"
    EACH_VECTOR(SAVE_YMM)
    "vzeroupper\n"
    "jmp 2f\n"
    "1:\n"
    EACH_VECTOR(SAVE_XMM)
    "2:\n"
    "pop %r15\n" "pop %r14\n" "pop %r13\n" "pop %r12\n" "pop %rbp\n" "pop %rbx\n"
    "ret\n");
/* clang-format on */

/* The exception a run ended with; vector -1: none. */
struct native_exception {
    int vector;
    uint64_t cr2;
};
static volatile struct native_exception native_exception;

/* All registers stay as the exception found them; native_leave saves them. */
static void native_on_exception(int signal, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    greg_t *r = uc->uc_mcontext.gregs;
    (void)info;
    if ((uint64_t)r[REG_RIP] - CODE_PAGE >= 4096) { /* not the instruction's: a real crash */
        struct sigaction dfl = {.sa_handler = SIG_DFL};
        sigaction(signal, &dfl, NULL);
        return;
    }
    native_exception.vector = (int)r[REG_TRAPNO];
    native_exception.cr2 = (uint64_t)r[REG_CR2];
    r[REG_RIP] = (greg_t)(uintptr_t)native_leave;
}

static void native_die(const char *what)
{
    perror(what);
    exit(2);
}

static void native_map(uint64_t at, size_t size, int prot)
{
    void *p = mmap((void *)(uintptr_t)at, size, prot,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (p != (void *)(uintptr_t)at)
        native_die("oracle: mapping memory at a fixed address");
}

/* jmp *0(%rip); then the address of native_leave. */
static void native_put_exit(uint8_t *code)
{
    static const uint8_t jump[6] = {0xff, 0x25, 0, 0, 0, 0};
    uint64_t to = (uint64_t)(uintptr_t)native_leave;
    memcpy(code, jump, sizeof jump);
    memcpy(code + sizeof jump, &to, sizeof to);
}

static inline uint8_t *native_arena(void)
{
    return (uint8_t *)(uintptr_t)ARENA;
}

/* Once, before the first run. */
static void native_init(void)
{
    static uint8_t stack[65536];
    stack_t alt = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction sa = {.sa_sigaction = native_on_exception,
                           .sa_flags = SA_SIGINFO | SA_ONSTACK};
    native_map(ARENA - 4096, 4096, PROT_NONE);
    native_map(ARENA, ARENA_SIZE, PROT_READ | PROT_WRITE);
    native_map(ARENA_END, 4096, PROT_NONE);
    native_map(CODE_PAGE, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
    native_put_exit((uint8_t *)(uintptr_t)LANDING);
    if (syscall(SYS_arch_prctl, ARCH_SET_GS, GS_BASE) != 0 || sigaltstack(&alt, NULL) != 0)
        native_die("oracle: GS base and signal stack");
    if (sigaction(SIGSEGV, &sa, NULL) || sigaction(SIGFPE, &sa, NULL) ||
        sigaction(SIGBUS, &sa, NULL) || sigaction(SIGILL, &sa, NULL))
        native_die("oracle: signal handlers");
}

static uint64_t native_fs_base(void)
{
    uint64_t base = 0;
    syscall(SYS_arch_prctl, ARCH_GET_FS, &base);
    return base;
}

/* Runs the instruction from state *s on the arena and leaves the resulting state there. */
static struct native_exception native_run(struct native_state *s, const uint8_t *insn, size_t len)
{
    uint8_t *code = (uint8_t *)(uintptr_t)CODE_PAGE;
    memcpy(code, insn, len);
    native_put_exit(code + len);
    native = *s;
    native.code = CODE_PAGE;
    native_exception.vector = -1;
    native_exception.cr2 = 0;
    native_enter();
    *s = native;
    return (struct native_exception){native_exception.vector, native_exception.cr2};
}

#endif
