/* SPDX-License-Identifier: BSD-3-Clause */
/* RTL8139C+: descriptor rings, offloads, tally counters; driven as 8139cp does. */
#include <string.h>

#include "../../nicmodels/crc32.h"
#include "cu_main.h"
#include "net_frames.h"
#include "rtl8139_rig.h"

const char *const suite_name = "rtl8139_cp";

#define NPQ      RTL_TPPOLL_NPQ
#define FS       RTL_DESC_FS
#define LS       RTL_DESC_LS
#define EOR      RTL_DESC_EOR
#define TXB(i)   (MEM_TXB + 2048 * (i))
#define TCPCS    (1u << 16)
#define UDPCS    (1u << 17)
#define IPCS     (1u << 18)
#define LGSEN    (1u << 27)
#define TAGC     (1u << 17)
#define ETH_HLEN NM_ETH_HLEN

static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static void cp_up(struct rig *g, unsigned nrx, unsigned size)
{
    board_up(g, "rtl8139cp");
    start_cp(g, RXCONFIG, nrx, size);
}

/* A frame in transmit buffer i. */
static void fill_tx(struct rig *g, unsigned i, size_t len)
{
    make_frame(mem_at(g, TXB(i)), len, broadcast);
}

/* --- transmission --- */

static void test_transmit(void)
{
    struct rig g;
    size_t len;

    cp_up(&g, 4, 1536);
    for (unsigned i = 0; i < 200; i++) {
        unsigned at = i % 64, buf = i % 8;
        uint32_t eor = at == 63 ? EOR : 0, size = 60 + i;

        fill_tx(&g, buf, size);
        put_desc(&g, txd(at), OWN | eor | FS | LS | size, 0, TXB(buf));
        wr(&g, 0xd9, 1, NPQ);
        CU_ASSERT_EQUAL_FATAL(g.sent, i + 1);
        CU_ASSERT_EQUAL(memcmp(last_frame(&g, &len), mem_at(&g, TXB(buf)), size), 0);
        CU_ASSERT_EQUAL(len, size);
        CU_ASSERT_EQUAL(get_desc(&g, txd(at)).opts1, eor | FS | LS | size);
        CU_ASSERT_EQUAL(rd(&g, 0x3e, 2), RTL_ISR_TOK | RTL_ISR_TDU);
        wr(&g, 0x3e, 2, 0xffff);
        CU_ASSERT_EQUAL(rd(&g, 0xd9, 1), 0);
        CU_ASSERT_FALSE(g.d.model->pending(&g.d));
    }
    wr(&g, 0xd9, 1, NPQ); /* nothing there: nothing to tell */
    CU_ASSERT_EQUAL(rd(&g, 0x3e, 2), 0);
    wr(&g, 0xd9, 1, RTL_TPPOLL_FSWINT);
    CU_ASSERT_EQUAL(rd(&g, 0x3e, 2), RTL_ISR_SWINT);
    rig_free(&g);
}

/* A packet in pieces, the first descriptor given last, as 8139cp does it. */
static void test_transmit_pieces(void)
{
    struct rig g;
    size_t len;

    cp_up(&g, 4, 1536);
    fill_tx(&g, 0, 1000);
    for (unsigned i = 1; i < 10; i++)
        put_desc(&g, txd(i), OWN | (i == 9 ? LS : 0) | 100, 0, TXB(0) + 100 * i);
    wr(&g, 0xd9, 1, NPQ);
    CU_ASSERT_EQUAL(g.sent, 0);
    put_desc(&g, txd(0), OWN | FS | 100, 0, TXB(0));
    wr(&g, 0xd9, 1, NPQ);
    CU_ASSERT_EQUAL_FATAL(g.sent, 1);
    CU_ASSERT_EQUAL(memcmp(last_frame(&g, &len), mem_at(&g, TXB(0)), 1000), 0);
    CU_ASSERT_EQUAL(len, 1000);
    for (unsigned i = 0; i < 10; i++)
        CU_ASSERT_EQUAL(get_desc(&g, txd(i)).opts1 & OWN, 0);
    /* longer than a frame can be: cut off */
    put_desc(&g, txd(10), OWN | FS | 1000, 0, TXB(0));
    put_desc(&g, txd(11), OWN | LS | 1000, 0, TXB(0));
    wr(&g, 0xd9, 1, NPQ);
    last_frame(&g, &len);
    CU_ASSERT_EQUAL(g.sent, 2);
    CU_ASSERT_EQUAL(len, NM_MAX_FRAME);
    rig_free(&g);
}

/* More than one call sends: poll goes on, also over a ring that is full of it. */
static void test_transmit_bursts(void)
{
    unsigned polls;
    struct rig g;

    cp_up(&g, 4, 1536);
    fill_tx(&g, 0, 64);
    for (unsigned i = 0; i < 64; i++)
        put_desc(&g, txd(i), OWN | (i == 63 ? EOR : 0) | FS | LS | 64, 0, TXB(0));
    wr(&g, 0xd9, 1, NPQ);
    CU_ASSERT_EQUAL(g.sent, RTL8139_BURST);
    CU_ASSERT_TRUE(g.d.model->pending(&g.d));
    CU_ASSERT_EQUAL(get_desc(&g, txd(RTL8139_BURST - 1)).opts1 & OWN, 0);
    CU_ASSERT_EQUAL(get_desc(&g, txd(RTL8139_BURST)).opts1 & OWN, OWN);
    polls = rig_poll(&g);
    CU_ASSERT_EQUAL(g.sent, 64);
    CU_ASSERT_TRUE(polls >= 64 / RTL8139_BURST - 1);
    CU_ASSERT_FALSE(g.d.model->pending(&g.d));
    /* a ring of four: not sent twice before it was given back */
    wr(&g, 0x37, 1, RTL_CR_RE);
    wr(&g, 0x37, 1, RTL_CR_RE | RTL_CR_TE);
    g.sent = 0;
    for (unsigned i = 0; i < 4; i++)
        put_desc(&g, txd(i), OWN | (i == 3 ? EOR : 0) | FS | LS | 64, 0, TXB(0));
    g.killed = true; /* no commit yet */
    wr(&g, 0xd9, 1, NPQ);
    g.d.model->poll(&g.d);
    CU_ASSERT_EQUAL(g.sent, 4);
    CU_ASSERT_EQUAL(get_desc(&g, txd(0)).opts1 & OWN, OWN);
    g.killed = false;
    rig_poll(&g);
    CU_ASSERT_EQUAL(g.sent, 4);
    for (unsigned i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(get_desc(&g, txd(i)).opts1 & OWN, 0);
    rig_free(&g);
}

static void test_priority(void)
{
    struct rig g;

    cp_up(&g, 4, 1536);
    fill_tx(&g, 0, 100);
    put_desc(&g, txd(0), OWN | FS | LS | 60, 0, TXB(0));
    put_desc(&g, MEM_HTXD, OWN | FS | LS | 70, 0, TXB(0));
    wr(&g, 0xd9, 1, RTL_TPPOLL_HPQ | NPQ);
    CU_ASSERT_EQUAL(g.sent, 2);
    CU_ASSERT_EQUAL(g.len[0], 70);
    CU_ASSERT_EQUAL(g.len[1], 60);
    CU_ASSERT_EQUAL(get_desc(&g, MEM_HTXD).opts1 & OWN, 0);
    put_desc(&g, MEM_HTXD + 16, OWN | FS | LS | 80, 0, TXB(0));
    wr(&g, 0xd9, 1, NPQ); /* each queue is asked for by its own bit */
    CU_ASSERT_EQUAL(g.sent, 2);
    rig_free(&g);
}

static void test_broken_rings(void)
{
    struct rig g;

    cp_up(&g, 4, 1536);
    for (unsigned i = 0; i < 64; i++) /* a packet without an end */
        put_desc(&g, txd(i), OWN | FS | 100, 0, TXB(0));
    wr(&g, 0xd9, 1, NPQ);
    CU_ASSERT_EQUAL(g.sent, 0);
    CU_ASSERT_FALSE(g.d.model->pending(&g.d));
    put_desc(&g, txd(0), OWN | EOR, 0, TXB(0)); /* a ring of one that never ends */
    wr(&g, 0xd9, 1, NPQ);
    CU_ASSERT_EQUAL(g.sent, 0);
    put_desc(&g, txd(0), OWN | FS | LS | EOR, 0, TXB(0)); /* an empty packet */
    wr(&g, 0xd9, 1, NPQ);
    CU_ASSERT_EQUAL(g.sent, 0);
    CU_ASSERT_EQUAL(get_desc(&g, txd(0)).opts1 & OWN, 0);
    wr(&g, 0x3e, 2, 0xffff);
    put_desc(&g, txd(0), OWN | FS | LS | EOR | 100, 0, 0x1234567800ull); /* no memory */
    wr(&g, 0xd9, 1, NPQ);
    CU_ASSERT_EQUAL(g.sent, 0);
    CU_ASSERT_EQUAL(rd(&g, 0x3e, 2) & (RTL_ISR_SERR | RTL_ISR_TER), RTL_ISR_SERR | RTL_ISR_TER);
    CU_ASSERT_EQUAL(get_desc(&g, txd(0)).opts1 & OWN, 0);
    rig_poll(&g);
    wr(&g, 0x3e, 2, 0xffff);
    wr(&g, 0x24, 4, 0xff); /* the ring itself is nowhere */
    wr(&g, 0xd9, 1, NPQ);
    CU_ASSERT_EQUAL(rd(&g, 0x3e, 2), RTL_ISR_SERR);
    CU_ASSERT_FALSE(g.d.model->pending(&g.d));
    rig_free(&g);
}

/* The ring's end moves so that the walk goes round without meeting where it began. */
static void test_moving_end(void)
{
    const char *why = NULL;
    struct rig g;

    cp_up(&g, 4, 1536);
    for (unsigned i = 0; i < 64; i++)
        put_desc(&g, txd(i), OWN | FS | LS | 60, 0, TXB(0));
    put_desc(&g, txd(10), 0, 0, 0);
    wr(&g, 0xd9, 1, NPQ);
    CU_ASSERT_EQUAL(g.sent, 10);
    for (unsigned i = 0; i < 64; i++) /* packets of many pieces; the ring ends at 3 now */
        put_desc(&g, txd(i), OWN | (i % 16 == 3 ? LS : 0) | (i == 3 ? EOR : 0) | 4, 0, TXB(0));
    wr(&g, 0xd9, 1, NPQ);
    CU_ASSERT_EQUAL(g.d.model->validate(&g.d, &why), 0);
    for (unsigned i = 0; i < 1000 && g.d.model->poll(&g.d); i++) {
        CU_ASSERT_EQUAL(g.d.model->validate(&g.d, &why), 0);
        rig_commit(&g);
    }
    CU_ASSERT_FALSE(g.d.model->pending(&g.d));
    rig_free(&g);
}

static void test_checksums(void)
{
    for (unsigned udp = 0; udp < 2; udp++) {
        struct frame_shape s = {.udp = udp, .payload = 333};
        uint8_t want[1518];
        const uint8_t *got;
        size_t len = frame_build(want, &s), got_len;
        uint8_t *p;
        struct rig g;

        cp_up(&g, 4, 1536);
        p = mem_at(&g, TXB(0));
        memcpy(p, want, len);
        nm_put_be16(p + frame_l3(&s) + 10, 0xdead);
        nm_put_be16(p + frame_l4(&s) + (udp ? 6 : 16), 0xbeef);
        put_desc(&g, txd(0), OWN | FS | LS | IPCS | (udp ? UDPCS : TCPCS) | (uint32_t)len, 0,
                 TXB(0));
        wr(&g, 0xd9, 1, NPQ);
        got = last_frame(&g, &got_len);
        CU_ASSERT_EQUAL(got_len, len);
        CU_ASSERT_EQUAL(memcmp(got, want, len), 0);
        /* not asked for, or asked for of the other protocol: left alone */
        put_desc(&g, txd(1), OWN | FS | LS | (udp ? TCPCS : UDPCS) | (uint32_t)len, 0, TXB(0));
        wr(&g, 0xd9, 1, NPQ);
        got = last_frame(&g, &got_len);
        CU_ASSERT_EQUAL(memcmp(got, p, len), 0);
        rig_free(&g);
    }
}

static void test_vlan_insertion(void)
{
    uint8_t want[1518];
    const uint8_t *got;
    struct rig g;
    size_t len;

    cp_up(&g, 4, 1536);
    fill_tx(&g, 0, 1600);
    make_frame(mem_at(&g, TXB(0)), 1514, broadcast);
    memcpy(want, mem_at(&g, TXB(0)), 1514);
    nm_vlan_insert(want, 1514, NM_ETH_VLAN, 0x2345);
    put_desc(&g, txd(0), OWN | FS | LS | 1514, TAGC | 0x4523, TXB(0)); /* swapped, as 8139cp does */
    wr(&g, 0xd9, 1, NPQ);
    got = last_frame(&g, &len);
    CU_ASSERT_EQUAL(len, 1518);
    CU_ASSERT_EQUAL(memcmp(got, want, 1518), 0);
    put_desc(&g, txd(1), OWN | FS | LS | 1600, TAGC | 0x4523, TXB(0)); /* the tag counts */
    wr(&g, 0xd9, 1, NPQ);
    last_frame(&g, &len);
    CU_ASSERT_EQUAL(len, 1518);
    rig_free(&g);
}

/* One large segment in pieces: what leaves is what segmenting by hand gives. */
static void check_segments(unsigned mss, unsigned payload, unsigned piece, bool tag)
{
    struct frame_shape s = {.payload = payload, .tcp_extra = 12};
    uint8_t *frame = calloc(1, 66000), want[1518];
    size_t len = frame_build(frame, &s), hdr = frame_hdr(&s), got_len;
    unsigned n = 0, count = (payload + mss - 1) / mss;
    struct nm_tso t;
    struct rig g;

    cp_up(&g, 4, 1536);
    CU_ASSERT_TRUE_FATAL(nm_tso_of(frame, len, (uint16_t)mss, (uint32_t)len, &t));
    memcpy(mem_at(&g, TXB(0)), frame, len);
    for (size_t at = 0; at < len; at += piece, n++) {
        uint32_t part = (uint32_t)(len - at < piece ? len - at : piece);

        put_desc(&g, txd(n),
                 OWN | LGSEN | mss << 16 | (at ? 0 : FS) | (at + part == len ? LS : 0) | part,
                 tag ? TAGC | 0x0500 : 0, TXB(0) + at);
    }
    CU_ASSERT_TRUE_FATAL(n <= 63);
    wr(&g, 0xd9, 1, NPQ);
    for (unsigned i = 0; i < count; i++) {
        uint32_t part = nm_tso_len(&t, i), frame_len = (uint32_t)hdr + part;

        if (i == g.sent) {
            CU_ASSERT_TRUE(g.d.model->pending(&g.d));
            CU_ASSERT_EQUAL(get_desc(&g, txd(0)).opts1 & OWN, OWN); /* not before all has left */
            CU_ASSERT_EQUAL(rd(&g, 0x3e, 2), 0);
            g.d.model->poll(&g.d);
            rig_commit(&g);
        }
        CU_ASSERT_TRUE_FATAL(i < g.sent && g.sent - i <= RTL8139_BURST);
        if (g.sent - i > RIG_FRAMES)
            continue; /* the rig has forgotten it */
        memcpy(want, frame, hdr);
        memcpy(want + hdr, frame + hdr + i * mss, part);
        nm_tso_finish(&t, i, want);
        if (tag)
            frame_len = (uint32_t)nm_vlan_insert(want, frame_len, NM_ETH_VLAN, 5);
        got_len = g.len[i % RIG_FRAMES];
        CU_ASSERT_EQUAL(got_len, frame_len);
        CU_ASSERT_EQUAL(memcmp(g.frame[i % RIG_FRAMES], want, frame_len), 0);
    }
    rig_poll(&g);
    CU_ASSERT_EQUAL(g.sent, count);
    CU_ASSERT_EQUAL(get_desc(&g, txd(n - 1)).opts1 & OWN, 0);
    CU_ASSERT_EQUAL(rd(&g, 0x3e, 2), RTL_ISR_TOK | RTL_ISR_TDU);
    free(frame);
    rig_free(&g);
}

static void test_large_send(void)
{
    check_segments(1448, 1448 * 44, 4096, false);
    check_segments(1448, 1448 * 3 + 7, 1100, true);
    check_segments(536, 40000, 60000, false);
    check_segments(100, 999, 17, false);
    check_segments(1, 40, 200, true);
    check_segments(1460, 100, 200, false);
}

static void test_large_send_odd(void)
{
    struct frame_shape s = {.payload = 4000}, udp = {.udp = true, .payload = 1000};
    uint8_t frame[5000];
    struct rig g;
    size_t len;

    cp_up(&g, 4, 1536);
    len = frame_build(frame, &s);
    memcpy(mem_at(&g, TXB(0)), frame, len);
    /* an MSS with which segments were longer than frames can be */
    put_desc(&g, txd(0), OWN | FS | LS | LGSEN | 0x7ffu << 16 | (uint32_t)len, 0, TXB(0));
    wr(&g, 0xd9, 1, NPQ);
    CU_ASSERT_EQUAL(g.sent, 3);
    CU_ASSERT_EQUAL(g.len[0], NM_MAX_FRAME);
    /* none at all; and what is no TCP: sent as it is, cut off */
    put_desc(&g, txd(1), OWN | FS | LS | LGSEN | (uint32_t)len, 0, TXB(0));
    wr(&g, 0xd9, 1, NPQ);
    CU_ASSERT_EQUAL(g.sent, 4);
    len = frame_build(mem_at(&g, TXB(1)), &udp);
    put_desc(&g, txd(2), OWN | FS | LS | LGSEN | 100u << 16 | (uint32_t)len, 0, TXB(1));
    wr(&g, 0xd9, 1, NPQ);
    CU_ASSERT_EQUAL(g.sent, 5);
    CU_ASSERT_EQUAL(g.len[4], len);
    /* a guest that takes its packet back in the middle of it */
    s.payload = 40000;
    len = frame_build(mem_at(&g, TXB(0)), &s);
    put_desc(&g, txd(3), OWN | FS | LS | LGSEN | 100u << 16 | (uint32_t)len, 0, TXB(0));
    wr(&g, 0xd9, 1, NPQ);
    CU_ASSERT_TRUE(g.d.model->pending(&g.d));
    put_desc(&g, txd(3), OWN | FS | LS | LGSEN | 1400u << 16 | 2000, 0, TXB(0));
    rig_poll(&g);
    CU_ASSERT_FALSE(g.d.model->pending(&g.d));
    CU_ASSERT_EQUAL(get_desc(&g, txd(3)).opts1 & OWN, 0);
    rig_free(&g);
}

/* --- reception --- */

static void check_received(struct rig *g, unsigned at, const uint8_t *frame, size_t len,
                           uint32_t status)
{
    const uint8_t *got = mem_at(g, MEM_RXB + 2048 * at);
    uint32_t fcs, want = nm_crc32(0, frame, len);

    CU_ASSERT_EQUAL(get_desc(g, rxd(at)).opts1 & ~EOR, FS | LS | status | (uint32_t)(len + 4));
    CU_ASSERT_EQUAL(memcmp(got, frame, len), 0);
    memcpy(&fcs, got + len, 4);
    CU_ASSERT_EQUAL(fcs, want);
}

static void test_receive(void)
{
    uint8_t frame[1518];
    struct rig g;

    cp_up(&g, 64, 1536);
    for (unsigned i = 0; i < 300; i++) {
        unsigned at = i % 64;
        size_t len = 60 + i * 31 % 1459;

        make_frame(frame, len, i & 1 ? rig_mac : broadcast);
        frame[12] = 0x88; /* nothing the chip knows */
        CU_ASSERT_TRUE(g.d.model->can_receive(&g.d, len));
        rig_receive(&g, frame, len);
        CU_ASSERT_EQUAL(rd(&g, 0x3e, 2), RTL_ISR_ROK);
        wr(&g, 0x3e, 2, RTL_ISR_ROK);
        check_received(&g, at, frame, len, i & 1 ? 1u << 25 : 1u << 24);
        CU_ASSERT_EQUAL(get_desc(&g, rxd(at)).opts1 & EOR, at == 63 ? EOR : 0);
        put_desc(&g, rxd(at), OWN | (at == 63 ? EOR : 0) | 1536, 0, MEM_RXB + 2048 * at);
    }
    rig_free(&g);
}

static void test_receive_full(void)
{
    uint8_t frame[100];
    struct rig g;

    cp_up(&g, 3, 1536);
    make_frame(frame, sizeof(frame), broadcast);
    frame[12] = 0x88;
    /* without a commit in between: not one descriptor twice */
    g.killed = true;
    for (unsigned i = 0; i < 3; i++) {
        CU_ASSERT_TRUE(g.d.model->can_receive(&g.d, sizeof(frame)));
        rig_receive(&g, frame, sizeof(frame));
        CU_ASSERT_EQUAL(get_desc(&g, rxd(i)).opts1 & OWN, OWN);
    }
    CU_ASSERT_FALSE(g.d.model->can_receive(&g.d, sizeof(frame)));
    g.killed = false;
    rig_commit(&g);
    for (unsigned i = 0; i < 3; i++)
        check_received(&g, i, frame, sizeof(frame), 1u << 24);
    CU_ASSERT_FALSE(g.d.model->can_receive(&g.d, sizeof(frame)));
    wr(&g, 0x3e, 2, 0xffff);
    g.d.model->waiting(&g.d);
    CU_ASSERT_EQUAL(rd(&g, 0x3e, 2), RTL_ISR_RXOVW); /* RDU */
    rig_receive(&g, frame, sizeof(frame));
    CU_ASSERT_EQUAL(rd(&g, 0x4c, 4), 1);
    put_desc(&g, rxd(0), OWN | 1536, 0, MEM_RXB);
    CU_ASSERT_TRUE(g.d.model->can_receive(&g.d, sizeof(frame)));
    rig_free(&g);
}

/* More frames than there is room for notes. */
static void test_receive_notes(void)
{
    uint8_t frame[60];
    unsigned n = 0;
    struct rig g;

    cp_up(&g, 64, 1536);
    make_frame(frame, sizeof(frame), broadcast);
    g.killed = true;
    for (; g.d.model->can_receive(&g.d, sizeof(frame)); n++)
        rig_receive(&g, frame, sizeof(frame));
    CU_ASSERT_EQUAL(n, RTL8139_RX_NOTES);
    g.killed = false;
    rig_commit(&g);
    for (; g.d.model->can_receive(&g.d, sizeof(frame)); n++)
        rig_receive(&g, frame, sizeof(frame));
    CU_ASSERT_EQUAL(n, 64);
    rig_free(&g);
}

/* Buffers smaller than the frame: it goes into several. */
static void test_receive_pieces(void)
{
    uint8_t frame[1000];
    struct rig g;

    cp_up(&g, 8, 400);
    make_frame(frame, sizeof(frame), broadcast);
    frame[12] = 0x88;
    rig_receive(&g, frame, sizeof(frame));
    CU_ASSERT_EQUAL(get_desc(&g, rxd(0)).opts1, FS | 400);
    CU_ASSERT_EQUAL(get_desc(&g, rxd(1)).opts1, 400);
    CU_ASSERT_EQUAL(get_desc(&g, rxd(2)).opts1, LS | 1u << 24 | 1004);
    for (unsigned i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(memcmp(mem_at(&g, MEM_RXB + 2048 * i), frame + 400 * i, i == 2 ? 200 : 400),
                        0);
    rig_receive(&g, frame, sizeof(frame));
    CU_ASSERT_FALSE(g.d.model->can_receive(&g.d, sizeof(frame))); /* two are left */
    CU_ASSERT_TRUE(g.d.model->can_receive(&g.d, 700));
    /* buffers of no size at all: no frame ever fits */
    start_cp(&g, RXCONFIG, 8, 0);
    CU_ASSERT_FALSE(g.d.model->can_receive(&g.d, 60));
    rig_receive(&g, frame, sizeof(frame));
    CU_ASSERT_EQUAL(rd(&g, 0x4c, 4), 1);
    CU_ASSERT_EQUAL(get_desc(&g, rxd(0)).opts1 & OWN, OWN);
    rig_free(&g);
}

static uint32_t received_status(struct rig *g, const uint8_t *frame, size_t len)
{
    put_desc(g, rxd(0), OWN | EOR | 1536, 0, MEM_RXB);
    rig_receive(g, frame, len);
    return get_desc(g, rxd(0)).opts1 & 0x3ffff & ~0x1fffu;
}

static void test_receive_checksums(void)
{
    struct frame_shape tcp = {.payload = 100}, udp = {.udp = true, .payload = 100},
                       six = {.ipv6 = true, .payload = 100};
    uint8_t f[1518];
    struct rig g;
    size_t len;

    cp_up(&g, 1, 1536);
    len = frame_build(f, &tcp);
    CU_ASSERT_EQUAL(received_status(&g, f, len), 1u << 16);
    f[len - 1] ^= 1;
    CU_ASSERT_EQUAL(received_status(&g, f, len), 1u << 16 | 1u << 13);
    f[frame_l3(&tcp) + 8] ^= 1; /* TTL: of IP's checksum only */
    CU_ASSERT_EQUAL(received_status(&g, f, len), 1u << 16 | 1u << 13 | 1u << 15);
    len = frame_build(f, &udp);
    CU_ASSERT_EQUAL(received_status(&g, f, len), 2u << 16);
    f[len - 1] ^= 1;
    CU_ASSERT_EQUAL(received_status(&g, f, len), 2u << 16 | 1u << 14);
    f[frame_l3(&udp) + 6] = 0x20; /* a fragment: nothing can be said but that it is IP */
    CU_ASSERT_EQUAL(received_status(&g, f, len), 3u << 16 | 1u << 15);
    len = frame_build(f, &six);
    CU_ASSERT_EQUAL(received_status(&g, f, len), 0);
    len = frame_build(f, &tcp);
    wr(&g, 0xe0, 2, RTL_CPCR_TXEN | RTL_CPCR_RXEN);
    CU_ASSERT_EQUAL(received_status(&g, f, len), 0);
    rig_free(&g);
}

static void test_vlan_stripping(void)
{
    struct frame_shape tagged = {.payload = 100, .tags = 1}, plain = {.payload = 100};
    uint8_t f[1518], want[1518];
    struct rig g;
    size_t len;

    cp_up(&g, 4, 1536);
    len = frame_build(f, &tagged);
    rig_receive(&g, f, len);
    check_received(&g, 0, f, len, 1u << 25 | 1u << 16); /* not asked for */
    CU_ASSERT_EQUAL(get_desc(&g, rxd(0)).opts2, 0);
    wr(&g, 0xe0, 2, RTL_CPCR_TXEN | RTL_CPCR_RXEN | RTL_CPCR_RXCHKSUM | RTL_CPCR_RXVLAN);
    rig_receive(&g, f, len);
    CU_ASSERT_EQUAL(frame_build(want, &plain), len - 4);
    check_received(&g, 1, want, len - 4, 1u << 25 | 1u << 16);
    CU_ASSERT_EQUAL(get_desc(&g, rxd(1)).opts2, 1u << 16 | 0x0520); /* 0x2005, as it came */
    rig_receive(&g, want, len - 4);
    CU_ASSERT_EQUAL(get_desc(&g, rxd(2)).opts2, 0);
    rig_free(&g);
}

static void test_loopback(void)
{
    struct rig g;

    cp_up(&g, 4, 1536);
    wr(&g, 0x40, 4, 0x03000600 | RTL_TCR_LBK);
    fill_tx(&g, 0, 200);
    mem_at(&g, TXB(0))[12] = 0x88;
    put_desc(&g, txd(0), OWN | FS | LS | 200, 0, TXB(0));
    wr(&g, 0xd9, 1, NPQ);
    CU_ASSERT_EQUAL(g.sent, 0);
    check_received(&g, 0, mem_at(&g, TXB(0)), 200, 1u << 24);
    CU_ASSERT_EQUAL(rd(&g, 0x3e, 2), RTL_ISR_TOK | RTL_ISR_TDU | RTL_ISR_ROK);
    rig_free(&g);
}

/* --- tally counters --- */

static void test_tally(void)
{
    static const uint8_t group[6] = {0x01, 0x00, 0x5e, 0x00, 0x00, 0x01};
    struct rtl8139_tally t;
    uint8_t frame[60];
    struct rig g;

    cp_up(&g, 3, 1536);
    wr(&g, 0x08, 8, ~0ull);
    make_frame(frame, sizeof(frame), broadcast);
    rig_receive(&g, frame, sizeof(frame));
    make_frame(frame, sizeof(frame), group);
    rig_receive(&g, frame, sizeof(frame));
    make_frame(frame, sizeof(frame), rig_mac);
    rig_receive(&g, frame, sizeof(frame));
    rig_receive(&g, frame, sizeof(frame)); /* no room */
    for (unsigned i = 0; i < 5; i++)
        put_desc(&g, txd(i), OWN | FS | LS | 60, 0, TXB(0));
    wr(&g, 0xd9, 1, NPQ);
    wr(&g, 0x14, 4, 0);
    wr(&g, 0x10, 4, (uint32_t)MEM_DUMP | RTL_DTCCR_CMD);
    CU_ASSERT_EQUAL(rd(&g, 0x10, 4), (uint32_t)MEM_DUMP);
    memcpy(&t, mem_at(&g, MEM_DUMP), sizeof(t));
    CU_ASSERT_EQUAL(t.tx_ok, 5);
    CU_ASSERT_EQUAL(t.rx_ok, 3);
    CU_ASSERT_EQUAL(t.rx_ok_brd, 1);
    CU_ASSERT_EQUAL(t.rx_ok_mul, 1);
    CU_ASSERT_EQUAL(t.rx_ok_phy, 1);
    CU_ASSERT_EQUAL(t.miss_pkt, 1);
    CU_ASSERT_EQUAL(t.tx_err, 0);
    wr(&g, 0x14, 4, 0xffff); /* nowhere */
    wr(&g, 0x3e, 2, 0xffff);
    wr(&g, 0x10, 4, RTL_DTCCR_CMD);
    CU_ASSERT_EQUAL(rd(&g, 0x10, 4), 0);
    CU_ASSERT_EQUAL(rd(&g, 0x3e, 2), RTL_ISR_SERR);
    rig_free(&g);
}

/* Interface down and up again, as 8139cp does it without a reset: both rings begin anew. */
static void test_restart(void)
{
    uint8_t frame[60];
    struct rig g;

    cp_up(&g, 8, 1536);
    make_frame(frame, sizeof(frame), broadcast);
    frame[12] = 0x88;
    rig_receive(&g, frame, sizeof(frame));
    put_desc(&g, txd(0), OWN | FS | LS | 60, 0, TXB(0));
    wr(&g, 0xd9, 1, NPQ);
    wr(&g, 0x3c, 2, 0);
    wr(&g, 0x37, 1, 0);
    wr(&g, 0xe0, 2, 0);
    rig_receive(&g, frame, sizeof(frame));
    CU_ASSERT_EQUAL(get_desc(&g, rxd(1)).opts1 & OWN, OWN);
    start_cp(&g, RXCONFIG, 8, 1536);
    rig_receive(&g, frame, sizeof(frame));
    check_received(&g, 0, frame, sizeof(frame), 1u << 24);
    put_desc(&g, txd(0), OWN | FS | LS | 60, 0, TXB(0));
    wr(&g, 0xd9, 1, NPQ);
    CU_ASSERT_EQUAL(g.sent, 2);
    CU_ASSERT_EQUAL(get_desc(&g, txd(0)).opts1 & OWN, 0);
    rig_free(&g);
}

/* --- a runner that dies --- */

/* Given back once: what the guest gave out again since then stays its own. */
static void test_given_back_once(void)
{
    uint8_t frame[60];
    struct rig g;

    cp_up(&g, 4, 1536);
    make_frame(frame, sizeof(frame), broadcast);
    rig_receive(&g, frame, sizeof(frame));
    put_desc(&g, txd(0), OWN | FS | LS | 60, 0, TXB(0));
    wr(&g, 0xd9, 1, NPQ);
    put_desc(&g, rxd(0), OWN | 1536, 0, MEM_RXB);
    put_desc(&g, txd(0), OWN | FS | LS | 60, 0, TXB(0));
    rig_commit(&g); /* a successor does that */
    CU_ASSERT_EQUAL(get_desc(&g, rxd(0)).opts1 & OWN, OWN);
    CU_ASSERT_EQUAL(get_desc(&g, txd(0)).opts1 & OWN, OWN);
    rig_free(&g);
}

/* Killed between two descriptors: the successor gives back the rest, and no more. */
static void test_given_back_in_part(void)
{
    uint8_t frame[60];
    struct rig g;

    cp_up(&g, 4, 1536);
    make_frame(frame, sizeof(frame), broadcast);
    g.killed = true;
    for (unsigned i = 0; i < 3; i++) {
        rig_receive(&g, frame, sizeof(frame));
        put_desc(&g, txd(i), OWN | FS | LS | 60, 0, TXB(0));
    }
    wr(&g, 0xd9, 1, NPQ);
    for (unsigned q = 0; q < 3; q += 2) /* the normal queue, and reception */
        rtl8139_ram_of(&g.d)->done[q] =
            (q ? regs(&g)->rx.notes.epoch : regs(&g)->tx[0].notes.epoch) << 8 | 1;
    g.killed = false;
    rig_commit(&g);
    for (unsigned i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(get_desc(&g, rxd(i)).opts1 & OWN, i ? 0 : OWN);
        CU_ASSERT_EQUAL(get_desc(&g, txd(i)).opts1 & OWN, i ? 0 : OWN);
    }
    rig_free(&g);
}

const struct cu_test suite_tests[] = {
    {"transmission", test_transmit},
    {"transmission: pieces", test_transmit_pieces},
    {"transmission: more than one call sends", test_transmit_bursts},
    {"transmission: priority", test_priority},
    {"transmission: broken rings", test_broken_rings},
    {"transmission: a ring whose end moves", test_moving_end},
    {"checksums put in", test_checksums},
    {"VLAN tags put in", test_vlan_insertion},
    {"large send", test_large_send},
    {"large send: odd ones", test_large_send_odd},
    {"reception", test_receive},
    {"reception: no descriptors", test_receive_full},
    {"reception: no room for notes", test_receive_notes},
    {"reception: pieces", test_receive_pieces},
    {"checksums checked", test_receive_checksums},
    {"VLAN tags taken out", test_vlan_stripping},
    {"loopback", test_loopback},
    {"tally counters", test_tally},
    {"down and up again", test_restart},
    {"given back once", test_given_back_once},
    {"given back in part", test_given_back_in_part},
    {NULL, NULL},
};
