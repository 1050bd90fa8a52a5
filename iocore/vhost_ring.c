/* SPDX-License-Identifier: BSD-3-Clause */
/* A vhost-user front end's rings, as the I/O core sees them. */
#include <string.h>
#include <unistd.h>

#include "../nicmodels/virtio_pci.h" /* feature bits */
#include "counter.h"
#include "vhost_user.h"

#define LOG_PAGE 4096

/* --- guest memory --- */

static void log_pages(const struct vhost *v, uint64_t gpa, uint64_t len)
{
    for (uint64_t page = gpa / LOG_PAGE; page <= (gpa + len - 1) / LOG_PAGE; page++)
        if (page / 8 < v->log_size)
            __atomic_fetch_or(&v->log_bits[page / 8], (uint8_t)(1u << page % 8), __ATOMIC_RELEASE);
}

/* A page is logged after it was written: the front end may clear the bit and copy in between. A
 * pointer is good until the next call, so what was asked for before is written by now. */
static void log_last_write(struct vhost *v)
{
    if (v->wrote_len && v->log_bits)
        log_pages(v, v->wrote, v->wrote_len);
    v->wrote_len = 0;
}

static void *at(void *ctx, uint64_t gpa, uint64_t *len, bool write)
{
    struct vhost *v = ctx;
    void *p = guestmem_at(&v->mem, gpa, len);

    log_last_write(v);
    if (write && p) {
        v->wrote = gpa;
        v->wrote_len = *len;
    }
    return p;
}

/* What is mapped stays mapped while the core has the rings. With a log each write has to pass by
 * at(). */
static struct vq_mem mem_of(const struct vhost *v)
{
    return (struct vq_mem){.at = at,
                           .ctx = (void *)(uintptr_t)v,
                           .piece = v->piece,
                           .npieces = v->log_bits ? 0 : v->mem.nregions};
}

/* The front end gives rings in its own addresses. @return false: not in its memory */
static bool to_gpa(const struct vhost *v, uint64_t uaddr, uint64_t *gpa)
{
    for (unsigned i = 0; i < v->mem.nregions; i++) {
        uint64_t off = uaddr - v->uaddr[i];

        if (off < v->mem.region[i].size) {
            *gpa = v->mem.region[i].gpa + off;
            return true;
        }
    }
    return false;
}

/* --- life of a ring --- */

static bool has(const struct vhost *v, uint64_t feature)
{
    return (v->features & feature) != 0;
}

void vhost_count_pairs(struct vhost *v)
{
    v->pairs = 0;
    while (v->pairs < v->max_pairs && v->ring[2 * v->pairs].enabled &&
           v->ring[2 * v->pairs].q.state == VQ_ON)
        v->pairs++;
}

/*
 * A packed ring's first lap has wrap counter 1, which its base says; User-Mode Linux says 0 of any
 * fresh ring. At the beginning of a lap with counter 0 the first descriptor was used before, so its
 * USED bit is set; in a fresh ring it never was.
 */
static struct vq_pos base_of(const struct vhost_ring *r, const struct vq_mem *m)
{
    uint8_t flags[2] = {0};

    if (r->q.packed && !r->base.index && !r->base.wrap &&
        vq_copy(m, r->q.desc + 14, flags, sizeof(flags), false) && !(flags[1] & 0x80))
        return vq_first(true);
    return r->base;
}

/* The mapping a place in guest memory is in. It is in one. */
static const struct vhost_map *map_at(const struct vhost *v, uint64_t gpa)
{
    unsigned i = 0;

    while (gpa - v->mem.region[i].gpa >= v->mem.region[i].size)
        i++;
    return &v->map[i];
}

/*
 * A kept journal is for a packed ring that a former process left: where that has got stands nowhere
 * in guest memory, and QEMU says the base it began with. It is forgotten if another guest came, or
 * the ring is split: then the front end reads the base in its used ring.
 */
static void recall(struct vhost *v, unsigned i)
{
    const struct vhost_map *m = map_at(v, v->ring[i].q.desc);
    struct vhost_kept_ring *k = v->kept ? &v->kept->ring[i] : NULL;
    struct vhost_ring *r = &v->ring[i];

    if (!k || r->journal != &k->journal)
        return;
    if (r->q.packed && k->dev == m->dev && k->ino == m->ino && k->desc == r->q.desc)
        return;
    memset(&k->journal.word, 0, sizeof(k->journal.word));
    k->dev = m->dev;
    k->ino = m->ino;
    k->desc = r->q.desc;
}

/* Every start is the first of its kind: what a journal says is of this ring, or of nothing (it is
 * emptied when a ring is stopped in order). */
void vhost_ring_start(struct vhost *v, unsigned i)
{
    struct vhost_ring *r = &v->ring[i];
    struct vq_mem m = mem_of(v);

    if (r->q.state == VQ_ON || !r->kicked || !r->q.size || !to_gpa(v, r->desc, &r->q.desc) ||
        !to_gpa(v, r->driver, &r->q.driver) || !to_gpa(v, r->device, &r->q.device))
        return;
    r->q.packed = has(v, VIRTIO_F_RING_PACKED);
    r->q.event_idx = has(v, VIRTIO_F_EVENT_IDX);
    r->q.indirect = has(v, VIRTIO_F_INDIRECT_DESC);
    r->q.epoch = 0;
    r->segment = 0;
    recall(v, i);
    if (vq_start(&r->q, &m, base_of(r, &m), v->polled || !(i & 1)) == 0) {
        vq_resume(&r->q, &m, r->journal);
        if (r->q.polled)
            vq_quiet(&r->q, &m);
        r->interrupted = true; /* one may have died with a former process */
    }
    log_last_write(v);
    vhost_count_pairs(v);
    vhost_signal(v);
}

void vhost_ring_stop(struct vhost *v, unsigned i)
{
    struct vhost_ring *r = &v->ring[i];

    if (r->q.state != VQ_OFF) {
        r->base = r->q.pos;
        r->q.state = VQ_OFF;
        memset(&r->journal->word, 0, sizeof(r->journal->word));
    }
    r->kicked = false;
    vhost_count_pairs(v);
}

/* --- frames --- */

static struct vnet vnet_of(const struct vhost *v, const struct vq_mem *m)
{
    return (struct vnet){.mem = m,
                         .mergeable = has(v, VIRTIO_NET_F_MRG_RXBUF),
                         .legacy = !has(v, VIRTIO_F_VERSION_1),
                         .tell_valid = has(v, VIRTIO_NET_F_GUEST_CSUM)};
}

/* A ring that runs but is disabled is emptied, and its frames go nowhere. */
static void send(struct vhost *v, unsigned i, const struct vnet_room *out)
{
    if (!v->ring[i].enabled || !out->n)
        return;
    for (unsigned k = 0; k < out->n && v->pairs > 1; k++)
        nm_flows_learn(&v->flows, out->f[k].data, out->f[k].len, i / 2);
    counter_add(&v->n.tx_frames, out->n);
    v->ops->send(v->ctx, out->n);
}

static unsigned poll_ring(struct vhost *v, const struct vq_mem *m, unsigned i)
{
    struct vhost_ring *r = &v->ring[i];
    struct vnet n = vnet_of(v, m);
    struct vnet_room out = {0};
    unsigned work;

    out.f = v->ops->room(v->ctx, &out.size);
    work = vnet_transmit(&n, &r->q, r->journal, &r->segment, &out, &r->interrupted);
    send(v, i, &out);
    return work;
}

unsigned vhost_poll(struct vhost *v)
{
    struct vq_mem m = mem_of(v);
    unsigned work = 0;

    for (unsigned i = 1; i < 2 * v->max_pairs; i += 2)
        if (vq_available(&v->ring[i].q, &m))
            work += poll_ring(v, &m, i);
    if (work) {
        log_last_write(v);
        vhost_signal(v);
    }
    return work;
}

/* Frames in a row for one ring. @return how many it took */
static unsigned receive_run(struct vhost *v, unsigned pair, const struct vnet_frame *f, unsigned n)
{
    struct vhost_ring *r = &v->ring[2 * pair];
    struct vq_mem m = mem_of(v);
    struct vnet net = vnet_of(v, &m);

    return vnet_receive(&net, &r->q, r->journal, f, n, &r->interrupted);
}

/* @return how many of the frames go to the same pair as the first */
static unsigned run_length(const struct vhost *v, const struct vnet_frame *f, unsigned n,
                           unsigned *pair)
{
    unsigned i = 1;

    *pair = nm_flows_pair(&v->flows, f->data, f->len, v->pairs);
    if (v->pairs == 1)
        return n;
    while (i < n && nm_flows_pair(&v->flows, f[i].data, f[i].len, v->pairs) == *pair)
        i++;
    return i;
}

unsigned vhost_receive(struct vhost *v, const struct vnet_frame *f, unsigned n)
{
    unsigned done = 0, run = 0, taken = 0;

    while (done < n && v->pairs && taken == run) {
        unsigned pair;

        run = run_length(v, f + done, n - done, &pair);
        taken = receive_run(v, pair, f + done, run);
        done += taken;
    }
    counter_add(&v->n.rx_frames, done);
    counter_add(&v->n.rx_drops, n - done);
    return done;
}

void vhost_signal(struct vhost *v)
{
    uint64_t one = 1;

    log_last_write(v);
    for (unsigned i = 0; i < 2 * v->max_pairs; i++) {
        if (!v->ring[i].interrupted)
            continue;
        v->ring[i].interrupted = false;
        if (v->ring[i].call >= 0 && write(v->ring[i].call, &one, sizeof(one)) == sizeof(one))
            counter_add(&v->n.calls, 1); /* else it is full: an interrupt is pending anyway */
    }
}

/* --- sleeping --- */

bool vhost_pending(const struct vhost *v)
{
    struct vq_mem m = mem_of(v);

    for (unsigned i = 1; i < 2 * v->max_pairs; i += 2)
        if (vq_available(&v->ring[i].q, &m))
            return true;
    return false;
}

bool vhost_arm(struct vhost *v)
{
    struct vq_mem m = mem_of(v);
    bool quiet = true;

    v->polled = false;
    for (unsigned i = 1; i < 2 * v->max_pairs; i += 2)
        quiet &= vq_arm(&v->ring[i].q, &m);
    log_last_write(v);
    return quiet;
}

void vhost_count_queues(const struct vhost *v, unsigned *run, unsigned *broken)
{
    *run = *broken = 0;
    for (unsigned i = 0; i < VHOST_MAX_RINGS; i++) {
        uint8_t state = __atomic_load_n(&v->ring[i].q.state, __ATOMIC_RELAXED);

        *run += state == VQ_ON;
        *broken += state == VQ_BROKEN;
    }
}

/* What became available while a queue was armed the driver kicked for (V3). The descriptor itself
 * is not read: it is the front end's too, who could make that wait. */
void vhost_disarm(struct vhost *v)
{
    struct vq_mem m = mem_of(v);

    v->polled = true;
    for (unsigned i = 1; i < 2 * v->max_pairs; i += 2) {
        if (vq_available(&v->ring[i].q, &m))
            counter_add(&v->n.kicks, 1);
        vq_quiet(&v->ring[i].q, &m);
    }
    log_last_write(v);
}
