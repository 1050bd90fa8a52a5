/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The PCI root of a domain that has none (PVH): the configuration-address port, and a host bridge
 * at 00:00.0 that lets an operating system believe in the bus. Where QEMU is beside, it has both.
 *
 * Threads: the domain's core.
 */
#ifndef COOPVMM_IOCORE_XEN_ROOT_H
#define COOPVMM_IOCORE_XEN_ROOT_H

#include "xen_domain.h"

#define XEN_ROOT_PORT  0xcf8u /* CONFIG_ADDRESS: 4 ports; Xen itself makes requests of 0xcfc */
#define XEN_ROOT_PORTS 4u

/** An access to the port, if this domain's root is ours and the address is it. */
bool xen_root_port(struct xen_domain *x, const struct ioreq *r, uint64_t *data);
/** An access to the host bridge's configuration space, if this domain's root is ours. */
bool xen_root_config(const struct xen_domain *x, const struct ioreq *r, uint64_t *data);

#endif
