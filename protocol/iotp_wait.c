/* SPDX-License-Identifier: BSD-3-Clause */
/* What the fast paths do when spinning did not help: futex on one side, armed eventfd on the other.
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "iotp_ioc.h"
#include "iotp_vmm.h"

/* Waits while `done` is still `seen`. The bound makes a VMM whose I/O core died look at *cancel now
 * and then. Not FUTEX_PRIVATE: the other side is another process. */
static void futex_wait(uint32_t *done, uint32_t seen)
{
    struct timespec bound = {.tv_sec = 0, .tv_nsec = 100000000};

    syscall(SYS_futex, done, FUTEX_WAIT, seen, &bound, NULL, 0);
}

static void futex_wake(uint32_t *done)
{
    int saved = errno;

    syscall(SYS_futex, done, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
    errno = saved;
}

static bool cancelled(const struct iotp_vcpu *v)
{
    return v->cancel && __atomic_load_n(v->cancel, __ATOMIC_RELAXED);
}

int iotp_wait_slow(struct iotp_vcpu *v, uint32_t seq)
{
    struct iotp_slot *s = v->slot;
    int saved = errno; /* may run in a signal handler */
    uint32_t done;

    v->sleeps++;
    __atomic_store_n(&s->waiter, 1, __ATOMIC_RELAXED);
    iotp_full_fence(); /* F1: from here on either we see the completion, or its maker sees us */
    while ((done = __atomic_load_n(&s->done, __ATOMIC_ACQUIRE)) != seq && !cancelled(v)) /* C1 */
        futex_wait(&s->done, done);
    __atomic_store_n(&s->waiter, 0, __ATOMIC_RELAXED);
    errno = saved;
    return done == seq ? 0 : -ECANCELED;
}

uint32_t iotp_pause_ns(void)
{
    const unsigned probes = 2000;
    struct timespec t0, t1;

    clock_gettime(CLOCK_MONOTONIC, &t0);
    for (unsigned i = 0; i < probes; i++)
        iotp_pause();
    clock_gettime(CLOCK_MONOTONIC, &t1);
    return (uint32_t)(((t1.tv_sec - t0.tv_sec) * 1000000000 + (t1.tv_nsec - t0.tv_nsec)) / probes);
}

void iotp_cancel(struct iotp_vcpu *v)
{
    futex_wake(&v->slot->done);
}

void iotp_watch_slow(struct iotp_vcpu *v)
{
    /* Fenced again for A1: an I/O core that arms must find the bit, or be found armed. */
    __atomic_fetch_or(v->watch, v->watch_bit, __ATOMIC_SEQ_CST);
    iotp_full_fence();
}

void iotp_kick_slow(struct iotp_vcpu *v)
{
    uint64_t one = 1;
    int saved = errno;

    /* A1: of all vCPUs that see it armed, the one that disarms it writes. */
    if (v->kick_fd >= 0 && __atomic_exchange_n(&v->summary->armed, 0, __ATOMIC_SEQ_CST)) {
        v->kicks++;
        if (write(v->kick_fd, &one, sizeof(one)) < 0) {
            /* EAGAIN: the counter is full, so the I/O core is awake already */
        }
    }
    errno = saved;
}

void iotp_ioc_wake(struct iotp_slot *s)
{
    futex_wake(&s->done);
}
