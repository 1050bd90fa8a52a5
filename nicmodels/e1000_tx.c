/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Transmission (SDM 3.3 to 3.5): from descriptors to packets, from packets to frames.
 *
 * A packet's descriptors are looked at together, once the one with EOP is there. One call sends
 * NM_TX_BURST frames at most; a large packet that is segmented goes on with the next call, from the
 * descriptors again: TDH stays at its first one, and tso_next says how many segments are gone.
 */
#include <string.h>

#include "access.h"
#include "crc32.h"
#include "dma.h"
#include "e1000_priv.h"
#include "offload.h"

#define FCS      4
#define DTYP_CTX 0
#define WB_SPARE 16 /* queue entries kept for what comes back by loopback */

/* A data or legacy descriptor. */
struct tx_seg {
    uint64_t addr;
    uint32_t len; /* bytes */
    uint8_t cmd;  /* TXD_* */
};

struct tx_packet {
    uint32_t nsegs;
    uint32_t len; /* bytes in all */
    uint8_t cmd;  /* of the last descriptor */
    uint16_t special;
    bool ext;         /* data descriptors, not legacy ones */
    bool tse;         /* the first one asks for segmentation */
    uint8_t popts;    /* data: of the first one */
    uint8_t cso, css; /* legacy: of the last one */
    struct tx_seg seg[E1000_MAX_SEGS];
};

/* One call of e1000_transmit. */
struct tx_call {
    struct nm_dev *d;
    unsigned frames; /* that may still be sent */
    unsigned descs;  /* taken */
    uint8_t frame[NM_MAX_FRAME + NM_VLAN_HLEN + FCS];
};

enum tx_found { TX_NOTHING, TX_CONTEXT, TX_PACKET, TX_TOO_LONG };

/* --- descriptors --- */

static uint8_t cmd_of(uint64_t upper)
{
    return (uint8_t)(upper >> 24);
}

static bool is_context(uint64_t upper)
{
    return cmd_of(upper) & TXD_DEXT && (upper >> 20 & 0xf) == DTYP_CTX;
}

static void load_context(struct e1000_regs *r, const uint64_t half[2])
{
    uint8_t tucmd = cmd_of(half[1]);

    r->ctx[!!(tucmd & TUCMD_TSE)] = (struct e1000_context){
        .ipcss = (uint8_t)half[0],
        .ipcso = (uint8_t)(half[0] >> 8),
        .ipcse = (uint16_t)(half[0] >> 16),
        .tucss = (uint8_t)(half[0] >> 32),
        .tucso = (uint8_t)(half[0] >> 40),
        .tucse = (uint16_t)(half[0] >> 48),
        .mss = (uint16_t)(half[1] >> 48),
        .hdrlen = (uint8_t)(half[1] >> 40),
        .tucmd = tucmd,
    };
}

static void add_segment(struct tx_packet *p, const uint64_t half[2])
{
    struct tx_seg *s = &p->seg[p->nsegs];
    uint8_t cmd = cmd_of(half[1]);
    bool ext = cmd & TXD_DEXT;

    *s = (struct tx_seg){.addr = half[0], .cmd = cmd};
    if (!p->nsegs++) {
        p->ext = ext;
        p->tse = ext && cmd & TXD_TSE;
        p->popts = (uint8_t)(half[1] >> 40);
    }
    /* A context amid a packet has no meaning and no data. */
    if (!is_context(half[1]))
        s->len = (uint32_t)(half[1] & (ext ? 0xfffff : 0xffff));
    p->len += s->len;
    p->cmd = cmd;
    p->special = (uint16_t)(half[1] >> 48);
    p->cso = (uint8_t)(half[1] >> 16);
    p->css = (uint8_t)(half[1] >> 40);
}

/* What stands at the ring's head. A context is loaded and is the packet's only segment. */
static enum tx_found look(struct nm_dev *d, const struct e1000_ring *g, struct tx_packet *p)
{
    uint32_t owned = e1000_ring_owned(g);
    uint64_t half[2];

    p->nsegs = p->len = 0;
    for (uint32_t i = 0; i < owned; i++) {
        if (i == E1000_MAX_SEGS)
            return TX_TOO_LONG;
        if (!nm_dma_read(d, e1000_ring_at(g, i), half, sizeof(half)))
            return TX_NOTHING;
        add_segment(p, half);
        if (!i && is_context(half[1])) {
            load_context(e1000_regs(d), half);
            return TX_CONTEXT;
        }
        if (p->cmd & TXD_EOP)
            return TX_PACKET;
    }
    return TX_NOTHING;
}

/* The segments looked at are done: those that ask for it are written back. */
static void done(struct tx_call *t, const struct e1000_ring *g, const struct tx_packet *p)
{
    struct e1000_regs *r = e1000_regs(t->d);
    bool report = false, delay = false;

    for (uint32_t i = 0; i < p->nsegs; i++)
        if (p->seg[i].cmd & TXD_RS) {
            e1000_wb_add(t->d, e1000_ring_at(g, i) + 12, TXD_DD, 1);
            report = true;
            delay = p->seg[i].cmd & TXD_IDE;
        }
    r->tdh = (r->tdh + p->nsegs) % g->n;
    r->tso_next = 0;
    t->descs += p->nsegs;
    if (report)
        e1000_transmitted(t->d, delay);
}

/* --- frames --- */

/* Bytes [from, from + len) of a packet's data. @return false if they are not all there */
static bool gather(struct nm_dev *d, const struct tx_packet *p, uint32_t from, uint8_t *to,
                   uint32_t len)
{
    for (uint32_t i = 0; i < p->nsegs && len; i++) {
        const struct tx_seg *s = &p->seg[i];
        uint32_t n = 0;

        if (from < s->len) {
            n = s->len - from < len ? s->len - from : len;
            if (!nm_dma_read(d, s->addr + from, to, n))
                return false;
            to += n;
            len -= n;
        }
        from = from > s->len ? from - s->len : 0;
    }
    return !len;
}

/* Without IFCS the last four bytes are the FCS: a wrong one, and nobody takes the frame. */
static size_t take_fcs(const uint8_t *frame, size_t len)
{
    if (len <= FCS || nm_crc32(0, frame, len - FCS) != nm_get_le(frame + len - FCS, FCS))
        return 0;
    return len - FCS;
}

/* The frame in t->frame, of `len` bytes, leaves. */
static void send(struct tx_call *t, const struct tx_packet *p, size_t len)
{
    struct e1000_regs *r = e1000_regs(t->d);

    t->frames--;
    if (p->cmd & TXD_VLE && r->ctrl & CTRL_VME && len >= NM_ETH_HLEN)
        len = nm_vlan_insert(t->frame, len, (uint16_t)r->vet, p->special);
    if (!(p->cmd & TXD_IFCS))
        len = take_fcs(t->frame, len);
    if (len < NM_MIN_FRAME && len >= NM_ETH_HLEN && r->tctl & TCTL_PSP) {
        memset(t->frame + len, 0, NM_MIN_FRAME - len);
        len = NM_MIN_FRAME;
    }
    if (len < NM_MIN_FRAME || len > NM_MAX_FRAME)
        return; /* a runt, or a giant, which nobody on this wire takes */
    e1000_count_tx(r, t->frame, len);
    if (r->rctl & RCTL_LBM || e1000_phy_loopback(r))
        e1000_receive_looped(t->d, t->frame, len);
    else if (e1000_link(r))
        t->d->env->tx(t->d, t->frame, len);
}

/* SDM 3.5: the offsets are the driver's; an end of 0 is the frame's. */
static void insert_sums(const struct e1000_regs *r, const struct tx_packet *p, uint8_t *f,
                        size_t len)
{
    const struct e1000_context *c = &r->ctx[p->tse];

    if (!p->ext) {
        if (p->cmd & TXD_IC)
            nm_csum_insert(f, len, p->css, len, p->cso, false);
        return;
    }
    if (p->popts & TXD_POPTS_IXSM)
        nm_csum_insert(f, len, c->ipcss, c->ipcse ? c->ipcse + 1u : len, c->ipcso, false);
    if (p->popts & TXD_POPTS_TXSM)
        nm_csum_insert(f, len, c->tucss, c->tucse ? c->tucse + 1u : len, c->tucso, true);
}

static void send_whole(struct tx_call *t, const struct tx_packet *p)
{
    size_t most = NM_MAX_FRAME + (p->cmd & TXD_IFCS ? 0 : FCS);

    if (p->len > most || !gather(t->d, p, 0, t->frame, p->len)) {
        t->frames--;
        return;
    }
    insert_sums(e1000_regs(t->d), p, t->frame, p->len);
    send(t, p, p->len);
}

static bool segmentation(const struct e1000_context *c, const struct tx_packet *p, struct nm_tso *s)
{
    *s = (struct nm_tso){
        .l3 = c->ipcss,
        .l4 = c->tucss,
        .hdr_len = c->hdrlen,
        .mss = c->mss,
        .ipv6 = !(c->tucmd & TUCMD_IP),
        .udp = !(c->tucmd & TUCMD_TCP),
    };
    if (p->len < c->hdrlen || c->hdrlen + (size_t)c->mss > NM_MAX_FRAME)
        return false;
    s->payload = p->len - c->hdrlen;
    return nm_tso_valid(s);
}

/* @return false: segments are left for the next call */
static bool send_segments(struct tx_call *t, const struct tx_packet *p)
{
    struct e1000_regs *r = e1000_regs(t->d);
    struct nm_tso s;

    if (!segmentation(&r->ctx[1], p, &s)) {
        e1000_count(r, STAT_TSCTFC);
        t->frames--;
        return true;
    }
    for (; r->tso_next < nm_tso_count(&s); r->tso_next++) {
        uint32_t i = r->tso_next, n = nm_tso_len(&s, i);

        if (!t->frames)
            return false;
        if (!gather(t->d, p, 0, t->frame, s.hdr_len) ||
            !gather(t->d, p, s.hdr_len + i * s.mss, t->frame + s.hdr_len, n)) {
            t->frames--;
            return true;
        }
        nm_tso_finish(&s, i, t->frame);
        send(t, p, s.hdr_len + n);
    }
    e1000_count(r, STAT_TSCTC);
    return true;
}

/* @return false: the packet is not through yet */
static bool send_packet(struct tx_call *t, const struct tx_packet *p)
{
    if (!p->len)
        return true;
    if (p->tse)
        return send_segments(t, p);
    send_whole(t, p);
    return true;
}

/* --- the ring --- */

/* @return false: nothing more can be done in this call, or at all (then tx_more is 0) */
static bool step(struct tx_call *t)
{
    struct e1000_regs *r = e1000_regs(t->d);
    struct e1000_ring g = e1000_tx_ring(r);
    struct tx_packet p;
    enum tx_found found;

    r->tx_more = 1;
    if (!t->frames || t->descs >= E1000_MAX_SEGS || e1000_wb_room(t->d) < E1000_MAX_SEGS + WB_SPARE)
        return false;
    found = g.n && g.head != g.tail ? look(t->d, &g, &p) : TX_NOTHING;
    if (found == TX_NOTHING) {
        r->tx_more = 0; /* until TDT moves */
        return false;
    }
    if (found == TX_PACKET && !r->tx_skip && !send_packet(t, &p))
        return false;
    if (found != TX_CONTEXT)
        r->tx_skip = found == TX_TOO_LONG;
    done(t, &g, &p);
    return true;
}

/* The ring has run dry, or low (TXDCTL.LWTHRESH, in eights). */
static void tell_level(struct nm_dev *d, uint32_t before)
{
    struct e1000_regs *r = e1000_regs(d);
    struct e1000_ring g = e1000_tx_ring(r);
    uint32_t low = (r->txdctl >> TXDCTL_LWTHRESH_SHIFT) * 8, after = e1000_ring_owned(&g);

    e1000_raise(d,
                (after ? 0 : ICR_TXQE) | (low && before >= low && after < low ? ICR_TXD_LOW : 0));
}

unsigned e1000_transmit(struct nm_dev *d)
{
    struct e1000_regs *r = e1000_regs(d);
    struct e1000_ring g = e1000_tx_ring(r);
    struct tx_call t;

    t.d = d;
    t.frames = NM_TX_BURST;
    t.descs = 0;
    d->changed = true;
    if (!(r->tctl & TCTL_EN) || !e1000_masters(r)) {
        r->tx_more = 0;
        return 0;
    }
    while (step(&t)) {}
    if (t.descs)
        tell_level(d, e1000_ring_owned(&g));
    return NM_TX_BURST - t.frames + t.descs;
}
