/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Exactly once, with rings in guest memory: the I/O-core process is killed (SIGKILL) at random
 * instants while a driver that polls its rings sends to itself through the e1000's loopback. The
 * bytes it gets back are one stream: a descriptor written back twice, one forgotten, or a segment
 * sent twice shows at once, or the driver waits for ever.
 */
#include <CUnit/CUnit.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../nicmodels/e1000.h"
#include "cu_main.h"
#include "iotp_rig.h"
#include "net_frames.h"

#define KILLS     300
#define RING      128
#define RX_RING   0x1000u
#define TX_RING   0x2000u
#define RX_BUF    0x10000u /* 2 KB each */
#define TX_BUF    0x60000u /* 8 KB each, for packet i at i % TX_BUFS */
#define TX_BUFS   16
#define MSS       100
#define MAX_BYTES 4000 /* of a packet: more segments than one call sends */
#define PATIENCE  10   /* seconds without progress */

static struct rig_vmm vmm;
static bool done; /* the killer has finished */
static uint64_t packets, wrong;
static uint32_t rng = 4711;

/* The driver's view. Counters run freely. */
static uint32_t tx_tail, tx_clean;        /* descriptors */
static uint32_t tx_packets, tx_done;      /* packets given, and gone */
static uint32_t packet_end[TX_BUFS];      /* the stream's position behind packet i % TX_BUFS */
static uint32_t rx_clean, sent, received; /* descriptors; bytes of the stream */

static uint32_t rnd(void)
{
    rng = rng * 1103515245u + 12345u;
    return rng >> 8;
}

static uint8_t byte_at(uint32_t position)
{
    return (uint8_t)(position * 31 + (position >> 8));
}

static void config(unsigned reg, uint64_t value)
{
    struct iotp_req r = {.offset = reg,
                         .data = value,
                         .count = 1,
                         .region = NM_REGION_CONFIG,
                         .op = IOTP_OP_WRITE,
                         .size = 2};
    struct iotp_resp resp;

    iotp_call(&vmm.vcpu[0], &r, &resp);
}

static void start_driver(void)
{
    config(PCI_COMMAND, PCI_COMMAND_MEM | PCI_COMMAND_MASTER);
    for (uint64_t i = 0; i < RING; i++) {
        uint64_t addr = RX_BUF + 2048 * i;

        memcpy(vmm.mem + RX_RING + 16 * i, &addr, 8);
    }
    rig_out(&vmm, 0, E1000_RDBAL, 4, RX_RING);
    rig_out(&vmm, 0, E1000_RDLEN, 4, RING * 16);
    rig_out(&vmm, 0, E1000_TDBAL, 4, TX_RING);
    rig_out(&vmm, 0, E1000_TDLEN, 4, RING * 16);
    rig_out(&vmm, 0, E1000_RCTL, 4, RCTL_EN | RCTL_SECRC | 1u << 6);
    rig_out(&vmm, 0, E1000_TCTL, 4, TCTL_EN | TCTL_PSP);
    rig_out(&vmm, 0, E1000_ITR, 4, 40);
    rig_out(&vmm, 0, E1000_TIDV, 4, 4);
    rig_out(&vmm, 0, E1000_IMS, 4, ICR_CAUSES);
    rig_out(&vmm, 0, E1000_RDT, 4, RING - 1);
}

static volatile uint8_t *status_of(uint32_t ring, uint32_t i)
{
    return vmm.mem + ring + 16 * (i % RING) + 12;
}

static void put_desc(uint64_t low, uint64_t high)
{
    uint8_t *at = vmm.mem + TX_RING + 16 * (tx_tail++ % RING);

    memcpy(at, &low, 8);
    memcpy(at + 8, &high, 8);
}

/* The next bytes of the stream as one packet: segmented, or whole if they are few. */
static void send_packet(uint32_t len)
{
    struct frame_shape s = {.payload = len};
    uint32_t slot = tx_packets % TX_BUFS, at = TX_BUF + 0x2000 * slot;
    size_t hdr = frame_hdr(&s), total = frame_build(vmm.mem + at, &s);
    uint64_t cmd = TXD_EOP | TXD_IFCS | TXD_RS | (rnd() & 1 ? TXD_IDE : 0);

    memcpy(vmm.mem + at, "\x52\x54\x00\x01\x02\x03", 6);
    nm_put_be32(vmm.mem + at + frame_l4(&s) + 4, sent);
    for (uint32_t i = 0; i < len; i++)
        vmm.mem[at + hdr + i] = byte_at(sent + i);
    if (len > MSS) {
        put_desc(14 | 24ull << 8 | 33ull << 16 | 34ull << 32 | 50ull << 40,
                 len | (uint64_t)(TUCMD_TSE | TUCMD_IP | TUCMD_TCP | TXD_DEXT) << 24 |
                     (uint64_t)hdr << 40 | (uint64_t)MSS << 48);
        put_desc(at, 60 | 1ull << 20 | (uint64_t)(TXD_DEXT | TXD_TSE) << 24 | 3ull << 40);
        put_desc(at + 60, (total - 60) | 1ull << 20 | (uint64_t)(TXD_DEXT | TXD_TSE | cmd) << 24);
    } else {
        put_desc(at, total | cmd << 24);
    }
    sent += len;
    packet_end[slot] = sent;
    tx_packets++;
    rig_post(&vmm, 0, E1000_TDT, 4, tx_tail % RING);
}

/* The frame in the receive ring's next buffer must be the stream's next bytes. */
static void take_frame(void)
{
    const uint8_t *f = vmm.mem + RX_BUF + 2048 * (rx_clean % RING);
    uint32_t len = nm_get_be16(f + 16) - 40u;

    wrong += nm_get_be32(f + 38) != received || len > MSS;
    for (uint32_t i = 0; i < len && len <= MSS; i++)
        wrong += f[54 + i] != byte_at(received + i);
    received += len;
    *status_of(RX_RING, rx_clean) = 0;
    rx_clean++;
    if (rx_clean % 8 == 0)
        rig_post(&vmm, 0, E1000_RDT, 4, (rx_clean + RING - 1) % RING);
}

static void clean_rx(void)
{
    while (__atomic_load_n(status_of(RX_RING, rx_clean), __ATOMIC_ACQUIRE) & RXD_DD)
        take_frame();
}

/* Packets whose last descriptor came back: their frames must be here. */
static void clean_tx(void)
{
    uint32_t i = tx_clean;

    while (i != tx_tail) {
        const uint8_t *d = vmm.mem + TX_RING + 16 * (i++ % RING);

        if (!(d[11] & TXD_EOP) || (d[11] & TXD_DEXT && !(d[10] & 0x10)))
            continue; /* no last one; in a context the bit means something else */
        if (!(__atomic_load_n(d + 12, __ATOMIC_ACQUIRE) & TXD_DD))
            return;
        clean_rx();
        wrong += (int32_t)(received - packet_end[tx_done % TX_BUFS]) < 0;
        tx_done++;
        tx_clean = i;
    }
}

static bool is_stuck(uint64_t *last, struct timespec *since)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    if (*last != (uint64_t)received + tx_done) {
        *last = (uint64_t)received + tx_done;
        *since = t;
    }
    return t.tv_sec - since->tv_sec > PATIENCE;
}

static void *guest(void *arg)
{
    struct timespec since;
    uint64_t last = 0;

    (void)arg;
    start_driver();
    clock_gettime(CLOCK_MONOTONIC, &since);
    while (!__atomic_load_n(&done, __ATOMIC_RELAXED) || tx_done != tx_packets) {
        if (!__atomic_load_n(&done, __ATOMIC_RELAXED) && tx_packets - tx_done < TX_BUFS - 1 &&
            tx_tail - tx_clean < RING - 8 && sent - received < 4000)
            send_packet(1 + rnd() % (rnd() % 4 ? MSS : MAX_BYTES));
        clean_rx();
        clean_tx();
        if (rnd() % 64 == 0)
            rig_in(&vmm, 0, E1000_ICR, 4);
        if (is_stuck(&last, &since)) {
            fprintf(stderr, "the driver waits for ever: %u of %u packets\n", tx_done, tx_packets);
            wrong++;
            break;
        }
    }
    wrong += received != sent;
    packets = tx_packets;
    return NULL;
}

static pid_t start_io_core(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        struct rig_ioc ioc;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (!rig_ioc_open(&ioc, &vmm, "e1000"))
            _exit(1);
        for (;;) {
            rig_poll(&ioc);
            if (dev_is_busy(ioc.dev))
                dev_poll(ioc.dev);
        }
    }
    return pid;
}

static void nap_us(unsigned us)
{
    struct timespec t = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000L};

    nanosleep(&t, NULL);
}

/* The state memfd must be known to the parent before the first child is killed. */
static bool make_state(void)
{
    struct rig_ioc ioc;

    if (!rig_ioc_open(&ioc, &vmm, "e1000"))
        return false;
    rig_ioc_close(&ioc);
    return true;
}

static void killed_at_random(void)
{
    pthread_t thread;
    unsigned seed = 7, crashed = 0;

    CU_ASSERT_TRUE_FATAL(rig_vmm_open(&vmm, 1));
    CU_ASSERT_TRUE_FATAL(make_state());
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, guest, NULL), 0);
    for (unsigned i = 0; i <= KILLS; i++) {
        pid_t pid = start_io_core();
        int status;

        nap_us(2000 + (unsigned)rand_r(&seed) % 4000);
        if (i == KILLS)
            __atomic_store_n(&done, true, __ATOMIC_RELAXED);
        if (i == KILLS)
            pthread_join(thread, NULL); /* the last one lives until the guest has finished */
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        crashed += !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL;
    }
    printf(" (%llu packets in %u frames over %u kills) ", (unsigned long long)packets, rx_clean,
           KILLS);
    CU_ASSERT_EQUAL(crashed, 0);
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_TRUE(packets > KILLS);
    rig_vmm_close(&vmm);
}

const char *const suite_name = "e1000_restart";
const struct cu_test suite_tests[] = {
    {"an I/O core killed at random instants: each packet goes and comes once", killed_at_random},
    {NULL, NULL},
};
