/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <hwloc.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "plan.h"

#define SYS_ISOLATED "/sys/devices/system/cpu/isolated"

struct topo {
    struct topo_cpu *cpus; /* by OS number */
    unsigned ncpus;
    struct topo_node *nodes; /* by OS number */
    unsigned nnodes;
    bool synthetic;
};

/* The cache nearest to memory that this PU's data pass: the top of its chain of cache ancestors. */
static hwloc_obj_t last_level_cache(hwloc_obj_t pu)
{
    hwloc_obj_t llc = NULL;

    for (hwloc_obj_t o = pu->parent; o; o = o->parent)
        if (hwloc_obj_type_is_dcache(o->type))
            llc = o;
    return llc;
}

static int index_of(hwloc_topology_t t, hwloc_obj_type_t type, hwloc_obj_t pu, int fallback)
{
    hwloc_obj_t o = hwloc_get_ancestor_obj_by_type(t, type, pu);

    return o ? (int)o->logical_index : fallback;
}

/* What stands for the cache where none is known: the node's memory. */
static int llc_of(hwloc_topology_t t, hwloc_obj_t pu)
{
    hwloc_obj_t llc = last_level_cache(pu);

    if (!llc)
        llc = hwloc_get_numanode_obj_by_os_index(t, (unsigned)hwloc_bitmap_first(pu->nodeset));
    /* Caches of different levels may have the same index: told apart by their first CPU. */
    return llc ? hwloc_bitmap_first(llc->cpuset) : 0;
}

static int by_os_number(const void *a, const void *b)
{
    const struct topo_cpu *x = a, *y = b;

    return x->cpu - y->cpu;
}

/* llc_of gives the first CPU's number: make it count from 0 in order of appearance. */
static void number_caches(struct topo *t)
{
    int next = 0;

    for (unsigned i = 0; i < t->ncpus; i++) {
        const struct topo_cpu *first = topo_cpu_find(t, t->cpus[i].llc);

        t->cpus[i].llc = first && first < &t->cpus[i] ? first->llc : next++;
    }
}

static int read_cpus(struct topo *t, hwloc_topology_t hw)
{
    int n = hwloc_get_nbobjs_by_type(hw, HWLOC_OBJ_PU);
    hwloc_const_cpuset_t allowed = hwloc_topology_get_allowed_cpuset(hw);

    if (n <= 0)
        return -EINVAL;
    t->cpus = calloc((size_t)n, sizeof(*t->cpus));
    if (!t->cpus)
        return -ENOMEM;
    for (int i = 0; i < n; i++) {
        hwloc_obj_t pu = hwloc_get_obj_by_type(hw, HWLOC_OBJ_PU, (unsigned)i);
        int node = hwloc_bitmap_first(pu->nodeset);

        t->cpus[i] = (struct topo_cpu){
            .cpu = (int)pu->os_index,
            .core = index_of(hw, HWLOC_OBJ_CORE, pu, (int)pu->logical_index),
            .llc = llc_of(hw, pu),
            .node = node < 0 ? 0 : node,
            .socket = index_of(hw, HWLOC_OBJ_PACKAGE, pu, 0),
            .allowed = hwloc_bitmap_isset(allowed, pu->os_index) != 0,
        };
    }
    t->ncpus = (unsigned)n;
    qsort(t->cpus, t->ncpus, sizeof(*t->cpus), by_os_number);
    number_caches(t);
    return 0;
}

static int read_nodes(struct topo *t, hwloc_topology_t hw)
{
    int n = hwloc_get_nbobjs_by_type(hw, HWLOC_OBJ_NUMANODE);
    hwloc_obj_t o = NULL;

    t->nodes = calloc(n > 0 ? (size_t)n : 1, sizeof(*t->nodes));
    if (!t->nodes)
        return -ENOMEM;
    while ((o = hwloc_get_next_obj_by_type(hw, HWLOC_OBJ_NUMANODE, o)))
        t->nodes[t->nnodes++] =
            (struct topo_node){(int)o->os_index, o->attr->numanode.local_memory >> 20};
    return 0;
}

/* Sets one property of all CPUs from a list as Linux writes it: "1-3,7". */
static int mark(struct topo *t, const char *cpulist, size_t offset)
{
    hwloc_bitmap_t set = hwloc_bitmap_alloc();
    int ret = set ? 0 : -ENOMEM;

    if (!ret && hwloc_bitmap_list_sscanf(set, cpulist) < 0)
        ret = -EINVAL;
    for (unsigned i = 0; i < t->ncpus && !ret; i++)
        *(bool *)((char *)&t->cpus[i] + offset) =
            hwloc_bitmap_isset(set, (unsigned)t->cpus[i].cpu) != 0;
    hwloc_bitmap_free(set);
    return ret;
}

int topo_set_isolated(struct topo *t, const char *cpulist)
{
    return mark(t, cpulist, offsetof(struct topo_cpu, isolated));
}

int topo_set_allowed(struct topo *t, const char *cpulist)
{
    return mark(t, cpulist, offsetof(struct topo_cpu, allowed));
}

static void read_isolated(struct topo *t)
{
    char list[4096] = "";
    FILE *f = fopen(SYS_ISOLATED, "re");

    if (!f)
        return;
    if (fgets(list, sizeof(list), f)) {
        list[strcspn(list, "\n")] = '\0';
        if (list[0])
            topo_set_isolated(t, list);
    }
    fclose(f);
}

static int load_hwloc(const char *synthetic, hwloc_topology_t *out)
{
    hwloc_topology_t hw;

    if (hwloc_topology_init(&hw) < 0)
        return -ENOMEM;
    /* CPUs outside our cpuset are shown too, as not allowed: pinning to one gets its own error. */
    if ((synthetic ? hwloc_topology_set_synthetic(hw, synthetic)
                   : hwloc_topology_set_flags(hw, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED)) < 0 ||
        hwloc_topology_load(hw) < 0) {
        hwloc_topology_destroy(hw);
        return -EINVAL;
    }
    *out = hw;
    return 0;
}

int topo_load(const char *synthetic, struct topo **out)
{
    struct topo *t = calloc(1, sizeof(*t));
    hwloc_topology_t hw;
    int ret = t ? load_hwloc(synthetic, &hw) : -ENOMEM;

    if (ret) {
        free(t);
        return ret;
    }
    t->synthetic = synthetic != NULL;
    ret = read_cpus(t, hw);
    if (!ret)
        ret = read_nodes(t, hw);
    hwloc_topology_destroy(hw);
    if (ret) {
        topo_free(t);
        return ret;
    }
    if (!synthetic)
        read_isolated(t);
    *out = t;
    return 0;
}

static int copy_lists(struct topo *t, const struct topo_cpu *cpus, const struct topo_node *nodes)
{
    t->cpus = calloc(t->ncpus, sizeof(*t->cpus));
    t->nodes = calloc(t->nnodes, sizeof(*t->nodes));
    if (!t->cpus || !t->nodes)
        return -ENOMEM;
    memcpy(t->cpus, cpus, t->ncpus * sizeof(*cpus));
    memcpy(t->nodes, nodes, t->nnodes * sizeof(*nodes));
    qsort(t->cpus, t->ncpus, sizeof(*t->cpus), by_os_number);
    for (unsigned i = 1; i < t->ncpus; i++)
        if (t->cpus[i].cpu == t->cpus[i - 1].cpu)
            return -EINVAL;
    return 0;
}

int topo_make(const struct topo_cpu *cpus, unsigned ncpus, const struct topo_node *nodes,
              unsigned nnodes, struct topo **out)
{
    struct topo *t;
    int ret;

    if (!ncpus || !nnodes)
        return -EINVAL;
    t = calloc(1, sizeof(*t));
    if (!t)
        return -ENOMEM;
    t->ncpus = ncpus;
    t->nnodes = nnodes;
    ret = copy_lists(t, cpus, nodes);
    if (ret)
        topo_free(t);
    else
        *out = t;
    return ret;
}

void topo_free(struct topo *t)
{
    if (!t)
        return;
    free(t->cpus);
    free(t->nodes);
    free(t);
}

unsigned topo_ncpus(const struct topo *t)
{
    return t->ncpus;
}

const struct topo_cpu *topo_cpu_at(const struct topo *t, unsigned i)
{
    return i < t->ncpus ? &t->cpus[i] : NULL;
}

const struct topo_cpu *topo_cpu_find(const struct topo *t, int cpu)
{
    struct topo_cpu key = {.cpu = cpu};

    return bsearch(&key, t->cpus, t->ncpus, sizeof(*t->cpus), by_os_number);
}

unsigned topo_nnodes(const struct topo *t)
{
    return t->nnodes;
}

const struct topo_node *topo_node_at(const struct topo *t, unsigned i)
{
    return i < t->nnodes ? &t->nodes[i] : NULL;
}

bool topo_is_synthetic(const struct topo *t)
{
    return t->synthetic;
}

int topo_pci_node(const struct topo *t, const char *pci)
{
    char path[96];
    int node = CFG_ANY;
    FILE *f;

    if (t->synthetic)
        return CFG_ANY;
    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%.16s/numa_node", pci);
    f = fopen(path, "re");
    if (!f)
        return CFG_ANY;
    if (fscanf(f, "%d", &node) != 1 || node < 0)
        node = CFG_ANY;
    fclose(f);
    return node;
}
