/* SPDX-License-Identifier: BSD-3-Clause */
/* What the DP8390's parts know of each other. */
#ifndef COOPVMM_NICMODELS_DP8390_PRIV_H
#define COOPVMM_NICMODELS_DP8390_PRIV_H

#include "dp8390.h"

#define TCR_LB           (TCR_LB0 | TCR_LB1)
#define DP8390_TALLY_MAX 192 /* DS 10.3: the counters stop there */

enum { CNTR_ALIGN = 0, CNTR_CRC = 1, CNTR_MISSED = 2 };

/** Sets interrupt status bits and drives INT. */
void dp8390_raise(const struct dp8390_chip *c, uint8_t isr_bits);
/** Drives INT. */
void dp8390_update(const struct dp8390_chip *c);
/** Counts an error; 128 and more set ISR.CNT (the caller drives INT). */
void dp8390_tally(struct dp8390 *r, unsigned counter);
/** BNRY moved: packets were taken out of the ring. */
void dp8390_set_boundary(struct dp8390 *r, uint8_t page);

/* Does the chip swap the bytes of a word between wire and memory (DCR.BOS)? */
static inline bool dp8390_swaps(const struct dp8390 *r)
{
    return (r->dcr & (DCR_WTS | DCR_BOS)) == (DCR_WTS | DCR_BOS);
}

/* dp8390_mem.c: local memory. Addresses wrap at 64 KB. */

/**
 * Where a local address lies.
 * @param run out: bytes from there on that are alike, 1 to 65536
 * @return NULL: nothing there, or not writable
 */
uint8_t *dp8390_at(const struct dp8390_chip *c, uint16_t addr, size_t *run, bool write);
void dp8390_fetch(const struct dp8390_chip *c, uint16_t addr, uint8_t *to, size_t len);
void dp8390_store(const struct dp8390_chip *c, uint16_t addr, const uint8_t *from, size_t len);
/** Bytes from addr to where the ring's DMA wraps next. */
size_t dp8390_to_wrap(const struct dp8390 *r, uint16_t addr);
/** addr + len, len at most dp8390_to_wrap: PSTOP becomes PSTART (DS 6, 9). */
uint16_t dp8390_advance(const struct dp8390 *r, uint16_t addr, size_t len);

/** CR asked for a remote DMA. */
void dp8390_start_remote(const struct dp8390_chip *c, enum dp8390_rdma what);

/* dp8390_tx.c */
void dp8390_transmit(const struct dp8390_chip *c);
/** Transmits what had to wait, if it may now (TCR.ATD). */
void dp8390_transmit_pending(const struct dp8390_chip *c);

/* dp8390_rx.c */

/** The address filter (DS 7, "address recognition"). */
bool dp8390_accepts(const struct dp8390 *r, const uint8_t dst[6]);

#endif
