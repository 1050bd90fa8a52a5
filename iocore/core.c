/* SPDX-License-Identifier: BSD-3-Clause */
#include "core.h"

#include <errno.h>
#include <rte_cycles.h>
#include <rte_malloc.h>
#include <rte_ring.h>
#include <stdio.h>
#include <time.h>

#include "device.h"
#include "numa.h"

#define INBOX_SIZE 64

int core_init(struct ioc_core *k, unsigned index, const struct cfg_iocore *c, struct sw *sw,
              uint64_t tsc_hz)
{
    char name[RTE_RING_NAMESIZE];

    *k = (struct ioc_core){.index = index, .c = c, .node = nl_node_of_cpu(c->core), .sw = sw};
    k->cool_ticks = tsc_hz / 1000 * CORE_COOL_MS;
    snprintf(name, sizeof(name), "core%u-inbox", index);
    k->inbox = rte_ring_create(name, INBOX_SIZE, SOCKET_ID_ANY, RING_F_SC_DEQ);
    if (!k->inbox)
        return -ENOMEM;
    return idle_init(&k->idle, c->idle, c->idle_us, tsc_hz, rte_rdtsc());
}

void core_fini(struct ioc_core *k)
{
    idle_fini(&k->idle);
    rte_ring_free(k->inbox);
}

/* --- sources --- */

static void remove_at(struct ioc_source **list, unsigned *n, unsigned i)
{
    list[i] = list[--*n];
}

static bool remove_from(struct ioc_source **list, unsigned *n, const struct ioc_source *s)
{
    for (unsigned i = 0; i < *n; i++)
        if (list[i] == s) {
            remove_at(list, n, i);
            return true;
        }
    return false;
}

int core_add_source(struct ioc_core *k, struct ioc_source *s)
{
    if (k->nhot + k->ncold == CORE_MAX_SOURCES)
        return -ENOSPC;
    s->last_work = rte_rdtsc();
    k->hot[k->nhot++] = s;
    if (s->kick_fd >= 0)
        idle_watch(&k->idle, s->kick_fd);
    return 0;
}

void core_remove_source(struct ioc_core *k, struct ioc_source *s)
{
    if (!remove_from(k->hot, &k->nhot, s))
        remove_from(k->cold, &k->ncold, s);
    if (s->kick_fd >= 0)
        idle_unwatch(&k->idle, s->kick_fd);
}

int core_add_port(struct ioc_core *k, struct port *p)
{
    if (k->nports == CORE_MAX_PORTS)
        return -ENOSPC;
    k->port[k->nports++] = p;
    if (port_rx_fd(p) >= 0)
        idle_watch(&k->idle, port_rx_fd(p));
    return 0;
}

static unsigned poll_hot(struct ioc_core *k, uint64_t now)
{
    unsigned work = 0;

    for (unsigned i = 0; i < k->nhot;) {
        struct ioc_source *s = k->hot[i];
        unsigned n = s->ops->poll(s, now);

        work += n;
        if (n) {
            s->last_work = now;
        } else if (now - s->last_work > k->cool_ticks && now > s->last_work && s->ops->cool(s)) {
            remove_at(k->hot, &k->nhot, i);
            k->cold[k->ncold++] = s;
            continue;
        }
        i++;
    }
    return work;
}

/* Polls the hot sources for a while, so that a request is noticed within one poll, and the next one
 * of the same vCPU too: the rest of the round would take longer than its way here. */
static unsigned await_hot(struct ioc_core *k, uint64_t now)
{
    unsigned polls = k->nhot ? CORE_HOT_POLLS / k->nhot : 0, work = poll_hot(k, now);

    for (; work < CORE_HOT_WORK && polls > 1; polls--) {
        idle_breathe(&k->idle);
        work += poll_hot(k, now);
    }
    return work;
}

/* Each at most once: where there are few, a round is short, and the next one looks again. */
static void peek_cold(struct ioc_core *k, uint64_t now, unsigned most)
{
    most = most < k->ncold ? most : k->ncold;
    for (unsigned n = 0; n < most && k->ncold; n++) {
        struct ioc_source *s;

        if (++k->next_cold >= k->ncold)
            k->next_cold = 0;
        s = k->cold[k->next_cold];
        if (s->ops->peek(s)) {
            remove_at(k->cold, &k->ncold, k->next_cold);
            s->last_work = now;
            k->hot[k->nhot++] = s;
        }
    }
}

/* --- the round --- */

static unsigned poll_busy(struct ioc_core *k)
{
    unsigned work = 0;

    for (unsigned i = 0; i < k->nbusy;) {
        struct ioc_dev *d = k->busy[i];

        work += dev_poll(d);
        if (dev_is_busy(d))
            i++;
        else
            dev_unbusy(k, i);
    }
    return work;
}

static unsigned poll_ports(struct ioc_core *k, uint64_t now)
{
    unsigned work = 0;

    for (unsigned i = 0; i < k->nports; i++)
        work += port_poll(k->port[i], now);
    return work;
}

static unsigned flush_ports(struct ioc_core *k)
{
    unsigned work = 0;

    for (unsigned i = 0; i < k->nports; i++)
        work += port_flush(k->port[i]);
    return work;
}

static unsigned take_messages(struct ioc_core *k)
{
    struct core_msg *m;
    void *obj;

    if (rte_ring_empty(k->inbox) || rte_ring_dequeue(k->inbox, &obj))
        return 0;
    m = obj;
    m->fn(k, m->arg);
    __atomic_store_n(&m->done, true, __ATOMIC_RELEASE); /* pairs with the acquire in core_do */
    return 1;
}

static unsigned one_round(struct ioc_core *k, uint64_t now)
{
    unsigned work = await_hot(k, now);

    peek_cold(k, now, work ? CORE_COLD_BUSY : CORE_COLD_QUIET);
    work += poll_busy(k);
    work += poll_ports(k, now);
    work += sw_poll(k->sw, k->index);
    work += flush_ports(k);
    return work + take_messages(k);
}

/* --- sleeping --- */

static bool arm_all(struct ioc_core *k)
{
    bool quiet = true;

    for (unsigned i = 0; i < k->nhot; i++)
        quiet &= k->hot[i]->ops->arm(k->hot[i]);
    for (unsigned i = 0; i < k->ncold; i++)
        quiet &= k->cold[i]->ops->arm(k->cold[i]);
    for (unsigned i = 0; i < k->nbusy; i++)
        quiet &= dev_arm(k->busy[i]);
    return quiet;
}

static void disarm_all(struct ioc_core *k)
{
    for (unsigned i = 0; i < k->nhot; i++)
        k->hot[i]->ops->disarm(k->hot[i]);
    for (unsigned i = 0; i < k->ncold; i++)
        k->cold[i]->ops->disarm(k->cold[i]);
    for (unsigned i = 0; i < k->nbusy; i++)
        dev_disarm(k->busy[i]);
}

/* Ports without a descriptor, and devices with work left, bound the sleep. */
static int sleep_bound(const struct ioc_core *k)
{
    for (unsigned i = 0; i < k->nbusy; i++)
        if (!dev_wakes(k->busy[i]))
            return IDLE_PORT_BOUND_MS;
    for (unsigned i = 0; i < k->nports; i++)
        if (port_rx_fd(k->port[i]) < 0)
            return IDLE_PORT_BOUND_MS;
    return -1;
}

/* After a sleep any source may have work: the cold ones are all looked at. */
static void wake_all(struct ioc_core *k, uint64_t now)
{
    for (unsigned i = 0; i < k->ncold;) {
        struct ioc_source *s = k->cold[i];

        if (!s->ops->peek(s)) {
            i++;
            continue;
        }
        remove_at(k->cold, &k->ncold, i);
        s->last_work = now;
        k->hot[k->nhot++] = s;
    }
}

static void go_to_sleep(struct ioc_core *k)
{
    bool quiet;

    idle_prepare(&k->idle);
    quiet = arm_all(k);
    if (quiet && rte_ring_empty(k->inbox) && !sw_pending(k->sw, k->index) &&
        !__atomic_load_n(&k->quit, __ATOMIC_ACQUIRE)) {
        sw_core_offline(k->sw, k->index);
        idle_sleep(&k->idle, sleep_bound(k));
        sw_core_online(k->sw, k->index);
        for (unsigned i = 0; i < k->nports; i++)
            port_woke(k->port[i]);
    }
    idle_resume(&k->idle);
    disarm_all(k);
    wake_all(k, rte_rdtsc());
}

int core_run(void *core)
{
    struct ioc_core *k = core;
    uint64_t now = rte_rdtsc();

    sw_core_online(k->sw, k->index);
    while (!__atomic_load_n(&k->quit, __ATOMIC_RELAXED)) {
        unsigned work = one_round(k, now);

        now = rte_rdtsc();
        if (idle_round(&k->idle, work, now) == IDLE_SLEEP)
            go_to_sleep(k);
    }
    sw_core_offline(k->sw, k->index);
    return 0;
}

void core_quit(struct ioc_core *k)
{
    __atomic_store_n(&k->quit, true, __ATOMIC_RELEASE);
    idle_kick(&k->idle);
}

void core_do(struct ioc_core *k, void (*fn)(struct ioc_core *k, void *arg), void *arg)
{
    struct core_msg m = {.fn = fn, .arg = arg};
    struct timespec nap = {.tv_sec = 0, .tv_nsec = 20000};

    while (rte_ring_enqueue(k->inbox, &m))
        nanosleep(&nap, NULL);
    idle_kick(&k->idle);
    while (!__atomic_load_n(&m.done, __ATOMIC_ACQUIRE))
        nanosleep(&nap, NULL);
}
