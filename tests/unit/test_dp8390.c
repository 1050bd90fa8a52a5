/* SPDX-License-Identifier: BSD-3-Clause */
/* The DP8390 against its data sheet: registers, remote DMA, transmission, loopback (section numbers
 * as in nicmodels/dp8390.h). */
#include <CUnit/CUnit.h>

#include "cu_main.h"
#include "dp8390_rig.h"

const char *const suite_name = "dp8390";

/* --- registers --- */

/* DS 10.2: what can be written, and where it reads back. */
static const struct {
    const char *what;
    uint8_t wpage, wreg, rpage, rreg;
} read_back[] = {
    {"PSTART", 0, PG0W_PSTART, 2, PG2R_PSTART},
    {"PSTOP", 0, PG0W_PSTOP, 2, PG2R_PSTOP},
    {"BNRY", 0, PG0W_BNRY, 0, PG0R_BNRY},
    {"TPSR", 0, PG0W_TPSR, 2, PG2R_TPSR},
    {"RSAR0", 0, PG0W_RSAR0, 0, PG0R_CRDA0},
    {"RSAR1", 0, PG0W_RSAR1, 0, PG0R_CRDA1},
    {"RCR", 0, PG0W_RCR, 2, PG2R_RCR},
    {"TCR", 0, PG0W_TCR, 2, PG2R_TCR},
    {"DCR", 0, PG0W_DCR, 2, PG2R_DCR},
    {"IMR", 0, PG0W_IMR, 2, PG2R_IMR},
    {"PAR0", 1, 1, 1, 1},
    {"PAR1", 1, 2, 1, 2},
    {"PAR2", 1, 3, 1, 3},
    {"PAR3", 1, 4, 1, 4},
    {"PAR4", 1, 5, 1, 5},
    {"PAR5", 1, 6, 1, 6},
    {"CURR", 1, 7, 1, 7},
    {"MAR0", 1, 8, 1, 8},
    {"MAR1", 1, 9, 1, 9},
    {"MAR2", 1, 10, 1, 10},
    {"MAR3", 1, 11, 1, 11},
    {"MAR4", 1, 12, 1, 12},
    {"MAR5", 1, 13, 1, 13},
    {"MAR6", 1, 14, 1, 14},
    {"MAR7", 1, 15, 1, 15},
    {"CLDA0", 2, PG2W_CLDA0, 0, PG0R_CLDA0},
    {"CLDA1", 2, PG2W_CLDA1, 0, PG0R_CLDA1},
    {"remote next packet pointer", 2, PG2_RNPP, 2, PG2_RNPP},
    {"local next packet pointer", 2, PG2_LNPP, 2, PG2_LNPP},
    {"address counter, upper", 2, PG2_AC1, 2, PG2_AC1},
    {"address counter, lower", 2, PG2_AC0, 2, PG2_AC0},
};

static void test_read_back(void)
{
    static const uint8_t patterns[] = {0x00, 0xff, 0x55, 0xaa, 0x4c};
    struct chip_rig t;

    power_on(&t);
    for (size_t i = 0; i < sizeof(read_back) / sizeof(read_back[0]); i++)
        for (size_t k = 0; k < sizeof(patterns); k++) {
            page(&t, read_back[i].wpage);
            wr(&t, read_back[i].wreg, patterns[k]);
            page(&t, read_back[i].rpage);
            if (rd(&t, read_back[i].rreg) != patterns[k])
                CU_FAIL_FATAL(read_back[i].what);
        }
    power_off(&t);
}

/* Registers that are write-only or read-only do not leak into each other. */
static void test_separate_directions(void)
{
    struct chip_rig t;

    power_on(&t);
    t.c.regs->tsr = 0x11;
    wr(&t, PG0W_TPSR, 0x40);
    CU_ASSERT_EQUAL(rd(&t, PG0R_TSR), 0x11);
    wr(&t, PG0W_TBCR0, 0x77);
    CU_ASSERT_EQUAL(rd(&t, PG0R_NCR), 0);
    wr(&t, PG0W_RCR, 0x1f);
    CU_ASSERT_EQUAL(rd(&t, PG0R_RSR), 0);
    wr(&t, PG0W_RCR, RCR_MON);
    CU_ASSERT_EQUAL(rd(&t, PG0R_RSR), RSR_DIS);
    wr(&t, PG0W_TCR, 0x18);
    CU_ASSERT_EQUAL(rd(&t, PG0R_CNTR0), 0);
    CU_ASSERT_EQUAL(rd(&t, 0x0a), 0xff);
    CU_ASSERT_EQUAL(rd(&t, 0x0b), 0xff);
    page(&t, 2);
    wr(&t, PG2R_PSTART, 0x12); /* is CLDA0 in this direction */
    CU_ASSERT_EQUAL(rd(&t, PG2R_PSTART), 0);
    for (unsigned r = 0x08; r <= 0x0b; r++)
        CU_ASSERT_EQUAL(rd(&t, r), 0xff);
    page(&t, 3);
    for (unsigned r = 1; r < 16; r++) {
        wr(&t, r, 0x5a);
        CU_ASSERT_EQUAL(rd(&t, r), 0xff);
    }
    power_off(&t);
}

static void test_reset(void)
{
    struct chip_rig t;

    power_on(&t);
    CU_ASSERT_EQUAL(rd(&t, DP8390_CR), STOP);
    CU_ASSERT_EQUAL(rd(&t, PG0R_ISR), ISR_RST);
    bring_up(&t, RCR_AB);
    CU_ASSERT_EQUAL(rd(&t, PG0R_ISR), 0);
    wr(&t, PG0W_IMR, 0x7f);
    wr(&t, PG0W_TCR, TCR_LB1 | TCR_OFST);
    t.c.regs->isr = ISR_RDC;
    wr(&t, PG0W_IMR, 0x7f);
    CU_ASSERT_TRUE(t.g.level);
    dp8390_reset(&t.c);
    CU_ASSERT_FALSE(t.g.level);
    CU_ASSERT_EQUAL(rd(&t, DP8390_CR), STOP);
    CU_ASSERT_EQUAL(rd(&t, PG0R_ISR), ISR_RST);
    page(&t, 2);
    CU_ASSERT_EQUAL(rd(&t, PG2R_IMR), 0);
    CU_ASSERT_EQUAL(rd(&t, PG2R_TCR), TCR_OFST);
    CU_ASSERT_EQUAL(rd(&t, PG2R_DCR) & DCR_LAS, DCR_LAS);
    CU_ASSERT_EQUAL(rd(&t, PG2R_PSTART), PSTART);
    power_off(&t);
}

static void test_command(void)
{
    struct chip_rig t;

    power_on(&t);
    wr(&t, PG0W_ISR, 0xff); /* RST is no event: it stays */
    CU_ASSERT_EQUAL(rd(&t, PG0R_ISR), ISR_RST);
    wr(&t, DP8390_CR, NODMA); /* STP off, but STA not on: still in reset */
    CU_ASSERT_EQUAL(rd(&t, PG0R_ISR), ISR_RST);
    wr(&t, DP8390_CR, START);
    CU_ASSERT_EQUAL(rd(&t, PG0R_ISR), 0);
    wr(&t, DP8390_CR, NODMA); /* writing STA as 0 does not stop it */
    CU_ASSERT_TRUE(t.c.regs->running);
    wr(&t, DP8390_CR, START | CR_TXP);
    CU_ASSERT_EQUAL(rd(&t, DP8390_CR), START); /* TXP is over already */
    CU_ASSERT_EQUAL(rd(&t, PG0R_ISR), ISR_PTX);
    wr(&t, PG0W_ISR, ISR_PTX);
    wr(&t, DP8390_CR, STOP | CR_TXP); /* off line: nothing is sent */
    CU_ASSERT_EQUAL(rd(&t, DP8390_CR), STOP);
    CU_ASSERT_EQUAL(rd(&t, PG0R_ISR), ISR_RST);
    power_off(&t);
}

static void test_interrupt_mask(void)
{
    struct chip_rig t;

    power_on(&t);
    bring_up(&t, 0);
    for (unsigned bit = 0; bit < 7; bit++) {
        wr(&t, PG0W_IMR, (uint8_t)(1 << bit));
        t.c.regs->isr = (uint8_t) ~(1 << bit);
        wr(&t, PG0W_ISR, 0);
        CU_ASSERT_FALSE(t.g.level);
        t.c.regs->isr = (uint8_t)(1 << bit);
        wr(&t, PG0W_ISR, 0);
        CU_ASSERT_TRUE(t.g.level);
        wr(&t, PG0W_IMR, 0);
        CU_ASSERT_FALSE(t.g.level);
        wr(&t, PG0W_IMR, (uint8_t)(1 << bit));
        CU_ASSERT_TRUE(t.g.level);
        wr(&t, PG0W_ISR, (uint8_t)(1 << bit));
        CU_ASSERT_FALSE(t.g.level);
        CU_ASSERT_EQUAL(rd(&t, PG0R_ISR), 0);
    }
    wr(&t, DP8390_CR, STOP);
    wr(&t, PG0W_IMR, 0xff);
    CU_ASSERT_EQUAL(rd(&t, PG0R_ISR), ISR_RST);
    CU_ASSERT_FALSE(t.g.level);
    power_off(&t);
}

/* --- remote DMA --- */

static unsigned crda(struct chip_rig *t)
{
    return rd(t, PG0R_CRDA0) | (unsigned)rd(t, PG0R_CRDA1) << 8;
}

static void test_remote_bytes(void)
{
    uint8_t buf[8] = {1, 2, 3, 4, 5};
    struct chip_rig t;

    power_on(&t);
    bring_up(&t, 0);
    wr(&t, PG0W_DCR, DCR_LS);
    remote_setup(&t, 0x4001, 5, CR_RD1);
    dp8390_remote(&t.c, buf, 4, true);
    CU_ASSERT_EQUAL(crda(&t), 0x4005);
    CU_ASSERT_EQUAL(rd(&t, PG0R_ISR), 0);
    dp8390_remote(&t.c, buf + 4, 1, true);
    CU_ASSERT_EQUAL(rd(&t, PG0R_ISR), ISR_RDC);
    CU_ASSERT_EQUAL(memcmp(ram_at(&t, 0x4001), "\1\2\3\4\5", 5), 0);
    dp8390_remote(&t.c, buf, 1, true); /* over: dropped */
    CU_ASSERT_EQUAL(*ram_at(&t, 0x4006), 0);
    remote_setup(&t, 0x4001, 5, CR_RD0);
    memset(buf, 0, sizeof(buf));
    dp8390_remote(&t.c, buf, 8, false);
    CU_ASSERT_EQUAL(memcmp(buf, "\1\2\3\4\5\xff\xff\xff", 8), 0);
    power_off(&t);
}

static void test_remote_words(void)
{
    uint8_t buf[8] = {1, 2, 3, 4, 5, 6};
    struct chip_rig t;

    power_on(&t);
    bring_up(&t, 0);
    remote_setup(&t, 0x4000, 5, CR_RD1); /* an odd count: the last word moves whole */
    dp8390_remote(&t.c, buf, 6, true);
    CU_ASSERT_EQUAL(rd(&t, PG0R_ISR), ISR_RDC);
    CU_ASSERT_EQUAL(memcmp(ram_at(&t, 0x4000), buf, 6), 0);
    remote_setup(&t, 0x4003, 2, CR_RD0); /* an odd address: A0 is not driven */
    dp8390_remote(&t.c, buf, 2, false);
    CU_ASSERT_EQUAL(buf[0], 3);
    CU_ASSERT_EQUAL(buf[1], 4);
    CU_ASSERT_EQUAL(crda(&t), 0x4005);
    power_off(&t);
}

static void test_remote_wrap(void)
{
    uint8_t buf[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    struct chip_rig t;

    power_on(&t);
    bring_up(&t, 0);
    remote_setup(&t, PSTOP * 256 - 4, 8, CR_RD1);
    dp8390_remote(&t.c, buf, 8, true);
    CU_ASSERT_EQUAL(memcmp(ram_at(&t, PSTOP * 256 - 4), buf, 4), 0);
    CU_ASSERT_EQUAL(memcmp(ram_at(&t, PSTART * 256), buf + 4, 4), 0);
    CU_ASSERT_EQUAL(crda(&t), PSTART * 256 + 4);
    remote_setup(&t, PSTOP * 256 - 2, 2, CR_RD0); /* ends exactly there: wrapped already */
    dp8390_remote(&t.c, buf, 2, false);
    CU_ASSERT_EQUAL(crda(&t), PSTART * 256);
    power_off(&t);
}

static void test_remote_direction_and_abort(void)
{
    uint8_t buf[4] = {1, 2, 3, 4};
    struct chip_rig t;

    power_on(&t);
    bring_up(&t, 0);
    remote_setup(&t, 0x4000, 4, CR_RD0);
    dp8390_remote(&t.c, buf, 4, true); /* the channel reads: a write goes nowhere */
    CU_ASSERT_EQUAL(crda(&t), 0x4000);
    CU_ASSERT_EQUAL(*ram_at(&t, 0x4000), 0);
    wr(&t, DP8390_CR, START); /* abort */
    dp8390_remote(&t.c, buf, 4, false);
    CU_ASSERT_EQUAL(buf[0], 0xff);
    CU_ASSERT_EQUAL(crda(&t), 0x4000);
    CU_ASSERT_EQUAL(rd(&t, PG0R_ISR), 0);
    remote_setup(&t, 0x4000, 0, CR_RD0); /* nothing to do: done at once */
    CU_ASSERT_EQUAL(rd(&t, PG0R_ISR), ISR_RDC);
    power_off(&t);
}

/* Addresses with nothing behind them, the PROM, and the end of the address space. */
static void test_remote_holes(void)
{
    uint8_t buf[64];
    struct chip_rig t;

    power_on(&t);
    bring_up(&t, 0);
    memset(t.g.d.ram + RAM_SIZE, 0x57, 32);
    wr(&t, PG0W_PSTOP, 0xff);
    remote_setup(&t, 0xfff0, 48, CR_RD0);
    dp8390_remote(&t.c, buf, 48, false);
    CU_ASSERT_EQUAL(buf[0], 0xff);
    CU_ASSERT_EQUAL(buf[15], 0xff);
    CU_ASSERT_EQUAL(buf[16], 0x57);
    CU_ASSERT_EQUAL(buf[47], 0x57);
    memset(buf, 1, sizeof(buf));
    remote_setup(&t, 0x0010, 64, CR_RD1);
    dp8390_remote(&t.c, buf, 64, true);
    CU_ASSERT_EQUAL(t.g.d.ram[RAM_SIZE + 16], 0x57);
    remote_setup(&t, 0x7ff8, 16, CR_RD1);
    dp8390_remote(&t.c, buf, 16, true);
    CU_ASSERT_EQUAL(*ram_at(&t, 0x7fff), 1);
    CU_ASSERT_EQUAL(t.g.d.ram[RAM_SIZE], 0x57);
    power_off(&t);
}

static void test_send_packet(void)
{
    uint8_t frame[100], buf[104];
    struct chip_rig t;

    power_on(&t);
    bring_up(&t, RCR_AB);
    wr(&t, PG0W_BNRY, PSTART); /* as DS 7 initialises it: BNRY = CURR = PSTART */
    for (unsigned i = 0; i < 2; i++) {
        make_frame(frame, sizeof(frame), rig_mac);
        frame[20] = (uint8_t)i;
        dp8390_receive(&t.c, frame, sizeof(frame));
    }
    for (unsigned i = 0; i < 2; i++) {
        wr(&t, PG0W_ISR, 0xff);
        wr(&t, PG0W_RBCR1, 0x0f);
        wr(&t, DP8390_CR, CR_STA | CR_RD1 | CR_RD0);
        CU_ASSERT_EQUAL(crda(&t), (PSTART + i) * 256);
        dp8390_remote(&t.c, buf, 50, false);
        wr(&t, DP8390_CR, CR_STA | CR_RD1 | CR_RD0); /* a page change in between: goes on */
        dp8390_remote(&t.c, buf + 50, 54, false);
        CU_ASSERT_EQUAL(rd(&t, PG0R_ISR), ISR_RDC);
        CU_ASSERT_EQUAL(buf[0], RSR_PRX);
        CU_ASSERT_EQUAL(buf[1], PSTART + i + 1);
        CU_ASSERT_EQUAL(buf[4 + 20], i);
        CU_ASSERT_EQUAL(memcmp(buf + 4, frame, 20), 0);
        CU_ASSERT_EQUAL(rd(&t, PG0R_BNRY), PSTART + i + 1);
    }
    power_off(&t);
}

/* --- transmission --- */

static void test_transmit(void)
{
    static const uint16_t sizes[] = {14, 42, 60, 1514, 1518};
    uint8_t frame[NM_MAX_FRAME];
    struct chip_rig t;

    power_on(&t);
    bring_up(&t, 0);
    wr(&t, PG0W_IMR, ISR_PTX);
    for (unsigned i = 0; i < 5; i++) {
        make_frame(frame, sizes[i], (const uint8_t *)"\xff\xff\xff\xff\xff\xff");
        memcpy(ram_at(&t, 0x4000), frame, sizes[i]);
        transmit(&t, 0x40, sizes[i]);
        CU_ASSERT_EQUAL(t.g.sent, i + 1);
        CU_ASSERT_EQUAL(t.g.len[i], sizes[i]); /* not padded */
        CU_ASSERT_EQUAL(memcmp(t.g.frame[i], frame, sizes[i]), 0);
        CU_ASSERT_TRUE(t.g.level);
        CU_ASSERT_EQUAL(rd(&t, PG0R_ISR), ISR_PTX);
        CU_ASSERT_EQUAL(rd(&t, PG0R_TSR), TSR_PTX);
        CU_ASSERT_EQUAL(rd(&t, PG0R_NCR), 0);
        CU_ASSERT_EQUAL(rd(&t, PG0R_CLDA0) | rd(&t, PG0R_CLDA1) << 8, 0x4000 + sizes[i]);
        wr(&t, PG0W_ISR, ISR_PTX);
    }
    power_off(&t);
}

/* What no receiver would take: it is transmitted all the same, PTX and all. */
static void test_transmit_odd_sizes(void)
{
    static const uint16_t sizes[] = {0, 1, 13, 1519, 1522, 1523, 0xffff};
    struct chip_rig t;

    power_on(&t);
    bring_up(&t, 0);
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        wr(&t, PG0W_ISR, 0xff);
        transmit(&t, 0x40, sizes[i]);
        CU_ASSERT_EQUAL(rd(&t, PG0R_ISR), ISR_PTX);
        CU_ASSERT_EQUAL(rd(&t, PG0R_TSR), TSR_PTX);
    }
    CU_ASSERT_EQUAL(t.g.sent, 0);
    transmit(&t, 0x7f, 300); /* runs over the end of memory */
    CU_ASSERT_EQUAL(t.g.sent, 1);
    CU_ASSERT_EQUAL(t.g.frame[0][255], 0);
    CU_ASSERT_EQUAL(t.g.frame[0][256], 0xff);
    t.g.full = true; /* the network has no room: the chip cannot know */
    transmit(&t, 0x40, 100);
    CU_ASSERT_EQUAL(rd(&t, PG0R_TSR), TSR_PTX);
    power_off(&t);
}

/* TCR.CRC: the host appends the FCS itself. */
static void test_transmit_own_fcs(void)
{
    uint8_t frame[64];
    struct chip_rig t;
    uint32_t fcs;

    power_on(&t);
    bring_up(&t, 0);
    make_frame(frame, 60, rig_mac);
    fcs = nm_crc32(0, frame, 60);
    memcpy(frame + 60, &fcs, 4);
    memcpy(ram_at(&t, 0x4000), frame, 64);
    wr(&t, PG0W_TCR, TCR_CRC);
    transmit(&t, 0x40, 64);
    CU_ASSERT_EQUAL(t.g.sent, 1);
    CU_ASSERT_EQUAL(t.g.len[0], 60);
    ram_at(&t, 0x4000)[63] ^= 1; /* a bad one: every receiver discards it */
    transmit(&t, 0x40, 64);
    transmit(&t, 0x40, 3);
    CU_ASSERT_EQUAL(t.g.sent, 1);
    CU_ASSERT_EQUAL(rd(&t, PG0R_TSR), TSR_PTX);
    power_off(&t);
}

/* TCR.ATD: multicasts that hash to 62 and 63 switch the transmitter off and on. */
static void test_auto_transmit_disable(void)
{
    uint8_t off[60], on[60];
    struct chip_rig t;

    power_on(&t);
    bring_up(&t, RCR_AB);
    make_frame(off, 60, (const uint8_t *)"\x01\x00\x5e\x00\x00\xce");
    make_frame(on, 60, (const uint8_t *)"\x01\x00\x5e\x00\x00\x4e");
    dp8390_receive(&t.c, off, 60); /* ATD not set: nothing happens */
    transmit(&t, 0x40, 60);
    CU_ASSERT_EQUAL(t.g.sent, 1);
    wr(&t, PG0W_TCR, TCR_ATD);
    dp8390_receive(&t.c, off, 60);
    transmit(&t, 0x40, 60);
    CU_ASSERT_EQUAL(t.g.sent, 1);
    CU_ASSERT_EQUAL(rd(&t, DP8390_CR), START | CR_TXP); /* waits */
    wr(&t, DP8390_CR, START);                           /* writing TXP as 0 has no effect */
    CU_ASSERT_EQUAL(rd(&t, DP8390_CR), START | CR_TXP);
    dp8390_receive(&t.c, on, 60);
    CU_ASSERT_EQUAL(t.g.sent, 2);
    CU_ASSERT_EQUAL(rd(&t, DP8390_CR), START);
    dp8390_receive(&t.c, off, 60);
    transmit(&t, 0x40, 60);
    wr(&t, PG0W_TCR, 0);
    CU_ASSERT_EQUAL(t.g.sent, 3);
    wr(&t, PG0W_TCR, TCR_ATD);
    dp8390_receive(&t.c, off, 60);
    transmit(&t, 0x40, 60);
    wr(&t, DP8390_CR, STOP); /* stopping forgets it */
    wr(&t, DP8390_CR, START);
    dp8390_receive(&t.c, on, 60);
    CU_ASSERT_EQUAL(t.g.sent, 3);
    power_off(&t);
}

/* DCR.BOS: bytes of words are swapped between wire and memory, both ways. */
static void test_byte_order(void)
{
    uint8_t frame[61];
    struct chip_rig t;

    power_on(&t);
    bring_up(&t, RCR_AB);
    wr(&t, PG0W_DCR, DCR_WTS | DCR_BOS | DCR_LS);
    make_frame(frame, 61, rig_mac);
    dp8390_receive(&t.c, frame, 61);
    CU_ASSERT_EQUAL(*ram_at(&t, PSTART * 256), PSTART + 1);
    CU_ASSERT_EQUAL(*ram_at(&t, PSTART * 256 + 1), RSR_PRX);
    CU_ASSERT_EQUAL(*ram_at(&t, PSTART * 256 + 4), frame[1]);
    CU_ASSERT_EQUAL(*ram_at(&t, PSTART * 256 + 5), frame[0]);
    for (unsigned i = 0; i < 62; i++)
        ram_at(&t, 0x4000)[i ^ 1] = i < 61 ? frame[i] : 0;
    transmit(&t, 0x40, 61);
    CU_ASSERT_EQUAL(t.g.len[0], 61);
    CU_ASSERT_EQUAL(memcmp(t.g.frame[0], frame, 61), 0);
    power_off(&t);
}

/* --- loopback (DS 12, AN-937) --- */

static void loop_setup(struct chip_rig *t, uint8_t tcr, const uint8_t *frame, size_t len)
{
    bring_up(t, 0);
    wr(t, PG0W_DCR, 0x40); /* bytes; LS: loopback */
    wr(t, PG0W_TCR, tcr);
    memcpy(ram_at(t, 0x4000), frame, len);
    transmit(t, 0x40, (uint16_t)len);
}

/* AN-937 6: TSR, RSR and ISR by mode, for frames to this node and to another. */
static void test_loopback_status(void)
{
    static const struct {
        uint8_t tcr, tsr;
    } modes[] = {{TCR_LB0, 0x51}, {TCR_LB1, 0x41}, {TCR_LB0 | TCR_LB1, 0x01}};
    uint8_t mine[64], other[64];
    struct chip_rig t;

    make_frame(mine, 64, rig_mac);
    make_frame(other, 64, (const uint8_t *)"\x52\x54\x00\x99\x99\x99");
    for (unsigned i = 0; i < 3; i++) {
        power_on(&t);
        loop_setup(&t, modes[i].tcr, mine, 64);
        CU_ASSERT_EQUAL(rd(&t, PG0R_TSR), modes[i].tsr);
        CU_ASSERT_EQUAL(rd(&t, PG0R_RSR), RSR_CRC); /* the CRC logic is busy generating */
        CU_ASSERT_EQUAL(rd(&t, PG0R_ISR), ISR_PTX | ISR_RXE);
        CU_ASSERT_EQUAL(rd(&t, PG0R_CNTR1), 1);
        CU_ASSERT_EQUAL(curr(&t), PSTART); /* nothing is stored */
        CU_ASSERT_EQUAL(t.g.sent, i == 2); /* only mode 3 reaches the cable */
        loop_setup(&t, modes[i].tcr, other, 64);
        CU_ASSERT_EQUAL(rd(&t, PG0R_RSR), RSR_PRX);
        CU_ASSERT_EQUAL(rd(&t, PG0R_ISR), ISR_PTX);
        power_off(&t);
    }
}

/* With TCR.CRC the receiver checks the host's FCS. */
static void test_loopback_crc(void)
{
    uint8_t frame[64];
    struct chip_rig t;
    uint32_t fcs;

    power_on(&t);
    make_frame(frame, 60, rig_mac);
    fcs = nm_crc32(0, frame, 60);
    memcpy(frame + 60, &fcs, 4);
    loop_setup(&t, TCR_LB0 | TCR_CRC, frame, 64);
    CU_ASSERT_EQUAL(rd(&t, PG0R_RSR), RSR_PRX);
    CU_ASSERT_EQUAL(rd(&t, PG0R_ISR), ISR_PTX);
    frame[63] ^= 0x80;
    loop_setup(&t, TCR_LB0 | TCR_CRC, frame, 64);
    CU_ASSERT_EQUAL(rd(&t, PG0R_RSR), RSR_CRC);
    CU_ASSERT_EQUAL(rd(&t, PG0R_ISR), ISR_PTX | ISR_RXE);
    power_off(&t);
}

/* DS 12: a packet of 8 N + 5 bytes lies aligned: its last five, then the count: low, high, high. */
static void test_loopback_fifo(void)
{
    uint8_t frame[300], want[8];
    struct chip_rig t;
    uint32_t fcs;

    power_on(&t);
    make_frame(frame, 257, rig_mac); /* 257 + 4 of FCS = 8 * 32 + 5 */
    fcs = nm_crc32(0, frame, 257);
    want[0] = frame[256];
    memcpy(want + 1, &fcs, 4);
    want[5] = (uint8_t)261;
    want[6] = want[7] = 261 >> 8;
    loop_setup(&t, TCR_LB0, frame, 257);
    for (unsigned i = 0; i < 16; i++) /* reading goes round */
        CU_ASSERT_EQUAL(rd(&t, PG0R_FIFO), want[i & 7]);
    /* 8 N bytes: the count comes first */
    loop_setup(&t, TCR_LB0 | TCR_CRC, frame, 64);
    CU_ASSERT_EQUAL(rd(&t, PG0R_FIFO), 64);
    CU_ASSERT_EQUAL(rd(&t, PG0R_FIFO), 0);
    CU_ASSERT_EQUAL(rd(&t, PG0R_FIFO), 0);
    CU_ASSERT_EQUAL(rd(&t, PG0R_FIFO), frame[59]);
    wr(&t, PG0W_TCR, 0);
    CU_ASSERT_EQUAL(rd(&t, PG0R_FIFO), 0xff); /* only in loopback */
    power_off(&t);
}

/* DS 12, restrictions: in word mode one byte lane is looped; TBCR counts both. */
static void test_loopback_words(void)
{
    uint8_t lanes[2 * 61];
    struct chip_rig t;

    power_on(&t);
    for (unsigned i = 0; i < 61; i++) {
        lanes[2 * i] = (uint8_t)(i + 1);
        lanes[2 * i + 1] = (uint8_t)(0x80 + i);
    }
    bring_up(&t, 0);
    memcpy(ram_at(&t, 0x4000), lanes, sizeof(lanes));
    wr(&t, PG0W_TCR, TCR_LB0 | TCR_CRC);
    wr(&t, PG0W_DCR, DCR_WTS | DCR_BOS);
    transmit(&t, 0x40, sizeof(lanes));
    CU_ASSERT_EQUAL(rd(&t, PG0R_FIFO), 57); /* 61 = 8 * 7 + 5 */
    wr(&t, PG0W_DCR, DCR_WTS);
    transmit(&t, 0x40, sizeof(lanes));
    CU_ASSERT_EQUAL(rd(&t, PG0R_FIFO), 0x80 + 56);
    CU_ASSERT_EQUAL(t.g.sent, 0);
    power_off(&t);
}

/* Drivers set TCR to loopback with DCR.LS at "normal" to keep the chip off the net. */
static void test_loopback_off_net(void)
{
    uint8_t frame[64];
    struct chip_rig t;

    power_on(&t);
    make_frame(frame, 64, rig_mac);
    loop_setup(&t, TCR_LB0, frame, 64);
    wr(&t, PG0W_DCR, DCR_LS);
    wr(&t, PG0W_ISR, 0xff);
    transmit(&t, 0x40, 64);
    CU_ASSERT_EQUAL(rd(&t, PG0R_ISR), ISR_PTX);
    dp8390_receive(&t.c, frame, 64);
    CU_ASSERT_EQUAL(curr(&t), PSTART);
    CU_ASSERT_EQUAL(t.g.sent, 0);
    CU_ASSERT_TRUE(dp8390_can_receive(&t.c, 64));
    power_off(&t);
}

const struct cu_test suite_tests[] = {
    {"registers read back", test_read_back},
    {"read and write directions are separate", test_separate_directions},
    {"RESET", test_reset},
    {"command register", test_command},
    {"interrupt mask", test_interrupt_mask},
    {"remote DMA by bytes", test_remote_bytes},
    {"remote DMA by words", test_remote_words},
    {"remote DMA wraps at PSTOP", test_remote_wrap},
    {"remote DMA: direction, abort, count 0", test_remote_direction_and_abort},
    {"remote DMA outside memory", test_remote_holes},
    {"send packet command", test_send_packet},
    {"transmission", test_transmit},
    {"transmission of odd sizes", test_transmit_odd_sizes},
    {"transmission with the host's FCS", test_transmit_own_fcs},
    {"auto transmit disable", test_auto_transmit_disable},
    {"byte order select", test_byte_order},
    {"loopback status by mode", test_loopback_status},
    {"loopback CRC check", test_loopback_crc},
    {"loopback FIFO", test_loopback_fifo},
    {"loopback in word mode", test_loopback_words},
    {"loopback keeps off the net", test_loopback_off_net},
    {NULL, NULL},
};
