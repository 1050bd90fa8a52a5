/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * coopvmm bench exits: what a guest's write costs its vCPU under KVM, by the ways there are to take
 * it: an exit to user space alone; that and a post into the I/O core's ring, which is what a posted
 * register is; an ioeventfd; and coalesced I/O, which both stay in the kernel.
 *
 * A guest of a few instructions writes so many times and says so. What the far side does with it is
 * left out for the two that stay in the kernel: an I/O core would have to read the eventfd, or to
 * poll a ring that all vCPUs write to under one lock. So they are shown at their best.
 */
#include "exits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "../coopvmm/table.h"
#include "opts.h"
#include "plot.h"
#include "report.h"
#include "run.h"

#define ROUNDS 40
#define RUNS   40 /* of the guest, a kind, a round */
#define WRITES EXITS_WRITES

static const struct bench_help help = {
    .name = "exits",
    .text =
        "What a guest's write costs its vCPU under KVM, trap and all: an exit to user space\n"
        "(user), that and a post into the I/O core's ring (posted), an ioeventfd, and coalesced\n"
        "I/O, which both stay in the kernel; for port I/O and for memory-mapped I/O. The last\n"
        "two are without what it costs the I/O core to take it.\n",
};

static const struct kind {
    const char *name;
    enum exits_where where;
    bool posts;
} kinds[] = {
    {"loop", EXITS_NOWHERE, false},
    {"pio_user", EXITS_PORT_USER, false},
    {"pio_posted", EXITS_PORT_USER, true},
    {"pio_ioeventfd", EXITS_PORT_EVENTFD, false},
    {"pio_coalesced", EXITS_PORT_COALESCED, false},
    {"mmio_user", EXITS_MMIO_USER, false},
    {"mmio_posted", EXITS_MMIO_USER, true},
    {"mmio_ioeventfd", EXITS_MMIO_EVENTFD, false},
    {"mmio_coalesced", EXITS_MMIO_COALESCED, false},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct exits {
    struct session s;
    struct bvm vm; /* with the NE2000 whose register is posted to */
    struct exits_guest *guest;
    struct series kind[KINDS]; /* ticks a run of the guest */
    unsigned runs;
};

static int post(void *arg)
{
    struct exits *b = arg;

    return bvm_outb(&b->vm, BVM_PORT_RSAR0, 0);
}

static int sample(struct exits *b, unsigned k)
{
    const struct kind *kind = &kinds[k];

    for (unsigned i = 0; i <= b->runs; i++) {
        uint64_t begin = tsc_read();
        int err = exits_guest_run(b->guest, kind->where, kind->posts ? post : NULL, b);
        uint64_t end = tsc_read();

        if (err)
            return err;
        if (i) /* the first one loads what the others use */
            series_add(&b->kind[k], tsc_sample(begin, end));
        if (kind->posts && bvm_inb(&b->vm, BVM_PORT_FIFO))
            return -ECANCELED;
    }
    series_end_round(&b->kind[k]);
    return 0;
}

static int one_round(void *self, unsigned i)
{
    struct exits *b = self;
    int err = 0;

    (void)i;
    for (unsigned k = 0; k < KINDS && !err; k++)
        err = sample(b, k);
    return err;
}

static int set_up(void *self)
{
    struct exits *b = self;
    const char *step = "";
    int err = exits_guest_create(&b->guest, &step);

    b->runs = b->s.o.quick ? RUNS / 4 : RUNS;
    if (err)
        fprintf(stderr, "no KVM guest here: %s\n", step);
    for (unsigned k = 0; k < KINDS && !err; k++)
        err = series_init(&b->kind[k], (size_t)b->runs * b->s.rounds);
    if (!err)
        err = bvm_create(&b->vm, 0, CFG_PLACE_IOCORE, b->s.iod.sock, b->s.guard, stderr);
    return err;
}

/* A write, less the guest's own loop. */
static double write_ns(struct exits *b, unsigned k)
{
    return series_paired_excess(&b->kind[k], &b->kind[0], NULL, &b->s.tsc) / WRITES;
}

static json_t *result(void *self)
{
    struct exits *b = self;
    json_t *j = report_new(&b->s, "exits"), *ns = json_object();

    json_object_set_new(j, "writes", json_integer((json_int_t)b->s.rounds * b->runs * WRITES));
    for (unsigned k = 1; k < KINDS; k++)
        report_number(ns, kinds[k].name, write_ns(b, k));
    json_object_set_new(j, "ns", ns);
    return j;
}

static void print(const json_t *j)
{
    static const char *const head[] = {"a write by", "ns", "x posted"};
    const json_t *ns = json_object_get(j, "ns");
    struct table *t;

    t = table_new(head, 3);
    for (unsigned k = 1; k < KINDS; k++) {
        const char *posted = kinds[k].name[0] == 'p' ? "pio_posted" : "mmio_posted";
        double v = report_value(ns, kinds[k].name);

        table_cell(t, "%s", kinds[k].name);
        table_cell(t, "%.0f", v);
        table_cell(t, "%.2f", v / report_value(ns, posted));
    }
    table_print(t, stdout);
    table_free(t);
}

static int draw(void *self, const json_t *j)
{
    struct exits *b = self;
    struct plot *plot = plot_open(b->s.o.plot, "What a guest's write costs its vCPU under KVM");
    FILE *out;

    if (!plot)
        return -ENOENT;
    out = plot_out(plot);
    fputs("set style fill solid 0.6\nset boxwidth 0.6\nunset key\nset ylabel 'nanoseconds'\n"
          "set yrange [0:]\nset xtics rotate by -45\nplot '-' using 1:2:xtic(3) with boxes\n",
          out);
    for (unsigned k = 1; k < KINDS; k++)
        fprintf(out, "%u %.1f \"%s\"\n", k, report_value(json_object_get(j, "ns"), kinds[k].name),
                kinds[k].name);
    fputs("e\n", out);
    return plot_close(plot);
}

static void stop(void *self)
{
    struct exits *b = self;

    bvm_destroy(&b->vm);
    exits_guest_free(b->guest);
}

static void release(void *self)
{
    struct exits *b = self;

    for (unsigned k = 0; k < KINDS; k++)
        series_fini(&b->kind[k]);
}

static const struct bench_run run = {
    &help, ROUNDS, 3, STATS_MAX_ROUNDS, set_up, one_round, result, draw, stop, print, release};

int bench_exits(int argc, char **argv)
{
    struct exits b = {0};

    return bench_run(&run, &b, argc, argv);
}
