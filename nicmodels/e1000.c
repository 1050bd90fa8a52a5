/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The e1000 as a model: power-on, accesses to its BARs, what runs between them.
 *
 * Posted are writes to RDT, TDT and IMS: what they set off comes at a time the driver cannot know,
 * and no write to them lowers INTA#. IMC and ICR, which do lower it, are not posted: the driver
 * must not be interrupted once more after it has seen to it that it is not. Shadowed are registers
 * only the driver changes, and STATUS, which Linux reads behind each write that is to reach the
 * device.
 */
#include "e1000.h"

#include <errno.h>
#include <string.h>

#include "access.h"
#include "e1000_priv.h"
#include "models.h"

static const struct pci_spec spec = {
    .vendor_id = 0x8086,
    .device_id = 0x100e,
    .subsystem_vendor_id = 0x8086,
    .subsystem_id = 0x001e,
    .revision_id = 2,
    .class_code = 0x020000, /* Ethernet controller */
    .interrupt_pin = 1,
    .min_gnt = 0xff,
    .command_writable =
        PCI_COMMAND_IO | PCI_COMMAND_MEM | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE,
    .status = PCI_STATUS_DEVSEL_MEDIUM,
    .bar = {[E1000_BAR_MEM] = {.kind = PCI_BAR_MEM32, .size = E1000_MEM_SIZE},
            [E1000_BAR_IO] = {.kind = PCI_BAR_PIO, .size = E1000_IO_SIZE}},
};

static const struct nm_reg_range ranges[] = {
    {.region = E1000_BAR_MEM, .flags = NM_REG_POSTED, .offset = E1000_IMS, .length = 4},
    {.region = E1000_BAR_MEM, .flags = NM_REG_POSTED, .offset = E1000_RDT, .length = 4},
    {.region = E1000_BAR_MEM, .flags = NM_REG_POSTED, .offset = E1000_TDT, .length = 4},
};

static const struct nm_reg_cell cells[] = {
    {.region = E1000_BAR_MEM, .size = 4, .offset = E1000_CTRL},
    {.region = E1000_BAR_MEM, .size = 4, .offset = E1000_STATUS},
    {.region = E1000_BAR_MEM, .size = 4, .offset = E1000_CTRL_EXT},
    {.region = E1000_BAR_MEM, .size = 4, .offset = E1000_IMS},
    {.region = E1000_BAR_MEM, .size = 4, .offset = E1000_RCTL},
    {.region = E1000_BAR_MEM, .size = 4, .offset = E1000_TCTL},
};
#define NCELLS (sizeof(cells) / sizeof(cells[0]))

static void e1000_reset(struct nm_dev *d)
{
    struct e1000_regs *r = e1000_regs(d);

    pci_reset(&spec, &r->pci);
    ee93c46_reset(&r->eeprom);
    e1000_reset_phy(r);
    e1000_reset_mac(d);
    d->changed = true;
}

static int e1000_init(struct nm_dev *d, const struct nm_params *p, const char **why)
{
    int err = nm_check_mac(p->mac, why);

    if (err)
        return err;
    e1000_fill_eeprom(e1000_ram(d)->eeprom, p->mac);
    e1000_reset(d);
    return 0;
}

/* --- accesses --- */

/* Registers are double words (SDM 13.2). A narrower read gives its part of one, a wider one two;
 * a narrower write, or what is not aligned, does nothing. */
static void memory_access(struct nm_dev *d, struct nm_access *a)
{
    uint32_t at = (uint32_t)a->offset & ~3u;
    unsigned shift = 8 * (a->offset & 3);

    if (a->offset & (a->size - 1u) & 3) {
        a->data = 0;
    } else if (a->write && a->size >= 4) {
        e1000_write_reg(d, at, (uint32_t)a->data);
        if (a->size == 8 && at + 4 < E1000_MEM_SIZE)
            e1000_write_reg(d, at + 4, (uint32_t)(a->data >> 32));
    } else if (!a->write) {
        a->data = e1000_read_reg(d, at) >> shift;
        if (a->size == 8 && at + 4 < E1000_MEM_SIZE)
            a->data |= (uint64_t)e1000_read_reg(d, at + 4) << 32;
        else if (a->size < 4)
            a->data &= (1u << 8 * a->size) - 1;
    }
}

/* The I/O BAR: an address and the register there (SDM 13.2.2). What is behind it is reserved. */
static void io_access(struct nm_dev *d, struct nm_access *a)
{
    struct e1000_regs *r = e1000_regs(d);
    struct nm_access m = *a;

    if (a->offset == E1000_IOADDR && a->write && a->size == 4) {
        r->ioaddr = (uint32_t)a->data;
    } else if (a->offset < E1000_IODATA && !a->write) {
        a->data = r->ioaddr >> 8 * a->offset;
        if (a->size < 4)
            a->data &= (1u << 8 * a->size) - 1;
    } else if (a->offset - E1000_IODATA < 4 && r->ioaddr < E1000_MEM_SIZE && a->size <= 4) {
        m.offset = (r->ioaddr & ~3u) + (a->offset - E1000_IODATA);
        memory_access(d, &m);
        a->data = m.data;
    } else if (!a->write) {
        a->data = 0;
    }
}

static enum nm_status config_access(struct nm_dev *d, struct nm_access *a)
{
    struct e1000_regs *r = e1000_regs(d);
    enum nm_status st = pci_config_access(&spec, &r->pci, a);

    if (st == NM_DONE && a->write) {
        d->changed = true;
        r->tx_more = 1;      /* MASTER may have been set */
        e1000_update_irq(d); /* and INTX_DISABLE */
    }
    return st;
}

static void one_access(struct nm_dev *d, struct nm_access *a)
{
    if (a->region == E1000_BAR_MEM)
        memory_access(d, a);
    else
        io_access(d, a);
}

static void string_access(struct nm_dev *d, struct nm_access *a)
{
    struct nm_access one = *a;

    for (uint32_t i = 0; i < a->count; i++) {
        uint8_t *at = nm_element(a, i);

        one.data = a->write ? nm_get_le(at, a->size) : 0;
        one_access(d, &one);
        if (!a->write)
            nm_put_le(at, one.data, a->size);
    }
}

static bool claims(const struct e1000_regs *r, const struct nm_access *a)
{
    uint8_t command = r->pci.cfg[PCI_COMMAND];

    if (a->region == E1000_BAR_MEM)
        return command & PCI_COMMAND_MEM && a->offset < E1000_MEM_SIZE;
    return a->region == E1000_BAR_IO && command & PCI_COMMAND_IO && a->offset < E1000_IO_SIZE;
}

static enum nm_status e1000_access(struct nm_dev *d, struct nm_access *a)
{
    struct e1000_regs *r = e1000_regs(d);
    enum nm_status st = NM_DONE;

    if (a->mem && a->write && d->changed) {
        a->done_count = 0; /* what went before in the request may have sent all there is room for */
        return NM_DONE;
    }
    if (a->region == NM_REGION_CONFIG) {
        st = config_access(d, a);
    } else if (!claims(r, a)) {
        return NM_UNCLAIMED;
    } else {
        if (a->mem)
            string_access(d, a);
        else
            one_access(d, a);
        a->done_count = a->count;
        d->changed |= a->write;
    }
    if (a->write && r->tx_more)
        e1000_transmit(d);
    return st;
}

/* --- between accesses --- */

static unsigned e1000_poll(struct nm_dev *d)
{
    unsigned n = e1000_run_timers(d);

    if (e1000_regs(d)->tx_more)
        n += e1000_transmit(d);
    return n;
}

static bool e1000_pending(const struct nm_dev *d)
{
    const struct e1000_regs *r = e1000_regs(d);

    return r->tx_more || e1000_timers_run(r);
}

static uint32_t e1000_publish(const struct nm_dev *d, uint64_t *cell)
{
    const struct e1000_regs *r = e1000_regs(d);

    cell[0] = r->ctrl;
    cell[1] = r->status;
    cell[2] = r->ctrl_ext;
    cell[3] = r->ims;
    cell[4] = r->rctl;
    cell[5] = r->tctl;
    return r->pci.cfg[PCI_COMMAND] & PCI_COMMAND_MEM ? (1u << NCELLS) - 1 : 0;
}

static unsigned e1000_windows(const struct nm_dev *d, struct nm_window *w, unsigned max)
{
    return pci_windows(&spec, &e1000_regs(d)->pci, w, max);
}

/* Rings, lengths and offsets are the guest's anyway and looked at with each use: what is checked
 * is that the registers are such as a guest could have made them. */
static int e1000_validate(const struct nm_dev *d, const char **why)
{
    const struct e1000_regs *r = e1000_regs(d);
    bool asserted = r->pci.cfg[PCI_STATUS] & PCI_STATUS_INTERRUPT;

    if (pci_validate(&spec, &r->pci, why))
        return -EPROTO;
    *why = "a register of the e1000 has bits it cannot have";
    if (e1000_bad_regs(r) || r->level > 1 || r->tx_more > 1 || r->tx_skip > 1)
        return -EPROTO;
    for (unsigned i = 0; i < sizeof(r->reserved); i++)
        if (r->reserved[i])
            return -EPROTO;
    *why = "the e1000's interrupt is not what its causes and mask make of it";
    if (r->level != asserted || (r->level && !(r->icr & r->ims)))
        return -EPROTO;
    *why = "the e1000's EEPROM is in no state it can be in";
    return ee93c46_valid(&r->eeprom) ? 0 : -EPROTO;
}

static uint32_t e1000_lines(const struct nm_dev *d)
{
    const struct e1000_regs *r = e1000_regs(d);

    return r->level && !(pci_read(&r->pci, PCI_COMMAND, 2) & PCI_COMMAND_INTX_DISABLE);
}

const struct nm_model nm_e1000 = {
    .name = "e1000",
    .title = "Intel 82540EM (PRO/1000 MT), PCI",
    .version = 1,
    .regs_size = sizeof(struct e1000_regs),
    .ram_size = sizeof(struct e1000_ram),
    .pci = true,
    .ranges = ranges,
    .nranges = sizeof(ranges) / sizeof(ranges[0]),
    .cells = cells,
    .ncells = NCELLS,
    .init = e1000_init,
    .reset = e1000_reset,
    .access = e1000_access,
    .poll = e1000_poll,
    .pending = e1000_pending,
    .committed = e1000_committed,
    .can_receive = e1000_can_receive,
    .receive = e1000_receive,
    .publish = e1000_publish,
    .windows = e1000_windows,
    .validate = e1000_validate,
    .lines = e1000_lines,
};
