/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which of a device's receive queues a frame belongs to: that of the pair its flow was last sent on
 * (VIRTIO 1.2, 5.1.6.5.5, "automatic receive steering"), else one that its hash chooses.
 *
 * Threads: those of the device.
 */
#ifndef COOPVMM_NICMODELS_FLOWS_H
#define COOPVMM_NICMODELS_FLOWS_H

#include <stddef.h>
#include <stdint.h>

#define NM_FLOWS 256 /* hashes that are told apart */

struct nm_flows {
    uint8_t pair[NM_FLOWS]; /* it was last sent on, plus 1; 0: it was not */
};

/** A frame left on this pair. */
void nm_flows_learn(struct nm_flows *f, const uint8_t *frame, size_t len, unsigned pair);
/** The pair a frame is received on, of `pairs` in use (not 0). Whatever stands in *f. */
unsigned nm_flows_pair(const struct nm_flows *f, const uint8_t *frame, size_t len, unsigned pairs);

#endif
