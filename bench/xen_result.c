/* SPDX-License-Identifier: BSD-3-Clause */
#include "xen_result.h"

#include <math.h>

#include "../coopvmm/table.h"
#include "report.h"
#include "stats.h"

/* What is told of each run: a kind of the guest's or a histogram of the I/O core's. */
struct figure {
    double p50, p99;
    uint64_t n;
};
typedef struct figure (*figure_fn)(const struct xen_run *r);

static struct figure of_kind(const struct trap_kind *k)
{
    return (struct figure){k->p50, k->p99, k->n};
}

static struct figure inb(const struct xen_run *r)
{
    return of_kind(&r->inb);
}

static struct figure xen_only(const struct xen_run *r)
{
    return of_kind(&r->xen_only);
}

static struct figure notify(const struct xen_run *r)
{
    return (struct figure){r->notify.p50, r->notify.p99, r->notify.n};
}

static struct figure service(const struct xen_run *r)
{
    return (struct figure){r->service.p50, r->service.p99, r->service.n};
}

bool xen_result_spins(const struct xen_result *r)
{
    return r->rounds && r->run[XEN_POLLED][0].spins;
}

/* --- the document --- */

static json_t *cycles_json(const struct xen_result *r, enum xen_phase phase, figure_fn fn)
{
    double p50[XEN_MAX_ROUNDS], p99[XEN_MAX_ROUNDS];
    json_t *rounds = json_array();
    uint64_t n = 0;

    for (unsigned i = 0; i < r->rounds; i++) {
        struct figure f = fn(&r->run[phase][i]);

        p50[i] = f.p50;
        p99[i] = f.p99;
        n += f.n;
        json_array_append_new(rounds, json_real(report_round(f.p50)));
    }
    return json_pack("{s:f, s:f, s:I, s:o}", "p50", report_round(stats_median(p50, r->rounds)),
                     "p99", report_round(stats_median(p99, r->rounds)), "count", (json_int_t)n,
                     "rounds_p50", rounds);
}

static void add_mean(json_t *cycles, const struct xen_result *r, enum xen_phase phase,
                     struct xen_figures (*of)(const struct xen_run *r))
{
    double mean[XEN_MAX_ROUNDS];

    for (unsigned i = 0; i < r->rounds; i++)
        mean[i] = of(&r->run[phase][i]).mean;
    report_number(cycles, "mean", stats_median(mean, r->rounds));
}

static struct xen_figures notify_figures(const struct xen_run *r)
{
    return r->notify;
}

static struct xen_figures service_figures(const struct xen_run *r)
{
    return r->service;
}

/* Of all rounds; the requests before the guest began to measure count, too. */
static double upcalls_a_thousand(const struct xen_result *r, enum xen_phase phase)
{
    double upcalls = 0, requests = 0;

    for (unsigned i = 0; i < r->rounds; i++) {
        upcalls += (double)r->run[phase][i].upcalls;
        requests += (double)r->run[phase][i].requests;
    }
    return requests > 0 ? 1000 * upcalls / requests : NAN;
}

static double p50(const json_t *j, const char *key)
{
    return json_number_value(json_object_get(json_object_get(j, key), "p50"));
}

static double round_p50(const json_t *j, const char *key, size_t round)
{
    const json_t *rounds = json_object_get(json_object_get(j, key), "rounds_p50");

    return json_number_value(json_array_get(rounds, round));
}

/* Round by round, then the median: a machine that is twice as slow for a while is so for both. */
static double ratio(const json_t *j, unsigned rounds, const char *above, const char *below)
{
    double r[XEN_MAX_ROUNDS];

    for (unsigned i = 0; i < rounds; i++) {
        double b = round_p50(j, below, i);

        if (b <= 0)
            return NAN;
        r[i] = round_p50(j, above, i) / b;
    }
    return rounds ? stats_median(r, rounds) : NAN;
}

static void set_ratio(json_t *ratios, const char *key, double value)
{
    json_object_set_new(ratios, key,
                        isfinite(value) ? json_real(round(value * 1e4) / 1e4) : json_null());
}

/* A ratio of the document, where it has been written already. */
static double ratio_at(const json_t *j, const char *key)
{
    const json_t *r = json_object_get(json_object_get(j, "ratios"), key);

    return json_is_number(r) ? json_number_value(r) : NAN;
}

static json_t *ratios_json(const json_t *j, unsigned rounds, bool spins)
{
    const char *notified = spins ? "notified_cycles" : "polled_cycles";
    json_t *to = json_object();

    set_ratio(to, "sleeping_to_polled", ratio(j, rounds, "sleeping_cycles", "polled_cycles"));
    set_ratio(to, "polled_to_xen_only", ratio(j, rounds, "polled_cycles", "xen_only_cycles"));
    set_ratio(to, "service_to_polled", ratio(j, rounds, "service_cycles", "polled_cycles"));
    set_ratio(to, "notify_to_notified", ratio(j, rounds, "notify_cycles", notified));
    if (spins)
        set_ratio(to, "notified_to_polled", ratio(j, rounds, "notified_cycles", "polled_cycles"));
    return to;
}

static void add_goals(json_t *j, bool spins, double upcalls)
{
    report_goal(j, "sleeping / polled", ratio_at(j, "sleeping_to_polled"), AT_LEAST,
                spins ? 8 : 2.2);
    if (spins)
        report_goal(j, "polled / what Xen answers alone", ratio_at(j, "polled_to_xen_only"),
                    AT_MOST, 1.15);
    report_goal(j, "service / polled", ratio_at(j, "service_to_polled"), AT_MOST, 0.05);
    report_goal(j, "upcalls per 1000 requests, polling", upcalls, AT_MOST, 1);
}

static json_t *head_json(const struct xen_result *r)
{
    struct host host;
    json_t *j;

    host_read(&host);
    j = report_head("xen", r->quick, &host);
    json_object_set_new(
        j, "xen", json_pack("{s:s, s:b}", "version", r->version, "spins", xen_result_spins(r)));
    json_object_set_new(j, "rounds", json_integer(r->rounds));
    return j;
}

json_t *xen_result_json(const struct xen_result *r)
{
    bool spins = xen_result_spins(r);
    enum xen_phase notified = spins ? XEN_NOTIFIED : XEN_POLLED;
    double upcalls = upcalls_a_thousand(r, XEN_POLLED);
    json_t *j = head_json(r), *part;

    json_object_set_new(j, "polled_cycles", cycles_json(r, XEN_POLLED, inb));
    if (spins)
        json_object_set_new(j, "notified_cycles", cycles_json(r, XEN_NOTIFIED, inb));
    json_object_set_new(j, "sleeping_cycles", cycles_json(r, XEN_SLEEPING, inb));
    json_object_set_new(j, "xen_only_cycles", cycles_json(r, XEN_POLLED, xen_only));
    part = cycles_json(r, notified, notify);
    add_mean(part, r, notified, notify_figures);
    json_object_set_new(j, "notify_cycles", part);
    part = cycles_json(r, XEN_POLLED, service);
    add_mean(part, r, XEN_POLLED, service_figures);
    json_object_set_new(j, "service_cycles", part);
    part = json_object();
    set_ratio(part, "polled", upcalls);
    set_ratio(part, "sleeping", upcalls_a_thousand(r, XEN_SLEEPING));
    json_object_set_new(j, "upcalls", part);
    json_object_set_new(j, "ratios", ratios_json(j, r->rounds, spins));
    add_goals(j, spins, upcalls);
    return j;
}

/* --- the text --- */

static void print_row(struct table *t, const json_t *j, const char *key, const char *title)
{
    const json_t *c = json_object_get(j, key);

    if (!c)
        return;
    table_cell(t, "%s", title);
    table_cell(t, "%.0f", json_number_value(json_object_get(c, "p50")));
    table_cell(t, "%.0f", json_number_value(json_object_get(c, "p99")));
    table_cell(t, "%.2f", p50(j, key) / p50(j, "xen_only_cycles"));
    table_cell(t, "%lld", (long long)json_integer_value(json_object_get(c, "count")));
}

void xen_result_print(const json_t *j, FILE *out)
{
    static const char *const head[] = {"cycles", "p50", "p99", "x Xen alone", "count"};
    const json_t *xen = json_object_get(j, "xen");
    struct table *t = table_new(head, 5);

    report_print_title(j, out);
    fprintf(out, "Xen %s: a vCPU %s\n\n", json_string_value(json_object_get(xen, "version")),
            json_is_true(json_object_get(xen, "spins"))
                ? "can spin for its answer"
                : "always blocks on its event channel (stock)");
    print_row(t, j, "xen_only_cycles", "Xen alone");
    print_row(t, j, "polled_cycles", "polled");
    print_row(t, j, "notified_cycles", "polled, notified");
    print_row(t, j, "sleeping_cycles", "sleeping");
    print_row(t, j, "notify_cycles", "  notification");
    print_row(t, j, "service_cycles", "  service");
    table_print(t, out);
    table_free(t);
    report_print_goals(j, out);
}
