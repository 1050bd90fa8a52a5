/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The planner: first what the file pins is booked and checked, then I/O cores are placed, then VMs,
 * the bound and the large ones first. plan_pick.c makes the choices.
 */
#include "plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plan_priv.h"

bool plan_places(const struct plan *p, const struct cfg_vm *vm)
{
    if (!p->pool)
        return cfg_runs_here(vm);
    return !cfg_runs_here(vm) && xen_host_pool(p->xen, vm) == p->pool;
}

struct plan_cpu *plan_cpu_of(struct plan *p, int cpu)
{
    const struct topo_cpu *t = topo_cpu_find(p->t, cpu);

    return t ? &p->cpu[t - topo_cpu_at(p->t, 0)] : NULL;
}

int plan_iocore_node(struct plan *p, unsigned iocore)
{
    const struct plan_cpu *cpu = plan_cpu_of(p, p->c->iocores[iocore].core);

    return cpu ? cpu->t->node : CFG_ANY;
}

int plan_fixed_node(struct plan *p, const struct cfg_vm *vm)
{
    if (vm->node != CFG_ANY)
        return vm->node;
    for (unsigned i = 0; i < vm->vcpus; i++)
        if (vm->cores[i] != CFG_ANY && plan_cpu_of(p, vm->cores[i]))
            return plan_cpu_of(p, vm->cores[i])->t->node;
    return CFG_ANY;
}

void plan_take_iocore(struct plan *p, struct plan_cpu *cpu, unsigned iocore)
{
    struct plan_core *core = &p->core[cpu->core];

    cpu->iocore = (int)iocore;
    core->iocores++;
    core->private_iocores += !p->c->iocores[iocore].share_sibling;
    p->c->iocores[iocore].core = cpu->t->cpu;
}

void plan_take_vcpu(struct plan *p, struct plan_cpu *cpu, unsigned vm, unsigned vcpu)
{
    struct plan_core *core = &p->core[cpu->core];

    if (!cpu->vcpus++) {
        cpu->vm = (int)vm;
        cpu->vcpu = (int)vcpu;
    }
    core->vcpus++;
    if (core->vm == PLAN_NONE)
        core->vm = (int)vm;
    else if (core->vm != (int)vm)
        core->vm = PLAN_MIXED;
    p->c->vms[vm].cores[vcpu] = cpu->t->cpu;
}

static void not_allowed(struct plan *p, int number, const char *who)
{
    if (p->pool)
        plan_error(p,
                   "%s %d, given to %s, is not in cpupool %s; choose another, or another cpupool",
                   p->what, number, who, p->pool->name);
    else
        plan_error(p,
                   "%s %d, given to %s, is not allowed to this process; widen its cpuset, or "
                   "choose another",
                   p->what, number, who);
}

/* The CPU the file gives to someone. @return NULL after an error */
static struct plan_cpu *given_cpu(struct plan *p, int number, const char *who)
{
    struct plan_cpu *cpu = plan_cpu_of(p, number);

    if (!cpu)
        plan_error(
            p,
            "%s %d, given to %s, does not exist here (the last one is %d); choose another, or "
            "\"any\"",
            p->what, number, who, p->cpu[p->ncpus - 1].t->cpu);
    else if (!cpu->t->allowed) {
        not_allowed(p, number, who);
        cpu = NULL;
    }
    return cpu;
}

static void pin_iocore(struct plan *p, unsigned i)
{
    char who[PLAN_WHO_SIZE], other[PLAN_WHO_SIZE];
    struct plan_cpu *cpu;

    snprintf(who, sizeof(who), "I/O core %s", p->c->iocores[i].name);
    cpu = given_cpu(p, p->c->iocores[i].core, who);
    if (!cpu)
        return;
    if (cpu->iocore != PLAN_NONE && p->allowed > 1)
        plan_error(p, "%s %d is given to %s and to %s; give each its own", p->what, cpu->t->cpu,
                   plan_who_has(p, cpu, other), who);
    plan_take_iocore(p, cpu, i);
}

static void pin_vcpu(struct plan *p, unsigned v, unsigned i)
{
    char who[PLAN_WHO_SIZE], other[PLAN_WHO_SIZE];
    struct plan_cpu *cpu = given_cpu(p, p->c->vms[v].cores[i], plan_who_vcpu(p, v, i, who));

    if (!cpu)
        return;
    if (p->allowed > 1 && cpu->iocore != PLAN_NONE)
        plan_error(p, "%s %d is given to %s and to %s; give each its own", p->what, cpu->t->cpu,
                   plan_who_has(p, cpu, other), who);
    else if (p->allowed > 1 && cpu->vcpus)
        plan_warning(p, "%s %d is given to %s and to %s: they take turns on it", p->what,
                     cpu->t->cpu, plan_who_has(p, cpu, other), who);
    plan_take_vcpu(p, cpu, v, i);
}

static bool node_exists(const struct plan *p, int node)
{
    for (unsigned i = 0; i < topo_nnodes(p->t); i++)
        if (topo_node_at(p->t, i)->node == node)
            return true;
    return false;
}

static void book_pinned(struct plan *p)
{
    for (unsigned i = 0; i < p->c->iocores_count; i++)
        if (p->c->iocores[i].core != CFG_ANY)
            pin_iocore(p, i);
    for (unsigned v = 0; v < p->c->vms_count; v++) {
        const struct cfg_vm *vm = &p->c->vms[v];

        if (!plan_places(p, vm))
            continue;
        if (vm->node != CFG_ANY && !node_exists(p, vm->node))
            plan_error(p,
                       "NUMA node %d, given to VM %s, does not exist here (there are %u); choose "
                       "another, or \"any\"",
                       vm->node, vm->name, topo_nnodes(p->t));
        for (unsigned i = 0; i < vm->vcpus; i++)
            if (vm->cores[i] != CFG_ANY)
                pin_vcpu(p, v, i);
    }
}

static void count_load(struct plan *p)
{
    for (unsigned v = 0; v < p->c->vms_count; v++)
        for (unsigned i = 0; i < p->c->vms[v].devices_count; i++) {
            const char *name = p->c->vms[v].devices[i].iocore;
            int at = name ? cfg_iocore_index(p->c, name) : PLAN_NONE;

            if (at >= 0)
                p->io_load[at]++;
        }
}

static void place_iocores(struct plan *p)
{
    for (unsigned i = 0; i < p->c->iocores_count && !p->errors; i++) {
        struct plan_cpu *cpu;

        if (p->c->iocores[i].core != CFG_ANY)
            continue;
        cpu = p->allowed > 1 ? plan_pick_iocore(p, i) : plan_pick_vcpu(p, 0, 0, 0);
        if (cpu)
            plan_take_iocore(p, cpu, i);
        else
            plan_error(p, "no CPU is left for I/O core %s: all %u are taken; have fewer I/O cores",
                       p->c->iocores[i].name, p->allowed);
    }
}

/* More vCPUs than physical cores without an I/O core: then siblings are used, a VM's together. */
static bool must_pack(const struct plan *p)
{
    unsigned vcpus = 0, cores = 0;

    for (unsigned v = 0; v < p->c->vms_count; v++)
        vcpus += plan_places(p, &p->c->vms[v]) ? p->c->vms[v].vcpus : 0;
    for (unsigned i = 0; i < p->ncpus; i++)
        cores += p->core[i].first_cpu != PLAN_NONE && !p->core[i].iocores;
    return vcpus > cores;
}

static int assign_devices(struct plan *p, struct cfg_vm *vm, int node)
{
    int at = PLAN_NONE;

    for (unsigned i = 0; i < vm->devices_count; i++) {
        struct cfg_device *d = &vm->devices[i];

        if (d->placement != CFG_PLACE_IOCORE || d->iocore || !p->c->iocores_count)
            continue;
        if (at == PLAN_NONE)
            at = (int)plan_pick_device_core(p, node);
        d->iocore = strdup(p->c->iocores[at].name);
        if (!d->iocore)
            return -ENOMEM;
        p->io_load[at]++;
    }
    return 0;
}

static void note_shared(struct plan *p, const struct plan_cpu *cpu, unsigned v, unsigned i)
{
    char who[PLAN_WHO_SIZE], other[PLAN_WHO_SIZE];

    if (!cpu->vcpus || p->allowed == 1)
        return;
    if (!p->shared++)
        snprintf(p->example, sizeof(p->example), "%s %d is shared by %.60s and %.60s", p->what,
                 cpu->t->cpu, plan_who_has(p, cpu, other), plan_who_vcpu(p, v, i, who));
}

static int place_vm(struct plan *p, unsigned v)
{
    struct cfg_vm *vm = &p->c->vms[v];
    bool ours = plan_places(p, vm);
    int node = ours ? plan_pick_node(p, v) : CFG_ANY, llc, err;

    err = assign_devices(p, vm, node);
    if (!ours)
        return err; /* its vCPUs are placed elsewhere, after this */
    if (err)
        return err;
    llc = plan_pick_llc(p, v, node);
    vm->node = node;
    for (unsigned i = 0; i < vm->vcpus; i++) {
        struct plan_cpu *cpu;

        if (vm->cores[i] != CFG_ANY)
            continue;
        if (plan_llc_is_full(p, node, llc))
            llc = plan_pick_llc(p, v, node);
        cpu = plan_pick_vcpu(p, v, node, llc);
        if (!cpu) {
            plan_error(
                p, "no CPU is left for vCPU %u of VM %s: I/O cores have all %u; have fewer of them",
                i, vm->name, p->allowed);
            return -EINVAL;
        }
        note_shared(p, cpu, v, i);
        plan_take_vcpu(p, cpu, v, i);
    }
    return 0;
}

/* An order of VMs: bound ones first, then large ones, then as in the file. */
struct turn {
    unsigned vm;
    bool bound;
    unsigned vcpus;
};

static int by_turn(const void *a, const void *b)
{
    const struct turn *x = a, *y = b;

    if (x->bound != y->bound)
        return x->bound ? -1 : 1;
    if (x->vcpus != y->vcpus)
        return x->vcpus > y->vcpus ? -1 : 1;
    return x->vm < y->vm ? -1 : 1;
}

static int place_vms(struct plan *p)
{
    struct turn *turns = calloc(p->c->vms_count + 1, sizeof(*turns));
    int err = turns ? 0 : -ENOMEM;

    p->pack = must_pack(p);
    for (unsigned v = 0; v < p->c->vms_count && !err; v++)
        turns[v] =
            (struct turn){v, plan_fixed_node(p, &p->c->vms[v]) != CFG_ANY, p->c->vms[v].vcpus};
    if (!err)
        qsort(turns, p->c->vms_count, sizeof(*turns), by_turn);
    for (unsigned i = 0; i < p->c->vms_count && !err; i++)
        err = place_vm(p, turns[i].vm);
    free(turns);
    return err;
}

static void open_cpus(struct plan *p)
{
    for (unsigned i = 0; i < p->ncpus; i++)
        p->core[i] = (struct plan_core){.vm = PLAN_NONE, .first_cpu = PLAN_NONE};
    for (unsigned i = 0; i < p->ncpus; i++) {
        const struct topo_cpu *t = topo_cpu_at(p->t, i);
        unsigned core = (unsigned)t->core < p->ncpus ? (unsigned)t->core : i;

        p->cpu[i] = (struct plan_cpu){t, 0, PLAN_NONE, PLAN_NONE, PLAN_NONE, core};
        if (!t->allowed)
            continue;
        p->allowed++;
        p->any_isolated |= t->isolated;
        if (p->core[core].first_cpu == PLAN_NONE)
            p->core[core].first_cpu = t->cpu;
    }
}

static int run(struct plan *p)
{
    int err;

    open_cpus(p);
    if (!p->allowed) {
        if (p->pool)
            plan_error(p, "cpupool %s has no CPU; add one: xl cpupool-cpu-add %s CPU",
                       p->pool->name, p->pool->name);
        else
            plan_error(p, "this process may run on no CPU at all; widen its cpuset");
        return -EINVAL;
    }
    book_pinned(p);
    if (p->errors)
        return -EINVAL;
    count_load(p);
    place_iocores(p);
    if (p->errors)
        return -EINVAL;
    err = place_vms(p);
    if (!err)
        plan_warn_all(p);
    return err;
}

int plan_on(struct cfg *c, const struct topo *t, const struct xen_host *xen,
            const struct xen_pool *pool, FILE *err)
{
    struct plan p = {.c = c, .t = t, .err = err, .xen = xen, .pool = pool, .ncpus = topo_ncpus(t)};
    int ret = -ENOMEM;

    p.what = pool ? "physical CPU" : "CPU";

    p.cpu = calloc(p.ncpus + 1, sizeof(*p.cpu));
    p.core = calloc(p.ncpus + 1, sizeof(*p.core));
    p.io_load = calloc(c->iocores_count + 1, sizeof(*p.io_load));
    if (p.cpu && p.core && p.io_load)
        ret = run(&p);
    free(p.cpu);
    free(p.core);
    free(p.io_load);
    return ret;
}

int plan_fill(struct cfg *c, const struct topo *t, FILE *err)
{
    return plan_on(c, t, NULL, NULL, err);
}
