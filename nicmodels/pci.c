/* SPDX-License-Identifier: BSD-3-Clause */
#include "pci.h"

#include <errno.h>
#include <string.h>

#include "access.h"

#define BAR_PIO          0x1u
#define BAR_MEM64        0x4u
#define BAR_PREFETCHABLE 0x8u
#define ROM_ENABLE       0x1u

static uint32_t bar_flags(const struct pci_bar *b)
{
    switch (b->kind) {
    case PCI_BAR_PIO: return BAR_PIO;
    case PCI_BAR_MEM32: return b->prefetchable ? BAR_PREFETCHABLE : 0;
    case PCI_BAR_MEM64: return BAR_MEM64 | (b->prefetchable ? BAR_PREFETCHABLE : 0);
    default: return 0;
    }
}

/* The address bits of a BAR: those above its size (6.2.5.1, "determining memory and I/O size"). */
static uint64_t bar_address_mask(const struct pci_bar *b)
{
    uint64_t bits = b->kind == PCI_BAR_MEM64 ? UINT64_MAX : UINT32_MAX;

    return b->kind == PCI_BAR_NONE ? 0 : ~(b->size - 1) & bits;
}

static uint32_t bar_writable(const struct pci_spec *s, unsigned i)
{
    if (i > 0 && s->bar[i - 1].kind == PCI_BAR_MEM64)
        return (uint32_t)(bar_address_mask(&s->bar[i - 1]) >> 32);
    return (uint32_t)bar_address_mask(&s->bar[i]);
}

static uint32_t rom_address_mask(const struct pci_spec *s)
{
    return s->rom_size ? ~(s->rom_size - 1) : 0;
}

/* Where capability i begins. */
static unsigned cap_offset(const struct pci_spec *s, unsigned i)
{
    unsigned at = PCI_CAP_BASE;

    while (i--)
        at += (s->caps[i].len + 3u) & ~3u;
    return at;
}

static uint8_t cap_writable(const struct pci_spec *s, unsigned offset)
{
    for (unsigned i = 0; i < s->ncaps; i++) {
        unsigned at = cap_offset(s, i);

        if (offset >= at && offset < at + s->caps[i].len)
            return s->caps[i].writable ? s->caps[i].writable[offset - at] : 0;
    }
    return 0;
}

/* The writable bits of the double word at `dw`, a multiple of four below PCI_CAP_BASE. */
static uint32_t header_writable(const struct pci_spec *s, unsigned dw)
{
    /* A device that is never a master need not have these two (6.2.4, 6.2.1). */
    uint32_t master = s->command_writable & PCI_COMMAND_MASTER ? 0xffff : 0;

    if (dw >= PCI_BAR0 && dw < PCI_BAR0 + 4 * PCI_NBARS)
        return bar_writable(s, (dw - PCI_BAR0) / 4);
    switch (dw) {
    case PCI_COMMAND: return s->command_writable;
    case PCI_CACHE_LINE_SIZE: return master;
    case PCI_ROM_BAR: return s->rom_size ? rom_address_mask(s) | ROM_ENABLE : 0;
    case PCI_INTERRUPT_LINE: return 0xff;
    default: return 0;
    }
}

static uint8_t writable(const struct pci_spec *s, unsigned offset)
{
    if (offset >= PCI_CAP_BASE)
        return cap_writable(s, offset);
    return (uint8_t)(header_writable(s, offset & ~3u) >> 8 * (offset & 3));
}

static uint8_t write_one_to_clear(unsigned offset)
{
    return offset == PCI_STATUS + 1 ? PCI_STATUS_W1C >> 8 : 0;
}

static void put(struct pci_func *f, unsigned offset, unsigned size, uint32_t value)
{
    nm_put_le(f->cfg + offset, value, size);
}

static void reset_caps(const struct pci_spec *s, struct pci_func *f)
{
    if (!s->ncaps)
        return;
    put(f, PCI_CAP_PTR, 1, PCI_CAP_BASE);
    for (unsigned i = 0; i < s->ncaps; i++) {
        unsigned at = cap_offset(s, i);

        memcpy(f->cfg + at, s->caps[i].reset, s->caps[i].len);
        put(f, at + 1, 1, i + 1 < s->ncaps ? cap_offset(s, i + 1) : 0);
    }
}

void pci_reset(const struct pci_spec *s, struct pci_func *f)
{
    memset(f, 0, sizeof(*f));
    put(f, PCI_VENDOR_ID, 2, s->vendor_id);
    put(f, PCI_DEVICE_ID, 2, s->device_id);
    put(f, PCI_STATUS, 2, s->status | (s->ncaps ? PCI_STATUS_CAP_LIST : 0));
    put(f, PCI_REVISION_ID, 1, s->revision_id);
    put(f, PCI_CLASS_CODE, 3, s->class_code);
    for (unsigned i = 0; i < PCI_NBARS; i++)
        put(f, PCI_BAR0 + 4 * i, 4, bar_flags(&s->bar[i]));
    put(f, PCI_SUBSYSTEM_VENDOR_ID, 2, s->subsystem_vendor_id);
    put(f, PCI_SUBSYSTEM_ID, 2, s->subsystem_id);
    put(f, PCI_INTERRUPT_PIN, 1, s->interrupt_pin);
    put(f, PCI_MIN_GNT, 1, s->min_gnt);
    put(f, PCI_MAX_LAT, 1, s->max_lat);
    reset_caps(s, f);
}

uint64_t pci_read(const struct pci_func *f, unsigned offset, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)(offset + i < PCI_CFG_SIZE ? f->cfg[offset + i] : 0xff) << 8 * i;
    return value;
}

void pci_write(const struct pci_spec *s, struct pci_func *f, unsigned offset, unsigned size,
               uint64_t value)
{
    for (unsigned i = 0; i < size && offset + i < PCI_CFG_SIZE; i++) {
        uint8_t *byte = &f->cfg[offset + i], v = (uint8_t)(value >> 8 * i);
        uint8_t w = writable(s, offset + i);

        *byte = (uint8_t)((*byte & ~w) | (v & w));
        *byte &= (uint8_t) ~(v & write_one_to_clear(offset + i));
    }
}

enum nm_status pci_config_access(const struct pci_spec *s, struct pci_func *f, struct nm_access *a)
{
    uint32_t n = a->mem ? a->count : 1;

    if (a->offset >= PCI_CFG_SIZE)
        return NM_UNCLAIMED;
    for (uint32_t i = 0; i < n; i++) {
        uint8_t *at = a->mem ? nm_element(a, i) : NULL;

        if (at && a->write)
            a->data = nm_get_le(at, a->size);
        if (a->write)
            pci_write(s, f, (unsigned)a->offset, a->size, a->data);
        else
            a->data = pci_read(f, (unsigned)a->offset, a->size);
        if (at && !a->write)
            nm_put_le(at, a->data, a->size);
    }
    a->done_count = n;
    return NM_DONE;
}

static uint64_t bar_base(const struct pci_spec *s, const struct pci_func *f, unsigned i)
{
    if (i == PCI_NBARS)
        return pci_read(f, PCI_ROM_BAR, 4) & rom_address_mask(s);
    return pci_read(f, PCI_BAR0 + 4 * i, s->bar[i].kind == PCI_BAR_MEM64 ? 8 : 4) &
           bar_address_mask(&s->bar[i]);
}

static bool is_pio(const struct pci_spec *s, unsigned i)
{
    return i < PCI_NBARS && s->bar[i].kind == PCI_BAR_PIO;
}

static uint64_t bar_size(const struct pci_spec *s, unsigned i)
{
    if (i == PCI_NBARS)
        return s->rom_size;
    return s->bar[i].kind == PCI_BAR_NONE ? 0 : s->bar[i].size;
}

/* Where a window must end at the latest. One that ends with the address space was left by sizing;
 * not so for ports, where sizing leaves bits above the 16 a port number has. */
static uint64_t limit(const struct pci_spec *s, unsigned i)
{
    if (is_pio(s, i))
        return UINT16_MAX + 1;
    return i < PCI_NBARS && s->bar[i].kind == PCI_BAR_MEM64 ? UINT64_MAX : UINT32_MAX;
}

bool pci_decodes(const struct pci_spec *s, const struct pci_func *f, unsigned i, uint64_t *base)
{
    uint16_t command = (uint16_t)pci_read(f, PCI_COMMAND, 2);

    if (!bar_size(s, i) || !(command & (is_pio(s, i) ? PCI_COMMAND_IO : PCI_COMMAND_MEM)))
        return false;
    if (i == PCI_NBARS && !(f->cfg[PCI_ROM_BAR] & ROM_ENABLE))
        return false;
    *base = bar_base(s, f, i);
    return *base && *base <= limit(s, i) - bar_size(s, i);
}

unsigned pci_windows(const struct pci_spec *s, const struct pci_func *f, struct nm_window *w,
                     unsigned max)
{
    unsigned n = 0;

    for (unsigned i = 0; i <= PCI_NBARS && n < max; i++) {
        struct nm_window win = {.size = bar_size(s, i),
                                .region = (uint8_t)(i < PCI_NBARS ? i : NM_REGION_ROM)};

        if (!win.size)
            continue;
        if (pci_decodes(s, f, i, &win.base))
            win.space = is_pio(s, i) ? NM_SPACE_PIO : NM_SPACE_MMIO;
        else
            win.base = 0;
        w[n++] = win;
    }
    return n;
}

bool pci_set_interrupt(struct pci_func *f, bool asserted)
{
    if (asserted)
        f->cfg[PCI_STATUS] |= PCI_STATUS_INTERRUPT;
    else
        f->cfg[PCI_STATUS] &= (uint8_t)~PCI_STATUS_INTERRUPT;
    return asserted && !(pci_read(f, PCI_COMMAND, 2) & PCI_COMMAND_INTX_DISABLE);
}

int pci_validate(const struct pci_spec *s, const struct pci_func *f, const char **why)
{
    struct pci_func fresh;

    pci_reset(s, &fresh);
    for (unsigned i = 0; i < PCI_CFG_SIZE; i++) {
        uint8_t may = writable(s, i) | write_one_to_clear(i);

        if (i == PCI_STATUS)
            may |= PCI_STATUS_INTERRUPT;
        if ((f->cfg[i] ^ fresh.cfg[i]) & ~may) {
            *why = "the PCI configuration space differs where it cannot be written";
            return -EPROTO;
        }
    }
    return 0;
}
