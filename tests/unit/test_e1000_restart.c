/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Exactly once, with rings in guest memory: the I/O-core process is killed (SIGKILL) at random
 * instants while a driver that polls its rings sends to itself through the e1000's loopback. The
 * bytes it gets back are one stream: a descriptor written back twice, one forgotten, or a segment
 * sent twice shows at once, or the driver waits for ever.
 */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cu_main.h"
#include "e1000_iotp.h"
#include "kill_rig.h"
#include "net_frames.h"

#define RING      E_IOTP_RING
#define TX_BUF    0x60000u /* 8 KB each, for packet i at i % TX_BUFS */
#define TX_BUFS   16
#define MSS       100
#define MAX_BYTES 4000 /* of a packet: more segments than one call sends */
#define PATIENCE  10   /* seconds without progress */

static uint64_t wrong;

/* The driver's view. Counters run freely. */
static uint32_t tx_tail, tx_clean;        /* descriptors */
static uint32_t tx_packets, tx_done;      /* packets given, and gone */
static uint32_t packet_end[TX_BUFS];      /* the stream's position behind packet i % TX_BUFS */
static uint32_t rx_clean, sent, received; /* descriptors; bytes of the stream */

static uint8_t byte_at(uint32_t position)
{
    return (uint8_t)(position * 31 + (position >> 8));
}

static void start_driver(void)
{
    e1000_loopback(&kill_vmm, RCTL_SECRC, 40);
    rig_out(&kill_vmm, 0, E1000_TIDV, 4, 4);
    rig_out(&kill_vmm, 0, E1000_IMS, 4, ICR_CAUSES);
    rig_out(&kill_vmm, 0, E1000_RDT, 4, RING - 1);
}

static volatile uint8_t *status_of(uint32_t ring, uint32_t i)
{
    return kill_vmm.mem + ring + 16 * (i % RING) + 12;
}

static void put_desc(uint64_t low, uint64_t high)
{
    uint8_t *at = kill_vmm.mem + E_IOTP_TX_RING + 16 * (tx_tail++ % RING);

    memcpy(at, &low, 8);
    memcpy(at + 8, &high, 8);
}

/* The next bytes of the stream as one packet: segmented, or whole if they are few. */
static void send_packet(uint32_t len)
{
    struct frame_shape s = {.payload = len};
    uint32_t slot = tx_packets % TX_BUFS, at = TX_BUF + 0x2000 * slot;
    size_t hdr = frame_hdr(&s), total = frame_build(kill_vmm.mem + at, &s);
    uint64_t cmd = TXD_EOP | TXD_IFCS | TXD_RS | (kill_random() & 1 ? TXD_IDE : 0);

    memcpy(kill_vmm.mem + at, "\x52\x54\x00\x01\x02\x03", 6);
    nm_put_be32(kill_vmm.mem + at + frame_l4(&s) + 4, sent);
    for (uint32_t i = 0; i < len; i++)
        kill_vmm.mem[at + hdr + i] = byte_at(sent + i);
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
    rig_post(&kill_vmm, 0, E1000_TDT, 4, tx_tail % RING);
}

/* The frame in the receive ring's next buffer must be the stream's next bytes. */
static void take_frame(void)
{
    const uint8_t *f = kill_vmm.mem + E_IOTP_RX_BUF + 2048 * (rx_clean % RING);
    uint32_t len = nm_get_be16(f + 16) - 40u;

    wrong += nm_get_be32(f + 38) != received || len > MSS;
    for (uint32_t i = 0; i < len && len <= MSS; i++)
        wrong += f[54 + i] != byte_at(received + i);
    received += len;
    *status_of(E_IOTP_RX_RING, rx_clean) = 0;
    rx_clean++;
    if (rx_clean % 8 == 0)
        rig_post(&kill_vmm, 0, E1000_RDT, 4, (rx_clean + RING - 1) % RING);
}

static void clean_rx(void)
{
    while (__atomic_load_n(status_of(E_IOTP_RX_RING, rx_clean), __ATOMIC_ACQUIRE) & RXD_DD)
        take_frame();
}

/* Packets whose last descriptor came back: their frames must be here. */
static void clean_tx(void)
{
    uint32_t i = tx_clean;

    while (i != tx_tail) {
        const uint8_t *d = kill_vmm.mem + E_IOTP_TX_RING + 16 * (i++ % RING);

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

static void guest(void)
{
    struct timespec since;
    uint64_t last = 0;

    start_driver();
    clock_gettime(CLOCK_MONOTONIC, &since);
    while (!kill_is_over() || tx_done != tx_packets) {
        if (!kill_is_over() && tx_packets - tx_done < TX_BUFS - 1 &&
            tx_tail - tx_clean < RING - 8 && sent - received < 4000)
            send_packet(1 + kill_random() % (kill_random() % 4 ? MSS : MAX_BYTES));
        clean_rx();
        clean_tx();
        if (kill_random() % 64 == 0)
            rig_in(&kill_vmm, 0, E1000_ICR, 4);
        if (is_stuck(&last, &since)) {
            fprintf(stderr, "the driver waits for ever: %u of %u packets\n", tx_done, tx_packets);
            wrong++;
            break;
        }
    }
    wrong += received != sent;
}

static void killed_at_random(void)
{
    kill_run("e1000", guest);
    printf(" (%u packets in %u frames over %u kills) ", tx_packets, rx_clean, KILLS);
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_TRUE(tx_packets > KILLS);
}

const char *const suite_name = "e1000_restart";
const struct cu_test suite_tests[] = {
    {"an I/O core killed at random instants: each packet goes and comes once", killed_at_random},
    {NULL, NULL},
};
