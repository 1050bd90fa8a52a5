/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * coopvmm bench scale: one VM that works, beside many that are attached to the same I/O core and do
 * nothing. Up and down through the numbers of idle VMs, several times, so that what changes on the
 * machine in the course of a run does not look like a matter of their number.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "../coopvmm/table.h"
#include "plot.h"
#include "report.h"
#include "run.h"

#define LEVELS       4
#define MAX_IDLE     256
#define PASSES       6     /* up and down again */
#define SAMPLES      20000 /* a visit to a level */
#define BASE_SAMPLES 2000
#define BASE_BLOCKED 50
#define SETTLE_MS    6 /* several times as long as a quiet source stays hot (CORE_COOL_MS) */
#define COLD_MS      100
#define COLD_VISIT   8 /* sources asked for the first time in a visit */

static const unsigned levels[LEVELS] = {1, 16, 64, MAX_IDLE};

static const struct bench_help help = {
    .name = "scale",
    .text = "One `inb` of one VM, served by an I/O core that serves 1, 16, 64, 256 idle VMs, too;\n"
            "and the first `inb` of a VM that was idle for 100 ms.\n",
};

struct level {
    struct series active, cold;
};

struct scale {
    struct session s;
    struct bvm vm;
    struct bvm *idle; /* [MAX_IDLE] */
    unsigned attached, next_cold;
    struct level level[LEVELS];
    struct baselines base;
    unsigned samples;
};

static void nap_ms(long ms)
{
    struct timespec t = {.tv_nsec = ms * 1000000};

    nanosleep(&t, NULL);
}

static int attach(struct scale *c, unsigned n)
{
    int err = 0;

    while (c->attached > n)
        bvm_destroy(&c->idle[--c->attached]);
    while (c->attached < n && !err) {
        err = session_check(&c->s);
        if (!err)
            err = bvm_create(&c->idle[c->attached], c->attached + 1, CFG_PLACE_IOCORE,
                             c->s.iod.sock, c->s.guard, stderr);
        c->attached += !err;
    }
    return err;
}

/* The first access of some VMs that have been quiet since they were attached or last asked. */
static int sample_cold(struct scale *c, struct series *s)
{
    unsigned n = c->attached < COLD_VISIT ? c->attached : COLD_VISIT;
    int err = 0;

    nap_ms(COLD_MS);
    for (unsigned i = 0; i < n && !err; i++) {
        uint64_t begin, end;

        c->next_cold = (c->next_cold + 1) % c->attached;
        begin = tsc_read();
        err = bvm_inb(&c->idle[c->next_cold], BVM_PORT_FIFO);
        end = tsc_read();
        series_add(s, tsc_sample(begin, end));
    }
    return err;
}

static int visit(struct scale *c, unsigned l)
{
    int err = attach(c, levels[l]);

    if (!err)
        err = sample_cold(c, &c->level[l].cold);
    nap_ms(SETTLE_MS);
    if (!err)
        err = bvm_sample(&c->vm, BVM_PORT_FIFO, &c->level[l].active, c->samples);
    series_end_round(&c->level[l].active);
    if (!err)
        err = baselines_round(&c->s, &c->base, BASE_SAMPLES, BASE_BLOCKED);
    return err ? err : session_check(&c->s);
}

/* Up and down again: each level twice. */
static int one_round(void *b, unsigned i)
{
    struct scale *c = b;
    int err = 0;

    (void)i;
    for (unsigned l = 0; l < LEVELS && !err; l++)
        err = visit(c, l);
    for (unsigned l = LEVELS; l-- > 0 && !err;)
        err = visit(c, l);
    return err;
}

static int set_up(void *b)
{
    struct scale *c = b;
    unsigned visits;
    int err = 0;

    c->samples = c->s.o.quick ? SAMPLES / 10 : SAMPLES;
    visits = 2 * c->s.rounds;
    c->idle = calloc(MAX_IDLE, sizeof(c->idle[0]));
    err = c->idle ? baselines_init(&c->base, BASE_SAMPLES, BASE_BLOCKED, visits * LEVELS) : -ENOMEM;
    for (unsigned l = 0; l < LEVELS && !err; l++) {
        err = series_init(&c->level[l].active, (size_t)c->samples * visits);
        if (!err)
            err = series_init(&c->level[l].cold, (size_t)COLD_VISIT * visits);
    }
    if (!err)
        err = bvm_create(&c->vm, 0, CFG_PLACE_IOCORE, c->s.iod.sock, c->s.guard, stderr);
    return err;
}

static json_t *result(void *b)
{
    struct scale *c = b;
    json_t *j = report_new(&c->s, "scale"), *list = json_array();
    struct summary sum;
    double one = 0, last = 0;

    for (unsigned l = 0; l < LEVELS; l++) {
        json_t *e = json_pack("{s:i}", "idle", levels[l]);

        report_series(e, "ring", &c->level[l].active, &c->s.tsc, &sum);
        last = sum.p50;
        one = l ? one : sum.p50;
        json_object_set_new(e, "ratio", json_real(last / one));
        json_object_set_new(
            e, "paired_ratio",
            json_real(series_paired_ratio(&c->level[l].active, &c->level[0].active, &c->s.tsc)));
        report_series(e, "cold", &c->level[l].cold, &c->s.tsc, &sum);
        json_array_append_new(list, e);
    }
    json_object_set_new(j, "levels", list);
    report_series(j, "floor", &c->base.floor, &c->s.tsc, &sum);
    report_series(j, "inline", &c->base.inl, &c->s.tsc, &sum);
    report_series(j, "blocking", &c->base.blocking, &c->s.tsc, &sum);
    report_goal(j, "256 idle / 1 idle", last / one, AT_MOST, 1.1);
    return j;
}

static void print(const json_t *j)
{
    static const char *const head[] = {"idle VMs",     "ring ns", "p99 ns",     "ratio to 1",
                                       "pass by pass", "cold ns", "cold max ns"};
    static const struct report_row rows[] = {
        {"floor", "floor"}, {"inline", "inline"}, {"blocking", "blocking"}, {0}};
    struct table *t;
    json_t *e;
    size_t i;

    t = table_new(head, 7);
    json_array_foreach(json_object_get(j, "levels"), i, e)
    {
        table_cell(t, "%.0f", report_value(e, "idle"));
        table_cell(t, "%.1f", report_value(e, "ring_ns"));
        table_cell(t, "%.1f", report_value(e, "ring_p99_ns"));
        table_cell(t, "%.3f", report_value(e, "ratio"));
        table_cell(t, "%.3f", report_value(e, "paired_ratio"));
        table_cell(t, "%.1f", report_value(e, "cold_ns"));
        table_cell(t, "%.1f", report_value(e, "cold_max_ns"));
    }
    table_print(t, stdout);
    table_free(t);
    putchar('\n');
    report_print_series(j, rows, stdout);
}

static int draw(void *b, const json_t *j)
{
    struct scale *c = b;
    static const char *const keys[] = {"ring_ns", "ring_p99_ns", "cold_ns"};
    struct plot *p = plot_open(c->s.o.plot, "One access beside idle VMs on the same I/O core");
    const json_t *e;
    size_t i;
    FILE *out;

    if (!p)
        return -ENOENT;
    out = plot_out(p);
    fputs("set logscale xy\nset xlabel 'idle VMs'\nset ylabel 'time (ns)'\nset xrange [0.8:320]\n"
          "set xtics (1, 16, 64, 256)\n"
          "plot '-' with linespoints title 'median', '-' with linespoints title 'p99', "
          "'-' with linespoints title 'first access after 100 ms'\n",
          out);
    for (unsigned k = 0; k < 3; k++) {
        json_array_foreach(json_object_get(j, "levels"), i, e)
            fprintf(out, "%.0f %.2f\n", report_value(e, "idle"), report_value(e, keys[k]));
        fputs("e\n", out);
    }
    return plot_close(p);
}

static void stop(void *b)
{
    struct scale *c = b;

    if (c->idle)
        attach(c, 0);
    bvm_destroy(&c->vm);
}

static void release(void *b)
{
    struct scale *c = b;

    for (unsigned l = 0; l < LEVELS; l++) {
        series_fini(&c->level[l].active);
        series_fini(&c->level[l].cold);
    }
    baselines_fini(&c->base);
    free(c->idle);
}

static const struct bench_run run = {
    &help, PASSES, 1, STATS_MAX_ROUNDS / 2, set_up, one_round, result, draw, stop, print, release};

int bench_scale(int argc, char **argv)
{
    struct scale c = {0};

    return bench_run(&run, &c, argc, argv);
}
