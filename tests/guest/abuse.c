/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mode=abuse: a bounded number of meaningless accesses to every register, with whatever DMA
 * settings come out of that, by all vCPUs at a time. Nothing is expected of the device but that it
 * survives. Under Xen the guest also takes the memory away that strings go to, while they do.
 */
#include "guest.h"

#define REGISTERS      0x20
#define DEFAULT_ROUNDS 20000
#define PAGE           4096
#define SCRATCH        (4 * PAGE)
#define HOLE           0xc0000000u /* no memory there: a small domain ends long before */

static uint64_t seeds[MAX_VCPUS];
static uint8_t scratch[SCRATCH] __attribute__((aligned(PAGE)));
static struct nic *nic;
static const struct options *options;
static uint32_t rounds;
static int slot; /* of an RTL8029, -1: none */
static uint32_t bar, command;

static uint32_t next(unsigned vcpu)
{
    return random32(&seeds[vcpu]);
}

static void port_access(unsigned vcpu, uint16_t port)
{
    uint32_t v = next(vcpu);

    switch (next(vcpu) % 6) {
    case 0: inb(port); break;
    case 1: inw(port); break;
    case 2: inl(port); break;
    case 3: outb(port, v); break;
    case 4: outw(port, v); break;
    case 5: outl(port, v); break;
    }
}

/* In a page, over pages, and (Xen) from memory into the hole and where there is none at all. */
static uint8_t *string_place(unsigned vcpu)
{
    if (on_xen() && next(vcpu) % 4 == 0)
        return (uint8_t *)(uintptr_t)(HOLE - PAGE + next(vcpu) % (2 * PAGE));
    return scratch + next(vcpu) % (SCRATCH / 2);
}

static void string_access(unsigned vcpu, uint16_t port)
{
    uint64_t words = next(vcpu) % (SCRATCH / 4) + 1;
    uint8_t *at = string_place(vcpu);

    if (next(vcpu) & 1)
        insw(port, at, words);
    else
        outsw(port, at, words);
    if (on_xen() && next(vcpu) % 4 == 0)
        xen_replace_page(scratch + next(vcpu) % 4 * PAGE);
}

static void mmio_access(unsigned vcpu, uintptr_t at)
{
    uint32_t v = next(vcpu);

    switch (next(vcpu) % 4) {
    case 0: (void)*(volatile uint8_t *)at; break;
    case 1: *(volatile uint8_t *)at = v; break;
    case 2: (void)*(volatile uint64_t *)at; break; /* unaligned, across the window's end */
    case 3: *(volatile uint64_t *)at = v; break;
    }
}

/* Only Xen routes ports so that a BAR can lie on the ports of configuration itself, and harm none
 * but the guest: elsewhere it stays above what belongs to the platform. */
static void config_access(unsigned vcpu)
{
    unsigned reg = next(vcpu) % 0x100;
    uint32_t v = next(vcpu);

    if ((reg & ~3u) == PCI_BAR0 && !on_xen())
        v |= 0x1000;
    pci_select(slot, reg);
    switch (next(vcpu) % 4) {
    case 0: outb(PCI_CONFIG_DATA + reg % 4, v); break;
    case 1: outw(PCI_CONFIG_DATA + reg % 4, v); break;
    case 2: outl(PCI_CONFIG_DATA, v); break;
    case 3: inl(PCI_CONFIG_DATA + reg % 4); break;
    }
}

static void restore_config(void)
{
    pci_write(slot, PCI_BAR0, bar);
    pci_write(slot, PCI_COMMAND, command);
}

static void one(unsigned vcpu)
{
    uint32_t reg = next(vcpu) % REGISTERS;

    if (next(vcpu) % 64 == 0)
        string_access(vcpu, nic->port + reg);
    else if (options->mmio && (next(vcpu) & 1))
        mmio_access(vcpu, options->mmio + reg);
    else
        port_access(vcpu, nic->port + reg);
    if (next(vcpu) % 16 == 0)
        outb(nic->port, 0x22 | (next(vcpu) & 0xdc)); /* started, so that something happens */
    if (slot >= 0 && next(vcpu) % 32 == 0)
        config_access(vcpu);
    if (slot >= 0 && next(vcpu) % 128 == 0)
        restore_config();
}

static void abuse(unsigned vcpu)
{
    for (uint32_t i = 0; i < rounds; i++)
        one(vcpu);
}

static void remember_config(void)
{
    slot = pci_find_rtl8029();
    if (slot < 0)
        return;
    bar = pci_read(slot, PCI_BAR0);
    command = pci_read(slot, PCI_COMMAND);
}

void run_abuse(struct nic *n, const struct options *o)
{
    cli();
    nic = n;
    options = o;
    rounds = o->rounds ? o->rounds : DEFAULT_ROUNDS;
    for (unsigned v = 0; v < MAX_VCPUS; v++)
        seeds[v] = (o->seed * MAX_VCPUS + v) * 0x9e3779b97f4a7c15ull + 1;
    remember_config();
    if (!vcpus_up(o->cpus) || !vcpus_do(o->cpus, abuse))
        guest_exit(1);
    if (slot >= 0)
        restore_config();
    /* Does it still work? */
    if (!nic_init(n, n->port, n->irq)) {
        print("abuse rounds=%u: the card does not come back\n", rounds);
        guest_exit(1);
    }
    print("abuse rounds=%u done\n", rounds);
    guest_exit(0);
}
