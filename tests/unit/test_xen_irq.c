/* SPDX-License-Identifier: BSD-3-Clause */
/* Interrupts of an HVM domain: levels that are lowered before an answer and raised after it. */
#include "cu_main.h"
#include "test_xen.h"

/* Makes the device ask for an interrupt with its next access to the data port. */
static void prepare(unsigned base)
{
    xr_outb(&ioc, base + PG0W_IMR, ISR_RDC);
    xr_dma(&ioc, base, CR_STA | CR_RD1, RAM, 1);
    xr.nevents = 0;
}

static void interrupt(unsigned base)
{
    prepare(base);
    xr_outb(&ioc, base + DATA, 0);
}

static void acknowledge(unsigned base)
{
    xr_outb(&ioc, base + PG0W_ISR, ISR_RDC);
}

static void raised_after_lowered_before(void)
{
    set_up();
    for (unsigned i = 0; i < 3; i++) {
        interrupt(ISA);
        CU_ASSERT_TRUE(happened("NR"));
        CU_ASSERT_TRUE(xr.isa[5]);
        xr_inb(&ioc, ISA + PG0R_ISR); /* a level is told once */
        xr_outb(&ioc, ISA + PG0W_BNRY, 1);
        CU_ASSERT_TRUE(happened("NN"));
        acknowledge(ISA);
        CU_ASSERT_TRUE(happened("LN"));
        CU_ASSERT_FALSE(xr.isa[5]);
    }
    CU_ASSERT_EQUAL(ioc.dev[0]->n.irqs, 3);
    tear_down();
}

static void each_device_has_its_line(void)
{
    set_up();
    interrupt(PCI);
    CU_ASSERT_TRUE(happened("NR"));
    CU_ASSERT_TRUE(xr.intx[SLOT] && !xr.isa[5]);
    interrupt(ISA);
    CU_ASSERT_TRUE(xr.intx[SLOT] && xr.isa[5]);
    acknowledge(PCI);
    CU_ASSERT_TRUE(!xr.intx[SLOT] && xr.isa[5]);
    for (unsigned i = 0; i < 32; i++)
        CU_ASSERT_FALSE(xr.intx[i]);
    for (unsigned i = 0; i < 16; i++)
        CU_ASSERT_EQUAL(xr.isa[i], i == 5);
    tear_down();
}

/* COMMAND.INTX_DISABLE is no acknowledgement: the line comes back. */
static void disabled_in_command(void)
{
    set_up();
    interrupt(PCI);
    xr.nevents = 0;
    set_config(SLOT, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_INTX_DISABLE);
    CU_ASSERT_TRUE(happened("LN"));
    set_config(SLOT, PCI_COMMAND, 2, PCI_COMMAND_IO);
    CU_ASSERT_TRUE(happened("NR"));
    CU_ASSERT_TRUE(xr.intx[SLOT]);
    tear_down();
}

/* One request that lets the line fall and rise again: nothing has changed. */
static void fell_and_rose(void)
{
    struct ioreq r = xr_rep(MMIO, false, ISA_MEM + PG0W_ISR, 1, 0, 1);

    set_up();
    interrupt(ISA);
    xr.nevents = 0;
    ioc.dev[0]->nm.env->irq(&ioc.dev[0]->nm, 0, false);
    ioc.dev[0]->nm.env->irq(&ioc.dev[0]->nm, 0, true);
    dev_after(ioc.dev[0]);
    CU_ASSERT_EQUAL(xr.nevents, 0);
    xr_mem[0] = 0; /* acknowledges nothing */
    xr_access(&ioc, &r);
    CU_ASSERT_TRUE(happened("N"));
    CU_ASSERT_TRUE(xr.isa[5]);
    tear_down();
}

/* A message is lost to nobody, but more of them at once than there is room for say nothing new. */
static void messages(void)
{
    struct nm_dev *d;

    set_up();
    d = &ioc.dev[1]->nm;
    for (unsigned i = 0; i < DEV_MSI_BURST + 3; i++)
        d->env->msi(d, 0xfee00000 + i, i);
    dev_after(ioc.dev[1]);
    CU_ASSERT_EQUAL(xr.nmsi, DEV_MSI_BURST);
    CU_ASSERT_EQUAL(xr.msi_data, DEV_MSI_BURST - 1);
    CU_ASSERT_FALSE(xr.intx[SLOT]);
    tear_down();
}

/* What goes leaves no line up. */
static void gone_devices_are_silent(void)
{
    set_up();
    interrupt(ISA);
    interrupt(PCI);
    CU_ASSERT_TRUE(xr.isa[5] && xr.intx[SLOT]);
    xr_close(&ioc);
    CU_ASSERT_FALSE(xr.isa[5] || xr.intx[SLOT]);
    CU_ASSERT_EQUAL(xr_power_off(), 0);
}

/* What Xen was told last is not known after a restart: it is told anew, in both directions. */
static void told_anew(void)
{
    struct iotp_device isa = xr_ne2000(ISA, ISA_MEM, 5), pci = xr_rtl8029(SLOT);
    const char *why = NULL;

    set_up();
    for (unsigned i = 0; i < 8; i++) {
        bool pending = i & 1;

        if (pending)
            interrupt(ISA);
        xr_die(&ioc);
        xr.isa[5] = i >> 1 & 1;
        xr.intx[SLOT] = i >> 2 & 1;
        CU_ASSERT_EQUAL_FATAL(xr_open(&ioc, IOTP_DOMAIN_LINES, &why), 0);
        CU_ASSERT_EQUAL_FATAL(xr_add(&ioc, 0, &isa, &why), 0);
        CU_ASSERT_EQUAL_FATAL(xr_add(&ioc, 1, &pci, &why), 0);
        CU_ASSERT_EQUAL_FATAL(xr_start(&ioc, &why), 0);
        CU_ASSERT_EQUAL(xr.isa[5], pending);
        CU_ASSERT_FALSE(xr.intx[SLOT]);
        acknowledge(ISA);
        CU_ASSERT_FALSE(xr.isa[5]);
    }
    tear_down();
}

const char *const suite_name = "xen_irq";
const struct cu_test suite_tests[] = {
    {"raised after the answer, lowered before it", raised_after_lowered_before},
    {"each device has its line", each_device_has_its_line},
    {"disabled in COMMAND", disabled_in_command},
    {"fell and rose", fell_and_rose},
    {"messages", messages},
    {"devices that are gone are silent", gone_devices_are_silent},
    {"told anew after a restart", told_anew},
    {NULL, NULL},
};
