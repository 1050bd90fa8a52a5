/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The machine's topology (hwloc) and the planner: which core each I/O core and vCPU gets, which
 * NUMA node each VM's memory. What the config says stands; what it leaves open is filled in.
 */
#ifndef COOPVMM_PLAN_H
#define COOPVMM_PLAN_H

#include <stdbool.h>
#include <stdio.h>

#include "config.h"

struct topo; /* a loaded topology */

/* One logical CPU. */
struct topo_cpu {
    int cpu;       /* OS number */
    int core;      /* logical index of its physical core: SMT siblings share it */
    int llc;       /* logical index of its last-level cache */
    int node;      /* OS number of its NUMA node */
    int socket;    /* logical index of its package */
    bool allowed;  /* this process may run on it */
    bool isolated; /* isolcpus or a cpuset partition keeps the scheduler off it */
};

/* One NUMA node. */
struct topo_node {
    int node;        /* OS number */
    uint64_t memory; /* MiB; of a synthetic topology what its description says, else fiction */
};

/**
 * Loads the topology.
 * @param synthetic an hwloc synthetic description ("node:2 l3:1 core:64 pu:2"), NULL: this machine
 * @return 0; -EINVAL: hwloc refused the description
 */
int topo_load(const char *synthetic, struct topo **out);
void topo_free(struct topo *t);
unsigned topo_ncpus(const struct topo *t);
/** A topology of what somebody else tells (Xen of physical CPUs). Each CPU once, `core` below
 * `ncpus`. @return 0, -EINVAL, -ENOMEM */
int topo_make(const struct topo_cpu *cpus, unsigned ncpus, const struct topo_node *nodes,
              unsigned nnodes, struct topo **out);
/** The i-th CPU, 0 to topo_ncpus() - 1, in order of OS number. */
const struct topo_cpu *topo_cpu_at(const struct topo *t, unsigned i);
/** @return NULL if there is no CPU of that number. */
const struct topo_cpu *topo_cpu_find(const struct topo *t, int cpu);
unsigned topo_nnodes(const struct topo *t);
/** The i-th NUMA node, in hwloc's order. @return NULL past the end. */
const struct topo_node *topo_node_at(const struct topo *t, unsigned i);
/** Made from a description, not this machine's. */
bool topo_is_synthetic(const struct topo *t);
/** The NUMA node of a PCI device of this machine, CFG_ANY if unknown or `t` is synthetic. */
int topo_pci_node(const struct topo *t, const char *pci);

/**
 * Says which CPUs are isolated, or allowed, in place of what was found: for synthetic topologies.
 * @param cpulist as Linux writes it, "1-3,7"
 * @return 0, -EINVAL, -ENOMEM
 */
int topo_set_isolated(struct topo *t, const char *cpulist);
int topo_set_allowed(struct topo *t, const char *cpulist);

/**
 * Fills in each CFG_ANY of `c` (I/O cores, vCPUs, nodes) and each device's I/O core that is NULL: a
 * VM's vCPUs, memory and I/O core on one NUMA node, same last-level cache if it can; SMT siblings
 * are never shared between a vCPU and an I/O core unless asked (share_sibling), or unless there is
 * no other CPU, and that is said; isolated CPUs are preferred, CPU 0's core is taken last; two
 * vCPUs share a CPU only if there are more vCPUs than CPUs, and that is said in a warning. On a
 * single-CPU machine everything shares it. The same config and topology always give the same plan.
 * What the file pins stands. Errors (a CPU that does not exist, one CPU given to two users of which
 * one is an I/O core) name both sides and go to `err`, one a line, "FILE: error: ..."; warnings
 * too, "FILE: warning: ...".
 * VMs of engine xen run on other CPUs than this machine shows: their devices get an I/O core here,
 * the rest is plan_xen's (plan_xen.h).
 * @return 0; -EINVAL (`c` is partly filled in), -ENOMEM
 */
int plan_fill(struct cfg *c, const struct topo *t, FILE *err);

#endif
