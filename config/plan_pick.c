/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The planner's choices. Each compares candidates by one number, built from what matters most down
 * to the candidate's own number, so that ties always fall the same way: the smallest wins.
 */
#include <string.h>

#include "plan_priv.h"

#define WORST UINT64_MAX

/* Appends a criterion of `bits` bits to a key; values too large count as the worst. */
static uint64_t then(uint64_t key, unsigned bits, uint64_t value)
{
    uint64_t max = (1ull << bits) - 1;

    return key << bits | (value > max ? max : value);
}

/* The same for what there should be much of. */
static uint64_t less(uint64_t key, unsigned bits, uint64_t value)
{
    uint64_t max = (1ull << bits) - 1;

    return key << bits | (value > max ? 0 : max - value);
}

static const struct plan_core *core_of(const struct plan *p, const struct plan_cpu *cpu)
{
    return &p->core[cpu->core];
}

static bool is_blocked(const struct plan *p, const struct plan_cpu *cpu)
{
    return core_of(p, cpu)->private_iocores > 0;
}

static bool is_free(const struct plan *p, const struct plan_cpu *cpu)
{
    return cpu->t->allowed && !cpu->vcpus && cpu->iocore == PLAN_NONE && !is_blocked(p, cpu);
}

static bool is_whole_core(const struct plan *p, const struct plan_cpu *cpu)
{
    const struct plan_core *core = core_of(p, cpu);

    return !core->vcpus && !core->iocores;
}

/* 0: isolated; 1: ordinary; 3: CPU 0, where the kernel likes to do its own work; 2: its siblings.
 */
static unsigned quality(const struct plan *p, const struct plan_cpu *cpu)
{
    if (cpu->t->isolated)
        return 0;
    if (p->cpu[0].t->cpu != 0 || cpu->core != p->cpu[0].core)
        return 1;
    return cpu->t->cpu == 0 ? 3 : 2;
}

/* A part of the machine: CFG_ANY in a field means all of them. */
struct place {
    int node, llc;
    bool isolated; /* count isolated CPUs only */
};

static bool is_in(const struct place *at, const struct plan_cpu *cpu)
{
    return (at->node == CFG_ANY || cpu->t->node == at->node) &&
           (at->llc == CFG_ANY || cpu->t->llc == at->llc) && (!at->isolated || cpu->t->isolated);
}

/*
 * How many more vCPUs a place takes without anyone sharing: CPUs, or, while there are enough of
 * them, physical cores.
 */
static unsigned room(const struct plan *p, const struct place *at)
{
    unsigned n = 0;

    for (unsigned i = 0; i < p->ncpus; i++) {
        const struct plan_cpu *cpu = &p->cpu[i];

        if (!is_in(at, cpu) || !is_free(p, cpu))
            continue;
        n += p->pack || (is_whole_core(p, cpu) && core_of(p, cpu)->first_cpu == cpu->t->cpu);
    }
    return n;
}

static unsigned iocores_in(const struct plan *p, const struct place *at)
{
    unsigned n = 0;

    for (unsigned i = 0; i < p->ncpus; i++)
        n += is_in(at, &p->cpu[i]) && p->cpu[i].iocore != PLAN_NONE;
    return n;
}

static bool uses_iocore(const struct cfg_vm *vm, const char *name)
{
    for (unsigned i = 0; i < vm->devices_count; i++)
        if (vm->devices[i].iocore && !strcmp(vm->devices[i].iocore, name))
            return true;
    return false;
}

/* Has it devices on I/O cores; `open`: only those that name none yet. */
static bool needs_iocore(const struct cfg_vm *vm, bool open)
{
    for (unsigned i = 0; i < vm->devices_count; i++)
        if (vm->devices[i].placement == CFG_PLACE_IOCORE && (!open || !vm->devices[i].iocore))
            return true;
    return false;
}

/*
 * vCPUs this I/O core would serve on `node`, times the number of nodes: those of VMs that name it
 * and are bound to the node, or (not `named`) of VMs that leave the choice open, of which those
 * bound to no node are thought of as spread evenly.
 */
static uint64_t demand(struct plan *p, unsigned iocore, int node, bool named)
{
    uint64_t n = 0;

    for (unsigned v = 0; v < p->c->vms_count; v++) {
        const struct cfg_vm *vm = &p->c->vms[v];
        int bound = plan_fixed_node(p, vm);

        if (!plan_places(p, vm))
            continue;
        if (!(named ? uses_iocore(vm, p->c->iocores[iocore].name) : needs_iocore(vm, true)))
            continue;
        if (bound == node)
            n += (uint64_t)vm->vcpus * topo_nnodes(p->t);
        else if (bound == CFG_ANY && !named)
            n += vm->vcpus;
    }
    return n;
}

/* The node of a physical NIC that the I/O core polls. */
static int nic_node(const struct plan *p, unsigned iocore)
{
    for (unsigned i = 0; i < p->c->ports_count; i++) {
        const struct cfg_port *port = &p->c->ports[i];

        if (port->pci && port->iocore && !strcmp(port->iocore, p->c->iocores[iocore].name))
            return topo_pci_node(p->t, port->pci);
    }
    return CFG_ANY;
}

/* Unplaced I/O cores go where the most vCPUs wait for each (D'Hondt's way of dealing out seats). */
static uint64_t iocore_node_key(struct plan *p, unsigned iocore, int nic, int node)
{
    struct place at = {node, CFG_ANY, false}, isolated = {node, CFG_ANY, true};
    unsigned there = iocores_in(p, &at);
    uint64_t open = demand(p, iocore, node, false) * 16 / (1 + there);
    uint64_t key = !room(p, &at);

    key = then(key, 1, nic != CFG_ANY && nic != node);
    key = less(key, 12, demand(p, iocore, node, true));
    key = then(key, 1, p->any_isolated && !room(p, &isolated));
    key = less(key, 24, open);
    key = then(key, 8, there);
    return less(key, 14, room(p, &at));
}

static int pick_iocore_node(struct plan *p, unsigned iocore)
{
    int nic = nic_node(p, iocore), best = 0;
    uint64_t best_key = WORST;

    for (unsigned i = 0; i < topo_nnodes(p->t); i++) {
        int node = topo_node_at(p->t, i)->node;
        uint64_t key = iocore_node_key(p, iocore, nic, node);

        if (key < best_key) {
            best_key = key;
            best = node;
        }
    }
    return best;
}

struct plan_cpu *plan_pick_iocore(struct plan *p, unsigned iocore)
{
    bool shares = p->c->iocores[iocore].share_sibling;
    int node = pick_iocore_node(p, iocore);
    struct plan_cpu *best = NULL;
    uint64_t best_key = WORST;

    for (unsigned i = 0; i < p->ncpus; i++) {
        struct plan_cpu *cpu = &p->cpu[i];
        struct place llc = {CFG_ANY, cpu->t->llc, false};
        uint64_t key;

        if (!cpu->t->allowed || cpu->vcpus || cpu->iocore != PLAN_NONE)
            continue;
        key = then(0, 1, core_of(p, cpu)->vcpus && !shares);
        key = then(key, 1, cpu->t->node != node);
        key = then(key, 2, quality(p, cpu));
        key = then(key, 1, !is_whole_core(p, cpu));
        key = then(key, 8, iocores_in(p, &llc));
        key = less(key, 14, room(p, &llc));
        key = then(key, 16, i);
        if (key < best_key) {
            best_key = key;
            best = cpu;
        }
    }
    return best;
}

static unsigned open_vcpus(const struct cfg_vm *vm)
{
    unsigned n = 0;

    for (unsigned i = 0; i < vm->vcpus; i++)
        n += vm->cores[i] == CFG_ANY;
    return n;
}

/* The smallest load of an I/O core on `node` that may serve the VM. @return false: there is none */
static bool node_serves(struct plan *p, const struct cfg_vm *vm, int node, unsigned *load)
{
    bool open = needs_iocore(vm, true), found = false;

    *load = 0;
    if (!needs_iocore(vm, false))
        return true;
    for (unsigned i = 0; i < p->c->iocores_count; i++) {
        if (plan_iocore_node(p, i) != node || !(open || uses_iocore(vm, p->c->iocores[i].name)))
            continue;
        if (!found || p->io_load[i] < *load)
            *load = p->io_load[i];
        found = true;
    }
    return found;
}

static uint64_t vm_node_key(struct plan *p, const struct cfg_vm *vm, int node)
{
    struct place at = {node, CFG_ANY, false}, isolated = {node, CFG_ANY, true};
    unsigned need = open_vcpus(vm), load;
    bool serves = node_serves(p, vm, node, &load);
    uint64_t key = room(p, &at) < need ? 2 : p->any_isolated && room(p, &isolated) < need ? 1 : 0;

    key = then(key, 1, !serves);
    key = then(key, 16, load);
    return less(key, 14, room(p, &at));
}

int plan_pick_node(struct plan *p, unsigned vm)
{
    int best = plan_fixed_node(p, &p->c->vms[vm]);
    uint64_t best_key = WORST;

    if (best != CFG_ANY)
        return best;
    for (unsigned i = 0; i < topo_nnodes(p->t); i++) {
        int node = topo_node_at(p->t, i)->node;
        uint64_t key = vm_node_key(p, &p->c->vms[vm], node);

        if (key < best_key) {
            best_key = key;
            best = node;
        }
    }
    return best == CFG_ANY ? 0 : best;
}

unsigned plan_pick_device_core(struct plan *p, int node)
{
    unsigned best = 0;
    uint64_t best_key = WORST;

    for (unsigned i = 0; i < p->c->iocores_count; i++) {
        struct plan_cpu *cpu = plan_cpu_of(p, p->c->iocores[i].core);
        struct place llc = {node, cpu->t->llc, false};
        uint64_t key = then(0, 1, cpu->t->node != node);

        key = then(key, 16, p->io_load[i]);
        key = less(key, 14, room(p, &llc));
        key = then(key, 8, i);
        if (key < best_key) {
            best_key = key;
            best = i;
        }
    }
    return best;
}

bool plan_llc_is_full(const struct plan *p, int node, int llc)
{
    struct place at = {node, llc, false};

    return !room(p, &at);
}

static bool llc_has_its_iocore(struct plan *p, const struct cfg_vm *vm, int llc)
{
    for (unsigned i = 0; i < p->c->iocores_count; i++) {
        const struct plan_cpu *cpu = plan_cpu_of(p, p->c->iocores[i].core);

        if (cpu->t->llc == llc && uses_iocore(vm, p->c->iocores[i].name))
            return true;
    }
    return false;
}

/* Where the whole VM fits: beside its I/O core, else where it leaves the smallest rest. */
static uint64_t llc_key(struct plan *p, const struct cfg_vm *vm, const struct place *at)
{
    unsigned need = open_vcpus(vm), left = room(p, at);
    uint64_t key = left < need;

    key = then(key, 1, !llc_has_its_iocore(p, vm, at->llc));
    key = then(key, 16, left < need ? 65535 - left : left - need);
    return then(key, 16, (unsigned)at->llc);
}

int plan_pick_llc(struct plan *p, unsigned vm, int node)
{
    struct place whole = {node, CFG_ANY, true};
    bool isolated = p->any_isolated && room(p, &whole) >= open_vcpus(&p->c->vms[vm]);
    uint64_t best_key = WORST;
    int best = CFG_ANY, last = CFG_ANY;

    for (unsigned i = 0; i < p->ncpus; i++) {
        struct place at = {node, p->cpu[i].t->llc, isolated};
        uint64_t key;

        if (p->cpu[i].t->node != node || at.llc == last)
            continue;
        last = at.llc;
        key = llc_key(p, &p->c->vms[vm], &at);
        if (key < best_key) {
            best_key = key;
            best = at.llc;
        }
    }
    return best;
}

/* How good the company on the physical core is; the best is 0. */
static unsigned company(const struct plan *p, const struct plan_cpu *cpu, unsigned vm)
{
    const struct plan_core *core = core_of(p, cpu);

    if (core->iocores)
        return 3;
    if (!core->vcpus)
        return p->pack ? 1 : 0;
    if (core->vm == (int)vm)
        return p->pack ? 0 : 1;
    return 2;
}

struct plan_cpu *plan_pick_vcpu(struct plan *p, unsigned vm, int node, int llc)
{
    struct plan_cpu *best = NULL;
    uint64_t best_key = WORST;

    for (unsigned i = 0; i < p->ncpus; i++) {
        struct plan_cpu *cpu = &p->cpu[i];
        uint64_t key;

        if (!cpu->t->allowed || (cpu->iocore != PLAN_NONE && p->allowed > 1))
            continue;
        key = then(0, 1, is_blocked(p, cpu));
        key = then(key, 18, cpu->vcpus);
        key = then(key, 1, cpu->t->node != node);
        key = then(key, 2, quality(p, cpu));
        key = then(key, 2, company(p, cpu, vm));
        key = then(key, 1, cpu->t->llc != llc);
        key = then(key, 16, i);
        if (key < best_key) {
            best_key = key;
            best = cpu;
        }
    }
    return best;
}
