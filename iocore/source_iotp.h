/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The IOTP request source: one area, that is one VM's vCPUs on this I/O core.
 *
 * The order in which requests are carried out (SPEC.md, "Order"): before a synchronous request of
 * any vCPU, the posted writes of all watched vCPUs of the area. So a write that one vCPU posted
 * before it released a lock is seen by the read of the vCPU that took the lock.
 *
 * Threads: made by the control thread; then its core only. Statistics are read by any thread.
 */
#ifndef COOPVMM_IOCORE_SOURCE_IOTP_H
#define COOPVMM_IOCORE_SOURCE_IOTP_H

#include "../protocol/iotp_ioc.h"
#include "core.h"
#include "device.h"
#include "source.h"

#define SRC_POSTED_BURST 64 /* posted writes of one vCPU carried out in one go */

struct src_iotp {
    struct ioc_source src; /* first: what the core sees */
    struct iotp_ioc_area *area;
    unsigned nhot; /* vCPUs looked at each round */
    uint16_t hot[IOTP_MAX_VCPUS];
    uint64_t watched[IOTP_MAX_VCPUS / 64]; /* the same as bits */
    struct ioc_dev *dev[IOTP_MAX_DEVICES]; /* NULL: no such device */
    struct src_stats *stats;               /* [area->lay.nvcpus] */
};

/** Control. @return 0; -ENOMEM */
int src_iotp_create(struct iotp_ioc_area *area, int kick_fd, struct src_iotp **out);
/** Control. No core has it any more. Devices and area stay the caller's. */
void src_iotp_destroy(struct src_iotp *s);

/** Core. Answers what a former process carried out but did not answer; then requests are served. */
void src_iotp_resume(struct src_iotp *s);

#endif
