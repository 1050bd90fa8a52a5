/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The fast path neither allocates nor makes system calls: both are counted, on the vCPU's thread
 * and on the I/O core's, while a hundred thousand requests of each kind go through.
 *
 * System calls are counted with Syscall User Dispatch (Linux 5.11): each one raises SIGSYS.
 */
#include <CUnit/CUnit.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../../nicmodels/rtl8139.h"
#include "cu_main.h"
#include "e1000_iotp.h"
#include "iotp_rig.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_SYS_DISPATCH_OFF          0
#define PR_SYS_DISPATCH_ON           1
#endif
#define SELECT_ALLOW 0 /* SYSCALL_DISPATCH_FILTER_ALLOW */
#define SELECT_BLOCK 1

#define REQUESTS 100000

/* Counted only while this thread says so. */
static __thread volatile char selector = SELECT_ALLOW;
static __thread bool counting;
static unsigned syscalls, allocations;

/* --- allocations: the allocator's entry points are ours --- */
#if defined(__SANITIZE_ADDRESS__)
int __sanitizer_install_malloc_and_free_hooks(void (*m)(const volatile void *, size_t),
                                              void (*f)(const volatile void *));
static void on_malloc(const volatile void *p, size_t n)
{
    (void)p;
    (void)n;
    if (counting)
        __atomic_fetch_add(&allocations, 1, __ATOMIC_RELAXED);
}
static void on_free(const volatile void *p)
{
    (void)p;
}
static void hook_allocator(void)
{
    __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
}
#else
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t m);
void *__libc_realloc(void *p, size_t n);

static void count_allocation(void)
{
    if (counting)
        __atomic_fetch_add(&allocations, 1, __ATOMIC_RELAXED);
}
void *malloc(size_t n)
{
    count_allocation();
    return __libc_malloc(n);
}
void *calloc(size_t n, size_t m)
{
    count_allocation();
    return __libc_calloc(n, m);
}
void *realloc(void *p, size_t n)
{
    count_allocation();
    return __libc_realloc(p, n);
}
static void hook_allocator(void)
{
}
#endif

/* --- system calls --- */

static void on_sigsys(int sig, siginfo_t *si, void *uc)
{
    (void)sig;
    (void)si;
    (void)uc;
    __atomic_fetch_add(&syscalls, 1, __ATOMIC_RELAXED);
    selector = SELECT_ALLOW; /* one is enough to fail; let the thread go on */
}

static bool count_from_now(void)
{
    if (prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 0, 0, &selector))
        return false;
    counting = true;
    selector = SELECT_BLOCK;
    return true;
}

static void stop_counting(void)
{
    selector = SELECT_ALLOW;
    counting = false;
    prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_OFF, 0, 0, 0);
}

static void prepare(void)
{
    struct sigaction sa = {.sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO};

    hook_allocator();
    sigaction(SIGSYS, &sa, NULL);
    syscalls = allocations = 0;
}

/* --- the two threads --- */

static struct rig_vmm vmm;
static struct rig_ioc ioc;
static uint64_t ioc_sent; /* frames the device had to send */
static int phase;         /* 0: the I/O core starts, 1: it polls and counts, 2: it stops */

static void *io_core(void *arg)
{
    bool *counted = arg;

    *counted = count_from_now();
    __atomic_store_n(&phase, 1, __ATOMIC_RELEASE);
    while (__atomic_load_n(&phase, __ATOMIC_ACQUIRE) == 1)
        rig_ioc_poll(&ioc);
    stop_counting();
    return NULL;
}

static void reads(void)
{
    for (unsigned i = 0; i < REQUESTS; i++)
        rig_in(&vmm, 0, 7, 1);
}

static void writes(void)
{
    for (unsigned i = 0; i < REQUESTS; i++)
        rig_out(&vmm, 0, 8, 1, i & 0xff);
}

static void posts(void)
{
    for (unsigned i = 0; i < REQUESTS; i++)
        rig_post(&vmm, 0, 8, 1, i & 0xff);
}

static void strings(void)
{
    for (unsigned i = 0; i < REQUESTS / 100; i++) {
        rig_post(&vmm, 0, 10, 1, 0xff);
        rig_post(&vmm, 0, 11, 1, 3);
        rig_post(&vmm, 0, 0, 1, 0x12);
        rig_string(&vmm, 0, true, 16, 2, 0x1000, 500);
    }
}

/* An RTL8139C sends by DMA, as 8139too does. */
static void dma(void)
{
    rig_enable_pci(&vmm, 0);
    rig_out(&vmm, 0, 0x37, 1, RTL_CR_TE | RTL_CR_RE);
    for (unsigned i = 0; i < REQUESTS; i++) {
        rig_post(&vmm, 0, 0x20 + 4 * (i & 3), 4, 0x1000);
        rig_post(&vmm, 0, 0x10 + 4 * (i & 3), 4, 60);
        if (i % 4 == 3)
            rig_out(&vmm, 0, 0x3e, 2, rig_in(&vmm, 0, 0x3e, 2));
    }
}

/* Long enough to spin on one CPU too, where the threads take turns. */
#define SPIN_FOREVER 0xffffffffu

static void run(const char *model, void (*work)(void))
{
    pthread_t thread;
    bool counted = false, mine;

    prepare();
    CU_ASSERT_TRUE_FATAL(rig_vmm_open(&vmm, 1));
    CU_ASSERT_TRUE_FATAL(rig_ioc_open(&ioc, &vmm, model));
    vmm.vcpu[0].spin = SPIN_FOREVER;
    phase = 0;
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, io_core, &counted), 0);
    while (__atomic_load_n(&phase, __ATOMIC_ACQUIRE) == 0)
        sched_yield();
    mine = count_from_now();
    work();
    stop_counting();
    __atomic_store_n(&phase, 2, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
    CU_ASSERT_TRUE_FATAL(mine && counted); /* the kernel must be able to count */
    CU_ASSERT_EQUAL(syscalls, 0);
    CU_ASSERT_EQUAL(allocations, 0);
    CU_ASSERT_TRUE(ioc.src->stats[0].requests + ioc.src->stats[0].posted >= REQUESTS / 100);
    ioc_sent = ioc.dev->n.tx_drops; /* it is not connected */
    rig_ioc_close(&ioc);
    rig_vmm_close(&vmm);
}

static void sync_reads(void)
{
    run("ne2000", reads);
}
static void sync_writes(void)
{
    run("ne2000", writes);
}
static void posted_writes(void)
{
    run("ne2000", posts);
}
static void string_io(void)
{
    run("ne2000", strings);
}

static void dma_transmission(void)
{
    run("rtl8139", dma);
    CU_ASSERT_TRUE(ioc_sent >= REQUESTS);
}

/* Descriptor rings: frames that go out and, by the e1000's loopback, come in again. Interrupts,
 * which are system calls, are masked. */
static void doorbells(void)
{
    enum { FRAME = 0x8000 };
    uint64_t tx[2] = {FRAME, 1000 | (uint64_t)(TXD_EOP | TXD_IFCS | TXD_RS) << 24};

    memset(vmm.mem + FRAME, 0xff, 6);
    for (unsigned i = 0; i < E_IOTP_RING; i++)
        memcpy(vmm.mem + E_IOTP_TX_RING + 16 * i, tx, 16);
    e1000_loopback(&vmm, RCTL_BAM, 100);
    for (unsigned i = 1; i <= REQUESTS / 10; i++) {
        rig_post(&vmm, 0, E1000_RDT, 4, (i + E_IOTP_RING - 2) % E_IOTP_RING);
        rig_post(&vmm, 0, E1000_TDT, 4, i % E_IOTP_RING);
    }
    /* GPRC: every one of them came back. */
    CU_ASSERT_EQUAL(rig_in(&vmm, 0, E1000_STATS + 0x74, 4), REQUESTS / 10);
}

static void descriptor_rings(void)
{
    run("e1000", doorbells);
}

/* The counters count: a check that cannot fail would be worth nothing. */
static void *volatile sink;
static void misbehave(void)
{
    sink = malloc(10);
    free(sink);
    getppid();
}

static void counters_count(void)
{
    prepare();
    CU_ASSERT_TRUE_FATAL(count_from_now());
    misbehave();
    stop_counting();
    CU_ASSERT_TRUE(syscalls >= 1);
    CU_ASSERT_TRUE(allocations >= 1);
}

const char *const suite_name = "fastpath";
const struct cu_test suite_tests[] = {
    {"system calls and allocations are seen", counters_count},
    {"synchronous reads: none", sync_reads},
    {"synchronous writes: none", sync_writes},
    {"posted writes: none", posted_writes},
    {"string I/O: none", string_io},
    {"descriptor rings: none", descriptor_rings},
    {"transmission by DMA: none", dma_transmission},
    {NULL, NULL},
};
