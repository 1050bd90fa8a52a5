/* SPDX-License-Identifier: BSD-3-Clause */
/* DP8390: the local memory and the remote DMA channel (DS 6 and 9). */
#include <string.h>

#include "dp8390_priv.h"

#define SPACE 0x10000u /* bytes the chip can address */

uint8_t *dp8390_at(const struct dp8390_chip *c, uint16_t addr, size_t *run, bool write)
{
    size_t next = SPACE;

    for (unsigned i = sizeof(c->board->map) / sizeof(c->board->map[0]); i-- > 0;) {
        const struct dp8390_map *m = &c->board->map[i];
        uint32_t into = (uint32_t)addr - m->base;

        if (addr < m->base) {
            next = m->base;
        } else if (into < m->size) {
            *run = m->size - into;
            return write && (m->flags & DP8390_MAP_ROM) ? NULL : c->dev->ram + m->at + into;
        }
    }
    *run = next - addr;
    return NULL;
}

void dp8390_fetch(const struct dp8390_chip *c, uint16_t addr, uint8_t *to, size_t len)
{
    for (size_t n; len; len -= n, addr = (uint16_t)(addr + n), to += n) {
        const uint8_t *p = dp8390_at(c, addr, &n, false);

        if (n > len)
            n = len;
        if (p)
            memcpy(to, p, n);
        else
            memset(to, 0xff, n);
    }
}

void dp8390_store(const struct dp8390_chip *c, uint16_t addr, const uint8_t *from, size_t len)
{
    for (size_t n; len; len -= n, addr = (uint16_t)(addr + n), from += n) {
        uint8_t *p = dp8390_at(c, addr, &n, true);

        if (n > len)
            n = len;
        if (p)
            memcpy(p, from, n);
    }
}

size_t dp8390_to_wrap(const struct dp8390 *r, uint16_t addr)
{
    unsigned stop = r->pstop * DP8390_PAGE;

    return addr < stop ? stop - addr : SPACE - addr;
}

uint16_t dp8390_advance(const struct dp8390 *r, uint16_t addr, size_t len)
{
    uint16_t next = (uint16_t)(addr + len);

    return next == r->pstop * DP8390_PAGE ? (uint16_t)(r->pstart * DP8390_PAGE) : next;
}

/* Byte count 0: "send packet" frees what it sent (DS 9, "send packet command"). */
static void complete(const struct dp8390_chip *c)
{
    struct dp8390 *r = c->regs;

    if (r->rdma == RDMA_SEND)
        dp8390_set_boundary(r, r->rnpp);
    r->rdma = RDMA_IDLE;
    dp8390_raise(c, ISR_RDC);
}

/* Address and count come from the packet at BNRY: status, next page, count low, count high. */
static void prepare_send(const struct dp8390_chip *c)
{
    struct dp8390 *r = c->regs;
    uint8_t header[4];

    r->crda = (uint16_t)(r->bnry * DP8390_PAGE);
    dp8390_fetch(c, r->crda, header, sizeof(header));
    r->rnpp = header[1];
    r->rbcr = (uint16_t)(header[2] | header[3] << 8);
}

void dp8390_start_remote(const struct dp8390_chip *c, enum dp8390_rdma what)
{
    struct dp8390 *r = c->regs;

    /* The command is repeated whenever CR is written to change the page: it goes on then. */
    if (what == RDMA_SEND && r->rdma != RDMA_SEND)
        prepare_send(c);
    r->rdma = (uint8_t)what;
    if (!r->rbcr)
        complete(c);
}

static bool channel_open(const struct dp8390 *r, bool write)
{
    return write ? r->rdma == RDMA_WRITE : r->rdma == RDMA_READ || r->rdma == RDMA_SEND;
}

/*
 * As many bytes as go before the next event: the host has enough, the count ends, the ring wraps.
 * In word mode A0 is not driven, so an odd address means the word it lies in, and since it then
 * stays odd it never equals PSTOP.
 */
static size_t burst(const struct dp8390 *r, uint16_t addr, size_t want)
{
    unsigned step = r->dcr & DCR_WTS ? 2 : 1;
    size_t left = (r->rbcr + step - 1) / step * step;
    size_t room = dp8390_to_wrap(r, addr);

    if (want > left)
        want = left;
    return want < room ? want : room;
}

void dp8390_remote(const struct dp8390_chip *c, uint8_t *buf, size_t len, bool write)
{
    struct dp8390 *r = c->regs;
    uint16_t a0 = r->dcr & DCR_WTS ? 1 : 0;

    if (channel_open(r, write))
        c->dev->changed = true;
    while (len && channel_open(r, write)) {
        uint16_t addr = (uint16_t)(r->crda & ~a0);
        size_t n = burst(r, addr, len);

        if (write)
            dp8390_store(c, addr, buf, n);
        else
            dp8390_fetch(c, addr, buf, n);
        r->crda = dp8390_advance(r, r->crda, n);
        r->rbcr = (uint16_t)(r->rbcr > n ? r->rbcr - n : 0);
        buf += n;
        len -= n;
        if (!r->rbcr)
            complete(c);
    }
    if (len && !write)
        memset(buf, 0xff, len);
}
