/* SPDX-License-Identifier: BSD-3-Clause */
/* RTL8139: address filter, and reception into the ring buffer (DS, RCR and
 * "receive buffer"). */
#include <endian.h>
#include <string.h>

#include "crc32.h"
#include "dma.h"
#include "rtl8139.h"

#define HEADER  4 /* status, length: in front of each packet */
#define FCS     4
#define MPC_MAX 0xffffffu

/* --- address filter --- */

static bool is_broadcast(const uint8_t *addr)
{
    static const uint8_t all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

    return !memcmp(addr, all, sizeof(all));
}

static bool hash_hits(const struct rtl8139_regs *r, const uint8_t *addr)
{
    unsigned hash = nm_multicast_hash(addr);

    return r->file.mar[hash / 8] >> hash % 8 & 1;
}

/* @return RTL_RSR_* of the address; 0: not for this station */
static uint16_t filter(const struct rtl8139_regs *r, const uint8_t *dst)
{
    uint32_t rcr = r->file.rcr;

    if (is_broadcast(dst))
        return rcr & RTL_RCR_AB ? RTL_RSR_ROK | RTL_RSR_BAR : 0;
    if (dst[0] & 1)
        return (rcr & RTL_RCR_AM) && hash_hits(r, dst) ? RTL_RSR_ROK | RTL_RSR_MAR : 0;
    if (!memcmp(dst, r->file.idr, 6) && (rcr & (RTL_RCR_APM | RTL_RCR_AAP)))
        return RTL_RSR_ROK | RTL_RSR_PAM;
    return rcr & RTL_RCR_AAP ? RTL_RSR_ROK : 0;
}

/* --- the ring buffer --- */

static uint32_t ring_size(const struct rtl8139_regs *r)
{
    return 8192u << ((r->file.rcr & RTL_RCR_RBLEN) >> 11);
}

/* CAPR is 16 bytes behind what the host has read: as drivers write it, and why is not told. */
static uint32_t read_up_to(const struct rtl8139_regs *r)
{
    return (r->file.capr + 16u) % ring_size(r);
}

void rtl8139_empty_ring(struct rtl8139_regs *r)
{
    r->file.cbr = 0;
    r->file.capr = (uint16_t)-16;
}

bool rtl8139_ring_is_empty(const struct rtl8139_regs *r)
{
    return r->file.cbr % ring_size(r) == read_up_to(r);
}

/* Bytes a packet takes: it ends at a double word. */
static uint32_t room_of(size_t len)
{
    return (uint32_t)(HEADER + len + FCS + 3) & ~3u;
}

/* A ring that is full to the last byte would look empty. */
static bool ring_has_room(const struct rtl8139_regs *r, size_t len)
{
    uint32_t used = (r->file.cbr - read_up_to(r)) & (ring_size(r) - 1);

    return used + room_of(len) < ring_size(r);
}

/* Is a packet written on behind the ring's end? Not if the ring is 64 KB (DS, RCR.WRAP). */
static bool runs_over(const struct rtl8139_regs *r)
{
    return (r->file.rcr & RTL_RCR_WRAP) && ring_size(r) < 65536;
}

static bool write_ring(struct nm_dev *d, const uint8_t *bytes, uint32_t len)
{
    struct rtl8139_regs *r = d->regs;
    uint32_t at = r->file.cbr % ring_size(r), left = ring_size(r) - at;
    uint32_t n = len < left || runs_over(r) ? len : left;

    return nm_dma_write(d, (uint64_t)r->file.rbstart + at, bytes, n) &&
           (n == len || nm_dma_write(d, r->file.rbstart, bytes + n, len - n));
}

static bool ring_receive(struct nm_dev *d, const struct rtl8139_frame *f)
{
    struct rtl8139_regs *r = d->regs;
    uint8_t packet[HEADER + NM_MAX_FRAME + FCS + 3] = {0};
    uint32_t header = htole32((uint32_t)(f->len + FCS) << 16 | f->status);
    uint32_t fcs = htole32(nm_crc32(0, f->data, f->len)), room = room_of(f->len);

    if (!ring_has_room(r, f->len))
        return false;
    memcpy(packet, &header, HEADER);
    memcpy(packet + HEADER, f->data, f->len);
    memcpy(packet + HEADER + f->len, &fcs, FCS);
    if (!write_ring(d, packet, room)) {
        rtl8139_abort(d);
        return true;
    }
    r->file.cbr = (uint16_t)((r->file.cbr + room) % ring_size(r));
    return true;
}

/* --- both modes --- */

static void missed(struct nm_dev *d)
{
    struct rtl8139_regs *r = d->regs;

    if (r->file.mpc < MPC_MAX)
        r->file.mpc++;
    r->tally.miss_pkt++;
    rtl8139_raise(d, RTL_ISR_RXOVW);
}

static void count(struct rtl8139_tally *t, uint16_t status)
{
    t->rx_ok++;
    t->rx_ok_phy += (status & RTL_RSR_PAM) != 0;
    t->rx_ok_brd += (status & RTL_RSR_BAR) != 0;
    t->rx_ok_mul += (status & RTL_RSR_MAR) != 0;
}

static void take(struct nm_dev *d, const struct rtl8139_frame *f)
{
    struct rtl8139_regs *r = d->regs;

    d->changed = true;
    if (!(rtl8139_cp_rx_mode(r) ? rtl8139_cp_receive(d, f) : ring_receive(d, f))) {
        missed(d);
        return;
    }
    count(&r->tally, f->status);
    rtl8139_raise(d, RTL_ISR_ROK);
}

void rtl8139_receive(struct nm_dev *d, const void *frame, size_t len)
{
    struct rtl8139_regs *r = d->regs;
    struct rtl8139_frame f = {.data = frame, .len = len};
    uint8_t padded[NM_MIN_FRAME] = {0};

    if (!rtl8139_rx_on(r) || len < 6 || len > NM_MAX_FRAME)
        return;
    f.status = filter(r, frame);
    if (!f.status)
        return;
    if (len < NM_MIN_FRAME) {
        memcpy(padded, frame, len);
        f.data = padded;
        f.len = NM_MIN_FRAME;
    }
    take(d, &f);
}

bool rtl8139_can_receive(const struct nm_dev *d, size_t len)
{
    const struct rtl8139_regs *r = d->regs;

    if (!rtl8139_rx_on(r) || len > NM_MAX_FRAME)
        return true; /* it is dropped at once */
    if (len < NM_MIN_FRAME)
        len = NM_MIN_FRAME;
    return rtl8139_cp_rx_mode(r) ? rtl8139_cp_has_room(d, len) : ring_has_room(r, len);
}

/* A guest that stopped looking before the ring was empty. The chip itself would overflow, and say
 * so; while the frame can wait it is enough that the guest looks again. */
void rtl8139_waiting(struct nm_dev *d)
{
    struct rtl8139_regs *r = d->regs;

    if (r->file.isr & (RTL_ISR_ROK | RTL_ISR_RXOVW | RTL_ISR_FOVW))
        return;
    d->changed = true;
    rtl8139_raise(d, rtl8139_cp_rx_mode(r) ? RTL_ISR_RXOVW : RTL_ISR_ROK);
}
