/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The routes of a device's messages, the I/O core's side (SPEC.md, section 12).
 *
 * Threads: made by the control thread; then the device's core only.
 */
#ifndef COOPVMM_IOCORE_IRQ_MSI_H
#define COOPVMM_IOCORE_IRQ_MSI_H

#include <stdint.h>

struct irq_msi;

/**
 * Maps the table.
 * @param fd the table's memfd, the doorbell, one eventfd a route: nroutes + 2 of them. Taken over
 * on success
 * @return 0 and *out; -EPERM, -EINVAL: the table is no sealed memfd of that size; another -errno
 */
int irq_msi_open(const int *fd, unsigned nroutes, struct irq_msi **out);
void irq_msi_close(struct irq_msi *q);

/** Sends a message; no allocation, one system call. */
void irq_msi_send(struct irq_msi *q, uint64_t addr, uint32_t data);

#endif
