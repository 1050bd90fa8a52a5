/* SPDX-License-Identifier: BSD-3-Clause */
/* The DP8390 against its data sheet (section numbers as in nicmodels/dp8390.h). */
#include <CUnit/CUnit.h>

#include "../../nicmodels/crc32.h"
#include "../../nicmodels/dp8390.h"
#include "cu_main.h"
#include "nm_rig.h"

const char *const suite_name = "dp8390";

#define RAM_BASE 0x4000
#define RAM_SIZE 0x4000
#define PSTART   0x46
#define PSTOP    0x80
#define NODMA    (CR_RD2)
#define START    (CR_STA | NODMA)
#define STOP     (CR_STP | NODMA)

static const struct dp8390_board board = {
    .map = {{.base = 0, .size = 32, .at = RAM_SIZE, .flags = DP8390_MAP_ROM},
            {.base = RAM_BASE, .size = RAM_SIZE}},
};

struct chip_rig {
    struct rig g;
    struct dp8390_chip c;
};

static void power_on(struct chip_rig *t)
{
    rig_alloc(&t->g, sizeof(struct dp8390), RAM_SIZE + 32);
    t->c = dp8390_of(&t->g.d, &board);
    dp8390_reset(&t->c);
}

static void power_off(struct chip_rig *t)
{
    rig_free(&t->g);
}

static void wr(struct chip_rig *t, unsigned reg, uint8_t v)
{
    dp8390_write(&t->c, reg, v);
}

static uint8_t rd(struct chip_rig *t, unsigned reg)
{
    return dp8390_read(&t->c, reg);
}

static uint8_t *ram_at(struct chip_rig *t, unsigned local)
{
    return t->g.d.ram + local - RAM_BASE;
}

/* Page of `page`, running or not as it is. */
static void page(struct chip_rig *t, unsigned p)
{
    wr(t, DP8390_CR, (uint8_t)(p << 6 | NODMA | (t->c.regs->running ? CR_STA : CR_STP)));
}

/* As DS 11.2 and the usual drivers do it: stop, configure, rings, address, start. */
static void bring_up(struct chip_rig *t, uint8_t rcr)
{
    wr(t, DP8390_CR, STOP);
    wr(t, PG0W_DCR, DCR_WTS | DCR_LS | 0x40);
    wr(t, PG0W_RBCR0, 0);
    wr(t, PG0W_RBCR1, 0);
    wr(t, PG0W_RCR, RCR_MON);
    wr(t, PG0W_TCR, TCR_LB0);
    wr(t, PG0W_TPSR, 0x40);
    wr(t, PG0W_PSTART, PSTART);
    wr(t, PG0W_BNRY, PSTOP - 1);
    wr(t, PG0W_PSTOP, PSTOP);
    wr(t, PG0W_ISR, 0xff);
    wr(t, PG0W_IMR, 0);
    page(t, 1);
    for (unsigned i = 0; i < 6; i++)
        wr(t, PG1_PAR0 + i, rig_mac[i]);
    wr(t, PG1_CURR, PSTART);
    page(t, 0);
    wr(t, DP8390_CR, START);
    wr(t, PG0W_TCR, 0);
    wr(t, PG0W_RCR, rcr);
}

static void make_frame(uint8_t *f, size_t len, const uint8_t dst[6])
{
    for (size_t i = 0; i < len; i++)
        f[i] = (uint8_t)(i * 7 + len);
    memcpy(f, dst, 6);
}

static uint8_t curr(struct chip_rig *t)
{
    return t->c.regs->curr;
}

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

static void remote_setup(struct chip_rig *t, uint16_t addr, uint16_t count, uint8_t rd_bits)
{
    wr(t, PG0W_RSAR0, (uint8_t)addr);
    wr(t, PG0W_RSAR1, (uint8_t)(addr >> 8));
    wr(t, PG0W_RBCR0, (uint8_t)count);
    wr(t, PG0W_RBCR1, (uint8_t)(count >> 8));
    wr(t, DP8390_CR, CR_STA | rd_bits);
}

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

static void transmit(struct chip_rig *t, uint8_t tpsr, uint16_t len)
{
    wr(t, PG0W_TPSR, tpsr);
    wr(t, PG0W_TBCR0, (uint8_t)len);
    wr(t, PG0W_TBCR1, (uint8_t)(len >> 8));
    wr(t, DP8390_CR, START | CR_TXP);
}

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
    dp8390_receive(&t.c, on, 60);
    CU_ASSERT_EQUAL(t.g.sent, 2);
    CU_ASSERT_EQUAL(rd(&t, DP8390_CR), START);
    dp8390_receive(&t.c, off, 60);
    transmit(&t, 0x40, 60);
    wr(&t, PG0W_TCR, 0);
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

/* --- reception --- */

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
    uint8_t frame[60];
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
    CU_ASSERT_EQUAL(dp8390_peek(&t.c, PG0R_CNTR1), 192);
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
    {"reception", test_receive},
    {"reception: pages", test_receive_pages},
    {"reception: ring wrap", test_receive_ring_wrap},
    {"address filter", test_address_filter},
    {"runts and damaged frames", test_runts_and_damage},
    {"tally counters", test_tally_counters},
    {"monitor mode", test_monitor_mode},
    {"ring overflow and recovery", test_overflow},
    {"ring overflow, drained", test_overflow_drained},
    {"absurd rings", test_absurd_rings},
    {"stopped", test_stopped_receives_nothing},
    {"CRC-32", test_crc},
    {NULL, NULL},
};
