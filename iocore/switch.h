/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An L2 learning switch between guests' NICs and DPDK ports.
 *
 * A port belongs to exactly one I/O core. That core alone calls sw_input() for it, and alone calls
 * its send function. A frame for a port of another core goes through that core's inbox, a ring that
 * it drains with sw_poll(). One MAC table serves all cores; looking up a known address neither
 * locks nor writes anything shared, except the age stamp, and that at most once a second.
 *
 * VLAN tags are neither looked at nor touched: one table for all VLANs (802.1Q "shared learning").
 *
 * Forwarding, as 802.1D-2004 7.7 and 7.8 have it, without spanning tree:
 *   source unicast              learned (new or moved), if the table and the port's share allow it
 *   source group address        not learned; the frame is invalid and dropped (rx_bad)
 *   destination known           to that port; dropped if that is where it came from
 *   destination unknown, group  flooded to all other ports
 *   shorter than 14 bytes, longer than max_frame, first segment shorter than 14: dropped (rx_bad);
 *   of a large frame (large.h) it is the length of its segments that counts
 *
 * Flooding shares one mbuf by its reference count: a send function must not write to frames,
 * neither data nor header, unless its port was added with SW_PORT_WRITES and so gets copies.
 *
 * Threads, by function: "control" functions from one control thread at a time; "core" functions
 * only on the I/O core they name. Each core says once a round, by calling sw_poll(), that it holds
 * nothing of the switch; a core that sleeps calls sw_core_offline() first. Control functions that
 * take something away wait for that (RCU, quiescent states), so they must not run on an I/O core.
 */
#ifndef COOPVMM_IOCORE_SWITCH_H
#define COOPVMM_IOCORE_SWITCH_H

#include <stdbool.h>
#include <stdint.h>

struct rte_mbuf;
struct rte_mempool;
struct sw;

#define SW_MAX_PORTS 1024 /* on one switch */
#define SW_MAX_CORES 128
#define SW_NAME_SIZE 64 /* of a port's name, with its NUL */

struct sw_opts {
    uint32_t mac_age_s;       /* seconds until a silent address is forgotten; 0: 300 */
    uint32_t max_macs;        /* addresses in the table; 0: 8192 */
    uint32_t port_macs;       /* addresses learned on one port; 0: a quarter of max_macs */
    uint32_t inbox;           /* frames an inbox holds, a power of two; 0: 1024 */
    uint16_t max_frame;       /* bytes without FCS; 0: 1518 */
    unsigned ncores;          /* I/O cores, 1 to SW_MAX_CORES; they are numbered from 0 */
    int socket;               /* NUMA node of the tables, -1: any */
    uint64_t tsc_hz;          /* ticks a second of the `now` arguments, not 0 */
    struct rte_mempool *pool; /* copies for SW_PORT_WRITES, segments of large frames; NULL: none */
    /* Called on a core after it put frames in another core's inbox: wakes it if it sleeps. Must be
     * cheap when it does not. NULL: nobody sleeps. */
    void (*wake)(void *ctx, unsigned core);
    void *wake_ctx;
};

/**
 * Sends a burst out of a port. Runs on the port's core.
 * Takes over the first `return` mbufs; the switch frees the others and counts them as tx_drops.
 */
typedef uint16_t (*sw_send_fn)(void *ctx, struct rte_mbuf **m, uint16_t n);

/* A port's counters. Written by its core only; read whole from any thread. */
struct sw_counters {
    uint64_t rx_frames, rx_bytes; /* into the switch */
    uint64_t rx_bad;              /* too short, too long, group source address */
    uint64_t rx_filtered;         /* destination was behind the same port */
    uint64_t tx_frames, tx_bytes; /* out of the switch, accepted by the send function */
    uint64_t tx_drops;            /* refused by the send function, or no mbuf for a copy */
    uint64_t flooded;             /* received here and flooded: group and unknown */
    uint64_t unknown;             /* received here, unicast to an unknown address */
    uint64_t inbox_drops;         /* received here, another core's inbox was full; one a copy */
    uint64_t learned, moved;      /* addresses */
    uint64_t learn_refused;       /* addresses not learned: table or port's share full, or pinned */
};

struct sw_port_info {
    int port;
    unsigned core;
    char name[SW_NAME_SIZE];
    uint32_t macs; /* addresses learned on it now */
    struct sw_counters c;
};

struct sw_mac_info {
    uint8_t mac[6];
    int port;
    bool pinned;
    uint32_t age_s; /* since it was last seen as a source; 0 if pinned */
};

#define SW_PORT_WRITES 1u /* the send function writes to frames: it gets copies of shared ones */
#define SW_PORT_LARGE  2u /* it takes large frames (large.h) whole: others get their segments */

/**
 * Control. @return NULL and errno: EINVAL (an option out of range), ENOMEM.
 */
struct sw *sw_create(const struct sw_opts *o);
/** Control. No core may use it any more; frames left in inboxes are freed. */
void sw_free(struct sw *sw);

/**
 * Control. Adds a port; frames may come at once.
 * @param name for people; truncated to SW_NAME_SIZE
 * @return its number (0 to SW_MAX_PORTS - 1); -EINVAL, -ENOSPC, -ENOMEM
 */
int sw_port_add(struct sw *sw, const char *name, unsigned core, unsigned flags, sw_send_fn send,
                void *ctx);
/**
 * Control. Removes a port and its addresses; waits until no core uses it. Its core must no longer
 * call sw_input() for it. After the return neither send nor ctx is used.
 * @return 0; -ENOENT
 */
int sw_port_remove(struct sw *sw, int port);
/**
 * Control. Says that an address is behind a port for as long as the port lives: it neither ages
 * nor moves, so that no other guest can draw its frames away.
 * @return 0; -EINVAL (group address), -ENOENT (port), -EEXIST (pinned elsewhere), -ENOSPC
 */
int sw_port_pin(struct sw *sw, int port, const uint8_t mac[6]);

/** Core. Takes part from now on. To be called before the core's first sw_input or sw_poll. */
void sw_core_online(struct sw *sw, unsigned core);
/** Core. Holds nothing and will not call sw_input or sw_poll until it is online again. */
void sw_core_offline(struct sw *sw, unsigned core);

/**
 * Core. Frames that came in by a port. Takes over all of them.
 * @param now TSC, for the age stamps
 */
void sw_input(struct sw *sw, int port, struct rte_mbuf **m, uint16_t n, uint64_t now);
/**
 * Core. Delivers what other cores left in the inbox, at most 64 frames, and reports the quiescent
 * state. To be called once a round, when the core holds no frame or port of the switch.
 * @return frames delivered
 */
unsigned sw_poll(struct sw *sw, unsigned core);
/** Core. Is there something in the inbox? To look once more before sleeping. */
bool sw_pending(const struct sw *sw, unsigned core);

/** Control. Forgets addresses that were silent for mac_age_s; call about once a second.
 * @return how many were forgotten */
unsigned sw_age(struct sw *sw, uint64_t now);

/** Any thread. @return 0; -ENOENT: no such port now (there may be higher ones). */
int sw_port_info(struct sw *sw, int port, struct sw_port_info *out);
/**
 * Any thread. Goes through the table; *iter starts at 0. Addresses that come or move meanwhile may
 * be missed or seen twice.
 * @return 0 and *out; -ENOENT at the end
 */
int sw_mac_next(struct sw *sw, uint32_t *iter, uint64_t now, struct sw_mac_info *out);
/** Any thread. Addresses in the table. */
uint32_t sw_mac_count(const struct sw *sw);

#endif
