/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RTL8139C+: transmit descriptor rings (DS, transmit descriptors), with checksum offload, large
 * send, VLAN tags.
 *
 * A packet is looked at when all of its descriptors belong to the chip, and anew in each call: what
 * is not sent in one call (large send) is found again by the number of segments sent. So nothing of
 * a packet is kept, and a guest that changes it meanwhile only harms itself.
 */
#include <string.h>

#include "dma.h"
#include "offload.h"
#include "rtl8139.h"

enum {
    TX_TCPCS = 1 << 16,
    TX_UDPCS = 1 << 17,
    TX_IPCS = 1 << 18,
    TX_MSS_SHIFT = 16,
    TX_MSS = 0x7ff,
    TX_LGSEN = 1 << 27,
    TX_STATUS = 0x0fff0000, /* what the chip clears when it gives a descriptor back */
    TX_TAGC = 1 << 17,      /* in opts2 */
};
#define MAX_HEADERS 256            /* of a large send: Ethernet, IP and TCP with all options */
#define MAX_LARGE   (65535u + 14u) /* bytes a large send may have */

struct part {
    uint64_t addr;
    uint32_t len;
};

/* A packet as its descriptors say. */
struct packet {
    uint32_t opts1, opts2; /* of the first */
    uint32_t len;
    unsigned nparts; /* descriptors */
    uint8_t next;    /* the one behind it */
    struct part part[RTL8139_RING];
};

enum found { FOUND_NONE, FOUND_PACKET, FOUND_LATER, FOUND_NO_MEMORY };

static uint32_t *done_of(const struct nm_dev *d, unsigned q)
{
    return &rtl8139_ram_of(d)->done[q];
}

/* Descriptors that are noted still have OWN set, and are no new work: where they begin the ring
 * ends until they are given back. A guest that moves the ring's end makes the walk miss that place;
 * then their number tells. */
static bool meets_notes(const struct nm_dev *d, unsigned q, unsigned i, unsigned more)
{
    const struct rtl8139_regs *r = d->regs;
    const struct rtl8139_notes *n = &r->tx[q].notes;

    return rtl8139_notes_open(n, *done_of(d, q)) &&
           (n->first == i || n->count + more >= RTL8139_RING);
}

static enum found find_packet(struct nm_dev *d, unsigned q, struct packet *p)
{
    struct rtl8139_regs *r = d->regs;
    unsigned i = r->tx[q].next;
    struct rtl8139_desc desc;

    for (p->nparts = p->len = 0; p->nparts < RTL8139_RING;) {
        if (meets_notes(d, q, i, p->nparts))
            return FOUND_LATER;
        if (p->nparts && i == r->tx[q].next)
            break;
        if (!rtl8139_desc_read(d, rtl8139_desc_at(r->file.txds[q], i), &desc))
            return FOUND_NO_MEMORY;
        if (!(desc.opts1 & RTL_DESC_OWN))
            return FOUND_NONE;
        if (!p->nparts) {
            p->opts1 = desc.opts1;
            p->opts2 = desc.opts2;
        }
        p->part[p->nparts].addr = desc.addr;
        p->part[p->nparts++].len = desc.opts1 & RTL_DESC_LEN_TX;
        p->len += desc.opts1 & RTL_DESC_LEN_TX;
        i = p->next = rtl8139_desc_next(i, desc.opts1);
        if (desc.opts1 & RTL_DESC_LS)
            return FOUND_PACKET;
    }
    return FOUND_NONE; /* a packet without an end: nothing goes before the guest mends its ring */
}

/* Bytes [from, from + len) of a packet; they are there. */
static bool copy_packet(struct nm_dev *d, const struct packet *p, uint32_t from, uint8_t *to,
                        uint32_t len)
{
    for (unsigned i = 0; i < p->nparts && len; i++) {
        uint32_t n = p->part[i].len;

        if (from >= n) {
            from -= n;
            continue;
        }
        n = n - from < len ? n - from : len;
        if (!nm_dma_read(d, p->part[i].addr + from, to, n))
            return false;
        from = 0;
        to += n;
        len -= n;
    }
    return true;
}

static bool tagged(const struct packet *p)
{
    return p->opts2 & TX_TAGC;
}

/* Bytes a frame may have before its tag is put in. */
static uint32_t longest(const struct packet *p)
{
    return NM_MAX_FRAME - (tagged(p) ? NM_VLAN_HLEN : 0);
}

static void send_frame(struct nm_dev *d, const struct packet *p, uint8_t *frame, size_t len)
{
    /* The tag lies in the descriptor as it goes over the wire, first byte lowest. */
    if (tagged(p) && len >= 12)
        len = nm_vlan_insert(frame, len, NM_ETH_VLAN, __builtin_bswap16((uint16_t)p->opts2));
    rtl8139_send(d, frame, len);
}

static void put_checksums(const struct packet *p, uint8_t *frame, size_t len)
{
    struct nm_layout l;

    if (!(p->opts1 & (TX_IPCS | TX_TCPCS | TX_UDPCS)))
        return;
    nm_layout_of(frame, len, &l);
    if (p->opts1 & TX_IPCS)
        nm_ip_csum_put(frame, &l);
    if ((l.proto == NM_PROTO_TCP && (p->opts1 & TX_TCPCS)) ||
        (l.proto == NM_PROTO_UDP && (p->opts1 & TX_UDPCS)))
        nm_l4_csum_put(frame, &l);
}

/* One frame. What is longer than a frame can be is cut off. @return false: memory is missing */
static bool send_one(struct nm_dev *d, const struct packet *p)
{
    uint32_t len = p->len < longest(p) ? p->len : longest(p);
    uint8_t frame[NM_MAX_FRAME];

    if (!copy_packet(d, p, 0, frame, len))
        return false;
    if (!(p->opts1 & TX_LGSEN))
        put_checksums(p, frame, len);
    send_frame(d, p, frame, len);
    return true;
}

/* The headers of a large send, TCP over IPv4. @return false: it is none */
static bool large_send(struct nm_dev *d, const struct packet *p, uint8_t *hdr, struct nm_tso *t)
{
    uint32_t whole = p->len < MAX_LARGE ? p->len : MAX_LARGE;
    uint32_t len = p->len < MAX_HEADERS ? p->len : MAX_HEADERS;
    uint16_t mss = p->opts1 >> TX_MSS_SHIFT & TX_MSS;

    if (!(p->opts1 & TX_LGSEN) || !copy_packet(d, p, 0, hdr, len) ||
        !nm_tso_of(hdr, len, mss, whole, t) || t->udp || t->ipv6)
        return false;
    if (t->hdr_len + t->mss > longest(p))
        t->mss = (uint16_t)(longest(p) - t->hdr_len);
    return true;
}

/* As many segments as `budget` allows. @return frames; *all: none is left; -1: memory is missing */
static int send_segments(struct nm_dev *d, const struct packet *p, const struct nm_tso *t,
                         const uint8_t *hdr, uint32_t *sent, unsigned budget)
{
    uint8_t frame[NM_MAX_FRAME];
    int n = 0;

    for (; budget && *sent < nm_tso_count(t); budget--, n++, ++*sent) {
        uint32_t len = nm_tso_len(t, *sent);

        memcpy(frame, hdr, t->hdr_len);
        if (!copy_packet(d, p, t->hdr_len + *sent * t->mss, frame + t->hdr_len, len))
            return -1;
        nm_tso_finish(t, *sent, frame);
        send_frame(d, p, frame, t->hdr_len + len);
    }
    return n;
}

/* The packet is done with: its descriptors go back. */
static void note(struct nm_dev *d, unsigned q, const struct packet *p, uint16_t isr_bits)
{
    struct rtl8139_regs *r = d->regs;
    struct rtl8139_txring *t = &r->tx[q];

    rtl8139_notes_begin(&t->notes, *done_of(d, q), t->next);
    t->notes.count = (uint8_t)(t->notes.count + p->nparts);
    t->next = p->next;
    t->sent = 0;
    rtl8139_raise(d, isr_bits);
}

static void lost(struct nm_dev *d, unsigned q, const struct packet *p)
{
    struct rtl8139_regs *r = d->regs;

    r->tally.tx_err++;
    rtl8139_abort(d);
    note(d, q, p, RTL_ISR_TER);
}

/* @return frames sent, at most `budget`, which is not 0 */
static unsigned send_packet(struct nm_dev *d, unsigned q, const struct packet *p, unsigned budget)
{
    struct rtl8139_regs *r = d->regs;
    uint8_t hdr[MAX_HEADERS];
    struct nm_tso t;
    int n = 1;

    if (!large_send(d, p, hdr, &t)) {
        n = send_one(d, p) ? 1 : -1;
    } else {
        n = send_segments(d, p, &t, hdr, &r->tx[q].sent, budget);
        if (n >= 0 && r->tx[q].sent < nm_tso_count(&t))
            return (unsigned)n;
    }
    if (n < 0)
        lost(d, q, p);
    else
        note(d, q, p, RTL_ISR_TOK);
    return n > 0 ? (unsigned)n : 0;
}

static void stop(struct nm_dev *d, unsigned q)
{
    struct rtl8139_regs *r = d->regs;

    r->file.tppoll &= (uint8_t) ~(q == RTL_QUEUE_HIGH ? RTL_TPPOLL_HPQ : RTL_TPPOLL_NPQ);
}

/* @return frames */
static unsigned transmit_queue(struct nm_dev *d, unsigned q, unsigned budget)
{
    unsigned frames = 0, packets = 0;
    enum found found = FOUND_PACKET;
    struct packet p;

    while (frames < budget && packets < RTL8139_RING) {
        found = find_packet(d, q, &p);
        if (found != FOUND_PACKET)
            break;
        frames += send_packet(d, q, &p, budget - frames);
        packets++;
    }
    if (found == FOUND_NO_MEMORY)
        rtl8139_abort(d);
    if (found == FOUND_NONE && packets)
        rtl8139_raise(d, RTL_ISR_TDU);
    if (found == FOUND_NONE || found == FOUND_NO_MEMORY)
        stop(d, q);
    return frames;
}

unsigned rtl8139_cp_transmit(struct nm_dev *d)
{
    struct rtl8139_regs *r = d->regs;
    unsigned frames = 0;

    if (!rtl8139_tx_on(r) || !rtl8139_cp_tx_mode(r))
        return 0;
    if (r->file.tppoll & RTL_TPPOLL_HPQ)
        frames = transmit_queue(d, RTL_QUEUE_HIGH, RTL8139_BURST);
    if ((r->file.tppoll & RTL_TPPOLL_NPQ) && frames < RTL8139_BURST)
        frames += transmit_queue(d, RTL_QUEUE_NORMAL, RTL8139_BURST - frames);
    return frames;
}

/* Edge D2: status is written as one double word; the driver reads OWN, then goes on. */
static void give_back(struct nm_dev *d, unsigned q)
{
    const struct rtl8139_regs *r = d->regs;
    const struct rtl8139_notes *n = &r->tx[q].notes;
    unsigned was = rtl8139_notes_done(n, *done_of(d, q)), i = n->first;
    uint32_t opts1 = 0;

    if (was >= n->count)
        return;
    for (unsigned k = 0; k < n->count; k++, i = rtl8139_desc_next(i, opts1)) {
        uint64_t at = rtl8139_desc_at(r->file.txds[q], i);

        if (!nm_dma_read(d, at, &opts1, sizeof(opts1)))
            break;
        if (k < was)
            continue;
        if (opts1 & RTL_DESC_OWN)
            nm_dma_publish(d, at, opts1 & ~(RTL_DESC_OWN | TX_STATUS), sizeof(opts1));
        rtl8139_notes_did(n, k + 1, done_of(d, q));
    }
    rtl8139_notes_did(n, n->count, done_of(d, q));
}

void rtl8139_cp_tx_give_back(struct nm_dev *d)
{
    for (unsigned q = 0; q < RTL_NQUEUES; q++)
        give_back(d, q);
}
