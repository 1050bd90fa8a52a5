/* SPDX-License-Identifier: BSD-3-Clause */
/* The e1000's registers, interrupts, EEPROM, transceiver and statistics. */
#include "cu_main.h"
#include "e1000_rig.h"

const char *const suite_name = "e1000";

/* Register by register: value after power-on, then what all ones and all zeroes leave. */
static const struct {
    uint32_t offset, reset, ones, zeroes;
} registers[] = {
    {E1000_STATUS, 0x281, 0x281, 0x281},
    {E1000_FCAL, 0, 0xffffffff, 0},
    {E1000_FCAH, 0, 0xffff, 0},
    {E1000_FCT, 0, 0xffff, 0},
    {E1000_VET, 0x8100, 0xffff, 0},
    {E1000_ITR, 0, 0xffff, 0},
    {E1000_RCTL, 0, 0x06dfb3fe, 0},
    {E1000_FCTTV, 0, 0xffff, 0},
    {E1000_TXCW, 0, 0xc000ffff, 0},
    {E1000_TIPG, 0, 0x3fffffff, 0},
    {E1000_AIT, 0, 0xffff, 0},
    {E1000_PBA, 0x00100030, 0x00100030, 0x00400000},
    {E1000_FCRTH, 0, 0xfff8, 0},
    {E1000_RDBAL, 0, 0xfffffff0, 0},
    {E1000_RDBAH, 0, 0xffffffff, 0},
    {E1000_RDLEN, 0, 0xfff80, 0},
    {E1000_RDH, 0, 0xffff, 0},
    {E1000_RDT, 0, 0xffff, 0},
    {E1000_RDTR, 0, 0xffff, 0},
    {E1000_RADV, 0, 0xffff, 0},
    {E1000_TDBAL, 0, 0xfffffff0, 0},
    {E1000_TDBAH, 0, 0xffffffff, 0},
    {E1000_TDLEN, 0, 0xfff80, 0},
    {E1000_TDH, 0, 0xffff, 0},
    {E1000_TDT, 0, 0xffff, 0},
    {E1000_TIDV, 0, 0xffff, 0},
    {E1000_TADV, 0, 0xffff, 0},
    {E1000_RXCSUM, 0x300, 0x3ff, 0},
    {E1000_RA + 8, 0, 0xffffffff, 0},
    {E1000_RA + 12, 0, 0x8003ffff, 0},
    {E1000_MTA + 508, 0, 0xffffffff, 0},
    {E1000_VFTA + 508, 0, 0xffffffff, 0},
    {E1000_WUC, 0, 0xf, 0},
    {E1000_ICS, 0, 0, 0},
    {E1000_IMC, 0, 0, 0},
    {0x0004, 0, 0, 0},
    {0x2410, 0, 0, 0},
    {0x10000, 0, 0, 0},
    {0x1fffc, 0, 0, 0},
};

static void test_registers(void)
{
    const char *why;
    struct rig g;

    for (unsigned i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
        uint32_t o = registers[i].offset;

        power_up(&g, 4096);
        CU_ASSERT_EQUAL(reg(&g, o), registers[i].reset);
        set(&g, o, 0xffffffff);
        CU_ASSERT_EQUAL(reg(&g, o), registers[i].ones);
        CU_ASSERT_EQUAL(g.d.model->validate(&g.d, &why), 0);
        set(&g, o, 0);
        CU_ASSERT_EQUAL(reg(&g, o), registers[i].zeroes);
        set(&g, o, 0xffffffff);
        set(&g, E1000_CTRL, CTRL_RST);
        CU_ASSERT_EQUAL(reg(&g, o), registers[i].reset);
        CU_ASSERT_FALSE(reg(&g, E1000_CTRL) & CTRL_RST);
        rig_free(&g);
    }
}

static void test_access_sizes(void)
{
    struct rig g;
    struct nm_access a;
    uint32_t mem[4] = {1, 2, 3, 4};

    power_up(&g, 4096);
    set(&g, E1000_RDBAL, 0x12345670);
    set(&g, E1000_RDBAH, 0x89abcdef);
    CU_ASSERT_EQUAL(rig_read(&g, 0, E1000_RDBAL, 8), 0x89abcdef12345670);
    CU_ASSERT_EQUAL(rig_read(&g, 0, E1000_RDBAL, 2), 0x5670);
    CU_ASSERT_EQUAL(rig_read(&g, 0, E1000_RDBAL + 2, 2), 0x1234);
    CU_ASSERT_EQUAL(rig_read(&g, 0, E1000_RDBAL + 3, 1), 0x12);
    CU_ASSERT_EQUAL(rig_read(&g, 0, E1000_RDBAL + 1, 4), 0);
    CU_ASSERT_EQUAL(rig_read(&g, 0, E1000_MEM_SIZE - 4, 8), 0);
    rig_write(&g, 0, E1000_RDBAL, 2, 0xffff);
    rig_write(&g, 0, E1000_RDBAL + 1, 4, 0xffff);
    CU_ASSERT_EQUAL(reg(&g, E1000_RDBAL), 0x12345670);
    rig_write(&g, 0, E1000_RDBAL, 8, 0x1111111122222220);
    CU_ASSERT_EQUAL(rig_read(&g, 0, E1000_RDBAL, 8), 0x1111111122222220);
    rig_write(&g, 0, E1000_MEM_SIZE - 4, 8, ~0ull);
    CU_ASSERT_EQUAL(rig_read(&g, 0, E1000_MEM_SIZE, 4), ~0ull);
    CU_ASSERT_EQUAL(rig_read(&g, 2, 0, 4), ~0ull);
    a = (struct nm_access){.offset = E1000_FCAL,
                           .size = 4,
                           .count = 4,
                           .write = true,
                           .mem = (uint8_t *)(mem + 3),
                           .down = true};
    g.d.changed = false; /* committed */
    CU_ASSERT_EQUAL(g.d.model->access(&g.d, &a), NM_DONE);
    CU_ASSERT_EQUAL(a.done_count, 4);
    CU_ASSERT_EQUAL(reg(&g, E1000_FCAL), 1);
    rig_write(&g, NM_REGION_CONFIG, PCI_COMMAND, 2, PCI_COMMAND_IO);
    CU_ASSERT_EQUAL(rig_read(&g, 0, E1000_STATUS, 4), ~0ull);
    rig_free(&g);
}

static void test_io_bar(void)
{
    struct rig g;

    power_up(&g, 4096);
    rig_write(&g, E1000_BAR_IO, E1000_IOADDR, 4, E1000_FCAL);
    CU_ASSERT_EQUAL(rig_read(&g, E1000_BAR_IO, E1000_IOADDR, 4), E1000_FCAL);
    CU_ASSERT_EQUAL(rig_read(&g, E1000_BAR_IO, E1000_IOADDR, 1), E1000_FCAL & 0xff);
    rig_write(&g, E1000_BAR_IO, E1000_IODATA, 4, 0x11223344);
    CU_ASSERT_EQUAL(reg(&g, E1000_FCAL), 0x11223344);
    CU_ASSERT_EQUAL(rig_read(&g, E1000_BAR_IO, E1000_IODATA, 4), 0x11223344);
    CU_ASSERT_EQUAL(rig_read(&g, E1000_BAR_IO, E1000_IODATA + 2, 2), 0x1122);
    rig_write(&g, E1000_BAR_IO, E1000_IODATA, 2, 0xffff);
    CU_ASSERT_EQUAL(reg(&g, E1000_FCAL), 0x11223344);
    rig_write(&g, E1000_BAR_IO, E1000_IOADDR, 4, E1000_MEM_SIZE);
    rig_write(&g, E1000_BAR_IO, E1000_IODATA, 4, 5);
    CU_ASSERT_EQUAL(rig_read(&g, E1000_BAR_IO, E1000_IODATA, 4), 0);
    rig_write(&g, E1000_BAR_IO, E1000_IOADDR, 4, E1000_CTRL);
    rig_write(&g, E1000_BAR_IO, E1000_IODATA, 4, CTRL_RST); /* as Linux resets some */
    CU_ASSERT_EQUAL(reg(&g, E1000_FCAL), 0);
    CU_ASSERT_EQUAL(rig_read(&g, E1000_BAR_IO, 63, 1), 0);
    CU_ASSERT_EQUAL(rig_read(&g, E1000_BAR_IO, 64, 1), ~0ull);
    rig_free(&g);
}

static void test_pci(void)
{
    struct nm_window w[NM_MAX_REGIONS];
    struct rig g;

    power_up(&g, 4096);
    CU_ASSERT_EQUAL(rig_read(&g, NM_REGION_CONFIG, 0, 4), 0x100e8086);
    CU_ASSERT_EQUAL(rig_read(&g, NM_REGION_CONFIG, PCI_INTERRUPT_PIN, 1), 1);
    rig_write(&g, NM_REGION_CONFIG, PCI_BAR0, 4, 0xffffffff);
    rig_write(&g, NM_REGION_CONFIG, PCI_BAR0 + 4, 4, 0xffffffff);
    CU_ASSERT_EQUAL(rig_read(&g, NM_REGION_CONFIG, PCI_BAR0, 4), 0xfffe0000);
    CU_ASSERT_EQUAL(rig_read(&g, NM_REGION_CONFIG, PCI_BAR0 + 4, 4), 0xffffffc1);
    rig_write(&g, NM_REGION_CONFIG, PCI_BAR0, 4, 0xfeb00000);
    CU_ASSERT_EQUAL(g.d.model->windows(&g.d, w, NM_MAX_REGIONS), 2);
    CU_ASSERT_TRUE(w[0].space == NM_SPACE_MMIO && w[0].base == 0xfeb00000 && w[0].size == 0x20000);
    set(&g, E1000_IMS, ICR_LSC);
    set(&g, E1000_ICS, ICR_LSC);
    CU_ASSERT_TRUE(g.level && g.d.model->lines(&g.d) == 1);
    rig_write(&g, NM_REGION_CONFIG, PCI_COMMAND, 2, PCI_COMMAND_MEM | PCI_COMMAND_INTX_DISABLE);
    CU_ASSERT_FALSE(g.level || g.d.model->lines(&g.d));
    rig_write(&g, NM_REGION_CONFIG, PCI_COMMAND, 2, PCI_COMMAND_MEM);
    CU_ASSERT_TRUE(g.level);
    g.d.model->reset(&g.d);
    CU_ASSERT_FALSE(g.level);
    CU_ASSERT_EQUAL(rig_read(&g, 0, 0, 4), ~0ull);
    rig_free(&g);
}

static void test_interrupts(void)
{
    struct rig g;

    power_up(&g, 4096);
    set(&g, E1000_ICS, ICR_RXT0 | ICR_TXDW | 0x80000000);
    CU_ASSERT_FALSE(g.level);
    set(&g, E1000_IMS, ICR_TXDW);
    CU_ASSERT_TRUE(g.level);
    set(&g, E1000_IMS, ICR_RXT0);
    CU_ASSERT_EQUAL(reg(&g, E1000_IMS), ICR_TXDW | ICR_RXT0);
    set(&g, E1000_IMC, ICR_TXDW);
    CU_ASSERT_TRUE(g.level);
    set(&g, E1000_ICR, ICR_RXT0); /* taken back by writing */
    CU_ASSERT_FALSE(g.level);
    CU_ASSERT_EQUAL(reg(&g, E1000_ICR), ICR_TXDW);
    CU_ASSERT_EQUAL(reg(&g, E1000_ICR), 0);
    set(&g, E1000_ICS, ICR_RXT0);
    CU_ASSERT_TRUE(g.level);
    set(&g, E1000_IMC, 0xffffffff);
    CU_ASSERT_FALSE(g.level);
    CU_ASSERT_EQUAL(reg(&g, E1000_ICR), ICR_RXT0);
    for (unsigned i = 0; i < 17; i++) { /* as Linux's self-test does */
        set(&g, E1000_IMS, 1u << i);
        set(&g, E1000_ICS, 1u << i);
        CU_ASSERT_TRUE(g.level);
        CU_ASSERT_EQUAL(reg(&g, E1000_ICR), 1u << i);
        set(&g, E1000_IMC, 1u << i);
        set(&g, E1000_ICS, 1u << i);
        CU_ASSERT_FALSE(g.level);
        reg(&g, E1000_ICR);
    }
    rig_free(&g);
}

static void test_throttling(void)
{
    struct rig g;

    power_up(&g, 4096);
    set(&g, E1000_ITR, 200); /* 51.2 us */
    set(&g, E1000_IMS, ICR_RXT0);
    set(&g, E1000_ICS, ICR_RXT0);
    CU_ASSERT_TRUE(g.level); /* the first at once */
    reg(&g, E1000_ICR);
    CU_ASSERT_FALSE(g.level || g.d.model->pending(&g.d));
    g.ns += 10 * E_NS_US;
    set(&g, E1000_ICS, ICR_RXT0);
    CU_ASSERT_FALSE(g.level);
    CU_ASSERT_TRUE(g.d.model->pending(&g.d));
    CU_ASSERT_EQUAL(rig_poll(&g), 0);
    g.ns += 41 * E_NS_US;
    rig_poll(&g);
    CU_ASSERT_FALSE(g.level);
    g.ns += 1 * E_NS_US;
    rig_poll(&g);
    CU_ASSERT_TRUE(g.level);
    CU_ASSERT_FALSE(g.d.model->pending(&g.d));
    reg(&g, E1000_ICR);
    set(&g, E1000_ICS, ICR_RXT0);
    CU_ASSERT_FALSE(g.level);
    reg(&g, E1000_ICR); /* a driver that polls takes it before it is told */
    CU_ASSERT_FALSE(g.d.model->pending(&g.d));
    set(&g, E1000_ICS, ICR_RXT0);
    set(&g, E1000_ITR, 0); /* no throttling: what was held back comes */
    CU_ASSERT_TRUE(g.level);
    rig_free(&g);
}

/* --- EEPROM --- */

static uint32_t eecd(struct rig *g, uint32_t v)
{
    set(g, E1000_EECD, v | EECD_REQ);
    return reg(g, E1000_EECD);
}

static unsigned clock_bit(struct rig *g, bool di)
{
    uint32_t v = EECD_CS | (di ? EECD_DI : 0);

    eecd(g, v);
    return eecd(g, v | EECD_SK) & EECD_DO ? 1 : 0;
}

static uint16_t read_word(struct rig *g, unsigned addr)
{
    unsigned in = 0x180 | addr;
    uint16_t v = 0;

    for (unsigned i = 9; i-- > 0;)
        clock_bit(g, in >> i & 1);
    for (unsigned i = 0; i < 16; i++)
        v = (uint16_t)(v << 1 | clock_bit(g, false));
    eecd(g, 0);
    return v;
}

static void test_eeprom(void)
{
    struct rig g;
    uint16_t sum = 0;

    power_up(&g, 4096);
    set(&g, E1000_EECD, EECD_REQ);
    CU_ASSERT_EQUAL(reg(&g, E1000_EECD) & (EECD_GNT | EECD_PRES), EECD_GNT | EECD_PRES);
    for (unsigned i = 0; i < 64; i++) {
        uint16_t w = read_word(&g, i);

        set(&g, E1000_EERD, i << 8 | EERD_START);
        CU_ASSERT_EQUAL(reg(&g, E1000_EERD), (uint32_t)w << 16 | i << 8 | EERD_DONE);
        sum = (uint16_t)(sum + w);
        if (i < 3)
            CU_ASSERT_EQUAL(w, rig_mac[2 * i] | rig_mac[2 * i + 1] << 8);
    }
    CU_ASSERT_EQUAL(sum, 0xbaba);
    set(&g, E1000_EECD, 0);
    CU_ASSERT_FALSE(reg(&g, E1000_EECD) & EECD_GNT);
    CU_ASSERT_EQUAL(reg(&g, E1000_RA), 0x12005452);
    CU_ASSERT_EQUAL(reg(&g, E1000_RA + 4), RAH_AV | 0x5634);
    set(&g, E1000_RA, 0);
    set(&g, E1000_CTRL_EXT, CTRL_EXT_EE_RST);
    CU_ASSERT_EQUAL(reg(&g, E1000_RA), 0x12005452);
    CU_ASSERT_EQUAL(reg(&g, E1000_CTRL_EXT), 0);
    rig_free(&g);
}

/* Written, it is the next reset's address. */
static void test_eeprom_write(void)
{
    static const unsigned steps[][2] = {{0x130, 9}, {0x140, 9}}; /* EWEN; WRITE word 0 */
    struct rig g;

    power_up(&g, 4096);
    for (unsigned k = 0; k < 2; k++) {
        for (unsigned i = steps[k][1]; i-- > 0;)
            clock_bit(&g, steps[k][0] >> i & 1);
        for (unsigned i = 16; k && i-- > 0;)
            clock_bit(&g, 0xbb02 >> i & 1);
        eecd(&g, 0);
    }
    CU_ASSERT_EQUAL(read_word(&g, 0), 0xbb02);
    set(&g, E1000_CTRL, CTRL_RST);
    CU_ASSERT_EQUAL(reg(&g, E1000_RA), 0x1200bb02);
    rig_free(&g);
}

/* --- transceiver --- */

static uint32_t phy(struct rig *g, unsigned r)
{
    set(g, E1000_MDIC, MDIC_OP_READ | 1u << 21 | r << 16);
    CU_ASSERT_TRUE(reg(g, E1000_MDIC) & MDIC_R);
    return reg(g, E1000_MDIC) & 0xffff;
}

static void phy_set(struct rig *g, unsigned r, uint16_t v)
{
    set(g, E1000_MDIC, MDIC_OP_WRITE | 1u << 21 | r << 16 | v);
    CU_ASSERT_TRUE(reg(g, E1000_MDIC) & MDIC_R);
}

static void test_phy(void)
{
    struct rig g;

    power_up(&g, 4096);
    CU_ASSERT_EQUAL(phy(&g, 2) << 16 | phy(&g, 3), 0x01410c20);
    CU_ASSERT_EQUAL(phy(&g, 1) & 0x24, 0x24);      /* link, negotiated */
    CU_ASSERT_EQUAL(phy(&g, 17) & 0xec00, 0xac00); /* 1000 Mb/s, full duplex, link */
    phy_set(&g, 1, 0);
    CU_ASSERT_EQUAL(phy(&g, 1), 0x796d);
    phy_set(&g, 16, 0x1234);
    CU_ASSERT_EQUAL(phy(&g, 16), 0x1234);
    phy_set(&g, 0, 0x9340);
    CU_ASSERT_EQUAL(phy(&g, 0), 0x1140);          /* reset and restart are over */
    set(&g, E1000_MDIC, MDIC_OP_READ | 2u << 21); /* nobody there */
    CU_ASSERT_TRUE(reg(&g, E1000_MDIC) & MDIC_E);
    set(&g, E1000_MDIC, 1u << 21);
    CU_ASSERT_FALSE(reg(&g, E1000_MDIC) & MDIC_R);
    reg(&g, E1000_ICR);
    set(&g, E1000_MDIC, MDIC_OP_READ | MDIC_I | 1u << 21);
    CU_ASSERT_EQUAL(reg(&g, E1000_ICR), ICR_MDAC);
    set(&g, E1000_CTRL, CTRL_PHY_RST);
    CU_ASSERT_EQUAL(phy(&g, 16), 0x0068);
    CU_ASSERT_EQUAL(reg(&g, E1000_CTRL) & CTRL_PHY_RST, 0);
    rig_free(&g);
}

static void test_link(void)
{
    struct rig g;

    power_up(&g, 4096);
    CU_ASSERT_FALSE(reg(&g, E1000_STATUS) & STATUS_LU);
    set(&g, E1000_CTRL, CTRL_SLU);
    CU_ASSERT_TRUE(reg(&g, E1000_STATUS) & STATUS_LU);
    CU_ASSERT_EQUAL(reg(&g, E1000_ICR), ICR_LSC);
    phy_set(&g, 0, 0x1940);
    CU_ASSERT_FALSE(reg(&g, E1000_STATUS) & STATUS_LU);
    CU_ASSERT_EQUAL(phy(&g, 1) & 0x24, 0);
    CU_ASSERT_EQUAL(reg(&g, E1000_ICR), ICR_LSC);
    phy_set(&g, 0, 0x1140);
    CU_ASSERT_EQUAL(reg(&g, E1000_ICR), ICR_LSC);
    phy_set(&g, 0, 0x1340); /* negotiates anew */
    CU_ASSERT_EQUAL(reg(&g, E1000_ICR), ICR_LSC);
    CU_ASSERT_TRUE(reg(&g, E1000_STATUS) & STATUS_LU);
    set(&g, E1000_CTRL, CTRL_RST);
    CU_ASSERT_FALSE(reg(&g, E1000_STATUS) & STATUS_LU);
    rig_free(&g);
}

/* --- statistics --- */

static uint32_t stat(struct rig *g, uint32_t offset)
{
    return reg(g, E1000_STATS + offset);
}

static void test_statistics(void)
{
    static const struct {
        size_t len; /* without FCS */
        uint32_t rx, tx;
    } sizes[] = {{60, 0x5c, 0xd8},  {61, 0x60, 0xdc},  {123, 0x60, 0xdc},  {124, 0x64, 0xe0},
                 {252, 0x68, 0xe4}, {508, 0x6c, 0xe8}, {1019, 0x6c, 0xe8}, {1020, 0x70, 0xec}};
    struct rig g;
    struct tx_maker t = {&g, 0};
    uint8_t *f;

    bring_up(&g, 4096);
    set(&g, E1000_RCTL, RCTL_EN | RCTL_BAM | RCTL_MPE);
    f = guest(&g, E_TX_BUF);
    memset(f, 0xff, 6);
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        rig_receive(&g, f, sizes[i].len);
        tx_legacy(&t, E_TX_BUF, (uint16_t)sizes[i].len, TXD_EOP | TXD_IFCS, 0, 0, 0);
        tx_go(&t);
        CU_ASSERT_EQUAL(stat(&g, sizes[i].rx), 1);
        CU_ASSERT_EQUAL(stat(&g, sizes[i].rx), 0);
        CU_ASSERT_EQUAL(stat(&g, sizes[i].tx), 1);
        CU_ASSERT_TRUE(stat(&g, 0x74) == 1 && stat(&g, 0x78) == 1 && stat(&g, 0x7c) == 0);
        CU_ASSERT_TRUE(stat(&g, 0x80) == 1 && stat(&g, 0xf4) == 1 && stat(&g, 0xf0) == 0);
        CU_ASSERT_TRUE(stat(&g, 0xd0) == 1 && stat(&g, 0xd4) == 1);
        /* Bytes: cleared with the upper half. */
        for (uint32_t at = 0x88; at <= 0xc8; at += at == 0x90 ? 0x30 : 8) {
            CU_ASSERT_EQUAL(stat(&g, at), sizes[i].len + 4);
            CU_ASSERT_EQUAL(stat(&g, at), sizes[i].len + 4);
            CU_ASSERT_EQUAL(stat(&g, at + 4), 0);
            CU_ASSERT_EQUAL(stat(&g, at), 0);
        }
    }
    f[0] = 0x01; /* multicast; then one that is not ours */
    rig_receive(&g, f, 60);
    f[0] = 0x02;
    rig_receive(&g, f, 60);
    CU_ASSERT_TRUE(stat(&g, 0x7c) == 1 && stat(&g, 0x74) == 1 && stat(&g, 0xd0) == 2);
    /* They stop at their end. */
    ((struct e1000_regs *)g.d.regs)->stats[0x74 / 4] = UINT32_MAX;
    f[0] = 0x01;
    rig_receive(&g, f, 60);
    CU_ASSERT_EQUAL(stat(&g, 0x74), UINT32_MAX);
    rig_free(&g);
}

static void test_validate(void)
{
    static const char *why;
    struct e1000_regs *r;
    struct rig g;

    bring_up(&g, 4096);
    r = g.d.regs;
    CU_ASSERT_EQUAL(g.d.model->validate(&g.d, &why), 0);
#define REFUSED(field, value)                                                                      \
    do {                                                                                           \
        struct e1000_regs was = *r;                                                                \
                                                                                                   \
        r->field = value;                                                                          \
        CU_ASSERT_NOT_EQUAL(g.d.model->validate(&g.d, &why), 0);                                   \
        *r = was;                                                                                  \
        CU_ASSERT_EQUAL(g.d.model->validate(&g.d, &why), 0);                                       \
    } while (0)
    REFUSED(rctl, 1);
    REFUSED(status, 0);
    REFUSED(rdlen, 0x7f);
    REFUSED(ra[3], 0x00040000);
    REFUSED(level, 2);
    REFUSED(level, 1);
    REFUSED(tx_more, 2);
    REFUSED(tx_skip, 2);
    REFUSED(reserved[2], 1);
    REFUSED(icr, 0x80000000);
    REFUSED(eeprom.nin, 200);
    REFUSED(pci.cfg[0], 1);
    rig_free(&g);
}

const struct cu_test suite_tests[] = {
    {"register by register", test_registers},
    {"access sizes", test_access_sizes},
    {"the I/O BAR", test_io_bar},
    {"PCI configuration", test_pci},
    {"interrupt causes and mask", test_interrupts},
    {"interrupt throttling", test_throttling},
    {"EEPROM, bit by bit and by words", test_eeprom},
    {"EEPROM, written", test_eeprom_write},
    {"transceiver", test_phy},
    {"link", test_link},
    {"statistics", test_statistics},
    {"states from outside", test_validate},
    {NULL, NULL},
};
