/* SPDX-License-Identifier: BSD-3-Clause */
/* What both ring formats share: memory, batches, the journal. */
#include "virtq.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "virtq_priv.h"

static const struct vq_format *format(const struct virtq *q)
{
    return q->packed ? &vq_packed : &vq_split;
}

/* --- guest memory --- */

bool vq_copy(const struct vq_mem *m, uint64_t gpa, void *buf, uint64_t len, bool write)
{
    uint8_t *p = buf, *still = vq_still(m, gpa, len);

    if (still) {
        memcpy(write ? still : p, write ? p : still, len);
        return true;
    }
    while (len) {
        uint64_t n = len;
        void *host = m->at(m->ctx, gpa, &n, write);

        if (!host)
            return false;
        if (write)
            memcpy(host, p, n);
        else
            memcpy(p, host, n);
        p += n;
        gpa += n;
        len -= n;
    }
    return true;
}

/* A ring's fields are aligned, so they lie in one piece; where memory itself is at an odd address
 * there is none. */
static uint16_t *field(const struct vq_mem *m, uint64_t gpa, bool write)
{
    uint64_t len = sizeof(uint16_t);
    void *p = vq_still(m, gpa, len);

    if (!p)
        p = m->at(m->ctx, gpa, &len, write);
    return len == sizeof(uint16_t) && !((uintptr_t)p & 1) ? p : NULL;
}

bool vq_load16(const struct vq_mem *m, uint64_t gpa, uint16_t *value)
{
    const uint16_t *p = field(m, gpa, false);

    if (p)
        *value = le16toh(__atomic_load_n(p, __ATOMIC_ACQUIRE));
    return p;
}

bool vq_store16(const struct vq_mem *m, uint64_t gpa, uint16_t value)
{
    uint16_t *p = field(m, gpa, true);

    if (p)
        __atomic_store_n(p, htole16(value), __ATOMIC_RELEASE);
    return p;
}

/* --- chains --- */

int vq_add_buf(struct vq_chain *c, uint64_t gpa, uint32_t len, bool writable)
{
    uint32_t *sum = writable ? &c->in_len : &c->out_len;

    /* 2.6.4.2: device-writable buffers come last. And a chain has at most 2^32 bytes (2.6.5). */
    if (c->nbufs == VQ_MAX_CHAIN || (!writable && c->nbufs != c->nout) || *sum + len < len)
        return -EPROTO;
    c->buf[c->nbufs++] = (struct vq_buf){gpa, len};
    c->nout += !writable;
    *sum += len;
    return 0;
}

bool vq_chain_copy(const struct vq_mem *m, const struct vq_chain *c, uint32_t at, void *buf,
                   uint32_t len, bool write)
{
    unsigned i = write ? c->nout : 0, end = write ? c->nbufs : c->nout;
    uint8_t *p = buf;

    for (; len && i < end; i++) {
        const struct vq_buf *b = &c->buf[i];
        uint32_t n;

        if (at >= b->len) {
            at -= b->len;
            continue;
        }
        n = b->len - at < len ? b->len - at : len;
        if (!vq_copy(m, b->gpa + at, p, n, write))
            return false;
        at = 0;
        p += n;
        len -= n;
    }
    return !len;
}

/* --- the journal --- */

static void store_word(struct vq_journal *j, struct vq_word w)
{
    uint64_t bits;

    memcpy(&bits, &w, sizeof(bits));
    /* What was stored before stands in memory when the process dies after this; so does this when
     * it dies in the ring. */
    __atomic_store_n((uint64_t *)(void *)&j->word, bits, __ATOMIC_RELEASE);
}

static struct vq_word load_word(const struct vq_journal *j)
{
    uint64_t bits = __atomic_load_n((const uint64_t *)(const void *)&j->word, __ATOMIC_ACQUIRE);
    struct vq_word w;

    memcpy(&w, &bits, sizeof(w));
    return w;
}
_Static_assert(sizeof(struct vq_word) == sizeof(uint64_t), "stored whole");

static bool is_place(const struct virtq *q, struct vq_pos p)
{
    return q->packed ? p.index < q->size && p.wrap <= 1 : p.wrap == 0;
}

/* A journal is memory that others can write: what is out of range never happened. */
static bool read_journal(const struct virtq *q, const struct vq_journal *j, struct vq_batch *b)
{
    struct vq_word w = load_word(j);

    b->view = (struct vq_view){0};
    b->from = (struct vq_pos){w.from, w.wraps & 1};
    b->to = (struct vq_pos){w.to, w.wraps >> 1 & 1};
    b->n = w.n;
    if (w.epoch != q->epoch || w.n > VQ_BATCH || !is_place(q, b->from) || !is_place(q, b->to))
        return false;
    memcpy(b->used, j->used, w.n * sizeof(b->used[0]));
    for (unsigned i = 0; i < b->n; i++)
        if (q->packed && b->used[i].slot >= q->size)
            return false;
    return true;
}

void vq_resume(struct virtq *q, const struct vq_mem *m, struct vq_journal *j)
{
    struct vq_batch b;

    if (q->state != VQ_ON || !read_journal(q, j, &b))
        return;
    /* The driver has not seen any of a batch that is not shown, so writing it again is the same;
     * one that is shown it may have taken, and used its places for others. */
    if (b.n && !format(q)->shown(q, m, b.from) && !format(q)->put(q, m, &b))
        q->state = VQ_BROKEN;
    q->pos = b.to;
}

/* --- batches --- */

bool vq_available(const struct virtq *q, const struct vq_mem *m)
{
    return q->state == VQ_ON && format(q)->available(q, m);
}

void vq_begin(const struct virtq *q, const struct vq_mem *m, struct vq_batch *b)
{
    b->from = b->to = q->pos;
    b->n = 0;
    b->seen = q->pos.index;
    if (!m->npieces || q->state != VQ_ON || !format(q)->view(q, m, &b->view))
        b->view = (struct vq_view){0};
}

int vq_next(struct virtq *q, const struct vq_mem *m, struct vq_batch *b, struct vq_chain *c)
{
    int ret;

    if (q->state != VQ_ON || b->n == VQ_BATCH)
        return 0;
    ret = q->packed ? vq_packed_next(q, m, b, c) : vq_split_next(q, m, b, c);
    if (ret < 0)
        q->state = VQ_BROKEN;
    return ret;
}

unsigned vq_take_plain(const struct virtq *q, const struct vq_mem *m, struct vq_batch *b,
                       bool writable, struct vq_plain *out, unsigned most)
{
    uint16_t flag = writable ? VIRTQ_DESC_F_WRITE : 0;

    if (most > VQ_BATCH - b->n)
        most = VQ_BATCH - b->n;
    if (q->state != VQ_ON || !b->view.desc)
        return 0;
    return q->packed ? vq_packed_take_plain(q, m, b, flag, out, most)
                     : vq_split_take_plain(q, m, b, flag, out, most);
}

void vq_untake_plain(const struct virtq *q, struct vq_batch *b, unsigned n)
{
    b->n -= n;
    if (q->packed && n > b->to.index) {
        b->to.index = (uint16_t)(b->to.index + q->size);
        b->to.wrap ^= 1;
    }
    b->to.index = (uint16_t)(b->to.index - n);
}

bool vq_publish(struct virtq *q, const struct vq_mem *m, struct vq_journal *j,
                const struct vq_batch *b)
{
    struct vq_word w = {.from = b->from.index,
                        .to = b->to.index,
                        .wraps = (uint8_t)(b->from.wrap | b->to.wrap << 1),
                        .n = (uint8_t)b->n,
                        .epoch = q->epoch};

    if (!b->n)
        return false;
    memcpy(j->used, b->used, b->n * sizeof(b->used[0]));
    store_word(j, w);
    q->pos = b->to;
    if (!format(q)->put(q, m, b)) {
        q->state = VQ_BROKEN;
        return false;
    }
    w.n = 0;
    store_word(j, w);
    if (q->polled && q->event_idx && !q->packed && (uint16_t)(q->pos.index - q->quiet_at) > 0x4000)
        vq_quiet(q, m);
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* V4: shown before the driver's wish is read */
    return format(q)->interrupts(q, m, b->from, b->to);
}

bool vq_wants_interrupt(const struct virtq *q, const struct vq_mem *m, struct vq_pos from)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* V4 */
    return q->state == VQ_ON && format(q)->interrupts(q, m, from, q->pos);
}

/* --- start, notifications --- */

int vq_start(struct virtq *q, const struct vq_mem *m, struct vq_pos pos, bool polled)
{
    q->state = VQ_BROKEN;
    if (!q->size || q->size > VQ_MAX_SIZE || !format(q)->fits(q))
        return -EINVAL;
    q->state = VQ_ON;
    q->epoch++;
    q->pos = pos;
    if (polled)
        vq_quiet(q, m);
    else
        vq_arm(q, m);
    return 0;
}

int vq_validate(const struct virtq *q)
{
    if (q->packed > 1 || q->event_idx > 1 || q->indirect > 1 || q->polled > 1 || q->reserved ||
        q->state > VQ_BROKEN)
        return -EPROTO;
    if (q->state != VQ_ON)
        return 0;
    return q->size && q->size <= VQ_MAX_SIZE && format(q)->fits(q) && is_place(q, q->pos) ? 0
                                                                                          : -EPROTO;
}

void vq_quiet(struct virtq *q, const struct vq_mem *m)
{
    q->polled = 1;
    if (q->state == VQ_ON)
        format(q)->quiet(q, m);
}

bool vq_arm(struct virtq *q, const struct vq_mem *m)
{
    q->polled = 0;
    if (q->state != VQ_ON)
        return true;
    format(q)->arm(q, m);
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* V3: asked for, then looked once more */
    return !vq_available(q, m);
}
