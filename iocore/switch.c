/* SPDX-License-Identifier: BSD-3-Clause */
#include "switch_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_ether.h>
#include <rte_mbuf.h>

static void counters_read(const struct sw_counters *c, struct sw_counters *out)
{
    const uint64_t *from = (const uint64_t *)c;
    uint64_t *to = (uint64_t *)out;

    for (size_t i = 0; i < sizeof(*c) / sizeof(*from); i++)
        to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

/* --- life cycle --- */

static int set_defaults(struct sw_opts *o)
{
    o->mac_age_s = o->mac_age_s ? o->mac_age_s : 300;
    o->max_macs = o->max_macs ? o->max_macs : 8192;
    o->port_macs = o->port_macs ? o->port_macs : (o->max_macs + 3) / 4;
    o->inbox = o->inbox ? o->inbox : 1024;
    o->max_frame = o->max_frame ? o->max_frame : 1518;
    if (o->ncores < 1 || o->ncores > SW_MAX_CORES || o->max_macs > 1u << 24 || o->tsc_hz == 0 ||
        o->inbox < 2 || o->inbox > 1u << 20 || (o->inbox & (o->inbox - 1)) != 0 ||
        o->max_frame < RTE_ETHER_HDR_LEN)
        return -EINVAL;
    return 0;
}

/* RTS: an enqueuer that is preempted in the middle holds nobody else up, which matters where
 * several I/O cores share a CPU. */
static int make_inboxes(struct sw *sw)
{
    char name[RTE_RING_NAMESIZE];

    for (unsigned i = 0; i < sw->o.ncores; i++) {
        snprintf(name, sizeof(name), "sw%lx.%u", (unsigned long)(uintptr_t)sw, i % SW_MAX_CORES);
        sw->inbox[i] = rte_ring_create_elem(name, sizeof(struct sw_msg), sw->o.inbox, sw->o.socket,
                                            RING_F_MP_RTS_ENQ | RING_F_SC_DEQ);
        if (!sw->inbox[i])
            return -rte_errno;
    }
    return 0;
}

static int make_rcu(struct sw *sw)
{
    sw->rcu = aligned_alloc(RTE_CACHE_LINE_SIZE, rte_rcu_qsbr_get_memsize(sw->o.ncores));
    if (!sw->rcu)
        return -ENOMEM;
    return rte_rcu_qsbr_init(sw->rcu, sw->o.ncores) ? -EINVAL : 0;
}

static int set_up(struct sw *sw)
{
    int err = make_rcu(sw);

    if (!err)
        err = make_inboxes(sw);
    if (!err)
        err = fdb_init(&sw->fdb, sw->o.max_macs, sw->o.socket, sw->rcu);
    sw->set = &sw->sets[0];
    return err;
}

struct sw *sw_create(const struct sw_opts *o)
{
    struct sw *sw = calloc(1, sizeof(*sw));
    int err = sw ? 0 : -ENOMEM;

    if (!err) {
        sw->o = *o;
        pthread_mutex_init(&sw->lock, NULL);
        sw->start = rte_rdtsc();
        err = set_defaults(&sw->o);
    }
    if (!err)
        err = set_up(sw);
    if (!err)
        return sw;
    sw_free(sw);
    errno = -err;
    return NULL;
}

static void free_inbox(struct rte_ring *r)
{
    struct sw_msg msg;

    while (r && rte_ring_dequeue_elem(r, &msg, sizeof(msg)) == 0)
        rte_pktmbuf_free(msg.m);
    rte_ring_free(r);
}

void sw_free(struct sw *sw)
{
    if (!sw)
        return;
    for (unsigned i = 0; i < SW_MAX_CORES; i++)
        free_inbox(sw->inbox[i]);
    for (unsigned i = 0; i < SW_MAX_PORTS; i++)
        free(sw->port[i]);
    for (unsigned i = 0; sw->rcu && i < sw->o.ncores; i++) {
        rte_rcu_qsbr_thread_offline(sw->rcu, i);
        rte_rcu_qsbr_thread_unregister(sw->rcu, i);
    }
    fdb_fini(&sw->fdb);
    free(sw->rcu);
    pthread_mutex_destroy(&sw->lock);
    free(sw);
}

void sw_core_online(struct sw *sw, unsigned core)
{
    /* Registering twice changes nothing. */
    rte_rcu_qsbr_thread_register(sw->rcu, core);
    rte_rcu_qsbr_thread_online(sw->rcu, core);
}

void sw_core_offline(struct sw *sw, unsigned core)
{
    rte_rcu_qsbr_thread_offline(sw->rcu, core);
}

/* Waits until no core can hold what was unpublished before the call. */
static void wait_cores(struct sw *sw)
{
    rte_rcu_qsbr_synchronize(sw->rcu, RTE_QSBR_THRID_INVALID);
}

/* --- ports come and go --- */

static int free_id(const struct sw *sw)
{
    for (int i = 0; i < SW_MAX_PORTS; i++)
        if (!sw->port[i])
            return i;
    return -ENOSPC;
}

/* Publishes the set of all ports there are now and waits until nobody looks at the old one. */
static void publish_set(struct sw *sw)
{
    struct sw_portset *set = &sw->sets[sw->set == &sw->sets[0]];

    set->n = 0;
    for (unsigned i = 0; i < SW_MAX_PORTS; i++)
        if (sw->port[i])
            set->p[set->n++] = sw->port[i];
    __atomic_store_n(&sw->set, set, __ATOMIC_RELEASE);
    wait_cores(sw);
}

static struct sw_port *new_port(struct sw *sw, int id, const char *name, unsigned core)
{
    struct sw_port *p = aligned_alloc(RTE_CACHE_LINE_SIZE, sizeof(*p));

    if (!p)
        return NULL;
    memset(p, 0, sizeof(*p));
    p->id = (uint16_t)id;
    p->core = core;
    p->gen = ++sw->next_gen;
    snprintf(p->name, sizeof(p->name), "%s", name);
    return p;
}

static int add_locked(struct sw *sw, const char *name, unsigned core, unsigned flags,
                      sw_send_fn send, void *ctx)
{
    int id = free_id(sw);
    struct sw_port *p = id < 0 ? NULL : new_port(sw, id, name, core);

    if (!p)
        return id < 0 ? id : -ENOMEM;
    p->flags = flags;
    p->send = send;
    p->ctx = ctx;
    __atomic_store_n(&sw->port[id], p, __ATOMIC_RELEASE);
    publish_set(sw);
    return id;
}

int sw_port_add(struct sw *sw, const char *name, unsigned core, unsigned flags, sw_send_fn send,
                void *ctx)
{
    int id;

    if (core >= sw->o.ncores || !send || (flags & ~(SW_PORT_WRITES | SW_PORT_LARGE)) ||
        ((flags & SW_PORT_WRITES) && !sw->o.pool))
        return -EINVAL;
    pthread_mutex_lock(&sw->lock);
    id = add_locked(sw, name, core, flags, send, ctx);
    pthread_mutex_unlock(&sw->lock);
    return id;
}

/* Forgets every address behind a port. */
static void forget_port(struct sw *sw, const struct sw_port *p)
{
    struct fdb_where w;
    uint32_t iter = 0;
    uint64_t key;

    rte_spinlock_lock(&sw->fdb.lock);
    while (fdb_next(&sw->fdb, &iter, &key, &w) >= 0)
        if (w.port == p->id && w.gen == p->gen)
            fdb_del(&sw->fdb, key);
    rte_spinlock_unlock(&sw->fdb.lock);
}

static int remove_locked(struct sw *sw, int port)
{
    struct sw_port *p = sw_port_at(sw, (unsigned)port);

    if (!p)
        return -ENOENT;
    __atomic_store_n(&sw->port[port], NULL, __ATOMIC_RELEASE);
    publish_set(sw); /* waits: from here on no core learns on it or sends to it */
    forget_port(sw, p);
    free(p);
    return 0;
}

int sw_port_remove(struct sw *sw, int port)
{
    int err;

    if (port < 0 || port >= SW_MAX_PORTS)
        return -ENOENT;
    pthread_mutex_lock(&sw->lock);
    err = remove_locked(sw, port);
    pthread_mutex_unlock(&sw->lock);
    return err;
}

/* --- addresses --- */

static void adjust_macs(struct sw_port *p, int by)
{
    __atomic_store_n(&p->macs, p->macs + (uint32_t)by, __ATOMIC_RELAXED);
}

int sw_place(struct sw *sw, struct sw_port *p, uint64_t key, uint32_t sec, bool pinned,
             struct fdb_where *was)
{
    struct fdb_where to = {.port = p->id, .gen = p->gen, .pinned = pinned};
    struct sw_port *from;
    int err = fdb_set(&sw->fdb, key, to, sec, was);

    if (err)
        return err;
    from = was->port == UINT16_MAX ? NULL : sw_port_of(sw, *was);
    if (from)
        adjust_macs(from, -1);
    adjust_macs(p, 1);
    return 0;
}

int sw_port_pin(struct sw *sw, int port, const uint8_t mac[6])
{
    struct fdb_where was;
    struct sw_port *p;
    int err = -ENOENT;

    if (mac[0] & 1)
        return -EINVAL;
    pthread_mutex_lock(&sw->lock);
    p = port < 0 ? NULL : sw_port_at(sw, (unsigned)port);
    if (p) {
        rte_spinlock_lock(&sw->fdb.lock);
        err = sw_place(sw, p, fdb_key(mac), sw_second(sw, rte_rdtsc()), true, &was);
        rte_spinlock_unlock(&sw->fdb.lock);
    }
    pthread_mutex_unlock(&sw->lock);
    return err;
}

/* Forgets one entry if it is old. The stamp is read last: a core may touch it at any time. */
static unsigned age_one(struct sw *sw, int pos, uint64_t key, struct fdb_where w, uint32_t sec)
{
    struct sw_port *p = sw_port_of(sw, w);
    uint32_t age = sec - __atomic_load_n(&sw->fdb.stamp[pos], __ATOMIC_RELAXED);

    if (w.pinned || (int32_t)age < 0 || age < sw->o.mac_age_s)
        return 0;
    fdb_del(&sw->fdb, key);
    if (p)
        adjust_macs(p, -1);
    return 1;
}

unsigned sw_age(struct sw *sw, uint64_t now)
{
    uint32_t sec = sw_second(sw, now), iter = 0;
    struct fdb_where w;
    unsigned gone = 0;
    uint64_t key;
    int pos;

    do { /* the lock is let go between entries: cores want to learn */
        rte_spinlock_lock(&sw->fdb.lock);
        pos = fdb_next(&sw->fdb, &iter, &key, &w);
        if (pos >= 0)
            gone += age_one(sw, pos, key, w, sec);
        rte_spinlock_unlock(&sw->fdb.lock);
    } while (pos >= 0);
    return gone;
}

/* --- what it says of itself --- */

int sw_port_info(struct sw *sw, int port, struct sw_port_info *out)
{
    struct sw_port *p;

    pthread_mutex_lock(&sw->lock);
    p = port < 0 ? NULL : sw_port_at(sw, (unsigned)port);
    if (p) {
        *out = (struct sw_port_info){
            .port = port,
            .core = p->core,
            .macs = __atomic_load_n(&p->macs, __ATOMIC_RELAXED),
        };
        memcpy(out->name, p->name, sizeof(out->name));
        counters_read(&p->c, &out->c);
    }
    pthread_mutex_unlock(&sw->lock);
    return p ? 0 : -ENOENT;
}

int sw_mac_next(struct sw *sw, uint32_t *iter, uint64_t now, struct sw_mac_info *out)
{
    struct fdb_where w;
    uint64_t key;
    uint32_t age;
    int pos;

    rte_spinlock_lock(&sw->fdb.lock);
    pos = fdb_next(&sw->fdb, iter, &key, &w);
    age = pos < 0 ? 0 : sw_second(sw, now) - __atomic_load_n(&sw->fdb.stamp[pos], __ATOMIC_RELAXED);
    rte_spinlock_unlock(&sw->fdb.lock);
    if (pos < 0)
        return -ENOENT;
    memcpy(out->mac, &key, sizeof(out->mac));
    out->port = w.port;
    out->pinned = w.pinned;
    out->age_s = w.pinned || (int32_t)age < 0 ? 0 : age;
    return 0;
}

uint32_t sw_mac_count(const struct sw *sw)
{
    return __atomic_load_n(&sw->fdb.count, __ATOMIC_RELAXED);
}
