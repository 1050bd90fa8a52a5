/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Realtek RTL8029AS: an NE2000 in one PCI chip, with 32 KB of buffer memory at local address 0x4000
 * and a page 3 of its own. Source: data sheet RTL8029AS (LS009.0, January 1997; "RTL" below).
 *
 * No serial EEPROM (9346) is fitted: its data line reads 1, an auto-load ends at once, and the
 * station PROM has the configured address. Flow control, duplex, medium, sleep and power-down bits
 * can be set and read; there is nothing behind them. INTX_DISABLE, which PCI 2.1 did not know, is
 * implemented because today's drivers expect it.
 */
#include <errno.h>
#include <string.h>

#include "models.h"
#include "ne2000.h"
#include "pci.h"

#define BUFFER      0x4000 /* local address */
#define BUFFER_SIZE 0x8000 /* bytes */
#define BAR_PORTS   0

/* Registers the DP8390 has not (RTL 5.1.2.2). */
enum { PG0R_ID0 = 0x0a, PG0R_ID1 = 0x0b };
enum {
    PG3_9346CR = 0x01,
    PG3R_CONFIG0 = 0x03,
    PG3_CONFIG2 = 0x05,
    PG3_CONFIG3 = 0x06,
    PG3W_HLTCLK = 0x09,
    PG3R_ASID0 = 0x0e,
    PG3R_ASID1 = 0x0f,
};
enum { CR9346_EEDO = 0x01, CR9346_WRITABLE = 0xce, CR9346_EEM = 0xc0 };
enum { EEM_AUTOLOAD = 0x40, EEM_CONFIG_WRITE = 0xc0 };
enum { CONFIG2_WRITABLE = 0xe0, CONFIG3_WRITABLE = 0x46 };

struct rtl8029_regs {
    struct dp8390 chip; /* first: dp8390_of() */
    struct pci_func pci;
    uint8_t cr9346, config2, config3;
    uint8_t reserved[5];
};
_Static_assert(sizeof(struct rtl8029_regs) == sizeof(struct dp8390) + PCI_CFG_SIZE + 8,
               "no padding");

static const struct pci_spec spec = {
    .vendor_id = 0x10ec,
    .device_id = 0x8029,
    .subsystem_vendor_id = 0x10ec,
    .subsystem_id = 0x8029,
    .class_code = 0x020000, /* Ethernet controller */
    .interrupt_pin = 1,
    .command_writable = PCI_COMMAND_IO | PCI_COMMAND_MEM | PCI_COMMAND_INTX_DISABLE,
    .status = PCI_STATUS_DEVSEL_MEDIUM,
    .bar = {[BAR_PORTS] = {.kind = PCI_BAR_PIO, .size = NE2000_PORTS}},
};

static void extra_view(const struct dp8390_chip *c, unsigned page, uint8_t value[DP8390_REGS])
{
    const struct rtl8029_regs *r = c->dev->regs;

    if (page == 0) {
        value[PG0R_ID0] = 'P';
        value[PG0R_ID1] = 'C';
    } else if (page == 3) {
        value[PG3_9346CR] = r->cr9346 | CR9346_EEDO;
        value[PG3R_CONFIG0] = 0; /* no 10Base2 cable */
        value[PG3_CONFIG2] = r->config2;
        value[PG3_CONFIG3] = r->config3;
        value[PG3R_ASID0] = 0x29;
        value[PG3R_ASID1] = 0x80;
    }
}

static void write_9346cr(struct rtl8029_regs *r, uint8_t value)
{
    r->cr9346 = value & CR9346_WRITABLE;
    if ((value & CR9346_EEM) == EEM_AUTOLOAD)
        r->cr9346 &= ~CR9346_EEM; /* loaded: back to normal operation */
}

/* CONFIG2 and CONFIG3 are locked unless 9346CR opens them; HLTCLK has no clock to stop. */
static void extra_write(const struct dp8390_chip *c, unsigned page, unsigned reg, uint8_t value)
{
    struct rtl8029_regs *r = c->dev->regs;
    bool open = (r->cr9346 & CR9346_EEM) == EEM_CONFIG_WRITE;

    if (page != 3)
        return;
    if (reg == PG3_9346CR)
        write_9346cr(r, value);
    else if (reg == PG3_CONFIG2 && open)
        r->config2 = value & CONFIG2_WRITABLE;
    else if (reg == PG3_CONFIG3 && open)
        r->config3 = value & CONFIG3_WRITABLE;
}

static void interrupt(const struct dp8390_chip *c, bool level)
{
    struct rtl8029_regs *r = c->dev->regs;

    c->dev->env->irq(c->dev, 0, pci_set_interrupt(&r->pci, level));
}

static const struct dp8390_board board = {
    .map = {{.base = 0, .size = NE2000_PROM_SIZE, .at = BUFFER_SIZE, .flags = DP8390_MAP_ROM},
            {.base = BUFFER, .size = BUFFER_SIZE, .at = 0}},
    .tsr_ones = 0x02,
    .rcr_ones = 0xc0,
    .tcr_ones = 0xe0,
    .dcr_ones = 0x80,
    .extra_view = extra_view,
    .extra_write = extra_write,
    .interrupt = interrupt,
};

static void rtl_reset(struct nm_dev *d)
{
    struct rtl8029_regs *r = d->regs;
    struct dp8390_chip c = dp8390_of(d, &board);

    pci_reset(&spec, &r->pci);
    r->cr9346 = r->config2 = r->config3 = 0;
    dp8390_reset(&c);
}

static int rtl_init(struct nm_dev *d, const struct nm_params *p, const char **why)
{
    int err = nm_check_mac(p->mac, why);

    if (err)
        return err;
    ne2000_prom(d->ram + BUFFER_SIZE, p->mac);
    rtl_reset(d);
    return 0;
}

static enum nm_status config_access(struct nm_dev *d, struct nm_access *a)
{
    struct rtl8029_regs *r = d->regs;
    struct dp8390_chip c = dp8390_of(d, &board);
    enum nm_status st = pci_config_access(&spec, &r->pci, a);

    if (st == NM_DONE && a->write) {
        d->changed = true;
        interrupt(&c, dp8390_interrupting(&r->chip)); /* INTX_DISABLE may have changed */
    }
    return st;
}

static enum nm_status rtl_access(struct nm_dev *d, struct nm_access *a)
{
    const struct rtl8029_regs *r = d->regs;
    struct dp8390_chip c = dp8390_of(d, &board);

    if (a->region == NM_REGION_CONFIG)
        return config_access(d, a);
    if (a->region != BAR_PORTS || !(r->pci.cfg[PCI_COMMAND] & PCI_COMMAND_IO))
        return NM_UNCLAIMED;
    return ne2000_access(&c, a);
}

static bool rtl_can_receive(const struct nm_dev *d, size_t len)
{
    struct dp8390_chip c = dp8390_of(d, &board);

    return dp8390_can_receive(&c, len);
}

static void rtl_waiting(struct nm_dev *d)
{
    struct dp8390_chip c = dp8390_of(d, &board);

    dp8390_waiting(&c);
}

static void rtl_receive(struct nm_dev *d, const void *frame, size_t len)
{
    struct dp8390_chip c = dp8390_of(d, &board);

    dp8390_receive(&c, frame, len);
}

static uint32_t rtl_publish(const struct nm_dev *d, uint64_t *cell)
{
    const struct rtl8029_regs *r = d->regs;
    struct dp8390_chip c = dp8390_of(d, &board);
    uint32_t valid = ne2000_publish(&c, cell);

    return r->pci.cfg[PCI_COMMAND] & PCI_COMMAND_IO ? valid : 0;
}

static unsigned rtl_windows(const struct nm_dev *d, struct nm_window *w, unsigned max)
{
    const struct rtl8029_regs *r = d->regs;

    return pci_windows(&spec, &r->pci, w, max);
}

static int rtl_validate(const struct nm_dev *d, const char **why)
{
    const struct rtl8029_regs *r = d->regs;

    if (pci_validate(&spec, &r->pci, why))
        return -EPROTO;
    if ((r->cr9346 & ~CR9346_WRITABLE) || (r->config2 & ~CONFIG2_WRITABLE) ||
        (r->config3 & ~CONFIG3_WRITABLE)) {
        *why = "a configuration register of the RTL8029 has bits it cannot have";
        return -EPROTO;
    }
    return dp8390_validate(&r->chip, why);
}

static uint32_t rtl_lines(const struct nm_dev *d)
{
    const struct rtl8029_regs *r = d->regs;

    return dp8390_interrupting(&r->chip) &&
           !(pci_read(&r->pci, PCI_COMMAND, 2) & PCI_COMMAND_INTX_DISABLE);
}

const struct nm_model nm_rtl8029 = {
    .name = "rtl8029",
    .title = "Realtek RTL8029AS (NE2000), PCI",
    .version = 1,
    .regs_size = sizeof(struct rtl8029_regs),
    .ram_size = BUFFER_SIZE + NE2000_PROM_SIZE,
    .pci = true,
    .ranges = ne2000_ranges,
    .nranges = NE2000_NRANGES,
    .cells = ne2000_cells,
    .ncells = NE2000_NCELLS,
    .init = rtl_init,
    .reset = rtl_reset,
    .access = rtl_access,
    .can_receive = rtl_can_receive,
    .waiting = rtl_waiting,
    .receive = rtl_receive,
    .publish = rtl_publish,
    .windows = rtl_windows,
    .validate = rtl_validate,
    .lines = rtl_lines,
};
