/* SPDX-License-Identifier: BSD-3-Clause */
#define ALLOW_EXPERIMENTAL_API /* rte_power_pause: TPAUSE, and whether the CPU has it */
#include "idle.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_branch_prediction.h>
#include <rte_cpuflags.h>
#include <rte_cycles.h>
#include <rte_pause.h>
#include <rte_power_intrinsics.h>

#include "../protocol/iotp_vmm.h"
#include "counter.h"

#define EVENTS 8 /* read at once; what fired does not matter, everything is polled anyway */

static bool have_tpause(void)
{
    struct rte_cpu_intrinsics in = {0};

    rte_cpu_get_intrinsics_support(&in);
    return in.power_pause;
}

static int make_fds(struct idle *i)
{
    i->epfd = epoll_create1(EPOLL_CLOEXEC);
    if (i->epfd < 0)
        return -errno;
    i->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (i->kick_fd < 0)
        return -errno;
    return idle_watch(i, i->kick_fd);
}

int idle_init(struct idle *i, enum cfg_idle mode, uint32_t idle_us, uint64_t tsc_hz, uint64_t now)
{
    int err = 0;

    memset(i, 0, sizeof(*i));
    i->mode = mode;
    i->pause = mode != CFG_IDLE_SPIN && iotp_pause_ns() < IOTP_PAUSE_DEAR;
    i->tpause = mode != CFG_IDLE_SPIN && have_tpause();
    i->tpause_ticks = tsc_hz * IDLE_TPAUSE_NS / 1000000000u;
    i->idle_limit = tsc_hz / 1000000u * idle_us;
    i->last = i->quiet_since = now;
    i->epfd = i->kick_fd = -1;
    if (mode == CFG_IDLE_SLEEP)
        err = make_fds(i);
    if (err)
        idle_fini(i);
    return err;
}

void idle_fini(struct idle *i)
{
    if (i->kick_fd >= 0)
        close(i->kick_fd);
    if (i->epfd >= 0)
        close(i->epfd);
    i->epfd = i->kick_fd = -1;
}

int idle_watch(struct idle *i, int fd)
{
    struct epoll_event e = {.events = EPOLLIN | EPOLLET, .data.fd = fd};

    if (i->epfd < 0)
        return 0;
    return epoll_ctl(i->epfd, EPOLL_CTL_ADD, fd, &e) ? -errno : 0;
}

void idle_unwatch(struct idle *i, int fd)
{
    if (i->epfd >= 0)
        epoll_ctl(i->epfd, EPOLL_CTL_DEL, fd, NULL);
}

/* A core that was busy a moment ago gets the short pause: the next request is likely near. */
static void pause_round(struct idle *i, uint64_t now)
{
    if (i->tpause && i->quiet_rounds >= IDLE_QUIET_ROUNDS)
        rte_power_pause(now + i->tpause_ticks);
    else
        idle_breathe(i);
}

static enum idle_action quiet_round(struct idle *i, uint64_t now)
{
    if (i->quiet_rounds != UINT32_MAX)
        i->quiet_rounds++;
    if (i->mode == CFG_IDLE_SLEEP && now - i->quiet_since >= i->idle_limit)
        return IDLE_SLEEP;
    if (i->mode != CFG_IDLE_SPIN)
        pause_round(i, now);
    return IDLE_GO_ON;
}

enum idle_action idle_round(struct idle *i, unsigned work, uint64_t now)
{
    uint64_t ticks = i->c.rounds ? now - i->last : 0; /* the loop may have started late */

    i->last = now;
    counter_add(&i->c.rounds, 1);
    if (work == 0) {
        counter_add(&i->c.idle_ticks, ticks);
        return quiet_round(i, now);
    }
    counter_add(&i->c.busy_ticks, ticks);
    counter_add(&i->c.busy_rounds, 1);
    counter_add(&i->c.work, work);
    i->quiet_since = now;
    i->quiet_rounds = 0;
    return IDLE_GO_ON;
}

void idle_prepare(struct idle *i)
{
    __atomic_exchange_n(&i->asleep, 1,
                        __ATOMIC_SEQ_CST); /* K1: pairs with the fence in idle_kick */
}

void idle_sleep(struct idle *i, int bound_ms)
{
    struct epoll_event e[EVENTS];
    uint64_t before = rte_rdtsc(), after;
    int n = epoll_wait(i->epfd, e, EVENTS, bound_ms);

    after = rte_rdtsc();
    counter_add(&i->c.idle_ticks, before - i->last);
    counter_add(&i->c.sleep_ticks, after - before);
    counter_add(&i->c.sleeps, 1);
    if (n > 0)
        counter_add(&i->c.wakeups, 1);
    i->last = after;
}

/* A core woken for nothing, by the bound or a signal, may sleep again after one round; one woken
 * by a descriptor starts its time without work afresh with the work it then finds. */
void idle_resume(struct idle *i)
{
    __atomic_store_n(&i->asleep, 0, __ATOMIC_RELAXED);
}

void idle_kick(struct idle *i)
{
    uint64_t one = 1;

    if (i->kick_fd < 0)
        return;
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* K1: what was left for the core, before `asleep` */
    if (likely(!__atomic_load_n(&i->asleep, __ATOMIC_RELAXED)))
        return;
    /* The exchange lets one of several kickers write. Nobody reads the eventfd: each write is an
     * edge, and its counter is full only after 2^64 - 2 of them. */
    if (__atomic_exchange_n(&i->asleep, 0, __ATOMIC_ACQ_REL))
        (void)!write(i->kick_fd, &one, sizeof(one));
}

void idle_read(const struct idle *i, struct idle_counters *out)
{
    const uint64_t *from = (const uint64_t *)&i->c;
    uint64_t *to = (uint64_t *)out;

    for (size_t k = 0; k < sizeof(*out) / sizeof(*to); k++)
        to[k] = __atomic_load_n(&from[k], __ATOMIC_RELAXED);
}
