/* SPDX-License-Identifier: BSD-3-Clause */
/* What stat and top compute: histograms, rates between snapshots, numbers for eyes. */
#include "../../coopvmm/rates.h"

#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#include "../../coopvmm/format.h"
#include "../../coopvmm/top.h"
#include "cu_main.h"

const char *const suite_name = "rates";

static void test_percentiles(void)
{
    struct lathist *h = calloc(1, sizeof(*h));

    CU_ASSERT_EQUAL(lathist_percentile(h, 500), 0);
    lathist_add(h, 1600, 1); /* buckets come in any order */
    lathist_add(h, 160, 98);
    lathist_add(h, 16000, 1);
    CU_ASSERT_EQUAL(lathist_count(h), 100);
    CU_ASSERT_EQUAL(lathist_percentile(h, 500), 170);
    CU_ASSERT_EQUAL(lathist_percentile(h, 979), 170);
    CU_ASSERT_EQUAL(lathist_percentile(h, 980), 1700);
    CU_ASSERT_EQUAL(lathist_percentile(h, 990), 17000);
    CU_ASSERT_EQUAL(lathist_percentile(h, 1000), 17000);
    free(h);
}

/* Only what is between two readings counts. */
static void test_difference(void)
{
    struct lathist *h = calloc(1, sizeof(*h)), *sum = calloc(1, sizeof(*h));

    lathist_add(h, 100, 10);
    lathist_add(h, 200, 3);
    lathist_add(h, 100, -10);
    CU_ASSERT_EQUAL(lathist_count(h), 3);
    CU_ASSERT_EQUAL(lathist_percentile(h, 1), 212);
    lathist_add(h, 300, -5); /* what was never there takes nothing from others */
    CU_ASSERT_EQUAL(lathist_count(h), 3);
    lathist_merge(sum, h);
    lathist_merge(sum, h);
    CU_ASSERT_EQUAL(lathist_count(sum), 6);
    free(h);
    free(sum);
}

static void test_too_many_buckets(void)
{
    struct lathist *h = calloc(1, sizeof(*h));

    for (uint64_t i = 0; i < 2 * LATHIST_BUCKETS; i++)
        lathist_add(h, 7919 * i % 100003, 1);
    CU_ASSERT_EQUAL(h->used, LATHIST_BUCKETS);
    CU_ASSERT_EQUAL(lathist_count(h), LATHIST_BUCKETS);
    for (unsigned i = 1; i < h->used; i++)
        CU_ASSERT_TRUE(h->bucket[i - 1].low < h->bucket[i].low);
    free(h);
}

static json_t *parse(const char *text)
{
    json_t *j = json_loads(text, 0, NULL);

    CU_ASSERT_PTR_NOT_NULL_FATAL(j);
    return j;
}

static void test_json_histogram(void)
{
    struct lathist *h = calloc(1, sizeof(*h));
    json_t *j = parse("{\"wait_low_ns\": [100, -5, 300, \"x\", 500, 600],"
                      " \"wait_n\": [2, 1, -1, 4, 9223372036854775807]}");

    lathist_add_json(h, j, "wait", 1);
    lathist_add_json(h, j, "service", 1);     /* not there */
    CU_ASSERT_EQUAL(lathist_count(h), 2 + 4); /* "x" counts as bound 0 */
    json_decref(j);
    free(h);
}

static const char before[] =
    "{\"at_ns\": 1000000000, \"cores\": [{\"name\": \"io0\", \"busy_ns\": 100, \"idle_ns\": 900,"
    " \"sleep_ns\": 0}], \"ports\": [{\"name\": \"up\", \"rx_frames\": 10, \"rx_bytes\": 1000,"
    " \"tx_drops\": 1, \"rx_bad\": 1, \"inbox_drops\": 1}], \"vhosts\": [{\"name\": \"q\","
    " \"tx_frames\": 2, \"kicks\": 5}], \"vms\": [{\"name\": \"a\", \"vcpus\": "
    "1,"
    " \"slots\": [{\"core\": \"io0\", \"requests\": 5, \"posted\": 7, \"wait_low_ns\": [100],"
    " \"wait_n\": [5]}], \"devices\": [{\"name\": \"n\", \"irqs\": 3, \"tx_frames\": 1}]}]}";
static const char after[] =
    "{\"at_ns\": 3000000000, \"cores\": [{\"name\": \"io0\", \"cpu\": 4, \"idle\": \"spin\","
    " \"busy_ns\": 400, \"idle_ns\": 1500, \"sleep_ns\": 100}], \"ports\": [{\"name\": \"up\","
    " \"rx_frames\": 30, \"rx_bytes\": 5000, \"tx_drops\": 3, \"rx_bad\": 1, \"inbox_drops\": 3}],"
    " \"vhosts\": [{\"name\": \"q\", \"pid\": 7, \"pairs\": 2, \"tx_frames\": 12, \"rx_drops\": 9,"
    " \"kicks\": 6}],"
    " \"vms\": [{\"name\": \"b\", \"vcpus\": 2, \"slots\": []}, {\"name\": \"a\", \"vcpus\": 1,"
    " \"slots\": [{\"core\": \"io0\", \"requests\": 25, \"posted\": 107, \"wait_low_ns\": [1600, "
    "100],"
    " \"wait_n\": [20, 5]}], \"devices\": [{\"name\": \"m\", \"irqs\": 1000}, {\"name\": \"n\","
    " \"irqs\": 13, \"tx_frames\": 5}]}]}";

static void test_rates(void)
{
    json_t *a = parse(before), *b = parse(after);
    struct rates r;

    CU_ASSERT_EQUAL_FATAL(rates_between(a, b, &r), 0);
    CU_ASSERT_DOUBLE_EQUAL(r.seconds, 2, 1e-9);
    CU_ASSERT_EQUAL_FATAL(r.ncores, 1);
    CU_ASSERT_EQUAL(r.core[0].cpu, 4);
    CU_ASSERT_DOUBLE_EQUAL(r.core[0].busy, 0.3, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(r.core[0].sleep, 0.1, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(r.core[0].requests, 10, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(r.core[0].posted, 50, 1e-9);
    CU_ASSERT_EQUAL(lathist_percentile(&r.core[0].wait, 500), 1700);
    CU_ASSERT_EQUAL_FATAL(r.nvms, 2);
    CU_ASSERT_DOUBLE_EQUAL(r.vm[0].requests, 0, 1e-9); /* new: nothing to compare with */
    CU_ASSERT_DOUBLE_EQUAL(r.vm[1].requests, 10, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(r.vm[1].irqs, 5, 1e-9); /* device m is new */
    CU_ASSERT_DOUBLE_EQUAL(r.vm[1].tx_frames, 2, 1e-9);
    CU_ASSERT_EQUAL(lathist_count(&r.vm[1].wait), 20);
    CU_ASSERT_EQUAL_FATAL(r.nports, 1);
    CU_ASSERT_DOUBLE_EQUAL(r.port[0].rx_frames, 10, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(r.port[0].rx_bytes, 2000, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(r.port[0].drops, 2, 1e-9);
    CU_ASSERT_EQUAL_FATAL(r.nvhosts, 1);
    CU_ASSERT_EQUAL(r.vhost[0].pid, 7);
    CU_ASSERT_EQUAL(r.vhost[0].pairs, 2);
    CU_ASSERT_DOUBLE_EQUAL(r.vhost[0].tx_frames, 5, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(r.vhost[0].kicks, 0.5, 1e-9);
    rates_free(&r);
    json_decref(a);
    json_decref(b);
}

/* Counters that went down were begun anew. */
static void test_begun_anew(void)
{
    json_t *a = parse(after), *b = parse(before);
    struct rates r;

    json_object_set_new(b, "at_ns", json_integer(4000000000));
    CU_ASSERT_EQUAL_FATAL(rates_between(a, b, &r), 0);
    CU_ASSERT_DOUBLE_EQUAL(r.vm[0].requests, 5, 1e-9);
    CU_ASSERT_EQUAL(lathist_count(&r.vm[0].wait), 5);
    rates_free(&r);
    CU_ASSERT_EQUAL_FATAL(rates_between(NULL, b, &r), 0);
    CU_ASSERT_DOUBLE_EQUAL(r.vm[0].requests, 0, 1e-9);
    CU_ASSERT_STRING_EQUAL(r.core[0].name, "io0");
    rates_free(&r);
    json_decref(a);
    json_decref(b);
}

/* A daemon that was taken over may say anything. */
static void test_nonsense(void)
{
    static const char *const docs[] = {
        "{}",
        "{\"at_ns\": -1, \"cores\": 7, \"vms\": {}, \"ports\": \"x\"}",
        ("{\"at_ns\": \"x\", \"cores\": [1, null, {\"name\": 3}], \"vms\": [[], {\"slots\": 1}],"
         " \"ports\": [{}]}"),
    };

    for (unsigned i = 0; i < 3; i++) {
        json_t *a = parse(docs[i]), *b = parse(after);
        struct top t = {.last = NULL};
        char *text = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&text, &size);

        CU_ASSERT_EQUAL(rates_between(a, b, &t.rates), 0);
        top_print(&t, f);
        rates_free(&t.rates);
        CU_ASSERT_EQUAL(rates_between(b, a, &t.rates), 0);
        top_print(&t, f);
        rates_free(&t.rates);
        fclose(f);
        CU_ASSERT_PTR_NULL(strstr(text, "nan"));
        CU_ASSERT_PTR_NULL(strstr(text, "-nan"));
        free(text);
        json_decref(a);
        json_decref(b);
    }
}

static void test_print(void)
{
    json_t *a = parse(before), *b = parse(after), *j;
    struct top t = {.last = NULL};
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    strcpy(t.ref.name, "demo");
    CU_ASSERT_EQUAL(rates_between(a, b, &t.rates), 0);
    top_print(&t, f);
    fclose(f);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "testbed demo: I/O cores: 1, VMs: 2, over 2.0 s"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "io0     4  spin   30.0    10.0     10      50"));
    j = top_json(&t);
    CU_ASSERT_PTR_NOT_NULL_FATAL(j);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(j, "vms")), 2);
    CU_ASSERT_PTR_NULL(json_object_get(j, "problem"));
    json_decref(j);
    free(text);
    rates_free(&t.rates);
    json_decref(a);
    json_decref(b);
}

static void test_format(void)
{
    char s[FORMAT_SIZE];

    CU_ASSERT_STRING_EQUAL(format_duration(s, 0), "0.0 s");
    CU_ASSERT_STRING_EQUAL(format_duration(s, -1), "0.0 s");
    CU_ASSERT_STRING_EQUAL(format_duration(s, 4.24), "4.2 s");
    CU_ASSERT_STRING_EQUAL(format_duration(s, 192), "3m12s");
    CU_ASSERT_STRING_EQUAL(format_duration(s, 18245), "5h04m");
    CU_ASSERT_STRING_EQUAL(format_duration(s, 198000), "2d07h");
    CU_ASSERT_STRING_EQUAL(format_ns(s, 0), "0 ns");
    CU_ASSERT_STRING_EQUAL(format_ns(s, 999.4), "999 ns");
    CU_ASSERT_STRING_EQUAL(format_ns(s, 999.6), "1.00 us");
    CU_ASSERT_STRING_EQUAL(format_ns(s, 12400), "12.4 us");
    CU_ASSERT_STRING_EQUAL(format_ns(s, 99960), "100 us");
    CU_ASSERT_STRING_EQUAL(format_ns(s, 3.1e6), "3.10 ms");
    CU_ASSERT_STRING_EQUAL(format_ns(s, 2e9), "2.00 s");
    CU_ASSERT_STRING_EQUAL(format_si(s, 0), "0");
    CU_ASSERT_STRING_EQUAL(format_si(s, 999), "999");
    CU_ASSERT_STRING_EQUAL(format_si(s, 12345), "12.3k");
    CU_ASSERT_STRING_EQUAL(format_si(s, 4.56e6), "4.56M");
    CU_ASSERT_STRING_EQUAL(format_si(s, 1.8e19), "18000000000G");
}

const struct cu_test suite_tests[] = {
    {"percentiles", test_percentiles},
    {"the difference of two readings", test_difference},
    {"too many buckets", test_too_many_buckets},
    {"a histogram as JSON", test_json_histogram},
    {"rates between two snapshots", test_rates},
    {"counters begun anew", test_begun_anew},
    {"nonsense", test_nonsense},
    {"printed and as JSON", test_print},
    {"numbers for eyes", test_format},
    {NULL, NULL},
};
