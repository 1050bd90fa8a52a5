/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One run of `coopvmm bench xen`: a temporary testbed, started as a user would (`coopvmm run`),
 * with one I/O core and the probe guest as a PVH domain. The guest times its own accesses; what the
 * I/O-core process did meanwhile is read from its telemetry while the domain is still there.
 */
#ifndef COOPVMM_BENCH_XEN_RUN_H
#define COOPVMM_BENCH_XEN_RUN_H

#include <jansson.h>
#include <stdio.h>

#include "../config/config.h"
#include "guard.h"
#include "guest.h"

struct xen_run_spec {
    enum cfg_idle idle; /* spin: polls; sleep: waits on the event channel */
    bool spin;          /* ask the hypervisor to spin for answers, if it can */
    unsigned n;         /* samples a kind */
    int cpu, iocpu;     /* physical CPU of the guest, dom0's of the I/O core; CFG_ANY: chosen */
    const char *guest;  /* the probe guest; NULL: the one beside this program */
};

/* A histogram's figures, in TSC cycles; known to 1/8. */
struct xen_figures {
    double p50, p99, mean;
    uint64_t n;
};

struct xen_run {
    struct trap_kind inb;      /* one byte read from the device, in cycles */
    struct trap_kind xen_only; /* one that Xen answers alone: nothing is there */
    /* of all requests of the run, those that found and set up the NIC included: */
    uint64_t requests;
    uint64_t notifies, unnotified; /* answers with and without an event-channel notification */
    uint64_t upcalls;              /* event-channel interrupts the I/O core took */
    bool spins;                 /* the vCPU spins for answers: the hypervisor can, and was asked */
    struct xen_figures service; /* READY seen to IORESP_READY written */
    struct xen_figures notify;  /* the notification alone */
};

/**
 * Starts it, waits for the guest's figures, ends it: no domain and no process is left.
 * @return 0; -EINTR: the guard stopped; another negative errno (said on `err`, with what the
 * testbed printed)
 */
int xen_run(struct guard *g, const struct xen_run_spec *spec, FILE *err, struct xen_run *out);

/** From a snapshot (coopvmm/snapshot.h) of the testbed's I/O cores. @return 0; -EPROTO: it lacks
 * the VM, its domain, or the clock's rate */
int xen_run_read(const json_t *snapshot, struct xen_run *out);

#endif
