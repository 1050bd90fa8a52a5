/* SPDX-License-Identifier: BSD-3-Clause */
/* Where telemetry's figures come from: copies, taken under the daemon's lock. */
#include <errno.h>
#include <rte_cycles.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon.h"

static void copy_text(char *to, const char *from)
{
    strncpy(to, from, TEL_NAME - 1);
    to[TEL_NAME - 1] = '\0';
}

static uint64_t ms_since(const struct daemon *d, uint64_t tsc)
{
    return (rte_rdtsc() - tsc) / (d->tsc_hz / 1000);
}

static void tel_info(void *ctx, struct tel_info *out)
{
    struct daemon *d = ctx;

    *out = (struct tel_info){.tsc_hz = d->tsc_hz,
                             .uptime_ms = ms_since(d, d->started),
                             .pid = (uint32_t)getpid(),
                             .cores = d->ncores,
                             .vms = d->nvms,
                             .ports = d->nports,
                             .hugepages = d->hugepages,
                             .realtime = d->realtime,
                             .memory_locked = d->memory_locked,
                             .seccomp = d->seccomp,
                             .numa_nodes = d->numa_nodes};
    copy_text(out->name, d->cfg->name);
}

static int tel_core(void *ctx, unsigned i, struct tel_core *out, unsigned *total)
{
    struct daemon *d = ctx;
    const struct ioc_core *k;

    *total = d->ncores;
    if (i >= d->ncores)
        return -ENOENT;
    k = d->core[i];
    *out = (struct tel_core){.cpu = k->c->core,
                             .node = k->node,
                             .idle = k->c->idle,
                             .areas = __atomic_load_n(&k->nareas, __ATOMIC_RELAXED),
                             .devices = __atomic_load_n(&k->ndevs, __ATOMIC_RELAXED),
                             .ports = k->nports};
    copy_text(out->name, k->c->name);
    idle_read(&k->idle, &out->c);
    return 0;
}

static unsigned count_areas(const struct attached_vm *vm)
{
    unsigned n = 0;

    for (unsigned i = 0; i < IOTP_MAX_AREAS; i++)
        n += vm->area[i].used;
    return n;
}

static unsigned vcpus_of(const struct attached_vm *vm)
{
    for (unsigned i = 0; i < IOTP_MAX_AREAS; i++)
        if (vm->area[i].used)
            return vm->area[i].nvcpus;
    return 0;
}

static int vm_at(struct daemon *d, unsigned i, struct tel_vm *out)
{
    const struct attached_vm *vm;

    if (i >= d->nvms)
        return -ENOENT;
    vm = d->vm[i];
    *out = (struct tel_vm){.pid = vm->pid,
                           .vcpus = vcpus_of(vm),
                           .areas = count_areas(vm),
                           .devices = vm->ndevs,
                           .running = vm->running,
                           .attached_ms = ms_since(d, vm->since)};
    copy_text(out->name, vm->name);
    return 0;
}

static int tel_vm(void *ctx, unsigned i, struct tel_vm *out, unsigned *total)
{
    struct daemon *d = ctx;
    int err;

    pthread_mutex_lock(&d->lock);
    *total = d->nvms;
    err = vm_at(d, i, out);
    pthread_mutex_unlock(&d->lock);
    return err;
}

/* By name, or by number in the list. */
static const struct attached_vm *find_vm(const struct daemon *d, const char *vm)
{
    char *end;
    unsigned long n = strtoul(vm, &end, 10);

    for (unsigned i = 0; i < d->nvms; i++)
        if (d->vm[i]->greeted && !strcmp(d->vm[i]->name, vm))
            return d->vm[i];
    return *vm && !*end && n < d->nvms ? d->vm[n] : NULL;
}

static void copy_slot(const struct vm_area *a, unsigned v, struct tel_slot *out)
{
    const struct src_stats *s = &a->stats[v];

    out->vcpu = v;
    out->requests = hist_load(&s->requests);
    out->posted = hist_load(&s->posted);
    out->unclaimed = hist_load(&s->unclaimed);
    out->failed = hist_load(&s->failed);
    hist_read(&s->wait, &out->wait);
    hist_read(&s->service, &out->service);
    copy_text(out->core, a->core->c->name);
}

static int slot_at(const struct attached_vm *vm, unsigned i, struct tel_slot *out, unsigned *total)
{
    int err = -ENOENT;

    *total = 0;
    for (unsigned n = 0; n < IOTP_MAX_AREAS; n++) {
        const struct vm_area *a = &vm->area[n];

        if (!a->used)
            continue;
        if (i >= *total && i - *total < a->nvcpus) {
            copy_slot(a, i - *total, out);
            err = 0;
        }
        *total += a->nvcpus;
    }
    return err;
}

static int tel_slot(void *ctx, const char *name, unsigned i, struct tel_slot *out, unsigned *total)
{
    struct daemon *d = ctx;
    const struct attached_vm *vm;
    int err = -ENOENT;

    *total = 0;
    pthread_mutex_lock(&d->lock);
    vm = find_vm(d, name);
    if (vm)
        err = slot_at(vm, i, out, total);
    pthread_mutex_unlock(&d->lock);
    return err;
}

static void copy_device(const struct ioc_dev *v, struct tel_device *out)
{
    const struct dev_counters *n = &v->n;

    *out = (struct tel_device){.sw_port = v->sw_port,
                               .reads = hist_load(&n->reads),
                               .writes = hist_load(&n->writes),
                               .posted = hist_load(&n->posted),
                               .strings = hist_load(&n->strings),
                               .unclaimed = hist_load(&n->unclaimed),
                               .failed = hist_load(&n->failed),
                               .tx_frames = hist_load(&n->tx_frames),
                               .tx_bytes = hist_load(&n->tx_bytes),
                               .tx_drops = hist_load(&n->tx_drops),
                               .rx_frames = hist_load(&n->rx_frames),
                               .rx_bytes = hist_load(&n->rx_bytes),
                               .rx_drops = hist_load(&n->rx_drops),
                               .tx_large = hist_load(&n->tx_large),
                               .rx_large = hist_load(&n->rx_large),
                               .irqs = hist_load(&n->irqs),
                               .commits = hist_load(&n->commits)};
    copy_text(out->name, v->name);
    copy_text(out->model, v->nm.model->name);
    copy_text(out->core, v->core->c->name);
}

static int tel_device(void *ctx, const char *name, unsigned i, struct tel_device *out,
                      unsigned *total)
{
    struct daemon *d = ctx;
    const struct attached_vm *vm;
    int err = -ENOENT;

    *total = 0;
    pthread_mutex_lock(&d->lock);
    vm = find_vm(d, name);
    if (vm) {
        *total = vm->ndevs;
        if (i < vm->ndevs) {
            copy_device(vm->dev[i].dev, out);
            err = 0;
        }
    }
    pthread_mutex_unlock(&d->lock);
    return err;
}

static void copy_domain(const struct vm_area *a, struct tel_domain *out)
{
    const struct xen_domain *x = a->xen;
    struct xen_mem_counters m = xen_mem_read(x->cache);

    *out = (struct tel_domain){.domid = x->domid,
                               .server = x->server,
                               .spins = x->spins,
                               .notifies = hist_load(&x->n.notifies),
                               .unnotified = hist_load(&x->n.unnotified),
                               .upcalls = hist_load(&x->n.upcalls),
                               .invalidates = hist_load(&x->n.invalidates),
                               .refused = hist_load(&x->n.refused),
                               .mem_chunks = m.chunks,
                               .mem_maps = m.maps,
                               .mem_evictions = m.evictions,
                               .mem_failures = m.failures,
                               .mem_flushes = m.flushes};
    hist_read(&x->n.notify, &out->notify);
    copy_text(out->core, a->core->c->name);
}

static int tel_domain(void *ctx, const char *name, unsigned i, struct tel_domain *out,
                      unsigned *total)
{
    struct daemon *d = ctx;
    const struct attached_vm *vm;
    int err = -ENOENT;

    *total = 0;
    pthread_mutex_lock(&d->lock);
    vm = find_vm(d, name);
    for (unsigned n = 0; vm && n < IOTP_MAX_AREAS; n++)
        if (vm->area[n].xen && (*total)++ == i) {
            copy_domain(&vm->area[n], out);
            err = 0;
        }
    pthread_mutex_unlock(&d->lock);
    return err;
}

static int tel_vhost(void *ctx, unsigned i, struct tel_vhost *out, unsigned *total)
{
    struct daemon *d = ctx;
    int err = -ENOENT;

    pthread_mutex_lock(&d->lock);
    *total = d->nvhosts;
    if (i < d->nvhosts) {
        vhost_port_tel(d->vhost[i], out);
        err = 0;
    }
    pthread_mutex_unlock(&d->lock);
    return err;
}

int daemon_telemetry(struct daemon *d)
{
    d->tel = (struct tel_source){.ctx = d,
                                 .info = tel_info,
                                 .core = tel_core,
                                 .vm = tel_vm,
                                 .slot = tel_slot,
                                 .device = tel_device,
                                 .domain = tel_domain,
                                 .vhost = tel_vhost,
                                 .sw = d->sw};
    return telemetry_register(&d->tel);
}
