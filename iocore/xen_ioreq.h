/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Carrying out one of Xen's requests (xen/hvm/ioreq.h): which device it is for, and its elements.
 *
 * Threads: the domain's core.
 */
#ifndef COOPVMM_IOCORE_XEN_IOREQ_H
#define COOPVMM_IOCORE_XEN_IOREQ_H

#include "xen_domain.h"

struct ioreq;

/**
 * Carries out what vCPU v asks for, from the element on that its notebook entry says. x->after is
 * the device it was for, if any.
 * @param r a private copy; nothing in it is trusted
 * @return what a read gives (data_is_ptr: it is in guest memory already)
 */
uint64_t xen_ioreq_carry_out(struct xen_domain *x, unsigned v, const struct ioreq *r);

#endif
