/* SPDX-License-Identifier: BSD-3-Clause */
/* The bus's insides, shared by bus.c and pci_root.c. */
#ifndef COOPVMM_BUS_PRIV_H
#define COOPVMM_BUS_PRIV_H

#include <pthread.h>

#include "../nicmodels/model.h"
#include "bus.h"

#define BUS_MAX_WINDOWS 64

struct bus_window {
    struct bus_dev *dev;
    uint64_t base, size;
    uint8_t space; /* enum nm_space; NONE: not decoded at the moment */
    uint8_t region;
};

/* A register whose writes the engine has turned into kicks. */
struct bus_kick {
    const struct bus_dev *dev;
    uint64_t addr;
    uint8_t space, region;
};
#define BUS_MAX_KICKS 128

struct vm_bus {
    struct vm *vm;
    struct bus_dev *devs[BUS_MAX_DEVICES];
    unsigned ndevs;
    uint8_t last_slot; /* highest PCI device number given out */
    bool win_lock;     /* writers exclude one another */
    uint32_t win_seq;  /* odd while win[] is being written */
    unsigned nwins;
    struct bus_window win[BUS_MAX_WINDOWS];
    uint32_t config_address;   /* port 0xcf8 */
    bool kicks_fail;           /* the engine would not: not tried again */
    pthread_mutex_t kick_lock; /* of what follows */
    unsigned nkicks;
    struct bus_kick kick[BUS_MAX_KICKS];
};

/** Does the access lie in one of the device's ranges with that flag (IOTP_RANGE_*)? */
bool bus_in_range(const struct bus_dev *d, const struct iotp_req *r, uint8_t flag);
/** Finds the window that holds `addr`. @return false: nothing is there */
bool bus_find_window(const struct vm_bus *b, uint8_t space, uint64_t addr, struct bus_window *out);
void bus_move_window(struct vm_bus *b, const struct bus_dev *d, uint8_t region, uint8_t space,
                     uint64_t base);

/* bus_kick.c */
/** After a write to a register in a window: does it only kick? Then the next ones need no exit. */
void bus_kick_learn(struct vm_bus *b, const struct bus_window *w, const struct iotp_req *r);
/** A window has moved: what was learned there is no longer so. */
void bus_kick_forget(struct vm_bus *b, const struct bus_dev *d, uint8_t region);

#endif
