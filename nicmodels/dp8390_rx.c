/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DP8390: packet reception (DS 7).
 *
 * The receive buffer is a ring of 256-byte pages from PSTART to PSTOP. CURR is the page the next
 * packet begins at, BNRY the page the host has not read yet. A packet that would make CURR reach
 * BNRY is not taken (overflow), so CURR == BNRY only ever means "empty", as after initialisation.
 */
#include <string.h>

#include "crc32.h"
#include "dp8390_priv.h"

#define HEADER   4
#define FCS      4
#define HASH_OFF 62 /* TCR.ATD: a multicast of this hash disables the transmitter */
#define HASH_ON  63 /* and one of this enables it again */

static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static bool hash_set(const struct dp8390 *r, const uint8_t dst[6])
{
    unsigned h = nm_multicast_hash(dst);

    return r->mar[h / 8] >> h % 8 & 1;
}

bool dp8390_accepts(const struct dp8390 *r, const uint8_t dst[6])
{
    if (!(dst[0] & 1)) /* PRO is about physical addresses; groups need AM and AB still */
        return (r->rcr & RCR_PRO) || !memcmp(dst, r->par, 6);
    if (!memcmp(dst, broadcast, 6))
        return r->rcr & RCR_AB;
    return (r->rcr & RCR_AM) && hash_set(r, dst);
}

static unsigned pages_for(size_t len)
{
    return (unsigned)((HEADER + len + FCS + DP8390_PAGE - 1) / DP8390_PAGE);
}

static uint8_t next_page(const struct dp8390 *r, uint8_t page)
{
    page++;
    return page == r->pstop ? r->pstart : page;
}

/* DS 7, "linking receive buffer pages": each step to another page is compared with BNRY. */
static bool fits(const struct dp8390 *r, unsigned pages, uint8_t bnry, uint8_t *next)
{
    uint8_t page = r->curr;

    while (pages--) {
        page = next_page(r, page);
        if (page == bnry)
            return false;
    }
    *next = page;
    return true;
}

/* Bytes into the ring, from *addr on. */
static void put(const struct dp8390_chip *c, uint16_t *addr, const uint8_t *from, size_t len)
{
    while (len) {
        size_t n = dp8390_to_wrap(c->regs, *addr);

        if (n > len)
            n = len;
        dp8390_store(c, *addr, from, n);
        *addr = dp8390_advance(c->regs, *addr, n);
        from += n;
        len -= n;
    }
}

/* The same with the bytes of each word swapped (DCR.BOS). PSTOP is even, so words do not wrap. */
static void put_swapped(const struct dp8390_chip *c, uint16_t *addr, const uint8_t *from,
                        size_t len)
{
    for (; len; len--, from++) {
        dp8390_store(c, *addr ^ 1, from, 1);
        *addr = dp8390_advance(c->regs, *addr, 1);
    }
}

/* Header, frame and FCS: what DS 7 "storage format for received packets" shows. */
static void store(const struct dp8390_chip *c, const uint8_t *frame, size_t len, uint8_t status,
                  uint8_t next)
{
    void (*to)(const struct dp8390_chip *, uint16_t *, const uint8_t *, size_t) =
        dp8390_swaps(c->regs) ? put_swapped : put;
    uint16_t addr = (uint16_t)(c->regs->curr * DP8390_PAGE);
    size_t count = len + FCS;
    uint8_t header[HEADER] = {status, next, (uint8_t)count, (uint8_t)(count >> 8)};
    uint32_t crc = nm_crc32(0, frame, len);
    uint8_t fcs[FCS] = {(uint8_t)crc, (uint8_t)(crc >> 8), (uint8_t)(crc >> 16),
                        (uint8_t)(crc >> 24)};

    to(c, &addr, header, HEADER);
    to(c, &addr, frame, len);
    to(c, &addr, fcs, FCS);
    c->regs->clda = addr;
}

/* A frame for this node that cannot be stored; DS 10.3, RSR.MPA and CNTR2. */
static void miss(const struct dp8390_chip *c, uint8_t group, uint8_t isr_bits)
{
    c->regs->rsr = RSR_MPA | group;
    dp8390_tally(c->regs, CNTR_MISSED);
    dp8390_raise(c, ISR_RXE | isr_bits);
}

static void keep(const struct dp8390_chip *c, const uint8_t *frame, size_t len, uint8_t status)
{
    struct dp8390 *r = c->regs;
    uint8_t next;

    if (r->rcr & RCR_MON) {
        miss(c, status & RSR_PHY, 0);
        return;
    }
    if (!fits(r, pages_for(len), r->bnry, &next)) {
        miss(c, status & RSR_PHY, ISR_OVW | ISR_RST);
        return;
    }
    store(c, frame, len, status, next);
    r->rsr = status;
    r->curr = r->lnpp = next;
    dp8390_raise(c, status & RSR_PRX ? ISR_PRX : ISR_RXE);
}

/* A damaged frame is counted, and kept only if asked for (RCR.SEP). */
static void receive_damaged(const struct dp8390_chip *c, const uint8_t *frame, size_t len,
                            unsigned damage, uint8_t group)
{
    struct dp8390 *r = c->regs;
    uint8_t status = group;

    if (damage & DP8390_WIRE_ALIGN) {
        status |= RSR_FAE;
        dp8390_tally(r, CNTR_ALIGN);
    }
    if (damage & DP8390_WIRE_CRC) {
        status |= RSR_CRC;
        dp8390_tally(r, CNTR_CRC);
    }
    if (r->rcr & RCR_SEP) {
        keep(c, frame, len, status);
        return;
    }
    r->rsr = status;
    dp8390_raise(c, ISR_RXE);
}

/* TCR.ATD: another station may switch this transmitter off and on. */
static void auto_transmit_disable(const struct dp8390_chip *c, const uint8_t *dst)
{
    unsigned h;

    if (!(c->regs->tcr & TCR_ATD) || !(dst[0] & 1) || !memcmp(dst, broadcast, 6))
        return;
    h = nm_multicast_hash(dst);
    if (h == HASH_OFF) {
        c->regs->tx_off = 1;
    } else if (h == HASH_ON) {
        c->regs->tx_off = 0;
        dp8390_transmit_pending(c);
    }
}

void dp8390_receive_wire(const struct dp8390_chip *c, const uint8_t *frame, size_t len,
                         unsigned damage)
{
    struct dp8390 *r = c->regs;
    uint8_t group;

    /* In loopback the receiver hears itself only. */
    if (!r->running || (r->tcr & TCR_LB) || len < sizeof(broadcast) || len > NM_MAX_FRAME)
        return;
    c->dev->changed = true;
    auto_transmit_disable(c, frame);
    if (!dp8390_accepts(r, frame) || (len < NM_MIN_FRAME && !(r->rcr & RCR_AR)))
        return;
    group = frame[0] & 1 ? RSR_PHY : 0;
    if (damage)
        receive_damaged(c, frame, len, damage, group);
    else
        keep(c, frame, len, RSR_PRX | group);
}

void dp8390_receive(const struct dp8390_chip *c, const void *frame, size_t len)
{
    uint8_t padded[NM_MIN_FRAME] = {0};

    if (len >= NM_MIN_FRAME) {
        dp8390_receive_wire(c, frame, len, DP8390_WIRE_GOOD);
        return;
    }
    memcpy(padded, frame, len);
    dp8390_receive_wire(c, padded, sizeof(padded), DP8390_WIRE_GOOD);
}

/* A host that has read up to the end of the ring may leave BNRY a page before its beginning (Linux
 * does), where the chip never meets it and overwrites what is not read yet. A frame that can wait
 * need not do that harm. */
static uint8_t meant_boundary(const struct dp8390 *r)
{
    return r->bnry == (uint8_t)(r->pstart - 1) ? r->pstop - 1 : r->bnry;
}

/* "No" is for a ring that has no room now but will have. What will never be stored (stopped, in
 * loopback, a ring that is too small or none at all) is taken at once, and dropped. */
bool dp8390_can_receive(const struct dp8390_chip *c, size_t len)
{
    const struct dp8390 *r = c->regs;
    unsigned pages = pages_for(len < NM_MIN_FRAME ? NM_MIN_FRAME : len);
    uint8_t next;

    if (!r->running || (r->tcr & TCR_LB) || (r->rcr & RCR_MON) || len > NM_MAX_FRAME)
        return true;
    if (r->pstart + pages >= r->pstop)
        return true;
    return fits(r, pages, meant_boundary(r), &next);
}

/* The chip itself would lose the frame to a full ring and say so (OVW). One that can wait needs no
 * more than that the host looks at its ring again: Linux's driver stops after nine packets, then
 * clears PRX, whatever has come in meanwhile. */
void dp8390_waiting(const struct dp8390_chip *c)
{
    if (c->regs->isr & (ISR_PRX | ISR_RXE | ISR_OVW))
        return;
    c->dev->changed = true;
    dp8390_raise(c, ISR_PRX);
}
