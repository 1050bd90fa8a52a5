/* SPDX-License-Identifier: BSD-3-Clause */
/* PCI configuration mechanism 1 (PCI Local Bus 3.0, 3.2.2.3.2), and the RTL8029 on bus 0. */
#include "guest.h"

#define ENABLE  0x80000000u
#define RTL8029 0x802910ecu

void pci_select(unsigned slot, unsigned reg)
{
    outl(PCI_CONFIG_ADDRESS, ENABLE | slot << 11 | (reg & 0xfc));
}

uint32_t pci_read(unsigned slot, unsigned reg)
{
    pci_select(slot, reg);
    return inl(PCI_CONFIG_DATA);
}

void pci_write(unsigned slot, unsigned reg, uint32_t v)
{
    pci_select(slot, reg);
    outl(PCI_CONFIG_DATA, v);
}

int pci_find_rtl8029(void)
{
    for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
        uint32_t bar;

        if (pci_read(slot, 0x00) != RTL8029)
            continue;
        bar = pci_read(slot, PCI_BAR0);
        if ((bar & 1) && (bar & 0xfffc))
            return slot;
    }
    return -1;
}

bool pci_find_nic(uint16_t *port, uint8_t *irq)
{
    int slot = pci_find_rtl8029();

    if (slot < 0)
        return false;
    pci_write(slot, PCI_COMMAND, pci_read(slot, PCI_COMMAND) | PCI_COMMAND_IO);
    *port = pci_read(slot, PCI_BAR0) & 0xfffc;
    *irq = pci_read(slot, PCI_INTERRUPT_LINE) & 0xff;
    return true;
}
