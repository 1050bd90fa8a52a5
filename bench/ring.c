/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * coopvmm bench ring: what one synchronous access costs when an I/O core serves it, beside the same
 * access served inline and by a blocking hand-off, and beside the floor.
 *
 * All four are measured in turn, a round of each, many times over: whatever disturbs the machine
 * hits all of them alike.
 */
#include <errno.h>

#include "plot.h"
#include "report.h"
#include "run.h"

#define ROUNDS          48
#define SAMPLES         10000 /* a round */
#define SAMPLES_BLOCKED 200

static const struct bench_help help = {
    .name = "ring",
    .text =
        "One `inb` of an NE2000 register, from the access to its value, without the trap:\n"
        "served by an I/O core (ring), by the same model on the asking thread (inline), by a\n"
        "thread woken through an eventfd (blocking); and the floor, a bare cache line that goes\n"
        "to the I/O core's CPU and back.\n",
};

struct ring {
    struct session s;
    struct bvm vm;
    struct series ring;
    struct baselines base;
    size_t n, nblocking;
};

static int set_up(void *b)
{
    struct ring *r = b;
    int err;

    r->n = r->s.o.quick ? SAMPLES / 4 : SAMPLES;
    r->nblocking = r->s.o.quick ? SAMPLES_BLOCKED / 4 : SAMPLES_BLOCKED;
    err = baselines_init(&r->base, r->n, r->nblocking, r->s.rounds);
    if (!err)
        err = series_init(&r->ring, r->n * r->s.rounds);
    if (!err)
        err = bvm_create(&r->vm, 0, CFG_PLACE_IOCORE, r->s.iod.sock, r->s.guard, stderr);
    return err;
}

static int one_round(void *b, unsigned i)
{
    struct ring *r = b;
    int err = bvm_sample(&r->vm, BVM_PORT_FIFO, &r->ring, r->n);

    (void)i;
    series_end_round(&r->ring);
    return err ? err : baselines_round(&r->s, &r->base, r->n, r->nblocking);
}

static void add_goals(json_t *j, const struct summary *ring, const struct summary *inl,
                      const struct summary *blocking, const struct summary *floor)
{
    report_goal(j, "ring / floor", ring->p50 / floor->p50, AT_MOST, 1.5);
    report_goal(j, "ring p99 / floor", ring->p99 / floor->p50, AT_MOST, 2);
    report_goal(j, "ring - inline - floor, ns", ring->p50 - inl->p50 - floor->p50, AT_MOST, 50);
    report_goal(j, "blocking / ring", blocking->p50 / ring->p50, AT_LEAST, 20);
}

static json_t *result(void *b)
{
    struct ring *r = b;
    json_t *j = report_new(&r->s, "ring");
    struct summary ring, inl, blocking, floor;

    report_series(j, "floor", &r->base.floor, &r->s.tsc, &floor);
    report_series(j, "ring", &r->ring, &r->s.tsc, &ring);
    report_series(j, "inline", &r->base.inl, &r->s.tsc, &inl);
    report_series(j, "blocking", &r->base.blocking, &r->s.tsc, &blocking);
    report_number(j, "paired_excess_ns",
                  series_paired_excess(&r->ring, &r->base.inl, &r->base.floor, &r->s.tsc));
    json_object_set_new(j, "paired_ratio",
                        json_real(series_paired_ratio(&r->ring, &r->base.floor, &r->s.tsc)));
    add_goals(j, &ring, &inl, &blocking, &floor);
    return j;
}

static void print(const json_t *j)
{
    static const struct report_row rows[] = {{"floor", "floor"},
                                             {"ring", "ring (I/O core)"},
                                             {"inline", "inline"},
                                             {"blocking", "blocking"},
                                             {0}};

    report_print_series(j, rows, stdout);
    printf("\nround by round (median): ring / floor %.2f, ring - inline - floor %.1f ns\n",
           report_value(j, "paired_ratio"), report_value(j, "paired_excess_ns"));
}

static int draw(void *b, const json_t *j)
{
    struct ring *r = b;
    const struct plot_curve curves[] = {{"floor", &r->base.floor},
                                        {"inline", &r->base.inl},
                                        {"ring (I/O core)", &r->ring},
                                        {"blocking", &r->base.blocking},
                                        {0}};

    (void)j;
    return plot_distributions(r->s.o.plot, "One synchronous access", curves, &r->s.tsc);
}

static void stop(void *b)
{
    struct ring *r = b;

    bvm_destroy(&r->vm);
}

static void release(void *b)
{
    struct ring *r = b;

    series_fini(&r->ring);
    baselines_fini(&r->base);
}

static const struct bench_run run = {
    &help, ROUNDS, 8, STATS_MAX_ROUNDS, set_up, one_round, result, draw, stop, print, release};

int bench_ring(int argc, char **argv)
{
    struct ring r = {0};

    return bench_run(&run, &r, argc, argv);
}
