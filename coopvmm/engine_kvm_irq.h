/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Interrupts of the kvm engine. Whoever runs a device writes to an eventfd.
 *
 *   bare       line n is vector 0x20 + n at vCPU 0, an edge a write (irqfd)
 *   pc 0-15    ISA's lines: pins of the 8259s and of the I/O APIC, an edge a write (irqfd)
 *   pc 16-23   PCI's lines, level-triggered: the line is what the devices' levels say (engine.h,
 *              irq_level). A thread here looks at them when one rose, the vCPU's own thread when
 *              its request is done (kvm_irqs_look): most fall by that. An irqfd that is asserted
 *              until the end of interrupt would cost a thread's wake-up at each of those ends.
 *   messages   a device's routes (SPEC.md, section 12): each an irqfd, routed by that thread when
 * the I/O core asks for it (pc only)
 *
 * Threads: opened, and lines made, by one thread before the guest runs; kvm_irqs_isa and
 * kvm_irqs_look by any.
 */
#ifndef COOPVMM_ENGINE_KVM_IRQ_H
#define COOPVMM_ENGINE_KVM_IRQ_H

#include <stdbool.h>
#include <stdint.h>

#include "engine.h"

struct kvm_irqs;

/** @param vm_fd the machine's; stays the caller's @return 0 and *out, or a negative errno */
int kvm_irqs_open(int vm_fd, bool pc, struct kvm_irqs **out);
/** Ends its thread: levels are not read any more. */
void kvm_irqs_stop(struct kvm_irqs *q);
void kvm_irqs_close(struct kvm_irqs *q);
/** The eventfd of a line. @return it, ours; or a negative errno */
int kvm_irqs_line(struct kvm_irqs *q, unsigned line);
/** Adds a device's level to a line that takes levels. @return 0, -ENOSPC */
int kvm_irqs_level(struct kvm_irqs *q, unsigned line, const uint32_t *level);
/** Lets a line follow its levels at once, any thread. @return false: it takes edges */
bool kvm_irqs_look(struct kvm_irqs *q, unsigned line);
/** Makes ways for one device more, see vm_engine.messages. */
int kvm_irqs_messages(struct kvm_irqs *q, struct vm_messages *out);
/** Delivers a message at once. @return 0; a negative errno: the guest has no such CPU or vector */
int kvm_irqs_msi(struct kvm_irqs *q, uint64_t addr, uint32_t data);
/** Sets an ISA line's level (pc). */
void kvm_irqs_isa(struct kvm_irqs *q, unsigned line, bool level);

#endif
