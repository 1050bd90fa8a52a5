/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Ethernet frame check sequence (IEEE 802.3, 3.2.9): CRC-32, least significant bit first.
 * Threads: any; no state.
 */
#ifndef COOPVMM_NICMODELS_CRC32_H
#define COOPVMM_NICMODELS_CRC32_H

#include <stddef.h>
#include <stdint.h>

/**
 * The FCS of `len` bytes that follow bytes whose FCS is `crc` (0: none).
 * It is sent least significant byte first.
 */
uint32_t nm_crc32(uint32_t crc, const void *data, size_t len);

/**
 * Index of a group address in a 64-bit multicast hash: the upper six bits of the CRC shift register
 * as controllers of the DP8390's kind see it, most significant bit first and not inverted.
 * @return 0 to 63
 */
unsigned nm_multicast_hash(const uint8_t addr[6]);

#endif
