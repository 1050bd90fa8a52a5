/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Placement "iocore": requests cross IOTP rings to a polling I/O core. One link a VM: the control
 * connection, an area for each I/O core the VM's devices belong to, the devices' state memfds.
 *
 * Threads: made and re-attached by the VM's main thread; used by the vCPU threads.
 */
#ifndef COOPVMM_PLACE_IOCORE_H
#define COOPVMM_PLACE_IOCORE_H

#include <stdio.h>

#include "bus.h"

struct link;

/**
 * Connects to the I/O-core process and attaches the VM's memory and all its devices of placement
 * "iocore"; adds them to the bus.
 * @return 0 and *out; a negative errno (said on `err`)
 */
int link_create(struct vm *vm, const char *path, FILE *err, struct link **out);
/** The control connection, for polling. */
int link_fd(const struct link *l);
/** Attaches everything anew to a restarted I/O-core process. As vm_reattach. */
int link_reattach(struct link *l, unsigned timeout_ms, FILE *err);
/** Makes vCPUs that wait for an answer look at vm->stopping. */
void link_cancel(struct link *l);
void link_free(struct link *l);
/** A vCPU's bounce buffer in its first area. */
uint8_t *link_bounce(struct link *l, unsigned vcpu);

#endif
