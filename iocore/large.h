/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Large frames: a TCP segment of up to 64 KB that is to be segmented by whoever needs it segmented,
 * as late as can be, or not at all where the other side takes it as it is (a tap, a virtio driver).
 * It costs one look-up, one system call and one interrupt where its segments cost 45.
 *
 * As an mbuf, a chain: RTE_MBUF_F_TX_TCP_SEG is set, with l2_len, l3_len, l4_len and tso_segsz as
 * DPDK's drivers want them. All headers are in the first segment. IP's length and checksum are
 * those of the whole; TCP's checksum field holds the sum of the pseudo header (with the length).
 *
 * Threads: any; no state.
 */
#ifndef COOPVMM_IOCORE_LARGE_H
#define COOPVMM_IOCORE_LARGE_H

#include <rte_mbuf.h>

#include "../nicmodels/model.h"
#include "../nicmodels/offload.h"

#define LARGE_MAX (NM_ETH_HLEN + 2 * NM_VLAN_HLEN + UINT16_MAX) /* bytes of one */

struct rte_mempool;

static inline bool large_is(const struct rte_mbuf *m)
{
    return (m->ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0;
}

/** Marks a frame as large. Of TCP, whose headers are in m's first segment. */
void large_mark(struct rte_mbuf *m, const struct nm_tso *t);
/** What it is marked with. */
void large_read(const struct rte_mbuf *m, struct nm_tso *t);

/** Does each of its segments fit a wire that takes frames of `max` bytes? And does it hold
 * together? */
bool large_fits(const struct rte_mbuf *m, uint32_t max);

/** A large frame, read from somewhere. @return NULL: mbufs are short, or it cannot be read */
struct rte_mbuf *large_build(const struct nm_tso *t, nm_read_fn read, const void *from,
                             struct rte_mempool *pool);
/** Bytes of a frame, from `at` on, to where they lie in one piece. */
void large_copy(const struct rte_mbuf *m, uint32_t at, uint8_t *to, uint32_t len);

/**
 * Makes frames of its segments from *i on, which is counted up.
 * @param out room for n
 * @return how many; fewer than n: that was all, or (if *i is below nm_tso_count) mbufs are short
 */
unsigned large_split(const struct rte_mbuf *m, uint32_t *i, struct rte_mempool *pool,
                     struct rte_mbuf **out, unsigned n);

#endif
