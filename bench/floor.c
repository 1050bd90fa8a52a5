/* SPDX-License-Identifier: BSD-3-Clause */
#include "floor.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>

#include "../protocol/iotp_vmm.h"

#define WARM_UP 500
#define OVER    UINT64_MAX /* the last ping of a measurement */

struct floor {
    struct {
        uint64_t ping, pong;
    } line __attribute__((aligned(128))); /* 128: the neighbour line is prefetched, too */
    pthread_mutex_t lock __attribute__((aligned(128)));
    pthread_cond_t work;
    pthread_t thread;
    bool go, quit;
    unsigned variant;
};

static const char *const names[FLOOR_VARIANTS] = {
    "store, no pause",    "store, both pause",    "store, far side pauses",
    "exchange, no pause", "exchange, both pause", "exchange, far side pauses",
};

const char *floor_variant_name(unsigned variant)
{
    return names[variant];
}

/* Inlined with constant arguments, so that no branch is left in the loops. */
static inline __attribute__((always_inline)) void put(uint64_t *word, uint64_t v, bool exchange)
{
    if (exchange)
        __atomic_exchange_n(word, v, __ATOMIC_SEQ_CST);
    else
        __atomic_store_n(word, v, __ATOMIC_RELEASE);
}

static inline __attribute__((always_inline)) void ping(struct floor *f, uint64_t v, bool exchange,
                                                       bool pause)
{
    put(&f->line.ping, v, exchange);
    while (__atomic_load_n(&f->line.pong, __ATOMIC_ACQUIRE) != v)
        if (pause)
            iotp_pause();
}

static inline __attribute__((always_inline)) void pong_all(struct floor *f, bool exchange,
                                                           bool pause)
{
    for (uint64_t seen = 0, v; seen != OVER; seen = v) {
        while ((v = __atomic_load_n(&f->line.ping, __ATOMIC_ACQUIRE)) == seen)
            if (pause)
                iotp_pause();
        put(&f->line.pong, v, exchange);
    }
}

static inline __attribute__((always_inline)) void ping_all(struct floor *f, struct series *s,
                                                           size_t n, bool exchange, bool pause)
{
    for (size_t i = 1; i <= n + WARM_UP; i++) {
        uint64_t begin = tsc_read(), end;

        ping(f, i, exchange, pause);
        end = tsc_read();
        if (i > WARM_UP)
            series_add(s, tsc_sample(begin, end));
    }
    ping(f, OVER, exchange, pause);
}

static void pong_variant(struct floor *f)
{
    switch (f->variant) {
    case 0: pong_all(f, false, false); break;
    case 1:
    case 2: pong_all(f, false, true); break;
    case 3: pong_all(f, true, false); break;
    default: pong_all(f, true, true); break;
    }
}

static void ping_variant(struct floor *f, struct series *s, size_t n)
{
    switch (f->variant) {
    case 0:
    case 2: ping_all(f, s, n, false, false); break;
    case 1: ping_all(f, s, n, false, true); break;
    case 4: ping_all(f, s, n, true, true); break;
    default: ping_all(f, s, n, true, false); break;
    }
}

/* Sleeps until there is something to answer. @return false: quit */
static bool wait_for_work(struct floor *f)
{
    bool quit;

    pthread_mutex_lock(&f->lock);
    while (!f->go && !f->quit)
        pthread_cond_wait(&f->work, &f->lock);
    f->go = false;
    quit = f->quit;
    pthread_mutex_unlock(&f->lock);
    return !quit;
}

static void *other_end(void *arg)
{
    struct floor *f = arg;

    while (wait_for_work(f))
        pong_variant(f);
    return NULL;
}

static void tell(struct floor *f, bool *what)
{
    pthread_mutex_lock(&f->lock);
    *what = true;
    pthread_cond_signal(&f->work);
    pthread_mutex_unlock(&f->lock);
}

void floor_measure(struct floor *f, unsigned variant, struct series *s, size_t n)
{
    f->variant = variant;
    f->line.ping = f->line.pong = 0;
    tell(f, &f->go);
    ping_variant(f, s, n);
}

static int start_thread(struct floor *f, int cpu)
{
    pthread_attr_t attr;
    cpu_set_t set;
    int err;

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    pthread_attr_init(&attr);
    err = pthread_attr_setaffinity_np(&attr, sizeof(set), &set);
    if (!err)
        err = pthread_create(&f->thread, &attr, other_end, f);
    pthread_attr_destroy(&attr);
    return -err;
}

int floor_create(int cpu, struct floor **out)
{
    struct floor *f = aligned_alloc(128, sizeof(*f));
    int err;

    if (!f)
        return -ENOMEM;
    *f = (struct floor){.lock = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER};
    err = start_thread(f, cpu);
    if (err)
        free(f);
    else
        *out = f;
    return err;
}

void floor_free(struct floor *f)
{
    if (!f)
        return;
    tell(f, &f->quit);
    pthread_join(f->thread, NULL);
    free(f);
}
