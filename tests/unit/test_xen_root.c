/* SPDX-License-Identifier: BSD-3-Clause */
/* The PCI root of a PVH domain, and what firmware would do with its devices. */
#include "cu_main.h"
#include "test_xen.h"

#define ROOT  0xcf8u
#define FIRST 0xc000u

static void open_pvh(void)
{
    const char *why = NULL;

    CU_ASSERT_EQUAL_FATAL(xr_open(&ioc, IOTP_DOMAIN_PCI_ROOT, &why), 0);
}

static void add_and_start(void)
{
    struct iotp_device one = xr_rtl8029(1), two = xr_rtl8029(2), isa = xr_ne2000(ISA, 0, 5);
    const char *why = NULL;

    CU_ASSERT_EQUAL_FATAL(xr_add(&ioc, 0, &one, &why), 0);
    CU_ASSERT_EQUAL_FATAL(xr_add(&ioc, 1, &isa, &why), 0);
    CU_ASSERT_EQUAL_FATAL(xr_add(&ioc, 2, &two, &why), 0);
    CU_ASSERT_EQUAL_FATAL(xr_start(&ioc, &why), 0);
}

static void set_up_pvh(void)
{
    test_eal();
    xr_power_on(2, false);
    open_pvh();
    add_and_start();
}

/* A request that Xen would send to nobody else. */
static uint64_t force(struct ioreq r)
{
    xr_post(0, &r);
    xr_poll(&ioc);
    return xr_take(0);
}

static void the_host_bridge(void)
{
    set_up_pvh();
    CU_ASSERT_EQUAL(xr.slots, 1u << 0 | 1u << 1 | 1u << 2);
    CU_ASSERT_EQUAL(config(0, PCI_VENDOR_ID, 4), 0x12378086);
    CU_ASSERT_EQUAL(config(0, PCI_CLASS_CODE, 2), 0); /* interface, subclass: host bridge */
    CU_ASSERT_EQUAL(config(0, PCI_CLASS_CODE + 2, 1), 6);
    CU_ASSERT_EQUAL(config(0, PCI_HEADER_TYPE, 1), 0);
    CU_ASSERT_EQUAL(config(0, PCI_BAR0, 4), 0);
    set_config(0, PCI_BAR0, 4, ~0ull);
    set_config(0, PCI_COMMAND, 2, 0xffff);
    CU_ASSERT_EQUAL(config(0, PCI_BAR0, 4), 0);
    CU_ASSERT_EQUAL(config(0, PCI_COMMAND, 2), 0);
    CU_ASSERT_EQUAL(config(0, 256, 4), 0xffffffff);
    CU_ASSERT_EQUAL(config(0, 255, 2), 0xff00);
    tear_down();
}

static void hostile_host_bridge(void)
{
    static const uint32_t size[] = {0, 3, 9, 1u << 31, UINT32_MAX};

    set_up_pvh();
    for (unsigned i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
        if (size[i] > 8)
            CU_ASSERT_EQUAL(force(xr_req(CONFIG, true, 0, size[i])), ~0ull);
        for (unsigned dir = 0; dir < 2; dir++) {
            force(xr_req(CONFIG, dir, 0xfc, size[i]));
            force(xr_req(CONFIG, dir, 0xffffffff, size[i]));
            force(xr_req(PIO, dir, ROOT, size[i]));
            force(xr_rep(CONFIG, dir, 0, size[i], UINT64_MAX, UINT32_MAX));
        }
    }
    memset(xr_mem, 0, 32);
    force(xr_rep(CONFIG, true, 0, 4, 8, 3)); /* no strings: all ones */
    CU_ASSERT_EQUAL(xr_mem[7], 0);
    for (unsigned i = 8; i < 20; i++)
        CU_ASSERT_EQUAL(xr_mem[i], 0xff);
    CU_ASSERT_EQUAL(xr_mem[20], 0);
    CU_ASSERT_EQUAL(config(0, PCI_VENDOR_ID, 4), 0x12378086);
    tear_down();
}

/* Only whole double words reach the latch. */
static void the_address_port(void)
{
    set_up_pvh();
    xr_write(&ioc, PIO, ROOT, 4, 0x80000810);
    CU_ASSERT_EQUAL(xr_read(&ioc, PIO, ROOT, 4), 0x80000810);
    xr_write(&ioc, PIO, ROOT, 1, 0x11);
    xr_write(&ioc, PIO, ROOT, 2, 0x2222);
    xr_write(&ioc, PIO, ROOT + 3, 1, 0x33);
    xr_write(&ioc, PIO, ROOT + 2, 2, 0x4444);
    CU_ASSERT_EQUAL(xr_read(&ioc, PIO, ROOT, 4), 0x80000810);
    CU_ASSERT_EQUAL(xr_read(&ioc, PIO, ROOT, 2), 0xffff);
    CU_ASSERT_EQUAL(xr_inb(&ioc, ROOT + 3), 0xff);
    memset(xr_mem, 0, 16);
    force(xr_rep(PIO, true, ROOT, 4, 4, 2));
    for (unsigned i = 0; i < 16; i++)
        CU_ASSERT_EQUAL(xr_mem[i], i >= 4 && i < 12 ? 0xff : 0);
    CU_ASSERT_EQUAL(force(xr_req(PIO, true, ROOT - 1, 4)), ~0ull);
    xr_die(&ioc); /* what was latched outlives the process */
    open_pvh();
    add_and_start();
    CU_ASSERT_EQUAL(xr_read(&ioc, PIO, ROOT, 4), 0x80000810);
    tear_down();
}

/* Where somebody else has the root it is left to him. */
static void no_root_of_ours(void)
{
    set_up();
    CU_ASSERT_FALSE(xr.slots & 1);
    for (unsigned i = 0; i < xr.nranges; i++)
        CU_ASSERT_NOT_EQUAL(xr.range[i].first, ROOT);
    CU_ASSERT_EQUAL(force(xr_req(CONFIG, true, 0, 4)), ~0ull);
    CU_ASSERT_EQUAL(force(xr_req(PIO, true, ROOT, 4)), ~0ull);
    CU_ASSERT_EQUAL(config(SLOT, PCI_BAR0, 4), PCI | 1); /* nobody moved it but the guest */
    tear_down();
}

/* As a BIOS leaves them: addresses that are theirs alone, enabled, no interrupt line. */
static void devices_have_addresses(void)
{
    set_up_pvh();
    for (unsigned slot = 1; slot <= 2; slot++) {
        unsigned base = FIRST + 0x20 * (slot - 1);

        CU_ASSERT_EQUAL(config(slot, PCI_BAR0, 4), base | 1);
        CU_ASSERT_TRUE(config(slot, PCI_COMMAND, 2) & PCI_COMMAND_IO);
        CU_ASSERT_EQUAL(config(slot, PCI_INTERRUPT_LINE, 1), 0);
        CU_ASSERT_EQUAL(xr_inb(&ioc, base), CR_RD2 | CR_STP);
        xr_outb(&ioc, base + PG0W_BNRY, (uint8_t)(0x40 + slot));
    }
    CU_ASSERT_EQUAL(xr_inb(&ioc, FIRST + PG0R_BNRY), 0x41);
    CU_ASSERT_EQUAL(xr_inb(&ioc, ISA), CR_RD2 | CR_STP);
    tear_down();
}

/* A successor is no firmware: what the guest made of its devices stays. */
static void addresses_are_given_once(void)
{
    set_up_pvh();
    set_config(1, PCI_BAR0, 4, 0xd000);
    set_config(2, PCI_COMMAND, 2, 0);
    set_config(1, PCI_INTERRUPT_LINE, 1, 0x77);
    xr_die(&ioc);
    open_pvh();
    add_and_start();
    CU_ASSERT_EQUAL(config(1, PCI_BAR0, 4), 0xd001);
    CU_ASSERT_EQUAL(config(2, PCI_COMMAND, 2), 0);
    CU_ASSERT_EQUAL(config(1, PCI_INTERRUPT_LINE, 1), 0x77);
    CU_ASSERT_EQUAL(xr.nranges, 3); /* the root's, ISA, slot 1 */
    tear_down();
}

/* This domain has no lines, and stock Xen goes down if it is asked for one (the rig, too). */
static void no_line_is_ever_set(void)
{
    set_up_pvh();
    for (unsigned base = FIRST; base; base = base == FIRST ? ISA : 0) {
        xr_outb(&ioc, base + PG0W_IMR, ISR_RDC);
        xr_dma(&ioc, base, CR_STA | CR_RD1, RAM, 1);
        xr_outb(&ioc, base + DATA, 1);
        CU_ASSERT_TRUE(xr_inb(&ioc, base + PG0R_ISR) & ISR_RDC);
    }
    xr_die(&ioc);
    open_pvh();
    add_and_start();
    CU_ASSERT_EQUAL(ioc.dev[0]->irq_level, 1);
    xr_outb(&ioc, FIRST + PG0W_ISR, ISR_RDC);
    xr_quiesce(&ioc);
    CU_ASSERT_EQUAL(ioc.dev[0]->irq_level, 0);
    for (unsigned n = 0; n < 3; n++)
        dev_join(ioc.dev[n]);
    tear_down(); /* while one interrupts */
}

/* Messages do reach it. */
static void messages_go_out(void)
{
    struct nm_dev *d;

    set_up_pvh();
    d = &ioc.dev[0]->nm;
    d->env->msi(d, 0xfee01000, 0x4031);
    CU_ASSERT_EQUAL(xr.nmsi, 0);
    dev_after(ioc.dev[0]);
    CU_ASSERT_EQUAL(xr.nmsi, 1);
    CU_ASSERT_EQUAL(xr.msi_addr, 0xfee01000);
    CU_ASSERT_EQUAL(xr.msi_data, 0x4031);
    CU_ASSERT_EQUAL(ioc.dev[0]->n.irqs, 1);
    dev_after(ioc.dev[0]);
    CU_ASSERT_EQUAL(xr.nmsi, 1);
    tear_down();
}

const char *const suite_name = "xen_root";
const struct cu_test suite_tests[] = {
    {"the host bridge", the_host_bridge},
    {"hostile accesses to it", hostile_host_bridge},
    {"the address port", the_address_port},
    {"no root of ours", no_root_of_ours},
    {"devices have addresses", devices_have_addresses},
    {"addresses are given once", addresses_are_given_once},
    {"no line is ever set", no_line_is_ever_set},
    {"messages go out", messages_go_out},
    {NULL, NULL},
};
