/* SPDX-License-Identifier: BSD-3-Clause */
/* The boards NE2000 and RTL8029 as a guest and a runner see them. */
#include <errno.h>

#include "cu_main.h"
#include "ne2000_rig.h"

const char *const suite_name = "ne2000";

/* The sequence of Linux's NE2000 probe and start: reset, PROM, stop, configure, start. */
static void driver_probe(struct rig *g, uint8_t dcr, uint8_t prom[32])
{
    outb(g, RESET, inb(g, RESET));
    CU_ASSERT_TRUE(inb(g, PG0R_ISR) & ISR_RST);
    outb(g, PG0W_ISR, 0xff);
    outb(g, DP8390_CR, CR_RD2 | CR_STP);
    outb(g, PG0W_DCR, dcr);
    outb(g, PG0W_RBCR0, 0);
    outb(g, PG0W_RBCR1, 0);
    outb(g, PG0W_IMR, 0);
    outb(g, PG0W_ISR, 0xff);
    outb(g, PG0W_RCR, RCR_MON);
    outb(g, PG0W_TCR, TCR_LB0);
    remote(g, 0, 32, CR_RD0);
    for (unsigned i = 0; i < 32; i++)
        prom[i] = inb(g, DATA);
}

static void test_probe_isa(void)
{
    uint8_t prom[32];
    struct rig g;

    board_up(&g, "ne2000");
    driver_probe(&g, DCR_LS | 0x40, prom); /* byte mode shows each byte twice: a 16-bit board */
    for (unsigned i = 0; i < 6; i++)
        CU_ASSERT_TRUE(prom[2 * i] == rig_mac[i] && prom[2 * i + 1] == rig_mac[i]);
    for (unsigned i = 28; i < 32; i++)
        CU_ASSERT_EQUAL(prom[i], 0x57);
    rig_free(&g);
}

static void test_probe_pci(void)
{
    uint8_t prom[32];
    struct rig g;

    board_up(&g, "rtl8029");
    driver_probe(&g, DCR_WTS | DCR_LS | 0x40, prom); /* word mode, bytes read: one of each pair */
    CU_ASSERT_EQUAL(memcmp(prom, rig_mac, 6), 0);
    CU_ASSERT_EQUAL(prom[14], 0x57);
    CU_ASSERT_EQUAL(prom[15], 0x57);
    CU_ASSERT_EQUAL(inb(&g, 0x0a), 0x50);
    CU_ASSERT_EQUAL(inb(&g, 0x0b), 0x43);
    rig_free(&g);
}

/* A datagram out and one in, with interrupts, as a driver does it. */
static void send_and_receive(const char *name)
{
    uint8_t frame[600], got[608];
    struct rig g;

    board_up(&g, name);
    driver_start(&g);
    for (unsigned i = 0; i < sizeof(frame); i++)
        frame[i] = (uint8_t)i;
    memcpy(frame, rig_mac, 6);
    remote(&g, TX_PAGE * 256, sizeof(frame), CR_RD1);
    CU_ASSERT_EQUAL(rig_string(&g, DATA, 2, sizeof(frame) / 2, frame, true, false), 300);
    CU_ASSERT_EQUAL(inb(&g, PG0R_ISR), ISR_RDC);
    outb(&g, PG0W_ISR, ISR_RDC);
    outb(&g, PG0W_TBCR0, sizeof(frame) & 0xff);
    outb(&g, PG0W_TBCR1, sizeof(frame) >> 8);
    outb(&g, DP8390_CR, CR_RD2 | CR_STA | CR_TXP);
    CU_ASSERT_TRUE(g.level);
    CU_ASSERT_EQUAL(g.len[0], sizeof(frame));
    CU_ASSERT_EQUAL(memcmp(g.frame[0], frame, sizeof(frame)), 0);
    outb(&g, PG0W_ISR, ISR_PTX);
    CU_ASSERT_FALSE(g.level);
    CU_ASSERT_TRUE(g.d.model->can_receive(&g.d, sizeof(frame)));
    g.d.model->receive(&g.d, frame, sizeof(frame));
    CU_ASSERT_TRUE(g.level);
    remote(&g, RX_START * 256, sizeof(got), CR_RD0);
    CU_ASSERT_EQUAL(rig_string(&g, DATA, 4, sizeof(got) / 4, got, false, false), 152);
    CU_ASSERT_EQUAL(got[1], RX_START + 3);
    CU_ASSERT_EQUAL(memcmp(got + 4, frame, sizeof(frame)), 0);
    outb(&g, PG0W_BNRY, got[1] - 1);
    outb(&g, PG0W_ISR, ISR_PRX | ISR_RDC);
    CU_ASSERT_FALSE(g.level);
    rig_free(&g);
}

static void test_traffic(void)
{
    send_and_receive("ne2000");
    send_and_receive("rtl8029");
}

/* --- the window --- */

static void test_wide_register_access(void)
{
    struct rig g;

    board_up(&g, "ne2000");
    outb(&g, DP8390_CR, CR_RD2 | CR_PS0 | CR_STP);
    rig_write(&g, 0, 1, 4, 0x44332211);
    CU_ASSERT_EQUAL(rig_read(&g, 0, 1, 4), 0x44332211);
    CU_ASSERT_EQUAL(inb(&g, 3), 0x33);
    CU_ASSERT_EQUAL(rig_read(&g, 0, 2, 2), 0x3322);
    rig_write(&g, 0, 8, 8, 0x8877665544332211);
    CU_ASSERT_EQUAL(rig_read(&g, 0, 8, 8), 0x8877665544332211);
    /* side effects in order, lowest port first: the page changes, then a register of it */
    rig_write(&g, 0, 0, 2, (CR_RD2 | CR_STP) | 0x5500);
    outb(&g, DP8390_CR, CR_RD2 | CR_PS1 | CR_STP);
    CU_ASSERT_EQUAL(inb(&g, PG2R_PSTART), 0x55);
    rig_free(&g);
}

static void test_window_ends(void)
{
    struct rig g;

    board_up(&g, "ne2000");
    CU_ASSERT_EQUAL(rig_read(&g, 0, 0x20, 1), ~0ull);
    CU_ASSERT_EQUAL(rig_write(&g, 0, 0x20, 1, 0), NM_UNCLAIMED);
    CU_ASSERT_EQUAL(rig_write(&g, 0, ~0ull, 1, 0), NM_UNCLAIMED);
    CU_ASSERT_EQUAL(rig_write(&g, 1, 0, 1, 0), NM_UNCLAIMED);
    CU_ASSERT_EQUAL(rig_read(&g, NM_REGION_CONFIG, 0, 4), ~0ull);
    CU_ASSERT_EQUAL(rig_read(&g, 0, 0x1f, 2), 0xffff);
    CU_ASSERT_EQUAL(rig_read(&g, 0, 0x1c, 8), ~0ull);
    rig_free(&g);
}

/* Every port of the reset range, by reading and by writing. */
static void test_reset_port(void)
{
    struct rig g;

    board_up(&g, "ne2000");
    for (unsigned port = 0x18; port < 0x20; port++)
        for (unsigned write = 0; write < 2; write++) {
            driver_start(&g);
            CU_ASSERT_EQUAL(inb(&g, PG0R_ISR), 0);
            if (write)
                outb(&g, port, 0);
            else
                CU_ASSERT_EQUAL(inb(&g, port), 0xff);
            CU_ASSERT_EQUAL(inb(&g, PG0R_ISR), ISR_RST);
            CU_ASSERT_EQUAL(inb(&g, DP8390_CR), CR_RD2 | CR_STP);
        }
    rig_free(&g);
}

/* 32-bit accesses at the data port are two words; any of its eight ports will do. */
static void test_data_port_sizes(void)
{
    struct rig g;

    board_up(&g, "rtl8029");
    driver_start(&g);
    remote(&g, 0x4000, 16, CR_RD1);
    rig_write(&g, 0, DATA, 4, 0x44332211);
    rig_write(&g, 0, DATA + 4, 4, 0x88776655);
    rig_write(&g, 0, DATA + 6, 2, 0xaa99);
    rig_write(&g, 0, DATA, 1, 0xbb);       /* a byte in word mode: a whole word */
    rig_write(&g, 0, DATA + 1, 2, 0xddcc); /* at an odd port: two bus cycles of a byte each */
    remote(&g, 0x4000, 16, CR_RD0);
    CU_ASSERT_EQUAL(rig_read(&g, 0, DATA, 8), 0x8877665544332211);
    CU_ASSERT_EQUAL(rig_read(&g, 0, DATA, 2), 0xaa99);
    CU_ASSERT_EQUAL(rig_read(&g, 0, DATA, 2), 0x00bb);
    CU_ASSERT_EQUAL(rig_read(&g, 0, DATA, 1), 0xcc);
    CU_ASSERT_EQUAL(rig_read(&g, 0, DATA, 1), 0xdd);
    CU_ASSERT_EQUAL(inb(&g, PG0R_ISR), ISR_RDC);
    /* byte mode: a 32-bit access is four bytes */
    outb(&g, PG0W_DCR, DCR_LS);
    remote(&g, 0x4001, 4, CR_RD0);
    CU_ASSERT_EQUAL(rig_read(&g, 0, DATA, 4), 0x55443322);
    /* and one that runs from the data port into the reset port does both */
    remote(&g, 0x4000, 8, CR_RD0);
    CU_ASSERT_EQUAL(rig_read(&g, 0, 0x17, 2), 0xff11);
    CU_ASSERT_EQUAL(inb(&g, PG0R_ISR), ISR_RST);
    rig_free(&g);
}

/* --- parameters, states, registry --- */

static int init_with(const struct nm_params *p, const char **why)
{
    struct rig g;
    int err = rig_init(&g, nm_model_find("ne2000"), p, why);

    rig_free(&g);
    return err;
}

static void test_parameters(void)
{
    struct nm_params p = {.mac = {2, 0, 0, 0, 0, 1}};
    const char *why = NULL;
    struct nm_params bad;

    CU_ASSERT_EQUAL(init_with(&p, &why), 0);
    bad = p;
    bad.mac[0] = 3;
    CU_ASSERT_EQUAL(init_with(&bad, &why), -EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "mac"));
    memset(bad.mac, 0, 6);
    CU_ASSERT_EQUAL(init_with(&bad, &why), -EINVAL);
    bad = p;
    bad.io_base = 0x301;
    CU_ASSERT_EQUAL(init_with(&bad, &why), -EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "io_base"));
    bad = p;
    bad.mmio_base = 0xfed00010;
    CU_ASSERT_EQUAL(init_with(&bad, &why), -EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "mmio_base"));
    bad = p;
    bad.irq = 16;
    CU_ASSERT_EQUAL(init_with(&bad, &why), -EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "irq"));
}

static void test_windows_isa(void)
{
    struct nm_params p = {
        .mac = {2, 0, 0, 0, 0, 1}, .io_base = 0x280, .irq = 5, .mmio_base = 0xfed00000};
    struct nm_window w[NM_MAX_REGIONS];
    const char *why;
    struct rig g;

    board_up(&g, "ne2000");
    CU_ASSERT_EQUAL(g.d.model->windows(&g.d, w, NM_MAX_REGIONS), 1);
    CU_ASSERT_EQUAL(w[0].base, 0x300);
    CU_ASSERT_EQUAL(w[0].space, NM_SPACE_PIO);
    CU_ASSERT_EQUAL(w[0].size, 32);
    rig_free(&g);
    CU_ASSERT_EQUAL(rig_init(&g, nm_model_find("ne2000"), &p, &why), 0);
    CU_ASSERT_EQUAL(g.d.model->windows(&g.d, w, 1), 1);
    CU_ASSERT_EQUAL(g.d.model->windows(&g.d, w, NM_MAX_REGIONS), 2);
    CU_ASSERT_EQUAL(w[0].base, 0x280);
    CU_ASSERT_EQUAL(w[1].base, 0xfed00000);
    CU_ASSERT_EQUAL(w[1].space, NM_SPACE_MMIO);
    CU_ASSERT_EQUAL(w[1].region, 0);
    rig_free(&g);
}

static void test_refused_images(void)
{
    const char *why = NULL;
    struct rig g, r;
    size_t size;
    uint8_t *image, *bad;

    board_up(&g, "ne2000");
    board_up(&r, "rtl8029");
    size = nm_save_size(&g.d);
    image = malloc(size);
    bad = malloc(size);
    CU_ASSERT_EQUAL(nm_save(&g.d, image, size - 1), -ENOSPC);
    CU_ASSERT_EQUAL(nm_save(&g.d, image, size), (long)size);
    CU_ASSERT_EQUAL(nm_load(&r.d, image, size, &why), -EPROTO);
    CU_ASSERT_EQUAL(nm_load(&g.d, image, size - 1, &why), -EPROTO);
    for (unsigned i = 0; i < 56; i++) { /* any bit of the header */
        memcpy(bad, image, size);
        bad[i] ^= 0x10;
        why = NULL;
        CU_ASSERT_EQUAL(nm_load(&g.d, bad, size, &why), -EPROTO);
        CU_ASSERT_PTR_NOT_NULL(why);
    }
    memcpy(bad, image, size); /* registers validate refuses; nothing of it is taken over */
    bad[56 + offsetof(struct dp8390, rdma)] = 0xff;
    bad[size - 1] ^= 1;
    CU_ASSERT_EQUAL(nm_load(&g.d, bad, size, &why), -EPROTO);
    CU_ASSERT_EQUAL(nm_save(&g.d, bad, size), (long)size);
    CU_ASSERT_EQUAL(memcmp(bad, image, size), 0);
    CU_ASSERT_EQUAL(nm_load(&g.d, image, size, &why), 0);
    free(image);
    free(bad);
    rig_free(&g);
    rig_free(&r);
}

/* Registers from outside that no device could have come to. */
static void test_refused_registers(void)
{
    struct bad {
        size_t at;
        uint8_t value;
    } bad[] = {
        {offsetof(struct dp8390, fifo_next), 8},
        {offsetof(struct dp8390, rdma), 4},
        {offsetof(struct dp8390, running), 2},
        {offsetof(struct dp8390, running), 1}, /* with STP */
        {offsetof(struct dp8390, tx_off), 0xff},
        {offsetof(struct dp8390, cntr), 193},
        {offsetof(struct dp8390, cntr) + 2, 255},
        {offsetof(struct dp8390, cr), CR_TXP},
        {sizeof(struct dp8390), 1},      /* mmio_base */
        {sizeof(struct dp8390) + 8, 1},  /* io_base */
        {sizeof(struct dp8390) + 10, 0}, /* irq */
    };
    const char *why;
    struct rig g;

    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        board_up(&g, "ne2000");
        ((uint8_t *)g.d.regs)[bad[i].at] = bad[i].value;
        why = NULL;
        CU_ASSERT_EQUAL(g.d.model->validate(&g.d, &why), -EPROTO);
        CU_ASSERT_PTR_NOT_NULL(why);
        rig_free(&g);
    }
}

static void test_registry(void)
{
    unsigned n = 0;

    for (const struct nm_model *m; (m = nm_model_at(n)); n++) {
        CU_ASSERT_PTR_EQUAL(nm_model_find(m->name), m);
        CU_ASSERT_TRUE(m->regs_size <= NM_MAX_REGS);
        CU_ASSERT_TRUE(m->ncells <= NM_MAX_CELLS);
        CU_ASSERT_TRUE(strlen(m->name) < 32);
    }
    CU_ASSERT_TRUE(n >= 2);
    CU_ASSERT_PTR_NULL(nm_model_find("ne3000"));
}

/* --- RTL8029's own --- */

static void rtl_page(struct rig *g, unsigned page)
{
    outb(g, DP8390_CR, (uint8_t)(page << 6 | CR_RD2 | CR_STP));
}

static void test_rtl8029_page3(void)
{
    struct rig g;

    board_up(&g, "rtl8029");
    rtl_page(&g, 3);
    CU_ASSERT_EQUAL(inb(&g, 0x0e), 0x29);
    CU_ASSERT_EQUAL(inb(&g, 0x0f), 0x80);
    CU_ASSERT_EQUAL(inb(&g, 0x03), 0);
    CU_ASSERT_EQUAL(inb(&g, 0x02), 0xff);
    outb(&g, 0x05, 0xff);
    outb(&g, 0x06, 0xff);
    CU_ASSERT_EQUAL(inb(&g, 0x05), 0); /* locked */
    CU_ASSERT_EQUAL(inb(&g, 0x06), 0);
    outb(&g, 0x01, 0xc0);
    outb(&g, 0x05, 0xff);
    outb(&g, 0x06, 0xff);
    CU_ASSERT_EQUAL(inb(&g, 0x05), 0xe0);
    CU_ASSERT_EQUAL(inb(&g, 0x06), 0x46);
    outb(&g, 0x01, 0x8e);
    CU_ASSERT_EQUAL(inb(&g, 0x01), 0x8f); /* EEDO: no EEPROM pulls it down */
    outb(&g, 0x01, 0x40);
    CU_ASSERT_EQUAL(inb(&g, 0x01), 0x01); /* auto-load is over at once */
    outb(&g, 0x05, 0);
    CU_ASSERT_EQUAL(inb(&g, 0x05), 0xe0);
    rig_free(&g);
}

static void test_rtl8029_reserved_bits(void)
{
    struct rig g;

    board_up(&g, "rtl8029");
    rtl_page(&g, 0);
    outb(&g, PG0W_RCR, 0);
    outb(&g, PG0W_TCR, 0);
    outb(&g, PG0W_DCR, 0);
    CU_ASSERT_EQUAL(inb(&g, PG0R_TSR) & 0x22, 0x02);
    rtl_page(&g, 2);
    CU_ASSERT_EQUAL(inb(&g, PG2R_RCR), 0xc0);
    CU_ASSERT_EQUAL(inb(&g, PG2R_TCR), 0xe0);
    CU_ASSERT_EQUAL(inb(&g, PG2R_DCR), 0x80);
    rig_free(&g);
}

static void test_rtl8029_memory(void)
{
    uint8_t buf[64];
    struct rig g;

    board_up(&g, "rtl8029");
    outb(&g, PG0W_DCR, DCR_WTS | DCR_LS);
    outb(&g, PG0W_PSTOP, 0xff);
    memset(buf, 0x5c, sizeof(buf));
    remote(&g, 0xbfe0, 64, CR_RD1); /* the last 32 bytes, and beyond */
    rig_string(&g, DATA, 2, 32, buf, true, false);
    remote(&g, 0xbfe0, 64, CR_RD0);
    rig_string(&g, DATA, 2, 32, buf, false, false);
    CU_ASSERT_EQUAL(buf[31], 0x5c);
    CU_ASSERT_EQUAL(buf[32], 0xff);
    rig_free(&g);
}

static void test_rtl8029_decode(void)
{
    struct nm_window w[NM_MAX_REGIONS];
    uint64_t cell[NM_MAX_CELLS];
    const char *why;
    struct rig g;

    CU_ASSERT_EQUAL(rig_init(&g, nm_model_find("rtl8029"), NULL, &why), 0);
    CU_ASSERT_EQUAL(rig_read(&g, NM_REGION_CONFIG, 0, 4), 0x802910ec);
    CU_ASSERT_EQUAL(rig_read(&g, NM_REGION_CONFIG, 8, 4), 0x02000000);
    CU_ASSERT_EQUAL(rig_read(&g, NM_REGION_CONFIG, 0x3c, 2), 0x0100);
    CU_ASSERT_EQUAL(rig_write(&g, 0, 0, 1, 0), NM_UNCLAIMED);
    CU_ASSERT_EQUAL(g.d.model->publish(&g.d, cell), 0);
    CU_ASSERT_EQUAL(g.d.model->windows(&g.d, w, NM_MAX_REGIONS), 1);
    CU_ASSERT_EQUAL(w[0].space, NM_SPACE_NONE);
    CU_ASSERT_EQUAL(w[0].size, 32);
    rig_write(&g, NM_REGION_CONFIG, PCI_BAR0, 4, 0xffffffff);
    CU_ASSERT_EQUAL(rig_read(&g, NM_REGION_CONFIG, PCI_BAR0, 4), 0xffffffe1);
    rig_write(&g, NM_REGION_CONFIG, PCI_COMMAND, 2, PCI_COMMAND_IO);
    g.d.model->windows(&g.d, w, NM_MAX_REGIONS);
    CU_ASSERT_EQUAL(w[0].space, NM_SPACE_NONE); /* no port has that number */
    rig_write(&g, NM_REGION_CONFIG, PCI_BAR0, 4, 0xc000);
    g.d.model->windows(&g.d, w, NM_MAX_REGIONS);
    CU_ASSERT_EQUAL(w[0].space, NM_SPACE_PIO);
    CU_ASSERT_EQUAL(w[0].base, 0xc000);
    CU_ASSERT_EQUAL(inb(&g, DP8390_CR), CR_RD2 | CR_STP);
    CU_ASSERT_EQUAL(g.d.model->publish(&g.d, cell), 0xfff);
    g.d.model->reset(&g.d); /* RST# takes the address away */
    CU_ASSERT_EQUAL(rig_read(&g, NM_REGION_CONFIG, PCI_BAR0, 4), 1);
    CU_ASSERT_EQUAL(rig_write(&g, 0, 0, 1, 0), NM_UNCLAIMED);
    rig_free(&g);
}

static void test_rtl8029_intx(void)
{
    uint8_t frame[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    struct rig g;

    board_up(&g, "rtl8029");
    driver_start(&g);
    g.d.model->receive(&g.d, frame, sizeof(frame));
    CU_ASSERT_TRUE(g.level);
    CU_ASSERT_EQUAL(rig_read(&g, NM_REGION_CONFIG, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT, 8);
    rig_write(&g, NM_REGION_CONFIG, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_INTX_DISABLE);
    CU_ASSERT_FALSE(g.level);
    CU_ASSERT_EQUAL(g.d.model->lines(&g.d), 0);
    CU_ASSERT_EQUAL(rig_read(&g, NM_REGION_CONFIG, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT, 8);
    rig_write(&g, NM_REGION_CONFIG, PCI_COMMAND, 2, PCI_COMMAND_IO);
    CU_ASSERT_TRUE(g.level);
    outb(&g, PG0W_ISR, 0xff);
    CU_ASSERT_FALSE(g.level);
    CU_ASSERT_EQUAL(rig_read(&g, NM_REGION_CONFIG, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT, 0);
    rig_free(&g);
}

/* A string of transmissions: no more in one call than there is room for, and no more calls before
 * a commit. */
static void test_string_of_commands(void)
{
    uint8_t commands[NM_TX_BURST + 8];
    const char *const models[] = {"ne2000", "rtl8029"};

    memset(commands, CR_RD2 | CR_TXP | CR_STA, sizeof(commands));
    for (unsigned m = 0; m < 2; m++) {
        struct rig g;

        board_up(&g, models[m]);
        driver_start(&g);
        outb(&g, PG0W_TBCR0, 60);
        g.d.changed = false;
        CU_ASSERT_EQUAL(rig_string(&g, DP8390_CR, 1, sizeof(commands), commands, true, false),
                        NM_TX_BURST);
        CU_ASSERT_EQUAL(g.sent, NM_TX_BURST);
        CU_ASSERT_EQUAL(rig_string(&g, DP8390_CR, 1, 8, commands, true, false), 0);
        g.d.changed = false; /* committed */
        CU_ASSERT_EQUAL(rig_string(&g, DP8390_CR, 1, 8, commands, true, false), 8);
        CU_ASSERT_EQUAL(g.sent, sizeof(commands));
        rig_free(&g);
    }
}

const struct cu_test suite_tests[] = {
    {"a string of transmissions", test_string_of_commands},
    {"probe, as a driver does: ISA", test_probe_isa},
    {"probe, as a driver does: PCI", test_probe_pci},
    {"a frame out and a frame in", test_traffic},
    {"wide register accesses", test_wide_register_access},
    {"ends of the window", test_window_ends},
    {"reset port", test_reset_port},
    {"data port by size", test_data_port_sizes},
    {"parameters", test_parameters},
    {"windows, ISA", test_windows_isa},
    {"images that are refused", test_refused_images},
    {"registers that are refused", test_refused_registers},
    {"registry", test_registry},
    {"RTL8029: page 3", test_rtl8029_page3},
    {"RTL8029: reserved bits", test_rtl8029_reserved_bits},
    {"RTL8029: memory", test_rtl8029_memory},
    {"RTL8029: decoding", test_rtl8029_decode},
    {"RTL8029: INTx", test_rtl8029_intx},
    {NULL, NULL},
};
