/* SPDX-License-Identifier: BSD-3-Clause */
#include "vnet.h"

#include <endian.h>
#include <string.h>

#include "model.h"
#include "offload.h"

#define UDP_CSUM_OFFSET 6
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

static void send_whole(const struct sending *s)
{
    uint8_t frame[NM_MAX_FRAME];

    if (s->len < NM_ETH_HLEN || s->len > sizeof(frame) || !read_frame(s, 0, frame, s->len))
        return;
    if ((s->hdr.flags & VNET_HDR_F_NEEDS_CSUM) && !complete_checksum(&s->hdr, frame, s->len))
        return;
    s->n->send(s->n->ctx, frame, s->len);
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
                         uint32_t i)
{
    uint8_t frame[NM_MAX_FRAME];
    uint32_t n = nm_tso_len(t, i);

    memcpy(frame, headers, t->hdr_len);
    if (!read_frame(s, t->hdr_len + i * t->mss, frame + t->hdr_len, n))
        return false;
    nm_tso_finish(t, i, frame);
    s->n->send(s->n->ctx, frame, t->hdr_len + n);
    return true;
}

/* Segments from *i on, while there is room. @return true: that was all of it */
static bool send_segments(const struct sending *s, uint32_t *i, unsigned *room)
{
    uint8_t headers[MAX_HEADERS];
    struct nm_tso t;

    if (!read_headers(s, headers, &t))
        return true;
    for (; *i < nm_tso_count(&t); ++*i, --*room) {
        if (!*room)
            return false;
        if (!send_segment(s, &t, headers, *i))
            return true;
    }
    return true;
}

static bool read_chain(const void *from, uint32_t at, void *to, uint32_t len)
{
    return read_frame(from, at, to, len);
}

/* Whole, if it is such as others can take: TCP, with its checksum begun where it should be. ECN's
 * CWR, which belongs in the first segment only, is not told on. */
static bool send_large(const struct sending *s)
{
    uint8_t headers[MAX_HEADERS];
    struct nm_tso t;

    return s->n->send_large && (s->hdr.flags & VNET_HDR_F_NEEDS_CSUM) &&
           !(s->hdr.gso_type & VNET_GSO_ECN) && read_headers(s, headers, &t) && !t.udp &&
           le16toh(s->hdr.csum_start) == t.l4 && s->n->send_large(s->n->ctx, &t, read_chain, s);
}

/* @return true: done with, sent or not */
static bool send_chain(const struct vnet *n, const struct vq_chain *c, uint32_t *segment,
                       unsigned *room)
{
    struct sending s = {.n = n, .c = c};
    bool done = true;

    if (!read_header(&s))
        return true;
    if (s.hdr.gso_type == VNET_GSO_NONE) {
        send_whole(&s);
        --*room;
    } else if (!*segment && send_large(&s)) {
        --*room;
    } else {
        done = send_segments(&s, segment, room);
    }
    if (done)
        *segment = 0;
    return done;
}

unsigned vnet_transmit(const struct vnet *n, struct virtq *q, struct vq_journal *j,
                       uint32_t *segment, unsigned *room, bool *irq)
{
    unsigned before = *room;
    struct vq_batch b;
    struct vq_chain c;

    vq_begin(q, &b);
    while (*room && vq_next(q, n->mem, &b, &c) == 1 && send_chain(n, &c, segment, room))
        vq_done(q, &b, &c, 0);
    if (b.n && vq_publish(q, n->mem, j, &b))
        *irq = true;
    return b.n + (before - *room);
}

/* --- from the network --- */

bool vnet_can_receive(const struct vnet *n, struct virtq *q, size_t len)
{
    uint64_t need = len + vnet_hdr_len(n), have = 0;
    struct vq_batch b;
    struct vq_chain c;

    vq_begin(q, &b);
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

static void write_header(const struct vnet *n, const struct vq_chain *first, struct vnet_hdr h,
                         unsigned nchains)
{
    h.num_buffers = htole16((uint16_t)nchains);
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

static bool receive(const struct vnet *n, struct virtq *q, struct vq_journal *j, struct vnet_hdr h,
                    const uint8_t *frame, size_t len, bool *irq)
{
    struct vq_chain first, next;
    const uint8_t *p = frame;
    struct vq_batch b;
    size_t left = len;

    vq_begin(q, &b);
    if (!fill_chain(n, q, &b, &first, vnet_hdr_len(n), &p, &left))
        return false;
    while (left && n->mergeable && fill_chain(n, q, &b, &next, 0, &p, &left))
        ;
    if (left)
        return false; /* nothing was published: the buffers stay the driver's to be filled */
    write_header(n, &first, h, b.n);
    if (vq_publish(q, n->mem, j, &b))
        *irq = true;
    return true;
}

bool vnet_receive(const struct vnet *n, struct virtq *q, struct vq_journal *j, const uint8_t *frame,
                  size_t len, bool *irq)
{
    struct vnet_hdr h = {0};

    if (n->tell_valid && l4_valid(frame, len))
        h.flags = VNET_HDR_F_DATA_VALID;
    return receive(n, q, j, h, frame, len, irq);
}

bool vnet_receive_large(const struct vnet *n, struct virtq *q, struct vq_journal *j,
                        const struct nm_tso *t, const uint8_t *frame, bool *irq)
{
    struct vnet_hdr h = {.flags = VNET_HDR_F_NEEDS_CSUM,
                         .gso_type = t->ipv6 ? VNET_GSO_TCPV6 : VNET_GSO_TCPV4,
                         .hdr_len = htole16(t->hdr_len),
                         .gso_size = htole16(t->mss),
                         .csum_start = htole16(t->l4),
                         .csum_offset = htole16(NM_TCP_CSUM_OFFSET)};

    return receive(n, q, j, h, frame, t->hdr_len + t->payload, irq);
}
