/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Guest-physical memory as mapped into this process, and the bounds check on every use of it.
 *
 * Threads: set up by one thread before use, read-only then. A translated pointer is good until
 * guestmem_unmap.
 */
#ifndef COOPVMM_IOCORE_GUESTMEM_H
#define COOPVMM_IOCORE_GUESTMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUESTMEM_MAX_REGIONS 8

struct guestmem_region {
    uint64_t gpa;  /* guest-physical start */
    uint64_t size; /* bytes */
    uint8_t *host; /* where it is mapped here */
    bool mapped;   /* by guestmem_map, so guestmem_unmap undoes it */
};

struct guestmem {
    unsigned nregions;
    struct guestmem_region region[GUESTMEM_MAX_REGIONS];
    /** Memory that is mapped piece by piece as it is asked for (Xen); as guestmem_at, of what is in
     * no region. The pointer is good until the next call. NULL: there is none */
    void *(*far)(void *ctx, uint64_t gpa, uint64_t *len);
    void *far_ctx;
};

/**
 * Maps one region of a memfd that is sealed against shrinking (the caller checked).
 * @return 0; -ENOSPC: too many regions; -EINVAL: empty, wraps or overlaps; another -errno of mmap
 */
int guestmem_map(struct guestmem *m, uint64_t gpa, uint64_t size, int fd, uint64_t offset);
/** Adds memory that is mapped already; guestmem_unmap leaves that mapping to its owner. */
int guestmem_add(struct guestmem *m, uint64_t gpa, uint64_t size, void *host);
/** Unmaps what guestmem_map mapped. */
void guestmem_unmap(struct guestmem *m);

/**
 * Finds the host address of guest-physical gpa.
 * @param len in: bytes wanted, not 0; out: how many are contiguous from there
 * @return NULL if there is no memory at gpa
 */
static inline void *guestmem_at(const struct guestmem *m, uint64_t gpa, uint64_t *len)
{
    for (unsigned i = 0; i < m->nregions; i++) {
        const struct guestmem_region *r = &m->region[i];
        uint64_t off = gpa - r->gpa; /* wraps to something huge if gpa is below */

        if (off < r->size) {
            if (*len > r->size - off)
                *len = r->size - off;
            return r->host + off;
        }
    }
    return m->far ? m->far(m->far_ctx, gpa, len) : NULL;
}

/** Copies out of or into guest memory, across regions. @return false if some byte is not there. */
bool guestmem_copy(const struct guestmem *m, uint64_t gpa, void *buf, uint64_t len, bool write);

#endif
