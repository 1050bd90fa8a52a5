/* SPDX-License-Identifier: BSD-3-Clause */
/* The learning switch: what 802.1D asks of a bridge, counters, and cores that work at once. */
#include "../../iocore/switch.h"

#include <CUnit/CUnit.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <rte_pause.h>

#include "cu_main.h"
#include "test_eal.h"

#define HZ    1000000000ull
#define MBUFS 4095

static struct rte_mempool *pool;

/* Where a port's frames end up. */
struct sink {
    unsigned n;
    unsigned room; /* refuse further ones; 0: no limit */
    struct rte_mbuf *m[512];
};

static uint16_t take(void *ctx, struct rte_mbuf **m, uint16_t n)
{
    struct sink *s = ctx;
    uint16_t i;

    for (i = 0; i < n && s->n < 512 && (!s->room || s->n < s->room); i++)
        s->m[s->n++] = m[i];
    return i;
}

static void empty(struct sink *s)
{
    rte_pktmbuf_free_bulk(s->m, s->n);
    s->n = 0;
}

/* A switch with three ports on core 0, unless a test says otherwise. */
struct bed {
    struct sw *sw;
    int port[3];
    struct sink sink[3];
    uint64_t now;
};

static void bed_up(struct bed *b, const struct sw_opts *opts)
{
    struct sw_opts o = opts ? *opts : (struct sw_opts){0};

    test_eal();
    if (!pool)
        pool = rte_pktmbuf_pool_create("frames", MBUFS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, -1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(pool);
    memset(b, 0, sizeof(*b));
    o.ncores = o.ncores ? o.ncores : 1;
    o.tsc_hz = HZ;
    o.pool = pool;
    o.socket = -1;
    b->sw = sw_create(&o);
    CU_ASSERT_PTR_NOT_NULL_FATAL(b->sw);
    b->now = rte_rdtsc();
    for (int i = 0; i < 3; i++) {
        b->port[i] = sw_port_add(b->sw, "p", i % o.ncores, 0, take, &b->sink[i]);
        CU_ASSERT_EQUAL(b->port[i], i);
    }
}

static void bed_down(struct bed *b)
{
    for (int i = 0; i < 3; i++)
        empty(&b->sink[i]);
    sw_free(b->sw);
    CU_ASSERT_EQUAL(rte_mempool_avail_count(pool), MBUFS); /* no frame was lost or freed twice */
}

static struct rte_mbuf *frame_of(const void *dst, const void *src, uint16_t type, uint16_t len)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
    uint8_t *d = (uint8_t *)rte_pktmbuf_append(m, len);

    for (uint16_t i = 0; i < len; i++)
        d[i] = (uint8_t)i;
    if (len >= 14) {
        memcpy(d, dst, 6);
        memcpy(d + 6, src, 6);
        d[12] = (uint8_t)(type >> 8);
        d[13] = (uint8_t)type;
    }
    return m;
}

static const uint8_t A[6] = {2, 0, 0, 0, 0, 0xa}, B[6] = {2, 0, 0, 0, 0, 0xb},
                     C[6] = {2, 0, 0, 0, 0, 0xc};
static const uint8_t ALL[6] = {255, 255, 255, 255, 255, 255}, GROUP[6] = {1, 0, 0x5e, 0, 0, 1};

static void in(struct bed *b, int port, const uint8_t *dst, const uint8_t *src)
{
    struct rte_mbuf *m = frame_of(dst, src, 0x0800, 60);

    sw_input(b->sw, b->port[port], &m, 1, b->now);
}

static struct sw_counters counters(struct bed *b, int port)
{
    struct sw_port_info i;

    CU_ASSERT_EQUAL(sw_port_info(b->sw, b->port[port], &i), 0);
    return i.c;
}

static void test_options(void)
{
    struct sw_opts ok = {.ncores = 1, .tsc_hz = HZ, .socket = -1}, o;
    struct sw *sw;

    test_eal();
    o = ok, o.ncores = 0;
    CU_ASSERT_PTR_NULL(sw_create(&o));
    CU_ASSERT_EQUAL(errno, EINVAL);
    o = ok, o.ncores = SW_MAX_CORES + 1;
    CU_ASSERT_PTR_NULL(sw_create(&o));
    o = ok, o.inbox = 1000;
    CU_ASSERT_PTR_NULL(sw_create(&o));
    o = ok, o.tsc_hz = 0;
    CU_ASSERT_PTR_NULL(sw_create(&o));
    sw = sw_create(&ok);
    CU_ASSERT_PTR_NOT_NULL_FATAL(sw);
    CU_ASSERT_EQUAL(sw_port_add(sw, "x", 1, 0, take, NULL), -EINVAL);
    CU_ASSERT_EQUAL(sw_port_add(sw, "x", 0, SW_PORT_WRITES, take, NULL), -EINVAL); /* no pool */
    CU_ASSERT_EQUAL(sw_port_add(sw, "x", 0, 0, NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(sw_port_remove(sw, 0), -ENOENT);
    CU_ASSERT_EQUAL(sw_port_remove(sw, -1), -ENOENT);
    CU_ASSERT_EQUAL(sw_port_remove(sw, SW_MAX_PORTS), -ENOENT);
    sw_free(sw);
}

static void test_learns_and_forwards(void)
{
    struct bed b;
    struct sw_counters c;

    bed_up(&b, NULL);
    in(&b, 0, B, A); /* B is unknown: everywhere but where it came from */
    CU_ASSERT_EQUAL(b.sink[0].n, 0);
    CU_ASSERT_EQUAL(b.sink[1].n, 1);
    CU_ASSERT_EQUAL(b.sink[2].n, 1);
    CU_ASSERT_PTR_EQUAL(b.sink[1].m[0], b.sink[2].m[0]); /* shared, not copied */
    in(&b, 1, A, B);
    CU_ASSERT_EQUAL(b.sink[0].n, 1);
    CU_ASSERT_EQUAL(b.sink[2].n, 1);
    in(&b, 0, B, A);
    CU_ASSERT_EQUAL(b.sink[1].n, 2);
    CU_ASSERT_EQUAL(b.sink[2].n, 1);
    c = counters(&b, 0);
    CU_ASSERT_EQUAL(c.rx_frames, 2);
    CU_ASSERT_EQUAL(c.rx_bytes, 120);
    CU_ASSERT_EQUAL(c.unknown, 1);
    CU_ASSERT_EQUAL(c.flooded, 1);
    CU_ASSERT_EQUAL(c.learned, 1);
    CU_ASSERT_EQUAL(c.tx_frames, 1);
    CU_ASSERT_EQUAL(c.tx_bytes, 60);
    CU_ASSERT_EQUAL(sw_mac_count(b.sw), 2);
    bed_down(&b);
}

static void test_never_reflects(void)
{
    struct bed b;

    bed_up(&b, NULL);
    in(&b, 0, ALL, A);
    in(&b, 0, ALL, B); /* A and B are both behind port 0 */
    in(&b, 0, A, B);
    CU_ASSERT_EQUAL(b.sink[0].n, 0);
    CU_ASSERT_EQUAL(b.sink[1].n, 2);
    CU_ASSERT_EQUAL(counters(&b, 0).rx_filtered, 1);
    bed_down(&b);
}

static void test_group_addresses(void)
{
    struct bed b;

    bed_up(&b, NULL);
    in(&b, 0, GROUP, A);
    CU_ASSERT_EQUAL(b.sink[1].n, 1);
    CU_ASSERT_EQUAL(counters(&b, 0).flooded, 1);
    CU_ASSERT_EQUAL(counters(&b, 0).unknown, 0);
    in(&b, 1, A, GROUP); /* a group address is nobody's source */
    CU_ASSERT_EQUAL(counters(&b, 1).rx_bad, 1);
    CU_ASSERT_EQUAL(counters(&b, 1).rx_frames, 0);
    CU_ASSERT_EQUAL(b.sink[0].n, 0);
    CU_ASSERT_EQUAL(sw_mac_count(b.sw), 1);
    bed_down(&b);
}

static void test_lengths(void)
{
    static const uint16_t len[] = {0, 13, 14, 1518, 1519};
    struct bed b;

    bed_up(&b, NULL);
    for (unsigned i = 0; i < 5; i++) {
        struct rte_mbuf *m = frame_of(ALL, A, 0x0800, len[i]);

        sw_input(b.sw, 0, &m, 1, b.now);
    }
    CU_ASSERT_EQUAL(b.sink[1].n, 2);
    CU_ASSERT_EQUAL(counters(&b, 0).rx_bad, 3);
    bed_down(&b);
}

/* A frame in two segments goes through; one whose header is split does not. */
static void test_segments(void)
{
    struct bed b;

    bed_up(&b, NULL);
    for (uint16_t first = 13; first <= 14; first++) {
        struct rte_mbuf *m = frame_of(ALL, A, 0x0800, 60), *tail = frame_of(ALL, A, 0, 40);

        rte_pktmbuf_trim(m, (uint16_t)(60 - first));
        CU_ASSERT_EQUAL(rte_pktmbuf_chain(m, tail), 0);
        sw_input(b.sw, 0, &m, 1, b.now);
    }
    CU_ASSERT_EQUAL(counters(&b, 0).rx_bad, 1);
    CU_ASSERT_EQUAL_FATAL(b.sink[2].n, 1);
    CU_ASSERT_EQUAL(b.sink[2].m[0]->pkt_len, 54);
    bed_down(&b);
}

static void test_vlan_transparent(void)
{
    struct rte_mbuf *m;
    uint8_t before[64];
    struct bed b;

    bed_up(&b, NULL);
    in(&b, 1, ALL, B); /* learned without a tag */
    empty(&b.sink[0]);
    m = frame_of(B, A, 0x8100, 64);
    memcpy(before, rte_pktmbuf_mtod(m, void *), sizeof(before));
    sw_input(b.sw, 0, &m, 1, b.now); /* reaches it with one */
    CU_ASSERT_EQUAL_FATAL(b.sink[1].n, 1);
    CU_ASSERT_EQUAL(b.sink[2].n, 1); /* only the broadcast */
    CU_ASSERT_EQUAL(b.sink[1].m[0]->pkt_len, 64);
    CU_ASSERT_EQUAL(memcmp(before, rte_pktmbuf_mtod(b.sink[1].m[0], void *), 64), 0);
    bed_down(&b);
}

static void test_moves(void)
{
    struct sw_port_info i;
    struct bed b;

    bed_up(&b, NULL);
    in(&b, 0, ALL, A);
    in(&b, 2, ALL, A);
    CU_ASSERT_EQUAL(counters(&b, 2).moved, 1);
    empty(&b.sink[0]);
    empty(&b.sink[2]);
    in(&b, 1, A, B);
    CU_ASSERT_EQUAL(b.sink[2].n, 1);
    CU_ASSERT_EQUAL(b.sink[0].n, 0);
    CU_ASSERT_EQUAL(sw_port_info(b.sw, 0, &i), 0);
    CU_ASSERT_EQUAL(i.macs, 0);
    CU_ASSERT_EQUAL(sw_port_info(b.sw, 2, &i), 0);
    CU_ASSERT_EQUAL(i.macs, 1);
    bed_down(&b);
}

static void test_pinned(void)
{
    struct sw_mac_info mac;
    uint32_t iter = 0;
    struct bed b;

    bed_up(&b, NULL);
    CU_ASSERT_EQUAL(sw_port_pin(b.sw, 0, GROUP), -EINVAL);
    CU_ASSERT_EQUAL(sw_port_pin(b.sw, 9, A), -ENOENT);
    CU_ASSERT_EQUAL(sw_port_pin(b.sw, 0, A), 0);
    CU_ASSERT_EQUAL(sw_port_pin(b.sw, 0, A), 0);
    CU_ASSERT_EQUAL(sw_port_pin(b.sw, 1, A), -EEXIST);
    in(&b, 2, B, A); /* somebody else claims the address */
    CU_ASSERT_EQUAL(counters(&b, 2).learn_refused, 1);
    empty(&b.sink[0]);
    in(&b, 1, A, B);
    CU_ASSERT_EQUAL(b.sink[0].n, 1);
    CU_ASSERT_EQUAL(sw_age(b.sw, b.now + 10000 * HZ), 1); /* B */
    CU_ASSERT_EQUAL(sw_mac_next(b.sw, &iter, b.now, &mac), 0);
    CU_ASSERT_EQUAL(memcmp(mac.mac, A, 6), 0);
    CU_ASSERT_TRUE(mac.pinned);
    CU_ASSERT_EQUAL(mac.port, 0);
    CU_ASSERT_EQUAL(sw_mac_next(b.sw, &iter, b.now, &mac), -ENOENT);
    bed_down(&b);
}

static void test_ageing(void)
{
    struct sw_opts o = {.mac_age_s = 10};
    struct sw_mac_info mac;
    uint32_t iter = 0;
    struct bed b;

    bed_up(&b, &o);
    in(&b, 0, ALL, A);
    in(&b, 1, ALL, B);
    CU_ASSERT_EQUAL(sw_age(b.sw, b.now + 9 * HZ), 0);
    b.now += 8 * HZ;
    in(&b, 0, ALL, A); /* seen again */
    CU_ASSERT_EQUAL(sw_age(b.sw, b.now + 3 * HZ), 1);
    CU_ASSERT_EQUAL(sw_mac_next(b.sw, &iter, b.now + 3 * HZ, &mac), 0);
    CU_ASSERT_EQUAL(memcmp(mac.mac, A, 6), 0);
    CU_ASSERT_EQUAL(mac.age_s, 3);
    CU_ASSERT_EQUAL(sw_age(b.sw, b.now + 11 * HZ), 1);
    CU_ASSERT_EQUAL(sw_mac_count(b.sw), 0);
    empty(&b.sink[1]);
    empty(&b.sink[2]);
    in(&b, 2, A, C); /* unknown again */
    CU_ASSERT_EQUAL(b.sink[1].n, 1);
    bed_down(&b);
}

static void numbered(uint8_t mac[6], uint8_t kind, unsigned i)
{
    uint8_t v[6] = {2, kind, 0, 0, (uint8_t)(i >> 8), (uint8_t)i};

    memcpy(mac, v, 6);
}

/* A port may fill its share, all of them the table; the others' addresses stay. */
static void test_full(void)
{
    struct sw_opts o = {.max_macs = 100, .port_macs = 60};
    struct bed b;
    uint8_t mac[6];

    bed_up(&b, &o);
    in(&b, 2, ALL, C);
    for (int p = 0; p < 2; p++)
        for (unsigned i = 0; i < 200; i++) {
            numbered(mac, (uint8_t)(p + 1), i);
            in(&b, p, C, mac);
        }
    CU_ASSERT_EQUAL(counters(&b, 0).learned, 60);
    CU_ASSERT_EQUAL(counters(&b, 0).learn_refused, 140);
    CU_ASSERT_EQUAL(counters(&b, 1).learned, 39);
    CU_ASSERT_EQUAL(counters(&b, 1).learn_refused, 161);
    CU_ASSERT_EQUAL(sw_mac_count(b.sw), 100);
    CU_ASSERT_EQUAL(b.sink[2].n, 400); /* refused to learn, not to forward */
    empty(&b.sink[0]);
    empty(&b.sink[1]);
    in(&b, 2, mac, C); /* the last one was not learned: flooded */
    CU_ASSERT_EQUAL(b.sink[0].n, 1);
    CU_ASSERT_EQUAL(b.sink[1].n, 1);
    bed_down(&b);
}

/* Entries are reused, again and again, once the core has passed a quiescent state. */
static void test_table_is_reused(void)
{
    struct sw_opts o = {.max_macs = 64, .port_macs = 64, .mac_age_s = 1};
    struct bed b;
    uint8_t mac[6];

    bed_up(&b, &o);
    sw_core_online(b.sw, 0);
    for (unsigned round = 0; round < 100; round++) {
        for (unsigned i = 0; i < 64; i++) {
            numbered(mac, (uint8_t)round, i);
            in(&b, 0, ALL, mac);
            empty(&b.sink[1]);
            empty(&b.sink[2]);
        }
        sw_poll(b.sw, 0);
        CU_ASSERT_EQUAL(sw_mac_count(b.sw), 64);
        b.now += 2 * HZ;
        CU_ASSERT_EQUAL(sw_age(b.sw, b.now), 64);
        sw_poll(b.sw, 0);
    }
    CU_ASSERT_EQUAL(counters(&b, 0).learn_refused, 0);
    bed_down(&b);
}

static void test_refused_frames(void)
{
    struct bed b;

    bed_up(&b, NULL);
    b.sink[1].room = 3;
    in(&b, 1, ALL, B);
    for (int i = 0; i < 5; i++)
        in(&b, 0, B, A);
    CU_ASSERT_EQUAL(counters(&b, 1).tx_frames, 3);
    CU_ASSERT_EQUAL(counters(&b, 1).tx_bytes, 180);
    CU_ASSERT_EQUAL(counters(&b, 1).tx_drops, 2);
    bed_down(&b);
}

static void test_writers_get_copies(void)
{
    struct sink own = {0};
    struct bed b;
    int port;

    bed_up(&b, NULL);
    port = sw_port_add(b.sw, "writer", 0, SW_PORT_WRITES, take, &own);
    in(&b, 0, ALL, A);
    CU_ASSERT_EQUAL_FATAL(own.n, 1);
    CU_ASSERT_PTR_NOT_EQUAL(own.m[0], b.sink[1].m[0]);
    CU_ASSERT_EQUAL(rte_mbuf_refcnt_read(own.m[0]), 1);
    CU_ASSERT_EQUAL(
        memcmp(rte_pktmbuf_mtod(own.m[0], void *), rte_pktmbuf_mtod(b.sink[1].m[0], void *), 60),
        0);
    empty(&own);
    CU_ASSERT_EQUAL(sw_port_remove(b.sw, port), 0);
    bed_down(&b);
}

static void test_order_in_a_burst(void)
{
    struct rte_mbuf *m[6];
    struct bed b;

    bed_up(&b, NULL);
    in(&b, 1, ALL, B);
    empty(&b.sink[0]);
    empty(&b.sink[2]);
    for (int i = 0; i < 6; i++) { /* unicast and broadcast by turns */
        m[i] = frame_of(i & 1 ? ALL : B, A, 0x0800, (uint16_t)(60 + i));
    }
    sw_input(b.sw, 0, m, 6, b.now);
    CU_ASSERT_EQUAL_FATAL(b.sink[1].n, 6);
    for (unsigned i = 0; i < 6; i++)
        CU_ASSERT_EQUAL(b.sink[1].m[i]->pkt_len, 60 + i);
    bed_down(&b);
}

/* Addresses are looked up once a burst: but not if the burst itself teaches where they are. */
static void test_learns_within_a_burst(void)
{
    struct rte_mbuf *m[5];
    struct sw_counters c;
    struct bed b;

    bed_up(&b, NULL);
    in(&b, 1, ALL, C);
    empty(&b.sink[0]), empty(&b.sink[2]);
    m[0] = frame_of(B, A, 0x0800, 60); /* unknown */
    m[1] = frame_of(B, A, 0x0800, 60);
    m[2] = frame_of(A, B, 0x0800, 60); /* B is here, too, and A already was */
    m[3] = frame_of(B, A, 0x0800, 60); /* known now */
    m[4] = frame_of(C, A, 0x0800, 60);
    sw_input(b.sw, b.port[0], m, 5, b.now);
    c = counters(&b, 0);
    CU_ASSERT_EQUAL(b.sink[1].n, 3);
    CU_ASSERT_EQUAL(b.sink[2].n, 2);
    CU_ASSERT_EQUAL(c.rx_frames, 5);
    CU_ASSERT_EQUAL(c.rx_bytes, 300);
    CU_ASSERT_EQUAL(c.unknown, 2);
    CU_ASSERT_EQUAL(c.rx_filtered, 2);
    CU_ASSERT_EQUAL(c.learned, 2);
    bed_down(&b);
}

static void test_port_goes_away(void)
{
    struct sink other = {0};
    struct bed b;

    bed_up(&b, NULL);
    in(&b, 1, ALL, B);
    CU_ASSERT_EQUAL(sw_port_pin(b.sw, 1, C), 0);
    CU_ASSERT_EQUAL(sw_port_remove(b.sw, 1), 0);
    CU_ASSERT_EQUAL(sw_mac_count(b.sw), 0);
    empty(&b.sink[2]);
    in(&b, 0, B, A);
    CU_ASSERT_EQUAL(b.sink[1].n, 0);
    CU_ASSERT_EQUAL(b.sink[2].n, 1);
    in(&b, 1, A, B);                 /* a port that is gone: the frame is freed */
    CU_ASSERT_EQUAL(b.sink[0].n, 1); /* only the broadcast of before */
    CU_ASSERT_EQUAL(sw_port_add(b.sw, "new", 0, 0, take, &other), 1);
    in(&b, 1, A, C); /* the pin went with the port */
    CU_ASSERT_EQUAL(b.sink[0].n, 2);
    empty(&other);
    bed_down(&b);
}

static unsigned woken[2];

static void on_wake(void *ctx, unsigned core)
{
    (void)ctx;
    woken[core]++;
}

static void test_other_core(void)
{
    struct sw_opts o = {.ncores = 2, .inbox = 8, .wake = on_wake};
    struct bed b;

    bed_up(&b, &o); /* ports 0 and 2 on core 0, port 1 on core 1 */
    memset(woken, 0, sizeof(woken));
    in(&b, 1, ALL, B);
    CU_ASSERT_EQUAL(b.sink[0].n, 0);
    CU_ASSERT_TRUE(sw_pending(b.sw, 0));
    CU_ASSERT_EQUAL(woken[0], 1);
    CU_ASSERT_EQUAL(sw_poll(b.sw, 0), 2); /* one a port */
    CU_ASSERT_EQUAL(b.sink[0].n + b.sink[2].n, 2);
    CU_ASSERT_FALSE(sw_pending(b.sw, 0));
    for (int i = 0; i < 10; i++)
        in(&b, 0, B, A);
    CU_ASSERT_EQUAL(counters(&b, 0).inbox_drops, 3); /* a ring of 8 holds 7 */
    CU_ASSERT_EQUAL(sw_poll(b.sw, 1), 7);
    CU_ASSERT_EQUAL(b.sink[1].n, 7);
    CU_ASSERT_EQUAL(sw_poll(b.sw, 1), 0);
    bed_down(&b);
}

/* Frames in the inbox for a port that is removed reach neither it nor the one that follows it. */
static void test_stale_inbox(void)
{
    struct sw_opts o = {.ncores = 2};
    struct sink other = {0};
    struct bed b;

    bed_up(&b, &o);
    in(&b, 1, ALL, B);
    CU_ASSERT_EQUAL(sw_port_remove(b.sw, 2), 0);
    CU_ASSERT_EQUAL(sw_port_add(b.sw, "new", 0, 0, take, &other), 2);
    CU_ASSERT_EQUAL(sw_poll(b.sw, 0), 2);
    CU_ASSERT_EQUAL(other.n, 0);
    CU_ASSERT_EQUAL(b.sink[2].n, 0);
    CU_ASSERT_EQUAL(b.sink[0].n, 1);
    bed_down(&b);
}

static void test_no_allocation(void)
{
    struct mallinfo2 before, after;
    struct bed b;

    bed_up(&b, NULL);
    in(&b, 0, ALL, A);
    before = mallinfo2();
    for (int i = 0; i < 1000; i++) {
        in(&b, 1, A, B);
        empty(&b.sink[0]);
        empty(&b.sink[2]);
    }
    after = mallinfo2();
    CU_ASSERT_EQUAL(before.uordblks, after.uordblks);
    CU_ASSERT_EQUAL(before.hblkhd, after.hblkhd);
    bed_down(&b);
}

/* --- cores that work at once, while ports come and go and addresses age --- */

#define STRESS_CORES 3
#define STRESS_SENT  20000

struct core_thread {
    struct sw *sw;
    unsigned core;
    int port;
    uint64_t sent, got;
    bool stop;
};

static uint16_t count_frames(void *ctx, struct rte_mbuf **m, uint16_t n)
{
    uint64_t *got = ctx;

    *got += n;
    rte_pktmbuf_free_bulk(m, n);
    return n;
}

static void send_some(struct core_thread *t)
{
    struct rte_mbuf *m[4];
    uint16_t n = 0;
    uint8_t src[6], dst[6];

    for (; n < 4; n++) {
        numbered(src, (uint8_t)t->core, (unsigned)(t->sent + n) % 50);
        numbered(dst, (uint8_t)((t->core + 1) % STRESS_CORES), (unsigned)(t->sent + n) % 50);
        m[n] = frame_of(n == 3 ? ALL : dst, src, 0x0800, 60);
    }
    t->sent += n;
    sw_input(t->sw, t->port, m, n, rte_rdtsc());
}

static void *core_main(void *arg)
{
    struct core_thread *t = arg;

    sw_core_online(t->sw, t->core);
    while (!__atomic_load_n(&t->stop, __ATOMIC_ACQUIRE)) {
        if (t->sent < STRESS_SENT && rte_mempool_avail_count(pool) > MBUFS / 2)
            send_some(t);
        sw_poll(t->sw, t->core);
        if (t->sent >= STRESS_SENT || t->sent % 64 == 0)
            sched_yield(); /* fewer CPUs than cores */
    }
    sw_core_offline(t->sw, t->core);
    return NULL;
}

static bool all_sent(const struct core_thread *t)
{
    for (unsigned i = 0; i < STRESS_CORES; i++)
        if (__atomic_load_n(&t[i].sent, __ATOMIC_RELAXED) < STRESS_SENT)
            return false;
    return true;
}

/* Frames out and dropped must be frames in, one a destination. */
static void check_sums(struct sw *sw, struct core_thread *t, uint64_t visitors)
{
    uint64_t in_frames = 0, out = 0, got = 0, copies = 0;

    for (unsigned i = 0; i < STRESS_CORES; i++) {
        struct sw_port_info info;

        CU_ASSERT_EQUAL(sw_port_info(sw, t[i].port, &info), 0);
        in_frames += info.c.rx_frames;
        out += info.c.tx_frames + info.c.inbox_drops + info.c.rx_filtered;
        copies += info.c.flooded * (STRESS_CORES - 2);
        got += t[i].got;
        CU_ASSERT_EQUAL(info.c.tx_frames, t[i].got);
        CU_ASSERT_TRUE(info.c.learned > 0);
    }
    CU_ASSERT_EQUAL(in_frames, STRESS_CORES * STRESS_SENT);
    CU_ASSERT_TRUE(got > 0);
    /* flooding to visitors adds at most one frame each, and their inbox drops */
    CU_ASSERT_TRUE(out >= in_frames + copies);
    CU_ASSERT_TRUE(out <= in_frames + copies + visitors * in_frames);
}

static void test_stress(void)
{
    struct sw_opts o = {
        .ncores = STRESS_CORES, .tsc_hz = rte_get_tsc_hz(), .mac_age_s = 1, .socket = -1};
    struct core_thread t[STRESS_CORES] = {0};
    pthread_t thread[STRESS_CORES];
    uint64_t visitor = 0, visits = 0;
    struct sw *sw;

    test_eal();
    sw = sw_create(&o);
    CU_ASSERT_PTR_NOT_NULL_FATAL(sw);
    for (unsigned i = 0; i < STRESS_CORES; i++) {
        t[i].sw = sw;
        t[i].core = i;
        t[i].port = sw_port_add(sw, "core", i, 0, count_frames, &t[i].got);
    }
    for (unsigned i = 0; i < STRESS_CORES; i++)
        pthread_create(&thread[i], NULL, core_main, &t[i]);
    for (int rounds = 0; rounds < 20000 && !all_sent(t); rounds++, visits++) {
        int p = sw_port_add(sw, "visitor", 0, 0, count_frames, &visitor);
        struct sw_mac_info mac;
        uint32_t iter = 0;

        sw_age(sw, rte_rdtsc() + 2 * rte_get_tsc_hz() * (visits & 1));
        while (sw_mac_next(sw, &iter, rte_rdtsc(), &mac) == 0)
            CU_ASSERT_TRUE(mac.mac[0] == 2);
        CU_ASSERT_EQUAL(sw_port_remove(sw, p), 0);
        usleep(200);
    }
    CU_ASSERT_TRUE(all_sent(t));
    usleep(50000); /* the inboxes run empty */
    for (unsigned i = 0; i < STRESS_CORES; i++) {
        __atomic_store_n(&t[i].stop, true, __ATOMIC_RELEASE);
    }
    for (unsigned i = 0; i < STRESS_CORES; i++) {
        pthread_join(thread[i], NULL);
        CU_ASSERT_FALSE(sw_pending(sw, i));
    }
    check_sums(sw, t, visits);
    sw_free(sw);
    CU_ASSERT_EQUAL(rte_mempool_avail_count(pool), MBUFS);
}

const char *const suite_name = "switch";
const struct cu_test suite_tests[] = {
    {"options", test_options},
    {"learns and forwards", test_learns_and_forwards},
    {"never reflects", test_never_reflects},
    {"group addresses", test_group_addresses},
    {"lengths", test_lengths},
    {"segments", test_segments},
    {"VLAN transparent", test_vlan_transparent},
    {"moves", test_moves},
    {"pinned addresses", test_pinned},
    {"ageing", test_ageing},
    {"table and share full", test_full},
    {"table is reused", test_table_is_reused},
    {"refused frames", test_refused_frames},
    {"writers get copies", test_writers_get_copies},
    {"order in a burst", test_order_in_a_burst},
    {"learns within a burst", test_learns_within_a_burst},
    {"port goes away", test_port_goes_away},
    {"another core's port", test_other_core},
    {"stale inbox", test_stale_inbox},
    {"no allocation", test_no_allocation},
    {"stress: three cores", test_stress},
    {NULL, NULL},
};
