/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a device's interrupts reach its guest. A device knows levels of lines and messages; whoever
 * attached it knows what the guest's platform takes: an eventfd for each edge (IOTP), a level that
 * Xen is told of in both directions, or nothing.
 *
 * Threads: made by the control thread; then the device's core only.
 */
#ifndef COOPVMM_IOCORE_IRQ_H
#define COOPVMM_IOCORE_IRQ_H

#include <stdbool.h>
#include <stdint.h>

struct irq_sink;
struct irq_ops {
    /** A line rose, or shall be signalled once more. After the request was completed. */
    void (*raise)(struct irq_sink *s, unsigned line);
    /** A line fell; before the request that led to it is completed, so that the guest does not end
     * the interrupt while it still seems pending. NULL: edges are all the guest's platform takes */
    void (*lower)(struct irq_sink *s, unsigned line);
    /** A message-signalled interrupt. NULL: an edge on line 0 stands for it */
    void (*msi)(struct irq_sink *s, uint64_t addr, uint32_t data);
    /** Control. The device is going; frees the sink. */
    void (*close)(struct irq_sink *s);
};

struct irq_sink {
    const struct irq_ops *ops;
    unsigned nlines; /* lines of the device that lead anywhere */
};

/**
 * A descriptor a line: 8 bytes are written to it at each edge. Eventfds, or sockets.
 * @param fd nlines of them; the sink's, closed with it
 * @return NULL: out of memory (the descriptors stay the caller's)
 */
struct irq_sink *irq_fds_new(const int *fd, unsigned nlines);
/**
 * Control, before the device is on a core. Gives such a sink routes for messages, which so far are
 * edges on line 0. @return 0; -EINVAL: it has some, or is no such sink; as irq_msi_open
 */
int irq_fds_add_msi(struct irq_sink *s, const int *fd, unsigned nroutes);

#endif
