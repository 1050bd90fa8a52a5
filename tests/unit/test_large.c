/* SPDX-License-Identifier: BSD-3-Clause */
/* Large frames: built, split, and through the switch. */
#include "../../iocore/large.h"

#include <CUnit/CUnit.h>

#include <rte_cycles.h>
#include <rte_mbuf.h>

#include "../../iocore/switch.h"
#include "cu_main.h"
#include "net_frames.h"
#include "test_eal.h"

const char *const suite_name = "large";

#define MBUFS   1023
#define MSS     1400
#define PAYLOAD 60000

static struct rte_mempool *pool;
static uint8_t whole[LARGE_MAX];
static size_t whole_len;

static void set_up(bool ipv6)
{
    struct frame_shape s = {.ipv6 = ipv6, .tcp_extra = 12, .payload = PAYLOAD};

    test_eal();
    if (!pool)
        pool = rte_pktmbuf_pool_create("large", MBUFS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, -1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(pool);
    whole_len = frame_build(whole, &s);
    whole[0] = whole[6] = 2; /* stations of their own */
}

static bool from_whole(const void *from, uint32_t at, void *to, uint32_t len)
{
    memcpy(to, (const uint8_t *)from + at, len);
    return true;
}

static bool from_nowhere(const void *from, uint32_t at, void *to, uint32_t len)
{
    (void)from, (void)to, (void)len;
    return at < 5000;
}

static struct rte_mbuf *build(struct nm_tso *t)
{
    CU_ASSERT_TRUE(nm_tso_of(whole, 256, MSS, (uint32_t)whole_len, t));
    return large_build(t, from_whole, whole, pool);
}

static void test_build(void)
{
    static uint8_t again[LARGE_MAX];

    for (unsigned ipv6 = 0; ipv6 < 2; ipv6++) {
        struct nm_tso t, u;
        struct rte_mbuf *m;

        set_up(ipv6);
        m = build(&t);
        CU_ASSERT_PTR_NOT_NULL_FATAL(m);
        CU_ASSERT_TRUE(large_is(m));
        CU_ASSERT_EQUAL(m->pkt_len, whole_len);
        CU_ASSERT_EQUAL(rte_mbuf_check(m, 1, &(const char *){NULL}), 0);
        large_read(m, &u);
        CU_ASSERT_EQUAL(u.l3, t.l3);
        CU_ASSERT_EQUAL(u.l4, t.l4);
        CU_ASSERT_EQUAL(u.hdr_len, t.hdr_len);
        CU_ASSERT_EQUAL(u.mss, MSS);
        CU_ASSERT_EQUAL(u.payload, PAYLOAD);
        CU_ASSERT_EQUAL(u.ipv6, ipv6);
        large_copy(m, 0, again, (uint32_t)whole_len);
        CU_ASSERT_EQUAL(memcmp(again, whole, whole_len), 0);
        large_copy(m, 2047, again, 3000);
        CU_ASSERT_EQUAL(memcmp(again, whole + 2047, 3000), 0);
        rte_pktmbuf_free(m);
        CU_ASSERT_PTR_NULL(large_build(&t, from_nowhere, NULL, pool));
        CU_ASSERT_EQUAL(rte_mempool_avail_count(pool), MBUFS);
    }
}

/* One segment: as it should be on the wire, and its payload the next of the whole. */
static void check_segment(const struct rte_mbuf *m, const struct nm_tso *t, uint32_t *at)
{
    const uint8_t *f = rte_pktmbuf_mtod(m, const uint8_t *);
    struct nm_layout l;

    CU_ASSERT_FALSE(large_is(m));
    nm_layout_of(f, m->data_len, &l);
    CU_ASSERT_EQUAL(l.proto, NM_PROTO_TCP);
    CU_ASSERT_TRUE(nm_ip_csum_good(f, &l) && nm_l4_csum_good(f, &l));
    CU_ASSERT_EQUAL(memcmp(f + t->hdr_len, whole + t->hdr_len + *at, m->data_len - t->hdr_len), 0);
    *at += m->data_len - t->hdr_len;
}

/* In portions of any size, and when mbufs run out. */
static void test_split(void)
{
    struct rte_mbuf *part[64];
    uint32_t next = 0, at = 0;
    struct rte_mbuf *m;
    struct nm_tso t;
    unsigned n;

    set_up(false);
    m = build(&t);
    while ((n = large_split(m, &next, pool, part, 7)))
        for (unsigned i = 0; i < n; i++) {
            check_segment(part[i], &t, &at);
            rte_pktmbuf_free(part[i]);
        }
    CU_ASSERT_EQUAL(at, PAYLOAD);
    CU_ASSERT_EQUAL(next, 43);
    rte_pktmbuf_free(m);
    CU_ASSERT_EQUAL(rte_mempool_avail_count(pool), MBUFS);
}

static void test_fits(void)
{
    struct rte_mbuf *m;
    struct nm_tso t;

    set_up(false);
    m = build(&t);
    CU_ASSERT_TRUE(large_fits(m, 1518));
    CU_ASSERT_FALSE(large_fits(m, t.hdr_len + MSS - 1u));
    m->tso_segsz = 0;
    CU_ASSERT_FALSE(large_fits(m, 1518));
    m->tso_segsz = MSS;
    m->l4_len = 8; /* shorter than TCP's header */
    CU_ASSERT_FALSE(large_fits(m, 1518));
    rte_pktmbuf_free(m);
}

/* --- through the switch --- */

struct sink {
    unsigned n;
    struct rte_mbuf *m[128];
};

static uint16_t take(void *ctx, struct rte_mbuf **m, uint16_t n)
{
    struct sink *s = ctx;

    for (uint16_t i = 0; i < n; i++)
        s->m[s->n++] = m[i];
    return n;
}

static void empty(struct sink *s)
{
    rte_pktmbuf_free_bulk(s->m, s->n);
    s->n = 0;
}

/* Flooded: whole to the port that takes large frames, in segments to the other. */
static void test_switch(void)
{
    struct sink sink[3] = {0};
    struct sw_opts o = {.ncores = 1, .socket = -1};
    struct rte_mbuf *m;
    struct nm_tso t;
    uint32_t at = 0;
    struct sw *sw;

    set_up(false);
    o.tsc_hz = rte_get_tsc_hz();
    o.pool = pool;
    sw = sw_create(&o);
    CU_ASSERT_PTR_NOT_NULL_FATAL(sw);
    sw_port_add(sw, "in", 0, 0, take, &sink[0]);
    sw_port_add(sw, "plain", 0, 0, take, &sink[1]);
    sw_port_add(sw, "large", 0, SW_PORT_LARGE, take, &sink[2]);
    sw_core_online(sw, 0);
    m = build(&t);
    sw_input(sw, 0, &m, 1, rte_rdtsc());
    CU_ASSERT_EQUAL(sink[2].n, 1);
    CU_ASSERT_TRUE(large_is(sink[2].m[0]));
    CU_ASSERT_EQUAL(sink[1].n, 43);
    for (unsigned i = 0; i < sink[1].n; i++)
        check_segment(sink[1].m[i], &t, &at);
    CU_ASSERT_EQUAL(at, PAYLOAD);
    empty(&sink[1]);
    empty(&sink[2]);
    m = build(&t);
    m->tso_segsz = 9000; /* longer than the wire takes */
    sw_input(sw, 0, &m, 1, rte_rdtsc());
    CU_ASSERT_EQUAL(sink[1].n + sink[2].n, 0);
    sw_core_offline(sw, 0);
    sw_free(sw);
    CU_ASSERT_EQUAL(rte_mempool_avail_count(pool), MBUFS);
}

const struct cu_test suite_tests[] = {
    {"built", test_build},
    {"split", test_split},
    {"do they fit?", test_fits},
    {"through the switch", test_switch},
    {NULL, NULL},
};
