/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tests and measures spinning completion (xen/patches) from dom0, with the guest in guest.c.
 *
 *   spin_test DOMID stock             a Xen without the patches: refused, and cleanly
 *   spin_test DOMID measure           latencies, a JSON line
 *   spin_test DOMID verify BOUND_US   values, answers around the bound, hypercalls in the middle
 *   spin_test DOMID late BOUND_US     all answers come after the bound: Xen must have given up
 *   spin_test DOMID crash             a state that no device model may write
 *   spin_test DOMID mute              takes requests and never answers: for what others do then
 *
 * The domain is created paused; spin_test says "ready" when it is to be unpaused.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dm.h"
#include "guest.h"

/* A guest that asks nothing for so long is blocked for good. */
static uint64_t patience = 20000000000u; /* ns */

/* What happens before a request for a target is answered. */
enum before {
    NOTHING,
    DELAY,      /* every other one comes late: the bound and up to as much again */
    TOO_LATE,   /* all of them come too late */
    PAUSE,      /* a hypercall that pauses the domain, synchronously */
    MAP,        /* maps a page of the guest, for which Xen needs the p2m lock */
    TAKE_RANGE, /* the range that the request is for is taken away and given back */
};

static struct dm dm;
static struct server stock, spin;
static struct {
    uint32_t word[2 + RESULTS]; /* the command, its argument, results */
    unsigned at;
    uint32_t reads, writes, wrong; /* of the target */
    enum before before;
    uint64_t bound; /* ns */
    uint64_t invalidates[2];
} now;
static bool asleep; /* the device model waits for events */
static int failures;

static void say(bool ok, const char *what)
{
    printf("%s - %s\n", ok ? "ok" : "not ok", what);
    failures += !ok;
}

/* --- the devices --- */

static void wait_ns(uint64_t ns)
{
    uint64_t end = dm_now() + ns;

    while (dm_now() < end)
        ;
}

static void before_answer(struct server *s, const ioreq_t *r)
{
    static uint32_t n;
    uint8_t byte;

    n++;
    switch (now.before) {
    case NOTHING: break;
    case DELAY:
        if (n % 2)
            wait_ns(now.bound / 2 + (uint64_t)rand() % now.bound);
        break;
    case TOO_LATE: wait_ns(2 * now.bound); break;
    case PAUSE:
        if (xendevicemodel_set_ioreq_server_state(dm.dmod, dm.domid, s->id, 1))
            dm_fail("enabling what is enabled");
        break;
    case MAP: dm_copy(&dm, 0x100000, &byte, 1, false); break;
    case TAKE_RANGE:
        if (r->type != IOREQ_TYPE_PIO)
            break;
        xendevicemodel_unmap_io_range_from_ioreq_server(dm.dmod, dm.domid, s->id, 0, PORT_SPIN,
                                                        PORT_SPIN + 3);
        dm_add_ports(s, PORT_SPIN, 4);
        break;
    }
}

static void string(struct server *s, const ioreq_t *r)
{
    uint8_t bytes[4096];
    uint32_t n = r->count < sizeof(bytes) ? r->count : sizeof(bytes);

    if (r->size != 1 || r->df || n != r->count)
        dm_fail("a string instruction of another kind");
    if (r->dir == IOREQ_READ) {
        for (uint32_t i = 0; i < n; i++)
            bytes[i] = (uint8_t)pattern(now.reads++);
        dm_copy(s->dm, r->data, bytes, n, true);
        return;
    }
    dm_copy(s->dm, r->data, bytes, n, false);
    for (uint32_t i = 0; i < n; i++)
        now.wrong += bytes[i] != (uint8_t)pattern(now.writes++);
}

/* Reads and writes of the target count together but for strings: inl and outl go by turns. */
static uint64_t target(struct server *s, const ioreq_t *r)
{
    before_answer(s, r);
    if (r->data_is_ptr) {
        string(s, r);
        return 0;
    }
    if (r->dir == IOREQ_WRITE && (uint32_t)r->data != pattern(now.reads))
        now.wrong++;
    return pattern(now.reads++);
}

static uint64_t command(const ioreq_t *r)
{
    if (r->dir == IOREQ_READ && r->addr == PORT_COMMAND && now.at < 2)
        return now.word[now.at++];
    if (r->dir == IOREQ_WRITE && r->addr == PORT_RESULT && now.at < 2 + RESULTS)
        now.word[now.at++] = (uint32_t)r->data;
    return ~0ull;
}

static uint64_t serve(struct server *s, const ioreq_t *r)
{
    if (r->type == IOREQ_TYPE_INVALIDATE) {
        now.invalidates[s == &spin]++;
        return 0;
    }
    if (s == &stock && r->type == IOREQ_TYPE_PIO && r->addr < PORT_STOCK)
        return command(r);
    return target(s, r);
}

/* --- ordering the guest about --- */

static bool serve_any(void)
{
    bool stock_asked = dm_poll(&stock), spin_asked = spin.slot && dm_poll(&spin);

    return stock_asked || spin_asked;
}

/* @return false: the guest does not go on */
static bool order(enum op op, uint32_t n, uint32_t at)
{
    unsigned words = op == OP_SHUTDOWN ? 2 : 2 + RESULTS;
    uint64_t last = dm_now();

    now.word[0] = op | n << 8;
    now.word[1] = at;
    now.at = now.reads = now.writes = now.wrong = 0;
    while (now.at < words) {
        if (serve_any())
            last = dm_now();
        else if (asleep)
            dm_sleep(&dm, 100);
        if (dm_now() - last > patience)
            return false;
    }
    return true;
}

static void verify(const char *what, enum op op, uint32_t n, uint32_t at, enum before before)
{
    char line[200];
    uint64_t polled = spin.unnotified, blocked = spin.notified;
    bool done;

    now.before = before;
    done = order(op, n, at);
    now.before = NOTHING;
    snprintf(line, sizeof(line), "%s: %s%u wrong, %llu answered in time, %llu not", what,
             done ? "" : "BLOCKED, ", now.word[2] + now.wrong,
             (unsigned long long)(spin.unnotified - polled),
             (unsigned long long)(spin.notified - blocked));
    say(done && now.word[2] + now.wrong == 0, line);
    if (!done)
        exit(1);
}

/* Nothing but answers that nobody can have waited for by polling. */
static void late(uint32_t n)
{
    uint64_t polled = spin.unnotified;

    verify("port, all answers too late", OP_VERIFY_PORT, n, PORT_SPIN, TOO_LATE);
    say(spin.unnotified == polled, "nobody polls for longer than the bound");
}

/* --- the runs --- */

static void add_stock(void)
{
    stock.serve = serve;
    if (dm_add_server(&dm, &stock, false))
        dm_fail("an ioreq server");
    dm_add_ports(&stock, PORT_COMMAND, 0x20);
}

static void add_spin(void)
{
    spin.serve = serve;
    if (dm_add_server(&dm, &spin, true)) {
        fprintf(stderr, "spin_test: this Xen does not spin: it is not the patched one\n");
        exit(1);
    }
    dm_add_ports(&spin, PORT_SPIN, 4);
    dm_add_memory(&spin, MMIO_SPIN, 0x1000);
}

static void ready(void)
{
    printf("ready\n");
    fflush(stdout);
}

static int run_stock(void)
{
    struct server s = {.serve = serve};
    char line[80];
    int err = dm_add_server(&dm, &s, true);

    snprintf(line, sizeof(line), "stock Xen refuses to spin: %s", strerror(-err));
    say(err == -EINVAL, line);
    return failures != 0;
}

/* Round about, and the quietest round counts: whatever else the machine does can only add. */
#define ROUNDS 5

static struct figure {
    const char *name;
    enum op op;
    uint32_t n, at;
    bool asleep;
    uint32_t p50[ROUNDS], p99[ROUNDS];
} figures[] = {
    {.name = "xen_only", .op = OP_MEASURE_PORT, .n = 3000, .at = PORT_NOBODY},
    {.name = "polled_stock", .op = OP_MEASURE_PORT, .n = 3000, .at = PORT_STOCK},
    {.name = "polled_spin", .op = OP_MEASURE_PORT, .n = 3000, .at = PORT_SPIN},
    {.name = "sleeping_stock", .op = OP_MEASURE_PORT, .n = 600, .at = PORT_STOCK, .asleep = true},
    {.name = "sleeping_spin", .op = OP_MEASURE_PORT, .n = 600, .at = PORT_SPIN, .asleep = true},
    {.name = "xen_only_mmio", .op = OP_MEASURE_MMIO, .n = 3000, .at = MMIO_NOBODY},
    {.name = "polled_spin_mmio", .op = OP_MEASURE_MMIO, .n = 3000, .at = MMIO_SPIN},
};
#define FIGURES (sizeof(figures) / sizeof(figures[0]))

static void measure(struct figure *f, unsigned round)
{
    asleep = f->asleep;
    if (!order(f->op, f->n / 10, f->at) || !order(f->op, f->n, f->at)) {
        printf("not ok - %s: the guest is blocked\n", f->name);
        exit(1);
    }
    asleep = false;
    f->p50[round] = now.word[2];
    f->p99[round] = now.word[3];
}

static uint32_t quietest(const uint32_t v[ROUNDS])
{
    uint32_t least = v[0];

    for (unsigned i = 1; i < ROUNDS; i++)
        least = v[i] < least ? v[i] : least;
    return least;
}

static double p50_of(const char *name)
{
    for (unsigned i = 0; i < FIGURES; i++)
        if (!strcmp(figures[i].name, name))
            return quietest(figures[i].p50);
    abort();
}

static void ratio(const char *above, const char *below, double least, double most)
{
    double r = p50_of(above) / p50_of(below);
    char line[120];

    snprintf(line, sizeof(line), "%s / %s is %.2f, has to be %.2f to %.2f", above, below, r, least,
             most);
    say(r >= least && r <= most, line);
}

static int run_measure(void)
{
    add_stock();
    add_spin();
    ready();
    for (unsigned round = 0; round < ROUNDS; round++)
        for (unsigned i = 0; i < FIGURES; i++)
            measure(&figures[i], round);
    for (unsigned i = 0; i < FIGURES; i++)
        printf("{\"name\": \"%s\", \"p50_cycles\": %u, \"p99_cycles\": %u, \"count\": %u}\n",
               figures[i].name, quietest(figures[i].p50), quietest(figures[i].p99),
               figures[i].n * ROUNDS);
    ratio("sleeping_stock", "polled_spin", 8, 1000);
    ratio("polled_stock", "polled_spin", 1.5, 1000);
    ratio("polled_spin", "xen_only", 0.9, 1.15);
    ratio("polled_spin_mmio", "xen_only_mmio", 0.9, 1.15);
    return failures != 0;
}

static int run_verify(void)
{
    add_stock();
    add_spin();
    ready();
    verify("port", OP_VERIFY_PORT, 4000, PORT_SPIN, NOTHING);
    say(spin.unnotified > 1000, "answers in time are seen without an event");
    verify("memory", OP_VERIFY_MMIO, 3000, MMIO_SPIN, NOTHING);
    verify("rep insb", OP_VERIFY_INS, 300, PORT_SPIN, NOTHING);
    verify("rep outsb", OP_VERIFY_OUTS, 300, PORT_SPIN, NOTHING);
    verify("port, answers around the bound", OP_VERIFY_PORT, 10000, PORT_SPIN, DELAY);
    verify("memory, answers around the bound", OP_VERIFY_MMIO, 4000, MMIO_SPIN, DELAY);
    verify("rep insb, answers around the bound", OP_VERIFY_INS, 300, PORT_SPIN, DELAY);
    late(2000);
    verify("port, domain paused", OP_VERIFY_PORT, 1000, PORT_SPIN, PAUSE);
    verify("memory, domain paused", OP_VERIFY_MMIO, 1000, MMIO_SPIN, PAUSE);
    verify("port, guest memory mapped", OP_VERIFY_PORT, 1000, PORT_SPIN, MAP);
    verify("memory, guest memory mapped", OP_VERIFY_MMIO, 1000, MMIO_SPIN, MAP);
    verify("port, range taken away", OP_VERIFY_PORT, 1000, PORT_SPIN, TAKE_RANGE);
    verify("mapcache invalidated", OP_REPLACE_PAGE, 300, 0, NOTHING);
    say(now.invalidates[0] >= 300 && now.invalidates[1] >= 300,
        "both servers were told of each invalidation");
    asleep = true;
    verify("port, asleep", OP_VERIFY_PORT, 1000, PORT_SPIN, NOTHING);
    verify("memory, asleep", OP_VERIFY_MMIO, 1000, MMIO_SPIN, NOTHING);
    asleep = false;
    verify("port, awake again", OP_VERIFY_PORT, 1000, PORT_SPIN, NOTHING);
    say(order(OP_SHUTDOWN, 0, 0), "the guest has lived to its end");
    return failures != 0;
}

static int run_late(void)
{
    add_stock();
    add_spin();
    ready();
    late(300);
    return failures != 0;
}

static int run_crash(void)
{
    add_stock();
    add_spin();
    ready();
    spin.answer_state = 7;
    patience = 1000000000;
    if (order(OP_VERIFY_PORT, 10, PORT_SPIN))
        say(false, "a state that there is not");
    return failures != 0;
}

/* Until it is killed. */
static void run_mute(void) __attribute__((noreturn));
static void run_mute(void)
{
    add_stock();
    add_spin();
    ready();
    now.word[0] = OP_VERIFY_PORT | 1000000u << 8;
    now.word[1] = PORT_SPIN;
    now.at = 0;
    for (;;) {
        dm_poll(&stock);
        if (spin.slot->state == STATE_IOREQ_READY)
            spin.slot->state = STATE_IOREQ_INPROCESS;
    }
}

int main(int argc, char **argv)
{
    const char *run = argc > 2 ? argv[2] : "";

    if (argc < 3)
        return fprintf(stderr, "spin_test DOMID stock|measure|verify|late|crash|mute [BOUND_US]\n"),
               2;
    now.bound = (argc > 3 ? strtoul(argv[3], NULL, 0) : 20) * 1000u;
    dm_open(&dm, (domid_t)strtoul(argv[1], NULL, 0));
    if (!strcmp(run, "stock"))
        return run_stock();
    if (!strcmp(run, "measure"))
        return run_measure();
    if (!strcmp(run, "verify"))
        return run_verify();
    if (!strcmp(run, "late"))
        return run_late();
    if (!strcmp(run, "crash"))
        return run_crash();
    if (!strcmp(run, "mute"))
        run_mute();
    return fprintf(stderr, "spin_test: what is `%s`?\n", run), 2;
}
