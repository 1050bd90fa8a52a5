/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The bus: from a trapped address to a device, and from the device to whichever thread runs its
 * model (the *placement*). vm_io() in engine.h is its front door.
 *
 * Threads: devices are added before the first vCPU runs; accesses come from any vCPU thread, from
 * signal handlers too. A PCI function's windows move while others look them up.
 */
#ifndef COOPVMM_BUS_H
#define COOPVMM_BUS_H

#include <stdbool.h>
#include <stdint.h>

#include "../protocol/iotp_ctl.h"
#include "../protocol/iotp_vmm.h"
#include "engine.h"

#define BUS_MAX_DEVICES 32
#define BUS_NEAR        64 /* offsets in a region that have an entry in bus_dev.near_cell */

struct bus_dev;

/* A placement: who runs the model, and how a request gets there. */
struct placement {
    const char *name;
    /** A request that is waited for. @return 0, -ECANCELED */
    int (*call)(struct bus_dev *d, unsigned vcpu, const struct iotp_req *r, struct iotp_resp *out);
    /** A write that nobody waits for. @return false: make it a call. NULL: never. */
    bool (*post)(struct bus_dev *d, unsigned vcpu, const struct iotp_req *r);
    /** A read answered without asking. @return false: make it a call. NULL: never. */
    bool (*shadow)(struct bus_dev *d, unsigned cell, uint64_t *value);
    /** The descriptor that wakes who serves the device: what a register that only kicks may be
     * turned into. NULL: never. */
    int (*kick_fd)(const struct bus_dev *d);
    /** Stops threads of its own and releases the device. NULL: somebody else does. */
    void (*remove)(struct bus_dev *d);
};

/* A device on the bus. What it is comes from its model, by way of DEVICE_INFO's struct. */
struct bus_dev {
    const struct placement *place;
    const struct cfg_device *c;
    struct vm *vm;
    void *place_state;
    uint16_t index;   /* in its area */
    uint8_t irq;      /* interrupt line number */
    uint8_t pci_slot; /* device number on bus 0; PCI only; 0 before bus_add: the next one */
    struct iotp_device_info info;
    /* Set by bus_add, from info: which shadow cell is at an offset, plus one; 0: none, and nothing
     * to be looked for. Most reads of most devices are answered by this. */
    uint8_t near_cell[IOTP_REGIONS][BUS_NEAR];
};

struct vm_bus;

struct vm_bus *bus_new(struct vm *vm);
void bus_free(struct vm_bus *b);

/** Adds a device whose `info` is filled in. @return 0; -ENOSPC; -EEXIST: its ports are taken */
int bus_add(struct vm_bus *b, struct bus_dev *d);
unsigned bus_count(const struct vm_bus *b);
struct bus_dev *bus_at(struct vm_bus *b, unsigned i);

/**
 * Gives each PCI function BARs, an interrupt line and decoding, as firmware would, for guests that
 * come without. Called once, before the first vCPU runs; vCPU 0's slots are used.
 */
int bus_assign_pci(struct vm_bus *b);

/** Reads a PCI function's COMMAND and BARs back and moves its windows accordingly. */
int bus_refresh_pci(struct vm_bus *b, struct bus_dev *d, unsigned vcpu);

/** One access to a device, through post, shadow or call. @return 0, -ECANCELED */
int bus_access(struct bus_dev *d, unsigned vcpu, const struct iotp_req *r, struct iotp_resp *out);

/** The enhanced configuration mechanism of platform "pc". @return true if it was such an access */
bool pci_root_ecam(struct vm_bus *b, unsigned vcpu, struct vm_io *io, int *err);

/** Configuration mechanism 1: ports 0xcf8 to 0xcff. @return true if it was one of them */
bool pci_root_port(struct vm_bus *b, unsigned vcpu, struct vm_io *io, int *err);

#endif
