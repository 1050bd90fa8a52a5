/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * coopvmm bench registers: what it gains that a register is posted (its writes need no answer) or
 * shadowed (its reads need no request), for the registers that the NICs' drivers touch most, model
 * by model. The same access is made as the bus makes it, and as a call that is waited for, by
 * turns.
 *
 * Each device is as after power-on, so a doorbell finds nothing to do: the gain is that of the way,
 * without the work that a posted write leaves to the I/O core as well.
 */
#include <errno.h>
#include <stdlib.h>

#include "../coopvmm/cmd.h"
#include "../coopvmm/table.h"
#include "../nicmodels/e1000.h"
#include "../nicmodels/rtl8139.h"
#include "../nicmodels/virtio_pci.h"
#include "plot.h"
#include "report.h"
#include "run.h"

#define ROUNDS  24
#define SAMPLES 400 /* of each register's each way, a round */
#define WARM_UP 50

static const struct bench_help help = {
    .name = "registers",
    .text =
        "What posted and shadowed registers gain, for those that drivers touch most, model by\n"
        "model: the access as the guest's vCPU makes it (declared), the same as a request\n"
        "that is waited for (waited), and their ratio; beside the floor. Reading an e1000's ICR\n"
        "lowers its interrupt line, so it is neither: no gain.\n",
};

static const struct reg {
    const char *model, *name;
    uint32_t offset;
    uint8_t region, size;
    bool write;
    uint32_t data;
} regs[] = {
    {.model = "ne2000", .name = "RSAR0", .offset = 0x08, .size = 1, .write = true},
    {.model = "ne2000", .name = "data port", .offset = 0x10, .size = 2, .write = true},
    {.model = "ne2000", .name = "BNRY", .offset = 0x03, .size = 1},
    {.model = "ne2000", .name = "ISR", .offset = 0x07, .size = 1},
    {.model = "rtl8139",
     .name = "TSD0",
     .region = RTL8139_BAR_MEM,
     .offset = 0x10,
     .size = 4,
     .write = true,
     .data = 1 << 13 /* OWN: nothing to send */},
    {.model = "rtl8139",
     .name = "CAPR",
     .region = RTL8139_BAR_MEM,
     .offset = 0x38,
     .size = 2,
     .write = true},
    {.model = "rtl8139", .name = "CR", .region = RTL8139_BAR_MEM, .offset = 0x37, .size = 1},
    {.model = "rtl8139", .name = "ISR", .region = RTL8139_BAR_MEM, .offset = 0x3e, .size = 2},
    {.model = "rtl8139cp",
     .name = "TPPoll",
     .region = RTL8139_BAR_MEM,
     .offset = 0xd9,
     .size = 1,
     .write = true},
    {.model = "e1000", .name = "TDT", .offset = E1000_TDT, .size = 4, .write = true},
    {.model = "e1000", .name = "RDT", .offset = E1000_RDT, .size = 4, .write = true},
    {.model = "e1000", .name = "IMS", .offset = E1000_IMS, .size = 4, .write = true},
    {.model = "e1000", .name = "STATUS", .offset = E1000_STATUS, .size = 4},
    {.model = "e1000", .name = "ICR", .offset = E1000_ICR, .size = 4},
    {.model = "virtio-net",
     .name = "queue_notify",
     .region = VP_BAR_MODERN,
     .offset = VP_NOTIFY,
     .size = 2,
     .write = true},
};
#define REGS (sizeof(regs) / sizeof(regs[0]))

enum way { DECLARED, WAITED, WAYS };

struct figures {
    struct series way[WAYS];
};

struct registers {
    struct session s;
    struct bvm vm[REGS];
    struct baselines base; /* the floor's, only */
    struct figures f[REGS];
    size_t n;
};

/* One after the other would measure a ring that is filling up: each write is waited for before the
 * next one begins, by a call whose time does not count. */
static int access_once(struct registers *b, unsigned i, enum way way, struct series *s)
{
    const struct reg *g = &regs[i];
    struct bus_dev *dev = bus_at(b->vm[i].vm->bus, 0);
    struct iotp_req r = {.offset = g->offset,
                         .data = g->data,
                         .count = 1,
                         .device = dev->index,
                         .region = g->region,
                         .op = g->write ? IOTP_OP_WRITE : IOTP_OP_READ,
                         .size = g->size};
    struct iotp_resp resp;
    uint64_t begin = tsc_read();
    int err = way == DECLARED ? bus_access(dev, 0, &r, &resp) : dev->place->call(dev, 0, &r, &resp);
    uint64_t end = tsc_read();

    if (s)
        series_add(s, tsc_sample(begin, end));
    r.op = IOTP_OP_READ;
    return err ? err : dev->place->call(dev, 0, &r, &resp);
}

static int one_register(struct registers *b, unsigned i)
{
    int err = 0;

    for (unsigned w = 0; w < WAYS; w++) {
        for (size_t k = 0; k < WARM_UP + b->n && !err; k++)
            err = access_once(b, i, w, k < WARM_UP ? NULL : &b->f[i].way[w]);
        series_end_round(&b->f[i].way[w]);
    }
    return err;
}

static int one_round(void *self, unsigned round)
{
    struct registers *b = self;
    int err = baselines_round(&b->s, &b->base, b->n, 1);

    (void)round;
    for (unsigned i = 0; i < REGS && !err; i++)
        err = one_register(b, i);
    return err;
}

static int set_up(void *self)
{
    struct registers *b = self;
    int err;

    b->n = b->s.o.quick ? SAMPLES / 4 : SAMPLES;
    err = baselines_init(&b->base, b->n, 1, b->s.rounds);
    for (unsigned i = 0; i < REGS && !err; i++) {
        err = bvm_create_model(&b->vm[i], i, CFG_PLACE_IOCORE, regs[i].model, b->s.iod.sock,
                               b->s.guard, stderr);
        for (unsigned w = 0; w < WAYS && !err; w++)
            err = series_init(&b->f[i].way[w], b->n * b->s.rounds);
    }
    return err;
}

static json_t *figures(struct registers *b, unsigned i)
{
    const struct reg *g = &regs[i];
    struct series *declared = &b->f[i].way[DECLARED], *waited = &b->f[i].way[WAITED];
    json_t *j = json_pack("{s:s, s:s, s:s}", "model", g->model, "register", g->name, "access",
                          g->write ? "write" : "read");
    struct summary sum;

    report_series(j, "declared", declared, &b->s.tsc, &sum);
    report_series(j, "waited", waited, &b->s.tsc, &sum);
    json_object_set_new(j, "gain", json_real(series_paired_ratio(waited, declared, &b->s.tsc)));
    return j;
}

static json_t *result(void *self)
{
    struct registers *b = self;
    json_t *j = report_new(&b->s, "registers"), *all = json_array();
    struct summary floor;

    report_series(j, "floor", &b->base.floor, &b->s.tsc, &floor);
    for (unsigned i = 0; i < REGS; i++)
        json_array_append_new(all, figures(b, i));
    json_object_set_new(j, "registers", all);
    return j;
}

static const char *str(const json_t *j, const char *key)
{
    return json_string_value(json_object_get(j, key));
}

static void print(const json_t *j)
{
    static const char *const head[] = {"model",       "register",  "access",
                                       "declared ns", "waited ns", "gain"};
    struct table *t;
    size_t i;
    json_t *e;

    t = table_new(head, 6);
    json_array_foreach(json_object_get(j, "registers"), i, e)
    {
        table_cell(t, "%s", str(e, "model"));
        table_cell(t, "%s", str(e, "register"));
        table_cell(t, "%s", str(e, "access"));
        table_cell(t, "%.1f", report_value(e, "declared_ns"));
        table_cell(t, "%.1f", report_value(e, "waited_ns"));
        table_cell(t, "%.1f", report_value(e, "gain"));
    }
    table_print(t, stdout);
    table_free(t);
    printf("\nfloor: %.1f ns\n", report_value(j, "floor_ns"));
}

static int draw(void *self, const json_t *j)
{
    struct registers *b = self;
    struct plot *plot = plot_open(b->s.o.plot, "What posted and shadowed registers gain");
    size_t i;
    json_t *e;
    FILE *out;

    if (!plot)
        return -ENOENT;
    out = plot_out(plot);
    fputs("$figures << END\n", out);
    json_array_foreach(json_object_get(j, "registers"), i, e)
        fprintf(out, "\"%s %s\" %.1f %.1f\n", str(e, "model"), str(e, "register"),
                report_value(e, "declared_ns"), report_value(e, "waited_ns"));
    fputs("END\n"
          "set style data histogram\nset style fill solid 0.6\nset logscale y\n"
          "set ylabel 'nanoseconds'\nset xtics rotate by -45\n"
          "plot $figures using 2:xtic(1) title 'as declared', '' using 3 title 'waited for'\n",
          out);
    return plot_close(plot);
}

static void stop(void *self)
{
    struct registers *b = self;

    for (unsigned i = 0; i < REGS; i++)
        bvm_destroy(&b->vm[i]);
}

static void release(void *self)
{
    struct registers *b = self;

    for (unsigned i = 0; i < REGS; i++)
        for (unsigned w = 0; w < WAYS; w++)
            series_fini(&b->f[i].way[w]);
    baselines_fini(&b->base);
}

static const struct bench_run run = {
    &help, ROUNDS, 4, STATS_MAX_ROUNDS, set_up, one_round, result, draw, stop, print, release};

int bench_registers(int argc, char **argv)
{
    struct registers *b = calloc(1, sizeof(*b)); /* too large for the stack */
    int status;

    if (!b)
        return cmd_fail("bench registers", "out of memory");
    status = bench_run(&run, b, argc, argv);
    free(b);
    return status;
}
