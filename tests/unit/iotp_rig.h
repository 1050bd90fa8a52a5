/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Both ends of IOTP in one process, around a real device model on a real IOTP source, without
 * DPDK's environment: for tests of what happens between a vCPU and a device. The device is not
 * connected.
 */
#ifndef COOPVMM_TESTS_IOTP_RIG_H
#define COOPVMM_TESTS_IOTP_RIG_H

#include <stdbool.h>

#include "../../iocore/source_iotp.h"
#include "../../protocol/iotp_vmm.h"

#define RIG_MEMORY (1u << 20) /* bytes of guest memory */

/* The VMM's half: what outlives an I/O core. */
struct rig_vmm {
    unsigned nvcpus;
    int mem_fd, area_fd, kick_fd, state_fd, irq_fd;
    uint8_t *mem, *area;
    struct iotp_layout lay;
    struct iotp_vcpu vcpu[8];
};

/* The I/O core's half. */
struct rig_ioc {
    struct ioc_core core;
    struct guestmem gm;
    struct iotp_ioc_area *area;
    struct src_iotp *src;
    struct ioc_dev *dev;
};

bool rig_vmm_open(struct rig_vmm *v, unsigned nvcpus);
void rig_vmm_close(struct rig_vmm *v);

/** Attaches `model`; takes the state in v->state_fd up, or makes it. */
bool rig_ioc_open(struct rig_ioc *i, struct rig_vmm *v, const char *model);
void rig_ioc_close(struct rig_ioc *i);
/** One round: requests, then what the device has left to do. */
void rig_ioc_poll(struct rig_ioc *i);

/* Accesses by vCPU n; the other half must be polled by another thread or process. */
uint64_t rig_in(struct rig_vmm *v, unsigned n, unsigned reg, unsigned size);
void rig_out(struct rig_vmm *v, unsigned n, unsigned reg, unsigned size, uint64_t value);
void rig_post(struct rig_vmm *v, unsigned n, unsigned reg, unsigned size, uint64_t value);
/** A PCI function as firmware leaves it: it answers its BARs and may be a bus master. */
void rig_enable_pci(struct rig_vmm *v, unsigned n);
/** rep ins/outs. @return elements done */
uint32_t rig_string(struct rig_vmm *v, unsigned n, bool write, unsigned reg, unsigned size,
                    uint64_t gpa, uint32_t count);

#endif
