/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * coopvmm bench trap: a guest's accesses as the guest sees them, trap and all, for each placement
 * of its NIC; beside the bare trap and the floor.
 */
#include <errno.h>
#include <string.h>

#include "../coopvmm/table.h"
#include "plot.h"
#include "report.h"
#include "run.h"
#include "trap_fault.h"
#include "trap_guest.h"

#define PASSES     3
#define MAX_PASSES 16
#define TRAPS      5000 /* a pass */
#define FLOORS     5000
#define PLACES     3

static const enum cfg_placement places[PLACES] = {CFG_PLACE_INLINE, CFG_PLACE_IOCORE,
                                                  CFG_PLACE_BLOCKING};

static const struct bench_help help = {
    .name = "trap",
    .text = "A guest's accesses to an NE2000, trap and all: the probe guest runs in a real\n"
            "coopvmm-vm and times itself, with the NIC served inline, by an I/O core, and by a\n"
            "blocking hand-off. trap is what no placement can avoid: with --engine user the bare\n"
            "fault and return (measured in this process), with kvm an access nothing answers.\n",
    .trap = true,
};

struct trap {
    struct session s;
    struct series trap;
    struct baselines base;
    unsigned n;
    struct trap_result result[PLACES][MAX_PASSES];
};

static int one_guest(struct trap *t, unsigned place, unsigned pass)
{
    bool on_core = places[place] == CFG_PLACE_IOCORE;
    int err;

    if (!on_core) /* its CPU is free for whoever serves instead */
        iod_pause(&t->s.iod);
    err = trap_guest_run(&t->s, places[place], t->n, stderr, &t->result[place][pass]);
    if (!on_core)
        iod_continue(&t->s.iod);
    return err;
}

static int one_round(void *b, unsigned pass)
{
    struct trap *t = b;
    int err = trap_fault_sample(&t->trap, TRAPS);

    series_end_round(&t->trap);
    if (!err)
        err = baselines_round(&t->s, &t->base, FLOORS, 1);
    for (unsigned place = 0; place < PLACES && !err; place++) {
        err = one_guest(t, place, pass);
        if (!err)
            err = session_check(&t->s);
    }
    return err;
}

static int set_up(void *b)
{
    struct trap *t = b;
    bool kvm = t->s.o.engine == CFG_ENGINE_KVM;
    int err = series_init(&t->trap, (size_t)TRAPS * MAX_PASSES);

    t->n = t->s.o.quick ? (kvm ? 30 : 100) : kvm ? 150 : 500;
    return err ? err : baselines_init(&t->base, FLOORS, 1, t->s.rounds);
}

/* A kind's median in nanoseconds, less what reading the clock costs the guest: the median of the
 * passes. Negative: it was not measured. */
static double kind_ns(const struct trap *t, unsigned place, const char *name, bool p99)
{
    double ns[MAX_PASSES];

    for (unsigned i = 0; i < t->s.rounds; i++) {
        const struct trap_kind *k = trap_find(&t->result[place][i], name),
                               *clock = trap_find(&t->result[place][i], "rdtsc");
        double ticks;

        if (!k || !clock)
            return -1;
        ticks = (double)(p99 ? k->p99 : k->p50) - clock->p50;
        ns[i] = ticks > 0 ? ticks * 1e9 / t->s.tsc.hz : 0;
    }
    return stats_median(ns, t->s.rounds);
}

static json_t *kinds_json(const struct trap *t)
{
    const struct trap_result *first = &t->result[0][0];
    json_t *list = json_array();
    char key[32];

    for (unsigned i = 0; i < first->nkinds; i++) {
        const char *name = first->kind[i].name;
        json_t *k;

        if (!strcmp(name, "rdtsc"))
            continue;
        k = json_pack("{s:s}", "name", name);
        for (unsigned p = 0; p < PLACES; p++) {
            snprintf(key, sizeof(key), "%s_ns", cfg_placement_name(places[p]));
            report_number(k, key, kind_ns(t, p, name, false));
            snprintf(key, sizeof(key), "%s_p99_ns", cfg_placement_name(places[p]));
            report_number(k, key, kind_ns(t, p, name, true));
        }
        json_array_append_new(list, k);
    }
    return list;
}

static json_t *result(void *b)
{
    struct trap *t = b;
    json_t *j = report_new(&t->s, "trap");
    struct summary trap, floor;
    double inl = kind_ns(t, 0, "inb_reg", false), io = kind_ns(t, 1, "inb_reg", false);

    json_object_set_new(j, "engine", json_string(cfg_engine_name(t->s.o.engine)));
    json_object_set_new(j, "samples_a_kind", json_integer(t->n));
    report_series(j, "floor", &t->base.floor, &t->s.tsc, &floor);
    report_series(j, "fault", &t->trap, &t->s.tsc, &trap);
    report_number(j, "trap_ns",
                  t->s.o.engine == CFG_ENGINE_USER ? trap.p50 : kind_ns(t, 0, "null_trap", false));
    report_number(j, "inline_ns", inl);
    report_number(j, "iocore_ns", io);
    report_number(j, "blocking_ns", kind_ns(t, 2, "inb_reg", false));
    report_number(j, "posted_ns", kind_ns(t, 1, "outb_posted", false));
    report_number(j, "shadow_ns", kind_ns(t, 1, "inb_shadow", false));
    json_object_set_new(j, "kinds", kinds_json(t));
    report_goal(j, "iocore - inline - floor, ns", io - inl - floor.p50, AT_MOST, 150);
    return j;
}

static void print(const json_t *j)
{
    static const char *const head[] = {"ns",         "inline",     "iocore",      "blocking",
                                       "inline p99", "iocore p99", "blocking p99"};
    static const char *const keys[] = {"inline_ns",     "iocore_ns",     "blocking_ns",
                                       "inline_p99_ns", "iocore_p99_ns", "blocking_p99_ns"};
    struct table *table;
    json_t *k;
    size_t i;

    table = table_new(head, 7);
    json_array_foreach(json_object_get(j, "kinds"), i, k)
    {
        table_cell(table, "%s", json_string_value(json_object_get(k, "name")));
        for (unsigned c = 0; c < 6; c++)
            table_cell(table, "%.0f", report_value(k, keys[c]));
    }
    table_print(table, stdout);
    table_free(table);
    printf("\nengine %s: trap %.0f ns, floor %.1f ns\n",
           json_string_value(json_object_get(j, "engine")), report_value(j, "trap_ns"),
           report_value(j, "floor_ns"));
}

static int draw(void *b, const json_t *j)
{
    struct trap *t = b;
    struct plot *p = plot_open(t->s.o.plot, "A guest's accesses, trap and all");
    const json_t *k;
    size_t i;
    FILE *out;

    if (!p)
        return -ENOENT;
    out = plot_out(p);
    fputs("set style data histogram\nset style histogram cluster gap 1\n"
          "set style fill solid 0.6\nset logscale y\nset ylabel 'time (ns)'\n"
          "set key top left\nset xtics rotate by -40 noenhanced\n$d << EOD\n",
          out);
    json_array_foreach(json_object_get(j, "kinds"), i, k) fprintf(
        out, "%s %.0f %.0f %.0f\n", json_string_value(json_object_get(k, "name")),
        report_value(k, "inline_ns"), report_value(k, "iocore_ns"), report_value(k, "blocking_ns"));
    fputs("EOD\nplot $d using 2:xtic(1) title 'inline', $d using 3 title 'I/O core', "
          "$d using 4 title 'blocking'\n",
          out);
    return plot_close(p);
}

static void release(void *b)
{
    struct trap *t = b;

    series_fini(&t->trap);
    baselines_fini(&t->base);
}

static const struct bench_run run = {&help,  PASSES, 1,    MAX_PASSES, set_up, one_round,
                                     result, draw,   NULL, print,      release};

int bench_trap(int argc, char **argv)
{
    static struct trap t; /* too large for the stack */

    return bench_run(&run, &t, argc, argv);
}
