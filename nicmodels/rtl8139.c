/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RTL8139: the models.
 *
 * Posted writes: only those a guest cannot tell to be late, as ne2000.h explains. Nothing here may
 * lower INTA#, and nothing that a driver does before it takes memory away from the chip:
 *   0x10-0x2f TSD, TSAD  start a transmission (DTCCR: reading it back drains what was posted)
 *   0x38      CAPR       makes room
 *   0xd9      TPPoll     starts a transmission, raises SWInt
 * Not ISR and IMR, which lower INTA#; not CR, CPCR and RCR, behind which memory is freed; the rest
 * is rare.
 *
 * Shadow cells: reading has no side effect anywhere, so the cells are for what drivers read most,
 * in either BAR: TSDs (8139too reaps them), CR (BUFE ends its receive loop), CAPR, CBR, IMR, ISR,
 * RCR, MPC, 9346CR (read as a delay, and for EEDO), MSR and BMSR. Not TCTR, which time changes.
 */
#include "rtl8139.h"

#include <errno.h>
#include <string.h>

#include "access.h"
#include "dma.h"

/* --- PCI --- */

enum { PM_CAP = PCI_CAP_BASE, PMCSR = PM_CAP + 4, PMCSR_STATE = 3 };
/* PCI Power Management 1.2, 3.2: D0 and D3hot, no PME#; D3hot keeps what is in the chip. */
static const uint8_t pm_reset[8] = {0x01, 0, 0x03, 0, 0x08};
static const uint8_t pm_writable[8] = {0, 0, 0, 0, PMCSR_STATE};
static const struct pci_cap caps[] = {{sizeof(pm_reset), pm_reset, pm_writable}};

#define RTL8139_PCI(revision)                                                                      \
    {                                                                                              \
        .vendor_id = 0x10ec, .device_id = 0x8139, .subsystem_vendor_id = 0x10ec,                   \
        .subsystem_id = 0x8139, .class_code = 0x020000, .revision_id = (revision),                 \
        .interrupt_pin = 1, .min_gnt = 0x20, .max_lat = 0x40,                                      \
        .command_writable = PCI_COMMAND_IO | PCI_COMMAND_MEM | PCI_COMMAND_MASTER |                \
                            PCI_COMMAND_PARITY | PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE,      \
        .status = PCI_STATUS_DEVSEL_MEDIUM,                                                        \
        .bar = {[RTL8139_BAR_IO] = {.kind = PCI_BAR_PIO, .size = RTL8139_SIZE},                    \
                [RTL8139_BAR_MEM] = {.kind = PCI_BAR_MEM32, .size = RTL8139_SIZE}},                \
        .caps = caps, .ncaps = 1,                                                                  \
    }
static const struct pci_spec spec_c = RTL8139_PCI(0x10), spec_cplus = RTL8139_PCI(0x20);

static const struct pci_spec *spec_of(const struct nm_dev *d)
{
    return rtl8139_has_cplus(d) ? &spec_cplus : &spec_c;
}

bool rtl8139_awake(const struct rtl8139_regs *r)
{
    return !(r->pci.cfg[PMCSR] & PMCSR_STATE);
}

/* Does that BAR answer? */
static bool answers(const struct rtl8139_regs *r, unsigned region)
{
    uint8_t command = r->pci.cfg[PCI_COMMAND];

    if (!rtl8139_awake(r))
        return false;
    return region == RTL8139_BAR_IO    ? (command & PCI_COMMAND_IO) != 0
           : region == RTL8139_BAR_MEM ? (command & PCI_COMMAND_MEM) != 0
                                       : false;
}

static bool interrupting(const struct rtl8139_regs *r)
{
    return (r->file.isr & r->file.imr) && rtl8139_awake(r);
}

void rtl8139_update(struct nm_dev *d)
{
    struct rtl8139_regs *r = d->regs;

    d->env->irq(d, 0, pci_set_interrupt(&r->pci, interrupting(r)));
}

void rtl8139_raise(struct nm_dev *d, uint16_t isr_bits)
{
    struct rtl8139_regs *r = d->regs;

    r->file.isr |= isr_bits;
    rtl8139_update(d);
}

void rtl8139_abort(struct nm_dev *d)
{
    struct rtl8139_regs *r = d->regs;

    r->pci.cfg[PCI_STATUS + 1] |= PCI_STATUS_MASTER_ABORT >> 8;
    rtl8139_raise(d, RTL_ISR_SERR);
}

/* --- power-on --- */

static void rtl_reset(struct nm_dev *d)
{
    struct rtl8139_regs *r = d->regs;

    pci_reset(spec_of(d), &r->pci);
    rtl8139_power_on(d);
    d->changed = true;
}

/* As boards come (DS, EEPROM contents): two words of identification, PCI's IDs, the address, and
 * for the rest what the registers are after a reset anyway. */
static void fill_eeprom(const struct nm_dev *d, const uint8_t mac[6])
{
    const struct pci_spec *s = spec_of(d);
    uint16_t *word = rtl8139_ram_of(d)->eeprom;

    word[0] = 0x8129;
    word[1] = s->vendor_id;
    word[2] = s->device_id;
    word[3] = s->subsystem_vendor_id;
    word[4] = s->subsystem_id;
    word[5] = (uint16_t)(s->max_lat << 8 | s->min_gnt);
    memcpy(&word[7], mac, 6);
    word[10] = 0x01 << 8; /* CONFIG1.PMEn */
}

static int rtl_init(struct nm_dev *d, const struct nm_params *p, const char **why)
{
    int err = nm_check_mac(p->mac, why);

    if (err)
        return err;
    fill_eeprom(d, p->mac);
    rtl_reset(d);
    return 0;
}

/* --- accesses --- */

static enum nm_status config_access(struct nm_dev *d, struct nm_access *a)
{
    struct rtl8139_regs *r = d->regs;
    enum nm_status st = pci_config_access(spec_of(d), &r->pci, a);

    if (st == NM_DONE && a->write) {
        d->changed = true;
        rtl8139_update(d);   /* INTX_DISABLE or the power state may have changed */
        rtl8139_transmit(d); /* and MASTER */
    }
    return st;
}

static void element(struct nm_dev *d, struct nm_access *a)
{
    if (a->write) {
        d->changed = true;
        rtl8139_write(d, (unsigned)a->offset, a->size, a->data);
    } else {
        a->data = rtl8139_read(d, (unsigned)a->offset, a->size);
    }
}

/* Reads are done at once; each write has to be durable before the next, which may make a burst of
 * frames, or read from the EEPROM what this one wrote. */
static void string(struct nm_dev *d, struct nm_access *a)
{
    uint32_t n = a->write ? !d->changed && a->count : a->count;

    for (uint32_t i = 0; i < n; i++) {
        uint8_t *at = nm_element(a, i);

        a->data = a->write ? nm_get_le(at, a->size) : 0;
        element(d, a);
        if (!a->write)
            nm_put_le(at, a->data, a->size);
    }
    a->done_count = n;
}

static enum nm_status rtl_access(struct nm_dev *d, struct nm_access *a)
{
    if (a->region == NM_REGION_CONFIG)
        return config_access(d, a);
    if (!answers(d->regs, a->region) || a->offset >= RTL8139_SIZE)
        return NM_UNCLAIMED;
    if (a->mem)
        string(d, a);
    else
        element(d, a);
    return NM_DONE;
}

/* --- work without a request --- */

/* Is there more in the rings than one call may send? */
static bool tx_pending(const struct rtl8139_regs *r)
{
    return r->file.tppoll && rtl8139_tx_on(r) && rtl8139_cp_tx_mode(r);
}

static unsigned rtl_poll(struct nm_dev *d)
{
    unsigned work = rtl8139_timer(d);

    if (tx_pending(d->regs)) {
        d->changed = true;
        work += 1 + rtl8139_cp_transmit(d);
    }
    return work;
}

static bool rtl_pending(const struct nm_dev *d)
{
    const struct rtl8139_regs *r = d->regs;

    return r->file.timer_int || tx_pending(r);
}

static void rtl_committed(struct nm_dev *d)
{
    rtl8139_cp_tx_give_back(d);
    rtl8139_cp_rx_give_back(d);
}

/* --- what is published --- */

#define CELLS(bar)                                                                                 \
    {.region = (bar), .size = 4, .offset = 0x10}, {.region = (bar), .size = 4, .offset = 0x14},    \
        {.region = (bar), .size = 4, .offset = 0x18},                                              \
        {.region = (bar), .size = 4, .offset = 0x1c},                                              \
        {.region = (bar), .size = 1, .offset = 0x37},                                              \
        {.region = (bar), .size = 2, .offset = 0x38},                                              \
        {.region = (bar), .size = 2, .offset = 0x3a},                                              \
        {.region = (bar), .size = 2, .offset = 0x3c},                                              \
        {.region = (bar), .size = 2, .offset = 0x3e},                                              \
        {.region = (bar), .size = 4, .offset = 0x44},                                              \
        {.region = (bar), .size = 4, .offset = 0x4c},                                              \
        {.region = (bar), .size = 1, .offset = 0x50},                                              \
        {.region = (bar), .size = 1, .offset = 0x58},                                              \
    {                                                                                              \
        .region = (bar), .size = 2, .offset = 0x64                                                 \
    }
static const struct nm_reg_cell cells[] = {CELLS(RTL8139_BAR_IO), CELLS(RTL8139_BAR_MEM)};
#define NCELLS (sizeof(cells) / sizeof(cells[0]))
_Static_assert(NCELLS <= NM_MAX_CELLS, "there is room for the cells");

#define POSTED(bar, at, n)                                                                         \
    {                                                                                              \
        .region = (bar), .flags = NM_REG_POSTED, .offset = (at), .length = (n)                     \
    }
static const struct nm_reg_range ranges[] = {
    POSTED(RTL8139_BAR_IO, 0x10, 32),  POSTED(RTL8139_BAR_IO, 0x38, 2),
    POSTED(RTL8139_BAR_MEM, 0x10, 32), POSTED(RTL8139_BAR_MEM, 0x38, 2),
    POSTED(RTL8139_BAR_IO, 0xd9, 1),   POSTED(RTL8139_BAR_MEM, 0xd9, 1), /* C+ only: last */
};
#define NRANGES_CPLUS (sizeof(ranges) / sizeof(ranges[0]))
#define NRANGES_C     (NRANGES_CPLUS - 2)

/* In the order of CELLS, for both BARs: what rtl8139_read() gives, in a few loads. */
static uint32_t rtl_publish(const struct nm_dev *d, uint64_t *cell)
{
    const struct rtl8139_regs *r = d->regs;
    const union rtl8139_file *f = &r->file;
    const uint64_t value[NCELLS / 2] = {
        f->tsd[0],
        f->tsd[1],
        f->tsd[2],
        f->tsd[3],
        f->cr | (rtl8139_ring_is_empty(r) ? RTL_CR_BUFE : 0u),
        f->capr,
        f->cbr,
        f->imr,
        f->isr,
        f->rcr,
        f->mpc,
        f->cr9346 | (r->ee.data_out ? RTL_9346_EEDO : 0u),
        f->msr,
        f->bmsr,
    };
    const uint32_t half = (1u << NCELLS / 2) - 1;

    memcpy(cell, value, sizeof(value));
    memcpy(cell + NCELLS / 2, value, sizeof(value));
    return (answers(r, RTL8139_BAR_IO) ? half : 0) |
           (answers(r, RTL8139_BAR_MEM) ? half << NCELLS / 2 : 0);
}

static unsigned rtl_windows(const struct nm_dev *d, struct nm_window *w, unsigned max)
{
    const struct rtl8139_regs *r = d->regs;

    return pci_windows(spec_of(d), &r->pci, w, max);
}

/* --- states from outside --- */

static bool notes_valid(const struct rtl8139_notes *n, unsigned most)
{
    return n->epoch <= 0xffffff && n->first < RTL8139_RING && n->count <= most && !n->reserved[0] &&
           !n->reserved[1];
}

static bool rings_valid(const struct rtl8139_regs *r)
{
    for (unsigned q = 0; q < RTL_NQUEUES; q++)
        if (!notes_valid(&r->tx[q].notes, RTL8139_RING) || r->tx[q].next >= RTL8139_RING)
            return false;
    return notes_valid(&r->rx.notes, RTL8139_RX_NOTES) && r->rx.next < RTL8139_RING &&
           r->tx_next < RTL8139_NTX;
}

static int rtl_validate(const struct nm_dev *d, const char **why)
{
    const struct rtl8139_regs *r = d->regs;

    if (pci_validate(spec_of(d), &r->pci, why))
        return -EPROTO;
    *why = "a register of the RTL8139 has bits it cannot have";
    if (!rtl8139_file_valid(d))
        return -EPROTO;
    *why = "the RTL8139 is at a descriptor that no ring has";
    if (!rings_valid(r))
        return -EPROTO;
    *why = "the RTL8139's EEPROM is in a state that it cannot be in";
    return ee93c46_valid(&r->ee) ? 0 : -EPROTO;
}

static uint32_t rtl_lines(const struct nm_dev *d)
{
    const struct rtl8139_regs *r = d->regs;

    return interrupting(r) && !(pci_read(&r->pci, PCI_COMMAND, 2) & PCI_COMMAND_INTX_DISABLE);
}

#define RTL8139_MODEL                                                                              \
    .version = 1, .regs_size = sizeof(struct rtl8139_regs),                                        \
    .ram_size = sizeof(struct rtl8139_ram), .pci = true, .ranges = ranges, .cells = cells,         \
    .ncells = NCELLS, .init = rtl_init, .reset = rtl_reset, .access = rtl_access,                  \
    .poll = rtl_poll, .pending = rtl_pending, .committed = rtl_committed,                          \
    .can_receive = rtl8139_can_receive, .waiting = rtl8139_waiting, .receive = rtl8139_receive,    \
    .publish = rtl_publish, .windows = rtl_windows, .validate = rtl_validate, .lines = rtl_lines

const struct nm_model nm_rtl8139 = {
    .name = "rtl8139", .title = "Realtek RTL8139C, PCI", .nranges = NRANGES_C, RTL8139_MODEL};

const struct nm_model nm_rtl8139cp = {.name = "rtl8139cp",
                                      .title = "Realtek RTL8139C+, PCI",
                                      .nranges = NRANGES_CPLUS,
                                      RTL8139_MODEL};
