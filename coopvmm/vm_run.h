/* SPDX-License-Identifier: BSD-3-Clause */
/* What coopvmm-vm runs: a VM whose vCPUs are threads of ours, or a domain of Xen's. */
#ifndef COOPVMM_VM_RUN_H
#define COOPVMM_VM_RUN_H

#include "../config/config.h"

#define VM_REATTACH_MS 20000 /* how long guests wait for a restarted I/O-core process */

/* Exit statuses that are not the guest's own (coopvmm-vm(8)). */
enum vm_exit { VM_EXIT_DESTROYED = 1, VM_EXIT_CANNOT_START = 125, VM_EXIT_CRASHED = 126 };

struct vm_run {
    const struct cfg *cfg;
    const struct cfg_vm *c;
    const char *rundir; /* the testbed's; the I/O cores are at iotp.sock in it */
    int ready_fd;       /* "ready" is written to it and it is closed; -1: nobody waits */
};

/**
 * Runs a VM of engine user or kvm until its guest ends or SIGTERM comes. Messages go to standard
 * error. @return the exit status
 */
int vm_run(const struct vm_run *r);
/** The same for a VM of engine xen. */
int domain_run(const struct vm_run *r);

/** Says "ready", once. */
void vm_run_ready(const struct vm_run *r);

#endif
