/* SPDX-License-Identifier: BSD-3-Clause */
/* The bus's insides, shared by bus.c and pci_root.c. */
#ifndef COOPVMM_BUS_PRIV_H
#define COOPVMM_BUS_PRIV_H

#include "../nicmodels/model.h"
#include "bus.h"

#define BUS_MAX_WINDOWS 64

struct bus_window {
    struct bus_dev *dev;
    uint64_t base, size;
    uint8_t space; /* enum nm_space; NONE: not decoded at the moment */
    uint8_t region;
};

struct vm_bus {
    struct vm *vm;
    struct bus_dev *devs[BUS_MAX_DEVICES];
    unsigned ndevs;
    uint8_t last_slot; /* highest PCI device number given out */
    bool win_lock;     /* writers exclude one another */
    uint32_t win_seq;  /* odd while win[] is being written */
    unsigned nwins;
    struct bus_window win[BUS_MAX_WINDOWS];
    uint32_t config_address; /* port 0xcf8 */
};

void bus_move_window(struct vm_bus *b, const struct bus_dev *d, uint8_t region, uint8_t space,
                     uint64_t base);

#endif
