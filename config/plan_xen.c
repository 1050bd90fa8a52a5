/* SPDX-License-Identifier: BSD-3-Clause */
#include "plan_xen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plan_priv.h"

void xen_host_clear(struct xen_host *h)
{
    for (unsigned i = 0; i < h->nvcpus; i++)
        hwloc_bitmap_free(h->vcpus[i].hard);
    for (unsigned i = 0; i < h->npools; i++)
        hwloc_bitmap_free(h->pools[i].cpus);
    free(h->cpus);
    free(h->nodes);
    free(h->vcpus);
    free(h->pools);
    *h = (struct xen_host){0};
}

const struct xen_vcpu *xen_host_dom0_vcpu(const struct xen_host *h, int vcpu)
{
    for (unsigned i = 0; i < h->nvcpus; i++)
        if (h->vcpus[i].domid == 0 && h->vcpus[i].vcpu == vcpu)
            return &h->vcpus[i];
    return NULL;
}

int xen_host_pinned(const struct xen_host *h, int dom0_cpu)
{
    const struct xen_vcpu *v = xen_host_dom0_vcpu(h, dom0_cpu);

    return v && hwloc_bitmap_weight(v->hard) == 1 ? hwloc_bitmap_first(v->hard) : CFG_ANY;
}

bool plan_wants_xen(const struct cfg *c)
{
    for (unsigned v = 0; v < c->vms_count; v++)
        if (c->vms[v].engine == CFG_ENGINE_XEN)
            return true;
    return false;
}

const struct xen_pool *xen_host_pool(const struct xen_host *h, const struct cfg_vm *vm)
{
    for (unsigned i = 0; i < h->npools; i++)
        if (!vm->xen->cpupool || !strcmp(h->pools[i].name, vm->xen->cpupool))
            return &h->pools[i];
    return NULL;
}

/* Which of the physical CPUs are of the pool, and which of these no domain is bound to. */
static void mark_cpus(const struct xen_host *h, hwloc_const_bitmap_t pool, struct topo_cpu *cpus)
{
    for (unsigned i = 0; i < h->ncpus; i++) {
        cpus[i].allowed = hwloc_bitmap_isset(pool, (unsigned)cpus[i].cpu) != 0;
        cpus[i].isolated = true;
        for (unsigned v = 0; v < h->nvcpus; v++)
            if (hwloc_bitmap_isset(h->vcpus[v].hard, (unsigned)cpus[i].cpu))
                cpus[i].isolated = false;
    }
}

static int pool_topo(const struct xen_host *h, const struct xen_pool *pool, struct topo **out)
{
    struct topo_cpu *cpus = calloc(h->ncpus + 1, sizeof(*cpus));
    int err;

    if (!cpus)
        return -ENOMEM;
    memcpy(cpus, h->cpus, h->ncpus * sizeof(*cpus));
    mark_cpus(h, pool->cpus, cpus);
    err = topo_make(cpus, h->ncpus, h->nodes, h->nnodes, out);
    free(cpus);
    return err;
}

/* The I/O cores as they stand on the pool's physical CPUs. Names are the config's own. */
static unsigned place_iocores(const struct cfg *c, const struct xen_host *h,
                              const struct xen_pool *pool, struct cfg_iocore *out)
{
    unsigned n = 0;

    for (unsigned i = 0; i < c->iocores_count; i++) {
        int cpu = xen_host_pinned(h, c->iocores[i].core);

        if (cpu == CFG_ANY || !hwloc_bitmap_isset(pool->cpus, (unsigned)cpu))
            continue;
        out[n] = c->iocores[i];
        out[n++].core = cpu;
    }
    return n;
}

static int plan_pool(struct cfg *c, const struct xen_host *h, const struct xen_pool *pool,
                     FILE *err)
{
    struct cfg shown = *c; /* the same VMs, other I/O cores */
    struct topo *t;
    int ret;

    shown.iocores = calloc(c->iocores_count + 1, sizeof(*shown.iocores));
    if (!shown.iocores)
        return -ENOMEM;
    shown.iocores_count = place_iocores(c, h, pool, shown.iocores);
    ret = pool_topo(h, pool, &t);
    if (!ret) {
        ret = plan_on(&shown, t, h, pool, err);
        topo_free(t);
    }
    free(shown.iocores);
    return ret;
}

static void warn_unpinned(const struct cfg *c, const struct xen_host *h, FILE *err)
{
    for (unsigned i = 0; i < c->iocores_count; i++) {
        int core = c->iocores[i].core;
        const struct xen_vcpu *v = xen_host_dom0_vcpu(h, core);

        if (v && xen_host_pinned(h, core) == CFG_ANY)
            fprintf(
                err,
                "%s: warning: I/O core %s polls on dom0's vCPU %d, which Xen may move and share; "
                "pin it: xl vcpu-pin 0 %d %d\n",
                c->path, c->iocores[i].name, core, core, v->cpu == CFG_ANY ? core : v->cpu);
    }
}

static void warn_lines(const struct cfg *c, FILE *err)
{
    for (unsigned v = 0; v < c->vms_count; v++) {
        const struct cfg_vm *vm = &c->vms[v];

        if (vm->xen && vm->xen->type == CFG_XEN_PVH && vm->devices_count)
            fprintf(err,
                    "%s: warning: VM %s: a PVH domain has no interrupt lines, its drivers have to "
                    "poll %s%s; for stock drivers use xen: {type: hvm}\n",
                    c->path, vm->name, vm->devices[0].name, vm->devices_count > 1 ? ", ..." : "");
    }
}

/* Is there a pool for each VM? */
static int check_pools(const struct cfg *c, const struct xen_host *h, FILE *err)
{
    int ret = 0;

    for (unsigned v = 0; v < c->vms_count; v++) {
        const struct cfg_vm *vm = &c->vms[v];

        if (vm->engine != CFG_ENGINE_XEN || xen_host_pool(h, vm))
            continue;
        fprintf(
            err,
            "%s: error: VM %s: there is no cpupool %s; make it with xl cpupool-create, or leave "
            "cpupool out\n",
            c->path, vm->name, vm->xen->cpupool ? vm->xen->cpupool : "at all");
        ret = -EINVAL;
    }
    return ret;
}

static bool is_used(const struct cfg *c, const struct xen_host *h, const struct xen_pool *pool)
{
    for (unsigned v = 0; v < c->vms_count; v++)
        if (c->vms[v].engine == CFG_ENGINE_XEN && xen_host_pool(h, &c->vms[v]) == pool)
            return true;
    return false;
}

int plan_xen(struct cfg *c, const struct xen_host *h, FILE *err)
{
    int ret = check_pools(c, h, err);

    for (unsigned i = 0; i < h->npools && !ret; i++)
        if (is_used(c, h, &h->pools[i]))
            ret = plan_pool(c, h, &h->pools[i], err);
    if (!ret) {
        warn_unpinned(c, h, err);
        warn_lines(c, err);
    }
    return ret;
}
