/* SPDX-License-Identifier: BSD-3-Clause */
/* `coopvmm top --json`: one report as a document. Rates are a second, latencies nanoseconds. */
#include "top.h"

static void add_latency(json_t *j, const struct lathist *wait, const struct lathist *service)
{
    json_t *l =
        json_pack("{s:I, s:I, s:I, s:I}", "wait_p50_ns", (json_int_t)lathist_percentile(wait, 500),
                  "wait_p99_ns", (json_int_t)lathist_percentile(wait, 990), "service_p50_ns",
                  (json_int_t)lathist_percentile(service, 500), "service_p99_ns",
                  (json_int_t)lathist_percentile(service, 990));

    json_object_update_missing(j, l);
    json_decref(l);
}

static json_t *cores(const struct rates *r)
{
    json_t *a = json_array();

    for (unsigned i = 0; i < r->ncores; i++) {
        const struct rate_core *c = &r->core[i];
        json_t *j = json_pack("{s:s, s:i, s:s, s:f, s:f, s:f, s:f}", "name", c->name, "cpu", c->cpu,
                              "idle", c->idle, "busy", c->busy, "sleep", c->sleep, "requests",
                              c->requests, "posted", c->posted);

        add_latency(j, &c->wait, &c->service);
        json_array_append_new(a, j);
    }
    return a;
}

static json_t *vms(const struct rates *r)
{
    json_t *a = json_array();

    for (unsigned i = 0; i < r->nvms; i++) {
        const struct rate_vm *v = &r->vm[i];
        json_t *j =
            json_pack("{s:s, s:i, s:f, s:f, s:f, s:f, s:f, s:f}", "name", v->name, "vcpus",
                      (int)v->vcpus, "requests", v->requests, "posted", v->posted, "irqs", v->irqs,
                      "tx_frames", v->tx_frames, "rx_frames", v->rx_frames, "drops", v->drops);

        add_latency(j, &v->wait, &v->service);
        json_array_append_new(a, j);
    }
    return a;
}

static json_t *ports(const struct rates *r)
{
    json_t *a = json_array();

    for (unsigned i = 0; i < r->nports; i++) {
        const struct rate_port *p = &r->port[i];

        json_array_append_new(a, json_pack("{s:s, s:f, s:f, s:f, s:f, s:f}", "name", p->name,
                                           "rx_frames", p->rx_frames, "rx_bytes", p->rx_bytes,
                                           "tx_frames", p->tx_frames, "tx_bytes", p->tx_bytes,
                                           "drops", p->drops));
    }
    return a;
}

static json_t *vhosts(const struct rates *r)
{
    json_t *a = json_array();

    for (unsigned i = 0; i < r->nvhosts; i++) {
        const struct rate_vhost *v = &r->vhost[i];

        json_array_append_new(a,
                              json_pack("{s:s, s:i, s:i, s:f, s:f, s:f, s:f, s:f}", "name", v->name,
                                        "pid", (int)v->pid, "pairs", (int)v->pairs, "tx_frames",
                                        v->tx_frames, "rx_frames", v->rx_frames, "drops", v->drops,
                                        "kicks", v->kicks, "calls", v->calls));
    }
    return a;
}

json_t *top_json(const struct top *t)
{
    return json_pack("{s:s, s:f, s:s*, s:o, s:o, s:o, s:o}", "testbed", t->ref.name, "seconds",
                     t->rates.seconds, "problem", t->problem[0] ? t->problem : NULL, "cores",
                     cores(&t->rates), "vms", vms(&t->rates), "ports", ports(&t->rates), "vhosts",
                     vhosts(&t->rates));
}
