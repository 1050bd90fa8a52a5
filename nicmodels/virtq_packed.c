/* SPDX-License-Identifier: BSD-3-Clause */
/* Packed virtqueues (VIRTIO 1.2, 2.8). */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "virtq_priv.h"

#define DESC_LEN   8 /* offsets in a descriptor: le64 addr, le32 len, le16 id, le16 flags */
#define DESC_FLAGS 14
#define F_AVAIL    (1u << 7)
#define F_USED     (1u << 15)

/* Event suppression structures (2.8.14): le16 off_wrap, le16 flags. */
#define EVENT_OFF_WRAP 0
#define EVENT_FLAGS    2
enum { RING_EVENT_FLAGS_ENABLE = 0, RING_EVENT_FLAGS_DISABLE = 1, RING_EVENT_FLAGS_DESC = 2 };

struct packed_desc {
    uint64_t addr;
    uint32_t len;
    uint16_t id, flags;
};
_Static_assert(sizeof(struct packed_desc) == VQ_DESC_SIZE, "2.8.13");

static uint64_t slot_at(const struct virtq *q, uint32_t slot)
{
    return q->desc + (uint64_t)VQ_DESC_SIZE * slot;
}

static bool fits(const struct virtq *q)
{
    return !(q->desc & 15) && !(q->driver & 3) && !(q->device & 3);
}

static bool view(const struct virtq *q, const struct vq_mem *m, struct vq_view *out)
{
    *out = (struct vq_view){.desc = vq_still(m, q->desc, (uint64_t)VQ_DESC_SIZE * q->size)};
    return out->desc && !((uintptr_t)out->desc & 1);
}

static bool read_desc(const struct vq_mem *m, uint64_t gpa, struct packed_desc *d)
{
    if (!vq_copy(m, gpa, d, sizeof(*d), false))
        return false;
    d->addr = le64toh(d->addr);
    d->len = le32toh(d->len);
    d->id = le16toh(d->id);
    d->flags = le16toh(d->flags);
    return true;
}

/* 2.8.1: available in this lap is what has the AVAIL bit as the wrap counter is, and USED not. */
static bool is_available(uint16_t flags, uint16_t wrap)
{
    return !!(flags & F_AVAIL) == wrap && !!(flags & F_USED) != wrap;
}

/* 2.8.7: the buffers are the table's, one after the other; NEXT has no meaning in it. */
static int read_indirect(const struct virtq *q, const struct vq_mem *m, const struct packed_desc *d,
                         struct vq_chain *c)
{
    if (!q->indirect || (d->flags & VIRTQ_DESC_F_NEXT) || !d->len || d->len % VQ_DESC_SIZE)
        return -EPROTO;
    for (uint32_t off = 0; off < d->len; off += VQ_DESC_SIZE) {
        struct packed_desc e;

        if (!read_desc(m, d->addr + off, &e) || (e.flags & VIRTQ_DESC_F_INDIRECT) ||
            vq_add_buf(c, e.addr, e.len, e.flags & VIRTQ_DESC_F_WRITE))
            return -EPROTO;
    }
    return 0;
}

/* The first descriptor's flags became visible last, so those that follow are there (2.8.6). */
static int walk(const struct virtq *q, const struct vq_mem *m, uint32_t slot, struct vq_chain *c)
{
    while (c->slots < q->size) {
        struct packed_desc d;
        int err;

        if (!read_desc(m, slot_at(q, slot), &d))
            return -EPROTO;
        c->slots++;
        if (d.flags & VIRTQ_DESC_F_INDIRECT)
            err = read_indirect(q, m, &d, c);
        else
            err = vq_add_buf(c, d.addr, d.len, d.flags & VIRTQ_DESC_F_WRITE);
        if (err)
            return err;
        c->id = d.id;
        if (!(d.flags & VIRTQ_DESC_F_NEXT))
            return 1;
        slot = slot + 1 == q->size ? 0 : slot + 1;
    }
    return -EPROTO; /* longer than the ring */
}

static bool load_flags(const struct virtq *q, const struct vq_mem *m, const uint8_t *desc,
                       uint16_t slot, uint16_t *flags)
{
    if (!desc)
        return vq_load16(m, slot_at(q, slot) + DESC_FLAGS, flags);
    *flags = vq_load_le16(desc + VQ_DESC_SIZE * (size_t)slot + DESC_FLAGS);
    return true;
}

/* Most chains are one descriptor of the ring. @return false: this one is not */
static bool take_one(const struct vq_batch *b, struct vq_chain *c)
{
    struct packed_desc d;

    if (!b->view.desc)
        return false;
    memcpy(&d, b->view.desc + VQ_DESC_SIZE * (size_t)b->to.index, sizeof(d));
    if (le16toh(d.flags) & (VIRTQ_DESC_F_NEXT | VIRTQ_DESC_F_INDIRECT))
        return false;
    c->id = le16toh(d.id);
    vq_one_buf(c, le64toh(d.addr), le32toh(d.len), le16toh(d.flags) & VIRTQ_DESC_F_WRITE);
    return true;
}

int vq_packed_next(const struct virtq *q, const struct vq_mem *m, const struct vq_batch *b,
                   struct vq_chain *c)
{
    uint16_t flags;

    if (!load_flags(q, m, b->view.desc, b->to.index, &flags)) /* V1 */
        return -EPROTO;
    if (!is_available(flags, b->to.wrap))
        return 0;
    if (take_one(b, c))
        return 1;
    c->slots = 0;
    vq_no_bufs(c);
    return walk(q, m, b->to.index, c);
}

unsigned vq_packed_take_plain(const struct virtq *q, const struct vq_mem *m, struct vq_batch *b,
                              uint16_t writable, struct vq_plain *out, unsigned most)
{
    unsigned n;

    for (n = 0; n < most; n++) {
        const uint8_t *at = b->view.desc + VQ_DESC_SIZE * (size_t)b->to.index;
        struct packed_desc d;

        if (!is_available(vq_load_le16(at + DESC_FLAGS), b->to.wrap)) /* V1 */
            break;
        memcpy(&d, at, sizeof(d));
        out[n] =
            (struct vq_plain){vq_plain_at(m, d.addr, d.len, d.flags, writable), le32toh(d.len)};
        if (!out[n].p)
            break;
        b->used[b->n++] = (struct vq_used){b->to.index, le16toh(d.id), 0};
        if (++b->to.index == q->size) {
            b->to.index = 0;
            b->to.wrap ^= 1;
        }
    }
    return n;
}

static bool available(const struct virtq *q, const struct vq_mem *m)
{
    uint16_t flags;

    return !load_flags(q, m, NULL, q->pos.index, &flags) || is_available(flags, q->pos.wrap);
}

/* The rest of a used descriptor, without its flags. */
struct used_desc {
    uint32_t len;
    uint16_t id;
} __attribute__((packed));

/* In place; the flags' store is the last, and releases the others. */
static void put_still(uint8_t *at, const struct used_desc *e, uint16_t flags)
{
    memcpy(at + DESC_LEN, e, sizeof(*e));
    __atomic_store_n((uint16_t *)(void *)(at + DESC_FLAGS), htole16(flags), __ATOMIC_RELEASE);
}

/* A used descriptor carries the wrap counter its place has in this lap (2.8.1). */
static bool put_one(const struct virtq *q, const struct vq_mem *m, const struct vq_batch *b,
                    const struct vq_used *u)
{
    uint16_t wrap = u->slot < b->from.index ? !b->from.wrap : b->from.wrap;
    uint16_t flags = (uint16_t)((wrap ? F_AVAIL | F_USED : 0) | (u->len ? VIRTQ_DESC_F_WRITE : 0));
    struct used_desc e = {htole32(u->len), htole16(u->id)};

    if (b->view.desc) {
        put_still(b->view.desc + VQ_DESC_SIZE * (size_t)u->slot, &e, flags); /* V2 */
        return true;
    }
    return vq_copy(m, slot_at(q, u->slot) + DESC_LEN, &e, sizeof(e), true) &&
           vq_store16(m, slot_at(q, u->slot) + DESC_FLAGS, flags); /* V2 */
}

/* The driver looks at the first place until that is used: so it is written last. */
static bool put(const struct virtq *q, const struct vq_mem *m, const struct vq_batch *b)
{
    for (unsigned n = b->n; n--;)
        if (!put_one(q, m, b, &b->used[n]))
            return false;
    return true;
}

static bool shown(const struct virtq *q, const struct vq_mem *m, struct vq_pos from)
{
    uint16_t flags;

    return vq_load16(m, slot_at(q, from.index) + DESC_FLAGS, &flags) &&
           !is_available(flags, from.wrap);
}

/* The event is a place in this lap or the next: both are counted from this lap's beginning. */
static bool passes(const struct virtq *q, uint16_t off_wrap, struct vq_pos from, struct vq_pos to)
{
    uint32_t lap = q->size, event = off_wrap & 0x7fff;
    uint32_t end = to.index + (to.wrap != from.wrap ? lap : 0);

    if (off_wrap >> 15 != from.wrap)
        event += lap;
    return event >= from.index && event < end;
}

static bool interrupts(const struct virtq *q, const struct vq_mem *m, struct vq_pos from,
                       struct vq_pos to)
{
    uint16_t flags, off_wrap;

    if (!vq_load16(m, q->driver + EVENT_FLAGS, &flags))
        return false;
    if (flags != RING_EVENT_FLAGS_DESC || !q->event_idx)
        return flags != RING_EVENT_FLAGS_DISABLE;
    return vq_load16(m, q->driver + EVENT_OFF_WRAP, &off_wrap) && passes(q, off_wrap, from, to);
}

static void quiet(struct virtq *q, const struct vq_mem *m)
{
    vq_store16(m, q->device + EVENT_FLAGS, RING_EVENT_FLAGS_DISABLE);
}

static void arm(struct virtq *q, const struct vq_mem *m)
{
    vq_store16(m, q->device + EVENT_FLAGS, RING_EVENT_FLAGS_ENABLE);
}

const struct vq_format vq_packed = {.fits = fits,
                                    .view = view,
                                    .available = available,
                                    .put = put,
                                    .shown = shown,
                                    .interrupts = interrupts,
                                    .quiet = quiet,
                                    .arm = arm};
