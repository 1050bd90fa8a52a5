/* SPDX-License-Identifier: BSD-3-Clause */
/* DP8390: packet transmission (DS 8) and loopback (DS 12, AN-937). */
#include <endian.h>
#include <string.h>

#include "crc32.h"
#include "dp8390_priv.h"

#define FCS      4
#define MAX_WIRE (NM_MAX_FRAME + FCS)
#define MIN_ADDR 14 /* bytes of an Ethernet header; less reaches nobody */

static bool fcs_good(const uint8_t *frame, size_t len)
{
    uint32_t fcs;

    if (len < FCS)
        return false;
    memcpy(&fcs, frame + len - FCS, FCS);
    return le32toh(fcs) == nm_crc32(0, frame, len - FCS);
}

/*
 * The frame goes out. The chip sends what it is told, any length: runts are the receiver's to pad
 * (model.h), what is too long or has a bad FCS of the host's own making every receiver discards, so
 * it is discarded here.
 */
static void put_on_wire(const struct dp8390_chip *c, const uint8_t *frame, size_t len)
{
    if (c->regs->tcr & TCR_CRC) {
        if (!fcs_good(frame, len))
            return;
        len -= FCS;
    }
    if (len >= MIN_ADDR && len <= NM_MAX_FRAME)
        c->dev->env->tx(c->dev, frame, len);
}

static void swap_words(uint8_t *p, size_t len)
{
    for (size_t i = 0; i + 1 < len; i += 2) {
        uint8_t b = p[i];

        p[i] = p[i + 1];
        p[i + 1] = b;
    }
}

static void transmit_to_network(const struct dp8390_chip *c)
{
    uint16_t addr = (uint16_t)(c->regs->tpsr * DP8390_PAGE), len = c->regs->tbcr;
    uint8_t buf[MAX_WIRE + 1];
    const uint8_t *frame;
    size_t run;

    if (len > MAX_WIRE)
        return;
    frame = dp8390_at(c, addr, &run, false);
    if (!frame || run < len || dp8390_swaps(c->regs)) {
        /* in pieces, over the end of memory, or its bytes are to be swapped word by word */
        dp8390_fetch(c, addr, buf, (size_t)len + (len & 1));
        if (dp8390_swaps(c->regs))
            swap_words(buf, (size_t)len + (len & 1));
        frame = buf;
    }
    put_on_wire(c, frame, len);
}

/* One frame looped back, as it goes by. */
struct loop {
    uint8_t frame[MAX_WIRE]; /* its first bytes */
    size_t len;
    uint32_t crc; /* of all bytes so far */
};

static void loop_bytes(const struct dp8390_chip *c, struct loop *l, const uint8_t *p, size_t n)
{
    size_t room = l->len < sizeof(l->frame) ? sizeof(l->frame) - l->len : 0;

    memcpy(l->frame + sizeof(l->frame) - room, p, n < room ? n : room);
    for (size_t i = n > 8 ? n - 8 : 0; i < n; i++)
        c->regs->fifo[(l->len + i) & 7] = p[i];
    l->crc = nm_crc32(l->crc, p, n);
    l->len += n;
}

/* Every second byte, the odd ones or the even ones. @return how many */
static size_t one_lane(uint8_t *p, size_t n, bool odd)
{
    for (size_t i = 0; i < n / 2; i++)
        p[i] = p[2 * i + odd];
    return n / 2;
}

/*
 * Half of the FIFO transmits, the other half receives, so memory is read by bytes: in word mode
 * only one byte of each word is sent, the even one if BOS is set, the odd one if not, and TBCR
 * counts both (DS 12, "restrictions during loopback").
 */
static void loop_body(const struct dp8390_chip *c, struct loop *l)
{
    const struct dp8390 *r = c->regs;
    bool words = r->dcr & DCR_WTS, odd = !(r->dcr & DCR_BOS);
    uint16_t addr = (uint16_t)(r->tpsr * DP8390_PAGE);
    uint8_t piece[512];

    for (size_t left = r->tbcr, n; left; left -= n, addr = (uint16_t)(addr + n)) {
        n = left < sizeof(piece) ? left : sizeof(piece);
        dp8390_fetch(c, addr, piece, n);
        loop_bytes(c, l, piece, words ? one_lane(piece, n, odd) : n);
    }
}

/* The chip appends the FCS, or with TCR.CRC the receiver checks the host's: CRC logic is shared,
 * so a generated FCS is always taken for bad. */
static bool loop_fcs(const struct dp8390_chip *c, struct loop *l)
{
    static const uint32_t residue = 0x2144df1c; /* of any frame with its right FCS */
    uint32_t fcs = htole32(l->crc);

    if (c->regs->tcr & TCR_CRC)
        return l->crc == residue;
    loop_bytes(c, l, (const uint8_t *)&fcs, FCS);
    return false;
}

/* AN-937, 5: behind the frame come its length, low, high, and high again. Reading begins at
 * location 0, wherever the frame ended. */
static void loop_count(struct dp8390 *r, size_t len)
{
    r->fifo[len & 7] = (uint8_t)len;
    r->fifo[(len + 1) & 7] = r->fifo[(len + 2) & 7] = (uint8_t)(len >> 8);
    r->fifo_next = 0;
}

static void loop_status(struct dp8390 *r, const struct loop *l, bool good)
{
    bool mine = l->len >= 6 && dp8390_accepts(r, l->frame);

    r->rsr = mine && (l->frame[0] & 1) ? RSR_PHY : 0;
    if (!mine || good) {
        r->rsr |= RSR_PRX;
        return;
    }
    /* PRX in ISR stays 0 in all loopback modes: no status is written to memory (AN-937, 6). */
    r->rsr |= RSR_CRC;
    r->isr |= ISR_RXE;
    dp8390_tally(r, CNTR_CRC);
}

static void loop_back(const struct dp8390_chip *c)
{
    struct loop l = {.len = 0};
    size_t sent;
    bool good;

    loop_body(c, &l);
    sent = l.len;
    good = loop_fcs(c, &l);
    loop_count(c->regs, l.len);
    loop_status(c->regs, &l, good);
    /* Mode 3 goes over the cable, so others hear it. */
    if ((c->regs->tcr & TCR_LB) == TCR_LB && sent <= MAX_WIRE)
        put_on_wire(c, l.frame, sent);
}

/* DS 12, AN-937 6: carrier sense and heartbeat come from outside; each inner path lacks some. */
static uint8_t loop_tsr(const struct dp8390 *r)
{
    switch (r->tcr & TCR_LB) {
    case TCR_LB0: return TSR_CRS | TSR_CDH; /* mode 1: within the controller */
    case TCR_LB1: return TSR_CDH;           /* mode 2: through the encoder */
    default: return 0;                      /* mode 3, or the network: the transceiver gives both */
    }
}

void dp8390_transmit(const struct dp8390_chip *c)
{
    struct dp8390 *r = c->regs;

    if (!(r->tcr & TCR_LB))
        transmit_to_network(c);
    else if (!(r->dcr & DCR_LS))
        loop_back(c); /* with LS set the FIFO is not split: the frame is lost in the loop */
    r->tsr = TSR_PTX | loop_tsr(r);
    r->ncr = 0;
    r->clda = (uint16_t)(r->tpsr * DP8390_PAGE + r->tbcr);
    r->cr &= ~CR_TXP;
    c->dev->changed = true;
    dp8390_raise(c, ISR_PTX);
}

void dp8390_transmit_pending(const struct dp8390_chip *c)
{
    if ((c->regs->cr & CR_TXP) && !c->regs->tx_off)
        dp8390_transmit(c);
}
