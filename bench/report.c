/* SPDX-License-Identifier: BSD-3-Clause */
#include "report.h"

#include <math.h>
#include <time.h>

#include "../coopvmm/table.h"

#define KEY_SIZE 64

double report_round(double x)
{
    return round(x * 10) / 10;
}

double report_value(const json_t *j, const char *key)
{
    return json_number_value(json_object_get(j, key));
}

void report_number(json_t *j, const char *key, double value)
{
    json_object_set_new(j, key, json_real(report_round(value)));
}

static json_t *host_json(const struct host *h)
{
    char line[3 * HOST_TEXT];

    host_line(h, line, sizeof(line));
    return json_pack("{s:s, s:I, s:s, s:b, s:s, s:s}", "cpu", h->cpu, "cpus", (json_int_t)h->cpus,
                     "kernel", h->kernel, "virtualised", h->virtualised, "hypervisor",
                     h->hypervisor, "line", line);
}

static void add_clocks(json_t *host, const struct session *s)
{
    struct host_time now;

    host_time_read(&now);
    json_object_set_new(host, "tsc_hz", json_integer((json_int_t)s->tsc.hz));
    json_object_set_new(host, "stolen",
                        json_real(round(host_stolen(&s->before, &now) * 1e4) / 1e4));
}

static json_t *placement_json(const struct session *s)
{
    return json_pack("{s:i, s:i, s:b, s:b, s:s}", "cpu", s->pair.cpu, "iocpu", s->pair.iocpu,
                     "same_llc", s->pair.same_llc, "siblings", s->pair.siblings, "idle",
                     cfg_idle_name(s->o.idle));
}

static json_t *variants_json(const struct session *s)
{
    json_t *j = json_object();

    for (unsigned i = 0; i < FLOOR_VARIANTS; i++)
        report_number(j, floor_variant_name(i), tsc_ns(&s->tsc, s->variant_ticks[i]));
    return j;
}

json_t *report_head(const char *bench, bool quick, const struct host *host)
{
    char stamp[32];
    time_t now = time(NULL);
    struct tm tm;

    strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
    return json_pack("{s:s, s:s, s:s, s:b, s:o, s:[]}", "bench", bench, "version", COOPVMM_VERSION,
                     "time", stamp, "quick", quick, "host", host_json(host), "goals");
}

json_t *report_new(const struct session *s, const char *bench)
{
    json_t *j = report_head(bench, s->o.quick, &s->host);

    add_clocks(json_object_get(j, "host"), s);
    json_object_set_new(j, "placement", placement_json(s));
    json_object_set_new(j, "floor_variant", json_string(floor_variant_name(s->variant)));
    json_object_set_new(j, "floor_variants_ns", variants_json(s));
    return j;
}

static void set(json_t *j, const char *name, const char *what, json_t *value)
{
    char key[KEY_SIZE];

    snprintf(key, sizeof(key), "%s_%s", name, what);
    json_object_set_new(j, key, value);
}

static void set_ns(json_t *j, const char *name, const char *what, double ns)
{
    set(j, name, what, json_real(report_round(ns)));
}

static json_t *rounds_json(const struct series *s, const struct tsc *t)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < s->rounds; i++)
        json_array_append_new(list, json_real(report_round(tsc_ns(t, s->round_p50[i]))));
    return list;
}

void report_series(json_t *j, const char *name, struct series *from, const struct tsc *t,
                   struct summary *out)
{
    series_summary(from, t, out);
    set_ns(j, name, "ns", out->p50);
    set_ns(j, name, "min_ns", out->min);
    set_ns(j, name, "p99_ns", out->p99);
    set_ns(j, name, "p999_ns", out->p999);
    set_ns(j, name, "max_ns", out->max);
    set(j, name, "samples", json_integer((json_int_t)out->n));
    set(j, name, "rounds_ns", rounds_json(from, t));
}

void report_goal(json_t *j, const char *text, double value, enum report_sense sense, double bound)
{
    bool met = sense == AT_MOST ? value <= bound : value >= bound;
    json_t *shown = isfinite(value) ? json_real(round(value * 100) / 100) : json_null();

    json_array_append_new(json_object_get(j, "goals"),
                          json_pack("{s:s, s:o, s:s, s:f, s:b}", "text", text, "value", shown,
                                    "sense", sense == AT_MOST ? "<=" : ">=", "bound", bound, "met",
                                    isfinite(value) && met));
}

/* --- the text --- */

static const char *text_at(const json_t *j, const char *object, const char *key)
{
    const char *t = json_string_value(json_object_get(json_object_get(j, object), key));

    return t ? t : "";
}

static int int_at(const json_t *j, const char *object, const char *key)
{
    return (int)json_integer_value(json_object_get(json_object_get(j, object), key));
}

static bool true_at(const json_t *j, const char *object, const char *key)
{
    return json_is_true(json_object_get(json_object_get(j, object), key));
}

void report_print_title(const json_t *j, FILE *out)
{
    fprintf(out, "coopvmm %s, bench %s\n%s\n", json_string_value(json_object_get(j, "version")),
            json_string_value(json_object_get(j, "bench")), text_at(j, "host", "line"));
}

void report_print_head(const json_t *j, FILE *out)
{
    report_print_title(j, out);
    fprintf(out, "measuring on CPU %d, I/O core on CPU %d (%s%s), idle: %s; stolen: %.1f %%\n",
            int_at(j, "placement", "cpu"), int_at(j, "placement", "iocpu"),
            true_at(j, "placement", "same_llc") ? "same last-level cache"
                                                : "different last-level caches",
            true_at(j, "placement", "siblings") ? ", SMT siblings" : "",
            text_at(j, "placement", "idle"),
            100 * report_value(json_object_get(j, "host"), "stolen"));
    fprintf(out, "floor: one cache line there and back (%s)%s\n\n",
            json_string_value(json_object_get(j, "floor_variant")),
            json_is_true(json_object_get(j, "quick")) ? "; --quick: not for figures" : "");
}

static const json_t *get(const json_t *j, const char *name, const char *what)
{
    char key[KEY_SIZE];

    snprintf(key, sizeof(key), "%s_%s", name, what);
    return json_object_get(j, key);
}

static void number_cell(struct table *t, const json_t *value, int digits)
{
    if (json_is_number(value))
        table_cell(t, "%.*f", digits, json_number_value(value));
    else
        table_cell(t, "-");
}

static void range_cell(struct table *t, const json_t *rounds)
{
    double low = 0, high = 0;
    size_t i;
    json_t *r;

    json_array_foreach(rounds, i, r)
    {
        double ns = json_number_value(r);

        low = i == 0 || ns < low ? ns : low;
        high = ns > high ? ns : high;
    }
    table_cell(t, "%.0f..%.0f", low, high);
}

void report_print_series(const json_t *j, const struct report_row *rows, FILE *out)
{
    static const char *const head[] = {"ns", "median", "p99", "p99.9", "max", "rounds", "samples"};
    struct table *t = table_new(head, 7);

    for (; rows->name; rows++) {
        table_cell(t, "%s", rows->title);
        number_cell(t, get(j, rows->name, "ns"), 1);
        number_cell(t, get(j, rows->name, "p99_ns"), 1);
        number_cell(t, get(j, rows->name, "p999_ns"), 1);
        number_cell(t, get(j, rows->name, "max_ns"), 1);
        range_cell(t, get(j, rows->name, "rounds_ns"));
        table_cell(t, "%lld", (long long)json_integer_value(get(j, rows->name, "samples")));
    }
    table_print(t, out);
    table_free(t);
}

void report_print_goals(const json_t *j, FILE *out)
{
    static const char *const head[] = {"goal", "measured", "bound", ""};
    const json_t *goals = json_object_get(j, "goals");
    struct table *t;
    size_t i;
    json_t *g;

    if (!json_array_size(goals))
        return;
    t = table_new(head, 4);
    json_array_foreach(goals, i, g)
    {
        table_cell(t, "%s", json_string_value(json_object_get(g, "text")));
        number_cell(t, json_object_get(g, "value"), 2);
        table_cell(t, "%s %.4g", json_string_value(json_object_get(g, "sense")),
                   report_value(g, "bound"));
        table_cell(t, json_is_true(json_object_get(g, "met")) ? "met" : "not met");
    }
    fputc('\n', out);
    table_print(t, out);
    table_free(t);
}
