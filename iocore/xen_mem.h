/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A domain's memory as far as it is mapped here: a bounded cache of foreign mappings, in chunks of
 * XEN_MEM_CHUNK_PAGES pages. Mapping takes hypercalls, so chunks stay until their place is needed
 * (second chance) or the guest's memory map changes (IOREQ_TYPE_INVALIDATE).
 *
 * Threads: made by the control thread; then the domain's core only. Counters are read by any.
 */
#ifndef COOPVMM_IOCORE_XEN_MEM_H
#define COOPVMM_IOCORE_XEN_MEM_H

#include <stdint.h>

#include "guestmem.h"
#include "xen_dm.h"

#define XEN_MEM_CHUNK_PAGES 16u   /* 64 KiB */
#define XEN_MEM_CHUNKS      1024u /* mapped at a time: 64 MiB */

struct xen_mem_counters {
    uint64_t maps;      /* chunks mapped */
    uint64_t evictions; /* ... that another had to make room for */
    uint64_t failures;  /* pages asked for that are not there */
    uint64_t flushes;   /* times everything was let go */
    uint64_t chunks;    /* mapped now */
};

struct xen_mem;

/** @param dm must outlive it. @return NULL: out of memory */
struct xen_mem *xen_mem_new(struct xen_dm *dm);
/** Unmaps everything. */
void xen_mem_free(struct xen_mem *m);

/** guestmem.far: @param mem the struct xen_mem */
void *xen_mem_at(void *mem, uint64_t gpa, uint64_t *len);
/** Unmaps everything: nothing that was mapped is believed any more. */
void xen_mem_flush(struct xen_mem *m);

/** A copy, from any thread. */
struct xen_mem_counters xen_mem_read(const struct xen_mem *m);

#endif
