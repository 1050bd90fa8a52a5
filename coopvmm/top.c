/* SPDX-License-Identifier: BSD-3-Clause */
#include "top.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "format.h"
#include "snapshot.h"
#include "table.h"
#include "testbed.h"

#define COLUMNS(head) (sizeof(head) / sizeof((head)[0]))

void top_init(struct top *t, const struct rundir_ref *ref)
{
    memset(t, 0, sizeof(*t));
    t->ref = *ref;
    t->tel.fd = -1;
}

void top_fini(struct top *t)
{
    telclient_close(&t->tel);
    json_decref(t->last);
    rates_free(&t->rates);
}

/* One process's counters say nothing about another's. */
static bool same_process(const json_t *a, const json_t *b)
{
    return json_equal(json_object_get(json_object_get(a, "info"), "pid"),
                      json_object_get(json_object_get(b, "info"), "pid"));
}

static int take(struct top *t, json_t **doc)
{
    int err = t->tel.fd < 0 ? telclient_open(&t->tel, t->ref.telemetry, TESTBED_ASK_MS) : 0;

    if (!err)
        err = snapshot_take(&t->tel, SNAPSHOT_BUCKETS, doc);
    if (err)
        telclient_close(&t->tel);
    return err;
}

int top_sample(struct top *t)
{
    json_t *doc = NULL;
    int err = take(t, &doc);

    if (rundir_owner(t->ref.path) == 0) {
        json_decref(doc);
        return -ENOENT;
    }
    if (err) {
        snprintf(t->problem, sizeof(t->problem), "the I/O cores do not answer (%s)",
                 strerror(-err));
        return 0;
    }
    t->problem[0] = '\0';
    rates_free(&t->rates);
    err = rates_between(same_process(t->last, doc) ? t->last : NULL, doc, &t->rates);
    json_decref(t->last);
    t->last = doc;
    return err;
}

static void cell_si(struct table *t, double value)
{
    char text[FORMAT_SIZE];

    table_cell(t, "%s", format_si(text, value));
}

static void cell_latency(struct table *t, const struct lathist *h, unsigned per_mille)
{
    char text[FORMAT_SIZE];

    if (lathist_count(h))
        table_cell(t, "%s", format_ns(text, (double)lathist_percentile(h, per_mille)));
    else
        table_cell(t, "-");
}

static void cells_latency(struct table *t, const struct lathist *wait,
                          const struct lathist *service)
{
    cell_latency(t, wait, 500);
    cell_latency(t, wait, 990);
    cell_latency(t, service, 500);
    cell_latency(t, service, 990);
}

static void finish(struct table *t, FILE *out)
{
    if (table_rows(t)) {
        fputc('\n', out);
        table_print(t, out);
    }
    table_free(t);
}

static void print_cores(const struct rates *r, FILE *out)
{
    static const char *const head[] = {"CORE",   "CPU",       "IDLE",     "BUSY%",
                                       "SLEEP%", "REQ/s",     "POST/s",   "WAIT50",
                                       "WAIT99", "SERVICE50", "SERVICE99"};
    struct table *t = table_new(head, COLUMNS(head));

    for (unsigned i = 0; i < r->ncores; i++) {
        const struct rate_core *c = &r->core[i];

        table_cell(t, "%s", c->name);
        table_cell(t, "%d", c->cpu);
        table_cell(t, "%s", c->idle);
        table_cell(t, "%.1f", 100 * c->busy);
        table_cell(t, "%.1f", 100 * c->sleep);
        cell_si(t, c->requests);
        cell_si(t, c->posted);
        cells_latency(t, &c->wait, &c->service);
    }
    finish(t, out);
}

static void print_vms(const struct rates *r, FILE *out)
{
    static const char *const head[] = {"VM",     "VCPUS",  "REQ/s",     "POST/s",
                                       "IRQ/s",  "TX/s",   "RX/s",      "DROP/s",
                                       "WAIT50", "WAIT99", "SERVICE50", "SERVICE99"};
    struct table *t = table_new(head, COLUMNS(head));

    for (unsigned i = 0; i < r->nvms; i++) {
        const struct rate_vm *v = &r->vm[i];

        table_cell(t, "%s", v->name);
        table_cell(t, "%u", v->vcpus);
        cell_si(t, v->requests);
        cell_si(t, v->posted);
        cell_si(t, v->irqs);
        cell_si(t, v->tx_frames);
        cell_si(t, v->rx_frames);
        cell_si(t, v->drops);
        cells_latency(t, &v->wait, &v->service);
    }
    finish(t, out);
}

static void print_ports(const struct rates *r, FILE *out)
{
    static const char *const head[] = {"PORT",   "RX pps",   "RX bit/s",
                                       "TX pps", "TX bit/s", "DROP/s"};
    struct table *t = table_new(head, COLUMNS(head));

    for (unsigned i = 0; i < r->nports; i++) {
        const struct rate_port *p = &r->port[i];

        table_cell(t, "%s", p->name);
        cell_si(t, p->rx_frames);
        cell_si(t, 8 * p->rx_bytes);
        cell_si(t, p->tx_frames);
        cell_si(t, 8 * p->tx_bytes);
        cell_si(t, p->drops);
    }
    finish(t, out);
}

static void print_vhosts(const struct rates *r, FILE *out)
{
    static const char *const head[] = {"FRONT END", "PID",    "PAIRS",  "TX/s",
                                       "RX/s",      "DROP/s", "KICK/s", "CALL/s"};
    struct table *t = table_new(head, COLUMNS(head));

    for (unsigned i = 0; i < r->nvhosts; i++) {
        const struct rate_vhost *v = &r->vhost[i];

        table_cell(t, "%s", v->name);
        table_cell(t, v->pid ? "%u" : "-", v->pid);
        table_cell(t, "%u", v->pairs);
        cell_si(t, v->tx_frames);
        cell_si(t, v->rx_frames);
        cell_si(t, v->drops);
        cell_si(t, v->kicks);
        cell_si(t, v->calls);
    }
    finish(t, out);
}

void top_print(const struct top *t, FILE *out)
{
    const struct rates *r = &t->rates;

    fprintf(out, "testbed %s: I/O cores: %u, VMs: %u, over %.1f s", t->ref.name, r->ncores, r->nvms,
            r->seconds);
    fprintf(out, "%s%s\n", t->problem[0] ? "; " : "", t->problem);
    print_cores(r, out);
    print_vms(r, out);
    print_ports(r, out);
    print_vhosts(r, out);
}
