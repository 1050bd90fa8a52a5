/* SPDX-License-Identifier: BSD-3-Clause */
/* PCI configuration space behind Xen: registers, what is not there, and ranges that follow. */
#include <errno.h>

#include "cu_main.h"
#include "test_xen.h"

/* --- one device --- */

/* Is this the only range of the RTL8029's that Xen has? 0: it has none. */
static bool only_range(uint64_t first)
{
    unsigned n = 0;

    for (unsigned i = 0; i < xr.nranges; i++)
        if (xr.range[i].first != ISA && xr.range[i].first != ISA_MEM) {
            CU_ASSERT_TRUE(xr.range[i].ports);
            CU_ASSERT_EQUAL(xr.range[i].last, first + 0x1f);
            n += xr.range[i].first == first;
        }
    return n == (first != 0) && xr.nranges == 2 + n;
}

static void configuration_registers(void)
{
    set_up();
    CU_ASSERT_EQUAL(config(SLOT, PCI_VENDOR_ID, 4), 0x802910ec);
    CU_ASSERT_EQUAL(config(SLOT, PCI_VENDOR_ID, 2), 0x10ec);
    CU_ASSERT_EQUAL(config(SLOT, PCI_DEVICE_ID + 1, 1), 0x80);
    set_config(SLOT, PCI_INTERRUPT_LINE, 1, 11);
    CU_ASSERT_EQUAL(config(SLOT, PCI_INTERRUPT_LINE, 2), 0x010b);
    for (unsigned i = 0; i < 4; i++)
        set_config(SLOT, PCI_BAR0 + i, 1, 0x0000d300 >> 8 * i);
    CU_ASSERT_EQUAL(config(SLOT, PCI_BAR0, 4), 0xd301);
    CU_ASSERT_TRUE(only_range(0xd300));
    CU_ASSERT_EQUAL(config(SLOT, 0xfc, 4), 0);
    tear_down();
}

static void outside_of_configuration(void)
{
    static const uint64_t nowhere[] = {
        256,
        0xffffffff,
        0xfffffffc,
        254, /* its end is outside */
        1ull << 32 /* function 1 */,
        1ull << 40 /* bus 1 */,
        1ull << 48 /* segment 1 */,
        1ull << 63,
    };
    struct ioreq r;

    set_up();
    for (unsigned i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++)
        for (unsigned dir = 0; dir < 2; dir++) {
            r = xr_req(CONFIG, dir, xr_bdf(SLOT, 0) + nowhere[i], 4);
            xr_post(0, &r);
            xr_poll(&ioc);
            CU_ASSERT_EQUAL(xr_take(0), dir ? ~0ull : 0);
        }
    for (unsigned slot = 0; slot < 32; slot++) {
        r = xr_req(CONFIG, true, xr_bdf(slot, 0), 2);
        xr_post(0, &r);
        xr_poll(&ioc);
        CU_ASSERT_EQUAL(xr_take(0), slot == SLOT ? 0x10ec : ~0ull);
    }
    CU_ASSERT_EQUAL(config(SLOT, PCI_VENDOR_ID, 4), 0x802910ec);
    tear_down();
}

/* rep ins, rep outs at 0xcfc become strings on one register. */
static void strings_of_configuration(void)
{
    struct ioreq r = xr_rep(CONFIG, true, xr_bdf(SLOT, 0), 4, XR_PAGE - 6, 3);

    set_up();
    xr_access(&ioc, &r);
    for (unsigned i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(memcmp(xr_mem + XR_PAGE - 6 + 4 * i, "\xec\x10\x29\x80", 4), 0);
    memcpy(xr_mem + 100, "\1\2\3", 3);
    r = xr_rep(CONFIG, false, xr_bdf(SLOT, PCI_INTERRUPT_LINE), 1, 102, 3);
    r.df = 1;
    xr_access(&ioc, &r);
    CU_ASSERT_EQUAL(config(SLOT, PCI_INTERRUPT_LINE, 1), 1);
    /* nobody in slot 9: as at a port, all ones */
    r = xr_rep(CONFIG, true, xr_bdf(9, 0), 4, 200, 2);
    xr_post(0, &r);
    xr_poll(&ioc);
    xr_take(0);
    CU_ASSERT_TRUE(!memcmp(xr_mem + 200, "\xff\xff\xff\xff\xff\xff\xff\xff", 8));
    tear_down();
}

static void ranges_follow_before_the_answer(void)
{
    set_up();
    CU_ASSERT_TRUE(only_range(PCI));
    set_config(SLOT, PCI_BAR0, 4, 0xe000);
    CU_ASSERT_TRUE(happened("UMN"));
    CU_ASSERT_TRUE(only_range(0xe000));
    set_config(SLOT, PCI_BAR0, 4, 0xe000);
    CU_ASSERT_TRUE(happened("N")); /* it is there already */
    set_config(SLOT, PCI_COMMAND, 2, 0);
    CU_ASSERT_TRUE(happened("UN"));
    CU_ASSERT_TRUE(only_range(0));
    set_config(SLOT, PCI_BAR0, 4, 0xffffffff); /* sizing */
    CU_ASSERT_EQUAL(config(SLOT, PCI_BAR0, 4), 0xffffffe1);
    set_config(SLOT, PCI_BAR0, 4, 0xd000);
    CU_ASSERT_TRUE(happened("NNN"));
    set_config(SLOT, PCI_COMMAND, 1, PCI_COMMAND_IO);
    CU_ASSERT_TRUE(happened("MN"));
    CU_ASSERT_TRUE(only_range(0xd000));
    set_config(SLOT, PCI_BAR0, 4, 0xffffffff); /* sizing with decoding on: nowhere meanwhile */
    CU_ASSERT_TRUE(only_range(0));
    set_config(SLOT, PCI_BAR0, 4, 0xffe0); /* the last ports there are */
    CU_ASSERT_TRUE(only_range(0xffe0));
    set_config(SLOT, 0, 8, 0); /* COMMAND is in there */
    CU_ASSERT_TRUE(only_range(0));
    set_config(SLOT, PCI_COMMAND - 1, 2, PCI_COMMAND_IO << 8);
    CU_ASSERT_TRUE(only_range(0xffe0));
    tear_down();
}

/* The device answers where it says, and there alone. */
static void the_device_is_where_its_range_is(void)
{
    set_up();
    xr_outb(&ioc, PCI + PG0W_BNRY, 0x51);
    set_config(SLOT, PCI_BAR0, 4, 0xe000);
    CU_ASSERT_EQUAL(xr_inb(&ioc, 0xe000 + PG0R_BNRY), 0x51);
    CU_ASSERT_EQUAL(xr_inb(&ioc, PCI + PG0R_BNRY), 0xff);
    set_config(SLOT, PCI_COMMAND, 2, 0);
    CU_ASSERT_EQUAL(xr_inb(&ioc, 0xe000 + PG0R_BNRY), 0xff);
    tear_down();
}

/* --- two devices --- */

#define OTHER 7 /* the second RTL8029's slot */
#define PLACE 0xd000u

static void set_up_two(void)
{
    struct iotp_device q = xr_rtl8029(OTHER);
    const char *why = NULL;

    set_up();
    CU_ASSERT_EQUAL_FATAL(xr_add(&ioc, 2, &q, &why), 0);
    set_config(OTHER, PCI_BAR0, 4, PLACE);
    set_config(OTHER, PCI_COMMAND, 2, PCI_COMMAND_IO);
    xr_outb(&ioc, PCI + PG0W_BNRY, 0x61);
    xr_outb(&ioc, PLACE + PG0W_BNRY, 0x71);
}

static unsigned bnry(unsigned base)
{
    return xr_inb(&ioc, base + PG0R_BNRY);
}

/* The second one on the place of the first answers nothing, and takes nothing away. */
static void onto_one_place(void)
{
    set_up_two();
    CU_ASSERT_EQUAL(ioc.x->n.refused, 0);
    set_config(OTHER, PCI_BAR0, 4, PCI);
    CU_ASSERT_EQUAL(ioc.x->n.refused, 1);
    CU_ASSERT_EQUAL(bnry(PCI), 0x61);
    CU_ASSERT_EQUAL(bnry(PLACE), 0xff);
    CU_ASSERT_EQUAL(xr.nranges, 3);
    set_config(OTHER, PCI_COMMAND, 2, PCI_COMMAND_IO); /* it is counted once */
    CU_ASSERT_EQUAL(ioc.x->n.refused, 1);
    set_config(OTHER, PCI_BAR0, 4, 0xe000); /* away again */
    CU_ASSERT_EQUAL(bnry(0xe000), 0x71);
    CU_ASSERT_EQUAL(bnry(PCI), 0x61);
    CU_ASSERT_EQUAL(ioc.x->n.refused, 1);
    tear_down();
}

/* The first one leaves, and the second one, which was there all the time, answers. */
static void the_first_one_leaves(void)
{
    set_up_two();
    set_config(OTHER, PCI_BAR0, 4, PCI);
    set_config(SLOT, PCI_BAR0, 4, 0xe000);
    CU_ASSERT_EQUAL(bnry(0xe000), 0x61);
    CU_ASSERT_EQUAL(bnry(PCI), 0x71);
    set_config(OTHER, PCI_BAR0, 4, ISA); /* onto an ISA device */
    CU_ASSERT_EQUAL(ioc.x->n.refused, 2);
    CU_ASSERT_EQUAL(bnry(PCI), 0xff);
    set_config(OTHER, PCI_BAR0, 4, 0xe000);
    set_config(SLOT, PCI_COMMAND, 2, 0);
    CU_ASSERT_EQUAL(bnry(0xe000), 0x71);
    set_config(SLOT, PCI_COMMAND, 2, PCI_COMMAND_IO);
    CU_ASSERT_EQUAL(bnry(0xe000), 0x71);
    tear_down();
}

static void windows_change_places(void)
{
    set_up_two();
    set_config(SLOT, PCI_BAR0, 4, PLACE);
    set_config(OTHER, PCI_BAR0, 4, PCI);
    CU_ASSERT_EQUAL(bnry(PLACE), 0x61);
    CU_ASSERT_EQUAL(bnry(PCI), 0x71);
    CU_ASSERT_EQUAL(xr.nranges, 4);
    tear_down();
}

/* Xen has no room for another range: nothing answers there until the guest tries again. */
static void xen_refuses(void)
{
    set_up_two();
    xr_fail("xendevicemodel_map_io_range_to_ioreq_server", 1, ENOMEM);
    set_config(SLOT, PCI_BAR0, 4, 0xe000);
    CU_ASSERT_EQUAL(ioc.x->n.refused, 1);
    CU_ASSERT_EQUAL(bnry(0xe000), 0xff);
    set_config(SLOT, PCI_COMMAND, 2, PCI_COMMAND_IO);
    CU_ASSERT_EQUAL(bnry(0xe000), 0x61);
    tear_down();
}

/* The notebook has no room for another range: what it could not tell a successor Xen is not told.
 */
static void the_notebook_is_full(void)
{
    bool mine[XEN_MAX_TOLD];

    set_up_two();
    for (unsigned i = 0; i < XEN_MAX_TOLD; i++) {
        mine[i] = ioc.x->note->told[i].used;
        ioc.x->note->told[i].used = 1;
    }
    set_config(SLOT, PCI_BAR0, 4, 0xe000); /* its former entry is free */
    CU_ASSERT_EQUAL(bnry(0xe000), 0x61);
    for (unsigned i = 0; i < XEN_MAX_TOLD; i++)
        ioc.x->note->told[i].used = 1;
    set_config(SLOT, PCI_COMMAND, 2, 0);
    for (unsigned i = 0; i < XEN_MAX_TOLD; i++)
        ioc.x->note->told[i].used = 1;
    set_config(SLOT, PCI_COMMAND, 2, PCI_COMMAND_IO);
    CU_ASSERT_EQUAL(ioc.x->n.refused, 1);
    CU_ASSERT_EQUAL(bnry(0xe000), 0xff);
    for (unsigned i = 0; i < XEN_MAX_TOLD; i++)
        ioc.x->note->told[i].used = mine[i];
    set_config(SLOT, PCI_COMMAND, 2, PCI_COMMAND_IO);
    CU_ASSERT_EQUAL(bnry(0xe000), 0x61);
    CU_ASSERT_EQUAL(bnry(PLACE), 0x71);
    tear_down();
}

const char *const suite_name = "xen_config";
const struct cu_test suite_tests[] = {
    {"PCI configuration registers", configuration_registers},
    {"outside of PCI configuration", outside_of_configuration},
    {"strings of PCI configuration", strings_of_configuration},
    {"ranges follow before the answer", ranges_follow_before_the_answer},
    {"the device is where its range is", the_device_is_where_its_range_is},
    {"two devices onto one place", onto_one_place},
    {"the first one leaves", the_first_one_leaves},
    {"windows change places", windows_change_places},
    {"Xen refuses a range", xen_refuses},
    {"the notebook is full", the_notebook_is_full},
    {NULL, NULL},
};
