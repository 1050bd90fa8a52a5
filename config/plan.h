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

/**
 * Loads the topology.
 * @param synthetic an hwloc synthetic description ("node:2 l3:1 core:64 pu:2"), NULL: this machine
 * @return 0; -EINVAL: hwloc refused the description
 */
int topo_load(const char *synthetic, struct topo **out);
void topo_free(struct topo *t);
unsigned topo_ncpus(const struct topo *t);
/** The i-th CPU, 0 to topo_ncpus() - 1, in order of OS number. */
const struct topo_cpu *topo_cpu_at(const struct topo *t, unsigned i);
/** @return NULL if there is no CPU of that number. */
const struct topo_cpu *topo_cpu_find(const struct topo *t, int cpu);

/**
 * Fills in each CFG_ANY of `c` (I/O cores, vCPUs, nodes): a VM's vCPUs, memory and I/O core on one
 * NUMA node, same last-level cache if it can; SMT siblings are never shared between a vCPU and an
 * I/O core unless asked; isolated CPUs are preferred; two vCPUs share a CPU only if there are more
 * vCPUs than CPUs, and that is said in a warning. On a single-CPU machine everything shares it.
 * Errors (a CPU that does not exist, one CPU given to two users of which one is an I/O core) name
 * both sides and go to `err`, one a line, like warnings.
 * @return 0; -EINVAL
 */
int plan_fill(struct cfg *c, const struct topo *t, FILE *err);

#endif
