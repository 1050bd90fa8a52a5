/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Carrying out one request on a device model: the request's checks, and string I/O cut into pieces
 * that are contiguous in host memory. Used by I/O cores and by the placements that run a model in
 * the VMM's own process, so that all of them mean the same by a request.
 *
 * Threads: whoever drives the device.
 */
#ifndef COOPVMM_IOCORE_DEVIO_H
#define COOPVMM_IOCORE_DEVIO_H

#include "../nicmodels/model.h"
#include "../protocol/iotp_ctl.h"
#include "../protocol/iotp_vmm.h"
#include "guestmem.h"

/* Bytes of string I/O that one request moves at most; the rest is asked for again. Bounds how long
 * one vCPU keeps an I/O core busy. */
#define DEVIO_MAX_STRING_BYTES 16384

/**
 * Carries `r` out on `d`. The request is not trusted: a bad size, count or region gives
 * IOTP_FAILED, a register that is not there IOTP_UNCLAIMED and all ones.
 * @param gm guest memory, for string I/O by guest-physical address
 * @param bounce IOTP_BOUNCE_SIZE bytes, for string I/O by bounce offset; NULL: refused
 */
void devio_request(struct nm_dev *d, const struct guestmem *gm, uint8_t *bounce,
                   const struct iotp_req *r, struct iotp_resp *out);

/** What a VMM has to know of a device to route accesses to it. */
void devio_describe(const struct nm_dev *d, struct iotp_device_info *out);

#endif
