/* SPDX-License-Identifier: BSD-3-Clause */
/* Split virtqueues (VIRTIO 1.2, 2.7). */
#include <endian.h>
#include <errno.h>

#include "virtq_priv.h"

/* 2.7.6 and 2.7.8: flags, idx, ring[]; the last field is the event index. */
#define AVAIL_FLAGS 0
#define AVAIL_IDX   2
#define AVAIL_RING  4
#define USED_FLAGS  0
#define USED_IDX    2
#define USED_RING   4
#define USED_ELEM   8 /* bytes: le32 id, le32 len */
enum { VIRTQ_AVAIL_F_NO_INTERRUPT = 1 };
enum { VIRTQ_USED_F_NO_NOTIFY = 1 };

struct split_desc {
    uint64_t addr;
    uint32_t len;
    uint16_t flags, next;
};
_Static_assert(sizeof(struct split_desc) == VQ_DESC_SIZE, "2.7.5");

struct used_elem {
    uint32_t id, len;
};

/* A descriptor table: the queue's own, or an indirect one. */
struct table {
    uint64_t gpa;
    uint32_t count;
};

static uint64_t used_event_at(const struct virtq *q)
{
    return q->driver + AVAIL_RING + 2ull * q->size;
}

static uint64_t avail_event_at(const struct virtq *q)
{
    return q->device + USED_RING + (uint64_t)USED_ELEM * q->size;
}

static bool fits(const struct virtq *q)
{
    return !(q->size & (q->size - 1)) && !(q->desc & 15) && !(q->driver & 1) && !(q->device & 3);
}

static bool read_desc(const struct vq_mem *m, const struct table *t, uint32_t i,
                      struct split_desc *d)
{
    if (!vq_copy(m, t->gpa + (uint64_t)VQ_DESC_SIZE * i, d, sizeof(*d), false))
        return false;
    d->addr = le64toh(d->addr);
    d->len = le32toh(d->len);
    d->flags = le16toh(d->flags);
    d->next = le16toh(d->next);
    return true;
}

/* 2.7.5.3: a table of its own takes the place of the rest of the chain; tables do not nest. */
static int enter_indirect(const struct virtq *q, const struct split_desc *d, struct table *t)
{
    if (!q->indirect || t->gpa != q->desc || (d->flags & VIRTQ_DESC_F_NEXT) || !d->len ||
        d->len % VQ_DESC_SIZE)
        return -EPROTO;
    *t = (struct table){d->addr, d->len / VQ_DESC_SIZE};
    return 0;
}

/* Chains may go round in circles: vq_add_buf bounds them. */
static int walk(const struct virtq *q, const struct vq_mem *m, uint16_t head, struct vq_chain *c)
{
    struct table t = {q->desc, q->size};
    bool nested = false;
    uint32_t i = head;

    for (;;) {
        struct split_desc d;

        if (i >= t.count || !read_desc(m, &t, i, &d))
            return -EPROTO;
        if (d.flags & VIRTQ_DESC_F_INDIRECT) {
            if (nested || enter_indirect(q, &d, &t))
                return -EPROTO;
            nested = true;
            i = 0;
            continue;
        }
        if (vq_add_buf(c, d.addr, d.len, d.flags & VIRTQ_DESC_F_WRITE))
            return -EPROTO;
        if (!(d.flags & VIRTQ_DESC_F_NEXT))
            return 1;
        i = d.next;
    }
}

static int next(const struct virtq *q, const struct vq_mem *m, struct vq_pos pos,
                struct vq_chain *c)
{
    uint16_t idx, head;

    if (!vq_load16(m, q->driver + AVAIL_IDX, &idx)) /* V1 */
        return -EPROTO;
    if (idx == pos.index)
        return 0;
    if ((uint16_t)(idx - pos.index) > q->size ||
        !vq_load16(m, q->driver + AVAIL_RING + 2ull * (pos.index & (q->size - 1)), &head))
        return -EPROTO;
    c->id = head;
    c->slots = 1;
    c->nout = c->nbufs = 0;
    c->out_len = c->in_len = 0;
    return walk(q, m, head, c);
}

static bool put(const struct virtq *q, const struct vq_mem *m, struct vq_pos from, struct vq_pos to,
                const struct vq_used *used, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        uint64_t at = q->device + USED_RING +
                      (uint64_t)USED_ELEM * ((uint16_t)(from.index + i) & (q->size - 1));
        struct used_elem e = {htole32(used[i].id), htole32(used[i].len)};

        if (!vq_copy(m, at, &e, sizeof(e), true))
            return false;
    }
    return vq_store16(m, q->device + USED_IDX, to.index); /* V2 */
}

static bool shown(const struct virtq *q, const struct vq_mem *m, struct vq_pos from)
{
    uint16_t idx;

    return vq_load16(m, q->device + USED_IDX, &idx) && idx != from.index;
}

static bool interrupts(const struct virtq *q, const struct vq_mem *m, struct vq_pos from,
                       struct vq_pos to)
{
    uint16_t v;

    if (q->event_idx)
        return vq_load16(m, used_event_at(q), &v) && vq_need_event(v, to.index, from.index);
    return vq_load16(m, q->driver + AVAIL_FLAGS, &v) && !(v & VIRTQ_AVAIL_F_NO_INTERRUPT);
}

/*
 * With the event index the driver notifies when it passes avail_event, whatever the flags say. So
 * it is put just behind: the driver, at most a ring ahead, comes there after 2^16 entries. Long
 * before, vq_publish moves it.
 */
static void quiet(struct virtq *q, const struct vq_mem *m)
{
    if (q->event_idx) {
        q->quiet_at = q->pos.index;
        vq_store16(m, avail_event_at(q), (uint16_t)(q->pos.index - 1));
    } else {
        vq_store16(m, q->device + USED_FLAGS, VIRTQ_USED_F_NO_NOTIFY);
    }
}

static void arm(struct virtq *q, const struct vq_mem *m)
{
    if (q->event_idx)
        vq_store16(m, avail_event_at(q), q->pos.index);
    else
        vq_store16(m, q->device + USED_FLAGS, 0);
}

const struct vq_format vq_split = {.fits = fits,
                                   .next = next,
                                   .put = put,
                                   .shown = shown,
                                   .interrupts = interrupts,
                                   .quiet = quiet,
                                   .arm = arm};
