/* SPDX-License-Identifier: BSD-3-Clause */
/* The e1000 transmits: descriptors of all kinds, checksums, segmentation, VLAN tags, loopback. */
#include "cu_main.h"
#include "e1000_rig.h"

#include "../../nicmodels/crc32.h"

const char *const suite_name = "e1000_tx";

#define PIECES 3
static const uint64_t pieces[PIECES] = {4096, 24, 1}; /* what is contiguous to the device */

#define WHOLE (TXD_EOP | TXD_IFCS)

/* Up and running, with a frame at E_TX_BUF. @return its length */
static size_t up_with(struct rig *g, uint64_t piece, const struct frame_shape *s)
{
    bring_up(g, piece);
    return frame_build(guest(g, E_TX_BUF), s);
}

/* The first `len` bytes at E_TX_BUF as a packet; the device is told. */
static void send(struct tx_maker *t, size_t len, uint8_t cmd)
{
    tx_legacy(t, E_TX_BUF, (uint16_t)len, cmd, 0, 0, 0);
    tx_go(t);
}

static bool sent_is(const struct rig *g, unsigned i, const void *frame, size_t len)
{
    return g->sent > i && g->len[i % RIG_FRAMES] == len &&
           !memcmp(g->frame[i % RIG_FRAMES], frame, len);
}

static void test_legacy(void)
{
    struct frame_shape s = {.payload = 300};

    for (unsigned k = 0; k < PIECES; k++) {
        struct rig g;
        struct tx_maker t = {&g, 0};
        size_t len;

        len = up_with(&g, pieces[k], &s);
        send(&t, len, WHOLE | TXD_RS);
        CU_ASSERT_TRUE(sent_is(&g, 0, guest(&g, E_TX_BUF), len));
        CU_ASSERT_EQUAL(tx_status(&g, 0), TXD_DD);
        CU_ASSERT_EQUAL(reg(&g, E1000_TDH), 1);
        CU_ASSERT_TRUE(g.level);
        CU_ASSERT_EQUAL(reg(&g, E1000_ICR), ICR_TXDW | ICR_TXQE);
        CU_ASSERT_FALSE(g.level);
        /* In three pieces, of which one is empty; RS only with the last. */
        tx_legacy(&t, E_TX_BUF, 100, 0, 0, 0, 0);
        tx_legacy(&t, E_TX_BUF + 100, 0, 0, 0, 0, 0);
        tx_legacy(&t, E_TX_BUF + 100, (uint16_t)(len - 100), WHOLE | TXD_RS, 0, 0, 0);
        tx_go(&t);
        CU_ASSERT_TRUE(sent_is(&g, 1, guest(&g, E_TX_BUF), len));
        CU_ASSERT_TRUE(!tx_status(&g, 1) && !tx_status(&g, 2) && tx_status(&g, 3) == TXD_DD);
        CU_ASSERT_EQUAL(reg(&g, E1000_TDH), 4);
        rig_free(&g);
    }
}

/* Around the ring's end, and no further than the tail. */
static void test_ring(void)
{
    struct frame_shape s = {.payload = 100};
    struct rig g;
    struct tx_maker t = {&g, 0};
    size_t len;

    len = up_with(&g, 4096, &s);
    for (unsigned i = 0; i < 5 * E_RING; i++) {
        guest(&g, E_TX_BUF)[30] = (uint8_t)i;
        tx_legacy(&t, E_TX_BUF, (uint16_t)len, WHOLE | TXD_RS, 0, 0, 0);
        CU_ASSERT_EQUAL(g.sent, i);
        tx_go(&t);
        CU_ASSERT_TRUE(sent_is(&g, i, guest(&g, E_TX_BUF), len));
    }
    CU_ASSERT_EQUAL(reg(&g, E1000_TDH), 0);
    tx_go(&t); /* nothing new */
    CU_ASSERT_EQUAL(g.sent, 5 * E_RING);
    set(&g, E1000_TDT, E_RING); /* outside: no ring */
    CU_ASSERT_EQUAL(g.sent, 5 * E_RING);
    CU_ASSERT_FALSE(g.d.model->pending(&g.d));
    rig_free(&g);
}

/* Half a packet waits for its other half, and costs nothing meanwhile. */
static void test_half_a_packet(void)
{
    struct frame_shape s = {.payload = 100};
    struct rig g;
    struct tx_maker t = {&g, 0};
    size_t len;

    len = up_with(&g, 4096, &s);
    send(&t, 60, TXD_RS);
    CU_ASSERT_EQUAL(g.sent, 0);
    CU_ASSERT_FALSE(g.d.model->pending(&g.d));
    tx_legacy(&t, E_TX_BUF + 60, (uint16_t)(len - 60), WHOLE, 0, 0, 0);
    tx_go(&t);
    CU_ASSERT_TRUE(sent_is(&g, 0, guest(&g, E_TX_BUF), len));
    CU_ASSERT_EQUAL(tx_status(&g, 0), TXD_DD);
    rig_free(&g);
}

/* Nothing before it is allowed to; then all that waits. */
static void test_gates(void)
{
    struct frame_shape s = {.payload = 100};
    struct rig g;
    struct tx_maker t = {&g, 0};
    size_t len;

    len = up_with(&g, 4096, &s);
    set(&g, E1000_TCTL, TCTL_PSP);
    send(&t, len, WHOLE);
    CU_ASSERT_EQUAL(g.sent, 0);
    set(&g, E1000_TCTL, TCTL_EN | TCTL_PSP);
    CU_ASSERT_EQUAL(g.sent, 1);
    rig_write(&g, NM_REGION_CONFIG, PCI_COMMAND, 2, PCI_COMMAND_MEM);
    send(&t, len, WHOLE);
    CU_ASSERT_EQUAL(g.sent, 1);
    rig_write(&g, NM_REGION_CONFIG, PCI_COMMAND, 2, PCI_COMMAND_MEM | PCI_COMMAND_MASTER);
    CU_ASSERT_EQUAL(g.sent, 2);
    set(&g, E1000_MDIC, MDIC_OP_WRITE | 1u << 21 | 0x0800); /* transceiver off */
    send(&t, len, WHOLE | TXD_RS);
    CU_ASSERT_EQUAL(g.sent, 2); /* onto a dead wire */
    CU_ASSERT_EQUAL(tx_status(&g, 2), TXD_DD);
    rig_free(&g);
}

static void test_sizes(void)
{
    struct rig g;
    struct tx_maker t = {&g, 0};
    uint32_t fcs;

    bring_up(&g, 4096);
    memset(guest(&g, E_TX_BUF), 0x5a, 4000);
    send(&t, 20, WHOLE);
    CU_ASSERT_TRUE(g.sent == 1 && g.len[0] == 60 && !g.frame[0][20] && !g.frame[0][59]);
    set(&g, E1000_TCTL, TCTL_EN); /* not padded: a runt, which goes nowhere */
    send(&t, 20, WHOLE);
    set(&g, E1000_TCTL, TCTL_EN | TCTL_PSP);
    tx_legacy(&t, E_TX_BUF, 13, WHOLE, 0, 0, 0);
    tx_legacy(&t, E_TX_BUF, 0, WHOLE | TXD_RS, 0, 0, 0);
    tx_legacy(&t, E_TX_BUF, NM_MAX_FRAME + 1, WHOLE, 0, 0, 0);
    tx_legacy(&t, RIG_MEM + E_MEM_SIZE - 10, 100, WHOLE | TXD_RS, 0, 0, 0);
    tx_go(&t);
    CU_ASSERT_EQUAL(g.sent, 1);
    CU_ASSERT_TRUE(tx_status(&g, 3) && tx_status(&g, 5));
    send(&t, NM_MAX_FRAME, WHOLE);
    CU_ASSERT_TRUE(g.sent == 2 && g.len[1] == NM_MAX_FRAME);
    /* Its own FCS: right, then wrong. */
    fcs = nm_crc32(0, guest(&g, E_TX_BUF), NM_MAX_FRAME);
    memcpy(guest(&g, E_TX_BUF + NM_MAX_FRAME), &fcs, 4);
    send(&t, NM_MAX_FRAME + 4, TXD_EOP);
    CU_ASSERT_TRUE(sent_is(&g, 2, guest(&g, E_TX_BUF), NM_MAX_FRAME));
    *guest(&g, E_TX_BUF + 100) ^= 1;
    send(&t, NM_MAX_FRAME + 4, TXD_EOP);
    CU_ASSERT_EQUAL(g.sent, 3);
    CU_ASSERT_EQUAL(reg(&g, E1000_TDH), t.tail);
    rig_free(&g);
}

/* A checksum field as the stack leaves it: the pseudo-header's sum. */
static void put_pseudo(uint8_t *f, const struct frame_shape *s, size_t len)
{
    size_t l4 = frame_l4(s);
    uint32_t sum = (uint32_t)((s->udp ? NM_PROTO_UDP : NM_PROTO_TCP) + len - l4);

    nm_put_be16(f + l4 + (s->udp ? 6 : 16), slow_sum(sum, f + frame_l3(s) + 12, 8));
}

static void test_checksums(void)
{
    for (unsigned udp = 0; udp < 2; udp++) {
        struct frame_shape s = {.udp = udp, .payload = 333};
        struct e1000_context c = {.ipcss = 14, .ipcso = 24, .ipcse = 33, .tucss = 34};
        uint8_t want[NM_MAX_FRAME], *f;
        struct rig g;
        struct tx_maker t = {&g, 0};
        size_t len;

        len = up_with(&g, 4096, &s);
        f = guest(&g, E_TX_BUF);
        memcpy(want, f, len);
        put_pseudo(f, &s, len);
        c.tucso = udp ? 40 : 50;
        c.tucmd = TXD_RS | TUCMD_IP | (udp ? 0 : TUCMD_TCP);
        tx_context(&t, &c, 0);
        f[24] = f[25] = 0;
        tx_data(&t, E_TX_BUF, 50, 0, TXD_POPTS_IXSM | TXD_POPTS_TXSM, 0);
        tx_data(&t, E_TX_BUF + 50, (uint32_t)len - 50, WHOLE | TXD_RS, 0, 0);
        tx_go(&t);
        CU_ASSERT_TRUE(sent_is(&g, 0, want, len));
        CU_ASSERT_TRUE(tx_status(&g, 0) == TXD_DD && !tx_status(&g, 1) && tx_status(&g, 2));
        /* The context stays; without POPTS nothing is put in. */
        tx_data(&t, E_TX_BUF, (uint32_t)len, WHOLE, TXD_POPTS_TXSM, 0);
        tx_data(&t, E_TX_BUF, (uint32_t)len, WHOLE, 0, 0);
        /* Legacy descriptors name start and place themselves. */
        tx_legacy(&t, E_TX_BUF, (uint16_t)len, WHOLE | TXD_IC, c.tucso, 34, 0);
        tx_go(&t);
        want[24] = want[25] = 0;
        CU_ASSERT_TRUE(sent_is(&g, 1, want, len));
        CU_ASSERT_TRUE(sent_is(&g, 2, f, len));
        CU_ASSERT_TRUE(sent_is(&g, 3, want, len));
        /* Offsets outside the frame: it goes as it is. */
        c.tucss = 250;
        c.tucse = 100;
        tx_context(&t, &c, 0);
        tx_data(&t, E_TX_BUF, (uint32_t)len, WHOLE, TXD_POPTS_TXSM, 0);
        tx_legacy(&t, E_TX_BUF, 100, WHOLE | TXD_IC, 99, 34, 0);
        tx_go(&t);
        CU_ASSERT_TRUE(sent_is(&g, 4, f, len));
        CU_ASSERT_TRUE(sent_is(&g, 5, f, 100));
        rig_free(&g);
    }
}

struct tso_case {
    struct frame_shape s;
    uint16_t mss;
};

static const struct tso_case tso_cases[] = {
    {{.payload = 60000, .tcp_extra = 12}, 1448},
    {{.payload = 1448, .tcp_extra = 12}, 1448},
    {{.payload = 1449, .tcp_extra = 12}, 1448},
    {{.payload = 5000, .ipv6 = true}, 500},
    {{.payload = 3000, .udp = true}, 1000},
    {{.payload = 3000, .tags = 1}, 1000},
    {{.payload = 0}, 1000},
};

/* The headers in one descriptor, the payload in others of odd sizes. */
static void put_tso(struct tx_maker *t, const struct tso_case *k, size_t len)
{
    size_t l3 = frame_l3(&k->s), l4 = frame_l4(&k->s), hdr = frame_hdr(&k->s);
    struct e1000_context c = {
        .ipcss = (uint8_t)l3,
        .ipcso = (uint8_t)(l3 + 10),
        .ipcse = (uint16_t)(l4 - 1),
        .tucss = (uint8_t)l4,
        .tucso = (uint8_t)(l4 + (k->s.udp ? 6 : 16)),
        .mss = k->mss,
        .hdrlen = (uint8_t)hdr,
        .tucmd = (uint8_t)(TUCMD_TSE | (k->s.ipv6 ? 0 : TUCMD_IP) | (k->s.udp ? 0 : TUCMD_TCP)),
    };
    size_t at = hdr, part;

    tx_context(t, &c, (uint32_t)(len - hdr));
    tx_data(t, E_TX_BUF, (uint32_t)hdr, TXD_TSE | (at == len ? WHOLE | TXD_RS : 0),
            TXD_POPTS_IXSM | TXD_POPTS_TXSM, 0);
    for (; at < len; at += part) {
        part = len - at < 16001 ? len - at : 16001;
        tx_data(t, E_TX_BUF + at, (uint32_t)part, TXD_TSE | (at + part == len ? WHOLE | TXD_RS : 0),
                0, 0);
    }
}

/* Segment i as it must be, from the large frame. */
static size_t segment(const struct tso_case *k, const uint8_t *big, uint32_t i, uint8_t *to)
{
    size_t hdr = frame_hdr(&k->s);
    struct nm_tso s;
    uint32_t n;

    CU_ASSERT_TRUE_FATAL(nm_tso_of(big, hdr, k->mss, (uint32_t)(hdr + k->s.payload), &s));
    n = nm_tso_len(&s, i);
    memcpy(to, big, hdr);
    memcpy(to + hdr, big + hdr + i * k->mss, n);
    nm_tso_finish(&s, i, to);
    if (hdr + n >= NM_MIN_FRAME)
        return hdr + n;
    memset(to + hdr + n, 0, NM_MIN_FRAME - hdr - n);
    return NM_MIN_FRAME;
}

static void tso(const struct tso_case *k)
{
    uint32_t n = k->s.payload ? (uint32_t)(k->s.payload - 1) / k->mss + 1 : 1;
    uint8_t want[NM_MAX_FRAME];
    struct rig g;
    struct tx_maker t = {&g, 0};
    unsigned last = 0;
    size_t len;

    len = up_with(&g, 4096, &k->s);
    put_tso(&t, k, len);
    tx_go(&t);
    CU_ASSERT_EQUAL(g.sent, n < NM_TX_BURST ? n : NM_TX_BURST);
    for (;;) {
        for (unsigned i = last; i < g.sent; i++) {
            size_t l = segment(k, guest(&g, E_TX_BUF), i, want);

            if (i + RIG_FRAMES >= g.sent)
                CU_ASSERT_TRUE(sent_is(&g, i, want, l));
        }
        last = g.sent;
        if (last >= n)
            break;
        CU_ASSERT_TRUE_FATAL(g.d.model->pending(&g.d));
        CU_ASSERT_EQUAL(tx_status(&g, t.tail - 1), 0); /* not done yet */
        CU_ASSERT_TRUE(g.d.model->poll(&g.d) > 0);
        rig_commit(&g);
    }
    rig_poll(&g);
    CU_ASSERT_EQUAL(g.sent, n);
    CU_ASSERT_EQUAL(tx_status(&g, t.tail - 1), TXD_DD);
    CU_ASSERT_EQUAL(reg(&g, E1000_TDH), t.tail);
    CU_ASSERT_EQUAL(reg(&g, E1000_STATS + 4 * 62), 1); /* TSCTC */
    CU_ASSERT_EQUAL(reg(&g, E1000_STATS + 4 * 32), n); /* GPTC */
    rig_free(&g);
}

static void test_tso(void)
{
    for (unsigned i = 0; i < sizeof(tso_cases) / sizeof(tso_cases[0]); i++)
        tso(&tso_cases[i]);
}

/* What cannot be segmented is dropped, and its descriptors come back. */
static void test_tso_refused(void)
{
    static const struct tso_case bad[] = {
        {{.payload = 3000}, 0},
        {{.payload = 3000}, 1500},
        {{.payload = 3000}, 65535},
    };

    for (unsigned i = 0; i < 3; i++) {
        struct rig g;
        struct tx_maker t = {&g, 0};
        size_t len;

        len = up_with(&g, 4096, &bad[i].s);
        put_tso(&t, &bad[i], len);
        tx_go(&t);
        rig_poll(&g);
        CU_ASSERT_EQUAL(g.sent, 0);
        CU_ASSERT_EQUAL(tx_status(&g, t.tail - 1), TXD_DD);
        CU_ASSERT_EQUAL(reg(&g, E1000_STATS + 4 * 63), 1); /* TSCTFC */
        rig_free(&g);
    }
}

static void test_vlan(void)
{
    struct frame_shape s = {.payload = 100};
    uint8_t want[256];
    struct rig g;
    struct tx_maker t = {&g, 0};
    size_t len;

    len = up_with(&g, 4096, &s);
    memcpy(want, guest(&g, E_TX_BUF), len);
    tx_legacy(&t, E_TX_BUF, (uint16_t)len, WHOLE | TXD_VLE, 0, 0, 0x6123);
    tx_go(&t);
    CU_ASSERT_TRUE(sent_is(&g, 0, want, len)); /* CTRL.VME is not set */
    set(&g, E1000_CTRL, CTRL_SLU | CTRL_VME);
    set(&g, E1000_VET, 0x9100);
    tx_legacy(&t, E_TX_BUF, (uint16_t)len, WHOLE | TXD_VLE, 0, 0, 0x6123);
    tx_data(&t, E_TX_BUF, (uint32_t)len, WHOLE | TXD_VLE, 0, 0x6123);
    tx_go(&t);
    nm_vlan_insert(want, len, 0x9100, 0x6123);
    CU_ASSERT_TRUE(sent_is(&g, 1, want, len + 4));
    CU_ASSERT_TRUE(sent_is(&g, 2, want, len + 4));
    rig_free(&g);
}

#define LONG_RING (RIG_MEM + 0x40000u)

/* A descriptor of a longer ring than usual. */
static void put_long(struct rig *g, uint32_t i, uint64_t high)
{
    uint64_t desc[2] = {E_TX_BUF, high};

    memcpy(guest(g, LONG_RING + 16ull * i), desc, sizeof(desc));
}

/* A ring of n descriptors, all the same. */
static void long_ring(struct rig *g, uint32_t n, uint64_t high)
{
    for (uint32_t i = 0; i < n; i++)
        put_long(g, i, high);
    set(g, E1000_TDBAL, LONG_RING);
    set(g, E1000_TDLEN, n * 16);
}

/* More descriptors than a packet can have: dropped up to the next EOP, in bounded steps. */
static void test_endless_packet(void)
{
    enum { N = 1024, PACKET = 700 };
    struct frame_shape s = {.payload = 100};
    struct rig g;
    size_t len;

    len = up_with(&g, 4096, &s);
    long_ring(&g, N, 10 | (uint64_t)TXD_RS << 24);
    put_long(&g, PACKET - 1, 10 | (uint64_t)(TXD_RS | TXD_EOP) << 24);
    put_long(&g, PACKET, len | (uint64_t)(WHOLE | TXD_RS) << 24);
    set(&g, E1000_TDT, PACKET + 1);
    CU_ASSERT_TRUE(g.d.model->pending(&g.d));
    CU_ASSERT_TRUE(reg(&g, E1000_TDH) <= 2 * E1000_MAX_SEGS);
    rig_poll(&g);
    CU_ASSERT_TRUE(sent_is(&g, 0, guest(&g, E_TX_BUF), len));
    CU_ASSERT_EQUAL(g.sent, 1);
    CU_ASSERT_EQUAL(reg(&g, E1000_TDH), PACKET + 1);
    for (uint32_t i = 0; i <= PACKET; i++)
        CU_ASSERT_EQUAL(*guest(&g, LONG_RING + 16ull * i + 12), TXD_DD);
    rig_free(&g);
}

/* One doorbell for many frames: as many a call as a runner takes. */
static void test_burst(void)
{
    enum { N = 128, FRAMES = 100 };
    struct rig g;
    unsigned calls = 1;

    bring_up(&g, 4096);
    long_ring(&g, N, 60 | (uint64_t)WHOLE << 24);
    set(&g, E1000_TDT, FRAMES);
    CU_ASSERT_EQUAL(g.sent, NM_TX_BURST);
    while (g.d.model->pending(&g.d) && calls < 100) {
        unsigned before = g.sent;

        g.d.model->poll(&g.d);
        rig_commit(&g);
        CU_ASSERT_TRUE(g.sent - before <= NM_TX_BURST);
        calls++;
    }
    CU_ASSERT_EQUAL(g.sent, FRAMES);
    CU_ASSERT_TRUE(calls >= 4 && calls <= 5);
    rig_free(&g);
}

/* A string of doorbells: one call's burst, and no other call before a commit. */
static void test_string_of_doorbells(void)
{
    enum { N = 128 };
    uint32_t tails[] = {100, 101, 102};
    struct rig g;

    bring_up(&g, 4096);
    long_ring(&g, N, 60 | (uint64_t)WHOLE << 24);
    g.d.changed = false;
    CU_ASSERT_EQUAL(rig_string(&g, E1000_TDT, 4, 2, tails, true, false), 2);
    CU_ASSERT_EQUAL(g.sent, NM_TX_BURST);
    CU_ASSERT_EQUAL(rig_string(&g, E1000_TDT, 4, 1, tails + 2, true, false), 0);
    CU_ASSERT_EQUAL(g.sent, NM_TX_BURST);
    rig_commit(&g);
    g.d.changed = false;
    CU_ASSERT_EQUAL(rig_string(&g, E1000_TDT, 4, 1, tails + 2, true, false), 1);
    rig_poll(&g);
    CU_ASSERT_EQUAL(g.sent, 102);
    rig_free(&g);
}

static void test_loopback(void)
{
    static const uint32_t lbm[] = {1u << 6, 3u << 6, 0};
    struct frame_shape s = {.payload = 100};

    for (unsigned i = 0; i < 3; i++) {
        struct rig g;
        struct tx_maker t = {&g, 0};
        size_t len;

        len = up_with(&g, 24, &s);
        memcpy(guest(&g, E_TX_BUF), rig_mac, 6);
        set(&g, E1000_RCTL, RCTL_EN | RCTL_SECRC | lbm[i]);
        if (!lbm[i])
            set(&g, E1000_MDIC, MDIC_OP_WRITE | 1u << 21 | 0x4140);
        send(&t, len, WHOLE | TXD_RS);
        CU_ASSERT_EQUAL(g.sent, 0);
        CU_ASSERT_EQUAL(rx_desc(&g, 0).length, len);
        CU_ASSERT_TRUE(rx_desc(&g, 0).status & RXD_DD);
        CU_ASSERT_EQUAL(memcmp(guest(&g, E_RX_BUF), guest(&g, E_TX_BUF), len), 0);
        rig_receive(&g, guest(&g, E_TX_BUF), len); /* the wire is not listened to */
        CU_ASSERT_EQUAL(reg(&g, E1000_RDH), 1);
        rig_free(&g);
    }
}

static void test_delays(void)
{
    struct frame_shape s = {.payload = 100};
    struct rig g;
    struct tx_maker t = {&g, 0};
    uint8_t cmd = WHOLE | TXD_RS | TXD_IDE;
    size_t len;

    len = up_with(&g, 4096, &s);
    set(&g, E1000_IMC, ICR_TXQE);
    set(&g, E1000_TIDV, 2000);
    set(&g, E1000_TADV, 5000);
    for (unsigned i = 0; i < 3; i++) {
        send(&t, len, cmd);
        CU_ASSERT_EQUAL(tx_status(&g, i), TXD_DD);
        CU_ASSERT_FALSE(g.level);
        CU_ASSERT_TRUE(g.d.model->pending(&g.d));
        g.ns += 1750 * 1024;
        rig_poll(&g);
    }
    CU_ASSERT_TRUE(g.level); /* TADV, though TIDV began anew with each */
    CU_ASSERT_FALSE(g.d.model->pending(&g.d));
    reg(&g, E1000_ICR);
    send(&t, len, cmd);
    g.ns += 2000 * 1024;
    rig_poll(&g);
    CU_ASSERT_TRUE(g.level); /* TIDV */
    reg(&g, E1000_ICR);
    send(&t, len, cmd);
    CU_ASSERT_FALSE(g.level);
    set(&g, E1000_TIDV, TIDV_FPD | 2000);
    CU_ASSERT_TRUE(g.level);
    reg(&g, E1000_ICR);
    send(&t, len, cmd & (uint8_t)~TXD_IDE);
    CU_ASSERT_TRUE(g.level); /* not delayed */
    rig_free(&g);
}

/* What may be late is, for a millisecond, unless something else comes first or the ring fills. */
static void test_held(void)
{
    struct frame_shape s = {.payload = 100};
    struct rig g;
    struct tx_maker t = {&g, 0};
    uint8_t cmd = WHOLE | TXD_RS | TXD_IDE;
    unsigned n = 0;
    size_t len;

    len = up_with(&g, 4096, &s);
    set(&g, E1000_IMC, ICR_TXQE);
    set(&g, E1000_TIDV, 8);
    set(&g, E1000_TADV, 32);
    send(&t, len, cmd);
    g.ns += 999999;
    rig_poll(&g);
    CU_ASSERT_FALSE(g.level);
    g.ns += 1;
    rig_poll(&g);
    CU_ASSERT_TRUE(g.level);
    CU_ASSERT_EQUAL(reg(&g, E1000_ICR) & ICR_TXDW, ICR_TXDW);
    send(&t, len, cmd);
    CU_ASSERT_EQUAL(reg(&g, E1000_ICR) & ICR_TXDW, ICR_TXDW); /* the driver came by */
    CU_ASSERT_FALSE(g.d.model->pending(&g.d));
    g.ns += 2000000;
    rig_poll(&g);
    CU_ASSERT_FALSE(g.level);
    for (; !g.level && n < E_RING; n++)
        send(&t, len, cmd);
    CU_ASSERT_EQUAL(n, E_RING / 4);
    reg(&g, E1000_ICR);
    for (n = 0; !g.level && n < E_RING; n++)
        send(&t, len, cmd);
    CU_ASSERT_EQUAL(n, E_RING / 4);
    rig_free(&g);
}

const struct cu_test suite_tests[] = {
    {"legacy descriptors", test_legacy},
    {"the ring", test_ring},
    {"half a packet", test_half_a_packet},
    {"what must be allowed", test_gates},
    {"short, long and damaged frames", test_sizes},
    {"checksums", test_checksums},
    {"segmentation", test_tso},
    {"what cannot be segmented", test_tso_refused},
    {"VLAN tags", test_vlan},
    {"a packet without end", test_endless_packet},
    {"frames in bursts", test_burst},
    {"a string of doorbells", test_string_of_doorbells},
    {"loopback", test_loopback},
    {"transmit interrupts that may be late", test_held},
    {"delayed interrupts", test_delays},
    {NULL, NULL},
};
