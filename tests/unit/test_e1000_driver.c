/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The e1000 under a driver that works as Linux's does: it looks at its rings only when INTA# rose,
 * masks all causes meanwhile, cleans a bounded number of frames at a time, refills in batches, and
 * leaves delays and throttling to the device. Frames come in bursts through a backlog as an I/O
 * core's. Every one must get there in order, with nobody waiting for anybody for ever.
 */
#include "cu_main.h"
#include "e1000_rig.h"

const char *const suite_name = "e1000_driver";

#define FRAMES  50000
#define BACKLOG 64
#define BUDGET  8 /* frames cleaned in one go */
#define REFILL  4 /* descriptors given back at once */

static struct rig g;
static struct tx_maker tx;
static uint64_t seed;

static uint32_t backlog[BACKLOG], backlog_n; /* numbers of frames that wait for room */
static uint32_t fed, seen;                   /* frames: from the wire, and at the driver */
static uint32_t rx_clean, rx_given;          /* descriptors, running freely */
static uint32_t tx_tail, tx_clean;
static bool was_high, polling;

static void deliver(uint32_t number)
{
    uint8_t f[64] = {0};

    memcpy(f, rig_mac, 6);
    nm_put_be16(f + 12, 0x88b5);
    nm_put_be32(f + 16, number);
    rig_receive(&g, f, sizeof(f));
}

static bool has_room(void)
{
    return g.d.model->can_receive(&g.d, 64);
}

/* As an I/O core takes frames: in order, behind those that wait. */
static void wire(unsigned burst)
{
    for (; burst && fed < FRAMES; burst--) {
        if (!backlog_n && has_room())
            deliver(fed++);
        else if (backlog_n < BACKLOG)
            backlog[backlog_n++] = fed++;
    }
}

/* As an I/O core polls a device that is busy. */
static void core(void)
{
    uint32_t n = 0;

    while (n < backlog_n && has_room())
        deliver(backlog[n++]);
    backlog_n -= n;
    memmove(backlog, backlog + n, backlog_n * sizeof(*backlog));
    if (g.d.model->pending(&g.d))
        g.d.model->poll(&g.d);
    rig_commit(&g);
}

static void refill(void)
{
    if (rx_clean + E_RING - 1 - rx_given < REFILL)
        return;
    rx_given = rx_clean + E_RING - 1;
    rx_refill(&g, rx_given % E_RING);
}

/* @return frames and descriptors cleaned */
static unsigned clean(void)
{
    unsigned n = 0;

    for (; n < BUDGET && rx_desc(&g, rx_clean % E_RING).status & RXD_DD; n++) {
        struct e1000_rx_desc x = rx_desc(&g, rx_clean % E_RING);

        if (nm_get_be32(guest(&g, x.addr + 16)) != seen)
            CU_FAIL_FATAL("frames are not in order");
        *guest(&g, E_RX_RING + 16 * (rx_clean++ % E_RING) + 12) = 0;
        seen++;
    }
    refill();
    for (; tx_clean != tx_tail && tx_status(&g, tx_clean % E_RING) & TXD_DD; tx_clean++) {
        *guest(&g, E_TX_RING + 16 * (tx_clean % E_RING) + 12) = 0;
        n += n < BUDGET;
    }
    return n;
}

static void driver(void)
{
    if (!polling && g.level && !was_high) { /* an edge: the least a machine passes on */
        if (reg(&g, E1000_ICR)) {
            set(&g, E1000_IMC, 0xffffffff);
            polling = true;
        }
    }
    was_high = g.level;
    if (polling && clean() < BUDGET) {
        polling = false;
        was_high = false;
        set(&g, E1000_IMS, ICR_RXT0 | ICR_TXDW | ICR_RXDMT0 | ICR_RXSEQ | ICR_LSC);
    }
}

static void transmit(void)
{
    if (tx_tail - tx_clean >= E_RING - 1)
        return;
    tx_legacy(&tx, E_TX_BUF, 60, TXD_EOP | TXD_IFCS | TXD_RS | TXD_IDE, 0, 0, 0);
    tx_tail++;
    tx_go(&tx);
}

static void start(uint32_t itr, uint32_t rdtr, uint32_t radv, uint32_t tidv)
{
    bring_up(&g, 4096);
    tx = (struct tx_maker){&g, 0};
    backlog_n = fed = seen = rx_clean = tx_tail = tx_clean = 0;
    rx_given = E_RING - 1;
    was_high = polling = false;
    set(&g, E1000_IMC, 0xffffffff);
    set(&g, E1000_IMS, ICR_RXT0 | ICR_TXDW | ICR_RXDMT0 | ICR_RXSEQ | ICR_LSC);
    set(&g, E1000_ITR, itr);
    set(&g, E1000_RDTR, rdtr);
    set(&g, E1000_RADV, radv);
    set(&g, E1000_TIDV, tidv);
    set(&g, E1000_TADV, tidv * 4);
}

/* Steps of all parties in any order; then only what would happen by itself. */
static void run(void)
{
    for (unsigned i = 0; fed < FRAMES && i < 20 * FRAMES; i++) {
        uint64_t r = rig_random(&seed);

        switch (r % 8) {
        case 0: wire(1 + (r >> 8) % 24); break;
        case 1:
        case 2:
        case 3: core(); break;
        case 4: transmit(); break;
        default: driver(); break;
        }
        g.ns += (r >> 16) % (r >> 8 & 1 ? 300 : 60000);
    }
    for (unsigned i = 0; i < 10000; i++) {
        core();
        driver();
        g.ns += 1000000;
    }
    CU_ASSERT_EQUAL(fed, FRAMES);
    CU_ASSERT_EQUAL(seen, fed);
    CU_ASSERT_EQUAL(tx_clean, tx_tail);
    CU_ASSERT_TRUE(g.sent > 1000);
    rig_free(&g);
}

static void test_driver(void)
{
    static const uint32_t itr[] = {0, 195, 976}, delay[] = {0, 8};

    seed = 20260101;
    for (unsigned i = 0; i < 12; i++) {
        start(itr[i % 3], delay[i / 3 & 1], 8, delay[i / 6]);
        run();
    }
}

const struct cu_test suite_tests[] = {
    {"a driver that waits for interrupts", test_driver},
    {NULL, NULL},
};
