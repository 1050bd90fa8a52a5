/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * MSI-X: the capability's control word, the table and the pending bits (PCI Local Bus 3.0, 6.8.2).
 *
 * A model lists the capability in its pci_spec (MSIX_CAP_RESET, MSIX_CAP_WRITABLE), gives table and
 * pending bits a memory BAR of MSIX_BAR_SIZE bytes, and keeps a struct msix in its regs.
 *
 * Threads: as nm_dev.
 */
#ifndef COOPVMM_NICMODELS_MSIX_H
#define COOPVMM_NICMODELS_MSIX_H

#include "model.h"
#include "pci.h"

#define MSIX_MAX      18    /* vectors a function of ours may have */
#define MSIX_ENTRY    16    /* bytes of one in the table */
#define MSIX_PBA      0x800 /* where the pending bits begin in the BAR; the table begins at 0 */
#define MSIX_BAR_SIZE 0x1000

#define MSIX_CAP_LEN 12
/* The capability of `n` vectors whose table is in BAR `bar`, as it is after reset. */
#define MSIX_CAP_RESET(n, bar)                                                                     \
    {                                                                                              \
        0x11, 0, (n)-1, 0, (bar), 0, 0, 0, (bar), MSIX_PBA >> 8, 0, 0                              \
    }
/* Its writable bits: enable and function mask. */
#define MSIX_CAP_WRITABLE                                                                          \
    {                                                                                              \
        0, 0, 0, 0xc0                                                                              \
    }
enum { MSIX_CTRL_ENABLE = 0x8000, MSIX_CTRL_MASK_ALL = 0x4000 };

struct msix {
    uint8_t table[MSIX_MAX * MSIX_ENTRY];
    uint64_t pending; /* bit a vector */
};

/** All entries masked. */
void msix_reset(struct msix *x);

/**
 * An access to the BAR; `ctrl` is the capability's control word. Messages that were waiting for
 * what is written now are sent.
 */
enum nm_status msix_access(struct nm_dev *d, struct msix *x, unsigned n, uint16_t ctrl,
                           struct nm_access *a);

/** Sends vector v's message, or keeps it pending while it is masked. v at least n: nothing. */
void msix_signal(struct nm_dev *d, struct msix *x, unsigned n, uint16_t ctrl, unsigned v);
/** Sends what is pending and no longer masked: after the control word was written. */
void msix_update(struct nm_dev *d, struct msix *x, unsigned n, uint16_t ctrl);

/** For nm_model.validate. @return 0, or -EPROTO and *why */
int msix_validate(const struct msix *x, unsigned n, const char **why);

#endif
