/* SPDX-License-Identifier: BSD-3-Clause */
/* RTL8139C+: the receive descriptor ring (DS, receive descriptors), with checksums checked and VLAN
 * tags taken out. */
#include <endian.h>
#include <string.h>

#include "crc32.h"
#include "dma.h"
#include "offload.h"
#include "rtl8139.h"

#define FCS 4

enum {
    RX_TCPF = 1 << 13,
    RX_UDPF = 1 << 14,
    RX_IPF = 1 << 15,
    RX_PID_TCP = 1 << 16,
    RX_PID_UDP = 2 << 16,
    RX_PID_IP = 3 << 16,
    RX_BAR = 1 << 24,
    RX_PAM = 1 << 25,
    RX_MAR = 1 << 26,
    RX_TAVA = 1 << 16, /* in opts2 */
};

/* The descriptors a packet goes into. */
struct room {
    unsigned n;
    uint8_t next; /* the one behind them */
    struct rtl8139_desc desc[RTL8139_RX_NOTES];
};

static uint64_t ring_of(const struct rtl8139_regs *r)
{
    return (uint64_t)r->file.rdsar[1] << 32 | r->file.rdsar[0];
}

static uint32_t *done_of(const struct nm_dev *d)
{
    return &rtl8139_ram_of(d)->done[RTL_NQUEUES];
}

/* Notes that are open already: those descriptors are the guest's, though OWN does not say so yet.
 */
static unsigned open_notes(const struct nm_dev *d)
{
    const struct rtl8139_regs *r = d->regs;

    return rtl8139_notes_open(&r->rx.notes, *done_of(d)) ? r->rx.notes.count : 0;
}

/* Finds room for `len` bytes. @return false: there is none (or no memory) */
static bool find_room(struct nm_dev *d, size_t len, struct room *room)
{
    const struct rtl8139_regs *r = d->regs;
    unsigned used = open_notes(d), i = r->rx.next;

    for (room->n = 0; used + room->n < RTL8139_RX_NOTES;) {
        struct rtl8139_desc *desc = &room->desc[room->n];
        uint32_t size;

        if ((used && i == r->rx.notes.first) || (room->n && i == r->rx.next))
            return false;
        if (!rtl8139_desc_read(d, rtl8139_desc_at(ring_of(r), i), desc))
            return false;
        if (!(desc->opts1 & RTL_DESC_OWN))
            return false;
        room->n++;
        i = room->next = rtl8139_desc_next(i, desc->opts1);
        size = desc->opts1 & RTL_DESC_LEN_RX;
        if (size >= len)
            return true;
        len -= size;
    }
    return false;
}

bool rtl8139_cp_has_room(const struct nm_dev *d, size_t len)
{
    struct room room;

    /* It only looks, but the way to memory is not const. */
    return find_room((struct nm_dev *)d, len + FCS, &room);
}

static uint32_t address_bits(uint16_t status)
{
    return (status & RTL_RSR_BAR ? RX_BAR : 0) | (status & RTL_RSR_PAM ? RX_PAM : 0) |
           (status & RTL_RSR_MAR ? RX_MAR : 0);
}

/* Protocol, and which checksums are wrong. */
static uint32_t checksum_bits(const struct rtl8139_regs *r, const uint8_t *frame, size_t len)
{
    struct nm_layout l;
    uint32_t bits = RX_PID_IP;

    if (!(r->file.cpcr & RTL_CPCR_RXCHKSUM))
        return 0;
    nm_layout_of(frame, len, &l);
    if (l.ip != 4)
        return 0;
    if (l.proto == NM_PROTO_TCP)
        bits = RX_PID_TCP | (nm_l4_csum_good(frame, &l) ? 0 : RX_TCPF);
    else if (l.proto == NM_PROTO_UDP)
        bits = RX_PID_UDP | (nm_l4_csum_good(frame, &l) ? 0 : RX_UDPF);
    return bits | (nm_ip_csum_good(frame, &l) ? 0 : RX_IPF);
}

/* Frame and FCS into the descriptors' buffers. */
static bool scatter(struct nm_dev *d, const struct room *room, const uint8_t *bytes, size_t len)
{
    for (unsigned i = 0; i < room->n; i++) {
        size_t size = room->desc[i].opts1 & RTL_DESC_LEN_RX, n = len < size ? len : size;

        if (n && !nm_dma_write(d, room->desc[i].addr, bytes, n))
            return false;
        bytes += n;
        len -= n;
    }
    return true;
}

/* What the descriptors become: the last one has the packet's length and status, those before it
 * are full. */
static void note(struct nm_dev *d, const struct room *room, uint32_t status, uint32_t opts2)
{
    struct rtl8139_regs *r = d->regs;
    struct rtl8139_rxring *rx = &r->rx;

    rtl8139_notes_begin(&rx->notes, *done_of(d), rx->next);
    for (unsigned i = 0; i < room->n; i++) {
        uint32_t was = room->desc[i].opts1, opts1 = was & RTL_DESC_EOR;

        opts1 |= i ? 0 : RTL_DESC_FS;
        opts1 |= i + 1 == room->n ? RTL_DESC_LS | status : was & RTL_DESC_LEN_RX;
        rx->note[rx->notes.count].opts1 = opts1;
        rx->note[rx->notes.count].opts2 = i + 1 == room->n ? opts2 : 0;
        rx->notes.count++;
    }
    rx->next = room->next;
}

bool rtl8139_cp_receive(struct nm_dev *d, const struct rtl8139_frame *f)
{
    const struct rtl8139_regs *r = d->regs;
    uint8_t bytes[NM_MAX_FRAME + FCS];
    uint32_t status = address_bits(f->status), opts2 = 0, fcs;
    size_t len = f->len;
    struct room room;
    uint16_t tci;

    memcpy(bytes, f->data, len);
    status |= checksum_bits(r, bytes, len);
    if ((r->file.cpcr & RTL_CPCR_RXVLAN) && nm_vlan_get(bytes, len, NM_ETH_VLAN, &tci)) {
        opts2 = RX_TAVA | __builtin_bswap16(tci);
        len = nm_vlan_strip(bytes, len);
    }
    fcs = htole32(nm_crc32(0, bytes, len));
    memcpy(bytes + len, &fcs, FCS);
    if (!find_room(d, len + FCS, &room))
        return false;
    if (!scatter(d, &room, bytes, len + FCS))
        rtl8139_abort(d);
    else
        note(d, &room, status | (uint32_t)(len + FCS), opts2);
    return true;
}

/* Edge D2: opts2 first, then OWN goes (in Linux the driver reads OWN, then a read barrier). */
void rtl8139_cp_rx_give_back(struct nm_dev *d)
{
    const struct rtl8139_regs *r = d->regs;
    const struct rtl8139_rxring *rx = &r->rx;
    unsigned was = rtl8139_notes_done(&rx->notes, *done_of(d)), i = rx->notes.first;

    for (unsigned k = 0; k < rx->notes.count; k++) {
        uint64_t at = rtl8139_desc_at(ring_of(r), i);

        i = rtl8139_desc_next(i, rx->note[k].opts1);
        if (k < was)
            continue;
        nm_dma_publish(d, at + offsetof(struct rtl8139_desc, opts2), rx->note[k].opts2, 4);
        nm_dma_publish(d, at, rx->note[k].opts1, 4);
        rtl8139_notes_did(&rx->notes, k + 1, done_of(d));
    }
}
