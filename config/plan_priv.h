/* SPDX-License-Identifier: BSD-3-Clause */
/* What the planner's parts share: plan.c (errors, warnings, order) and plan_pick.c (choices). */
#ifndef COOPVMM_CONFIG_PLAN_PRIV_H
#define COOPVMM_CONFIG_PLAN_PRIV_H

#include <stdint.h>

#include "plan_xen.h"

#define PLAN_NONE  (-1)
#define PLAN_MIXED (-2)

/* Who uses a CPU so far. */
struct plan_cpu {
    const struct topo_cpu *t;
    unsigned vcpus;
    int iocore;    /* index, PLAN_NONE */
    int vm, vcpu;  /* the first vCPU on it, PLAN_NONE */
    unsigned core; /* index of its physical core in plan.core */
};

/* Who uses a physical core (all its SMT siblings) so far. */
struct plan_core {
    unsigned vcpus;
    unsigned iocores;
    unsigned private_iocores; /* those without share_sibling */
    int vm;                   /* whose vCPUs: PLAN_NONE, one VM's index, PLAN_MIXED */
    int first_cpu;            /* lowest allowed CPU, PLAN_NONE */
};

struct plan {
    struct cfg *c;
    const struct topo *t;
    FILE *err;
    const struct xen_host *xen;  /* Xen domains of this cpupool ... */
    const struct xen_pool *pool; /* ... are placed; NULL: this machine's own VMs */
    const char *what;            /* "CPU" or "physical CPU", for messages */
    struct plan_cpu *cpu;        /* [ncpus], as topo_cpu_at */
    unsigned ncpus;
    struct plan_core *core; /* [ncpus] at most */
    unsigned *io_load;      /* [iocores_count]: devices it serves */
    unsigned allowed;       /* CPUs */
    bool any_isolated;
    bool pack; /* more vCPUs than physical cores: a VM's vCPUs sit on siblings */
    unsigned errors;
    unsigned shared;   /* vCPUs the planner had to put on a CPU with another */
    char example[160]; /* one of them */
};

/** The planner: places VMs on the CPUs of `t`; which ones say xen and pool, see above. */
int plan_on(struct cfg *c, const struct topo *t, const struct xen_host *xen,
            const struct xen_pool *pool, FILE *err);
/** Is this VM one of those that are placed now? */
bool plan_places(const struct plan *p, const struct cfg_vm *vm);

/** @return the CPU of that OS number, NULL if there is none. */
struct plan_cpu *plan_cpu_of(struct plan *p, int cpu);
/** The NUMA node an I/O core sits on; CFG_ANY while it is not placed. */
int plan_iocore_node(struct plan *p, unsigned iocore);
/** The node a VM is bound to by what the file says: node, or its first pinned vCPU. CFG_ANY: none.
 */
int plan_fixed_node(struct plan *p, const struct cfg_vm *vm);

/* Books a CPU for its user. */
void plan_take_iocore(struct plan *p, struct plan_cpu *cpu, unsigned iocore);
void plan_take_vcpu(struct plan *p, struct plan_cpu *cpu, unsigned vm, unsigned vcpu);

/** Chooses a CPU for an I/O core. @return NULL: none is left. */
struct plan_cpu *plan_pick_iocore(struct plan *p, unsigned iocore);
/** Chooses a VM's node. */
int plan_pick_node(struct plan *p, unsigned vm);
/** Chooses the I/O core for the devices of a VM on `node` that name none. There is at least one. */
unsigned plan_pick_device_core(struct plan *p, int node);
/** Chooses the last-level cache the rest of a VM on `node` is put under; its I/O cores are known.
 */
int plan_pick_llc(struct plan *p, unsigned vm, int node);
/** Is there no room left under this cache (on this node)? */
bool plan_llc_is_full(const struct plan *p, int node, int llc);
/** Chooses a CPU for a vCPU. @return NULL: none, I/O cores have them all. */
struct plan_cpu *plan_pick_vcpu(struct plan *p, unsigned vm, int node, int llc);

/** Warns of whatever about a finished plan will cost performance. (plan_warn.c) */
void plan_warn_all(struct plan *p);

/* For messages; `out` has PLAN_WHO_SIZE bytes and is returned. (plan_warn.c) */
#define PLAN_WHO_SIZE 80
const char *plan_who_vcpu(const struct plan *p, unsigned vm, unsigned vcpu, char *out);
/** Whoever has the CPU so far. */
const char *plan_who_has(const struct plan *p, const struct plan_cpu *cpu, char *out);
void plan_error(struct plan *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void plan_warning(struct plan *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
