/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds an RTL8029 on PCI bus 0, by configuration mechanism 1. */
#include "guest.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA    0xcfc
#define RTL8029        0x802910ecu

static uint32_t config_read(unsigned slot, unsigned reg)
{
    outl(CONFIG_ADDRESS, 0x80000000u | slot << 11 | (reg & 0xfc));
    return inl(CONFIG_DATA);
}

static void config_write(unsigned slot, unsigned reg, uint32_t v)
{
    outl(CONFIG_ADDRESS, 0x80000000u | slot << 11 | (reg & 0xfc));
    outl(CONFIG_DATA, v);
}

bool pci_find_nic(uint16_t *port, uint8_t *irq)
{
    for (unsigned slot = 0; slot < 32; slot++) {
        uint32_t bar;

        if (config_read(slot, 0x00) != RTL8029)
            continue;
        bar = config_read(slot, 0x10);
        if (!(bar & 1) || !(bar & 0xfffc))
            continue;                                          /* no port assigned */
        config_write(slot, 0x04, config_read(slot, 0x04) | 1); /* decode ports */
        *port = bar & 0xfffc;
        *irq = config_read(slot, 0x3c) & 0xff;
        return true;
    }
    return false;
}
