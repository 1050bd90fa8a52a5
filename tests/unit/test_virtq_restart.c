/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device that dies at any store it makes into the ring or its journal: its successor, which knows
 * the queue as it was before and the journal, completes each chain once, in order, whatever the
 * driver did with its ring meanwhile.
 */
#include <CUnit/CUnit.h>
#include <sys/mman.h>

#include "cu_main.h"
#include "step_rig.h"
#include "virtq_rig.h"

const char *const suite_name = "virtq_restart";

#define DATA   (DRV_MEM_BASE + 0x40000u)
#define CHAINS 5 /* a batch; a packed ring of 7 turns round in it now and then */

static struct drv_mem g;
static struct drv d;
static struct virtq q;
static struct vq_journal *journal;
static unsigned taken;        /* chains the driver got back, in order */
static unsigned added;        /* and made available */
static int expected[1 << 16]; /* ID by number of chain */

static void *pages(size_t len)
{
    void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        abort();
    return p;
}

static void begin(bool packed, uint16_t size)
{
    drv_mem_of(&g, pages(DRV_MEM_SIZE / 2), pages(DRV_MEM_SIZE / 2));
    journal = pages(4096);
    memset(&q, 0, sizeof(q));
    drv_init(&d, &g, DRV_MEM_BASE, size, packed);
    drv_queue(&d, &q);
    taken = added = 0;
    CU_ASSERT_EQUAL_FATAL(vq_start(&q, &g.m, vq_first(packed), true), 0);
}

static void end(void)
{
    munmap(g.half[0], DRV_MEM_SIZE / 2);
    munmap(g.half[1], DRV_MEM_SIZE / 2);
    munmap(journal, 4096);
}

/* As many chains as the ring has room for: what comes back goes in again at once. */
static void driver_adds(void)
{
    struct vq_buf b = {DATA, 64};
    int id;

    while ((id = drv_add(&d, &b, 0, 1)) >= 0)
        expected[added++ % (1 << 16)] = id;
}

/* Each used chain is the next one, with the length that tells which it is. */
static void driver_takes(void)
{
    uint32_t len;
    int id;

    while ((id = drv_take(&d, &len)) != -1) {
        CU_ASSERT_EQUAL_FATAL(id, expected[taken % (1 << 16)]);
        CU_ASSERT_EQUAL_FATAL(len, taken % 50 + 1);
        taken++;
    }
}

static unsigned device_done; /* chains the device says it completed, as its journal has it */

static void device_works(void *arg)
{
    struct vq_batch b;
    struct vq_chain c;

    (void)arg;
    vq_begin(&q, &g.m, &b);
    for (unsigned i = 0; i < CHAINS && vq_next(&q, &g.m, &b, &c) == 1; i++)
        vq_done(&q, &b, &c, (device_done + i) % 50 + 1);
    vq_publish(&q, &g.m, journal, &b);
}

static void resume(void *arg)
{
    (void)arg;
    vq_resume(&q, &g.m, journal);
}

static void watch(void)
{
    step_watch(g.half[0], DRV_MEM_SIZE / 2);
    step_watch(journal, 4096);
}

/* Dies at `step`, and its successor, if it does anything, at `second`.
 * @return the steps it took if it lived */
static unsigned one_life(unsigned step, unsigned second, bool recycles)
{
    struct virtq before = q; /* all that a successor knows, but for the journal */
    unsigned lived;

    device_done = taken;
    watch();
    lived = step_run(device_works, NULL, step);
    if (lived)
        return lived;
    driver_takes(); /* a driver that goes on while there is no device */
    if (recycles)
        driver_adds();
    q = before;
    if (second) {
        watch();
        step_run(resume, NULL, second);
        driver_takes();
        q = before;
    }
    vq_resume(&q, &g.m, journal);
    driver_takes();
    device_done = taken;
    device_works(NULL);
    CU_ASSERT_EQUAL(q.state, VQ_ON);
    return 0;
}

static void die_everywhere(bool packed, uint16_t size)
{
    begin(packed, size);
    for (unsigned second = 0; second < 4; second++)
        for (unsigned lap = 0; lap < 30; lap++)
            for (unsigned step = 1;; step++) {
                unsigned lived, was = taken;

                driver_adds();
                lived = one_life(step, second, lap & 1);
                driver_takes();
                CU_ASSERT_TRUE(taken > was);
                if (lived) {
                    CU_ASSERT_TRUE(step > CHAINS);
                    break;
                }
            }
    end();
}

static void test_split(void)
{
    die_everywhere(false, 8);
}

static void test_packed(void)
{
    die_everywhere(true, 8);
    die_everywhere(true, 7);
}

/* The same where the device writes into the ring by itself. */
static void test_still(void)
{
    drv_still = true;
    test_split();
    test_packed();
    drv_still = false;
}

/* A journal of before the queue was started anew says nothing. */
static void test_epoch(void)
{
    begin(true, 8);
    driver_adds();
    device_done = 0;
    device_works(NULL);
    CU_ASSERT_EQUAL(q.pos.index, CHAINS);
    drv_init(&d, &g, DRV_MEM_BASE, 8, true);
    CU_ASSERT_EQUAL(vq_start(&q, &g.m, vq_first(true), true), 0);
    vq_resume(&q, &g.m, journal);
    CU_ASSERT_EQUAL(q.pos.index, 0);
    end();
}

/* Whatever is written into a journal, positions stay in the ring and writes in memory. */
static void test_foreign_journal(void)
{
    uint64_t seed = 42;

    for (unsigned packed = 0; packed < 2; packed++) {
        begin(packed, 8);
        driver_adds();
        for (unsigned i = 0; i < 20000; i++) {
            uint8_t *p = (uint8_t *)journal;

            seed = seed * 6364136223846793005ull + 1442695040888963407ull;
            p[(seed >> 33) % 64] = (uint8_t)(seed >> 56);
            if (i & 1)
                journal->word.epoch = q.epoch;
            if (i & 2)
                journal->word.n = (uint8_t)((seed >> 40) % (VQ_BATCH + 2));
            vq_resume(&q, &g.m, journal);
            CU_ASSERT_EQUAL(vq_validate(&q), 0);
        }
        end();
    }
}

const struct cu_test suite_tests[] = {
    {"split: completed once", test_split},
    {"packed: completed once", test_packed},
    {"in memory that stays: completed once", test_still},
    {"a journal of an earlier start", test_epoch},
    {"a journal that others wrote", test_foreign_journal},
    {NULL, NULL},
};
