/* SPDX-License-Identifier: BSD-3-Clause */
#include "trap_fault.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <ucontext.h>

#define PORT       0x80 /* nobody answers there; it never gets so far */
#define STACK_SIZE 65536
#define WARM_UP    100

static void step_over(int sig, siginfo_t *info, void *context)
{
    ucontext_t *u = context;

    (void)sig;
    (void)info;
    u->uc_mcontext.gregs[REG_RIP] += 1; /* EC: in %dx, %al */
    u->uc_mcontext.gregs[REG_RAX] = 0xff;
}

static inline uint8_t faulting_inb(uint16_t port)
{
    uint8_t v;

    __asm__ volatile("inb %%dx, %0" : "=a"(v) : "d"(port) : "memory");
    return v;
}

static void sample(struct series *s, size_t n)
{
    for (size_t i = 0; i < n + WARM_UP; i++) {
        uint64_t begin = tsc_read(), end;

        faulting_inb(PORT);
        end = tsc_read();
        if (i >= WARM_UP)
            series_add(s, tsc_sample(begin, end));
    }
}

int trap_fault_sample(struct series *s, size_t n)
{
    struct sigaction sa = {.sa_sigaction = step_over, .sa_flags = SA_SIGINFO | SA_ONSTACK}, old;
    stack_t stack = {.ss_sp = malloc(STACK_SIZE), .ss_size = STACK_SIZE}, old_stack;

    if (!stack.ss_sp)
        return -ENOMEM;
    sigaltstack(&stack, &old_stack); /* the engine's handler has one of its own, too */
    sigaction(SIGSEGV, &sa, &old);
    sample(s, n);
    sigaction(SIGSEGV, &old, NULL);
    sigaltstack(&old_stack, NULL);
    free(stack.ss_sp);
    return 0;
}
