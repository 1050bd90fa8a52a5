/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * coopvmm bench posted: writes that nobody waits for, through one vCPU's ring to the I/O core, as
 * many as go. The time ends when the last one was carried out: a synchronous read comes after it.
 */
#include <errno.h>

#include "../coopvmm/table.h"
#include "plot.h"
#include "report.h"
#include "run.h"

#define ROUNDS  60
#define WRITES  200000 /* a round */
#define SYNCS   20000  /* of the slower kinds, a round */
#define BLOCKED 100
#define FLOORS  2000

static const struct bench_help help = {
    .name = "posted",
    .text =
        "Posted writes a second to an NE2000 register through one ring, until the I/O core has\n"
        "carried out the last one; beside the same writes made synchronously, served inline\n"
        "and by a blocking hand-off.\n",
};

/* A way to write, and how long a write took in each round. */
struct way {
    unsigned rounds;
    double ns[STATS_MAX_ROUNDS];
};

struct posted {
    struct session s;
    struct bvm vm;
    struct baselines base; /* the floor's, only */
    struct bus_dev *dev;
    struct way ring, bus, sync, inl, blocking;
    uint64_t full, offered;
    unsigned writes;
};

static const struct iotp_req write_rsar = {
    .offset = BVM_PORT_RSAR0 & 0x1f, .data = 0, .count = 1, .op = IOTP_OP_WRITE, .size = 1};

static void end_round(struct posted *p, struct way *w, uint64_t ticks, unsigned n)
{
    w->ns[w->rounds++] = tsc_ns(&p->s.tsc, (double)ticks) / n;
}

/* The ring itself, as bus_access() uses it: a full one makes the write a synchronous request. */
static int through_ring(struct posted *p)
{
    const struct placement *place = p->dev->place;
    struct iotp_req r = write_rsar;
    struct iotp_resp resp;
    uint64_t begin = tsc_read();
    int err = 0;

    r.device = p->dev->index;
    for (unsigned i = 0; i < p->writes && !err; i++)
        if (!place->post(p->dev, 0, &r)) {
            p->full++;
            err = place->call(p->dev, 0, &r, &resp);
        }
    if (!err)
        err = bvm_inb(&p->vm, BVM_PORT_FIFO);
    end_round(p, &p->ring, tsc_read() - begin, p->writes);
    p->offered += p->writes;
    return err;
}

/* The whole way of a guest's access. */
static int through_bus(struct posted *p, const struct bvm *vm, struct way *w, unsigned n)
{
    uint64_t begin = tsc_read();
    int err = 0;

    for (unsigned i = 0; i < n && !err; i++)
        err = bvm_outb(vm, BVM_PORT_RSAR0, 0);
    if (!err)
        err = bvm_inb(vm, BVM_PORT_FIFO);
    end_round(p, w, tsc_read() - begin, n);
    return err;
}

static int synchronously(struct posted *p)
{
    struct iotp_req r = write_rsar;
    struct iotp_resp resp;
    uint64_t begin = tsc_read();
    int err = 0;

    r.device = p->dev->index;
    for (unsigned i = 0; i < SYNCS && !err; i++)
        err = p->dev->place->call(p->dev, 0, &r, &resp);
    end_round(p, &p->sync, tsc_read() - begin, SYNCS);
    return err;
}

static int blocked(struct posted *p)
{
    int err;

    iod_pause(&p->s.iod);
    err = through_bus(p, &p->s.blocking, &p->blocking, BLOCKED);
    iod_continue(&p->s.iod);
    return err;
}

static int one_round(void *b, unsigned i)
{
    struct posted *p = b;
    int err = through_ring(p);

    (void)i;
    if (!err)
        err = through_bus(p, &p->vm, &p->bus, p->writes);
    if (!err)
        err = synchronously(p);
    if (!err)
        err = through_bus(p, &p->s.inl, &p->inl, SYNCS);
    if (!err)
        err = blocked(p);
    return err ? err : baselines_round(&p->s, &p->base, FLOORS, 1);
}

static int set_up(void *b)
{
    struct posted *p = b;
    int err = baselines_init(&p->base, FLOORS, 1, p->s.rounds);

    p->writes = p->s.o.quick ? WRITES / 4 : WRITES;
    if (!err)
        err = bvm_create(&p->vm, 0, CFG_PLACE_IOCORE, p->s.iod.sock, p->s.guard, stderr);
    if (!err)
        p->dev = bus_at(p->vm.vm->bus, 0);
    return err;
}

/* Sets NAME_mops and NAME_ns: the median round. @return ns a write */
static double add_way(json_t *j, const char *name, struct way *w)
{
    double ns = stats_median(w->ns, w->rounds);
    char key[32];

    snprintf(key, sizeof(key), "%s_ns", name);
    report_number(j, key, ns);
    snprintf(key, sizeof(key), "%s_mops", name);
    json_object_set_new(j, key, json_real(1e3 / ns));
    return ns;
}

static json_t *result(void *b)
{
    struct posted *p = b;
    json_t *j = report_new(&p->s, "posted");
    struct summary floor;
    double ns;

    json_object_set_new(j, "writes", json_integer((json_int_t)p->offered));
    report_series(j, "floor", &p->base.floor, &p->s.tsc, &floor);
    ns = add_way(j, "posted", &p->ring);
    json_object_set_new(j, "mops", json_real(1e3 / ns));
    add_way(j, "bus", &p->bus);
    add_way(j, "sync", &p->sync);
    add_way(j, "inline", &p->inl);
    add_way(j, "blocking", &p->blocking);
    json_object_set_new(j, "full", json_integer((json_int_t)p->full));
    json_object_set_new(j, "full_part", json_real((double)p->full / (double)p->offered));
    report_goal(j, "posted writes a second, millions", 1e3 / ns, AT_LEAST, 10);
    return j;
}

static const struct {
    const char *name, *title;
} ways[] = {{"posted", "posted, the ring itself"},
            {"bus", "posted, a guest's whole access"},
            {"sync", "synchronous, the ring itself"},
            {"inline", "inline"},
            {"blocking", "blocking"}};
#define WAYS (sizeof(ways) / sizeof(ways[0]))

static double number(const json_t *j, const char *name, const char *what)
{
    char key[32];

    snprintf(key, sizeof(key), "%s_%s", name, what);
    return report_value(j, key);
}

static void print(const json_t *j)
{
    static const char *const head[] = {"writes", "million/s", "ns each"};
    struct table *t;

    t = table_new(head, 3);
    for (unsigned i = 0; i < WAYS; i++) {
        table_cell(t, "%s", ways[i].title);
        table_cell(t, "%.3f", number(j, ways[i].name, "mops"));
        table_cell(t, "%.1f", number(j, ways[i].name, "ns"));
    }
    table_print(t, stdout);
    table_free(t);
    printf("\nring full: %.3f %% of the posts; floor: %.1f ns\n",
           100 * report_value(j, "full_part"), number(j, "floor", "ns"));
}

static int draw(void *b, const json_t *j)
{
    struct posted *p = b;
    struct plot *plot = plot_open(p->s.o.plot, "Writes to a register, millions a second");
    FILE *out;

    if (!plot)
        return -ENOENT;
    out = plot_out(plot);
    fputs("set logscale y\nset style fill solid 0.6\nset boxwidth 0.6\nunset key\n"
          "set xrange [-0.6:4.6]\nset format y '%g'\nset ylabel 'million/s'\n"
          "plot '-' using 1:2:xtic(3) with boxes\n",
          out);
    for (unsigned i = 0; i < WAYS; i++)
        fprintf(out, "%u %.5f %s\n", i, number(j, ways[i].name, "mops"), ways[i].name);
    fputs("e\n", out);
    return plot_close(plot);
}

static void stop(void *b)
{
    struct posted *p = b;

    bvm_destroy(&p->vm);
}

static void release(void *b)
{
    struct posted *p = b;

    baselines_fini(&p->base);
}

static const struct bench_run run = {
    &help, ROUNDS, 6, STATS_MAX_ROUNDS, set_up, one_round, result, draw, stop, print, release};

int bench_posted(int argc, char **argv)
{
    struct posted p = {0};

    return bench_run(&run, &p, argc, argv);
}
