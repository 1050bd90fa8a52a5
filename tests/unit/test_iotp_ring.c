/* SPDX-License-Identifier: BSD-3-Clause */
/* IOTP slots and rings, step by step: both ends driven by one thread wherever that can be. */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "../../protocol/iotp_ioc.h"
#include "../../protocol/iotp_vmm.h"
#include "cu_main.h"

#define VCPUS  70 /* more than one word of `watch` */
#define POSTED IOTP_MIN_POSTED
#define MASK   (POSTED - 1)
#define SPIN   100000000u

/* Both ends of one area. */
struct rig {
    uint8_t *base;
    struct iotp_layout lay;
    struct iotp_ioc_area *a;
    struct iotp_vcpu v; /* vCPU 1 */
    struct iotp_ioc_vcpu *c;
    int kick;
};

static void attach(struct rig *r)
{
    CU_ASSERT_EQUAL_FATAL(iotp_ioc_attach(r->base, r->lay.size, &r->a), 0);
    r->c = &r->a->vcpu[1];
}

static void vmm_init(struct rig *r, uint32_t spin)
{
    CU_ASSERT_EQUAL_FATAL(iotp_vcpu_init(&r->v, r->base, &r->lay, 1, spin, r->kick), 0);
}

static void make_area(struct rig *r, uint64_t features)
{
    CU_ASSERT_EQUAL_FATAL(iotp_layout_of(VCPUS, 2, POSTED, &r->lay), 0);
    r->base = aligned_alloc(IOTP_PAGE, r->lay.size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r->base);
    memset(r->base, 0, r->lay.size);
    CU_ASSERT_EQUAL_FATAL(iotp_area_format(r->base, &r->lay, features), 0);
    r->kick = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

static void open_rig(struct rig *r)
{
    make_area(r, 0);
    attach(r);
    vmm_init(r, SPIN);
}

static void close_rig(struct rig *r)
{
    iotp_ioc_detach(r->a);
    close(r->kick);
    free(r->base);
}

/* A killed I/O core and its replacement: nothing but shared memory survives. */
static void replace_ioc(struct rig *r)
{
    iotp_ioc_detach(r->a);
    attach(r);
}

static bool post(struct rig *r, uint64_t n)
{
    return iotp_post(&r->v, 1, 2, 0x10 + n, 4, n);
}

static unsigned consume(struct rig *r, uint64_t *expect, unsigned most)
{
    struct iotp_post p;
    unsigned n = 0;

    while (n < most && iotp_ioc_next_post(r->c, MASK, &p)) {
        CU_ASSERT_EQUAL(p.data, *expect);
        CU_ASSERT_EQUAL(p.offset, 0x10 + *expect);
        CU_ASSERT_TRUE(p.device == 1 && p.region == 2 && p.size == 4);
        iotp_ioc_post_done(r->c);
        ++*expect;
        n++;
    }
    return n;
}

static const struct iotp_req sample = {
    .offset = 0x1122334455667788,
    .data = 0x99aabbccddeeff00,
    .mem = 0xfedcba9876543210,
    .count = 0x01020304,
    .device = 0xabcd,
    .region = 7,
    .op = IOTP_OP_WRITE | IOTP_OP_STRING,
    .size = 8,
};

/* What the I/O core sees and answers; the answer depends on the request. */
static bool serve(struct rig *r, uint32_t *seq)
{
    struct iotp_req q;
    struct iotp_resp a = {.status = IOTP_DONE, .done_count = 77};
    uint64_t stamp;

    if (!iotp_ioc_peek(r->c, &q, seq, &stamp))
        return false;
    a.data = q.data ^ q.offset;
    iotp_ioc_complete(r->c, *seq, &a);
    return true;
}

static void collect_sample(struct rig *r)
{
    struct iotp_resp a = {0};

    CU_ASSERT_EQUAL(iotp_collect(&r->v, &a), 0);
    CU_ASSERT_EQUAL(a.data, sample.data ^ sample.offset);
    CU_ASSERT_EQUAL(a.done_count, 77);
    CU_ASSERT_EQUAL(a.status, IOTP_DONE);
}

/* --- synchronous requests --- */

static void every_field_arrives(void)
{
    struct rig r;
    struct iotp_req q;
    uint64_t stamp = 1;
    uint32_t seq = 0;

    open_rig(&r);
    CU_ASSERT_FALSE(iotp_ioc_pending(r.c));
    CU_ASSERT_FALSE(iotp_ioc_peek(r.c, &q, &seq, &stamp));
    iotp_submit(&r.v, &sample);
    CU_ASSERT_TRUE(iotp_ioc_pending(r.c));
    CU_ASSERT_TRUE(iotp_ioc_peek(r.c, &q, &seq, &stamp));
    CU_ASSERT_EQUAL(seq, 1);
    CU_ASSERT_EQUAL(stamp, 0);
    CU_ASSERT_EQUAL(q.offset, sample.offset);
    CU_ASSERT_EQUAL(q.data, sample.data);
    CU_ASSERT_EQUAL(q.mem, sample.mem);
    CU_ASSERT_EQUAL(q.count, sample.count);
    CU_ASSERT_EQUAL(q.device, sample.device);
    CU_ASSERT_EQUAL(q.region, sample.region);
    CU_ASSERT_EQUAL(q.op, sample.op);
    CU_ASSERT_EQUAL(q.size, sample.size);
    CU_ASSERT_TRUE(serve(&r, &seq));
    CU_ASSERT_FALSE(iotp_ioc_pending(r.c));
    collect_sample(&r);
    close_rig(&r);
}

static void stamps_are_sent_if_agreed_on(void)
{
    struct rig r;
    struct iotp_req q;
    struct iotp_post p;
    uint64_t stamp, before = iotp_ticks();
    uint32_t seq;

    make_area(&r, IOTP_F_STAMP | IOTP_F_POSTED);
    attach(&r);
    vmm_init(&r, SPIN);
    iotp_submit(&r.v, &sample);
    CU_ASSERT_TRUE(iotp_ioc_peek(r.c, &q, &seq, &stamp));
    CU_ASSERT_TRUE(stamp >= before && stamp <= iotp_ticks());
    CU_ASSERT_TRUE(post(&r, 0));
    CU_ASSERT_TRUE(iotp_ioc_next_post(r.c, MASK, &p));
    CU_ASSERT_TRUE(p.stamp >= stamp && p.stamp <= iotp_ticks());
    close_rig(&r);
}

/* 2^32 requests later: the numbers wrap, zero is a number as any other. */
static void sequence_numbers_wrap(void)
{
    struct rig r;
    uint32_t seq = 0;

    make_area(&r, 0);
    struct iotp_slot *s = (struct iotp_slot *)(r.base + r.lay.off_slots) + 1;

    s->req_seq = s->done = 0xfffffffd;
    attach(&r);
    vmm_init(&r, SPIN);
    for (uint32_t i = 0; i < 6; i++) {
        CU_ASSERT_FALSE(iotp_ioc_pending(r.c));
        iotp_submit(&r.v, &sample);
        CU_ASSERT_TRUE(serve(&r, &seq));
        CU_ASSERT_EQUAL(seq, 0xfffffffe + i);
        CU_ASSERT_FALSE(serve(&r, &seq));
        collect_sample(&r);
    }
    close_rig(&r);
}

/* A VMM whose numbers jump is served under the number it wrote: nobody waits for ever. */
static void a_jumping_sequence_is_answered(void)
{
    struct rig r;
    uint32_t seq = 0;

    open_rig(&r);
    for (uint32_t jump = 0x10; jump; jump <<= 7) {
        r.v.seq += jump;
        iotp_submit(&r.v, &sample);
        CU_ASSERT_TRUE(serve(&r, &seq));
        CU_ASSERT_EQUAL(seq, r.v.seq);
        CU_ASSERT_FALSE(iotp_ioc_pending(r.c));
        collect_sample(&r);
    }
    close_rig(&r);
}

/* --- posted writes --- */

static void posted_writes_keep_their_order(void)
{
    struct rig r;
    uint64_t in = 0, out = 0;

    open_rig(&r);
    for (unsigned round = 0; round < 500; round++) {
        for (unsigned i = 0; i < 1 + round % POSTED; i++)
            CU_ASSERT_TRUE(post(&r, in++));
        CU_ASSERT_EQUAL(consume(&r, &out, ~0u), 1 + round % POSTED);
        CU_ASSERT_EQUAL(in, out);
    }
    close_rig(&r);
}

static void a_full_ring_refuses(void)
{
    struct rig r;
    uint64_t in = 0, out = 0;

    open_rig(&r);
    for (unsigned lap = 0; lap < 3; lap++) {
        while (in - out < POSTED)
            CU_ASSERT_TRUE(post(&r, in++));
        CU_ASSERT_FALSE(post(&r, in));
        CU_ASSERT_FALSE(post(&r, in));
        CU_ASSERT_EQUAL(consume(&r, &out, 1), 1);
        CU_ASSERT_TRUE(post(&r, in++));
        CU_ASSERT_FALSE(post(&r, in));
        CU_ASSERT_EQUAL(consume(&r, &out, ~0u), POSTED);
    }
    CU_ASSERT_EQUAL(r.v.full, 9);
    close_rig(&r);
}

static void posted_indices_wrap(void)
{
    struct rig r;
    uint64_t in = 0, out = 0;

    make_area(&r, 0);
    attach(&r);
    vmm_init(&r, SPIN);
    /* Two laps before the wrap, so that the entries hold what a lap before leaves in them. */
    r.c->tail = r.v.head = r.v.tail_seen = r.v.ring->tail = -2u * POSTED;
    for (unsigned i = 0; i < 5 * POSTED; i++) {
        CU_ASSERT_TRUE(post(&r, in++));
        if (i % 3 == 2)
            consume(&r, &out, 3);
    }
    consume(&r, &out, ~0u);
    CU_ASSERT_EQUAL(in, out);
    CU_ASSERT_EQUAL(r.v.ring->tail, 3 * POSTED);
    close_rig(&r);
}

/* What was posted before a request is there once the request is. */
static void posts_come_before_the_request(void)
{
    struct rig r;
    uint64_t in = 0, out = 0;
    uint32_t seq;

    open_rig(&r);
    for (unsigned i = 0; i < 100; i++) {
        for (unsigned n = 0; n < i % 5; n++)
            CU_ASSERT_TRUE(post(&r, in++));
        iotp_submit(&r.v, &sample);
        CU_ASSERT_TRUE(iotp_ioc_pending(r.c));
        consume(&r, &out, ~0u);
        CU_ASSERT_EQUAL(in, out);
        CU_ASSERT_TRUE(serve(&r, &seq));
        collect_sample(&r);
    }
    close_rig(&r);
}

/* An I/O core that writes nonsense to `tail` costs the VMM nothing but the ring. */
static void a_wild_tail_is_only_full(void)
{
    const uint32_t wild[] = {1, POSTED + 1, 0x7fffffff, 0x80000000, 0xfffffff0 - POSTED};
    struct rig r;

    open_rig(&r);
    for (unsigned i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
        while (post(&r, 0))
            ;
        r.v.ring->tail = r.v.head + wild[i];
        CU_ASSERT_FALSE(post(&r, 0));
        CU_ASSERT_TRUE(r.v.entries == r.a->vcpu[1].entries);
        r.v.tail_seen = r.v.ring->tail = r.v.head;
    }
    close_rig(&r);
}

/* --- restart --- */

static void a_replacement_goes_on(void)
{
    struct rig r;
    uint64_t in = 0, out = 0;
    uint32_t seq = 0;

    open_rig(&r);
    for (unsigned i = 0; i < 3; i++) {
        while (in < (i + 1) * 10)
            CU_ASSERT_TRUE(post(&r, in++));
        CU_ASSERT_EQUAL(consume(&r, &out, 4), 4);
        iotp_submit(&r.v, &sample);
        replace_ioc(&r); /* 6 entries and a request in flight */
        CU_ASSERT_TRUE(iotp_ioc_pending(r.c));
        CU_ASSERT_EQUAL(consume(&r, &out, ~0u), 6);
        CU_ASSERT_TRUE(serve(&r, &seq));
        CU_ASSERT_EQUAL(seq, i + 1);
        replace_ioc(&r); /* completed, not collected: must not be done again */
        CU_ASSERT_FALSE(iotp_ioc_pending(r.c));
        CU_ASSERT_EQUAL(consume(&r, &out, ~0u), 0);
        collect_sample(&r);
    }
    close_rig(&r);
}

static void a_new_vmm_end_goes_on(void)
{
    struct rig r;
    uint64_t in = 0, out = 0;
    uint32_t seq;

    open_rig(&r);
    for (unsigned fill = 0; fill <= POSTED; fill++) {
        for (unsigned i = 0; i < fill; i++)
            CU_ASSERT_TRUE(post(&r, in++));
        iotp_submit(&r.v, &sample);
        vmm_init(&r, SPIN);
        CU_ASSERT_EQUAL(r.v.head - r.v.tail_seen, fill);
        CU_ASSERT_EQUAL(fill < POSTED, post(&r, in));
        in += fill < POSTED;
        CU_ASSERT_TRUE(serve(&r, &seq));
        collect_sample(&r);
        consume(&r, &out, ~0u);
        CU_ASSERT_EQUAL(in, out);
    }
    close_rig(&r);
}

/* --- sleeping --- */

static void nap_ms(long ms)
{
    struct timespec t = {.tv_nsec = ms * 1000000};

    nanosleep(&t, NULL);
}

static void *serve_late(void *arg)
{
    struct rig *r = arg;
    uint32_t seq;

    while (!__atomic_load_n(&r->c->slot->waiter, __ATOMIC_ACQUIRE))
        nap_ms(1);
    nap_ms(5);
    serve(r, &seq);
    return NULL;
}

static void a_sleeper_is_woken(void)
{
    struct rig r;
    struct iotp_resp a = {0};
    pthread_t t;

    open_rig(&r);
    vmm_init(&r, 0);
    for (unsigned i = 1; i <= 5; i++) {
        CU_ASSERT_EQUAL_FATAL(pthread_create(&t, NULL, serve_late, &r), 0);
        CU_ASSERT_EQUAL(iotp_call(&r.v, &sample, &a), 0);
        CU_ASSERT_EQUAL(a.data, sample.data ^ sample.offset);
        CU_ASSERT_EQUAL(r.v.sleeps, i);
        CU_ASSERT_EQUAL(r.v.slot->waiter, 0);
        pthread_join(t, NULL);
    }
    close_rig(&r);
}

/* The I/O core dies while the VMM sleeps; the replacement's completion wakes it. */
static void *replace_and_serve(void *arg)
{
    struct rig *r = arg;

    while (!__atomic_load_n(&r->c->slot->waiter, __ATOMIC_ACQUIRE))
        nap_ms(1);
    replace_ioc(r);
    return serve_late(r);
}

static void a_sleeper_outlives_the_ioc(void)
{
    struct rig r;
    struct iotp_resp a = {0};
    pthread_t t;

    open_rig(&r);
    vmm_init(&r, 10);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&t, NULL, replace_and_serve, &r), 0);
    CU_ASSERT_EQUAL(iotp_call(&r.v, &sample, &a), 0);
    CU_ASSERT_EQUAL(a.data, sample.data ^ sample.offset);
    pthread_join(t, NULL);
    close_rig(&r);
}

struct canceller {
    struct rig *r;
    bool flag;
};

static void *cancel_late(void *arg)
{
    struct canceller *c = arg;

    while (!__atomic_load_n(&c->r->c->slot->waiter, __ATOMIC_ACQUIRE))
        nap_ms(1);
    __atomic_store_n(&c->flag, true, __ATOMIC_RELEASE);
    iotp_cancel(&c->r->v);
    return NULL;
}

static void waiting_can_be_cancelled(void)
{
    struct rig r;
    struct canceller c = {.r = &r};
    struct iotp_resp a;
    uint32_t seq;
    pthread_t t;

    open_rig(&r);
    vmm_init(&r, 10);
    r.v.cancel = &c.flag;
    CU_ASSERT_EQUAL_FATAL(pthread_create(&t, NULL, cancel_late, &c), 0);
    CU_ASSERT_EQUAL(iotp_call(&r.v, &sample, &a), -ECANCELED);
    pthread_join(t, NULL);
    /* still in flight, still cancelled; completed, it can be collected although cancelled */
    CU_ASSERT_EQUAL(iotp_collect(&r.v, &a), -ECANCELED);
    CU_ASSERT_EQUAL(r.v.slot->waiter, 0);
    CU_ASSERT_TRUE(serve(&r, &seq));
    collect_sample(&r);
    close_rig(&r);
}

/* --- watching and waking --- */

static uint64_t kicked(struct rig *r)
{
    uint64_t n;

    return read(r->kick, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

static void publishing_sets_the_watch_bit(void)
{
    struct rig r;
    struct iotp_vcpu high;

    open_rig(&r);
    CU_ASSERT_EQUAL(iotp_vcpu_init(&high, r.base, &r.lay, 69, 0, -1), 0);
    CU_ASSERT_TRUE(iotp_post(&high, 0, 0, 0, 1, 0));
    CU_ASSERT_EQUAL(r.a->summary->watch[1], 1ull << 5);
    CU_ASSERT_EQUAL(r.a->summary->watch[0], 0);
    iotp_submit(&r.v, &sample);
    CU_ASSERT_EQUAL(r.a->summary->watch[0], 2);
    iotp_ioc_unwatch(r.a, 1);
    iotp_ioc_unwatch(r.a, 69);
    CU_ASSERT_EQUAL(r.a->summary->watch[0] | r.a->summary->watch[1], 0);
    CU_ASSERT_TRUE(post(&r, 0));
    CU_ASSERT_EQUAL(r.a->summary->watch[0], 2);
    iotp_ioc_watch(r.a, 64);
    CU_ASSERT_EQUAL(r.a->summary->watch[1], 1);
    close_rig(&r);
}

static void an_armed_core_is_kicked_once(void)
{
    struct rig r;

    open_rig(&r);
    CU_ASSERT_TRUE(post(&r, 0));
    CU_ASSERT_EQUAL(kicked(&r), 0);
    iotp_ioc_arm(r.a);
    CU_ASSERT_TRUE(post(&r, 1));
    CU_ASSERT_TRUE(post(&r, 2));
    iotp_submit(&r.v, &sample);
    CU_ASSERT_EQUAL(kicked(&r), 1);
    CU_ASSERT_EQUAL(r.a->summary->armed, 0);
    CU_ASSERT_EQUAL(r.v.kicks, 1);
    iotp_ioc_arm(r.a);
    iotp_ioc_disarm(r.a);
    CU_ASSERT_TRUE(post(&r, 3));
    CU_ASSERT_EQUAL(kicked(&r), 0);
    close_rig(&r);
}

/* A kick eventfd that is full, or not there, holds nobody up and leaves errno alone. */
static void kicks_never_block(void)
{
    struct rig r;
    uint64_t most = UINT64_MAX - 1;

    open_rig(&r);
    CU_ASSERT_EQUAL(write(r.kick, &most, sizeof(most)), sizeof(most));
    iotp_ioc_arm(r.a);
    errno = 4711;
    CU_ASSERT_TRUE(post(&r, 0));
    CU_ASSERT_EQUAL(errno, 4711);
    r.v.kick_fd = -1;
    iotp_ioc_arm(r.a);
    CU_ASSERT_TRUE(post(&r, 1));
    CU_ASSERT_EQUAL(r.a->summary->armed, 1);
    close_rig(&r);
}

/* --- shadows --- */

static void shadows_are_read_when_current(void)
{
    struct rig r;
    struct iotp_shadow *sh;
    uint64_t value = 42;

    open_rig(&r);
    sh = &r.a->shadow[1];
    CU_ASSERT_FALSE(iotp_shadow_read(sh, 0, 0, &value));
    iotp_ioc_hide(sh);
    iotp_ioc_set_cell(sh, 0, 0x1234);
    iotp_ioc_set_cell(sh, 29, ~0ull);
    CU_ASSERT_FALSE(iotp_shadow_read(sh, 0, 0, &value));
    iotp_ioc_show(sh, 1u << 29 | 1);
    iotp_ioc_publish(sh, 7);
    CU_ASSERT_FALSE(iotp_shadow_read(sh, 0, 6, &value)); /* a write of ours is not yet in it */
    CU_ASSERT_FALSE(iotp_shadow_read(sh, 0, 8, &value));
    CU_ASSERT_FALSE(iotp_shadow_read(sh, 1, 7, &value));
    CU_ASSERT_EQUAL(value, 42);
    CU_ASSERT_TRUE(iotp_shadow_read(sh, 0, 7, &value));
    CU_ASSERT_EQUAL(value, 0x1234);
    CU_ASSERT_TRUE(iotp_shadow_read(sh, 29, 7, &value));
    CU_ASSERT_EQUAL(value, ~0ull);
    close_rig(&r);
}

/* Rule O3: a vCPU posts only if no other's posted write to the device is outstanding. */
static void several_posters_keep_their_order(void)
{
    uint64_t posted = 0, mark1 = 0, mark2 = 0, out = 0;
    struct iotp_shadow *sh;
    struct iotp_vcpu two;
    struct rig r;

    open_rig(&r);
    sh = &r.a->shadow[1];
    CU_ASSERT_EQUAL(iotp_vcpu_init(&two, r.base, &r.lay, 2, SPIN, -1), 0);
    CU_ASSERT_TRUE(iotp_post_ordered(&r.v, &posted, &mark1, sh, 1, 2, 0x10, 4, 0));
    CU_ASSERT_TRUE(iotp_post_ordered(&r.v, &posted, &mark1, sh, 1, 2, 0x11, 4, 1));
    CU_ASSERT_FALSE(iotp_post_ordered(&two, &posted, &mark2, sh, 1, 2, 0, 4, 0));
    CU_ASSERT_EQUAL(consume(&r, &out, 2), 2);
    CU_ASSERT_FALSE(iotp_post_ordered(&two, &posted, &mark2, sh, 1, 2, 0, 4, 0));
    iotp_ioc_publish(sh, 1);
    CU_ASSERT_FALSE(iotp_post_ordered(&two, &posted, &mark2, sh, 1, 2, 0, 4, 0));
    CU_ASSERT_TRUE(iotp_post_ordered(&r.v, &posted, &mark1, sh, 1, 2, 0x12, 4, 2));
    CU_ASSERT_EQUAL(consume(&r, &out, 2), 1);
    iotp_ioc_publish(sh, 3);
    CU_ASSERT_TRUE(iotp_post_ordered(&two, &posted, &mark2, sh, 1, 2, 0, 4, 0));
    CU_ASSERT_FALSE(iotp_post_ordered(&r.v, &posted, &mark1, sh, 1, 2, 0x13, 4, 3));
    CU_ASSERT_TRUE(iotp_post_ordered(&two, &posted, &mark2, sh, 1, 2, 0, 4, 0));
    CU_ASSERT_EQUAL(posted, 5);
    close_rig(&r);
}

/* A write that found the ring full was not posted, and is not counted. */
static void a_refused_post_is_not_counted(void)
{
    uint64_t posted = 0, mark = 0, out = 0;
    struct iotp_shadow *sh;
    struct rig r;

    open_rig(&r);
    sh = &r.a->shadow[1];
    for (unsigned i = 0; i < POSTED; i++)
        CU_ASSERT_TRUE(iotp_post_ordered(&r.v, &posted, &mark, sh, 1, 2, 0x10 + i, 4, i));
    for (unsigned i = 0; i < 3; i++)
        CU_ASSERT_FALSE(iotp_post_ordered(&r.v, &posted, &mark, sh, 1, 2, 0, 4, 0));
    CU_ASSERT_EQUAL(posted, POSTED);
    CU_ASSERT_EQUAL(consume(&r, &out, 1), 1);
    CU_ASSERT_TRUE(iotp_post_ordered(&r.v, &posted, &mark, sh, 1, 2, 0x10 + POSTED, 4, POSTED));
    CU_ASSERT_EQUAL(posted, POSTED + 1);
    close_rig(&r);
}

/* --- what a request may be --- */

static const struct {
    const char *what;
    bool good;
    struct iotp_req r;
} requests[] = {
    {"byte", true, {.size = 1}},
    {"config", true, {.size = 8, .region = 7, .op = IOTP_OP_WRITE}},
    {"size 0", false, {.size = 0}},
    {"size 3", false, {.size = 3}},
    {"size 16", false, {.size = 16}},
    {"region 8", false, {.size = 1, .region = 8}},
    {"unknown bit", false, {.size = 1, .op = 0x20}},
    {"down without string", false, {.size = 1, .op = IOTP_OP_DOWN}},
    {"bounce without string", false, {.size = 1, .op = IOTP_OP_BOUNCE}},
    {"string", true, {.size = 2, .op = IOTP_OP_STRING, .count = IOTP_MAX_STRING, .mem = ~0ull}},
    {"string of none", false, {.size = 2, .op = IOTP_OP_STRING}},
    {"string too long", false, {.size = 2, .op = IOTP_OP_STRING, .count = IOTP_MAX_STRING + 1}},
    {"bounce", true, {.size = 4, .op = 2 | 8, .count = 1024}},
    {"bounce over the end", false, {.size = 4, .op = 2 | 8, .count = 1024, .mem = 1}},
    {"bounce too long", false, {.size = 8, .op = 2 | 8, .count = 513}},
    {"bounce far out", false, {.size = 1, .op = 2 | 8, .count = 1, .mem = ~0ull}},
    {"bounce at the end", false, {.size = 1, .op = 2 | 8, .count = 1, .mem = 4096}},
    {"bounce last byte", true, {.size = 1, .op = 2 | 8, .count = 1, .mem = 4095}},
    {"bounce down", true, {.size = 2, .op = 2 | 4 | 8, .count = 2048, .mem = 4094}},
    {"bounce down below 0", false, {.size = 2, .op = 2 | 4 | 8, .count = 3, .mem = 2}},
    {"bounce down over the end", false, {.size = 2, .op = 2 | 4 | 8, .count = 1, .mem = 4095}},
};

static void requests_are_judged(void)
{
    for (unsigned i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
        if (iotp_ioc_valid(&requests[i].r) != requests[i].good)
            CU_FAIL(requests[i].what);
    CU_PASS("all judged");
}

const char *const suite_name = "iotp_ring";
const struct cu_test suite_tests[] = {
    {"every field arrives", every_field_arrives},
    {"stamps are sent if agreed on", stamps_are_sent_if_agreed_on},
    {"sequence numbers wrap", sequence_numbers_wrap},
    {"a jumping sequence is answered", a_jumping_sequence_is_answered},
    {"posted writes keep their order", posted_writes_keep_their_order},
    {"a full ring refuses", a_full_ring_refuses},
    {"posted indices wrap", posted_indices_wrap},
    {"posts come before the request", posts_come_before_the_request},
    {"a wild tail is only full", a_wild_tail_is_only_full},
    {"a replacement I/O core goes on", a_replacement_goes_on},
    {"a new VMM end goes on", a_new_vmm_end_goes_on},
    {"a sleeper is woken", a_sleeper_is_woken},
    {"a sleeper outlives the I/O core", a_sleeper_outlives_the_ioc},
    {"waiting can be cancelled", waiting_can_be_cancelled},
    {"publishing sets the watch bit", publishing_sets_the_watch_bit},
    {"an armed core is kicked once", an_armed_core_is_kicked_once},
    {"kicks never block", kicks_never_block},
    {"shadows are read when current", shadows_are_read_when_current},
    {"several posters keep their order", several_posters_keep_their_order},
    {"a refused post is not counted", a_refused_post_is_not_counted},
    {"requests are judged", requests_are_judged},
    {NULL, NULL},
};
