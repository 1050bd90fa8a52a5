/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Xen request source: one domain's page of synchronous requests, polled beside IOTP's rings.
 *
 *   state of a slot       who owns it    set by
 *   STATE_IOREQ_NONE      Xen            Xen, when it took the answer
 *   STATE_IOREQ_READY     I/O core       Xen: the request is there           (X1)
 *   STATE_IOREQ_INPROCESS I/O core       I/O core: it is being carried out; the notebook says how
 * far STATE_IORESP_READY    Xen            I/O core: the answer is there       (X2)
 *
 * X1  Xen's barrier before READY pairs with the acquire load of the state here: the request's
 *     fields are read after it.
 * X2  the release store of IORESP_READY pairs with Xen's barrier after it saw it.
 * X3  of a server whose vCPUs spin: IORESP_READY is stored, a full barrier, then the mark is read;
 *     Xen clears the mark, a full barrier, then reads the state. One of the two sees the other, so
 *     either Xen takes the answer or this side notifies.
 *
 * On stock Xen a vCPU always blocks on its event channel, so every answer takes a notification.
 *
 * Threads: init by the control thread; then the domain's core. Statistics are read by any thread.
 */
#ifndef COOPVMM_IOCORE_SOURCE_XEN_H
#define COOPVMM_IOCORE_SOURCE_XEN_H

#include "xen_domain.h"

/** Control. Makes x->src a source. */
void src_xen_init(struct xen_domain *x);
/** Core. Finishes what a former process began, and wakes whoever may not have heard its answer. */
void src_xen_resume(struct xen_domain *x);
/** Control, while no core has it: answers what is pending with all ones. @return how many */
unsigned src_xen_answer_all(struct xen_domain *x);
/** The event channel of vCPU v, Xen's side. */
uint32_t src_xen_remote_port(const struct xen_domain *x, unsigned v);

#endif
