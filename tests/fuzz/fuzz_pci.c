/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A PCI configuration space of any shape under any accesses. Checked: read-only bits stay, windows
 * lie where their BARs say and inside their space, every state it comes to is valid.
 */
#include <stdlib.h>
#include <string.h>

#include "../../nicmodels/pci.h"
#include "input.h"

static const uint8_t cap_reset[2][12] = {{0x05, 0, 0x80}, {0x01, 0, 0x03}};
static const uint8_t cap_writable[12] = {0, 0, 0x71, 0, 0xfc, 0xff, 0xff, 0xff};

/* A function as a model's author could describe it. */
static void make_spec(struct input *in, struct pci_spec *s, struct pci_cap caps[2])
{
    uint8_t shape = (uint8_t)take(in, 1);

    *s = (struct pci_spec){.vendor_id = 0x10ec, .device_id = 0x8029, .interrupt_pin = 1};
    s->command_writable = (uint16_t)take(in, 2);
    for (unsigned i = 0; i < PCI_NBARS; i++) {
        struct pci_bar *b = &s->bar[i];

        b->kind = (uint8_t)(take(in, 1) % 4);
        if (b->kind == PCI_BAR_MEM64 && i == PCI_NBARS - 1)
            b->kind = PCI_BAR_NONE;
        b->size = b->kind == PCI_BAR_PIO     ? 4ull << take(in, 1) % 7
                  : b->kind == PCI_BAR_MEM64 ? 16ull << take(in, 1) % 56
                                             : 16ull << take(in, 1) % 28;
        b->prefetchable = shape & 1;
        if (b->kind == PCI_BAR_MEM64)
            s->bar[++i] = (struct pci_bar){.kind = PCI_BAR_NONE};
    }
    s->rom_size = shape & 2 ? 2048u << take(in, 1) % 14 : 0;
    for (unsigned i = 0; i < 2; i++)
        caps[i] = (struct pci_cap){.len = (uint8_t)(2 + (shape >> 4) % 11),
                                   .reset = cap_reset[i],
                                   .writable = i ? NULL : cap_writable};
    s->caps = caps;
    s->ncaps = shape >> 2 & 3 ? (shape >> 2 & 3) - 1u : 0;
}

static void check(const struct pci_spec *s, const struct pci_func *f)
{
    struct nm_window w[NM_MAX_REGIONS];
    const char *why;
    unsigned n = pci_windows(s, f, w, NM_MAX_REGIONS);

    CHECK(pci_validate(s, f, &why) == 0);
    CHECK(n <= PCI_NBARS + 1);
    for (unsigned i = 0; i < n; i++) {
        CHECK(w[i].size && !(w[i].size & (w[i].size - 1)));
        if (w[i].space == NM_SPACE_NONE)
            continue;
        CHECK(w[i].base && !(w[i].base & (w[i].size - 1)));
        CHECK(w[i].base + (w[i].size - 1) > w[i].base);
        if (w[i].space == NM_SPACE_PIO)
            CHECK(w[i].base + w[i].size <= 0x10000);
    }
}

static void do_access(const struct pci_spec *s, struct pci_func *f, struct input *in)
{
    uint8_t op = (uint8_t)take(in, 1), mem[64] = {0};
    struct nm_access a = {.offset = take(in, op & 1 ? 1 : 2), .count = 1};

    a.size = (uint8_t)(1u << (op >> 1 & 3));
    a.write = op & 8;
    if (a.write)
        a.data = take(in, a.size);
    if (op & 16) {
        a.count = 1 + (op >> 6);
        a.down = op & 32;
        a.mem = a.down ? mem + (a.count - 1) * a.size : mem;
        for (unsigned i = 0; i < 8; i++)
            mem[i] = (uint8_t)(a.data >> 8 * i);
    }
    CHECK(pci_config_access(s, f, &a) == (a.offset < PCI_CFG_SIZE ? NM_DONE : NM_UNCLAIMED));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    struct pci_cap caps[2];
    struct pci_func *f = malloc(sizeof(*f));
    struct pci_spec s;

    CHECK(f);
    make_spec(&in, &s, caps);
    pci_reset(&s, f);
    while (in.left) {
        do_access(&s, f, &in);
        if (take(&in, 1) & 1)
            pci_set_interrupt(f, in.left & 1);
    }
    check(&s, f);
    free(f);
    return 0;
}
