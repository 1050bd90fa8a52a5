/* SPDX-License-Identifier: BSD-3-Clause */
/* The log histogram: its buckets tile the numbers, and its percentiles are near the true ones. */
#include "../../iocore/hist.h"

#include <CUnit/CUnit.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "cu_main.h"

static void test_buckets_tile(void)
{
    CU_ASSERT_EQUAL(hist_bucket_low(0), 0);
    for (unsigned i = 1; i < HIST_BUCKETS; i++)
        CU_ASSERT_EQUAL(hist_bucket_low(i), hist_bucket_high(i - 1) + 1);
    CU_ASSERT_EQUAL(hist_bucket_high(HIST_BUCKETS - 1), UINT64_MAX);
}

static void test_index(void)
{
    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        CU_ASSERT_EQUAL(hist_index(hist_bucket_low(i)), i);
        CU_ASSERT_EQUAL(hist_index(hist_bucket_high(i)), i);
    }
    for (unsigned e = 0; e < 64; e++) {
        uint64_t v = 1ull << e;

        CU_ASSERT_TRUE(hist_bucket_low(hist_index(v)) <= v);
        CU_ASSERT_TRUE(hist_bucket_high(hist_index(v - 1)) >= v - 1);
        /* a bucket is at most an eighth of what it holds */
        CU_ASSERT_TRUE(hist_bucket_high(hist_index(v)) - v <= v / 8);
    }
}

static void test_empty(void)
{
    static const struct hist h;
    struct hist c;

    hist_read(&h, &c);
    CU_ASSERT_EQUAL(c.count, 0);
    CU_ASSERT_EQUAL(hist_min(&c), 0);
    CU_ASSERT_EQUAL(hist_mean(&c), 0);
    CU_ASSERT_EQUAL(hist_percentile(&c, 500000), 0);
}

static void test_extremes(void)
{
    struct hist h = {0}, c;

    hist_add(&h, 0);
    hist_add(&h, UINT64_MAX);
    hist_read(&h, &c);
    CU_ASSERT_EQUAL(c.count, 2);
    CU_ASSERT_EQUAL(hist_min(&c), 0);
    CU_ASSERT_EQUAL(c.max, UINT64_MAX);
    CU_ASSERT_EQUAL(c.bucket[0], 1);
    CU_ASSERT_EQUAL(c.bucket[HIST_BUCKETS - 1], 1);
    CU_ASSERT_EQUAL(hist_percentile(&c, 1000000), UINT64_MAX);
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

#define VALUES 20000

/* Latencies as they are: a narrow body and a long tail. */
static uint64_t some_value(unsigned i)
{
    uint64_t r = (uint64_t)i * 6364136223846793005u + 1442695040888963407u;

    r ^= r >> 29;
    return i % 100 ? 200 + r % 50 : 1000 + r % 1000000;
}

static void test_percentiles(void)
{
    static const uint32_t at[] = {0, 100000, 500000, 900000, 990000, 999000, 1000000};
    static uint64_t v[VALUES];
    struct hist h = {0}, c;
    uint64_t sum = 0;

    for (unsigned i = 0; i < VALUES; i++) {
        v[i] = some_value(i);
        sum += v[i];
        hist_add(&h, v[i]);
    }
    qsort(v, VALUES, sizeof(v[0]), compare);
    hist_read(&h, &c);
    CU_ASSERT_EQUAL(c.count, VALUES);
    CU_ASSERT_EQUAL(c.sum, sum);
    CU_ASSERT_EQUAL(hist_min(&c), v[0]);
    CU_ASSERT_EQUAL(c.max, v[VALUES - 1]);
    CU_ASSERT_EQUAL(hist_mean(&c), sum / VALUES);
    for (unsigned i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
        uint64_t rank = (uint64_t)VALUES * at[i] / 1000000;
        uint64_t truth = v[rank < VALUES ? rank : VALUES - 1], got = hist_percentile(&c, at[i]);

        CU_ASSERT_TRUE(got >= truth);
        CU_ASSERT_TRUE(got <= truth + truth / 8);
    }
}

static void test_merge_and_reset(void)
{
    struct hist a = {0}, b = {0}, both = {0}, ca, cb, cboth;

    for (unsigned i = 0; i < 1000; i++) {
        hist_add(i & 1 ? &a : &b, some_value(i));
        hist_add(&both, some_value(i));
    }
    hist_read(&a, &ca);
    hist_read(&b, &cb);
    hist_read(&both, &cboth);
    hist_merge(&ca, &cb);
    CU_ASSERT_EQUAL(memcmp(&ca, &cboth, sizeof(ca)), 0);
    hist_reset(&a);
    hist_read(&a, &ca);
    CU_ASSERT_EQUAL(ca.count, 0);
    CU_ASSERT_EQUAL(hist_min(&ca), 0);
    CU_ASSERT_EQUAL(ca.max, 0);
}

static void test_nanoseconds(void)
{
    CU_ASSERT_EQUAL(hist_ns(3000000000u, 3000000000u), 1000000000u);
    CU_ASSERT_EQUAL(hist_ns(1, 3000000000u), 0);
    CU_ASSERT_EQUAL(hist_ns(UINT64_MAX / 2, 1000000000u), UINT64_MAX / 2); /* no overflow */
}

/* --- a reader beside the writer --- */

struct shared {
    struct hist h;
    bool stop;
    uint64_t written;
};

static void *writer(void *arg)
{
    struct shared *s = arg;

    while (!__atomic_load_n(&s->stop, __ATOMIC_RELAXED))
        hist_add(&s->h, some_value((unsigned)s->written++));
    return NULL;
}

/* Copies only ever grow, and their percentiles are values that were written. */
static void test_reader_beside_writer(void)
{
    static struct shared s;
    struct hist c;
    uint64_t last = 0;
    pthread_t t;

    CU_ASSERT_EQUAL_FATAL(pthread_create(&t, NULL, writer, &s), 0);
    for (unsigned i = 0; i < 2000 || last < 10000; i++) {
        hist_read(&s.h, &c);
        CU_ASSERT_TRUE(c.count >= last);
        last = c.count;
        CU_ASSERT_TRUE(hist_percentile(&c, 999000) <= 1001000);
        if (c.count > 1000)
            CU_ASSERT_TRUE(hist_percentile(&c, 10000) >= 200);
    }
    __atomic_store_n(&s.stop, true, __ATOMIC_RELAXED);
    pthread_join(t, NULL);
    hist_read(&s.h, &c);
    CU_ASSERT_EQUAL(c.count, s.written);
}

const char *const suite_name = "hist";
const struct cu_test suite_tests[] = {
    {"buckets tile the numbers", test_buckets_tile},
    {"index", test_index},
    {"empty", test_empty},
    {"extremes", test_extremes},
    {"percentiles", test_percentiles},
    {"merge and reset", test_merge_and_reset},
    {"nanoseconds", test_nanoseconds},
    {"reader beside writer", test_reader_beside_writer},
    {NULL, NULL},
};
