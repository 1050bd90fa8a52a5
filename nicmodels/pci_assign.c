/* SPDX-License-Identifier: BSD-3-Clause */
#include "pci_assign.h"

#include <errno.h>

#include "pci.h"

static int put(const struct pci_config *c, unsigned reg, unsigned size, uint64_t value)
{
    return c->access(c->ctx, true, reg, size, &value);
}

/* The next `size` addresses below `end`, aligned as a BAR's must be. @return 0 or -ENOSPC */
static int take_room(uint32_t *next, uint64_t size, uint64_t end, uint64_t *at)
{
    *at = (*next + size - 1) / size * size;
    if (*at + size > end)
        return -ENOSPC;
    *next = (uint32_t)(*at + size);
    return 0;
}

/* Asks BAR i what it wants (PCI Local Bus 3.0, 6.2.5.1) and gives it the next free range. */
static int assign_bar(const struct pci_config *c, unsigned i, struct pci_room *room)
{
    unsigned reg = PCI_BAR0 + 4 * i;
    uint64_t mask = 0, at;
    uint32_t size;
    int err = put(c, reg, 4, 0xffffffffu);

    if (!err)
        err = c->access(c->ctx, false, reg, 4, &mask);
    if (err || !mask)
        return err;
    size = (uint32_t) ~(mask & (mask & 1 ? ~3u : ~0xfu)) + 1;
    if (mask & 1)
        size &= 0xffff;
    if (!size)
        return 0;
    err = mask & 1 ? take_room(&room->pio, size, UINT16_MAX + 1ull, &at)
                   : take_room(&room->mmio, size, UINT32_MAX, &at);
    return err ? err : put(c, reg, 4, at);
}

int pci_assign(const struct pci_config *c, unsigned bars, uint8_t irq, struct pci_room *room)
{
    int err = 0;

    for (unsigned i = 0; i < PCI_NBARS && !err; i++)
        if (bars >> i & 1)
            err = assign_bar(c, i, room);
    if (!err)
        err = put(c, PCI_INTERRUPT_LINE, 1, irq);
    if (!err)
        err = put(c, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEM | PCI_COMMAND_MASTER);
    return err;
}
