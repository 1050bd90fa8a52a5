/* SPDX-License-Identifier: BSD-3-Clause */
/* Virtqueues, both formats, driven by the driver's side of them; hostile rings. */
#include <CUnit/CUnit.h>
#include <errno.h>

#include "cu_main.h"
#include "nm_rig.h"
#include "virtq_rig.h"

const char *const suite_name = "virtq";

#define DATA (DRV_MEM_BASE + 0x40000u) /* buffers */
/* The last bytes of the first half of memory: what begins here is not contiguous. */
#define SEAM (DRV_MEM_BASE + DRV_MEM_SIZE / 2)

struct pair {
    struct drv_mem g;
    struct drv d;
    struct virtq q;
    struct vq_journal j;
};

static void open_pair(struct pair *p, bool packed, uint16_t size, bool event_idx)
{
    memset(p, 0, sizeof(*p));
    drv_mem_init(&p->g);
    drv_init(&p->d, &p->g, DRV_MEM_BASE, size, packed);
    p->d.event_idx = event_idx;
    drv_queue(&p->d, &p->q);
    CU_ASSERT_EQUAL_FATAL(vq_start(&p->q, &p->g.m, vq_first(packed), false), 0);
}

static void close_pair(struct pair *p)
{
    drv_mem_free(&p->g);
}

/* The device takes one chain, turns its bytes round into the writable part, gives it back. */
static int echo_one(struct pair *p, struct vq_batch *b)
{
    static uint8_t bytes[4096];
    struct vq_chain c;
    int ret = vq_next(&p->q, &p->g.m, b, &c);
    uint32_t n;

    if (ret != 1)
        return ret;
    n = c.out_len < c.in_len ? c.out_len : c.in_len;
    CU_ASSERT_TRUE_FATAL(n <= sizeof(bytes));
    CU_ASSERT_TRUE(vq_chain_copy(&p->g.m, &c, 0, bytes, n, false));
    CU_ASSERT_TRUE(vq_chain_copy(&p->g.m, &c, 0, bytes, n, true));
    vq_done(&p->q, b, &c, n);
    return 1;
}

static unsigned echo_all(struct pair *p)
{
    struct vq_batch b;
    unsigned n = 0;

    vq_begin(&p->q, &p->g.m, &b);
    for (; echo_one(p, &b) == 1; n++)
        ;
    vq_publish(&p->q, &p->g.m, &p->j, &b);
    return n;
}

static void echo_chain(struct pair *p, bool indirect, uint64_t at)
{
    struct vq_buf b[4] = {{at, 10}, {at + 0x100, 7}, {at + 0x200, 5}, {at + 0x300, 20}};
    uint8_t sent[17], got[17];
    uint32_t len = 0;
    int id;

    for (unsigned i = 0; i < sizeof(sent); i++)
        sent[i] = (uint8_t)(i * 3 + p->d.next);
    drv_put(&p->g, b[0].gpa, sent, 10);
    drv_put(&p->g, b[1].gpa, sent + 10, 7);
    id = indirect ? drv_add_indirect(&p->d, b, 2, 4) : drv_add(&p->d, b, 2, 4);
    CU_ASSERT_TRUE_FATAL(id >= 0);
    CU_ASSERT_TRUE(vq_available(&p->q, &p->g.m));
    CU_ASSERT_EQUAL(echo_all(p), 1);
    CU_ASSERT_FALSE(vq_available(&p->q, &p->g.m));
    CU_ASSERT_EQUAL(drv_take(&p->d, &len), id);
    CU_ASSERT_EQUAL(len, 17);
    drv_get(&p->g, b[2].gpa, got, 5);
    drv_get(&p->g, b[3].gpa, got + 5, 12);
    CU_ASSERT_EQUAL(memcmp(sent, got, sizeof(sent)), 0);
    CU_ASSERT_EQUAL(drv_take(&p->d, &len), -1);
}

/* Many laps, so that indexes and wrap counters turn round; packed rings of odd sizes too. */
static void test_echo(void)
{
    static const struct {
        bool packed;
        uint16_t size;
    } kind[] = {{false, 4}, {false, 256}, {true, 4}, {true, 7}, {true, 256}};

    for (unsigned k = 0; k < 5; k++) {
        struct pair p;

        open_pair(&p, kind[k].packed, kind[k].size, false);
        for (unsigned i = 0; i < (kind[k].size == 4 ? 70000u : 600u); i++)
            echo_chain(&p, i & 1, i & 2 ? DATA : SEAM - 4);
        CU_ASSERT_EQUAL(p.q.state, VQ_ON);
        CU_ASSERT_EQUAL(vq_validate(&p.q), 0);
        close_pair(&p);
    }
}

/* A batch shows all of its chains at once, in order; what is not published never was. */
static void batches(bool packed)
{
    struct vq_buf b = {DATA, 8};
    struct vq_batch batch;
    struct vq_chain c;
    uint32_t len;
    struct pair p;
    int id[3];

    open_pair(&p, packed, 8, false);
    for (unsigned lap = 0; lap < 20; lap++) {
        for (unsigned i = 0; i < 3; i++)
            id[i] = drv_add(&p.d, &b, 0, 1);
        vq_begin(&p.q, &p.g.m, &batch);
        for (unsigned i = 0; i < 3; i++) {
            CU_ASSERT_EQUAL(vq_next(&p.q, &p.g.m, &batch, &c), 1);
            vq_done(&p.q, &batch, &c, i);
            CU_ASSERT_EQUAL(drv_take(&p.d, &len), -1);
        }
        CU_ASSERT_EQUAL(vq_next(&p.q, &p.g.m, &batch, &c), 0);
        vq_begin(&p.q, &p.g.m, &batch); /* given up */
        for (unsigned i = 0; i < 3; i++) {
            CU_ASSERT_EQUAL(vq_next(&p.q, &p.g.m, &batch, &c), 1);
            vq_done(&p.q, &batch, &c, 10 + i);
        }
        vq_publish(&p.q, &p.g.m, &p.j, &batch);
        for (unsigned i = 0; i < 3; i++) {
            CU_ASSERT_EQUAL(drv_take(&p.d, &len), id[i]);
            CU_ASSERT_EQUAL(len, 10 + i);
        }
    }
    close_pair(&p);
}

static void test_batches(void)
{
    batches(false);
    batches(true);
}

static void test_full_batch(void)
{
    struct vq_buf b = {DATA, 8};
    struct vq_batch batch;
    struct vq_chain c;
    struct pair p;

    open_pair(&p, true, 64, false);
    for (unsigned i = 0; i < 64; i++)
        CU_ASSERT_TRUE(drv_add(&p.d, &b, 1, 1) >= 0);
    vq_begin(&p.q, &p.g.m, &batch);
    for (unsigned i = 0; i < VQ_BATCH; i++) {
        CU_ASSERT_EQUAL(vq_next(&p.q, &p.g.m, &batch, &c), 1);
        vq_done(&p.q, &batch, &c, 0);
    }
    CU_ASSERT_EQUAL(vq_next(&p.q, &p.g.m, &batch, &c), 0);
    close_pair(&p);
}

/* --- notifications and interrupts --- */

static uint16_t avail_event(struct pair *p)
{
    return drv_get16(&p->g, p->d.base + DRV_DEVICE + 4 + 8ull * p->d.size);
}

/* Would the driver, moving its index on by one, notify? (2.7.10) */
static bool driver_notifies(struct pair *p)
{
    uint64_t device = p->d.base + DRV_DEVICE;

    if (p->d.packed)
        return drv_get16(&p->g, device + 2) != 1;
    if (!p->d.event_idx)
        return !(drv_get16(&p->g, device) & 1);
    return (uint16_t)(p->d.next - avail_event(p) - 1) < 1;
}

static void polled(bool packed, bool event_idx)
{
    struct vq_buf b = {DATA, 8};
    unsigned notified = 0;
    struct pair p;
    uint32_t len;

    open_pair(&p, packed, 256, event_idx);
    drv_add(&p.d, &b, 1, 1);
    CU_ASSERT_TRUE(driver_notifies(&p));
    vq_quiet(&p.q, &p.g.m);
    for (unsigned i = 0; i < 200000; i++) {
        drv_add(&p.d, &b, 1, 1);
        notified += driver_notifies(&p);
        if (i % 100 != 99)
            continue;
        while (echo_all(&p))
            while (drv_take(&p.d, &len) >= 0)
                ;
    }
    CU_ASSERT_EQUAL(notified, 0);
    CU_ASSERT_TRUE(vq_arm(&p.q, &p.g.m));
    drv_add(&p.d, &b, 1, 1);
    CU_ASSERT_TRUE(driver_notifies(&p));
    CU_ASSERT_FALSE(vq_arm(&p.q, &p.g.m)); /* edge V3: what came meanwhile is seen */
    close_pair(&p);
}

static void test_polled(void)
{
    for (unsigned i = 0; i < 4; i++)
        polled(i & 1, i & 2);
}

/* Publishes one chain. @return whether the driver wants an interrupt */
static bool give_one(struct pair *p)
{
    struct vq_buf b = {DATA, 8};
    struct vq_batch batch;
    struct vq_chain c;
    uint32_t len;
    bool irq;

    drv_add(&p->d, &b, 1, 1);
    vq_begin(&p->q, &p->g.m, &batch);
    CU_ASSERT_EQUAL_FATAL(vq_next(&p->q, &p->g.m, &batch, &c), 1);
    vq_done(&p->q, &batch, &c, 0);
    irq = vq_publish(&p->q, &p->g.m, &p->j, &batch);
    CU_ASSERT_TRUE(drv_take(&p->d, &len) >= 0);
    return irq;
}

static void test_interrupts_split(void)
{
    struct pair p;
    uint64_t driver = DRV_MEM_BASE + DRV_DRIVER;

    open_pair(&p, false, 4, false);
    CU_ASSERT_TRUE(give_one(&p));
    drv_put16(&p.g, driver, 1); /* NO_INTERRUPT */
    CU_ASSERT_FALSE(give_one(&p));
    close_pair(&p);

    open_pair(&p, false, 4, true);
    for (unsigned i = 0; i < 70000; i++) {
        drv_put16(&p.g, driver + 4 + 8, (uint16_t)(i + (i % 3))); /* used_event */
        CU_ASSERT_EQUAL(give_one(&p), i % 3 == 0);
    }
    close_pair(&p);
}

static void test_interrupts_packed(void)
{
    struct pair p;
    uint64_t driver = DRV_MEM_BASE + DRV_DRIVER;

    open_pair(&p, true, 5, true);
    CU_ASSERT_TRUE(give_one(&p));
    drv_put16(&p.g, driver + 2, 1); /* DISABLE */
    CU_ASSERT_FALSE(give_one(&p));
    drv_put16(&p.g, driver + 2, 2); /* DESC */
    for (unsigned i = 2; i < 500; i++) {
        unsigned at = i + (i % 3); /* the event, in places since the beginning */

        drv_put16(&p.g, driver, (uint16_t)(at % 5 | (at / 5 % 2 ? 0 : 0x8000)));
        CU_ASSERT_EQUAL(give_one(&p), i % 3 == 0);
    }
    close_pair(&p);
}

/* --- hostile drivers --- */

static void expect_broken(struct pair *p)
{
    struct vq_batch b;
    struct vq_chain c;

    vq_begin(&p->q, &p->g.m, &b);
    CU_ASSERT_EQUAL(vq_next(&p->q, &p->g.m, &b, &c), -EPROTO);
    CU_ASSERT_EQUAL(p->q.state, VQ_BROKEN);
    CU_ASSERT_EQUAL(vq_next(&p->q, &p->g.m, &b, &c), 0);
    CU_ASSERT_FALSE(vq_available(&p->q, &p->g.m));
    CU_ASSERT_EQUAL(vq_validate(&p->q), 0);
    close_pair(p);
}

/* A descriptor of a split ring, as a hostile driver writes it, made available. */
static void split_desc(struct pair *p, unsigned i, uint64_t addr, uint32_t len, uint16_t flags,
                       uint16_t next)
{
    drv_desc(&p->g, DRV_MEM_BASE + DRV_DESC + 16ull * i, addr, len, flags, next);
    drv_put16(&p->g, DRV_MEM_BASE + DRV_DRIVER + 2, 1);
}

static void test_hostile_split(void)
{
    struct pair p;

    open_pair(&p, false, 4, false);
    split_desc(&p, 0, DATA, 8, 1, 0); /* a circle */
    expect_broken(&p);
    open_pair(&p, false, 4, false);
    split_desc(&p, 0, DATA, 8, 1, 4); /* next is outside */
    expect_broken(&p);
    open_pair(&p, false, 4, false);
    split_desc(&p, 0, DATA, 8, 3, 1); /* readable behind writable */
    split_desc(&p, 1, DATA, 8, 0, 0);
    expect_broken(&p);
    open_pair(&p, false, 4, false);
    split_desc(&p, 0, DATA, 0xffffffff, 1, 1); /* more than 2^32 bytes */
    split_desc(&p, 1, DATA, 1, 0, 0);
    expect_broken(&p);
    open_pair(&p, false, 4, false);
    drv_put16(&p.g, DRV_MEM_BASE + DRV_DRIVER + 4, 4); /* no such head */
    drv_put16(&p.g, DRV_MEM_BASE + DRV_DRIVER + 2, 1);
    expect_broken(&p);
    open_pair(&p, false, 4, false);
    drv_put16(&p.g, DRV_MEM_BASE + DRV_DRIVER + 2, 5); /* more than there can be */
    expect_broken(&p);
    open_pair(&p, false, 4, false);
    p.q.driver = 0x400; /* no memory there */
    expect_broken(&p);
}

static void test_hostile_indirect_split(void)
{
    static const struct {
        uint32_t len;
        uint16_t flags;
        uint64_t addr;
    } bad[] = {
        {0, 4, DATA},           /* empty */
        {24, 4, DATA},          /* no whole descriptors */
        {16, 5, DATA},          /* INDIRECT and NEXT */
        {0xfffffff0, 4, DATA},  /* leads through all of memory: its first says "the next" */
        {16, 4, 0x10},          /* no memory there */
        {16, 4, DATA + 0x1000}, /* nested */
        {32, 4, DATA + 0x2000}, /* next is outside of the table */
    };

    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct pair p;

        open_pair(&p, false, 4, false);
        for (unsigned k = 0; k < 512; k++) /* each leads to the next */
            drv_desc(&p.g, DATA + 16 * k, DATA, 1, 1, (uint16_t)(k + 1));
        drv_desc(&p.g, DATA + 0x1000 + 0x1000, DATA, 1, 1, 2);
        drv_desc(&p.g, DATA + 0x1000, DATA, 16, 4, 0);
        split_desc(&p, 0, bad[i].addr, bad[i].len, bad[i].flags, 1);
        split_desc(&p, 1, DATA, 8, 0, 0);
        expect_broken(&p);
    }
}

static void test_indirect_not_negotiated(void)
{
    for (unsigned packed = 0; packed < 2; packed++) {
        struct vq_buf b = {DATA, 8};
        struct pair p;

        open_pair(&p, packed, 4, false);
        p.q.indirect = 0;
        drv_add_indirect(&p.d, &b, 1, 1);
        expect_broken(&p);
    }
}

static void packed_desc(struct pair *p, unsigned i, uint64_t addr, uint32_t len, uint16_t flags)
{
    drv_desc(&p->g, DRV_MEM_BASE + DRV_DESC + 16ull * i, addr, len, 0, flags);
}

static void test_hostile_packed(void)
{
    struct pair p;

    open_pair(&p, true, 4, false);
    for (unsigned i = 0; i < 4; i++) /* a chain round the whole ring and further */
        packed_desc(&p, i, DATA, 8, 0x81);
    expect_broken(&p);
    open_pair(&p, true, 4, false);
    packed_desc(&p, 1, DATA, 8, 0x80);
    packed_desc(&p, 0, DATA, 8, 0x83); /* readable behind writable */
    expect_broken(&p);
    open_pair(&p, true, 4, false);
    packed_desc(&p, 0, DATA, 16 * 257, 0x84); /* an indirect table too long */
    expect_broken(&p);
    open_pair(&p, true, 4, false);
    packed_desc(&p, 0, DATA, 40, 0x84); /* no whole descriptors */
    expect_broken(&p);
    open_pair(&p, true, 4, false);
    packed_desc(&p, 0, DATA, 16, 0x84);
    drv_desc(&p.g, DATA, DATA, 16, 0, 4); /* nested */
    expect_broken(&p);
    open_pair(&p, true, 4, false);
    p.q.desc = 0x400; /* no memory there */
    expect_broken(&p);
}

/* Buffers that are not memory: the copy says so, the ring goes on. */
static void test_buffers_outside(void)
{
    struct vq_buf b[2] = {{DRV_MEM_BASE + DRV_MEM_SIZE - 4, 8}, {UINT64_MAX - 3, 8}};
    uint8_t bytes[16] = {0};
    struct vq_batch batch;
    struct vq_chain c;
    struct pair p;

    open_pair(&p, false, 4, false);
    CU_ASSERT_TRUE(drv_add(&p.d, b, 1, 2) >= 0);
    vq_begin(&p.q, &p.g.m, &batch);
    CU_ASSERT_EQUAL(vq_next(&p.q, &p.g.m, &batch, &c), 1);
    CU_ASSERT_TRUE(vq_chain_copy(&p.g.m, &c, 0, bytes, 4, false));
    CU_ASSERT_FALSE(vq_chain_copy(&p.g.m, &c, 0, bytes, 5, false));
    CU_ASSERT_FALSE(vq_chain_copy(&p.g.m, &c, 0, bytes, 9, false));
    CU_ASSERT_FALSE(vq_chain_copy(&p.g.m, &c, 0, bytes, 1, true));
    CU_ASSERT_FALSE(vq_chain_copy(&p.g.m, &c, UINT32_MAX, bytes, 1, true));
    CU_ASSERT_EQUAL(p.q.state, VQ_ON);
    close_pair(&p);
}

static void test_used_ring_outside(void)
{
    struct vq_buf b = {DATA, 8};
    struct vq_batch batch;
    struct vq_chain c;
    struct pair p;

    open_pair(&p, false, 4, false);
    p.q.device = DRV_MEM_BASE + DRV_MEM_SIZE - 8;
    CU_ASSERT_TRUE(drv_add(&p.d, &b, 1, 1) >= 0);
    vq_begin(&p.q, &p.g.m, &batch);
    for (unsigned i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(vq_next(&p.q, &p.g.m, &batch, &c), i == 0);
        vq_done(&p.q, &batch, &c, 0);
    }
    CU_ASSERT_FALSE(vq_publish(&p.q, &p.g.m, &p.j, &batch));
    CU_ASSERT_EQUAL(p.q.state, VQ_BROKEN);
    close_pair(&p);
}

static void test_start_refuses(void)
{
    static const struct virtq bad[] = {
        {.size = 0, .desc = DATA, .driver = DATA, .device = DATA},
        {.size = 3, .desc = DATA, .driver = DATA, .device = DATA},
        {.size = 4, .desc = DATA + 8, .driver = DATA, .device = DATA},
        {.size = 4, .desc = DATA, .driver = DATA + 1, .device = DATA},
        {.size = 4, .desc = DATA, .driver = DATA, .device = DATA + 2},
        {.size = 32769, .packed = 1, .desc = DATA, .driver = DATA, .device = DATA},
        {.size = 4, .packed = 1, .desc = DATA, .driver = DATA + 2, .device = DATA},
    };
    struct drv_mem g;

    drv_mem_init(&g);
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct virtq q = bad[i];

        CU_ASSERT_EQUAL(vq_start(&q, &g.m, vq_first(q.packed), false), -EINVAL);
        CU_ASSERT_EQUAL(q.state, VQ_BROKEN);
        q.state = VQ_ON;
        CU_ASSERT_EQUAL(vq_validate(&q), -EPROTO);
    }
    drv_mem_free(&g);
}

/* All of these, where the device may keep host addresses for a batch. */
static void test_still(void)
{
    drv_still = true;
    for (const struct cu_test *t = suite_tests; t->run != test_still; t++)
        t->run();
    drv_still = false;
}

const struct cu_test suite_tests[] = {
    {"chains come, and go back", test_echo},
    {"batches", test_batches},
    {"a batch is bounded", test_full_batch},
    {"polled: the driver never notifies", test_polled},
    {"interrupts, split", test_interrupts_split},
    {"interrupts, packed", test_interrupts_packed},
    {"hostile split rings", test_hostile_split},
    {"hostile indirect tables", test_hostile_indirect_split},
    {"indirect tables that were not negotiated", test_indirect_not_negotiated},
    {"hostile packed rings", test_hostile_packed},
    {"buffers outside of memory", test_buffers_outside},
    {"a used ring outside of memory", test_used_ring_outside},
    {"what is no ring is not started", test_start_refuses},
    {"all of it in memory that stays", test_still},
    {NULL, NULL},
};
