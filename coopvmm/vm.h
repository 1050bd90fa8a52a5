/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A VM's life in its process: memory, devices with their placements, engine, end.
 *
 * Threads: one thread (the main thread of `coopvmm-vm`) creates, runs and destroys.
 */
#ifndef COOPVMM_VM_H
#define COOPVMM_VM_H

#include <stdio.h>

#include "bus.h"
#include "console.h"
#include "engine.h"

/** The guest's console. */
struct vm_console *vm_console(struct vm *vm);

/** The engine for a configured kind; NULL: not in this build. */
const struct vm_engine *vm_engine_find(enum cfg_engine e);

/**
 * Creates a VM: memory (NUMA node as planned), devices, engine. Errors are written to `err` with
 * what to do.
 * @param iotp_path the I/O-core process's control socket; NULL if no device needs one
 * @return 0 and *out; a negative errno
 */
int vm_create(const struct cfg *cfg, const struct cfg_vm *c, const char *iotp_path, FILE *err,
              struct vm **out);
/** The same on a given engine, whatever the configuration says: for what is no guest but wants the
 * rest of a VM, as benchmarks do. */
int vm_create_on(const struct vm_engine *engine, const struct cfg *cfg, const struct cfg_vm *c,
                 const char *iotp_path, FILE *err, struct vm **out);
/** Loads the kernel and starts the vCPUs. @return 0 or a negative errno (said on `err`) */
int vm_start(struct vm *vm, FILE *err);
/** A descriptor to poll for reading: the connection to the I/O cores broke. -1: there is none. */
int vm_iotp_fd(const struct vm *vm);
/**
 * The connection broke: attaches anew, waiting for a restarted I/O-core process up to timeout_ms.
 * The vCPUs wait in their requests meanwhile. @return 0 or a negative errno (said on `err`)
 */
int vm_reattach(struct vm *vm, unsigned timeout_ms, FILE *err);
/** Stops the vCPUs and releases everything. */
void vm_destroy(struct vm *vm);

/** The interrupt line of a configured device: what the platform or the file says, else the model's
 * usual one. */
uint8_t vm_irq_line(const struct cfg_vm *vm, const struct cfg_device *c);
/** The number on PCI bus 0 of a configured device: from 1 on, in their order. 0: it is not PCI. */
uint8_t vm_pci_slot(const struct cfg_vm *vm, const struct cfg_device *c);

#endif
