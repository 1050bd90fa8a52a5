/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A PCI function's configuration space, type 0 header (PCI Local Bus 3.0, 6; names as there).
 *
 * A model describes its function with a constant struct pci_spec; what the guest has made of it is
 * struct pci_func, which goes into the model's regs. Every byte's writable bits follow from the
 * spec, so a write is the same few lines whatever the register, and a state from outside is right
 * if it differs from the reset state in writable bits only.
 *
 * Threads: as nm_dev.
 */
#ifndef COOPVMM_NICMODELS_PCI_H
#define COOPVMM_NICMODELS_PCI_H

#include "model.h"

#define PCI_CFG_SIZE 256 /* bytes */
#define PCI_NBARS    6
#define PCI_CAP_BASE 0x40 /* where the capabilities begin */

enum {
    PCI_VENDOR_ID = 0x00,
    PCI_DEVICE_ID = 0x02,
    PCI_COMMAND = 0x04,
    PCI_STATUS = 0x06,
    PCI_REVISION_ID = 0x08,
    PCI_CLASS_CODE = 0x09,
    PCI_CACHE_LINE_SIZE = 0x0c,
    PCI_LATENCY_TIMER = 0x0d,
    PCI_HEADER_TYPE = 0x0e,
    PCI_BIST = 0x0f,
    PCI_BAR0 = 0x10,
    PCI_SUBSYSTEM_VENDOR_ID = 0x2c,
    PCI_SUBSYSTEM_ID = 0x2e,
    PCI_ROM_BAR = 0x30,
    PCI_CAP_PTR = 0x34,
    PCI_INTERRUPT_LINE = 0x3c,
    PCI_INTERRUPT_PIN = 0x3d,
    PCI_MIN_GNT = 0x3e,
    PCI_MAX_LAT = 0x3f,
};
enum {
    PCI_COMMAND_IO = 0x001,
    PCI_COMMAND_MEM = 0x002,
    PCI_COMMAND_MASTER = 0x004,
    PCI_COMMAND_PARITY = 0x040,
    PCI_COMMAND_SERR = 0x100,
    PCI_COMMAND_INTX_DISABLE = 0x400,
};
enum {
    PCI_STATUS_INTERRUPT = 0x0008,
    PCI_STATUS_CAP_LIST = 0x0010,
    PCI_STATUS_DEVSEL_MEDIUM = 0x0200,
    PCI_STATUS_MASTER_ABORT = 0x2000,
    PCI_STATUS_W1C = 0xf900, /* error bits: written 1 to clear */
};

enum pci_bar_kind { PCI_BAR_NONE = 0, PCI_BAR_PIO, PCI_BAR_MEM32, PCI_BAR_MEM64 };

struct pci_bar {
    uint8_t kind; /* enum pci_bar_kind; MEM64 takes the next BAR too, which is NONE */
    bool prefetchable;
    uint64_t size; /* bytes, a power of two: PIO 4 to 256, memory 16 and more */
};

/* A capability: `len` bytes, of which the first is the ID and the second is filled in. */
struct pci_cap {
    uint8_t len;
    const uint8_t *reset;    /* [len] */
    const uint8_t *writable; /* [len] bits; NULL: all read-only */
};

struct pci_spec {
    uint16_t vendor_id, device_id;
    uint16_t subsystem_vendor_id, subsystem_id;
    uint32_t class_code; /* 24 bits: class, subclass, programming interface */
    uint8_t revision_id;
    uint8_t interrupt_pin; /* 0: none; 1: INTA# */
    uint8_t min_gnt, max_lat;
    uint16_t command_writable; /* PCI_COMMAND_* it implements */
    uint16_t status;           /* reset value, without CAP_LIST */
    struct pci_bar bar[PCI_NBARS];
    uint32_t rom_size;          /* bytes, a power of two of at least 2048; 0: no expansion ROM */
    const struct pci_cap *caps; /* laid out from PCI_CAP_BASE on, double-word aligned */
    unsigned ncaps;
};

struct pci_func {
    uint8_t cfg[PCI_CFG_SIZE];
};

/** The function after RST#. */
void pci_reset(const struct pci_spec *s, struct pci_func *f);

/** Reads `size` (1, 2, 4 or 8) bytes; past the end all ones. */
uint64_t pci_read(const struct pci_func *f, unsigned offset, unsigned size);
/** Writes the writable bits among them. */
void pci_write(const struct pci_spec *s, struct pci_func *f, unsigned offset, unsigned size,
               uint64_t value);

/**
 * An access to region NM_REGION_CONFIG, single or string. The model acts on what changed.
 * @return NM_UNCLAIMED beyond PCI_CFG_SIZE
 */
enum nm_status pci_config_access(const struct pci_spec *s, struct pci_func *f, struct nm_access *a);

/**
 * Does BAR `i` (PCI_NBARS: the expansion ROM) answer now, and where?
 * It does if COMMAND lets it, it was given an address, and that is not what sizing leaves there.
 */
bool pci_decodes(const struct pci_spec *s, const struct pci_func *f, unsigned i, uint64_t *base);

/** nm_model.windows: every BAR the function has, and its ROM, enabled or not. */
unsigned pci_windows(const struct pci_spec *s, const struct pci_func *f, struct nm_window *w,
                     unsigned max);

/**
 * The function asserts or deasserts its interrupt: STATUS tells.
 * @return the level INTx# is to have: low while COMMAND.INTX_DISABLE is set
 */
bool pci_set_interrupt(struct pci_func *f, bool asserted);

/** For nm_model.validate. @return 0, or -EPROTO and *why. */
int pci_validate(const struct pci_spec *s, const struct pci_func *f, const char **why);

#endif
