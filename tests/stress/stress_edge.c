/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The edges of IOTP that need full fences, each as a tight loop on two CPUs (SPEC.md, section 4):
 *
 *   W1  a vCPU posts while the I/O core makes it cold
 *   A1  a vCPU posts while the I/O core arms
 *   H2  a vCPU reads two cells while the I/O core publishes
 *
 * Without a fence, or with cells published unhidden, each fails here within a second on x86. A lost
 * wake-up leaves both sides waiting, which neither does for longer than PATIENCE_NS.
 *
 * usage: stress_edge [-t SECONDS-AN-EDGE]
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "../../protocol/iotp_ioc.h"
#include "../../protocol/iotp_vmm.h"

#define POSTED 16
#define PATIENCE_NS                                                                                \
    3000000000ull /* a thread may be off its CPU for long, but not for that long                   \
                   */

struct edge {
    const char *name;
    void (*vcpu)(struct iotp_vcpu *v, const struct iotp_shadow *sh);
    void (*iocore)(struct iotp_ioc_area *a);
};

static bool stop;       /* atomic: the vCPU is to leave */
static bool stop_core;  /* atomic: so is the I/O core; later, so that nobody waits for it */
static unsigned errors; /* atomic */
static uint64_t rounds;

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static bool stopped(void)
{
    return __atomic_load_n(&stop, __ATOMIC_ACQUIRE);
}

static bool core_stopped(void)
{
    return __atomic_load_n(&stop_core, __ATOMIC_ACQUIRE);
}

static void fail(const char *what)
{
    printf("%s\n", what);
    __atomic_fetch_add(&errors, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&stop, true, __ATOMIC_RELEASE);
}

/* A few cycles more or less each time, so that the two sides meet at every phase. */
static void jitter(uint32_t *x)
{
    *x = *x * 1664525 + 1013904223;
    for (uint32_t n = *x >> 26; n; n--)
        __asm__ volatile("" ::: "memory");
}

/* --- W1 and A1: the vCPU posts, and waits until it was consumed --- */

static void post_and_wait(struct iotp_vcpu *v, const struct iotp_shadow *sh)
{
    uint32_t x = 1;

    (void)sh;
    while (!stopped()) {
        uint64_t begin = 0;

        jitter(&x);
        if (!iotp_post(v, 0, 0, 0, 1, rounds))
            fail("the ring was full of one entry");
        for (uint32_t n = 1; __atomic_load_n(&v->ring->tail, __ATOMIC_ACQUIRE) != v->head; n++) {
            iotp_pause();
            if (n % 65536)
                continue;
            if (!begin)
                begin = now_ns();
            else if (now_ns() - begin > PATIENCE_NS)
                return fail("a posted write was never looked at");
            sched_yield();
        }
        rounds++;
    }
}

static bool take(struct iotp_ioc_area *a)
{
    struct iotp_post p;

    if (!iotp_ioc_next_post(&a->vcpu[0], POSTED - 1, &p))
        return false;
    iotp_ioc_post_done(&a->vcpu[0]);
    return true;
}

static bool watched(const struct iotp_ioc_area *a)
{
    return __atomic_load_n(&a->summary->watch[0], __ATOMIC_ACQUIRE) & 1;
}

/* Watches for as short as can be: what it does not find while it looks, it must be told of. */
static void cool_at_once(struct iotp_ioc_area *a)
{
    uint32_t x = 7;

    while (!core_stopped()) {
        if (!watched(a)) {
            iotp_pause();
            continue;
        }
        take(a);
        jitter(&x);
        iotp_ioc_unwatch(a, 0);
        if (take(a))
            iotp_ioc_watch(a, 0);
    }
}

/* The same with `armed`; instead of the eventfd it watches what the kick resets. */
static void arm_at_once(struct iotp_ioc_area *a)
{
    uint32_t x = 7;

    while (!core_stopped()) {
        jitter(&x);
        iotp_ioc_arm(a);
        if (take(a)) {
            iotp_ioc_disarm(a);
            continue;
        }
        while (__atomic_load_n(&a->summary->armed, __ATOMIC_ACQUIRE) && !core_stopped())
            iotp_pause();
        take(a);
    }
}

/* --- H2: cells that belong together --- */

static void read_cells(struct iotp_vcpu *v, const struct iotp_shadow *sh)
{
    (void)v;
    while (!stopped()) {
        uint64_t first, then;

        if (!iotp_shadow_read(sh, 0, 0, &first) || !iotp_shadow_read(sh, 29, 0, &then))
            continue;
        if (then < first)
            return fail("a cell was older than one read before it");
        rounds++;
    }
}

static void publish_cells(struct iotp_ioc_area *a)
{
    struct iotp_shadow *sh = &a->shadow[0];
    uint32_t x = 7;

    for (uint64_t n = 1; !core_stopped(); n++) {
        iotp_ioc_hide(sh);
        for (unsigned i = 0; i < IOTP_SHADOW_CELLS; i++)
            iotp_ioc_set_cell(sh, i, n);
        iotp_ioc_show(sh, 1u << 29 | 1);
        for (unsigned i = 0; i < 8; i++)
            jitter(&x);
    }
}

static const struct edge edges[] = {
    {"W1", post_and_wait, cool_at_once},
    {"A1", post_and_wait, arm_at_once},
    {"H2", read_cells, publish_cells},
};

/* --- running them --- */

struct side {
    const struct edge *e;
    struct iotp_vcpu v;
    struct iotp_ioc_area *a;
    int cpu[2]; /* -1: wherever */
};

static void pin(int cpu)
{
    cpu_set_t set;

    if (cpu < 0)
        return;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    sched_setaffinity(0, sizeof(set), &set);
}

static void *vcpu_thread(void *arg)
{
    struct side *s = arg;

    pin(s->cpu[0]);
    s->e->vcpu(&s->v, s->a->shadow);
    return NULL;
}

static void *iocore_thread(void *arg)
{
    struct side *s = arg;

    pin(s->cpu[1]);
    s->e->iocore(s->a);
    return NULL;
}

/* Two CPUs this process may use; on one CPU the threads share it, and little is tested. */
static void choose_cpus(int cpu[2])
{
    cpu_set_t set;
    unsigned n = 0;

    cpu[0] = cpu[1] = -1;
    if (sched_getaffinity(0, sizeof(set), &set) || CPU_COUNT(&set) < 2)
        return;
    for (int c = 0; c < CPU_SETSIZE && n < 2; c++)
        if (CPU_ISSET(c, &set))
            cpu[n++] = c;
}

static void run(const struct edge *e, unsigned seconds)
{
    struct side s = {.e = e};
    struct iotp_layout lay;
    pthread_t t[2];
    uint8_t *base;
    int kick = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    uint64_t end = now_ns() + seconds * 1000000000ull;

    choose_cpus(s.cpu);
    if (kick < 0 || iotp_layout_of(1, 1, POSTED, &lay))
        abort();
    base = aligned_alloc(IOTP_PAGE, lay.size);
    if (!base)
        abort();
    memset(base, 0, lay.size);
    if (iotp_area_format(base, &lay, 0) || iotp_ioc_attach(base, lay.size, &s.a) ||
        iotp_vcpu_init(&s.v, base, &lay, 0, 0, kick))
        abort();
    rounds = 0;
    __atomic_store_n(&stop, false, __ATOMIC_RELEASE);
    __atomic_store_n(&stop_core, false, __ATOMIC_RELEASE);
    if (pthread_create(&t[0], NULL, vcpu_thread, &s) ||
        pthread_create(&t[1], NULL, iocore_thread, &s))
        abort();
    while (now_ns() < end && !stopped())
        usleep(10000);
    __atomic_store_n(&stop, true, __ATOMIC_RELEASE);
    pthread_join(t[0], NULL);
    __atomic_store_n(&stop_core, true, __ATOMIC_RELEASE);
    pthread_join(t[1], NULL);
    iotp_ioc_detach(s.a);
    close(kick);
    free(base);
}

int main(int argc, char **argv)
{
    unsigned seconds = 2, failed = 0;
    const unsigned n = sizeof(edges) / sizeof(edges[0]);
    int o;

    while ((o = getopt(argc, argv, "t:")) >= 0) {
        if (o != 't' || !(seconds = (unsigned)strtoul(optarg, NULL, 0))) {
            fprintf(stderr, "usage: %s [-t SECONDS-AN-EDGE]\n", argv[0]);
            return 2;
        }
    }
    for (unsigned i = 0; i < n; i++) {
        unsigned before = errors;

        run(&edges[i], seconds);
        failed += errors != before || !rounds;
        printf("%s - %s, %llu rounds\n", errors != before || !rounds ? "not ok" : "ok",
               edges[i].name, (unsigned long long)rounds);
    }
    printf("stress_edge: %u passed, %u failed\n", n - failed, failed);
    return failed != 0;
}
