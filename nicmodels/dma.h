/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copies between a device and guest memory, through nm_env.dma: bounds-checked piece by piece.
 * What a guest's rings point at is copied once and looked at in the copy: the guest may change it
 * meanwhile.
 *
 * Threads: as nm_dev.
 */
#ifndef COOPVMM_NICMODELS_DMA_H
#define COOPVMM_NICMODELS_DMA_H

#include "model.h"

/** @return false if some byte is not there; `to` then holds what came before it */
bool nm_dma_read(struct nm_dev *d, uint64_t gpa, void *to, size_t len);
/** @return false if some byte is not there; what came before it is written */
bool nm_dma_write(struct nm_dev *d, uint64_t gpa, const void *from, size_t len);

/**
 * Writes `size` (1, 2, 4 or 8) bytes, little-endian, after all that was written before: what tells
 * the guest that something is done. One store if gpa is a multiple of size (and the memory behind
 * it is aligned alike, as pages are).
 * @return false if they are not there
 */
bool nm_dma_publish(struct nm_dev *d, uint64_t gpa, uint64_t value, unsigned size);

#endif
