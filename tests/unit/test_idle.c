/* SPDX-License-Identifier: BSD-3-Clause */
/* Idle strategies: when a core is told to sleep, what wakes it, and the account of its time. */
#include <CUnit/CUnit.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_cycles.h>

#include "../../iocore/idle.h"
#include "../../iocore/numa.h"
#include "cu_main.h"

#define HZ 1000000000ull /* ticks of the simulated rounds */

static void test_spin_and_pause(void)
{
    static const enum cfg_idle mode[] = {CFG_IDLE_SPIN, CFG_IDLE_PAUSE};
    struct idle i;

    for (unsigned m = 0; m < 2; m++) {
        CU_ASSERT_EQUAL_FATAL(idle_init(&i, mode[m], 50, HZ, 0), 0);
        i.tpause = false; /* simulated ticks are no TSC deadline */
        for (uint64_t now = 1; now < 10000; now++)
            CU_ASSERT_EQUAL(idle_round(&i, 0, now * 1000), IDLE_GO_ON);
        CU_ASSERT_EQUAL(i.kick_fd, -1);
        idle_kick(&i); /* nobody sleeps */
        CU_ASSERT_EQUAL(idle_watch(&i, 0), 0);
        idle_unwatch(&i, 0);
        idle_fini(&i);
    }
}

static void test_when_to_sleep(void)
{
    struct idle i;

    CU_ASSERT_EQUAL_FATAL(idle_init(&i, CFG_IDLE_SLEEP, 50, HZ, 0), 0);
    i.tpause = false;
    CU_ASSERT_EQUAL(idle_round(&i, 0, 49999), IDLE_GO_ON);
    CU_ASSERT_EQUAL(idle_round(&i, 0, 50000), IDLE_SLEEP);
    CU_ASSERT_EQUAL(idle_round(&i, 3, 60000), IDLE_GO_ON); /* work starts it afresh */
    CU_ASSERT_EQUAL(idle_round(&i, 0, 109999), IDLE_GO_ON);
    CU_ASSERT_EQUAL(idle_round(&i, 0, 110000), IDLE_SLEEP);
    idle_fini(&i);
}

static void test_account(void)
{
    struct idle_counters c;
    struct idle i;

    CU_ASSERT_EQUAL_FATAL(idle_init(&i, CFG_IDLE_SPIN, 0, HZ, 100), 0);
    idle_round(&i, 1, 100); /* from here on */
    idle_round(&i, 0, 150);
    idle_round(&i, 5, 250);
    idle_round(&i, 0, 260);
    idle_round(&i, 1, 261);
    idle_read(&i, &c);
    CU_ASSERT_EQUAL(c.idle_ticks, 60);
    CU_ASSERT_EQUAL(c.busy_ticks, 101);
    CU_ASSERT_EQUAL(c.rounds, 5);
    CU_ASSERT_EQUAL(c.busy_rounds, 3);
    CU_ASSERT_EQUAL(c.work, 7);
    CU_ASSERT_EQUAL(c.sleeps, 0);
    idle_fini(&i);
}

static void test_wakes(void)
{
    struct idle_counters c;
    uint64_t one = 1;
    struct idle i;
    int ev = eventfd(0, EFD_NONBLOCK);

    CU_ASSERT_EQUAL_FATAL(idle_init(&i, CFG_IDLE_SLEEP, 0, HZ, rte_rdtsc()), 0);
    CU_ASSERT_EQUAL(idle_watch(&i, ev), 0);
    idle_prepare(&i);
    idle_sleep(&i, 1); /* the bound */
    idle_resume(&i);
    for (int k = 0; k < 3; k++) { /* edges: nobody reads the eventfd */
        idle_prepare(&i);
        CU_ASSERT_EQUAL(write(ev, &one, sizeof(one)), 8);
        idle_sleep(&i, 10000);
        idle_resume(&i);
    }
    for (int k = 0; k < 3; k++) {
        idle_prepare(&i);
        idle_kick(&i);
        idle_kick(&i); /* one wake-up is enough */
        idle_sleep(&i, 10000);
        idle_resume(&i);
    }
    idle_prepare(&i);
    idle_sleep(&i, 1); /* no edge left over */
    idle_resume(&i);
    idle_kick(&i); /* awake: nothing is written */
    idle_prepare(&i);
    idle_sleep(&i, 1);
    idle_resume(&i);
    idle_unwatch(&i, ev);
    CU_ASSERT_EQUAL(write(ev, &one, sizeof(one)), 8);
    idle_sleep(&i, 1);
    idle_read(&i, &c);
    CU_ASSERT_EQUAL(c.sleeps, 10);
    CU_ASSERT_EQUAL(c.wakeups, 6);
    CU_ASSERT_TRUE(c.sleep_ticks > 0);
    idle_fini(&i);
    close(ev);
}

/* --- edge K1: work left for a core that is just falling asleep is never slept over --- */

#define HANDED 20000

struct pair {
    struct idle idle;
    uint32_t left, taken;
    unsigned timeouts;
};

static void *worker(void *arg)
{
    struct pair *p = arg;

    while (p->taken < HANDED) {
        idle_prepare(&p->idle);
        if (__atomic_load_n(&p->left, __ATOMIC_ACQUIRE) == p->taken) {
            uint64_t before = p->idle.c.wakeups;

            idle_sleep(&p->idle, 2000);
            p->timeouts += p->idle.c.wakeups == before;
        }
        idle_resume(&p->idle);
        while (p->taken != __atomic_load_n(&p->left, __ATOMIC_ACQUIRE))
            __atomic_store_n(&p->taken, p->taken + 1, __ATOMIC_RELEASE);
    }
    return NULL;
}

static void test_no_lost_wakeup(void)
{
    static struct pair p;
    pthread_t t;

    CU_ASSERT_EQUAL_FATAL(idle_init(&p.idle, CFG_IDLE_SLEEP, 0, HZ, rte_rdtsc()), 0);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&t, NULL, worker, &p), 0);
    for (uint32_t n = 1; n <= HANDED; n++) {
        __atomic_store_n(&p.left, n, __ATOMIC_RELEASE);
        idle_kick(&p.idle);
        for (unsigned spins = 0; __atomic_load_n(&p.taken, __ATOMIC_ACQUIRE) != n; spins++)
            if (spins % 1000 == 999)
                sched_yield();
    }
    pthread_join(t, NULL);
    CU_ASSERT_EQUAL(p.timeouts, 0);
    idle_fini(&p.idle);
}

/* --- NUMA placement, on whatever this machine has --- */

static void test_numa(void)
{
    static char page[8192] __attribute__((aligned(4096)));
    char text[160];

    memset(page, 1, sizeof(page));
    CU_ASSERT_TRUE(nl_nodes() >= 1);
    CU_ASSERT_TRUE(nl_node_of_cpu(0) >= 0);
    CU_ASSERT_EQUAL(nl_node_of_cpu(1 << 20), NL_ANY);
    CU_ASSERT_EQUAL(nl_place(page, 4096, NL_ANY, NL_PREFER, "memory", text, sizeof(text)), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "memory"));
    CU_ASSERT_EQUAL(nl_place(page, 4096, 4000, NL_BIND, "memory", text, sizeof(text)), -22);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "4000"));
    CU_ASSERT_EQUAL(
        nl_place(page, 4096, nl_node_of_cpu(0), NL_PREFER, "memory", text, sizeof(text)), 0);
    CU_ASSERT_TRUE(strlen(text) > 0);
    CU_ASSERT_EQUAL(nl_place(page, 4096, nl_node_of_cpu(0), NL_PREFER, "memory", NULL, 0), 0);
}

const char *const suite_name = "idle";
const struct cu_test suite_tests[] = {
    {"spin and pause never sleep", test_spin_and_pause},
    {"when to sleep", test_when_to_sleep},
    {"account", test_account},
    {"what wakes", test_wakes},
    {"no lost wake-up", test_no_lost_wakeup},
    {"NUMA placement", test_numa},
    {NULL, NULL},
};
