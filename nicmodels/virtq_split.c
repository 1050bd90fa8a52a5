/* SPDX-License-Identifier: BSD-3-Clause */
/* Split virtqueues (VIRTIO 1.2, 2.7). */
#include <endian.h>
#include <errno.h>
#include <string.h>

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

static bool view(const struct virtq *q, const struct vq_mem *m, struct vq_view *out)
{
    out->desc = vq_still(m, q->desc, (uint64_t)VQ_DESC_SIZE * q->size);
    out->driver = vq_still(m, q->driver, AVAIL_RING + 2ull * q->size);
    out->device = vq_still(m, q->device, USED_RING + (uint64_t)USED_ELEM * q->size);
    return out->desc && out->driver && out->device && !((uintptr_t)out->driver & 1) &&
           !((uintptr_t)out->device & 1);
}

/* A field of the ring: with a view it is read there. */
static bool load(const struct virtq *q, const struct vq_mem *m, const struct vq_batch *b,
                 uint64_t offset, uint16_t *value)
{
    if (!b->view.driver)
        return vq_load16(m, q->driver + offset, value);
    *value = vq_load_le16(b->view.driver + offset);
    return true;
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

/* Where the ring keeps the head of its entry `index`, from its beginning on. */
static uint64_t head_at(const struct virtq *q, uint16_t index)
{
    return AVAIL_RING + 2ull * (index & (q->size - 1));
}

/* Most chains are one descriptor of the table. @return false: this one is not */
static bool take_one(const struct virtq *q, const struct vq_batch *b, uint16_t head,
                     struct vq_chain *c)
{
    struct split_desc d;

    if (!b->view.desc || head >= q->size)
        return false;
    memcpy(&d, b->view.desc + VQ_DESC_SIZE * (size_t)head, sizeof(d));
    if (le16toh(d.flags) & (VIRTQ_DESC_F_NEXT | VIRTQ_DESC_F_INDIRECT))
        return false;
    vq_one_buf(c, le64toh(d.addr), le32toh(d.len), le16toh(d.flags) & VIRTQ_DESC_F_WRITE);
    return true;
}

/* The available index is read when all that it told of is taken: it is the line that the driver
 * writes most. @return 1, 0: nothing more, -EPROTO */
static int look(const struct virtq *q, const struct vq_mem *m, struct vq_batch *b)
{
    uint16_t idx;

    if (b->to.index != b->seen)
        return 1;
    if (!load(q, m, b, AVAIL_IDX, &idx)) /* V1 */
        return -EPROTO;
    if ((uint16_t)(idx - b->to.index) > q->size)
        return -EPROTO;
    b->seen = idx;
    return idx != b->to.index;
}

int vq_split_next(const struct virtq *q, const struct vq_mem *m, struct vq_batch *b,
                  struct vq_chain *c)
{
    uint16_t head;
    int ret = look(q, m, b);

    if (ret != 1)
        return ret;
    if (!load(q, m, b, head_at(q, b->to.index), &head))
        return -EPROTO;
    c->id = head;
    if (take_one(q, b, head, c))
        return 1;
    c->slots = 1;
    vq_no_bufs(c);
    return walk(q, m, head, c);
}

unsigned vq_split_take_plain(const struct virtq *q, const struct vq_mem *m, struct vq_batch *b,
                             uint16_t writable, struct vq_plain *out, unsigned most)
{
    uint16_t known, mask = (uint16_t)(q->size - 1);
    unsigned n;

    if (look(q, m, b) != 1)
        return 0;
    known = (uint16_t)(b->seen - b->to.index);
    most = most < known ? most : known;
    for (n = 0; n < most; n++) {
        uint16_t head =
            vq_load_le16(b->view.driver + AVAIL_RING + 2ull * (uint16_t)(b->to.index & mask));
        struct split_desc d;

        if (head >= q->size)
            break;
        memcpy(&d, b->view.desc + VQ_DESC_SIZE * (size_t)head, sizeof(d));
        out[n] =
            (struct vq_plain){vq_plain_at(m, d.addr, d.len, d.flags, writable), le32toh(d.len)};
        if (!out[n].p)
            break;
        b->used[b->n++] = (struct vq_used){b->to.index++, head, 0};
    }
    return n;
}

static bool available(const struct virtq *q, const struct vq_mem *m)
{
    uint16_t idx;

    return !vq_load16(m, q->driver + AVAIL_IDX, &idx) || idx != q->pos.index;
}

static uint64_t used_at(const struct virtq *q, uint16_t index)
{
    return USED_RING + (uint64_t)USED_ELEM * (index & (q->size - 1u));
}

static struct used_elem used_elem(const struct vq_used *u)
{
    return (struct used_elem){htole32(u->id), htole32(u->len)};
}

static void put_still(const struct virtq *q, const struct vq_batch *b)
{
    for (unsigned i = 0; i < b->n; i++) {
        struct used_elem e = used_elem(&b->used[i]);

        memcpy(b->view.device + used_at(q, (uint16_t)(b->from.index + i)), &e, sizeof(e));
    }
}

static bool put(const struct virtq *q, const struct vq_mem *m, const struct vq_batch *b)
{
    if (b->view.device)
        put_still(q, b);
    for (unsigned i = 0; i < b->n && !b->view.device; i++) {
        struct used_elem e = used_elem(&b->used[i]);

        if (!vq_copy(m, q->device + used_at(q, (uint16_t)(b->from.index + i)), &e, sizeof(e), true))
            return false;
    }
    return vq_store16(m, q->device + USED_IDX, b->to.index); /* V2 */
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
                                   .view = view,
                                   .available = available,
                                   .put = put,
                                   .shown = shown,
                                   .interrupts = interrupts,
                                   .quiet = quiet,
                                   .arm = arm};
