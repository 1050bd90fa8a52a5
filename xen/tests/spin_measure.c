/* SPDX-License-Identifier: BSD-3-Clause */
/* What one access takes: answered by Xen alone, by a device model that polls, and by one that
 * sleeps. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig.h"

/* Round about, in rounds shorter than a time slice of the machine below. What else that machine
 * does can only add, so it is the quiet rounds that count: the lower quartile. */
#define ROUNDS 60

static struct figure {
    const char *name;
    enum op op;
    uint32_t n, at;
    bool asleep;
    uint32_t p50[ROUNDS], p99[ROUNDS];
} figures[] = {
    {.name = "xen_only", .op = OP_MEASURE_PORT, .n = 100, .at = PORT_NOBODY},
    {.name = "polled_stock", .op = OP_MEASURE_PORT, .n = 100, .at = PORT_STOCK},
    {.name = "polled_spin", .op = OP_MEASURE_PORT, .n = 100, .at = PORT_SPIN},
    {.name = "sleeping_stock", .op = OP_MEASURE_PORT, .n = 30, .at = PORT_STOCK, .asleep = true},
    {.name = "sleeping_spin", .op = OP_MEASURE_PORT, .n = 30, .at = PORT_SPIN, .asleep = true},
    {.name = "xen_only_mmio", .op = OP_MEASURE_MMIO, .n = 100, .at = MMIO_NOBODY},
    {.name = "polled_spin_mmio", .op = OP_MEASURE_MMIO, .n = 100, .at = MMIO_SPIN},
};
#define FIGURES (sizeof(figures) / sizeof(figures[0]))

static void measure(struct figure *f, unsigned round)
{
    rig.asleep = f->asleep;
    if (!rig_order(f->op, f->asleep ? 5 : 60, f->at) || !rig_order(f->op, f->n, f->at)) {
        printf("not ok - %s: the guest is blocked\n", f->name);
        exit(1);
    }
    rig.asleep = false;
    f->p50[round] = rig.word[2];
    f->p99[round] = rig.word[3];
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static uint32_t lower_quartile(uint32_t v[ROUNDS])
{
    qsort(v, ROUNDS, sizeof(*v), compare);
    return v[ROUNDS / 4];
}

static double p50_of(const char *name)
{
    for (unsigned i = 0; i < FIGURES; i++)
        if (!strcmp(figures[i].name, name))
            return lower_quartile(figures[i].p50);
    abort();
}

/* What the patches are for. A figure, not a check: it says what this machine was doing, too. */
static void goal(const char *above, const char *below, bool at_least, double bound)
{
    double r = p50_of(above) / p50_of(below);

    printf("# %s / %s is %.2f, goal %s %.2f: %s\n", above, below, r,
           at_least ? "at least" : "at most", bound,
           (at_least ? r >= bound : r <= bound) ? "met" : "not met");
}

/* Each is a way the other does not have to go: no load of the machine turns that round. */
static void faster(const char *one, const char *other)
{
    char line[80];

    snprintf(line, sizeof(line), "%s takes less than %s", one, other);
    say(p50_of(one) < p50_of(other), line);
}

int run_measure(void)
{
    rig_begin();
    for (unsigned round = 0; round < ROUNDS; round++)
        for (unsigned i = 0; i < FIGURES; i++)
            measure(&figures[i], round);
    for (unsigned i = 0; i < FIGURES; i++)
        printf("{\"name\": \"%s\", \"p50_cycles\": %u, \"p99_cycles\": %u, \"count\": %u}\n",
               figures[i].name, lower_quartile(figures[i].p50), lower_quartile(figures[i].p99),
               figures[i].n * ROUNDS);
    goal("sleeping_stock", "polled_spin", true, 8);
    goal("polled_spin", "xen_only", false, 1.15);
    goal("polled_spin_mmio", "xen_only_mmio", false, 1.15);
    faster("polled_spin", "polled_stock");
    faster("polled_stock", "sleeping_stock");
    faster("polled_spin_mmio", "sleeping_stock");
    return rig.failures != 0;
}
