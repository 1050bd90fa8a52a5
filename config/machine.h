/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a VM has besides the devices that the config gives it: address ranges and interrupt lines
 * that are taken. Internal to config/.
 */
#ifndef COOPVMM_CONFIG_MACHINE_H
#define COOPVMM_CONFIG_MACHINE_H

#include "config.h"
#include "nicmodels/model.h"

#define MACHINE_ISA_LINES 16

/* An address range in a VM that is taken, and by whom. */
struct claim {
    enum nm_space space;
    uint64_t base, size;
    const char *owner; /* a device's name, or what it is */
};

struct machine {
    const struct claim *claims;
    unsigned nclaims;
    /* Whose an ISA interrupt line is ("the serial port's"); NULL: nobody's. */
    const char *line_owner[MACHINE_ISA_LINES];
    /* If lines are owned: where ("in a PC"), and which are not ("3, 5 or 7"). */
    const char *where, *free_lines;
    /* Why a PCI device's line is not the config's to choose; NULL: it is. */
    const char *pci_lines;
};

/** The machine that a VM's engine and platform make. */
const struct machine *machine_of(const struct cfg_vm *vm);

/** Where a VM's memory ends, guest-physical: above the hole, if it has one. */
uint64_t machine_memory_end(const struct cfg_vm *vm);

#endif
