/* SPDX-License-Identifier: BSD-3-Clause */
/* A vhost-user front end's messages, carried out. */
#include "vhost_user.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../nicmodels/virtio_pci.h" /* feature bits */
#include "../protocol/iotp_ctl.h"
#include "hist.h"
#include "vhost_guard.h"

#define BIT(n) (1ull << (n))
/* BACKEND_REQ for User-Mode Linux (6.1), whose queues have no interrupt without it. */
#define PROTOCOL_FEATURES                                                                          \
    (BIT(VHOST_USER_PROTOCOL_F_MQ) | BIT(VHOST_USER_PROTOCOL_F_LOG_SHMFD) |                        \
     BIT(VHOST_USER_PROTOCOL_F_RARP) | BIT(VHOST_USER_PROTOCOL_F_REPLY_ACK) |                      \
     BIT(VHOST_USER_PROTOCOL_F_MTU) | BIT(VHOST_USER_PROTOCOL_F_BACKEND_REQ) |                     \
     BIT(VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD) | BIT(VHOST_USER_PROTOCOL_F_RESET_DEVICE) |         \
     BIT(VHOST_USER_PROTOCOL_F_STATUS))
#define MTU           1500
#define MAX_MAP       (1ull << 46) /* bytes: no guest has more */
#define MAX_LOG       (1ull << 36)
#define INFLIGHT_SIZE 4096 /* whole pages */
_Static_assert(sizeof(struct vq_journal) * VHOST_MAX_RINGS <= 2 * INFLIGHT_SIZE, "they fit");

/* MQ is offered only where there are several: a driver that sees it wants a control queue too,
 * which a front end may not have. */
static uint64_t offered(const struct vhost *v)
{
    return VNET_FEATURES | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_F_VERSION_1 |
           VIRTIO_F_RING_PACKED | VIRTIO_F_IN_ORDER | VIRTIO_NET_F_MTU | VHOST_F_LOG_ALL |
           VHOST_USER_F_PROTOCOL_FEATURES | (v->max_pairs > 1 ? VIRTIO_NET_F_MQ : 0);
}

static bool agreed(const struct vhost *v, unsigned protocol_feature)
{
    return v->protocol >> protocol_feature & 1;
}

/* One message, as it is being carried out. */
struct serving {
    struct vhost *v;
    int sock;
    struct vhost_rx *rx;
    const char *why;
};

static int refuse(struct serving *s, const char *why)
{
    s->why = why;
    return -EPROTO;
}

static int take_fd(struct serving *s)
{
    int fd = s->rx->nfds ? s->rx->fd[0] : -1;

    if (s->rx->nfds)
        s->rx->fd[0] = -1;
    return fd;
}

static int reply_u64(struct serving *s, uint64_t value)
{
    s->rx->m.u.u64 = value;
    return vhost_reply(s->sock, &s->rx->m, sizeof(uint64_t), -1);
}

/* Runs a function on the core that changes what the core looks at. */
static void on_core(struct serving *s, void (*fn)(void *arg))
{
    s->v->ops->on_core(s->v->ctx, fn, s);
}

static void replace_fd(int *fd, int with)
{
    if (*fd >= 0)
        close(*fd);
    *fd = with;
}

/* The front end holds the same open file, so closing ours does not end the watch. */
static void replace_kick(struct vhost *v, struct vhost_ring *r, int with)
{
    if (r->kick >= 0 && v->ops->unwatch)
        v->ops->unwatch(v->ctx, r->kick);
    replace_fd(&r->kick, with);
    if (with >= 0 && v->ops->watch)
        v->ops->watch(v->ctx, with);
}

/* --- mappings --- */

/* From the file's beginning: offsets need not be whole pages. Huge pages are mapped whole. */
static int map_file(int fd, uint64_t size, uint64_t offset, struct vhost_map *out)
{
    uint64_t len = size + offset, align;
    struct stat st;
    void *p;

    if (!size || len < size || len > MAX_MAP || fstat(fd, &st))
        return -EINVAL;
    if ((uint64_t)st.st_size < len)
        return -EINVAL;
    align = st.st_blksize > 4096 ? (uint64_t)st.st_blksize : 4096;
    len = (len + align - 1) / align * align;
    p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        return -errno;
    if (vhost_guard_add(p, len)) {
        munmap(p, len);
        return -ENOSPC;
    }
    *out = (struct vhost_map){p, len, st.st_dev, st.st_ino};
    return 0;
}

static void unmap(struct vhost_map *m)
{
    if (!m->base)
        return;
    vhost_guard_remove(m->base);
    munmap(m->base, m->len);
    m->base = NULL;
}

/* --- memory --- */

/* What SET_MEM_TABLE exchanges. */
struct table {
    unsigned nmaps;
    struct vhost_map map[VHOST_MAX_REGIONS];
    uint64_t uaddr[VHOST_MAX_REGIONS];
    struct guestmem mem;
};

static void table_unmap(struct table *t)
{
    for (unsigned i = 0; i < t->nmaps; i++)
        unmap(&t->map[i]);
    t->nmaps = 0;
}

static int table_add(struct table *t, const struct vhost_region *r, int fd)
{
    struct vhost_map *m = &t->map[t->nmaps];
    int err = map_file(fd, r->size, r->mmap_offset, m);

    if (err)
        return err;
    t->uaddr[t->nmaps++] = r->uaddr;
    return guestmem_add(&t->mem, r->gpa, r->size, m->base + r->mmap_offset);
}

struct exchange {
    struct vhost *v;
    struct table *t;
};

/* The new table comes, the old one stands in *t then. Rings go on: their addresses are the guest's
 * physical ones. */
static void exchange_tables(void *arg)
{
    struct exchange *x = arg;
    struct vhost *v = x->v;
    struct table old = {.nmaps = v->nmaps, .mem = v->mem};

    memcpy(old.map, v->map, sizeof(old.map));
    v->nmaps = x->t->nmaps;
    v->mem = x->t->mem;
    memcpy(v->map, x->t->map, sizeof(v->map));
    memcpy(v->uaddr, x->t->uaddr, sizeof(v->uaddr));
    for (unsigned i = 0; i < v->mem.nregions; i++)
        v->piece[i] =
            (struct vq_piece){v->mem.region[i].gpa, v->mem.region[i].size, v->mem.region[i].host};
    *x->t = old;
    for (unsigned i = 0; i < 2 * v->max_pairs; i++)
        vhost_ring_start(v, i);
}

static int set_mem_table(struct serving *s)
{
    const struct vhost_memory *m = &s->rx->m.u.memory;
    struct table t = {0};
    struct exchange x = {s->v, &t};
    int err = 0;

    for (unsigned i = 0; i < m->nregions && !err; i++)
        err = table_add(&t, &m->region[i], s->rx->fd[i]);
    if (!err)
        s->v->ops->on_core(s->v->ctx, exchange_tables, &x);
    table_unmap(&t);
    return err ? refuse(s, "SET_MEM_TABLE: a region cannot be mapped, or overlaps another") : 0;
}

/* --- rings --- */

static struct vhost_ring *ring_at(struct serving *s, uint64_t index)
{
    return index < 2u * s->v->max_pairs ? &s->v->ring[index] : NULL;
}

/*
 * A ring is to be stopped (GET_VRING_BASE) before it gets another size or position. User-Mode Linux
 * (6.1) tells nobody when its driver is unloaded, but describes new rings when that is loaded
 * again: this ends the old ones. They wait for their kick as any new ring does.
 */
static bool ends_ring(uint32_t request)
{
    return request == VHOST_USER_SET_VRING_NUM || request == VHOST_USER_SET_VRING_BASE;
}

static void change_ring(void *arg)
{
    struct serving *s = arg;
    struct vhost *v = s->v;
    uint32_t i = s->rx->m.u.state.index, num = s->rx->m.u.state.num;
    struct vhost_ring *r = &v->ring[i];
    struct vhost_addr a = s->rx->m.u.addr;

    if (r->q.state == VQ_ON && ends_ring(s->rx->m.request))
        vhost_ring_stop(v, i);
    switch (s->rx->m.request) {
    case VHOST_USER_SET_VRING_NUM: r->q.size = (uint16_t)num; break;
    case VHOST_USER_SET_VRING_ADDR:
        r->desc = a.desc;
        r->driver = a.avail;
        r->device = a.used;
        break;
    case VHOST_USER_SET_VRING_BASE:
        /* packed: position of what is available and its wrap counter, then of what is used */
        r->base = (struct vq_pos){(uint16_t)num, 0};
        if (v->features & VIRTIO_F_RING_PACKED)
            r->base = (struct vq_pos){(uint16_t)(num & 0x7fff), (uint16_t)(num >> 15 & 1)};
        break;
    case VHOST_USER_SET_VRING_ENABLE: r->enabled = num == 1; break;
    case VHOST_USER_GET_VRING_BASE: vhost_ring_stop(v, i); break;
    }
    if (s->rx->m.request == VHOST_USER_SET_VRING_ADDR)
        vhost_ring_start(v, i);
    vhost_count_pairs(v);
}

static int get_vring_base(struct serving *s)
{
    uint32_t i = s->rx->m.u.state.index;
    struct vhost_ring *r = &s->v->ring[i];
    uint32_t num = r->base.index;

    if (s->v->features & VIRTIO_F_RING_PACKED) {
        num |= (uint32_t)r->base.wrap << 15;
        num |= num << 16;
    }
    replace_kick(s->v, r, -1);
    replace_fd(&r->call, -1);
    s->rx->m.u.state.num = num;
    return vhost_reply(s->sock, &s->rx->m, sizeof(struct vhost_state), -1);
}

static int set_vring(struct serving *s)
{
    uint32_t request = s->rx->m.request, num = s->rx->m.u.state.num;

    if (!ring_at(s, s->rx->m.u.state.index))
        return refuse(s, "there is no such queue");
    if (request == VHOST_USER_SET_VRING_NUM && (!num || num > VQ_MAX_SIZE))
        return refuse(s, "SET_VRING_NUM: no ring has that size");
    on_core(s, change_ring);
    return request == VHOST_USER_GET_VRING_BASE ? get_vring_base(s) : 0;
}

/* Without protocol features rings are enabled by being started. */
static void kick_ring(void *arg)
{
    struct serving *s = arg;
    unsigned i = (unsigned)(s->rx->m.u.u64 & VHOST_VRING_MASK);

    s->v->ring[i].kicked = true;
    if (!(s->v->features & VHOST_USER_F_PROTOCOL_FEATURES))
        s->v->ring[i].enabled = true;
    vhost_ring_start(s->v, i);
}

static void take_call(void *arg)
{
    struct serving *s = arg;
    struct vhost_ring *r = &s->v->ring[s->rx->m.u.u64 & VHOST_VRING_MASK];

    replace_fd(&r->call, take_fd(s));
    r->interrupted = r->call >= 0 && r->q.state == VQ_ON; /* one may have gone to the old one */
    vhost_signal(s->v);
}

static int set_vring_fd(struct serving *s)
{
    struct vhost_ring *r = ring_at(s, s->rx->m.u.u64 & VHOST_VRING_MASK);

    if (!r)
        return refuse(s, "there is no such queue");
    /* An I/O core must not be made to wait. */
    if (s->rx->nfds && fcntl(s->rx->fd[0], F_SETFL, O_NONBLOCK))
        return refuse(s, "a queue's descriptor cannot be made non-blocking");
    switch (s->rx->m.request) {
    case VHOST_USER_SET_VRING_KICK:
        replace_kick(s->v, r, take_fd(s));
        on_core(s, kick_ring);
        break;
    case VHOST_USER_SET_VRING_CALL: on_core(s, take_call); break;
    default: replace_fd(&r->err, take_fd(s));
    }
    return 0;
}

static void stop_all(void *arg)
{
    struct vhost *v = arg;

    for (unsigned i = 0; i < VHOST_MAX_RINGS; i++) {
        vhost_ring_stop(v, i);
        v->ring[i].enabled = false;
        v->ring[i].base = (struct vq_pos){0};
    }
}

/* --- features --- */

static void take_features(void *arg)
{
    struct serving *s = arg;
    struct vhost *v = s->v;

    v->features = s->rx->m.u.u64;
    v->log_bits = v->features & VHOST_F_LOG_ALL ? v->log.base : NULL;
}

static int set_features(struct serving *s)
{
    uint64_t changed = (s->rx->m.u.u64 ^ s->v->features) & ~VHOST_F_LOG_ALL;

    if (s->rx->m.u.u64 & ~offered(s->v))
        return refuse(s, "SET_FEATURES: a feature was not offered");
    for (unsigned i = 0; changed && i < VHOST_MAX_RINGS; i++)
        if (s->v->ring[i].q.state == VQ_ON)
            return refuse(s, "SET_FEATURES: queues run with others");
    on_core(s, take_features);
    return 0;
}

/* --- the log of a live migration --- */

/* A mapping that takes another's place. */
struct map_change {
    struct vhost *v;
    struct vhost_map map;
    uint64_t size;
};

static void exchange_logs(void *arg)
{
    struct map_change *c = arg;
    struct vhost_map old = c->v->log;

    c->v->log = c->map;
    c->v->log_size = c->size;
    c->v->log_bits = c->v->features & VHOST_F_LOG_ALL ? c->v->log.base : NULL;
    c->map = old;
}

/* An offset is refused: no front end has one. */
static int set_log_base(struct serving *s)
{
    struct vhost_log l = s->rx->m.u.log;
    struct map_change c = {.v = s->v, .size = l.size};

    if (!agreed(s->v, VHOST_USER_PROTOCOL_F_LOG_SHMFD) || l.offset || l.size > MAX_LOG ||
        map_file(s->rx->fd[0], l.size, 0, &c.map))
        return refuse(s, "SET_LOG_BASE: the log cannot be mapped");
    s->v->ops->on_core(s->v->ctx, exchange_logs, &c);
    unmap(&c.map);
    return vhost_reply(s->sock, &s->rx->m, 0, -1);
}

/* --- inflight --- */

static void exchange_inflight(void *arg)
{
    struct map_change *c = arg;
    struct vhost_map old = c->v->inflight;
    struct vq_journal *j = (void *)c->map.base;

    c->v->inflight = c->map;
    for (unsigned i = 0; i < VHOST_MAX_RINGS; i++)
        c->v->ring[i].journal = &j[i];
    c->map = old;
}

static int take_inflight(struct serving *s, int fd, const struct vhost_inflight *f)
{
    struct map_change c = {.v = s->v};

    for (unsigned i = 0; i < VHOST_MAX_RINGS; i++)
        if (s->v->ring[i].q.state == VQ_ON)
            return refuse(s, "the inflight region is exchanged while queues run");
    if (f->offset || f->size < sizeof(struct vq_journal) * VHOST_MAX_RINGS ||
        map_file(fd, f->size, 0, &c.map))
        return refuse(s, "the inflight region cannot be mapped");
    s->v->ops->on_core(s->v->ctx, exchange_inflight, &c);
    unmap(&c.map);
    return 0;
}

/* A fresh region, for the front end to keep. */
static int get_inflight_fd(struct serving *s)
{
    struct vhost_inflight *f = &s->rx->m.u.inflight;
    struct vhost_inflight made = {
        .size = 2 * INFLIGHT_SIZE, .nqueues = f->nqueues, .queue_size = f->queue_size};
    int fd = iotp_memfd("vhost-inflight", made.size), err;

    if (fd < 0)
        return fd;
    err = take_inflight(s, fd, &made);
    *f = made;
    if (!err)
        err = vhost_reply(s->sock, &s->rx->m, sizeof(*f), fd);
    close(fd);
    return err;
}

static int set_inflight_fd(struct serving *s)
{
    struct vhost_inflight f = s->rx->m.u.inflight;

    return take_inflight(s, s->rx->fd[0], &f);
}

/* --- messages --- */

static int set_mtu(struct serving *s)
{
    return s->rx->m.u.u64 <= MTU ? 0 : refuse(s, "the switch carries no frames of that MTU");
}

static int set_protocol_features(struct serving *s)
{
    if (s->rx->m.u.u64 & ~PROTOCOL_FEATURES)
        return refuse(s, "SET_PROTOCOL_FEATURES: a feature was not offered");
    s->v->protocol = s->rx->m.u.u64;
    return 0;
}

/* After a live migration: a frame in the guest's name tells the network where it is now (RARP's
 * request, RFC 903, as QEMU makes them). */
struct rarp {
    struct vhost *v;
    uint8_t frame[60];
};

static void send_rarp_on_core(void *arg)
{
    struct rarp *r = arg;

    unsigned n;
    struct vnet_frame *f = r->v->ops->room(r->v->ctx, &n);

    if (!n)
        return;
    memcpy(f->data, r->frame, sizeof(r->frame));
    f->len = sizeof(r->frame);
    r->v->ops->send(r->v->ctx, 1);
}

static int send_rarp(struct serving *s)
{
    static const uint8_t head[] = {0x80, 0x35, 0, 1, 8, 0, 6, 4, 0, 3};
    struct rarp r = {.v = s->v};

    memset(r.frame, 0xff, 6);
    memcpy(r.frame + 6, &s->rx->m.u, 6);
    memcpy(r.frame + 12, head, sizeof(head));
    memcpy(r.frame + 22, &s->rx->m.u, 6);
    memcpy(r.frame + 32, &s->rx->m.u, 6);
    s->v->ops->on_core(s->v->ctx, send_rarp_on_core, &r);
    return 0;
}

static int carry_out(struct serving *s)
{
    struct vhost *v = s->v;

    switch (s->rx->m.request) {
    case VHOST_USER_GET_FEATURES: return reply_u64(s, offered(v));
    case VHOST_USER_SET_FEATURES: return set_features(s);
    case VHOST_USER_GET_PROTOCOL_FEATURES: return reply_u64(s, PROTOCOL_FEATURES);
    case VHOST_USER_SET_PROTOCOL_FEATURES: return set_protocol_features(s);
    case VHOST_USER_GET_QUEUE_NUM: return reply_u64(s, v->max_pairs);
    case VHOST_USER_SET_MEM_TABLE: return set_mem_table(s);
    case VHOST_USER_SET_LOG_BASE: return set_log_base(s);
    case VHOST_USER_SET_VRING_NUM:
    case VHOST_USER_SET_VRING_ADDR:
    case VHOST_USER_SET_VRING_BASE:
    case VHOST_USER_SET_VRING_ENABLE:
    case VHOST_USER_GET_VRING_BASE: return set_vring(s);
    case VHOST_USER_SET_VRING_KICK:
    case VHOST_USER_SET_VRING_CALL:
    case VHOST_USER_SET_VRING_ERR: return set_vring_fd(s);
    case VHOST_USER_SEND_RARP: return send_rarp(s);
    case VHOST_USER_NET_SET_MTU: return set_mtu(s);
    case VHOST_USER_GET_INFLIGHT_FD: return get_inflight_fd(s);
    case VHOST_USER_SET_INFLIGHT_FD: return set_inflight_fd(s);
    case VHOST_USER_SET_BACKEND_REQ_FD: replace_fd(&v->backend_req, take_fd(s)); return 0;
    case VHOST_USER_SET_STATUS: v->status = s->rx->m.u.u64 & 0xff; return 0;
    case VHOST_USER_GET_STATUS: return reply_u64(s, v->status);
    case VHOST_USER_RESET_DEVICE: v->ops->on_core(v->ctx, stop_all, v); return 0;
    default: return 0; /* SET_OWNER, RESET_OWNER, SET_LOG_FD: nothing to do */
    }
}

/* These have answers of their own. */
static bool answers(uint32_t request)
{
    switch (request) {
    case VHOST_USER_GET_FEATURES:
    case VHOST_USER_GET_PROTOCOL_FEATURES:
    case VHOST_USER_GET_QUEUE_NUM:
    case VHOST_USER_GET_VRING_BASE:
    case VHOST_USER_GET_INFLIGHT_FD:
    case VHOST_USER_GET_STATUS:
    case VHOST_USER_SET_LOG_BASE: return true;
    default: return false;
    }
}

int vhost_serve(struct vhost *v, int sock, struct vhost_rx *rx, const char **why)
{
    struct serving s = {.v = v, .sock = sock, .rx = rx};
    bool wants = (rx->m.flags & VHOST_F_NEED_REPLY) && !answers(rx->m.request);
    int err = carry_out(&s);

    *why = s.why;
    if (err == -EPROTO)
        hist_store(&v->n.refused, v->n.refused + 1);
    /* The message that agrees on REPLY_ACK may want an answer itself: User-Mode Linux's does. */
    wants &= agreed(v, VHOST_USER_PROTOCOL_F_REPLY_ACK);
    /* With it a refusal is an answer, and the front end's to act on. */
    if (wants && (!err || err == -EPROTO))
        err = reply_u64(&s, err != 0);
    return err;
}

void vhost_init(struct vhost *v, const struct vhost_ops *ops, void *ctx, unsigned max_pairs)
{
    *v = (struct vhost){.ops = ops, .ctx = ctx, .max_pairs = max_pairs, .backend_req = -1};
    for (unsigned i = 0; i < VHOST_MAX_RINGS; i++) {
        v->ring[i].kick = v->ring[i].call = v->ring[i].err = -1;
        v->ring[i].journal = &v->ring[i].own;
    }
}

void vhost_keep(struct vhost *v, struct vhost_kept *k)
{
    v->kept = k;
    for (unsigned i = 0; k && i < VHOST_MAX_RINGS; i++)
        v->ring[i].journal = &k->ring[i].journal;
}

/* Unlike a ring that is stopped in order, one that the front end left keeps its journal: it may
 * come back with it. */
static void leave(void *arg)
{
    struct vhost *v = arg;

    for (unsigned i = 0; i < VHOST_MAX_RINGS; i++)
        v->ring[i].q.state = VQ_OFF;
    v->pairs = 0;
    v->log_bits = NULL;
}

void vhost_fini(struct vhost *v)
{
    struct vhost_kept *kept;
    struct vhost_counters n;
    bool polled;

    v->ops->on_core(v->ctx, leave, v);
    for (unsigned i = 0; i < v->nmaps; i++)
        unmap(&v->map[i]);
    unmap(&v->log);
    unmap(&v->inflight);
    for (unsigned i = 0; i < VHOST_MAX_RINGS; i++) {
        replace_kick(v, &v->ring[i], -1);
        replace_fd(&v->ring[i].call, -1);
        replace_fd(&v->ring[i].err, -1);
    }
    replace_fd(&v->backend_req, -1);
    polled = v->polled;
    n = v->n;
    kept = v->kept;
    vhost_init(v, v->ops, v->ctx, v->max_pairs);
    v->polled = polled;
    v->n = n;
    vhost_keep(v, kept);
}
