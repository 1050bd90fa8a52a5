/* SPDX-License-Identifier: BSD-3-Clause */
/* PCI configuration mechanism 1, and ports that follow the command register and the BAR. */
#include "access.h"

#define HEADER     0x40 /* bytes */
#define BAR_MASK   0xfffcu
#define BAR_SIZE   0x20
#define CR_STOPPED 0x21

/* A register in each size and at each offset gives the same bytes. */
static void read(const struct access_rig *r)
{
    for (unsigned reg = 0; reg < HEADER; reg += 4) {
        uint32_t whole = pci_read(r->pci_slot, reg);

        for (unsigned size = 1; size <= 2; size++) {
            for (unsigned at = 0; at + size <= 4; at++)
                expect("read", reg + at, low(whole >> 8 * at, size),
                       port_read(size, PCI_CONFIG_DATA + at));
        }
    }
}

/* Another bus, another function, and a slot without a function: all ones, writes are ignored. */
static void absent(const struct access_rig *r)
{
    static const uint32_t other[] = {0x80000000u | 1 << 16, 0x80000000u | 1 << 8};

    for (unsigned i = 0; i < 2; i++) {
        outl(PCI_CONFIG_ADDRESS, other[i] | r->pci_slot << 11);
        expect("dword", i, ~0u, inl(PCI_CONFIG_DATA));
        expect("word", i, 0xffff, inw(PCI_CONFIG_DATA + 2));
        expect("byte", i, 0xff, inb(PCI_CONFIG_DATA + 3));
        outl(PCI_CONFIG_DATA, 0);
    }
    outl(PCI_CONFIG_ADDRESS, r->pci_slot << 11); /* not enabled */
    expect("not enabled", 0, ~0u, inl(PCI_CONFIG_DATA));
}

static void address_register(const struct access_rig *r)
{
    uint32_t a = 0x80000000u | r->pci_slot << 11 | PCI_BAR0;

    outl(PCI_CONFIG_ADDRESS, a);
    expect("CONFIG_ADDRESS", 0, a, inl(PCI_CONFIG_ADDRESS));
}

/* Interrupt Line is a byte to be written; Interrupt Pin next to it is not. */
static void write(const struct access_rig *r)
{
    uint32_t before = pci_read(r->pci_slot, PCI_INTERRUPT_LINE), rest = before & ~0xffu;

    for (unsigned size = 1; size <= 4; size *= 2) {
        uint32_t v = access_random();

        pci_select(r->pci_slot, PCI_INTERRUPT_LINE);
        port_write(size, PCI_CONFIG_DATA, v);
        expect("Interrupt Line", size, rest | (v & 0xff), inl(PCI_CONFIG_DATA));
    }
    pci_write(r->pci_slot, PCI_INTERRUPT_LINE, before);
    pci_write(r->pci_slot, 0, 0);
    expect("Vendor ID", 0, 0x802910ec, pci_read(r->pci_slot, 0));
}

/* PCI Local Bus 3.0, 6.2.5.1. */
static void bar_size(const struct access_rig *r)
{
    uint32_t before = pci_read(r->pci_slot, PCI_BAR0);

    pci_write(r->pci_slot, PCI_BAR0, ~0u);
    expect("size", PCI_BAR0, 0x10000 - BAR_SIZE, pci_read(r->pci_slot, PCI_BAR0) & BAR_MASK);
    pci_write(r->pci_slot, PCI_BAR0, before);
    expect("BAR", PCI_BAR0, before, pci_read(r->pci_slot, PCI_BAR0));
}

static void expect_card(const char *what, uint16_t port, bool there)
{
    outb(port + REG_CR, CR_STOPPED);
    expect(what, port, there ? CR_STOPPED : 0xff, inb(port + REG_CR));
}

static void command(const struct access_rig *r)
{
    uint16_t port = pci_read(r->pci_slot, PCI_BAR0) & BAR_MASK;
    uint32_t on = pci_read(r->pci_slot, PCI_COMMAND) | PCI_COMMAND_IO;

    pci_write(r->pci_slot, PCI_COMMAND, on);
    expect_card("decoding", port, true);
    pci_write(r->pci_slot, PCI_COMMAND, on & ~PCI_COMMAND_IO);
    expect_card("not decoding", port, false);
    pci_select(r->pci_slot, PCI_COMMAND);
    outb(PCI_CONFIG_DATA, on); /* the low byte alone */
    expect_card("decoding again", port, true);
}

static void bar_move(const struct access_rig *r)
{
    uint32_t bar = pci_read(r->pci_slot, PCI_BAR0);
    uint16_t from = bar & BAR_MASK, to = from ^ 0x1000;

    expect_card("before", from, true);
    pci_write(r->pci_slot, PCI_BAR0, to);
    expect_card("new place", to, true);
    expect_card("old place", from, false);
    pci_select(r->pci_slot, PCI_BAR0);
    outw(PCI_CONFIG_DATA, bar); /* the low half alone */
    expect_card("moved back", from, true);
    expect_card("left place", to, false);
}

const struct access_kind pci_kinds[] = {
    {"pci_read", read, NEEDS_PCI},         {"pci_write", write, NEEDS_PCI},
    {"pci_absent", absent, NEEDS_PCI},     {"pci_address", address_register, NEEDS_PCI},
    {"pci_bar_size", bar_size, NEEDS_PCI}, {"pci_command", command, NEEDS_PCI},
    {"pci_bar_move", bar_move, NEEDS_PCI}, {NULL, NULL, 0},
};
