/* SPDX-License-Identifier: BSD-3-Clause */
/* RTL8139: PCI, registers, EEPROM, timer; and the C mode, driven as 8139too does. */
#include <errno.h>
#include <stddef.h>

#include "../../nicmodels/crc32.h"
#include "cu_main.h"
#include "rtl8139_rig.h"

const char *const suite_name = "rtl8139";

static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const uint8_t other_mac[6] = {0x52, 0x54, 0x00, 0x99, 0x99, 0x99};

/* --- PCI --- */

static void test_pci(void)
{
    struct nm_window w[NM_MAX_REGIONS];
    uint64_t cell[NM_MAX_CELLS];
    const char *why;
    struct rig g;

    for (unsigned cp = 0; cp < 2; cp++) {
        CU_ASSERT_EQUAL(rig_init(&g, nm_model_find(cp ? "rtl8139cp" : "rtl8139"), NULL, &why), 0);
        CU_ASSERT_EQUAL(rig_read(&g, NM_REGION_CONFIG, 0, 4), 0x813910ec);
        CU_ASSERT_EQUAL(rig_read(&g, NM_REGION_CONFIG, 8, 4), cp ? 0x02000020 : 0x02000010);
        CU_ASSERT_EQUAL(rig_read(&g, NM_REGION_CONFIG, 0x40, 2), 0x0001); /* power management */
        CU_ASSERT_EQUAL(rig_write(&g, 0, 0x37, 1, 0), NM_UNCLAIMED);
        CU_ASSERT_EQUAL(rig_write(&g, 1, 0x37, 1, 0), NM_UNCLAIMED);
        CU_ASSERT_EQUAL(g.d.model->publish(&g.d, cell), 0);
        rig_write(&g, NM_REGION_CONFIG, PCI_BAR0, 4, 0xffffffff);
        rig_write(&g, NM_REGION_CONFIG, PCI_BAR0 + 4, 4, 0xffffffff);
        CU_ASSERT_EQUAL(rig_read(&g, NM_REGION_CONFIG, PCI_BAR0, 4), 0xffffff01);
        CU_ASSERT_EQUAL(rig_read(&g, NM_REGION_CONFIG, PCI_BAR0 + 4, 4), 0xffffff00);
        rig_write(&g, NM_REGION_CONFIG, PCI_BAR0, 4, 0xc000);
        rig_write(&g, NM_REGION_CONFIG, PCI_BAR0 + 4, 4, 0xfebf0000);
        rig_write(&g, NM_REGION_CONFIG, PCI_COMMAND, 2, PCI_COMMAND_MEM);
        CU_ASSERT_EQUAL(g.d.model->windows(&g.d, w, NM_MAX_REGIONS), 2);
        CU_ASSERT_EQUAL(w[0].space, NM_SPACE_NONE);
        CU_ASSERT_EQUAL(w[1].space, NM_SPACE_MMIO);
        CU_ASSERT_EQUAL(w[1].base, 0xfebf0000);
        CU_ASSERT_EQUAL(w[1].size, 256);
        CU_ASSERT_EQUAL(rig_write(&g, 0, 0x37, 1, 0), NM_UNCLAIMED);
        CU_ASSERT_EQUAL(rig_read(&g, 1, 0x37, 1), RTL_CR_BUFE);
        CU_ASSERT_EQUAL(g.d.model->publish(&g.d, cell), 0x3fffull << 14); /* of BAR1 */
        rig_write(&g, NM_REGION_CONFIG, PCI_COMMAND, 2, PCI_COMMAND_IO);
        CU_ASSERT_EQUAL(rig_read(&g, 0, 0x37, 1), RTL_CR_BUFE);
        CU_ASSERT_EQUAL(rig_write(&g, 1, 0x37, 1, 0), NM_UNCLAIMED);
        CU_ASSERT_EQUAL(rig_write(&g, 0, 0x100, 1, 0), NM_UNCLAIMED);
        CU_ASSERT_EQUAL(rig_read(&g, 0, 0xfe, 4), 0xffff0000);
        rig_free(&g);
    }
}

static void test_interrupt_pin(void)
{
    struct rig g;

    board_up(&g, "rtl8139");
    start_too(&g, RXCONFIG);
    wr(&g, 0x10, 4, 60);
    CU_ASSERT_TRUE(g.level);
    CU_ASSERT_EQUAL(g.d.model->lines(&g.d), 1);
    CU_ASSERT_EQUAL(rig_read(&g, NM_REGION_CONFIG, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT, 8);
    rig_write(&g, NM_REGION_CONFIG, PCI_COMMAND, 2, 7 | PCI_COMMAND_INTX_DISABLE);
    CU_ASSERT_FALSE(g.level);
    rig_write(&g, NM_REGION_CONFIG, PCI_COMMAND, 2, 7);
    CU_ASSERT_TRUE(g.level);
    rig_write(&g, NM_REGION_CONFIG, 0x44, 2, 3); /* D3hot: silent in every way */
    CU_ASSERT_FALSE(g.level);
    CU_ASSERT_EQUAL(rig_read(&g, 1, 0x3e, 2), ~0ull);
    rig_write(&g, NM_REGION_CONFIG, 0x44, 2, 0);
    CU_ASSERT_TRUE(g.level);
    wr(&g, 0x3c, 2, RTL_ISR_ROK);
    CU_ASSERT_FALSE(g.level);
    wr(&g, 0x3c, 2, RTL_ISR_ALL);
    CU_ASSERT_TRUE(g.level);
    wr(&g, 0x3e, 2, RTL_ISR_ROK);
    CU_ASSERT_TRUE(g.level); /* another bit's acknowledgement */
    wr(&g, 0x3e, 2, RTL_ISR_TOK);
    CU_ASSERT_FALSE(g.level);
    rig_free(&g);
}

/* --- registers --- */

static void test_reset_values(void)
{
    struct rig g;

    board_up(&g, "rtl8139");
    for (unsigned i = 0; i < 6; i++)
        CU_ASSERT_EQUAL(rd(&g, i, 1), rig_mac[i]);
    for (unsigned i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(rd(&g, 0x10 + 4 * i, 4), RTL_TSD_OWN);
    CU_ASSERT_EQUAL(rd(&g, 0x38, 2), 0xfff0);
    CU_ASSERT_EQUAL(rd(&g, 0x3a, 2), 0);
    CU_ASSERT_EQUAL(rd(&g, 0x40, 4) & 0x7cc00000, 0x74000000); /* as 8139too knows an RTL8139C */
    CU_ASSERT_EQUAL(rd(&g, 0x52, 1), 0x0d);
    CU_ASSERT_EQUAL(rd(&g, 0x5e, 1), 0x10);
    CU_ASSERT_EQUAL(rd(&g, 0x60, 2), 0x000f);
    CU_ASSERT_EQUAL(rd(&g, 0x64, 2), 0x782d);
    CU_ASSERT_EQUAL(rd(&g, 0x58, 1) & 0x04, 0); /* link */
    wr(&g, 0xe0, 2, 0xffff);                    /* an RTL8139C has no C+ registers */
    CU_ASSERT_EQUAL(rd(&g, 0xe0, 2), 0);
    wr(&g, 0xd9, 1, 0xff);
    CU_ASSERT_EQUAL(rd(&g, 0x3e, 2), 0);
    rig_free(&g);
    board_up(&g, "rtl8139cp");
    CU_ASSERT_EQUAL(rd(&g, 0x40, 4) & 0x7cc00000, 0x74800000);
    CU_ASSERT_EQUAL(rd(&g, 0x5e, 1), 0x20);
    wr(&g, 0xe0, 2, 0xffff);
    CU_ASSERT_EQUAL(rd(&g, 0xe0, 2), 0x007b);
    rig_free(&g);
}

/* Bytes, words, double and quad words reach the same bits. */
static void test_access_sizes(void)
{
    struct rig a, b;

    board_up(&a, "rtl8139cp");
    board_up(&b, "rtl8139cp");
    wr(&a, 0x08, 8, 0x8877665544332211);
    for (unsigned i = 0; i < 8; i++)
        wr(&b, 0x08 + i, 1, 0x8877665544332211 >> 8 * i);
    CU_ASSERT_EQUAL(rd(&b, 0x08, 8), 0x8877665544332211);
    CU_ASSERT_EQUAL(rd(&b, 0x0b, 4), 0x77665544);
    CU_ASSERT_EQUAL(rd(&b, 0x0a, 2), 0x4433);
    wr(&a, 0x3a, 4, 0xa5a51234); /* half CBR, which is read-only, half IMR */
    wr(&b, 0x3c, 2, 0xa5a5);
    CU_ASSERT_EQUAL(rd(&a, 0x3c, 2), 0xa5a5 & RTL_ISR_ALL);
    CU_ASSERT_EQUAL(rd(&a, 0x3a, 2), 0);
    CU_ASSERT_EQUAL(memcmp(a.d.regs, b.d.regs, sizeof(struct rtl8139_regs)), 0);
    rig_free(&a);
    rig_free(&b);
}

static void test_config_lock(void)
{
    struct rig g;

    board_up(&g, "rtl8139");
    wr(&g, 0x00, 4, 0x04030201);
    wr(&g, 0x52, 1, 0xff);
    wr(&g, 0x59, 2, 0xffff);
    wr(&g, 0x62, 2, 0x2000);
    CU_ASSERT_EQUAL(rd(&g, 0x00, 1), rig_mac[0]);
    CU_ASSERT_EQUAL(rd(&g, 0x52, 1), 0x0d);
    CU_ASSERT_EQUAL(rd(&g, 0x59, 2), 0);
    CU_ASSERT_EQUAL(rd(&g, 0x62, 2), 0x3100);
    wr(&g, 0xd8, 1, 0xff); /* CONFIG5 is never locked */
    CU_ASSERT_EQUAL(rd(&g, 0xd8, 1), 0x7f);
    wr(&g, 0x50, 1, RTL_EEM_CONFIG);
    wr(&g, 0x00, 4, 0x04030201);
    wr(&g, 0x04, 4, 0x08070605);
    wr(&g, 0x52, 1, 0xff);
    wr(&g, 0x59, 2, 0xffff);
    CU_ASSERT_EQUAL(rd(&g, 0x00, 8), 0x060504030201ull);
    CU_ASSERT_EQUAL(rd(&g, 0x52, 1), 0xfd);
    CU_ASSERT_EQUAL(rd(&g, 0x59, 2), 0xf770);
    CU_ASSERT_EQUAL(rd(&g, 0x51, 1), 0);
    /* PHY: forced to 10 Mb/s there is no partner to be heard of */
    wr(&g, 0x62, 2, 0x0100);
    CU_ASSERT_EQUAL(rd(&g, 0x68, 2), 0);
    CU_ASSERT_EQUAL(rd(&g, 0x58, 1) & 8, 8);
    wr(&g, 0x62, 2, 0x9000);
    CU_ASSERT_EQUAL(rd(&g, 0x62, 2), 0x3100);
    CU_ASSERT_EQUAL(rd(&g, 0x68, 2), 0x45e1);
    CU_ASSERT_EQUAL(rd(&g, 0x58, 1) & 8, 0);
    /* CR.RST leaves addresses and configuration alone */
    wr(&g, 0x08, 4, 0x11223344);
    wr(&g, 0x44, 4, 0xf);
    wr(&g, 0x37, 1, RTL_CR_RST);
    CU_ASSERT_EQUAL(rd(&g, 0x00, 4), 0x04030201);
    CU_ASSERT_EQUAL(rd(&g, 0x08, 4), 0x11223344);
    CU_ASSERT_EQUAL(rd(&g, 0x52, 1), 0xfd);
    CU_ASSERT_EQUAL(rd(&g, 0x44, 4), 0);
    g.d.model->reset(&g.d); /* RST# does not */
    rig_write(&g, NM_REGION_CONFIG, PCI_COMMAND, 2, 7);
    CU_ASSERT_EQUAL(rd(&g, 0x00, 1), rig_mac[0]);
    CU_ASSERT_EQUAL(rd(&g, 0x52, 1), 0x0d);
    rig_free(&g);
}

/* --- EEPROM, through 9346CR as drivers do it --- */

static void ee_bits(struct rig *g, uint32_t bits, unsigned n)
{
    while (n--) {
        uint8_t di = bits >> n & 1 ? RTL_9346_EEDI : 0;

        wr(g, 0x50, 1, RTL_EEM_PROGRAM | RTL_9346_EECS | di);
        wr(g, 0x50, 1, RTL_EEM_PROGRAM | RTL_9346_EECS | di | RTL_9346_EESK);
    }
    wr(g, 0x50, 1, RTL_EEM_PROGRAM | RTL_9346_EECS);
}

static void ee_instruct(struct rig *g, uint32_t bits, unsigned n)
{
    wr(g, 0x50, 1, RTL_EEM_PROGRAM);
    ee_bits(g, bits, n);
}

static uint16_t ee_read(struct rig *g, unsigned at, unsigned addr_len)
{
    uint16_t v = 0;

    ee_instruct(g, 6u << addr_len | at, 3 + addr_len);
    for (unsigned i = 0; i < 16; i++) {
        wr(g, 0x50, 1, RTL_EEM_PROGRAM | RTL_9346_EECS | RTL_9346_EESK);
        v = (uint16_t)(v << 1 | (rd(g, 0x50, 1) & RTL_9346_EEDO));
        wr(g, 0x50, 1, RTL_EEM_PROGRAM | RTL_9346_EECS);
    }
    wr(g, 0x50, 1, 0);
    return v;
}

static void test_eeprom(void)
{
    struct rig g;

    board_up(&g, "rtl8139cp");
    CU_ASSERT_NOT_EQUAL(ee_read(&g, 0, 8), 0x8129); /* else Linux took it for a 93C56 */
    CU_ASSERT_EQUAL(ee_read(&g, 0, 6), 0x8129);
    CU_ASSERT_EQUAL(ee_read(&g, 1, 6), 0x10ec);
    CU_ASSERT_EQUAL(ee_read(&g, 2, 6), 0x8139);
    for (unsigned i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(ee_read(&g, 7 + i, 6), rig_mac[2 * i] | rig_mac[2 * i + 1] << 8);
    ee_instruct(&g, 0x130, 9); /* EWEN */
    ee_instruct(&g, (0x140u | 9) << 16 | 0xbbaa, 25);
    wr(&g, 0x50, 1, 0);
    CU_ASSERT_EQUAL(ee_read(&g, 9, 6), 0xbbaa);
    CU_ASSERT_EQUAL(rd(&g, 0x04, 2), rig_mac[4] | (uint64_t)rig_mac[5] << 8);
    wr(&g, 0x50, 1, RTL_EEM_AUTOLOAD);
    CU_ASSERT_EQUAL(rd(&g, 0x50, 1) & RTL_9346_EEM, 0);
    CU_ASSERT_EQUAL(rd(&g, 0x04, 2), 0xbbaa);
    rig_free(&g);
}

/* --- timer --- */

static void test_timer(void)
{
    struct rig g;

    board_up(&g, "rtl8139");
    wr(&g, 0x3c, 2, RTL_ISR_TIMEOUT);
    CU_ASSERT_FALSE(g.d.model->pending(&g.d));
    g.ns = 12345678;
    wr(&g, 0x48, 4, 0xffff);
    CU_ASSERT_EQUAL(rd(&g, 0x48, 4), 0);
    g.ns += 1000000;
    CU_ASSERT_EQUAL(rd(&g, 0x48, 4), 33000);
    rig_poll(&g);
    CU_ASSERT_FALSE(g.level); /* TimerInt is 0: never */
    wr(&g, 0x54, 4, 66000);
    CU_ASSERT_TRUE(g.d.model->pending(&g.d));
    g.ns += 999999;
    rig_poll(&g);
    CU_ASSERT_FALSE(g.level);
    g.ns += 1;
    CU_ASSERT_EQUAL(rig_poll(&g), 1);
    CU_ASSERT_TRUE(g.level);
    CU_ASSERT_EQUAL(rd(&g, 0x3e, 2), RTL_ISR_TIMEOUT);
    wr(&g, 0x3e, 2, RTL_ISR_TIMEOUT);
    g.ns += 1000000000;
    rig_poll(&g);
    CU_ASSERT_FALSE(g.level); /* not before TCTR has gone all the way around */
    g.ns += (1ull << 32) * 1000 / 33;
    CU_ASSERT_EQUAL(rig_poll(&g), 1);
    CU_ASSERT_TRUE(g.level);
    wr(&g, 0x3e, 2, RTL_ISR_TIMEOUT);
    wr(&g, 0x48, 4, 0);
    g.ns += 2000000;
    CU_ASSERT_EQUAL(rig_poll(&g), 1);
    wr(&g, 0x54, 4, 0);
    CU_ASSERT_FALSE(g.d.model->pending(&g.d));
    /* a deadline from another machine's clock does not mean to wait for centuries */
    wr(&g, 0x54, 4, 66000);
    regs(&g)->timer_at = ~0ull;
    CU_ASSERT_EQUAL(rig_poll(&g), 1);
    rig_free(&g);
}

/* --- C mode: transmission --- */

static void test_transmit(void)
{
    uint8_t frame[200];
    const uint8_t *sent;
    struct rig g;
    size_t len;

    board_up(&g, "rtl8139");
    start_too(&g, RXCONFIG);
    for (unsigned i = 0; i < 9; i++) {
        unsigned n = i % 4, size = 60 + i * 3;

        make_frame(frame, size, other_mac);
        memcpy(mem_at(&g, MEM_TX + 2048 * n), frame, size);
        wr(&g, 0x10 + 4 * n, 4, 0x80000 | size);
        CU_ASSERT_EQUAL_FATAL(g.sent, i + 1);
        sent = last_frame(&g, &len);
        CU_ASSERT_EQUAL(len, size);
        CU_ASSERT_EQUAL(memcmp(sent, frame, size), 0);
        CU_ASSERT_EQUAL(rd(&g, 0x10 + 4 * n, 4), 0x80000 | size | RTL_TSD_OWN | RTL_TSD_TOK);
        CU_ASSERT_EQUAL(rd(&g, 0x60, 2) & (0x1001u << n), 0x1001u << n);
        CU_ASSERT_EQUAL(rd(&g, 0x3e, 2), RTL_ISR_TOK);
        wr(&g, 0x3e, 2, RTL_ISR_TOK);
        CU_ASSERT_FALSE(g.level);
    }
    rig_free(&g);
}

/* Descriptors leave in their order; what waits for TE or MASTER goes when it may. */
static void test_transmit_order(void)
{
    struct rig g;

    board_up(&g, "rtl8139");
    start_too(&g, RXCONFIG);
    wr(&g, 0x14, 4, 70);
    wr(&g, 0x18, 4, 80);
    CU_ASSERT_EQUAL(g.sent, 0);
    wr(&g, 0x10, 4, 60);
    CU_ASSERT_EQUAL(g.sent, 3);
    CU_ASSERT_EQUAL(g.len[0], 60);
    CU_ASSERT_EQUAL(g.len[1], 70);
    CU_ASSERT_EQUAL(g.len[2], 80);
    wr(&g, 0x37, 1, RTL_CR_RE); /* the next one is the first one again */
    wr(&g, 0x10, 4, 61);
    CU_ASSERT_EQUAL(g.sent, 3);
    wr(&g, 0x37, 1, RTL_CR_RE | RTL_CR_TE);
    CU_ASSERT_EQUAL(g.sent, 4);
    rig_write(&g, NM_REGION_CONFIG, PCI_COMMAND, 2, PCI_COMMAND_MEM);
    wr(&g, 0x14, 4, 62);
    CU_ASSERT_EQUAL(g.sent, 4);
    rig_write(&g, NM_REGION_CONFIG, PCI_COMMAND, 2, PCI_COMMAND_MEM | PCI_COMMAND_MASTER);
    CU_ASSERT_EQUAL(g.sent, 5);
    rig_free(&g);
}

static void test_transmit_odd(void)
{
    const uint8_t *sent;
    struct rig g;
    size_t len;

    board_up(&g, "rtl8139");
    start_too(&g, RXCONFIG);
    wr(&g, 0x10, 4, 1792); /* longer than a frame can be: cut off */
    sent = last_frame(&g, &len);
    CU_ASSERT_EQUAL(len, NM_MAX_FRAME);
    wr(&g, 0x14, 4, 5); /* no frame at all: nobody hears of it */
    CU_ASSERT_EQUAL(g.sent, 1);
    CU_ASSERT_EQUAL(rd(&g, 0x14, 4), 5 | RTL_TSD_OWN | RTL_TSD_TOK);
    wr(&g, 0x28, 4, 0x10); /* no memory there */
    wr(&g, 0x18, 4, 60);
    CU_ASSERT_EQUAL(g.sent, 1);
    CU_ASSERT_EQUAL(rd(&g, 0x18, 4) & (RTL_TSD_TABT | RTL_TSD_OWN), RTL_TSD_TABT | RTL_TSD_OWN);
    CU_ASSERT_EQUAL(rd(&g, 0x3e, 2), RTL_ISR_SERR | RTL_ISR_TER | RTL_ISR_TOK);
    CU_ASSERT_EQUAL(rig_read(&g, NM_REGION_CONFIG, PCI_STATUS, 2) & 0x2000, 0x2000);
    rig_write(&g, NM_REGION_CONFIG, PCI_STATUS, 2, 0x2000);
    CU_ASSERT_EQUAL(rig_read(&g, NM_REGION_CONFIG, PCI_STATUS, 2) & 0x2000, 0);
    wr(&g, 0x2c, 4, RIG_MEM + MEM_SIZE - 30); /* only half of it */
    wr(&g, 0x1c, 4, 60);
    CU_ASSERT_EQUAL(g.sent, 1);
    wr(&g, 0x40, 4, 0x03000600 | RTL_TCR_CRC); /* the host's own FCS does not reach the receiver */
    wr(&g, 0x10, 4, 64);
    CU_ASSERT_EQUAL(g.sent, 2);
    sent = last_frame(&g, &len);
    CU_ASSERT_EQUAL(len, 60);
    (void)sent;
    rig_free(&g);
}

/* --- C mode: reception --- */

/* What 8139too does with a packet. @return bytes without FCS, copied to `to`; 0: the ring is empty
 */
static size_t ring_take(struct rig *g, uint32_t *cur, uint32_t size, bool over, uint8_t *to,
                        uint16_t *status)
{
    uint32_t at = *cur % size, len, fcs, want;
    uint8_t packet[2048];

    if (rd(g, 0x37, 1) & RTL_CR_BUFE)
        return 0;
    memcpy(packet, mem_at(g, MEM_RING + at), 4);
    memcpy(status, packet, 2);
    len = packet[2] | (uint32_t)packet[3] << 8;
    CU_ASSERT_TRUE_FATAL(len >= 64 && len <= 1522);
    for (uint32_t i = 0; i < len; i++)
        packet[i] = *mem_at(g, MEM_RING + (over ? at + 4 + i : (at + 4 + i) % size));
    memcpy(&fcs, packet + len - 4, 4);
    want = nm_crc32(0, packet, len - 4);
    CU_ASSERT_EQUAL(fcs, want);
    memcpy(to, packet, len - 4);
    *cur = (*cur + len + 4 + 3) & ~3u;
    wr(g, 0x38, 2, (uint16_t)(*cur - 16));
    return len - 4;
}

/* Ring sizes, with and without wrapping, many times around. */
static void test_receive(void)
{
    for (unsigned kind = 0; kind < 8; kind++) {
        uint32_t size = 8192u << kind / 2, cur = 0;
        bool over = kind & 1 && size < 65536;
        uint8_t frame[1518], got[2048];
        uint16_t status;
        struct rig g;

        board_up(&g, "rtl8139");
        start_too(&g, RXCONFIG | kind / 2 << 11 | (kind & 1 ? RTL_RCR_WRAP : 0));
        for (unsigned i = 0; i < 400; i++) {
            size_t len = 60 + i * 37 % 1459;

            make_frame(frame, len, i & 1 ? rig_mac : broadcast);
            CU_ASSERT_TRUE_FATAL(g.d.model->can_receive(&g.d, len));
            rig_receive(&g, frame, len);
            CU_ASSERT_EQUAL(rd(&g, 0x3e, 2), RTL_ISR_ROK);
            CU_ASSERT_TRUE(g.level);
            wr(&g, 0x3e, 2, RTL_ISR_ROK);
            CU_ASSERT_EQUAL_FATAL(ring_take(&g, &cur, size, over, got, &status), len);
            CU_ASSERT_EQUAL(memcmp(got, frame, len), 0);
            CU_ASSERT_EQUAL(status, i & 1 ? 0x4001 : 0x2001);
            CU_ASSERT_EQUAL(rd(&g, 0x3a, 2), cur % size);
        }
        CU_ASSERT_EQUAL(ring_take(&g, &cur, size, over, got, &status), 0);
        rig_free(&g);
    }
}

static void test_short_frames_are_padded(void)
{
    uint8_t frame[20], got[2048];
    uint32_t cur = 0;
    uint16_t status;
    struct rig g;

    board_up(&g, "rtl8139");
    start_too(&g, RXCONFIG);
    make_frame(frame, 20, broadcast);
    rig_receive(&g, frame, 20);
    CU_ASSERT_EQUAL(ring_take(&g, &cur, 8192, false, got, &status), 60);
    CU_ASSERT_EQUAL(memcmp(got, frame, 20), 0);
    for (unsigned i = 20; i < 60; i++)
        CU_ASSERT_EQUAL(got[i], 0);
    rig_receive(&g, frame, 3);
    rig_receive(&g, frame, 0);
    CU_ASSERT_EQUAL(ring_take(&g, &cur, 8192, false, got, &status), 0);
    rig_free(&g);
}

static bool accepts(struct rig *g, uint32_t rcr, const uint8_t *dst)
{
    uint32_t before = (uint32_t)rd(g, 0x3a, 2);
    uint8_t frame[60];

    wr(g, 0x44, 4, rcr);
    make_frame(frame, sizeof(frame), dst);
    rig_receive(g, frame, sizeof(frame));
    return rd(g, 0x3a, 2) != before;
}

static void test_filter(void)
{
    static const uint8_t group[6] = {0x01, 0x00, 0x5e, 0x00, 0x00, 0x01};
    unsigned hash = nm_multicast_hash(group);
    struct rig g;

    board_up(&g, "rtl8139");
    start_too(&g, 0);
    CU_ASSERT_FALSE(accepts(&g, 0, rig_mac));
    CU_ASSERT_FALSE(accepts(&g, RTL_RCR_AB | RTL_RCR_AM, rig_mac));
    CU_ASSERT_TRUE(accepts(&g, RTL_RCR_APM, rig_mac));
    CU_ASSERT_TRUE(accepts(&g, RTL_RCR_AAP, rig_mac));
    CU_ASSERT_FALSE(accepts(&g, RTL_RCR_APM, other_mac));
    CU_ASSERT_TRUE(accepts(&g, RTL_RCR_AAP, other_mac));
    CU_ASSERT_FALSE(accepts(&g, RTL_RCR_AAP | RTL_RCR_AM, broadcast));
    CU_ASSERT_TRUE(accepts(&g, RTL_RCR_AB, broadcast));
    CU_ASSERT_FALSE(accepts(&g, RTL_RCR_AM, group));
    for (unsigned i = 0; i < 64; i++) { /* exactly one bit lets it in */
        wr(&g, 0x08, 8, 1ull << i);
        CU_ASSERT_EQUAL(accepts(&g, RTL_RCR_AM, group), i == hash);
    }
    wr(&g, 0x08, 8, ~0ull);
    CU_ASSERT_FALSE(accepts(&g, RTL_RCR_AB | RTL_RCR_APM, group));
    wr(&g, 0x37, 1, RTL_CR_TE);
    CU_ASSERT_FALSE(accepts(&g, RTL_RCR_AAP, rig_mac));
    CU_ASSERT_TRUE(g.d.model->can_receive(&g.d, 1518)); /* it would be dropped at once */
    rig_free(&g);
}

static void test_overflow(void)
{
    uint8_t frame[1000], got[2048];
    uint16_t status;
    uint32_t cur = 0;
    unsigned n = 0;
    struct rig g;

    board_up(&g, "rtl8139");
    start_too(&g, RXCONFIG);
    make_frame(frame, sizeof(frame), broadcast);
    for (; g.d.model->can_receive(&g.d, sizeof(frame)); n++)
        rig_receive(&g, frame, sizeof(frame));
    CU_ASSERT_EQUAL(n, 8191 / 1008);
    wr(&g, 0x3e, 2, RTL_ISR_ROK);
    CU_ASSERT_FALSE(g.level);
    g.d.model->waiting(&g.d); /* the guest has acknowledged, but not looked */
    CU_ASSERT_TRUE(g.level);
    CU_ASSERT_EQUAL(rd(&g, 0x3e, 2), RTL_ISR_ROK);
    wr(&g, 0x3e, 2, RTL_ISR_ROK);
    CU_ASSERT_EQUAL(rd(&g, 0x4c, 4), 0);
    rig_receive(&g, frame, sizeof(frame)); /* a runner that cannot keep it waiting */
    CU_ASSERT_EQUAL(rd(&g, 0x3e, 2), RTL_ISR_RXOVW);
    CU_ASSERT_EQUAL(rd(&g, 0x4c, 4), 1);
    wr(&g, 0x4c, 4, 0);
    CU_ASSERT_EQUAL(rd(&g, 0x4c, 4), 0);
    while (ring_take(&g, &cur, 8192, false, got, &status))
        n--;
    CU_ASSERT_EQUAL(n, 0);
    CU_ASSERT_TRUE(g.d.model->can_receive(&g.d, sizeof(frame)));
    /* a ring that is exactly full would look empty: 8192 = 8 * 1024 */
    start_too(&g, RXCONFIG);
    for (n = 0; g.d.model->can_receive(&g.d, 1016); n++) {
        uint8_t big[1016];

        make_frame(big, sizeof(big), broadcast);
        rig_receive(&g, big, sizeof(big));
    }
    CU_ASSERT_EQUAL(n, 7);
    CU_ASSERT_EQUAL(rd(&g, 0x37, 1) & RTL_CR_BUFE, 0);
    rig_free(&g);
}

static void test_no_memory_to_receive_into(void)
{
    uint8_t frame[100];
    struct rig g;

    board_up(&g, "rtl8139");
    start_too(&g, RXCONFIG);
    make_frame(frame, sizeof(frame), broadcast);
    wr(&g, 0x30, 4, RIG_MEM + MEM_SIZE - 8);
    rig_receive(&g, frame, sizeof(frame));
    CU_ASSERT_TRUE(rd(&g, 0x3e, 2) & RTL_ISR_SERR);
    CU_ASSERT_EQUAL(rd(&g, 0x37, 1) & RTL_CR_BUFE, RTL_CR_BUFE);
    rig_free(&g);
}

static void test_loopback(void)
{
    uint8_t got[2048];
    uint16_t status;
    uint32_t cur = 0;
    struct rig g;

    board_up(&g, "rtl8139");
    start_too(&g, RXCONFIG);
    wr(&g, 0x40, 4, 0x03000600 | RTL_TCR_LBK);
    make_frame(mem_at(&g, MEM_TX), 100, rig_mac);
    wr(&g, 0x10, 4, 100);
    CU_ASSERT_EQUAL(g.sent, 0);
    CU_ASSERT_EQUAL(rd(&g, 0x3e, 2), RTL_ISR_TOK | RTL_ISR_ROK);
    CU_ASSERT_EQUAL(ring_take(&g, &cur, 8192, false, got, &status), 100);
    CU_ASSERT_EQUAL(memcmp(got, mem_at(&g, MEM_TX), 100), 0);
    rig_free(&g);
}

/* Each element of a string write waits for the commit of the one before. */
static void test_strings(void)
{
    uint32_t values[4] = {60, 61, 62, 63}, read[4];
    struct nm_access a = {.offset = 0x10, .count = 4, .region = 1, .size = 4, .write = true};
    struct rig g;

    board_up(&g, "rtl8139");
    start_too(&g, RXCONFIG);
    g.d.changed = false;
    a.mem = (uint8_t *)values;
    CU_ASSERT_EQUAL(g.d.model->access(&g.d, &a), NM_DONE);
    CU_ASSERT_EQUAL(a.done_count, 1);
    CU_ASSERT_EQUAL(g.sent, 1);
    CU_ASSERT_EQUAL(g.len[0], 60);
    CU_ASSERT_EQUAL(g.d.model->access(&g.d, &a), NM_DONE);
    CU_ASSERT_EQUAL(a.done_count, 0);
    a.write = false;
    a.mem = (uint8_t *)read;
    CU_ASSERT_EQUAL(g.d.model->access(&g.d, &a), NM_DONE);
    CU_ASSERT_EQUAL(a.done_count, 4);
    CU_ASSERT_EQUAL(read[3], rd(&g, 0x10, 4));
    rig_free(&g);
}

/* --- states from outside --- */

static void test_refused_registers(void)
{
    static const struct {
        size_t at;
        uint8_t value;
    } bad[] = {
        {offsetof(struct rtl8139_regs, tx_next), 4},
        {offsetof(struct rtl8139_regs, rx.next), 64},
        {offsetof(struct rtl8139_regs, rx.notes.count), RTL8139_RX_NOTES + 1},
        {offsetof(struct rtl8139_regs, rx.notes.first), 64},
        {offsetof(struct rtl8139_regs, rx.notes.epoch) + 3, 1},
        {offsetof(struct rtl8139_regs, tx[1].next), 64},
        {offsetof(struct rtl8139_regs, tx[0].notes.count), 65},
        {offsetof(struct rtl8139_regs, tx[0].notes.first), 255},
        {offsetof(struct rtl8139_regs, ee.next), 64},
        {offsetof(struct rtl8139_regs, pci), 0},
        {0x37, 0xff},
        {0x5e, 0x11},
        {0x3d, 0xff},
    };
    const char *why;
    struct rig g;

    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        board_up(&g, "rtl8139cp");
        CU_ASSERT_EQUAL(g.d.model->validate(&g.d, &why), 0);
        ((uint8_t *)g.d.regs)[bad[i].at] = bad[i].value;
        why = NULL;
        CU_ASSERT_EQUAL(g.d.model->validate(&g.d, &why), -EPROTO);
        CU_ASSERT_PTR_NOT_NULL(why);
        rig_free(&g);
    }
}

static void test_parameters(void)
{
    struct nm_params group = {.mac = {1, 2, 3, 4, 5, 6}};
    const char *why = NULL;
    struct rig g;

    CU_ASSERT_EQUAL(rig_init(&g, nm_model_find("rtl8139"), &group, &why), -EINVAL);
    CU_ASSERT_PTR_NOT_NULL(why);
    rig_free(&g);
}

const struct cu_test suite_tests[] = {
    {"PCI", test_pci},
    {"INTA#, power states", test_interrupt_pin},
    {"values after a reset", test_reset_values},
    {"sizes of accesses", test_access_sizes},
    {"what 9346CR locks", test_config_lock},
    {"EEPROM", test_eeprom},
    {"timer", test_timer},
    {"transmission", test_transmit},
    {"transmission: order", test_transmit_order},
    {"transmission: odd lengths and places", test_transmit_odd},
    {"reception", test_receive},
    {"reception: short frames", test_short_frames_are_padded},
    {"reception: address filter", test_filter},
    {"reception: full ring", test_overflow},
    {"reception: no memory", test_no_memory_to_receive_into},
    {"loopback", test_loopback},
    {"strings", test_strings},
    {"registers that are refused", test_refused_registers},
    {"parameters", test_parameters},
    {NULL, NULL},
};
