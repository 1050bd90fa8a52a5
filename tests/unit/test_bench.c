/* SPDX-License-Identifier: BSD-3-Clause */
/* The benchmarks' own arithmetic and documents; what they measure needs a machine. */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "../../bench/net.h"
#include "../../bench/report.h"
#include "../../bench/trap_fault.h"
#include "../../bench/trap_guest.h"
#include "../../bench/xen_result.h"
#include "../../coopvmm/cmd.h"
#include "cu_main.h"

#define NEAR(a, b) CU_ASSERT_TRUE(fabs((a) - (b)) < 1e-6)

static const struct tsc ghz = {.hz = 2e9, .overhead = 50}; /* two ticks a nanosecond */

static void quantiles_without_ties(void)
{
    uint32_t v[] = {50, 10, 30, 20, 40};

    stats_sort(v, 5);
    CU_ASSERT_EQUAL(v[0], 10);
    CU_ASSERT_EQUAL(v[4], 50);
    NEAR(stats_quantile(v, 5, 0.5), 30);
    NEAR(stats_quantile(v, 5, 0.4), 25); /* half-way between ranks 1.5 and 2.5 */
    NEAR(stats_quantile(v, 5, 0), 10);
    NEAR(stats_quantile(v, 5, 1), 50);
    NEAR(stats_quantile(v, 0, 0.5), 0);
    NEAR(stats_quantile(v, 1, 0.99), 10);
}

/* A clock that only knows 100 and 124: the more often it says 124, the higher the median. */
static void quantiles_with_ties_move_smoothly(void)
{
    uint32_t v[100];
    double last = 99;

    for (unsigned high = 0; high <= 100; high += 10) {
        double median;

        for (unsigned i = 0; i < 100; i++)
            v[i] = i < 100 - high ? 100 : 124;
        median = stats_quantile(v, 100, 0.5);
        CU_ASSERT_TRUE(median >= last && median >= 100 && median <= 124);
        if (high == 50)
            NEAR(median, 112);
        last = median;
    }
    NEAR(last, 124);
}

static void medians_of_doubles(void)
{
    double odd[] = {3, 1, 2}, even[] = {4, 1, 3, 2};

    NEAR(stats_median(odd, 3), 2);
    NEAR(stats_median(even, 4), 2.5);
    NEAR(stats_median(odd, 0), 0);
}

static void ticks_become_nanoseconds(void)
{
    NEAR(tsc_ns(&ghz, 250), 100);
    NEAR(tsc_ns(&ghz, 40), 0); /* less than a reading costs: not negative */
    CU_ASSERT_EQUAL(tsc_sample(10, 25), 15);
    CU_ASSERT_EQUAL(tsc_sample(0, 1ull << 40), UINT32_MAX);
}

/* Rounds of three samples each, in the given ticks. */
static void fill(struct series *s, const uint32_t *ticks, unsigned rounds)
{
    CU_ASSERT_EQUAL_FATAL(series_init(s, 3 * rounds), 0);
    for (unsigned i = 0; i < rounds; i++) {
        series_add(s, ticks[i] + 20);
        series_add(s, ticks[i]);
        series_add(s, ticks[i] - 10);
        series_end_round(s);
    }
}

static void a_series_and_its_rounds(void)
{
    const uint32_t ticks[] = {250, 450, 850};
    struct summary sum;
    struct series s;

    fill(&s, ticks, 3);
    series_add(&s, 1); /* no room: dropped */
    series_end_round(&s);
    CU_ASSERT_EQUAL(s.n, 9);
    CU_ASSERT_EQUAL(s.rounds, 3);
    NEAR(s.round_p50[0], 250);
    NEAR(s.round_p50[2], 850);
    series_summary(&s, &ghz, &sum);
    CU_ASSERT_EQUAL(sum.n, 9);
    NEAR(sum.p50, 200);
    NEAR(sum.min, 95);
    NEAR(sum.max, 410);
    series_fini(&s);
}

/* The machine gets slower by far from round to round; the pairs do not care. */
static void pairs_of_rounds(void)
{
    const uint32_t base[] = {250, 450, 2050}, twice[] = {450, 850, 4050}, more[] = {270, 470, 2070};
    struct series b, t, m;

    fill(&b, base, 3);
    fill(&t, twice, 3);
    fill(&m, more, 3);
    NEAR(series_paired_ratio(&t, &b, &ghz), 2);
    NEAR(series_paired_excess(&m, &b, NULL, &ghz), 10);
    NEAR(series_paired_excess(&t, &b, &b, &ghz), 0);
    series_fini(&b);
    series_fini(&t);
    series_fini(&m);
}

static void an_empty_series(void)
{
    struct summary sum;
    struct series s;

    CU_ASSERT_EQUAL_FATAL(series_init(&s, 4), 0);
    series_end_round(&s);
    CU_ASSERT_EQUAL(s.rounds, 0);
    series_summary(&s, &ghz, &sum);
    CU_ASSERT_EQUAL(sum.n, 0);
    NEAR(sum.p50, 0);
    NEAR(series_paired_ratio(&s, &s, &ghz), 0);
    series_fini(&s);
}

static void stolen_time(void)
{
    struct host_time a = {.total = 1000, .stolen = 10}, b = {.total = 1200, .stolen = 20};

    NEAR(host_stolen(&a, &b), 0.05);
    NEAR(host_stolen(&a, &a), 0);
}

static struct session a_session(void)
{
    return (struct session){.host = {.cpu = "CPU", .kernel = "Linux 1", .cpus = 4},
                            .pair = {.cpu = 2, .iocpu = 3, .same_llc = true},
                            .tsc = ghz,
                            .o.idle = CFG_IDLE_PAUSE,
                            .variant_ticks = {250, 150, 350, 450, 550, 650},
                            .variant = 1};
}

static double number(const json_t *j, const char *key)
{
    json_t *v = json_object_get(j, key);

    CU_ASSERT_TRUE(json_is_number(v));
    return json_number_value(v);
}

static void the_document(void)
{
    static const char *const keys[] = {"bench", "version",   "time",          "quick",
                                       "host",  "placement", "floor_variant", "floor_variants_ns",
                                       "goals"};
    const uint32_t ticks[] = {250, 450};
    struct session s = a_session();
    struct summary sum;
    struct series series;
    json_t *j = report_new(&s, "ring"), *host;

    CU_ASSERT_PTR_NOT_NULL_FATAL(j);
    for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        CU_ASSERT_PTR_NOT_NULL(json_object_get(j, keys[i]));
    host = json_object_get(j, "host");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(host, "line")),
                           "CPU, 4 CPUs, Linux 1, not virtualised");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(j, "floor_variant")),
                           floor_variant_name(1));
    CU_ASSERT_EQUAL(json_object_size(json_object_get(j, "floor_variants_ns")), FLOOR_VARIANTS);
    fill(&series, ticks, 2);
    report_series(j, "ring", &series, &s.tsc, &sum);
    NEAR(number(j, "ring_min_ns"), 95);
    CU_ASSERT_TRUE(number(j, "ring_ns") <= number(j, "ring_p99_ns"));
    CU_ASSERT_TRUE(number(j, "ring_p99_ns") <= number(j, "ring_p999_ns"));
    CU_ASSERT_TRUE(number(j, "ring_p999_ns") <= number(j, "ring_max_ns"));
    CU_ASSERT_EQUAL(json_array_size(json_object_get(j, "ring_rounds_ns")), 2);
    series_fini(&series);
    json_decref(j);
}

static void goals_are_told_not_enforced(void)
{
    struct session s = a_session();
    json_t *j = report_new(&s, "ring"), *goals = json_object_get(j, "goals");

    report_goal(j, "low", 1.5, AT_MOST, 1.5);
    report_goal(j, "too high", 1.51, AT_MOST, 1.5);
    report_goal(j, "enough", 20, AT_LEAST, 20);
    report_goal(j, "not enough", NAN, AT_LEAST, 20);
    CU_ASSERT_EQUAL_FATAL(json_array_size(goals), 4);
    CU_ASSERT_TRUE(json_is_true(json_object_get(json_array_get(goals, 0), "met")));
    CU_ASSERT_TRUE(json_is_false(json_object_get(json_array_get(goals, 1), "met")));
    CU_ASSERT_TRUE(json_is_true(json_object_get(json_array_get(goals, 2), "met")));
    CU_ASSERT_TRUE(json_is_false(json_object_get(json_array_get(goals, 3), "met")));
    json_decref(j);
}

static void the_guests_lines(void)
{
    struct trap_kind k;

    CU_ASSERT_TRUE(trap_parse("probe: lat name=inb_reg n=500 min=1 p50=2 p99=3 p999=4 max=5 "
                              "unit=cycles",
                              &k));
    CU_ASSERT_STRING_EQUAL(k.name, "inb_reg");
    CU_ASSERT_EQUAL(k.n, 500);
    CU_ASSERT_EQUAL(k.p50, 2);
    CU_ASSERT_EQUAL(k.max, 5);
    CU_ASSERT_FALSE(trap_parse("lat begin", &k));
    CU_ASSERT_FALSE(trap_parse("lat name=inb_reg n=500 min=1 p50=", &k));
    CU_ASSERT_FALSE(trap_parse("", &k));
    CU_ASSERT_TRUE(trap_parse("lat name=a_name_that_is_longer_than_any n=1 min=1 p50=1 p99=1 p999=1"
                              " max=1 unit=cycles",
                              &k) == false);
}

static void finding_a_kind(void)
{
    static struct trap_result r = {.nkinds = 2, .kind = {{.name = "rdtsc"}, {.name = "inb_reg"}}};

    CU_ASSERT_PTR_EQUAL(trap_find(&r, "inb_reg"), &r.kind[1]);
    CU_ASSERT_PTR_NULL(trap_find(&r, "inb"));
}

/* The one thing here that is measured: a fault is taken, stepped over and timed. */
static void faults_are_stepped_over(void)
{
    struct series s;

    CU_ASSERT_EQUAL_FATAL(series_init(&s, 20), 0);
    CU_ASSERT_EQUAL(trap_fault_sample(&s, 20), 0);
    CU_ASSERT_EQUAL(s.n, 20);
    series_end_round(&s);
    CU_ASSERT_TRUE(s.ticks[0] > 100); /* no kernel entry, signal and return are faster */
    series_fini(&s);
}

static const struct bench_help any = {.name = "ring", .text = ""};
static const struct bench_help trap = {.name = "trap", .text = "", .trap = true};

static int parse(const struct bench_help *h, struct bench_opts *o, char *a, char *b, char *c)
{
    char *argv[] = {"x", a, b, c, NULL};
    int argc = 1 + !!a + !!b + !!c;

    return bench_opts_parse(h, argc, argv, o);
}

static void options_are_read(void)
{
    struct bench_opts o;

    CU_ASSERT_EQUAL(parse(&any, &o, NULL, NULL, NULL), OPTS_GO_ON);
    CU_ASSERT_EQUAL(o.cpu, CFG_ANY);
    CU_ASSERT_EQUAL(o.idle, CFG_IDLE_SPIN);
    CU_ASSERT_EQUAL(parse(&any, &o, "--cpu=1", "--idle=sleep", "--rounds=7"), OPTS_GO_ON);
    CU_ASSERT_EQUAL(o.cpu, 1);
    CU_ASSERT_EQUAL(o.idle, CFG_IDLE_SLEEP);
    CU_ASSERT_EQUAL(o.rounds, 7);
    CU_ASSERT_EQUAL(parse(&trap, &o, "--engine=kvm", "--guest=x", "--quick"), OPTS_GO_ON);
    CU_ASSERT_EQUAL(o.engine, CFG_ENGINE_KVM);
    CU_ASSERT_TRUE(o.quick);
}

static void wrong_options_are_refused(void)
{
    struct bench_opts o;

    CU_ASSERT_EQUAL(parse(&any, &o, "--cpu=x", NULL, NULL), CMD_USAGE);
    CU_ASSERT_EQUAL(parse(&any, &o, "--cpu=-1", NULL, NULL), CMD_USAGE);
    CU_ASSERT_EQUAL(parse(&any, &o, "--cpu=1", "--iocpu=1", NULL), CMD_USAGE);
    CU_ASSERT_EQUAL(parse(&any, &o, "--rounds=0", NULL, NULL), CMD_USAGE);
    CU_ASSERT_EQUAL(parse(&any, &o, "--rounds=513", NULL, NULL), CMD_USAGE);
    CU_ASSERT_EQUAL(parse(&any, &o, "--idle=nap", NULL, NULL), CMD_USAGE);
    CU_ASSERT_EQUAL(parse(&any, &o, "--engine=kvm", NULL, NULL), CMD_USAGE);
    CU_ASSERT_EQUAL(parse(&any, &o, "operand", NULL, NULL), CMD_USAGE);
    CU_ASSERT_EQUAL(parse(&trap, &o, "--engine=xen", NULL, NULL), CMD_USAGE);
    CU_ASSERT_EQUAL(parse(&any, &o, "--nonsense", NULL, NULL), CMD_USAGE);
}

/* What telemetry tells of a domain, as it is on the wire. */
static json_t *snapshot(bool spins)
{
    return json_pack(
        "{s:{s:I}, s:[{s:s, s:[{s:I, s:I, s:I, s:I}], s:[{s:I, s:I, s:I, s:i, s:I, s:I, "
        "s:I}]}]}",
        "info", "tsc_hz", (json_int_t)2000000000, "vms", "name", "probe", "slots", "requests",
        (json_int_t)4000, "service_p50_ns", (json_int_t)100, "service_p99_ns", (json_int_t)900,
        "service_mean_ns", (json_int_t)120, "domains", "notifies", (json_int_t)(spins ? 0 : 4000),
        "unnotified", (json_int_t)(spins ? 4000 : 0), "upcalls", (json_int_t)2, "spins",
        spins ? 1 : 0, "notify_p50_ns", (json_int_t)2000, "notify_p99_ns", (json_int_t)5000,
        "notify_mean_ns", (json_int_t)2100);
}

static struct xen_run xen_run_of(bool spins, uint32_t cycles)
{
    struct xen_run r = {.inb = {.p50 = cycles, .p99 = 2 * cycles, .n = 1000},
                        .xen_only = {.p50 = 1000, .p99 = 1500, .n = 1000}};
    json_t *j = snapshot(spins);

    CU_ASSERT_EQUAL(xen_run_read(j, &r), 0);
    json_decref(j);
    return r;
}

static void xen_telemetry_is_read(void)
{
    struct xen_run r = xen_run_of(false, 5000);
    json_t *j = snapshot(true);

    CU_ASSERT_EQUAL(r.requests, 4000);
    CU_ASSERT_EQUAL(r.notifies, 4000);
    CU_ASSERT_EQUAL(r.upcalls, 2);
    CU_ASSERT_FALSE(r.spins);
    NEAR(r.service.p50, 200); /* two cycles a nanosecond */
    NEAR(r.service.p99, 1800);
    NEAR(r.notify.mean, 4200);
    CU_ASSERT_EQUAL(r.notify.n, 4000);
    json_array_clear(json_object_get(json_array_get(json_object_get(j, "vms"), 0), "domains"));
    CU_ASSERT_EQUAL(xen_run_read(j, &r), -EPROTO);
    json_decref(j);
}

static double xen_number(const json_t *j, const char *object, const char *key)
{
    return json_number_value(json_object_get(json_object_get(j, object), key));
}

static unsigned goals_met(const json_t *j)
{
    const json_t *goals = json_object_get(j, "goals"), *g;
    unsigned met = 0;
    size_t i;

    json_array_foreach((json_t *)goals, i, g) met += json_is_true(json_object_get(g, "met"));
    return met;
}

/* Medians of rounds, sums of counts; what polling notifies is what notifying costs. */
static void xen_rounds_of_stock_xen(void)
{
    static struct xen_result r = {.version = "4.17.7", .rounds = 3};
    json_t *j;

    for (unsigned i = 0; i < 3; i++) {
        r.run[XEN_POLLED][i] = xen_run_of(false, 4000 + 1000 * i);
        r.run[XEN_SLEEPING][i] = xen_run_of(false, 12000);
    }
    j = xen_result_json(&r);
    NEAR(xen_number(j, "polled_cycles", "p50"), 5000);
    NEAR(xen_number(j, "polled_cycles", "p99"), 10000);
    NEAR(xen_number(j, "polled_cycles", "count"), 3000);
    NEAR(xen_number(j, "notify_cycles", "p50"), 4000);
    NEAR(xen_number(j, "notify_cycles", "count"), 12000);
    NEAR(xen_number(j, "ratios", "sleeping_to_polled"), 2.4);
    NEAR(xen_number(j, "ratios", "service_to_polled"), 0.04);
    NEAR(xen_number(j, "upcalls", "polled"), 0.5);
    CU_ASSERT_PTR_NULL(json_object_get(j, "notified_cycles"));
    CU_ASSERT_EQUAL(json_array_size(json_object_get(j, "goals")), 3);
    CU_ASSERT_EQUAL(goals_met(j), 3);
    json_decref(j);
}

/* There, notifications are those of the runs that went without spinning. */
static void xen_rounds_of_a_xen_that_spins(void)
{
    static struct xen_result r = {.version = "4.17.7", .rounds = 1};
    json_t *j;

    r.run[XEN_POLLED][0] = xen_run_of(true, 1200);
    r.run[XEN_SLEEPING][0] = xen_run_of(false, 12000);
    r.run[XEN_NOTIFIED][0] = xen_run_of(false, 5000);
    j = xen_result_json(&r);
    CU_ASSERT_TRUE(json_is_true(json_object_get(json_object_get(j, "xen"), "spins")));
    NEAR(xen_number(j, "polled_cycles", "p50"), 1200);
    NEAR(xen_number(j, "notified_cycles", "p50"), 5000);
    NEAR(xen_number(j, "notify_cycles", "count"), 4000);
    NEAR(xen_number(j, "ratios", "polled_to_xen_only"), 1.2);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(j, "goals")), 4);
    CU_ASSERT_EQUAL(goals_met(j), 2); /* not: 1.2 times Xen alone, service in parts of so little */
    json_decref(j);
}

/* --- bench net --- */

/* The ratio is one of rounds: here each is twice the other's, whatever the machine did. */
static void series_pair_round_by_round(void)
{
    const double slow[] = {2, 20, 7}, fast[] = {4, 40, 14};
    json_t *below = net_series(slow, 3, 2), *above = net_series(fast, 3, 2);

    NEAR(net_median(below), 7);
    NEAR(net_ratio(above, below), 2);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(above, "rounds")), 3);
    json_decref(below);
    json_decref(above);
}

static void series_that_do_not_pair(void)
{
    const double v[] = {1.2345, 2, 0};
    json_t *three = net_series(v, 3, 2), *two = net_series(v, 2, 2), *none = net_series(v, 0, 2);

    CU_ASSERT_TRUE(isnan(net_ratio(three, two)));
    CU_ASSERT_TRUE(isnan(net_ratio(three, three))); /* the last one is nothing to divide by */
    CU_ASSERT_TRUE(isnan(net_ratio(none, none)));
    CU_ASSERT_TRUE(isnan(net_ratio(NULL, NULL)) && isnan(net_median(NULL)));
    NEAR(json_number_value(json_array_get(json_object_get(two, "rounds"), 0)), 1.23);
    json_decref(three);
    json_decref(two);
    json_decref(none);
}

/* A document without its session: every part knows its host, and begins without goals. */
static void the_head_of_a_document(void)
{
    struct session s = a_session();
    json_t *j = report_head("net", true, &s.host);

    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(j, "bench")), "net");
    CU_ASSERT_TRUE(json_is_true(json_object_get(j, "quick")));
    CU_ASSERT_TRUE(json_is_array(json_object_get(j, "goals")));
    CU_ASSERT_PTR_NULL(json_object_get(json_object_get(j, "host"), "stolen"));
    json_decref(j);
}

const char *const suite_name = "bench";
const struct cu_test suite_tests[] = {
    {"the head of a document", the_head_of_a_document},
    {"series pair round by round", series_pair_round_by_round},
    {"series that do not pair", series_that_do_not_pair},
    {"quantiles without ties", quantiles_without_ties},
    {"quantiles with ties move smoothly", quantiles_with_ties_move_smoothly},
    {"medians of doubles", medians_of_doubles},
    {"ticks become nanoseconds", ticks_become_nanoseconds},
    {"a series and its rounds", a_series_and_its_rounds},
    {"pairs of rounds", pairs_of_rounds},
    {"an empty series", an_empty_series},
    {"stolen time", stolen_time},
    {"the document", the_document},
    {"goals are told, not enforced", goals_are_told_not_enforced},
    {"the guest's lines", the_guests_lines},
    {"finding a kind", finding_a_kind},
    {"faults are stepped over", faults_are_stepped_over},
    {"xen: telemetry is read", xen_telemetry_is_read},
    {"xen: rounds of stock Xen", xen_rounds_of_stock_xen},
    {"xen: rounds of a Xen that spins", xen_rounds_of_a_xen_that_spins},
    {"options are read", options_are_read},
    {"wrong options are refused", wrong_options_are_refused},
    {NULL, NULL},
};
