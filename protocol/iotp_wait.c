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

/* The futex word is the low half of `done`: it changes exactly when the request completes. */
static uint32_t *futex_word(struct iotp_slot *s)
{
    return (uint32_t *)&s->done;
}

/* Waits while the low half of `done` is still `seen`. The bound makes a VMM whose I/O core died
 * look at *cancel now and then. */
static void futex_wait(struct iotp_slot *s, uint32_t seen)
{
    struct timespec bound = {.tv_sec = 0, .tv_nsec = 100000000};

    syscall(SYS_futex, futex_word(s), FUTEX_WAIT, seen, &bound, NULL, 0);
}

int iotp_wait_slow(struct iotp_vcpu *v, uint32_t seq)
{
    struct iotp_slot *s = v->slot;
    int saved = errno; /* may run in a signal handler */
    int ret = 0;

    v->sleeps++;
    for (;;) {
        uint64_t done = __atomic_load_n(&s->done, __ATOMIC_ACQUIRE); /* C1 */

        if ((uint32_t)done == seq)
            break;
        if (v->cancel && __atomic_load_n(v->cancel, __ATOMIC_RELAXED)) {
            ret = -ECANCELED;
            break;
        }
        /* Only while it is not completed: a failing exchange means it just was. */
        if (!(done & IOTP_DONE_WAITER) &&
            !__atomic_compare_exchange_n(&s->done, &done, done | IOTP_DONE_WAITER, false,
                                         __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
            continue;
        futex_wait(s, (uint32_t)done);
    }
    errno = saved;
    return ret;
}

void iotp_cancel(struct iotp_vcpu *v)
{
    syscall(SYS_futex, futex_word(v->slot), FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
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
    syscall(SYS_futex, futex_word(s), FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}
