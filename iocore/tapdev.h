/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A tap of the host's as a port's device: frames in and out, large ones as they are.
 *
 * Not DPDK's net_tap, which has the kernel signal each frame and segments what the host and the
 * guest would both rather have whole. Here the kernel hands over TCP segments of up to 64 KB with
 * a virtio header that says how they would be segmented (IFF_VNET_HDR, TUNSETOFFLOAD), and takes
 * such ones: one system call where there were 45.
 *
 * What polling costs. A tap on which frames come is read, at most each TAPDEV_GAP_NS. One on which
 * nothing came for TAPDEV_WATCH_NS is *watched*: the kernel sends SIGIO for the next frame, to the
 * thread that polls, and until then a poll makes no system call.
 *
 * Persistent: when the process dies the host keeps the interface with its addresses and routes.
 * Threads: open and close control, all else the port's core. Sources: linux/if_tun.h, VIRTIO 1.2
 * 5.1.6.
 */
#ifndef COOPVMM_IOCORE_TAPDEV_H
#define COOPVMM_IOCORE_TAPDEV_H

#include <stdbool.h>
#include <stdint.h>

#define TAPDEV_GAP_NS   2000
#define TAPDEV_WATCH_NS 200000

struct rte_mbuf;
struct rte_mempool;
struct tapdev;

/* Written by the core only, read whole from any thread. */
struct tapdev_counters {
    uint64_t rx_frames, rx_bytes, rx_errors, rx_nombuf;
    uint64_t tx_frames, tx_bytes, tx_errors;
    uint64_t rx_large, tx_large; /* of the frames: those to be segmented */
};

/**
 * Attaches to the tap, makes it if it is not there.
 * @param mac the host's side gets it
 * @param mtu 0: left alone
 * @param tsc_hz ticks a second of the `now` arguments
 * @return 0; negative errno of what failed
 */
int tapdev_open(const char *iface, const uint8_t mac[6], uint16_t mtu, struct rte_mempool *pool,
                uint64_t tsc_hz, struct tapdev **out);
void tapdev_close(struct tapdev *t);

/** The core slept and was woken, maybe by this: the next look is not put off. */
void tapdev_woke(struct tapdev *t);
/** @return how many frames came */
uint16_t tapdev_rx(struct tapdev *t, struct rte_mbuf **m, uint16_t n, uint64_t now);
/** @return how many frames were taken over; the others the host has no room for now */
uint16_t tapdev_tx(struct tapdev *t, struct rte_mbuf **m, uint16_t n);

/** Is the host's side up? Any thread. */
bool tapdev_link(const struct tapdev *t);
/** The descriptor, which is readable when frames are there. */
int tapdev_fd(const struct tapdev *t);
void tapdev_read(const struct tapdev *t, struct tapdev_counters *out);

#endif
