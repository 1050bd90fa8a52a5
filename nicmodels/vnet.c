/* SPDX-License-Identifier: BSD-3-Clause */
#include "vnet.h"

#include <endian.h>
#include <string.h>

#include "model.h"
#include "offload.h"

#define UDP_CSUM_OFFSET 6
#define FETCH_AHEAD     8   /* chains: what so many copies take is about a miss */
#define MAX_HEADERS     256 /* bytes of Ethernet, IP and transport headers that are looked at */

/* --- to the network --- */

/* One chain, as it is being sent. */
struct sending {
    const struct vnet *n;
    const struct vq_chain *c;
    struct vnet_hdr hdr;
    uint32_t at;  /* where the frame begins in the chain */
    uint32_t len; /* bytes of it */
};

static bool read_header(struct sending *s)
{
    s->at = vnet_hdr_len(s->n);
    if (s->c->out_len < s->at ||
        !vq_chain_copy(s->n->mem, s->c, 0, &s->hdr, sizeof(s->hdr) - 2, false))
        return false;
    s->len = s->c->out_len - s->at;
    return true;
}

static bool read_frame(const struct sending *s, uint32_t at, void *to, uint32_t len)
{
    return vq_chain_copy(s->n->mem, s->c, s->at + at, to, len, false);
}

/* 5.1.6.2: the checksum of everything from csum_start on. */
static bool complete_checksum(const struct vnet_hdr *h, uint8_t *frame, size_t len)
{
    size_t start = le16toh(h->csum_start), offset = le16toh(h->csum_offset);

    return nm_csum_insert(frame, len, start, len, start + offset, offset == UDP_CSUM_OFFSET);
}

/* Room for the next frame; there is some. */
static uint8_t *next_room(const struct vnet_room *out)
{
    return out->f[out->n].data;
}

static void frame_done(struct vnet_room *out, uint32_t len)
{
    out->f[out->n++].len = len;
}

static void send_whole(const struct sending *s, struct vnet_room *out)
{
    uint8_t *frame = next_room(out);

    if (s->len < NM_ETH_HLEN || s->len > NM_MAX_FRAME || !read_frame(s, 0, frame, s->len))
        return;
    if ((s->hdr.flags & VNET_HDR_F_NEEDS_CSUM) && !complete_checksum(&s->hdr, frame, s->len))
        return;
    frame_done(out, s->len);
}

static bool kind_matches(uint8_t gso_type, const struct nm_tso *t)
{
    switch (gso_type & ~VNET_GSO_ECN) {
    case VNET_GSO_TCPV4: return !t->udp && !t->ipv6;
    case VNET_GSO_TCPV6: return !t->udp && t->ipv6;
    case VNET_GSO_UDP_L4: return t->udp;
    default: return false;
    }
}

/* What the headers really are; hdr_len in the virtio header is a hint only (5.1.6.2.2). */
static bool read_headers(const struct sending *s, uint8_t headers[MAX_HEADERS], struct nm_tso *t)
{
    uint32_t n = s->len < MAX_HEADERS ? s->len : MAX_HEADERS;
    uint16_t mss = le16toh(s->hdr.gso_size);

    return mss && read_frame(s, 0, headers, n) && nm_tso_of(headers, n, mss, s->len, t) &&
           kind_matches(s->hdr.gso_type, t) && t->hdr_len + (uint32_t)mss <= NM_MAX_FRAME;
}

static bool send_segment(const struct sending *s, const struct nm_tso *t, const uint8_t *headers,
                         uint32_t i, struct vnet_room *out)
{
    uint8_t *frame = next_room(out);
    uint32_t n = nm_tso_len(t, i);

    memcpy(frame, headers, t->hdr_len);
    if (!read_frame(s, t->hdr_len + i * t->mss, frame + t->hdr_len, n))
        return false;
    nm_tso_finish(t, i, frame);
    frame_done(out, t->hdr_len + n);
    return true;
}

/* Segments from *i on, while there is room. @return true: that was all of it */
static bool send_segments(const struct sending *s, uint32_t *i, struct vnet_room *out)
{
    uint8_t headers[MAX_HEADERS];
    struct nm_tso t;

    if (!read_headers(s, headers, &t))
        return true;
    for (; *i < nm_tso_count(&t); ++*i) {
        if (out->n == out->size)
            return false;
        if (!send_segment(s, &t, headers, *i, out))
            return true;
    }
    return true;
}

static bool read_chain(const void *from, uint32_t at, void *to, uint32_t len)
{
    return read_frame(from, at, to, len);
}

/* Is it such as others can take whole? TCP, with its checksum begun where it should be. ECN's CWR,
 * which belongs in the first segment only, is not told on. */
static bool may_go_whole(const struct sending *s, struct nm_tso *t)
{
    uint8_t headers[MAX_HEADERS];

    return s->n->send_large && (s->hdr.flags & VNET_HDR_F_NEEDS_CSUM) &&
           !(s->hdr.gso_type & VNET_GSO_ECN) && read_headers(s, headers, t) && !t->udp &&
           le16toh(s->hdr.csum_start) == t->l4;
}

/* @return false: it has to be segmented */
static bool send_large(const struct sending *s, struct vnet_room *out, bool *done)
{
    struct nm_tso t;

    if (!may_go_whole(s, &t))
        return false;
    *done = !out->n;
    if (out->n)
        return true;
    if (!s->n->send_large(s->n->ctx, &t, read_chain, s))
        return false;
    out->size--;
    return true;
}

/* @return true: done with, sent or not */
static bool send_chain(const struct vnet *n, const struct vq_chain *c, uint32_t *segment,
                       struct vnet_room *out)
{
    struct sending s = {.n = n, .c = c};
    bool done = true;

    if (!read_header(&s))
        return true;
    if (s.hdr.gso_type == VNET_GSO_NONE)
        send_whole(&s, out);
    else if (*segment || !send_large(&s, out, &done))
        done = send_segments(&s, segment, out);
    if (done)
        *segment = 0;
    return done;
}

/* A buffer's first lines: header, and what a switch looks at. */
static inline void fetch(const struct vq_plain *b)
{
    __builtin_prefetch(b->p);
    __builtin_prefetch(b->p + 64);
}

/* Most frames lie behind their header, in one buffer, with nothing to be done to them.
 * @return false: this one is not of that kind, and nothing happened */
static inline bool send_plain(const struct vq_plain *b, uint32_t head, struct vnet_room *out)
{
    uint32_t len = b->len - head;
    uint16_t wishes; /* flags and gso_type */

    if (b->len < head + NM_ETH_HLEN || len > NM_MAX_FRAME)
        return false;
    memcpy(&wishes, b->p, sizeof(wishes));
    if (wishes)
        return false;
    memcpy(next_room(out), b->p + head, len);
    frame_done(out, len);
    return true;
}

/* Plain chains, while they are that, as far as there is room. */
static void send_plain_ones(const struct vnet *n, struct virtq *q, struct vq_batch *b,
                            struct vnet_room *out)
{
    uint32_t head = vnet_hdr_len(n);
    struct vq_plain buf[VQ_BATCH];
    unsigned most = out->size - out->n, count, i;

    count = vq_take_plain(q, n->mem, b, false, buf, most < VQ_BATCH ? most : VQ_BATCH);
    for (i = 0; i < count && i < FETCH_AHEAD; i++)
        fetch(&buf[i]);
    for (i = 0; i < count; i++) {
        if (i + FETCH_AHEAD < count)
            fetch(&buf[i + FETCH_AHEAD]);
        if (!send_plain(&buf[i], head, out))
            break;
    }
    vq_untake_plain(q, b, count - i);
}

unsigned vnet_transmit(const struct vnet *n, struct virtq *q, struct vq_journal *j,
                       uint32_t *segment, struct vnet_room *out, bool *irq)
{
    unsigned before = out->n;
    struct vq_batch b;
    struct vq_chain c;

    vq_begin(q, n->mem, &b);
    if (!*segment)
        send_plain_ones(n, q, &b, out);
    while (out->n < out->size && vq_next(q, n->mem, &b, &c) == 1 &&
           send_chain(n, &c, segment, out)) {
        vq_done(q, &b, &c, 0);
        send_plain_ones(n, q, &b, out);
    }
    if (b.n && vq_publish(q, n->mem, j, &b))
        *irq = true;
    return b.n + (out->n - before);
}

/* --- from the network --- */

bool vnet_can_receive(const struct vnet *n, struct virtq *q, size_t len)
{
    uint64_t need = len + vnet_hdr_len(n), have = 0;
    struct vq_batch b;
    struct vq_chain c;

    vq_begin(q, n->mem, &b);
    while (vq_next(q, n->mem, &b, &c) == 1) {
        have += c.in_len;
        if (have >= need || !n->mergeable)
            return true;
        vq_done(q, &b, &c, 0);
    }
    return b.n == VQ_BATCH || q->state != VQ_ON;
}

static bool l4_valid(const uint8_t *frame, size_t len)
{
    struct nm_layout l;

    nm_layout_of(frame, len, &l);
    return l.ip && l.proto && nm_l4_csum_good(frame, &l);
}

static void describe_large(const struct nm_tso *t, struct vnet_hdr *h)
{
    h->flags = VNET_HDR_F_NEEDS_CSUM;
    h->gso_type = t->ipv6 ? VNET_GSO_TCPV6 : VNET_GSO_TCPV4;
    h->hdr_len = htole16(t->hdr_len);
    h->gso_size = htole16(t->mss);
    h->csum_start = htole16(t->l4);
    h->csum_offset = htole16(NM_TCP_CSUM_OFFSET);
}

static void write_header(const struct vnet *n, const struct vq_chain *first,
                         const struct vnet_frame *f, unsigned nchains)
{
    struct vnet_hdr h = {.num_buffers = htole16((uint16_t)nchains)};

    if (f->large)
        describe_large(f->large, &h);
    else if (n->tell_valid && l4_valid(f->data, f->len))
        h.flags = VNET_HDR_F_DATA_VALID;
    vq_chain_copy(n->mem, first, 0, &h, vnet_hdr_len(n), true);
}

/* One more chain takes its share, behind `skip` bytes. @return false: nothing is available */
static bool fill_chain(const struct vnet *n, struct virtq *q, struct vq_batch *b,
                       struct vq_chain *c, uint32_t skip, const uint8_t **p, size_t *left)
{
    uint32_t share;

    if (vq_next(q, n->mem, b, c) != 1 || c->in_len < skip)
        return false;
    share = c->in_len - skip < *left ? c->in_len - skip : (uint32_t)*left;
    /* Where the driver's buffer is no memory the bytes are lost; that is the driver's. */
    vq_chain_copy(n->mem, c, skip, (void *)(uintptr_t)*p, share, true);
    vq_done(q, b, c, skip + share);
    *p += share;
    *left -= share;
    return true;
}

/* The same to be written: a line that is fetched to be read would have to be asked for again. */
static inline void fetch_to_write(const struct vq_plain *b)
{
#ifdef __x86_64__ /* compilers do not know that every CPU takes it */
    __asm__ volatile("prefetchw %0\n\tprefetchw %1" : : "m"(b->p[0]), "m"(b->p[64]));
#else
    __builtin_prefetch(b->p, 1);
    __builtin_prefetch(b->p + 64, 1);
#endif
}

/* Either size is known here, so that it is two stores. */
static inline void put_header(uint8_t *p, const struct vnet_hdr *h, uint32_t len)
{
    if (len == sizeof(*h))
        memcpy(p, h, sizeof(*h));
    else
        memcpy(p, h, sizeof(*h) - sizeof(h->num_buffers));
}

/* Frames that one buffer takes, header and all, while there are such buffers.
 * @return how many frames */
static unsigned fill_plain_ones(const struct vnet *n, struct virtq *q, struct vq_batch *b,
                                const struct vnet_frame *f, unsigned count)
{
    struct vnet_hdr h = {.num_buffers = htole16(1)};
    uint32_t head = vnet_hdr_len(n);
    struct vq_plain buf[VQ_BATCH];
    unsigned i, first = b->n;

    if (n->tell_valid)
        return 0;
    count = vq_take_plain(q, n->mem, b, true, buf, count < VQ_BATCH ? count : VQ_BATCH);
    for (i = 0; i < count; i++)
        fetch_to_write(&buf[i]);
    for (i = 0; i < count && !f[i].large && buf[i].len >= head + f[i].len; i++) {
        put_header(buf[i].p, &h, head);
        memcpy(buf[i].p + head, f[i].data, f[i].len);
        b->used[first + i].len = head + f[i].len;
    }
    vq_untake_plain(q, b, count - i);
    return i;
}

/* Any frame into any chains. @return false: it has no room there, and is not in the batch */
static bool fill(const struct vnet *n, struct virtq *q, struct vq_batch *b,
                 const struct vnet_frame *f)
{
    struct vq_chain first, next;
    struct vq_pos before = b->to;
    unsigned had = b->n;
    const uint8_t *p = f->data;
    size_t left = f->len;

    if (fill_chain(n, q, b, &first, vnet_hdr_len(n), &p, &left))
        while (left && n->mergeable && fill_chain(n, q, b, &next, 0, &p, &left))
            ;
    if (b->n == had || left) {
        b->to = before;
        b->n = had;
        return false;
    }
    write_header(n, &first, f, b->n - had);
    return true;
}

/* As many as one batch takes. */
static unsigned receive_batch(const struct vnet *n, struct virtq *q, struct vq_journal *j,
                              const struct vnet_frame *f, unsigned count, bool *irq)
{
    struct vq_batch b;
    unsigned i;

    vq_begin(q, n->mem, &b);
    i = fill_plain_ones(n, q, &b, f, count);
    while (i < count && fill(n, q, &b, &f[i])) {
        i++;
        i += fill_plain_ones(n, q, &b, f + i, count - i);
    }
    if (vq_publish(q, n->mem, j, &b))
        *irq = true;
    return i;
}

unsigned vnet_receive(const struct vnet *n, struct virtq *q, struct vq_journal *j,
                      const struct vnet_frame *f, unsigned count, bool *irq)
{
    unsigned done = 0, more;

    do {
        more = receive_batch(n, q, j, f + done, count - done, irq);
        done += more;
    } while (more && done < count);
    return done;
}
