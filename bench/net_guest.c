/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * coopvmm bench net, part "guests": one and the same stock Linux guest under KVM, on our NICs and
 * on QEMU's. Of a model all guests run at once, idle but the one that is measured, and are measured
 * by turns, round after round.
 *
 *   cpus      {vcpu, io, rest}
 *   exits     did KVM tell of exits?
 *   models    {MODEL: {SYSTEM: {FIGURE: series}}}, MODEL as in --models, SYSTEM qemu, qemu_vhost,
 *             iocore, inline, blocking, FIGURE below
 */
#include <errno.h>
#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../coopvmm/engine.h"
#include "../coopvmm/table.h"
#include "host.h"
#include "net_guest.h"
#include "progress.h"
#include "report.h"

#define ROUNDS     3
#define LOAD_S     2.0
#define QUICK_S    1.0
#define PINGS      400
#define QUICK_PING 40
#define MIB        1048576.0
#define GIB        1073741824.0

static const struct net_model models[] = {
    {"rtl8029", "ne2k_pci", "ne2k-pci"},
    {"rtl8139cp", "rtl8139", "8139cp"},
    {"e1000", "e1000", "e1000"},
    {"virtio-net", "virtio-net-pci", "virtio_pci,virtio_net"},
};
#define MODELS (sizeof(models) / sizeof(models[0]))

static const struct {
    const char *key, *title;
} systems[NET_SYSTEMS] = {
    [NET_QEMU] = {"qemu", "QEMU"},
    [NET_QEMU_VHOST] = {"qemu_vhost", "QEMU, vhost-net"},
    [NET_IOCORE] = {"iocore", "I/O core"},
    [NET_INLINE] = {"inline", "inline"},
    [NET_BLOCKING] = {"blocking", "blocking"},
};

enum figure {
    PING_P50,
    PING_P99,
    PING_EXITS,
    RR,
    TO,
    TO_CPU,
    FROM,
    FROM_CPU,
    TX,
    TX_EXITS,
    TX_ACCESSES,
    FIGURES
};

static const struct {
    const char *key, *title;
    int digits;
} figures[FIGURES] = {
    [PING_P50] = {"ping_p50_us", "ping, us", 1},
    [PING_P99] = {"ping_p99_us", "ping p99, us", 1},
    [PING_EXITS] = {"ping_exits", "exits a ping", 2},
    [RR] = {"rr_per_s", "TCP request/response a second", 1},
    [TO] = {"to_guest_mib_s", "TCP to the guest, MiB/s", 3},
    [TO_CPU] = {"to_guest_cpu_s_per_gib", "CPU s a GiB", 1},
    [FROM] = {"from_guest_mib_s", "TCP from the guest, MiB/s", 3},
    [FROM_CPU] = {"from_guest_cpu_s_per_gib", "CPU s a GiB", 1},
    [TX] = {"tx_frames_per_s", "frames a second, 60 bytes", 1},
    [TX_EXITS] = {"tx_exits_per_1000", "exits per 1,000 frames", 2},
    [TX_ACCESSES] = {"tx_accesses_per_1000", "of them by accesses", 2},
};

/* One guest, and what was measured. */
struct trial {
    struct net_guest guest;
    double v[FIGURES][NET_MAX_ROUNDS];
};

/* --- is it possible? --- */

static bool refuse(char why[NET_WHY], const char *text)
{
    snprintf(why, NET_WHY, "%s", text);
    return false;
}

static bool possible(const struct net_options *o, char why[NET_WHY])
{
    char text[256], path[512];

    if (!o->kernel || !o->initrd)
        return refuse(why, "no guest is given: --kernel FILE --initrd FILE (docs/benchmarks.md)");
    if (access(o->kernel, R_OK) || access(o->initrd, R_OK))
        return refuse(why, "--kernel or --initrd cannot be read");
    if (geteuid())
        return refuse(why, "only root may make taps and send pings");
    if (vm_engine_kvm.probe(text)) {
        snprintf(why, NET_WHY, "KVM does not work here: %.200s", text);
        return false;
    }
    if (child_find("qemu-system-x86_64", path, sizeof(path)))
        return refuse(why, "there is no qemu-system-x86_64 to compare with: install QEMU");
    return true;
}

/* --- one turn --- */

static void measure_ping(struct trial *t, unsigned round, bool quick, int *err)
{
    unsigned count = quick ? QUICK_PING : PINGS;
    struct net_count before, after;
    struct net_pings p = {NAN, NAN};

    net_count_read(&t->guest, &before);
    *err = net_load_ping(&t->guest, count, &p);
    net_count_read(&t->guest, &after);
    t->v[PING_P50][round] = p.p50_us;
    t->v[PING_P99][round] = p.p99_us;
    t->v[PING_EXITS][round] = (double)(after.exits - before.exits) / count;
}

typedef int (*stream_fn)(const struct net_guest *n, double seconds, uint64_t *bytes, double *took);

static void measure_stream(struct trial *t, unsigned round, stream_fn stream, enum figure rate,
                           enum figure cpu, double seconds, int *err)
{
    struct net_count before, after;
    uint64_t bytes = 0;
    double took = 0;

    net_count_read(&t->guest, &before);
    *err = stream(&t->guest, seconds, &bytes, &took);
    net_count_read(&t->guest, &after);
    t->v[rate][round] = took > 0 ? (double)bytes / MIB / took : NAN;
    t->v[cpu][round] = bytes ? (after.cpu_s - before.cpu_s) / ((double)bytes / GIB) : NAN;
}

/* A kernel without pktgen is no reason to stop. */
static void measure_tx(struct trial *t, unsigned round, double seconds)
{
    struct net_count before, after;
    uint64_t frames = 0;
    double per_s = 0;
    int err;

    net_count_read(&t->guest, &before);
    err = net_load_tx(&t->guest, seconds, &frames, &per_s);
    net_count_read(&t->guest, &after);
    t->v[TX][round] = err ? NAN : per_s;
    t->v[TX_EXITS][round] =
        err ? NAN : (double)(after.exits - before.exits) * 1000 / (double)frames;
    t->v[TX_ACCESSES][round] =
        err ? NAN : (double)(after.accesses - before.accesses) * 1000 / (double)frames;
}

static int measure(struct trial *t, unsigned round, bool quick)
{
    double seconds = quick ? QUICK_S : LOAD_S;
    uint64_t count;
    int err;

    measure_ping(t, round, quick, &err);
    if (!err)
        err = net_load_rr(&t->guest, seconds, &count, &t->v[RR][round]);
    if (!err)
        measure_stream(t, round, net_load_to, TO, TO_CPU, seconds, &err);
    if (!err)
        measure_stream(t, round, net_load_from, FROM, FROM_CPU, seconds, &err);
    if (!err)
        measure_tx(t, round, seconds);
    return err;
}

/* --- one model --- */

/* Only virtio has a back end in the kernel. */
static bool is_virtio(const struct net_model *m)
{
    return !strcmp(m->name, "virtio-net");
}

/* In a hurry the other placements are left out. */
static bool is_measured(const struct net_options *o, const struct net_model *m, enum net_system s)
{
    return s == NET_QEMU_VHOST ? is_virtio(m) : !o->quick || s == NET_QEMU || s == NET_IOCORE;
}

static int start_all(struct guard *g, const struct net_options *o, const struct net_cpus *cpus,
                     const struct net_model *m, struct trial *t, FILE *err)
{
    int ret = 0;

    for (unsigned s = 0; s < NET_SYSTEMS && !ret; s++) {
        t[s].guest.system = s;
        t[s].guest.model = m;
        if (!is_measured(o, m, s))
            continue;
        progress_show(NET_NAME, "%s: %s starts", m->name, systems[s].title);
        ret = net_guest_start(g, o, cpus, s, &t[s].guest, err);
    }
    return ret;
}

static int measure_all(struct guard *g, const struct net_options *o, const struct net_model *m,
                       struct trial *t, unsigned rounds, FILE *err)
{
    for (unsigned r = 0; r < rounds; r++)
        for (unsigned s = 0; s < NET_SYSTEMS; s++) {
            int ret;

            if (!is_measured(o, m, s))
                continue;
            if (guard_stopped(g))
                return -EINTR;
            progress_show(NET_NAME, "%s: round %u of %u: %s", m->name, r + 1, rounds,
                          systems[s].title);
            ret = measure(&t[s], r, o->quick);
            if (ret) {
                bed_complain(&t[s].guest.bed, systems[s].title, ret, err);
                return ret;
            }
        }
    return 0;
}

/* Children would inherit it, so only now. */
static int measure_pinned(struct guard *g, const struct net_options *o, int cpu,
                          const struct net_model *m, struct trial *t, unsigned rounds, FILE *err)
{
    cpu_set_t before;
    int ret = sched_getaffinity(0, sizeof(before), &before) ? -errno : host_pin(cpu);

    if (ret)
        return ret;
    ret = measure_all(g, o, m, t, rounds, err);
    sched_setaffinity(0, sizeof(before), &before);
    return ret;
}

static void report(json_t *to, const struct net_options *o, const struct net_model *m,
                   const struct trial *t, unsigned rounds)
{
    json_t *of_model = json_object();

    for (unsigned s = 0; s < NET_SYSTEMS; s++) {
        json_t *of_system;

        if (!is_measured(o, m, s))
            continue;
        of_system = json_object();
        for (unsigned f = 0; f < FIGURES; f++)
            json_object_set_new(of_system, figures[f].key,
                                net_series(t[s].v[f], rounds, figures[f].digits));
        json_object_set_new(of_model, systems[s].key, of_system);
    }
    json_object_set_new(to, m->name, of_model);
}

static int run_model(struct guard *g, const struct net_options *o, const struct net_cpus *cpus,
                     const struct net_model *m, json_t *to, FILE *err)
{
    unsigned rounds = o->rounds ? o->rounds : o->quick ? 1 : ROUNDS;
    struct trial *t = calloc(NET_SYSTEMS, sizeof(*t));
    int ret;

    if (!t)
        return -ENOMEM;
    ret = start_all(g, o, cpus, m, t, err);
    if (!ret)
        ret = measure_pinned(g, o, cpus->rest, m, t, rounds, err);
    for (unsigned s = 0; s < NET_SYSTEMS; s++)
        net_guest_end(&t[s].guest);
    if (!ret)
        report(to, o, m, t, rounds);
    free(t);
    return ret;
}

/* --- the part --- */

/* The machine's own work gets what is left over. */
static int choose_cpus(const struct net_options *o, struct net_cpus *c, FILE *err)
{
    struct host_pair pair;
    cpu_set_t set;
    int ret = host_choose(o->cpu, o->iocpu, &pair, err);

    if (ret || sched_getaffinity(0, sizeof(set), &set))
        return ret ? ret : -errno;
    *c = (struct net_cpus){.vcpu = pair.cpu, .io = pair.iocpu, .rest = pair.cpu};
    for (int i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &set) && i != pair.cpu && i != pair.iocpu) {
            c->rest = i;
            break;
        }
    return 0;
}

static int run_models(struct guard *g, const struct net_options *o, const struct net_cpus *cpus,
                      json_t *to, FILE *err)
{
    int ret = 0;

    for (unsigned i = 0; i < MODELS && !ret; i++)
        if (net_in_list(o->models, models[i].name))
            ret = run_model(g, o, cpus, &models[i], to, err);
    if (!ret && !json_object_size(to)) {
        fprintf(err, "%s: --models: none of rtl8029, rtl8139cp, e1000, virtio-net\n", NET_NAME);
        ret = -EINVAL;
    }
    return ret;
}

static int run(struct guard *g, const struct net_options *o, json_t *part, FILE *err)
{
    json_t *to = json_object();
    struct net_cpus cpus;
    int ret = choose_cpus(o, &cpus, err);

    json_object_set_new(
        part, "cpus",
        json_pack("{s:i, s:i, s:i}", "vcpu", cpus.vcpu, "io", cpus.io, "rest", cpus.rest));
    json_object_set_new(part, "exits", json_boolean(net_count_exits()));
    json_object_set_new(part, "models", to);
    return ret ? ret : run_models(g, o, &cpus, to, err);
}

/* --- what is told --- */

static const json_t *series_of(const json_t *of_model, enum net_system s, enum figure f)
{
    return json_object_get(json_object_get(of_model, systems[s].key), figures[f].key);
}

static void add_ratio(json_t *doc, const char *model, const json_t *j, enum figure f,
                      enum net_system than, enum report_sense sense, double bound)
{
    char text[128];

    snprintf(text, sizeof(text), "%s: %s, I/O core / %s", model, figures[f].title,
             systems[than].title);
    report_goal(doc, text, net_ratio(series_of(j, NET_IOCORE, f), series_of(j, than, f)), sense,
                bound);
}

static void goals(json_t *doc, const json_t *part)
{
    const json_t *all = json_object_get(part, "models");

    for (unsigned i = 0; i < MODELS; i++) {
        const json_t *j = json_object_get(all, models[i].name);
        bool virtio = is_virtio(&models[i]);
        enum net_system best = virtio ? NET_QEMU_VHOST : NET_QEMU;

        if (!j)
            continue;
        add_ratio(doc, models[i].name, j, PING_P50, NET_QEMU, AT_MOST, virtio ? 0.5 : 0.6);
        add_ratio(doc, models[i].name, j, TO, best, AT_LEAST, virtio ? 1 : 1.5);
        add_ratio(doc, models[i].name, j, FROM, best, AT_LEAST, virtio ? 1 : 1.5);
        if (virtio)
            report_goal(doc, "virtio-net: exits by accesses per 1,000 frames sent",
                        net_median(series_of(j, NET_IOCORE, TX_ACCESSES)), AT_MOST, 1);
    }
}

static void print_model(const struct net_model *m, const json_t *j, FILE *out)
{
    const char *head[1 + NET_SYSTEMS] = {m->name};
    unsigned n = 1;
    struct table *t;

    for (unsigned s = 0; s < NET_SYSTEMS; s++)
        if (json_object_get(j, systems[s].key))
            head[n++] = systems[s].title;
    t = table_new(head, n);
    for (unsigned f = 0; f < FIGURES; f++) {
        table_cell(t, "%s", figures[f].title);
        for (unsigned s = 0; s < NET_SYSTEMS; s++) {
            double v = net_median(series_of(j, s, f));

            if (!json_object_get(j, systems[s].key))
                continue;
            if (isnan(v))
                table_cell(t, "-");
            else
                table_cell(t, "%.*f", figures[f].digits, v);
        }
    }
    table_print(t, out);
    table_free(t);
    fputc('\n', out);
}

static void print(const json_t *part, FILE *out)
{
    const json_t *all = json_object_get(part, "models");

    for (unsigned i = 0; i < MODELS; i++)
        if (json_object_get(all, models[i].name))
            print_model(&models[i], json_object_get(all, models[i].name), out);
}

const struct net_part net_guests = {.name = "guests",
                                    .what = "Linux under KVM, on our NICs and on QEMU's",
                                    .possible = possible,
                                    .run = run,
                                    .goals = goals,
                                    .print = print};
