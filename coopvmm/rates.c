/* SPDX-License-Identifier: BSD-3-Clause */
#include "rates.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "jsonutil.h"

/* One object, earlier and later. */
struct pair {
    const json_t *before, *after;
    double seconds;
};

static double grown(const struct pair *p, const char *key)
{
    uint64_t a = json_u64(p->before, key), b = json_u64(p->after, key);

    if (!p->before)
        return 0;
    return (double)(b < a ? b : b - a);
}

static double per_second(const struct pair *p, const char *key)
{
    return p->seconds > 0 ? grown(p, key) / p->seconds : 0;
}

static void copy_name(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from);
}

static void fill_core(struct rate_core *c, const struct pair *p)
{
    double busy = grown(p, "busy_ns"), sleep = grown(p, "sleep_ns");
    double all = busy + sleep + grown(p, "idle_ns");

    copy_name(c->name, sizeof(c->name), json_text(p->after, "name"));
    copy_name(c->idle, sizeof(c->idle), json_text(p->after, "idle"));
    c->cpu = json_int(p->after, "cpu");
    c->busy = all > 0 ? busy / all : 0;
    c->sleep = all > 0 ? sleep / all : 0;
}

static struct rate_core *core_named(struct rates *r, const char *name)
{
    for (unsigned i = 0; i < r->ncores; i++)
        if (strcmp(r->core[i].name, name) == 0)
            return &r->core[i];
    return NULL;
}

/* The latencies of the time between. */
static void add_latency(struct lathist *h, const struct pair *p, const char *what)
{
    if (!p->before)
        return;
    lathist_add_json(h, p->after, what, 1);
    /* counters that were begun anew have nothing to take away */
    if (json_u64(p->after, "requests") >= json_u64(p->before, "requests"))
        lathist_add_json(h, p->before, what, -1);
}

/* A vCPU on one I/O core counts for its VM and for that core. */
static void add_slot(struct rates *r, struct rate_vm *vm, const struct pair *p)
{
    struct rate_core *c = core_named(r, json_text(p->after, "core"));
    double requests = per_second(p, "requests"), posted = per_second(p, "posted");

    vm->requests += requests;
    vm->posted += posted;
    add_latency(&vm->wait, p, "wait");
    add_latency(&vm->service, p, "service");
    if (!c)
        return;
    c->requests += requests;
    c->posted += posted;
    add_latency(&c->wait, p, "wait");
    add_latency(&c->service, p, "service");
}

static void add_device(struct rate_vm *vm, const struct pair *p)
{
    vm->irqs += per_second(p, "irqs");
    vm->tx_frames += per_second(p, "tx_frames");
    vm->rx_frames += per_second(p, "rx_frames");
    vm->drops += per_second(p, "tx_drops") + per_second(p, "rx_drops");
}

static void fill_vm(struct rates *r, struct rate_vm *vm, const struct pair *p)
{
    const json_t *slots = json_object_get(p->before, "slots");
    const json_t *devices = json_object_get(p->before, "devices");
    size_t i;
    json_t *j;

    copy_name(vm->name, sizeof(vm->name), json_text(p->after, "name"));
    vm->vcpus = (unsigned)json_u64(p->after, "vcpus");
    json_array_foreach(json_object_get(p->after, "slots"), i, j)
    {
        struct pair slot = {json_array_get(slots, i), j, p->seconds};

        add_slot(r, vm, &slot);
    }
    json_array_foreach(json_object_get(p->after, "devices"), i, j)
    {
        struct pair device = {json_named(devices, "name", json_text(j, "name")), j, p->seconds};

        add_device(vm, &device);
    }
}

static void fill_port(struct rate_port *port, const struct pair *p)
{
    copy_name(port->name, sizeof(port->name), json_text(p->after, "name"));
    port->rx_frames = per_second(p, "rx_frames");
    port->rx_bytes = per_second(p, "rx_bytes");
    port->tx_frames = per_second(p, "tx_frames");
    port->tx_bytes = per_second(p, "tx_bytes");
    port->drops =
        per_second(p, "tx_drops") + per_second(p, "rx_bad") + per_second(p, "inbox_drops");
}

static void fill_vhost(struct rate_vhost *v, const struct pair *p)
{
    copy_name(v->name, sizeof(v->name), json_text(p->after, "name"));
    v->pid = (unsigned)json_u64(p->after, "pid");
    v->pairs = (unsigned)json_u64(p->after, "pairs");
    v->tx_frames = per_second(p, "tx_frames");
    v->rx_frames = per_second(p, "rx_frames");
    v->drops = per_second(p, "rx_drops");
    v->kicks = per_second(p, "kicks");
    v->calls = per_second(p, "calls");
}

/* The i-th object of a list, with the one of the same name in the earlier snapshot. */
static struct pair pair_of(const json_t *before, const json_t *after, const char *list, size_t i,
                           double seconds)
{
    const json_t *now = json_array_get(json_object_get(after, list), i);

    return (struct pair){json_named(json_object_get(before, list), "name", json_text(now, "name")),
                         now, seconds};
}

static unsigned count(const json_t *doc, const char *list)
{
    return (unsigned)json_array_size(json_object_get(doc, list));
}

/* Cores first: VMs add to them. */
static void fill_all(const json_t *before, const json_t *after, struct rates *r)
{
    struct pair p;

    for (unsigned i = 0; i < r->ncores; i++) {
        p = pair_of(before, after, "cores", i, r->seconds);
        fill_core(&r->core[i], &p);
    }
    for (unsigned i = 0; i < r->nvms; i++) {
        p = pair_of(before, after, "vms", i, r->seconds);
        fill_vm(r, &r->vm[i], &p);
    }
    for (unsigned i = 0; i < r->nports; i++) {
        p = pair_of(before, after, "ports", i, r->seconds);
        fill_port(&r->port[i], &p);
    }
    for (unsigned i = 0; i < r->nvhosts; i++) {
        p = pair_of(before, after, "vhosts", i, r->seconds);
        fill_vhost(&r->vhost[i], &p);
    }
}

int rates_between(const json_t *before, const json_t *after, struct rates *out)
{
    double s = before ? (double)(json_u64(after, "at_ns") - json_u64(before, "at_ns")) / 1e9 : 0;

    *out = (struct rates){.seconds = s,
                          .ncores = count(after, "cores"),
                          .nvms = count(after, "vms"),
                          .nports = count(after, "ports"),
                          .nvhosts = count(after, "vhosts")};
    out->core = calloc(out->ncores + 1u, sizeof(*out->core));
    out->vm = calloc(out->nvms + 1u, sizeof(*out->vm));
    out->port = calloc(out->nports + 1u, sizeof(*out->port));
    out->vhost = calloc(out->nvhosts + 1u, sizeof(*out->vhost));
    if (!out->core || !out->vm || !out->port || !out->vhost) {
        rates_free(out);
        return -ENOMEM;
    }
    fill_all(before, after, out);
    return 0;
}

void rates_free(struct rates *r)
{
    free(r->core);
    free(r->vm);
    free(r->port);
    free(r->vhost);
    *r = (struct rates){0};
}
