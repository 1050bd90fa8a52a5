/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What firmware does with a PCI function before an operating system runs: gives its BARs addresses,
 * names its interrupt line, enables it. For guests that are started without firmware.
 *
 * Threads: none of its own.
 */
#ifndef COOPVMM_NICMODELS_PCI_ASSIGN_H
#define COOPVMM_NICMODELS_PCI_ASSIGN_H

#include <stdbool.h>
#include <stdint.h>

/* A function's configuration space, as whoever starts the guest reaches it. */
struct pci_config {
    /** Accesses `size` bytes at `reg`. @return 0 or a negative errno */
    int (*access)(void *ctx, bool write, unsigned reg, unsigned size, uint64_t *data);
    void *ctx;
};

/* The next free addresses. */
struct pci_room {
    uint32_t pio, mmio;
};

/**
 * Sets a function up.
 * @param bars bit i: BAR i is there (of a 64-bit one the lower half)
 * @param irq what INTERRUPT_LINE is to say
 * @return 0; -ENOSPC: no ports, or no addresses below 4 GiB, are left; or what access said
 */
int pci_assign(const struct pci_config *c, unsigned bars, uint8_t irq, struct pci_room *room);

#endif
