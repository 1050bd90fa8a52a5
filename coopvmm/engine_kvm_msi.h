/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The routes of one device's messages, KVM's side (SPEC.md, section 12). What the table says comes
 * from an I/O core: it is copied, and at worst interrupts this guest.
 *
 * Threads: whoever has engine_kvm_irq.c's lock.
 */
#ifndef COOPVMM_ENGINE_KVM_MSI_H
#define COOPVMM_ENGINE_KVM_MSI_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine.h"

struct kvm_messages;

/** Makes table, doorbell and irqfds; routes have GSIs from first_gsi on. @return 0 or -errno */
int kvm_messages_open(int vm_fd, unsigned first_gsi, struct kvm_messages **out,
                      struct vm_messages *fds);
void kvm_messages_close(struct kvm_messages *m);
int kvm_messages_doorbell(const struct kvm_messages *m);

/** The doorbell rang: copies what is asked for. @return whether there is anything */
bool kvm_messages_take(struct kvm_messages *m);
/** Adds its routes to a table of KVM's. */
void kvm_messages_route(const struct kvm_messages *m, struct kvm_irq_routing *t);
/** The routes are KVM's now: what was asked for is delivered once, then told. */
void kvm_messages_done(struct kvm_messages *m, int vm_fd);

/** Delivers a message. @return 0 or a negative errno */
int kvm_messages_deliver(int vm_fd, uint64_t addr, uint32_t data);

#endif
