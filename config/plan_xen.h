/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Placing Xen domains. dom0 sees CPUs of its own, which Xen schedules on the physical ones; a
 * domain's `cores` are physical CPUs. So what is known of them comes from Xen: the planner works
 * on its topology, with each I/O core standing where its dom0 vCPU is pinned.
 */
#ifndef COOPVMM_PLAN_XEN_H
#define COOPVMM_PLAN_XEN_H

#include <hwloc/bitmap.h>

#include "plan.h"

#define XEN_NAME 64 /* bytes of a domain's or cpupool's name that are kept */

/* A vCPU of some domain. */
struct xen_vcpu {
    char domain[XEN_NAME];
    int domid;
    int vcpu;
    int cpu;             /* physical CPU it was on; CFG_ANY: none */
    hwloc_bitmap_t hard; /* physical CPUs it may run on */
};

struct xen_pool {
    char name[XEN_NAME];
    hwloc_bitmap_t cpus;
};

/* What Xen says of the machine. Zeroed: nothing. */
struct xen_host {
    char version[32];      /* "4.17.7" */
    struct topo_cpu *cpus; /* physical; `allowed` and `isolated` are not filled in */
    unsigned ncpus;
    struct topo_node *nodes; /* memory: MiB that are free */
    unsigned nnodes;
    struct xen_vcpu *vcpus; /* of all domains */
    unsigned nvcpus;
    struct xen_pool *pools; /* the first one is where domains are put that name none */
    unsigned npools;
};

void xen_host_clear(struct xen_host *h);
/** A vCPU of dom0, by the number of dom0's CPU. @return NULL: there is none */
const struct xen_vcpu *xen_host_dom0_vcpu(const struct xen_host *h, int vcpu);
/** The physical CPU an I/O core is sure to be on. @return CFG_ANY: its dom0 vCPU is not pinned */
int xen_host_pinned(const struct xen_host *h, int dom0_cpu);

/** Does any VM need Xen? */
bool plan_wants_xen(const struct cfg *c);
/** The cpupool of a VM of engine xen. @return NULL: Xen has none of that name */
const struct xen_pool *xen_host_pool(const struct xen_host *h, const struct cfg_vm *vm);

/**
 * Fills in what plan_fill left open of VMs of engine xen: their cores and nodes, by the rules of
 * plan_fill, within their cpupool; physical CPUs that no other domain is bound to come first.
 * Errors and warnings as there: two users of one physical CPU, one of them an I/O core; a cpupool
 * that is not there; an I/O core whose dom0 vCPU is not pinned (a warning).
 * @return as plan_fill
 */
int plan_xen(struct cfg *c, const struct xen_host *h, FILE *err);

#endif
