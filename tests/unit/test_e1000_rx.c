/* SPDX-License-Identifier: BSD-3-Clause */
/* The e1000 receives: filters, buffers, checksums, VLAN tags, interrupts. */
#include "cu_main.h"
#include "e1000_rig.h"

#include "../../nicmodels/crc32.h"

const char *const suite_name = "e1000_rx";

static void frame_to(uint8_t *f, size_t len, const uint8_t dst[6])
{
    memset(f, 0xa5, len);
    memcpy(f, dst, 6);
    nm_put_be16(f + 12, 0x0806);
}

/* Is a frame to dst taken? */
static bool takes(struct rig *g, const uint8_t dst[6])
{
    uint32_t rdh = reg(g, E1000_RDH);
    uint8_t f[60];

    rx_refill(g, (rdh + E_RING - 1) % E_RING);
    frame_to(f, sizeof(f), dst);
    CU_ASSERT_TRUE(g->d.model->can_receive(&g->d, sizeof(f)));
    rig_receive(g, f, sizeof(f));
    return reg(g, E1000_RDH) != rdh;
}

static void test_filters(void)
{
    static const uint8_t all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    static const uint8_t other[6] = {0x02, 1, 2, 3, 4, 5},
                         group[6] = {0x01, 0, 0x5e, 1, 0xb7, 0x3c};
    /* SDM 13.5.1: the bits of the address that RCTL.MO chooses: 47:36, 46:35, 45:34, 43:32. */
    static const uint16_t hash[] = {0x3cb, 0x796, 0xf2d, 0xcb7};
    struct rig g;

    bring_up(&g, 4096);
    set(&g, E1000_RCTL, RCTL_EN);
    CU_ASSERT_TRUE(takes(&g, rig_mac));
    CU_ASSERT_FALSE(takes(&g, all));
    CU_ASSERT_FALSE(takes(&g, other));
    CU_ASSERT_FALSE(takes(&g, group));
    set(&g, E1000_RCTL, RCTL_EN | RCTL_BAM);
    CU_ASSERT_TRUE(takes(&g, all) && !takes(&g, group));
    set(&g, E1000_RCTL, RCTL_EN | RCTL_UPE);
    CU_ASSERT_TRUE(takes(&g, other) && !takes(&g, group) && !takes(&g, all));
    set(&g, E1000_RCTL, RCTL_EN | RCTL_MPE);
    CU_ASSERT_TRUE(!takes(&g, other) && takes(&g, group) && takes(&g, all));
    for (unsigned mo = 0; mo < 4; mo++) {
        set(&g, E1000_RCTL, RCTL_EN | mo << RCTL_MO_SHIFT);
        CU_ASSERT_FALSE(takes(&g, group));
        set(&g, E1000_MTA + 4u * (hash[mo] / 32), 1u << hash[mo] % 32);
        CU_ASSERT_TRUE(takes(&g, group));
        CU_ASSERT_TRUE(rx_desc(&g, (reg(&g, E1000_RDH) + E_RING - 1) % E_RING).status & RXD_PIF);
        set(&g, E1000_MTA + 4u * (hash[mo] / 32), 0);
    }
    set(&g, E1000_RCTL, RCTL_EN);
    set(&g, E1000_RA + 8 * 15, 0x03020102);
    set(&g, E1000_RA + 8 * 15 + 4, 0x0504);
    CU_ASSERT_FALSE(takes(&g, other)); /* not valid */
    set(&g, E1000_RA + 8 * 15 + 4, RAH_AV | 0x0504);
    CU_ASSERT_TRUE(takes(&g, other));
    set(&g, E1000_RCTL, 0);
    CU_ASSERT_FALSE(takes(&g, rig_mac));
    set(&g, E1000_RCTL, RCTL_EN);
    set(&g, E1000_MDIC, MDIC_OP_WRITE | 1u << 21 | 0x0800); /* transceiver off */
    CU_ASSERT_FALSE(takes(&g, rig_mac));
    rig_free(&g);
}

/* Every size, into memory in pieces, with the FCS and without. */
static void test_sizes(void)
{
    static const uint64_t pieces[] = {4096, 24, 1};
    uint8_t f[NM_MAX_FRAME];

    for (unsigned k = 0; k < 6; k++) {
        bool secrc = k & 1;
        struct rig g;
        uint32_t n = 0;

        bring_up(&g, pieces[k / 2]);
        set(&g, E1000_RCTL, RCTL_EN | RCTL_BAM | (secrc ? RCTL_SECRC : 0));
        for (size_t len = 14; len <= NM_MAX_FRAME; len += len < 70 ? 1 : 362) {
            size_t on_wire = len < 60 ? 60 : len;
            struct e1000_rx_desc x;
            uint32_t fcs;

            for (size_t i = 0; i < len; i++)
                f[i] = (uint8_t)(i + len);
            memcpy(f, rig_mac, 6);
            rig_receive(&g, f, len);
            x = rx_desc(&g, n);
            CU_ASSERT_EQUAL(x.length, on_wire + (secrc ? 0 : 4));
            CU_ASSERT_EQUAL(x.status, RXD_DD | RXD_EOP | RXD_IXSM);
            CU_ASSERT_EQUAL(x.errors, 0);
            CU_ASSERT_EQUAL(memcmp(guest(&g, x.addr), f, len), 0);
            if (!secrc) {
                fcs = nm_crc32(0, guest(&g, x.addr), on_wire);
                CU_ASSERT_EQUAL(memcmp(guest(&g, x.addr + on_wire), &fcs, 4), 0);
            }
            n = (n + 1) % E_RING;
            CU_ASSERT_EQUAL(reg(&g, E1000_RDH), n);
            rx_refill(&g, (n + E_RING - 1) % E_RING);
        }
        rig_receive(&g, f, 13); /* no frame at all */
        CU_ASSERT_EQUAL(reg(&g, E1000_RDH), n);
        rig_free(&g);
    }
}

/* RCTL.BSIZE and BSEX: a frame takes as many buffers as it needs. */
static void test_buffer_sizes(void)
{
    static const struct {
        uint32_t rctl;
        unsigned buffers; /* for 1300 bytes */
        uint16_t size;
    } cases[] = {
        {0u << 16, 1, 1300},
        {1u << 16, 2, 1024},
        {2u << 16, 3, 512},
        {3u << 16, 6, 256},
        {RCTL_BSEX | 1u << 16, 1, 1300},
        {RCTL_BSEX | 2u << 16, 1, 1300},
        {RCTL_BSEX | 3u << 16, 1, 1300},
    };
    uint8_t f[1300];

    for (unsigned k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        unsigned n = cases[k].buffers;
        struct rig g;
        size_t at = 0;

        bring_up(&g, 4096);
        set(&g, E1000_RCTL, RCTL_EN | RCTL_SECRC | cases[k].rctl);
        for (size_t i = 0; i < sizeof(f); i++)
            f[i] = (uint8_t)(i * 11);
        memcpy(f, rig_mac, 6);
        rig_receive(&g, f, sizeof(f));
        CU_ASSERT_EQUAL(reg(&g, E1000_RDH), n);
        for (unsigned i = 0; i < n; i++) {
            struct e1000_rx_desc x = rx_desc(&g, i);

            CU_ASSERT_EQUAL(x.length, i + 1 < n ? cases[k].size : sizeof(f) - at);
            CU_ASSERT_EQUAL(!(x.status & RXD_EOP), i + 1 < n);
            CU_ASSERT_TRUE(x.status & RXD_DD);
            CU_ASSERT_EQUAL(memcmp(guest(&g, x.addr), f + at, x.length), 0);
            at += x.length;
        }
        rx_refill(&g, (reg(&g, E1000_RDH) + n - 1) % E_RING); /* one buffer short */
        CU_ASSERT_FALSE(g.d.model->can_receive(&g.d, sizeof(f)));
        rx_refill(&g, (reg(&g, E1000_RDH) + n) % E_RING);
        CU_ASSERT_EQUAL(g.d.model->can_receive(&g.d, 1290), true);
        rig_free(&g);
    }
}

static void test_checksums(void)
{
    struct frame_shape s = {.payload = 200};
    uint8_t f[512];

    for (unsigned k = 0; k < 8; k++) {
        struct rig g;
        struct e1000_rx_desc x;
        size_t len;

        s.udp = k & 1;
        s.ipv6 = k & 2;
        s.tags = k >> 2;
        len = frame_build(f, &s);
        bring_up(&g, 4096);
        rig_receive(&g, f, len);
        x = rx_desc(&g, 0);
        CU_ASSERT_EQUAL(x.status, RXD_DD | RXD_EOP | RXD_TCPCS | (s.ipv6 ? 0 : RXD_IPCS));
        CU_ASSERT_EQUAL(x.errors, 0);
        CU_ASSERT_EQUAL(x.csum, slow_sum(0, f, len));
        f[len - 1] ^= 0x40;
        f[frame_l3(&s) + 8] ^= s.ipv6 ? 0 : 1;
        rig_receive(&g, f, len);
        x = rx_desc(&g, 1);
        CU_ASSERT_EQUAL(x.errors, RXD_ERR_TCPE | (s.ipv6 ? 0 : RXD_ERR_IPE));
        set(&g, E1000_RXCSUM, 14);
        rig_receive(&g, f, len);
        x = rx_desc(&g, 2);
        CU_ASSERT_EQUAL(x.status, RXD_DD | RXD_EOP | RXD_IXSM);
        CU_ASSERT_EQUAL(x.errors, 0);
        CU_ASSERT_EQUAL(x.csum, slow_sum(0, f + 14, len - 14));
        rig_free(&g);
    }
}

static void test_vlan(void)
{
    struct frame_shape s = {.payload = 200, .tags = 1}; /* VLAN 5, priority 1 */
    uint8_t f[512];
    size_t len = frame_build(f, &s);
    struct rig g;
    struct e1000_rx_desc x;

    bring_up(&g, 4096);
    rig_receive(&g, f, len);
    CU_ASSERT_EQUAL(rx_desc(&g, 0).length, len);
    CU_ASSERT_FALSE(rx_desc(&g, 0).status & RXD_VP);
    set(&g, E1000_CTRL, CTRL_SLU | CTRL_VME);
    rig_receive(&g, f, len);
    x = rx_desc(&g, 1);
    CU_ASSERT_EQUAL(x.length, len - 4);
    CU_ASSERT_EQUAL(x.special, 0x2005);
    CU_ASSERT_TRUE(x.status & RXD_VP);
    CU_ASSERT_TRUE(x.status & RXD_TCPCS && !x.errors);
    CU_ASSERT_EQUAL(memcmp(guest(&g, x.addr), f, 12), 0);
    CU_ASSERT_EQUAL(memcmp(guest(&g, x.addr) + 12, f + 16, len - 16), 0);
    set(&g, E1000_RCTL, RCTL_EN | RCTL_VFE);
    rig_receive(&g, f, len);
    CU_ASSERT_EQUAL(reg(&g, E1000_RDH), 2);
    set(&g, E1000_VFTA, 1u << 5);
    rig_receive(&g, f, len);
    CU_ASSERT_EQUAL(reg(&g, E1000_RDH), 3);
    set(&g, E1000_RCTL, RCTL_EN | RCTL_VFE | RCTL_CFIEN | RCTL_CFI);
    rig_receive(&g, f, len);
    CU_ASSERT_EQUAL(reg(&g, E1000_RDH), 3);
    f[14] |= 0x10;
    rig_receive(&g, f, len);
    CU_ASSERT_EQUAL(reg(&g, E1000_RDH), 4);
    set(&g, E1000_VET, 0x9100); /* then this is no tag */
    rig_receive(&g, f, len);
    CU_ASSERT_EQUAL(rx_desc(&g, 4).length, len + 4); /* and the FCS: SECRC is off */
    rig_free(&g);
}

static void test_room(void)
{
    uint8_t f[60];
    struct rig g;

    bring_up(&g, 4096);
    frame_to(f, sizeof(f), rig_mac);
    reg(&g, E1000_ICR);
    for (unsigned i = 0; i < E_RING - 1; i++) {
        uint32_t few = 0;

        CU_ASSERT_TRUE(g.d.model->can_receive(&g.d, 60));
        rig_receive(&g, f, sizeof(f));
        if (i + 1 == E_RING / 2 - 1) /* half of the ring is left */
            few = ICR_RXDMT0;
        CU_ASSERT_EQUAL(reg(&g, E1000_ICR), ICR_RXT0 | few);
    }
    CU_ASSERT_FALSE(g.d.model->can_receive(&g.d, 60));
    rig_receive(&g, f, sizeof(f));
    CU_ASSERT_EQUAL(reg(&g, E1000_ICR), ICR_RXO);
    CU_ASSERT_EQUAL(reg(&g, E1000_RDH), E_RING - 1);
    CU_ASSERT_EQUAL(reg(&g, E1000_STATS + 0x10), 1); /* MPC */
    rx_refill(&g, 0);
    CU_ASSERT_TRUE(g.d.model->can_receive(&g.d, 60));
    rig_write(&g, NM_REGION_CONFIG, PCI_COMMAND, 2, PCI_COMMAND_MEM); /* no master */
    CU_ASSERT_FALSE(g.d.model->can_receive(&g.d, 60));
    rig_write(&g, NM_REGION_CONFIG, PCI_COMMAND, 2, PCI_COMMAND_MEM | PCI_COMMAND_MASTER);
    set(&g, E1000_RDLEN, 0);
    CU_ASSERT_FALSE(g.d.model->can_receive(&g.d, 60));
    set(&g, E1000_RCTL, 0);
    CU_ASSERT_TRUE(g.d.model->can_receive(&g.d, 60)); /* to be dropped */
    rig_free(&g);
}

/* Rings and buffers where no memory is, or where the ring itself is. */
static void test_hostile_addresses(void)
{
    static const uint64_t bad[] = {0, RIG_MEM - 10, RIG_MEM + E_MEM_SIZE - 20, ~0ull - 5,
                                   E_RX_RING};
    uint8_t f[200];
    struct rig g;

    bring_up(&g, 4096);
    frame_to(f, sizeof(f), rig_mac);
    for (unsigned i = 0; i < 5; i++)
        memcpy(guest(&g, E_RX_RING + 16 * i), &bad[i], 8);
    for (unsigned i = 0; i < 5; i++)
        rig_receive(&g, f, sizeof(f));
    CU_ASSERT_EQUAL(reg(&g, E1000_RDH), 5);
    CU_ASSERT_TRUE(rx_desc(&g, 4).status & RXD_DD); /* told after the buffer was filled */
    set(&g, E1000_RDBAL, 0xfffffff0);
    set(&g, E1000_RDBAH, 0xffffffff);
    for (unsigned i = 0; i < 5; i++)
        rig_receive(&g, f, sizeof(f));
    CU_ASSERT_EQUAL(reg(&g, E1000_RDH), 10);
    rig_free(&g);
}

static void test_delays(void)
{
    uint8_t f[60];
    struct rig g;

    bring_up(&g, 4096);
    frame_to(f, sizeof(f), rig_mac);
    set(&g, E1000_RDTR, 10);
    set(&g, E1000_RADV, 25);
    for (unsigned i = 0; i < 3; i++) {
        rig_receive(&g, f, sizeof(f));
        CU_ASSERT_TRUE(rx_desc(&g, i).status & RXD_DD);
        CU_ASSERT_FALSE(g.level);
        CU_ASSERT_TRUE(g.d.model->pending(&g.d));
        g.ns += 9 * 1024;
        rig_poll(&g);
    }
    CU_ASSERT_TRUE(g.level); /* RADV */
    CU_ASSERT_FALSE(g.d.model->pending(&g.d));
    reg(&g, E1000_ICR);
    rig_receive(&g, f, sizeof(f));
    g.ns += 10 * 1024;
    rig_poll(&g);
    CU_ASSERT_TRUE(g.level); /* RDTR */
    reg(&g, E1000_ICR);
    rig_receive(&g, f, sizeof(f));
    set(&g, E1000_RDTR, RDTR_FPD | 10);
    CU_ASSERT_TRUE(g.level);
    reg(&g, E1000_ICR);
    set(&g, E1000_RSRPD, 61);
    rig_receive(&g, f, sizeof(f));
    CU_ASSERT_EQUAL(reg(&g, E1000_ICR), ICR_SRPD); /* a small one is told at once */
    g.ns = 0; /* a state that was taken elsewhere: its clock was far ahead */
    rig_poll(&g);
    CU_ASSERT_TRUE(g.level);
    rig_free(&g);
}

/* A process is killed between a call and its commit, then after it: the guest is told once. */
static void test_killed(void)
{
    uint8_t f[60], before[NM_MAX_REGS];
    struct rig g;

    bring_up(&g, 4096);
    frame_to(f, sizeof(f), rig_mac);
    memcpy(before, g.d.regs, g.d.model->regs_size);
    g.killed = true;
    rig_receive(&g, f, sizeof(f));
    CU_ASSERT_EQUAL(rx_desc(&g, 0).status, 0); /* the guest has seen nothing */
    memcpy(g.d.regs, before, g.d.model->regs_size);
    g.killed = false;
    rig_commit(&g);
    CU_ASSERT_EQUAL(rx_desc(&g, 0).status, 0);
    g.killed = true;
    rig_receive(&g, f, sizeof(f));
    g.killed = false; /* committed, not told */
    rig_commit(&g);
    CU_ASSERT_TRUE(rx_desc(&g, 0).status & RXD_DD);
    *(guest(&g, E_RX_RING) + 12) = 0; /* the guest took it */
    rig_commit(&g);                   /* a successor starts */
    CU_ASSERT_EQUAL(rx_desc(&g, 0).status, 0);
    rig_receive(&g, f, sizeof(f));
    CU_ASSERT_TRUE(rx_desc(&g, 1).status & RXD_DD);
    rig_free(&g);
}

const struct cu_test suite_tests[] = {
    {"filters", test_filters},
    {"sizes, FCS", test_sizes},
    {"buffer sizes", test_buffer_sizes},
    {"checksums", test_checksums},
    {"VLAN tags and filter", test_vlan},
    {"room, and what happens without", test_room},
    {"hostile addresses", test_hostile_addresses},
    {"delayed interrupts", test_delays},
    {"killed around the commit", test_killed},
    {NULL, NULL},
};
