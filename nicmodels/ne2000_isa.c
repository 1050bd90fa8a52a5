/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Novell NE2000, ISA: a DP8390 with 16 KB of buffer memory at local address 0x4000.
 * The port window can also be seen in memory (mmio_base), for guests without ports.
 */
#include <errno.h>

#include "models.h"
#include "ne2000.h"

#define BUFFER       0x4000 /* local address */
#define BUFFER_SIZE  0x4000 /* bytes */
#define DEFAULT_BASE 0x300
#define DEFAULT_IRQ  9

struct ne2000_regs {
    struct dp8390 chip; /* first: dp8390_of() */
    uint64_t mmio_base; /* 0: nowhere */
    uint16_t io_base;
    uint8_t irq; /* where the jumper is */
    uint8_t reserved[5];
};
_Static_assert(sizeof(struct ne2000_regs) == sizeof(struct dp8390) + 16, "no padding");

static const struct dp8390_board board = {
    .map = {{.base = 0, .size = NE2000_PROM_SIZE, .at = BUFFER_SIZE, .flags = DP8390_MAP_ROM},
            {.base = BUFFER, .size = BUFFER_SIZE, .at = 0}},
};

static int check_place(uint32_t io_base, uint64_t mmio_base, unsigned irq, const char **why)
{
    if (io_base % NE2000_PORTS || !io_base)
        *why = "io_base: must be a multiple of 0x20 from 0x20 to 0xffe0";
    else if (mmio_base % NE2000_PORTS)
        *why = "mmio_base: must be a multiple of 0x20";
    else if (!irq || irq > 15)
        *why = "irq: an ISA board has lines 1 to 15";
    else
        return 0;
    return -EINVAL;
}

static int isa_init(struct nm_dev *d, const struct nm_params *p, const char **why)
{
    struct ne2000_regs *r = d->regs;
    struct dp8390_chip c = dp8390_of(d, &board);
    uint16_t io_base = p->io_base ? p->io_base : DEFAULT_BASE;
    uint8_t irq = p->irq ? p->irq : DEFAULT_IRQ;
    int err = nm_check_mac(p->mac, why);

    if (!err)
        err = check_place(io_base, p->mmio_base, irq, why);
    if (err)
        return err;
    r->io_base = io_base;
    r->irq = irq;
    r->mmio_base = p->mmio_base;
    ne2000_prom(d->ram + BUFFER_SIZE, p->mac);
    dp8390_reset(&c);
    return 0;
}

static void isa_reset(struct nm_dev *d)
{
    struct dp8390_chip c = dp8390_of(d, &board);

    dp8390_reset(&c);
}

static enum nm_status isa_access(struct nm_dev *d, struct nm_access *a)
{
    struct dp8390_chip c = dp8390_of(d, &board);

    return a->region == 0 ? ne2000_access(&c, a) : NM_UNCLAIMED;
}

static bool isa_can_receive(const struct nm_dev *d, size_t len)
{
    struct dp8390_chip c = dp8390_of(d, &board);

    return dp8390_can_receive(&c, len);
}

static void isa_waiting(struct nm_dev *d)
{
    struct dp8390_chip c = dp8390_of(d, &board);

    dp8390_waiting(&c);
}

static void isa_receive(struct nm_dev *d, const void *frame, size_t len)
{
    struct dp8390_chip c = dp8390_of(d, &board);

    dp8390_receive(&c, frame, len);
}

static uint32_t isa_publish(const struct nm_dev *d, uint64_t *cell)
{
    struct dp8390_chip c = dp8390_of(d, &board);

    return ne2000_publish(&c, cell);
}

static unsigned isa_windows(const struct nm_dev *d, struct nm_window *w, unsigned max)
{
    const struct ne2000_regs *r = d->regs;
    unsigned n = 0;

    if (n < max)
        w[n++] = (struct nm_window){
            .region = 0, .space = NM_SPACE_PIO, .size = NE2000_PORTS, .base = r->io_base};
    if (n < max && r->mmio_base)
        w[n++] = (struct nm_window){
            .region = 0, .space = NM_SPACE_MMIO, .size = NE2000_PORTS, .base = r->mmio_base};
    return n;
}

static int isa_validate(const struct nm_dev *d, const char **why)
{
    const struct ne2000_regs *r = d->regs;

    if (check_place(r->io_base, r->mmio_base, r->irq, why))
        return -EPROTO;
    return dp8390_validate(&r->chip, why);
}

static uint32_t isa_lines(const struct nm_dev *d)
{
    return dp8390_interrupting(d->regs);
}

const struct nm_model nm_ne2000 = {
    .name = "ne2000",
    .title = "NE2000 (DP8390), ISA",
    .version = 1,
    .regs_size = sizeof(struct ne2000_regs),
    .ram_size = BUFFER_SIZE + NE2000_PROM_SIZE,
    .ranges = ne2000_ranges,
    .nranges = NE2000_NRANGES,
    .cells = ne2000_cells,
    .ncells = NE2000_NCELLS,
    .init = isa_init,
    .reset = isa_reset,
    .access = isa_access,
    .can_receive = isa_can_receive,
    .waiting = isa_waiting,
    .receive = isa_receive,
    .publish = isa_publish,
    .windows = isa_windows,
    .validate = isa_validate,
    .lines = isa_lines,
};
