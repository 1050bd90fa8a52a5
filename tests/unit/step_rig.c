/* SPDX-License-Identifier: BSD-3-Clause */
#include "step_rig.h"

#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define MAX_WATCHED 64
#define TRAP_FLAG   0x100

static struct {
    uint8_t *at;
    size_t len;
} watched[MAX_WATCHED];
static unsigned nwatched;
static unsigned stored_to; /* by the instruction that is being stepped over */
static volatile unsigned steps, last_step;
static volatile bool running;
static sigjmp_buf out;

/* What a dead process allocated is nobody's fault. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

static void protect(unsigned i, int prot)
{
    if (mprotect(watched[i].at, watched[i].len, prot))
        abort();
}

static void open_all(void)
{
    for (unsigned i = 0; i < nwatched; i++)
        protect(i, PROT_READ | PROT_WRITE);
}

void step_watch(void *at, size_t len)
{
    if (nwatched == MAX_WATCHED)
        abort();
    watched[nwatched].at = at;
    watched[nwatched].len = len;
    protect(nwatched++, PROT_READ);
}

static void die_if_it_is_time(void)
{
    if (++steps != last_step)
        return;
    open_all();
    siglongjmp(out, 1);
}

void step_here(void)
{
    if (running)
        die_if_it_is_time();
}

/* Which piece of watched memory this is; nwatched: none. */
static unsigned piece_at(const uint8_t *p)
{
    unsigned i = 0;

    while (i < nwatched && (size_t)(p - watched[i].at) >= watched[i].len)
        i++;
    return i;
}

/* A store to watched memory: it is let through, and the next instruction traps. */
static void on_fault(int sig, siginfo_t *info, void *context)
{
    ucontext_t *u = context;

    stored_to = piece_at(info->si_addr);
    if (!running || stored_to == nwatched) {
        signal(sig, SIG_DFL); /* a real one: it happens again */
        return;
    }
    die_if_it_is_time();
    protect(stored_to, PROT_READ | PROT_WRITE);
    u->uc_mcontext.gregs[REG_EFL] |= TRAP_FLAG;
}

static void on_trap(int sig, siginfo_t *info, void *context)
{
    ucontext_t *u = context;

    (void)sig, (void)info;
    u->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
    protect(stored_to, PROT_READ);
}

static void set_handlers(struct sigaction old[2])
{
    struct sigaction fault = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO},
                     trap = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};

    sigaction(SIGSEGV, &fault, &old[0]);
    sigaction(SIGTRAP, &trap, &old[1]);
}

unsigned step_run(void (*fn)(void *arg), void *arg, unsigned last)
{
    struct sigaction old[2];
    volatile bool lived = false;

    set_handlers(old);
    if (__lsan_disable)
        __lsan_disable();
    steps = 0;
    last_step = last;
    if (!sigsetjmp(out, 1)) {
        running = true;
        fn(arg);
        lived = true;
    }
    running = false;
    open_all();
    nwatched = 0;
    if (__lsan_enable)
        __lsan_enable();
    sigaction(SIGSEGV, &old[0], NULL);
    sigaction(SIGTRAP, &old[1], NULL);
    return lived ? steps : 0;
}
