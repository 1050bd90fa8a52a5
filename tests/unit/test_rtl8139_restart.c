/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RTL8139C+: a runner that dies at any store while it gives descriptors back, and a guest that
 * takes what it got meanwhile, and gives it out again, before a successor comes.
 */
#include <sys/mman.h>

#include "cu_main.h"
#include "rtl8139_rig.h"
#include "step_rig.h"

const char *const suite_name = "rtl8139_restart";

#define PACKETS  5
#define RAM_SIZE 4096
#define FRESH    (OWN | 1000) /* how the guest gives a receive descriptor out again */
#define SEND     (OWN | RTL_DESC_FS | RTL_DESC_LS | 60)

static void *pages(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CU_ASSERT_PTR_NOT_EQUAL_FATAL(p, MAP_FAILED);
    return p;
}

/* Packets received and sent, committed, nothing given back yet; memory in whole pages. */
static void set_up(struct rig *g)
{
    static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    uint8_t frame[60];

    board_up(g, "rtl8139cp");
    free(g->mem);
    g->mem = pages(MEM_SIZE);
    memcpy(g->mem + MEM_SIZE - RAM_SIZE, g->d.ram, g->d.model->ram_size);
    free(g->d.ram);
    g->d.ram = g->mem + MEM_SIZE - RAM_SIZE; /* above what the guest uses */
    start_cp(g, RXCONFIG, 8, 1536);
    make_frame(frame, sizeof(frame), broadcast);
    g->killed = true;
    for (unsigned i = 0; i < PACKETS; i++) {
        rig_receive(g, frame, sizeof(frame));
        put_desc(g, txd(i), SEND, 0, MEM_TXB);
    }
    wr(g, 0xd9, 1, RTL_TPPOLL_NPQ);
    g->killed = false;
}

static void tear_down(struct rig *g)
{
    munmap(g->mem, MEM_SIZE);
    free(g->d.regs);
}

static void give_back(void *rig)
{
    rig_commit(rig);
}

/* The guest takes what is its own, and gives it out again. @return how many; *mask: which */
static unsigned reuse(struct rig *g, uint64_t first, uint32_t opts1, unsigned *mask)
{
    unsigned n = 0;

    *mask = 0;
    for (unsigned i = 0; i < PACKETS; i++) {
        uint64_t at = first + 16 * i;

        if (get_desc(g, at).opts1 & OWN)
            continue;
        put_desc(g, at, opts1, 0, MEM_TXB);
        *mask |= 1u << i;
        n++;
    }
    return n;
}

/* @return how many of those the guest gave out again were taken for old ones */
static unsigned taken_twice(struct rig *g, uint64_t first, unsigned mask)
{
    unsigned n = 0;

    for (unsigned i = 0; i < PACKETS; i++) {
        uint32_t own = get_desc(g, first + 16 * i).opts1 & OWN;

        if (mask >> i & 1)
            n += !own;
        else
            CU_ASSERT_EQUAL(own, 0);
    }
    return n;
}

/* Dies at its store number `step`. @return did it? */
static bool dies_at(unsigned step, unsigned *reused, unsigned *twice)
{
    unsigned rx, tx, lived;
    struct rig g;

    set_up(&g);
    step_watch(g.mem, MEM_SIZE);
    lived = step_run(give_back, &g, step);
    *reused = reuse(&g, MEM_TXD, SEND, &tx) + reuse(&g, MEM_RXD, FRESH, &rx);
    rig_commit(&g); /* the successor */
    *twice = taken_twice(&g, MEM_TXD, tx) + taken_twice(&g, MEM_RXD, rx);
    rig_commit(&g);
    CU_ASSERT_EQUAL(*twice, taken_twice(&g, MEM_TXD, tx) + taken_twice(&g, MEM_RXD, rx));
    tear_down(&g);
    return !lived;
}

static void test_any_store(void)
{
    unsigned step = 1, reused, twice, all = 0;

    for (; dies_at(step, &reused, &twice); step++) {
        /* At most the one that was given back but not yet said to be. */
        CU_ASSERT_TRUE(twice <= 1);
        CU_ASSERT_TRUE(reused <= 2 * PACKETS);
        all += twice;
    }
    CU_ASSERT_TRUE(step > 4 * PACKETS);
    CU_ASSERT_TRUE(all <= 2 * PACKETS);
    CU_ASSERT_EQUAL(reused, 2 * PACKETS);
    CU_ASSERT_EQUAL(twice, 0);
}

const struct cu_test suite_tests[] = {
    {"killed at any store, with a busy guest", test_any_store},
    {NULL, NULL},
};
