/* SPDX-License-Identifier: BSD-3-Clause */
/* The DP8390 against its data sheet: reception (section numbers as in nicmodels/dp8390.h). */
#include <CUnit/CUnit.h>

#include "cu_main.h"
#include "dp8390_rig.h"

const char *const suite_name = "dp8390_rx";

static void test_receive(void)
{
    uint8_t frame[700], *p;
    struct chip_rig t;
    uint32_t fcs;

    power_on(&t);
    bring_up(&t, RCR_AB);
    wr(&t, PG0W_IMR, ISR_PRX);
    make_frame(frame, 700, rig_mac);
    dp8390_receive(&t.c, frame, 700);
    CU_ASSERT_TRUE(t.g.level);
    CU_ASSERT_EQUAL(rd(&t, PG0R_ISR), ISR_PRX);
    CU_ASSERT_EQUAL(rd(&t, PG0R_RSR), RSR_PRX);
    CU_ASSERT_EQUAL(curr(&t), PSTART + 3);
    p = ram_at(&t, PSTART * 256);
    CU_ASSERT_EQUAL(p[0], RSR_PRX);
    CU_ASSERT_EQUAL(p[1], PSTART + 3);
    CU_ASSERT_EQUAL(p[2] | p[3] << 8, 704);
    CU_ASSERT_EQUAL(memcmp(p + 4, frame, 700), 0);
    fcs = nm_crc32(0, frame, 700);
    CU_ASSERT_EQUAL(memcmp(p + 704, &fcs, 4), 0);
    CU_ASSERT_EQUAL(rd(&t, PG0R_CLDA0) | rd(&t, PG0R_CLDA1) << 8, PSTART * 256 + 708);
    page(&t, 2);
    CU_ASSERT_EQUAL(rd(&t, PG2_LNPP), PSTART + 3);
    page(&t, 0);
    make_frame(frame, 42, rig_mac); /* short: its sender's MAC would have padded it */
    dp8390_receive(&t.c, frame, 42);
    p = ram_at(&t, (PSTART + 3) * 256);
    CU_ASSERT_EQUAL(p[2] | p[3] << 8, 64);
    CU_ASSERT_EQUAL(p[4 + 41], frame[41]);
    CU_ASSERT_EQUAL(p[4 + 42], 0);
    power_off(&t);
}

/* Sizes around a page's end: header and FCS count. */
static void test_receive_pages(void)
{
    static const struct {
        uint16_t len;
        uint8_t pages;
    } sizes[] = {{60, 1}, {247, 1}, {248, 1}, {249, 2}, {504, 2}, {505, 3}, {1514, 6}, {1518, 6}};
    uint8_t frame[NM_MAX_FRAME];
    struct chip_rig t;

    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        power_on(&t);
        bring_up(&t, RCR_AB);
        make_frame(frame, sizes[i].len, rig_mac);
        dp8390_receive(&t.c, frame, sizes[i].len);
        CU_ASSERT_EQUAL(curr(&t), PSTART + sizes[i].pages);
        power_off(&t);
    }
}

static void test_receive_ring_wrap(void)
{
    uint8_t frame[1000], got[1008];
    struct chip_rig t;

    power_on(&t);
    bring_up(&t, RCR_AB);
    page(&t, 1);
    wr(&t, PG1_CURR, PSTOP - 2);
    page(&t, 0);
    wr(&t, PG0W_BNRY, PSTOP - 3);
    make_frame(frame, 1000, rig_mac);
    dp8390_receive(&t.c, frame, 1000);
    CU_ASSERT_EQUAL(curr(&t), PSTART + 2);
    CU_ASSERT_EQUAL(ram_at(&t, (PSTOP - 2) * 256)[1], PSTART + 2);
    CU_ASSERT_EQUAL(memcmp(ram_at(&t, (PSTOP - 2) * 256 + 4), frame, 508), 0);
    CU_ASSERT_EQUAL(memcmp(ram_at(&t, PSTART * 256), frame + 508, 492), 0);
    /* and the remote DMA reads it back in one go */
    remote_setup(&t, (PSTOP - 2) * 256, 1008, CR_RD0);
    dp8390_remote(&t.c, got, 1008, false);
    CU_ASSERT_EQUAL(memcmp(got + 4, frame, 1000), 0);
    power_off(&t);
}

static void test_address_filter(void)
{
    static const struct {
        const char *dst;
        uint8_t rcr, mar_bit;
        bool all_mar, taken, group;
    } cases[] = {
        {"\x52\x54\x00\x12\x34\x56", 0, 0, false, true, false},
        {"\x52\x54\x00\x12\x34\x57", 0, 0, true, false, false},
        {"\x52\x54\x00\x12\x34\x57", RCR_PRO, 0, false, true, false},
        {"\xff\xff\xff\xff\xff\xff", 0, 0, true, false, true},
        {"\xff\xff\xff\xff\xff\xff", RCR_PRO | RCR_AM, 0, true, false, true},
        {"\xff\xff\xff\xff\xff\xff", RCR_AB, 0, false, true, true},
        /* bit numbers worked out with a bitwise CRC, apart from this code */
        {"\x01\x00\x5e\x00\x00\x01", RCR_AM, 31, false, true, true},
        {"\x01\x00\x5e\x00\x00\x01", RCR_AM, 30, false, false, true},
        {"\x01\x00\x5e\x00\x00\xfb", RCR_AM, 15, false, true, true},
        {"\x33\x33\x00\x00\x00\x01", RCR_AM, 62, false, true, true},
        {"\x33\x33\xff\x12\x34\x56", RCR_AM, 2, false, true, true},
        {"\x01\x80\xc2\x00\x00\x00", RCR_AM, 25, false, true, true},
        {"\x01\x80\xc2\x00\x00\x0e", RCR_AM, 33, false, true, true},
        {"\x09\x00\x2b\x00\x00\x05", RCR_AM, 9, false, true, true},
        {"\x01\x00\x5e\x00\x00\x01", RCR_AB | RCR_PRO, 31, true, false, true},
        {"\x01\x00\x5e\x00\x00\x01", RCR_AM, 0, true, true, true},
    };
    uint8_t frame[60];
    struct chip_rig t;

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        power_on(&t);
        bring_up(&t, cases[i].rcr);
        page(&t, 1);
        for (unsigned m = 0; m < 8; m++) {
            unsigned bit = cases[i].mar_bit;
            uint8_t one = bit / 8 == m ? (uint8_t)(1 << bit % 8) : 0;

            wr(&t, PG1_MAR0 + m, cases[i].all_mar ? 0xff : one);
        }
        page(&t, 0);
        make_frame(frame, 60, (const uint8_t *)cases[i].dst);
        dp8390_receive(&t.c, frame, 60);
        CU_ASSERT_EQUAL(curr(&t), PSTART + cases[i].taken);
        CU_ASSERT_EQUAL(rd(&t, PG0R_ISR), cases[i].taken ? ISR_PRX : 0);
        if (cases[i].taken)
            CU_ASSERT_EQUAL(rd(&t, PG0R_RSR), RSR_PRX | (cases[i].group ? RSR_PHY : 0));
        power_off(&t);
    }
}

static void test_runts_and_damage(void)
{
    uint8_t frame[100];
    struct chip_rig t;

    power_on(&t);
    bring_up(&t, 0);
    make_frame(frame, sizeof(frame), rig_mac);
    dp8390_receive_wire(&t.c, frame, 59, DP8390_WIRE_GOOD);
    CU_ASSERT_EQUAL(curr(&t), PSTART);
    CU_ASSERT_EQUAL(rd(&t, PG0R_ISR), 0);
    dp8390_receive_wire(&t.c, frame, 5, DP8390_WIRE_GOOD);
    CU_ASSERT_EQUAL(curr(&t), PSTART);
    wr(&t, PG0W_RCR, RCR_AR);
    dp8390_receive_wire(&t.c, frame, 20, DP8390_WIRE_GOOD);
    CU_ASSERT_EQUAL(curr(&t), PSTART + 1);
    CU_ASSERT_EQUAL(ram_at(&t, PSTART * 256)[2], 24);
    wr(&t, PG0W_ISR, 0xff);
    dp8390_receive_wire(&t.c, frame, 100, DP8390_WIRE_CRC); /* counted, not kept */
    CU_ASSERT_EQUAL(curr(&t), PSTART + 1);
    CU_ASSERT_EQUAL(rd(&t, PG0R_RSR), RSR_CRC);
    CU_ASSERT_EQUAL(rd(&t, PG0R_ISR), ISR_RXE);
    wr(&t, PG0W_RCR, RCR_SEP);
    dp8390_receive_wire(&t.c, frame, 100, DP8390_WIRE_CRC | DP8390_WIRE_ALIGN);
    CU_ASSERT_EQUAL(curr(&t), PSTART + 2);
    CU_ASSERT_EQUAL(ram_at(&t, (PSTART + 1) * 256)[0], RSR_CRC | RSR_FAE);
    CU_ASSERT_EQUAL(rd(&t, PG0R_ISR), ISR_RXE); /* PRX is for good ones */
    CU_ASSERT_EQUAL(rd(&t, PG0R_CNTR0), 1);
    CU_ASSERT_EQUAL(rd(&t, PG0R_CNTR1), 2);
    CU_ASSERT_EQUAL(rd(&t, PG0R_CNTR1), 0); /* cleared by reading */
    power_off(&t);
}

static void test_tally_counters(void)
{
    uint8_t frame[60], view[DP8390_REGS];
    struct chip_rig t;

    power_on(&t);
    bring_up(&t, 0);
    wr(&t, PG0W_IMR, ISR_CNT);
    make_frame(frame, 60, rig_mac);
    for (unsigned i = 0; i < 127; i++)
        dp8390_receive_wire(&t.c, frame, 60, DP8390_WIRE_CRC);
    CU_ASSERT_FALSE(t.g.level);
    dp8390_receive_wire(&t.c, frame, 60, DP8390_WIRE_CRC);
    CU_ASSERT_TRUE(t.g.level);
    CU_ASSERT_EQUAL(rd(&t, PG0R_ISR) & ISR_CNT, ISR_CNT);
    wr(&t, PG0W_ISR, 0xff);
    for (unsigned i = 0; i < 300; i++)
        dp8390_receive_wire(&t.c, frame, 60, DP8390_WIRE_CRC);
    dp8390_view(&t.c, view); /* looking does not clear */
    CU_ASSERT_EQUAL(view[PG0R_CNTR1], 192);
    CU_ASSERT_EQUAL(rd(&t, PG0R_CNTR1), 192);
    CU_ASSERT_EQUAL(rd(&t, PG0R_CNTR1), 0);
    CU_ASSERT_EQUAL(rd(&t, PG0R_CNTR0), 0);
    CU_ASSERT_EQUAL(rd(&t, PG0R_CNTR2), 0);
    power_off(&t);
}

static void test_monitor_mode(void)
{
    uint8_t frame[60];
    struct chip_rig t;

    power_on(&t);
    bring_up(&t, RCR_MON);
    make_frame(frame, 60, rig_mac);
    CU_ASSERT_TRUE(dp8390_can_receive(&t.c, 60));
    dp8390_receive(&t.c, frame, 60);
    CU_ASSERT_EQUAL(curr(&t), PSTART);
    CU_ASSERT_EQUAL(rd(&t, PG0R_RSR), RSR_MPA | RSR_DIS);
    CU_ASSERT_EQUAL(rd(&t, PG0R_CNTR2), 1);
    frame[5] ^= 1;
    dp8390_receive(&t.c, frame, 60); /* not for us */
    CU_ASSERT_EQUAL(rd(&t, PG0R_CNTR2), 0);
    wr(&t, PG0W_RCR, 0);
    CU_ASSERT_EQUAL(rd(&t, PG0R_RSR), RSR_MPA);
    power_off(&t);
}

/* Fill the ring, lose a packet, and recover as DS 7 says ("overflow of the receive buffer ring").
 */
static void test_overflow(void)
{
    uint8_t frame[NM_MAX_FRAME], before[RAM_SIZE];
    unsigned taken = 0;
    struct chip_rig t;

    power_on(&t);
    bring_up(&t, 0);
    wr(&t, PG0W_IMR, ISR_OVW);
    make_frame(frame, sizeof(frame), rig_mac);
    for (; dp8390_can_receive(&t.c, 1514); taken++)
        dp8390_receive(&t.c, frame, 1514);
    CU_ASSERT_EQUAL(taken, (PSTOP - PSTART - 2) / 6);
    memcpy(before, t.g.d.ram, RAM_SIZE);
    CU_ASSERT_FALSE(t.g.level);
    dp8390_receive(&t.c, frame, 1514);
    CU_ASSERT_TRUE(t.g.level);
    CU_ASSERT_EQUAL(rd(&t, PG0R_ISR) & (ISR_OVW | ISR_RST), ISR_OVW | ISR_RST);
    CU_ASSERT_EQUAL(rd(&t, PG0R_RSR), RSR_MPA);
    CU_ASSERT_EQUAL(rd(&t, PG0R_CNTR2), 1);
    CU_ASSERT_EQUAL(memcmp(before, t.g.d.ram, RAM_SIZE), 0); /* what is there is safe */
    wr(&t, DP8390_CR, STOP);
    wr(&t, PG0W_RBCR0, 0);
    wr(&t, PG0W_RBCR1, 0);
    wr(&t, PG0W_TCR, TCR_LB0);
    wr(&t, DP8390_CR, START);
    wr(&t, PG0W_BNRY, ram_at(&t, PSTART * 256)[1] - 1);
    wr(&t, PG0W_ISR, ISR_OVW);
    wr(&t, PG0W_TCR, 0);
    CU_ASSERT_FALSE(t.g.level);
    CU_ASSERT_EQUAL(rd(&t, PG0R_ISR) & ISR_RST, 0);
    CU_ASSERT_TRUE(dp8390_can_receive(&t.c, 1514));
    wr(&t, PG0W_ISR, 0xff);
    dp8390_receive(&t.c, frame, 1514);
    CU_ASSERT_EQUAL(rd(&t, PG0R_ISR), ISR_PRX);
    power_off(&t);
}

/* BNRY a page before the ring, as Linux leaves it after a packet that ends with the ring: the chip
 * never meets it, a frame that can wait is held back before it overwrites what is there. */
static void test_boundary_before_ring(void)
{
    uint8_t frame[60];
    unsigned taken = 0;
    struct chip_rig t;

    power_on(&t);
    bring_up(&t, 0);
    make_frame(frame, 60, rig_mac);
    wr(&t, PG0W_BNRY, PSTART - 1);
    for (; dp8390_can_receive(&t.c, 60) && taken < 1000; taken++)
        dp8390_receive(&t.c, frame, 60);
    CU_ASSERT_EQUAL(taken, curr(&t) - PSTART);
    CU_ASSERT_EQUAL(curr(&t), PSTOP - 2); /* the page before the last, which is not given away */
    dp8390_receive(&t.c, frame, 60);      /* ... and what the chip does */
    dp8390_receive(&t.c, frame, 60);
    CU_ASSERT_EQUAL(curr(&t), PSTART);
    CU_ASSERT_EQUAL(rd(&t, PG0R_ISR) & ISR_OVW, 0);
    power_off(&t);
}

/* A host that clears PRX and leaves packets in a full ring, as Linux's driver does after nine of
 * them: with a frame waiting for room it is told to look again, once. */
static void test_waiting_frame(void)
{
    uint8_t frame[NM_MAX_FRAME];
    struct chip_rig t;

    power_on(&t);
    bring_up(&t, 0);
    wr(&t, PG0W_IMR, ISR_PRX);
    make_frame(frame, sizeof(frame), rig_mac);
    while (dp8390_can_receive(&t.c, 1514))
        dp8390_receive(&t.c, frame, 1514);
    dp8390_waiting(&t.c); /* it has been told, and has not answered yet */
    wr(&t, PG0W_ISR, ISR_PRX);
    CU_ASSERT_FALSE(t.g.level);
    t.g.d.changed = false;
    dp8390_waiting(&t.c);
    CU_ASSERT_TRUE(t.g.level);
    CU_ASSERT_TRUE(t.g.d.changed);
    CU_ASSERT_EQUAL(rd(&t, PG0R_ISR), ISR_PRX);
    CU_ASSERT_EQUAL(rd(&t, PG0R_CNTR2), 0); /* nothing was lost */
    power_off(&t);
}

/* RST after an overflow goes away when packets are taken out, without a restart. */
static void test_overflow_drained(void)
{
    uint8_t frame[60];
    struct chip_rig t;

    power_on(&t);
    bring_up(&t, 0);
    make_frame(frame, 60, rig_mac);
    wr(&t, PG0W_BNRY, PSTART + 1);
    dp8390_receive(&t.c, frame, 60);
    CU_ASSERT_EQUAL(rd(&t, PG0R_ISR), ISR_OVW | ISR_RST | ISR_RXE);
    wr(&t, PG0W_ISR, 0xff);
    CU_ASSERT_EQUAL(rd(&t, PG0R_ISR), ISR_RST);
    wr(&t, PG0W_BNRY, PSTOP - 1);
    CU_ASSERT_EQUAL(rd(&t, PG0R_ISR), 0);
    dp8390_receive(&t.c, frame, 60);
    CU_ASSERT_EQUAL(curr(&t), PSTART + 1);
    power_off(&t);
}

/* Rings no driver would make: the chip must not leave its memory, nor wait for room for ever. */
static void test_absurd_rings(void)
{
    static const uint8_t rings[][4] = {/* PSTART, PSTOP, CURR, BNRY */
                                       {0x46, 0x46, 0x46, 0x50}, {0x80, 0x46, 0x7f, 0x10},
                                       {0x00, 0x00, 0x00, 0x00}, {0x46, 0x47, 0x46, 0x46},
                                       {0x46, 0x47, 0x46, 0x99}, {0xff, 0x01, 0xfe, 0x7e},
                                       {0x46, 0x80, 0xf0, 0x50}, {0x7f, 0x80, 0x7f, 0x40}};
    uint8_t frame[NM_MAX_FRAME];
    struct chip_rig t;

    make_frame(frame, sizeof(frame), rig_mac);
    for (unsigned i = 0; i < sizeof(rings) / sizeof(rings[0]); i++) {
        power_on(&t);
        bring_up(&t, 0);
        wr(&t, PG0W_PSTART, rings[i][0]);
        wr(&t, PG0W_PSTOP, rings[i][1]);
        wr(&t, PG0W_BNRY, rings[i][3]);
        t.c.regs->curr = rings[i][2];
        for (unsigned n = 0; n < 100; n++)
            dp8390_receive(&t.c, frame, sizeof(frame) - n);
        CU_ASSERT_TRUE(rd(&t, PG0R_ISR) & (ISR_PRX | ISR_OVW));
        CU_ASSERT_TRUE(i == 6 || dp8390_can_receive(&t.c, 1514));
        power_off(&t);
    }
}

static void test_stopped_receives_nothing(void)
{
    uint8_t frame[60];
    struct chip_rig t;

    power_on(&t);
    bring_up(&t, 0);
    make_frame(frame, 60, rig_mac);
    wr(&t, DP8390_CR, STOP);
    CU_ASSERT_TRUE(dp8390_can_receive(&t.c, 60));
    dp8390_receive(&t.c, frame, 60);
    CU_ASSERT_EQUAL(curr(&t), PSTART);
    CU_ASSERT_EQUAL(rd(&t, PG0R_ISR), ISR_RST);
    wr(&t, DP8390_CR, START);
    dp8390_receive(&t.c, frame, NM_MAX_FRAME + 1); /* longer than the network's longest */
    CU_ASSERT_EQUAL(curr(&t), PSTART);
    power_off(&t);
}

static void test_crc(void)
{
    uint8_t data[64];
    uint64_t seed = 1;

    CU_ASSERT_EQUAL(nm_crc32(0, "123456789", 9), 0xcbf43926);
    CU_ASSERT_EQUAL(nm_crc32(0, "", 0), 0);
    for (unsigned i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)rig_random(&seed);
    for (unsigned cut = 0; cut <= sizeof(data); cut++)
        CU_ASSERT_EQUAL(nm_crc32(nm_crc32(0, data, cut), data + cut, sizeof(data) - cut),
                        nm_crc32(0, data, sizeof(data)));
}

const struct cu_test suite_tests[] = {
    {"reception", test_receive},
    {"reception: pages", test_receive_pages},
    {"reception: ring wrap", test_receive_ring_wrap},
    {"address filter", test_address_filter},
    {"runts and damaged frames", test_runts_and_damage},
    {"tally counters", test_tally_counters},
    {"monitor mode", test_monitor_mode},
    {"ring overflow and recovery", test_overflow},
    {"ring overflow, drained", test_overflow_drained},
    {"a boundary before the ring", test_boundary_before_ring},
    {"a frame that waits for a host that does not look", test_waiting_frame},
    {"absurd rings", test_absurd_rings},
    {"stopped", test_stopped_receives_nothing},
    {"CRC-32", test_crc},
    {NULL, NULL},
};
