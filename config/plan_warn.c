/* SPDX-License-Identifier: BSD-3-Clause */
/* What the planner says: errors, and warnings about a finished plan. */
#include <stdarg.h>

#include "plan_priv.h"

static void say(struct plan *p, const char *kind, const char *fmt, va_list ap)
{
    if (!p->err)
        return;
    fprintf(p->err, "%s: %s: ", p->c->path, kind);
    vfprintf(p->err, fmt, ap);
    fputc('\n', p->err);
}

void plan_error(struct plan *p, const char *fmt, ...)
{
    va_list ap;

    p->errors++;
    va_start(ap, fmt);
    say(p, "error", fmt, ap);
    va_end(ap);
}

void plan_warning(struct plan *p, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say(p, "warning", fmt, ap);
    va_end(ap);
}

const char *plan_who_vcpu(const struct plan *p, unsigned vm, unsigned vcpu, char *out)
{
    snprintf(out, PLAN_WHO_SIZE, "vCPU %u of VM %s", vcpu, p->c->vms[vm].name);
    return out;
}

/* Whoever has the CPU so far. */
const char *plan_who_has(const struct plan *p, const struct plan_cpu *cpu, char *out)
{
    if (cpu->iocore == PLAN_NONE)
        return plan_who_vcpu(p, (unsigned)cpu->vm, (unsigned)cpu->vcpu, out);
    snprintf(out, PLAN_WHO_SIZE, "I/O core %s", p->c->iocores[cpu->iocore].name);
    return out;
}

/* A vCPU's core has an I/O core on it that wants it for itself. */
static void warn_siblings(struct plan *p)
{
    char who[PLAN_WHO_SIZE], other[PLAN_WHO_SIZE];

    for (unsigned i = 0; i < p->ncpus; i++) {
        const struct plan_cpu *io = &p->cpu[i];

        if (io->iocore == PLAN_NONE || p->c->iocores[io->iocore].share_sibling)
            continue;
        for (unsigned k = 0; k < p->ncpus; k++)
            if (k != i && p->cpu[k].core == io->core && p->cpu[k].vcpus)
                plan_warning(
                    p,
                    "%s (CPU %d) and %s (CPU %d) are SMT siblings and slow each other down; "
                    "have fewer vCPUs, or say share_sibling: true if that is meant",
                    plan_who_has(p, &p->cpu[k], who), p->cpu[k].t->cpu, plan_who_has(p, io, other),
                    io->t->cpu);
    }
}

static void warn_vm(struct plan *p, const struct cfg_vm *vm)
{
    const struct plan_cpu *remote = NULL, *open = NULL;

    for (unsigned i = 0; i < vm->vcpus; i++) {
        const struct plan_cpu *cpu = plan_cpu_of(p, vm->cores[i]);

        if (cpu->t->node != vm->node)
            remote = cpu;
        if (p->any_isolated && !cpu->t->isolated)
            open = cpu;
    }
    if (remote)
        plan_warning(p, "VM %s: its memory is on NUMA node %d, but %s %d is on node %d", vm->name,
                     vm->node, p->what, remote->t->cpu, remote->t->node);
    if (open)
        plan_warning(p, "VM %s: %s %d is not %s, other work runs there too", vm->name, p->what,
                     open->t->cpu, p->pool ? "its alone" : "isolated");
    for (unsigned i = 0; i < vm->devices_count; i++) {
        const struct cfg_device *d = &vm->devices[i];
        int at = d->iocore ? cfg_iocore_index(p->c, d->iocore) : PLAN_NONE;
        int node = at >= 0 ? plan_iocore_node(p, (unsigned)at) : vm->node;

        if (node != vm->node)
            plan_warning(p, "VM %s is on NUMA node %d, but I/O core %s of its %s is on node %d",
                         vm->name, vm->node, d->iocore, d->name, node);
    }
}

static void warn_iocores(struct plan *p)
{
    for (unsigned i = 0; i < p->c->iocores_count && p->any_isolated; i++) {
        const struct plan_cpu *cpu = plan_cpu_of(p, p->c->iocores[i].core);

        if (!cpu->t->isolated)
            plan_warning(p, "I/O core %s: CPU %d is not isolated, other work runs there too",
                         p->c->iocores[i].name, cpu->t->cpu);
    }
}

static void warn_cores(struct plan *p)
{
    unsigned mixed = 0;

    for (unsigned i = 0; i < p->ncpus; i++)
        mixed += p->core[i].vm == PLAN_MIXED;
    if (mixed && mixed < p->ncpus && !p->shared)
        plan_warning(p, "%u physical core%s vCPUs of different VMs", mixed,
                     mixed > 1 ? "s have" : " has");
}

static void warn_memory(struct plan *p)
{
    for (unsigned i = 0; i < topo_nnodes(p->t) && !topo_is_synthetic(p->t); i++) {
        const struct topo_node *node = topo_node_at(p->t, i);
        uint64_t sum = 0;

        for (unsigned v = 0; v < p->c->vms_count; v++)
            sum += plan_places(p, &p->c->vms[v]) && p->c->vms[v].node == node->node
                       ? p->c->vms[v].memory
                       : 0;
        if (sum > node->memory)
            plan_warning(p, "NUMA node %d has %llu MiB of %smemory, its VMs want %llu MiB",
                         node->node, (unsigned long long)node->memory, p->pool ? "free " : "",
                         (unsigned long long)sum);
    }
}

static bool places_any(const struct plan *p)
{
    for (unsigned v = 0; v < p->c->vms_count; v++)
        if (plan_places(p, &p->c->vms[v]))
            return true;
    return false;
}

void plan_warn_all(struct plan *p)
{
    if (p->allowed == 1 && p->c->iocores_count) {
        plan_warning(p, "there is one CPU only: I/O cores and %s take turns on it",
                     places_any(p) ? "vCPUs" : "all other work");
        warn_memory(p);
        return;
    }
    if (p->shared)
        plan_warning(p, "there are more vCPUs than CPUs: %u share one; for instance %s", p->shared,
                     p->example);
    warn_siblings(p);
    if (!p->pool) /* dom0's own vCPU is what runs on an I/O core's physical CPU */
        warn_iocores(p);
    for (unsigned v = 0; v < p->c->vms_count; v++)
        if (plan_places(p, &p->c->vms[v]))
            warn_vm(p, &p->c->vms[v]);
    warn_cores(p);
    warn_memory(p);
}
