/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The PCI root as the VMM sees it: configuration mechanism 1 (PCI Local Bus 3.0, 3.2.2.3.2), on
 * platform "pc" also the enhanced one (PCI Express 3.0, 7.2.2) and a host bridge, and what firmware
 * does before an operating system runs. The functions' configuration space itself is the device
 * model's.
 */
#include <errno.h>
#include <string.h>

#include "../nicmodels/pci.h"
#include "../nicmodels/pci_assign.h"
#include "bus_priv.h"
#include "pc.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA    0xcfc
#define CONFIG_ENABLE  0x80000000u

#define FIRST_PIO  PC_PIO      /* where firmware would put I/O BARs */
#define FIRST_MMIO 0x7e000000u /* memory BARs: below 2 GiB, where each engine can trap them */

static struct bus_dev *by_slot(struct vm_bus *b, unsigned slot)
{
    for (unsigned i = 0; i < b->ndevs; i++)
        if (b->devs[i]->info.pci && b->devs[i]->pci_slot == slot)
            return b->devs[i];
    return NULL;
}

static int config_access(struct bus_dev *d, unsigned vcpu, bool write, unsigned reg, unsigned size,
                         uint64_t *data)
{
    struct iotp_req r = {
        .offset = reg,
        .data = *data,
        .count = 1,
        .device = d->index,
        .region = NM_REGION_CONFIG,
        .op = write ? IOTP_OP_WRITE : IOTP_OP_READ,
        .size = (uint8_t)size,
    };
    struct iotp_resp resp;
    int err = bus_access(d, vcpu, &r, &resp);

    if (!err)
        *data = resp.data;
    return err;
}

static int config_read(struct bus_dev *d, unsigned vcpu, unsigned reg, uint64_t *data)
{
    *data = 0;
    return config_access(d, vcpu, false, reg, 4, data);
}

/* Does a write to this register move windows? */
static bool moves_windows(unsigned reg)
{
    return reg < PCI_BAR0 + 4 * PCI_NBARS && reg + 4 > PCI_COMMAND;
}

int bus_refresh_pci(struct vm_bus *b, struct bus_dev *d, unsigned vcpu)
{
    uint64_t command, bar, high = 0;
    int err = config_read(d, vcpu, PCI_COMMAND, &command);

    for (unsigned i = 0; i < d->info.nwindows && !err; i++) {
        const struct iotp_window *w = &d->info.window[i];
        uint8_t space;
        uint64_t base;

        if (w->region >= PCI_NBARS)
            continue;
        err = config_read(d, vcpu, PCI_BAR0 + 4 * w->region, &bar);
        if (err)
            break;
        space = bar & 1 ? NM_SPACE_PIO : NM_SPACE_MMIO;
        base = bar & 1 ? bar & ~3u : bar & ~0xfu;
        if (!(bar & 1) && (bar & 6) == 4) {
            err = config_read(d, vcpu, PCI_BAR0 + 4 * (w->region + 1), &high);
            base |= high << 32;
        }
        if (!(command & (bar & 1 ? PCI_COMMAND_IO : PCI_COMMAND_MEM)))
            space = NM_SPACE_NONE;
        bus_move_window(b, d, w->region, space, base);
    }
    return err;
}

/* Intel 82441FX, as every PC emulator has it: Linux knows it and leaves it alone. */
static const struct pci_spec bridge = {
    .vendor_id = 0x8086, .device_id = 0x1237, .class_code = 0x060000, .revision_id = 2};

static void bridge_access(unsigned reg, struct vm_io *io)
{
    struct pci_func f;

    pci_reset(&bridge, &f);
    if (!io->write)
        io->data = pci_read(&f, reg, io->size);
}

/* An access inside a double word of a function's configuration space. Only function 0 is there. */
static int function_access(struct vm_bus *b, unsigned vcpu, unsigned devfn, unsigned reg,
                           struct vm_io *io)
{
    struct bus_dev *d = devfn & 7 ? NULL : by_slot(b, devfn >> 3);
    int err;

    io->done_count = 1;
    if (devfn == 0 && b->vm->pc) {
        bridge_access(reg, io);
        return 0;
    }
    if (!d || reg >= PCI_CFG_SIZE) {
        io->data = io->write ? io->data : 0xffffffffu >> (32 - 8 * io->size);
        return 0;
    }
    err = config_access(d, vcpu, io->write, reg, io->size, &io->data);
    if (!err && io->write && moves_windows(reg))
        err = bus_refresh_pci(b, d, vcpu);
    return err;
}

static int data_port(struct vm_bus *b, unsigned vcpu, struct vm_io *io)
{
    uint32_t a = __atomic_load_n(&b->config_address, __ATOMIC_RELAXED);

    /* only bus 0; a configuration access never crosses its double word */
    if (!(a & CONFIG_ENABLE) || a & 0xff0000 || (io->addr & 3) + io->size > 4) {
        io->data = io->write ? io->data : 0xffffffffu >> (32 - 8 * (io->size > 4 ? 4 : io->size));
        return 0;
    }
    return function_access(b, vcpu, a >> 8 & 0xff, (a & 0xfc) + (io->addr & 3), io);
}

/* Eight bytes, or what crosses a double word, go a byte at a time: nobody does that on purpose. */
bool pci_root_ecam(struct vm_bus *b, unsigned vcpu, struct vm_io *io, int *err)
{
    uint64_t at = io->addr - PC_ECAM, value = 0;

    if (!b->vm->pc || io->addr < PC_ECAM || at + io->size > PC_ECAM_SIZE || io->string)
        return false;
    io->done_count = 1;
    if ((at & 3) + io->size <= 4) {
        *err = function_access(b, vcpu, at >> 12, at & 0xfff, io);
        return true;
    }
    *err = 0;
    for (unsigned i = 0; i < io->size && !*err; i++) {
        struct vm_io one = {
            .space = VM_MMIO, .write = io->write, .size = 1, .data = io->data >> 8 * i & 0xff};

        *err = function_access(b, vcpu, (at + i) >> 12, (at + i) & 0xfff, &one);
        value |= (one.data & 0xff) << 8 * i;
    }
    io->data = io->write ? io->data : value;
    return true;
}

bool pci_root_port(struct vm_bus *b, unsigned vcpu, struct vm_io *io, int *err)
{
    if (io->addr < CONFIG_ADDRESS || io->addr > CONFIG_DATA + 3 || io->string)
        return false;
    io->done_count = 1;
    if (io->addr >= CONFIG_DATA) {
        *err = data_port(b, vcpu, io);
        return true;
    }
    if (io->addr != CONFIG_ADDRESS || io->size != 4)
        return false;
    if (io->write)
        __atomic_store_n(&b->config_address, (uint32_t)io->data, __ATOMIC_RELAXED);
    else
        io->data = __atomic_load_n(&b->config_address, __ATOMIC_RELAXED);
    return true;
}

/* pci_config.access of a device on the bus. */
static int assign_access(void *ctx, bool write, unsigned reg, unsigned size, uint64_t *data)
{
    return config_access(ctx, 0, write, reg, size, data);
}

static unsigned bars_of(const struct bus_dev *d)
{
    unsigned bars = 0;

    for (unsigned i = 0; i < d->info.nwindows; i++)
        if (d->info.window[i].region < PCI_NBARS)
            bars |= 1u << d->info.window[i].region;
    return bars;
}

int bus_assign_pci(struct vm_bus *b)
{
    struct pci_room room = {.pio = FIRST_PIO, .mmio = b->vm->pc ? PC_MMIO : FIRST_MMIO};
    int err = 0;

    for (unsigned n = 0; n < b->ndevs && !err; n++) {
        struct bus_dev *d = b->devs[n];
        struct pci_config config = {.access = assign_access, .ctx = d};

        if (!d->info.pci)
            continue;
        err = pci_assign(&config, bars_of(d), d->irq, &room);
        if (!err)
            err = bus_refresh_pci(b, d, 0);
    }
    return err;
}
