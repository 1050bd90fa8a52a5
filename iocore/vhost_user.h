/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A vhost-user back end for network devices: what one front end has set up (memory, rings), and
 * its rings as an I/O core polls them. The rings' format is nicmodels/virtq.h, the frames'
 * nicmodels/vnet.h. The VMM (QEMU, User-Mode Linux, DPDK's virtio_user, ...) is the front end.
 *
 * Ring 2 * i is receiveq of pair i, the driver's; ring 2 * i + 1 its transmitq.
 *
 * Restart. A front end that reconnects hands back the inflight region, if it asked for one: the
 * rings' journals are in it, so that a killed process's successor completes each chain once. For
 * those that ask for none (QEMU's NICs) journals are kept on this side: see vhost_keep.
 *
 * Memory is the front end's file, not sealed: see vhost_guard.h.
 *
 * Threads: vhost_init, vhost_serve and vhost_fini by the control thread; what they change of rings
 * they change in functions that vhost_ops.on_core runs. The rest runs on the core.
 */
#ifndef COOPVMM_IOCORE_VHOST_USER_H
#define COOPVMM_IOCORE_VHOST_USER_H

#include "../nicmodels/flows.h"
#include "../nicmodels/vnet.h"
#include "guestmem.h"
#include "vhost_msg.h"

#define VHOST_MAX_PAIRS 8
#define VHOST_MAX_RINGS (2 * VHOST_MAX_PAIRS)
#define VHOST_TX_BURST  32 /* frames one poll of a ring may send */

struct vhost_ops {
    /** Runs fn(arg) while the core does not look at the rings, and waits for it. */
    void (*on_core)(void *ctx, void (*fn)(void *arg), void *arg);
    /** Room for frames from the guest: at most VHOST_TX_BURST, *n of them now. Stays what it is
     * until send. On the core. */
    struct vnet_frame *(*room)(void *ctx, unsigned *n);
    /** The first n of them are filled, and taken. On the core. */
    void (*send)(void *ctx, unsigned n);
    /** A descriptor that a sleeping core is to be woken by, and no longer. May be NULL. */
    void (*watch)(void *ctx, int fd);
    void (*unwatch)(void *ctx, int fd);
};

struct vhost_ring {
    struct virtq q;
    struct vq_journal *journal; /* in the inflight region, in vhost.kept, or `own` */
    struct vq_journal own;
    uint64_t desc, driver, device; /* the front end's addresses */
    struct vq_pos base;            /* where it starts */
    int kick, call, err;           /* -1: none */
    bool enabled;
    bool kicked;      /* the front end started it */
    bool interrupted; /* the driver is to be told, at the end of this round */
    uint32_t segment; /* vnet_transmit's */
};

/* What happened since vhost_init, whichever front end it was. For telemetry's threads, too. */
struct vhost_counters {
    uint64_t tx_frames;           /* from the guest */
    uint64_t rx_frames, rx_drops; /* for it; dropped: its ring had no room, or there was none */
    uint64_t kicks;               /* times the driver woke the core, or kept it from sleeping */
    uint64_t calls;               /* interrupts it was given */
    uint64_t refused;             /* messages that asked for what is not possible */
};

/* A mapping of the front end's. */
struct vhost_map {
    uint8_t *base; /* NULL: none */
    size_t len;
    uint64_t dev, ino; /* which file it is */
};

/* Rings' journals, and whose they are: the file of the guest's memory, and where in it the ring is.
 */
struct vhost_kept {
    struct vhost_kept_ring {
        struct vq_journal journal;
        uint64_t dev, ino, desc;
    } ring[VHOST_MAX_RINGS];
};

struct vhost {
    const struct vhost_ops *ops;
    void *ctx;
    unsigned max_pairs;
    uint64_t features, protocol; /* the front end's choice */
    uint64_t status;
    int backend_req; /* kept only: we have no requests. -1: none */
    unsigned nmaps;
    struct vhost_map map[VHOST_MAX_REGIONS];
    uint64_t uaddr[VHOST_MAX_REGIONS]; /* of mem.region[i], in the front end */
    struct guestmem mem;
    struct vq_piece piece[VHOST_MAX_REGIONS]; /* the same, for rings */
    struct vhost_map log, inflight;
    uint8_t *log_bits;         /* bit a page of 4 KiB; NULL: nothing is logged */
    uint64_t log_size;         /* bytes */
    uint64_t wrote, wrote_len; /* a write that is not logged yet */
    bool polled;
    unsigned pairs; /* in use: their receiveqs are on and enabled */
    struct vhost_ring ring[VHOST_MAX_RINGS];
    struct nm_flows flows;
    struct vhost_counters n;
    struct vhost_kept *kept; /* NULL: nothing outlives this process but the inflight region */
};

/** Nothing set up. @param max_pairs 1 to VHOST_MAX_PAIRS */
void vhost_init(struct vhost *v, const struct vhost_ops *ops, void *ctx, unsigned max_pairs);
/**
 * Keeps journals in memory that outlives this process, and goes on with what a former one kept
 * there if the same guest's memory comes back. Once, after vhost_init. Zeroed memory is fine.
 */
void vhost_keep(struct vhost *v, struct vhost_kept *k);
/** The front end is gone: rings stop, memory is unmapped, descriptors are closed. */
void vhost_fini(struct vhost *v);
/**
 * Carries a checked message out and answers it.
 * @return 0; a negative errno and *why: the connection is of no use any more
 */
int vhost_serve(struct vhost *v, int sock, struct vhost_rx *rx, const char **why);

/** Takes what the guest sends. @return how much was done */
unsigned vhost_poll(struct vhost *v);
/** Frames for the guest, in order. @return how many it had room for, up to the first it had not */
unsigned vhost_receive(struct vhost *v, const struct vnet_frame *f, unsigned n);
/** After a burst of these: signals the guest's interrupts. */
void vhost_signal(struct vhost *v);
/** Has the guest something to send? */
bool vhost_pending(const struct vhost *v);
/** How many of its queues run, and how many broke: the driver did what none may. Any thread. */
void vhost_count_queues(const struct vhost *v, unsigned *run, unsigned *broken);
/** As nm_model.arm and disarm. */
bool vhost_arm(struct vhost *v);
void vhost_disarm(struct vhost *v);

/* vhost_ring.c, for vhost_user.c; on the core: */
/** Starts what can be started. */
void vhost_ring_start(struct vhost *v, unsigned i);
/** Stops it, if it runs. Its position is ring.base then. */
void vhost_ring_stop(struct vhost *v, unsigned i);
/** Counts vhost.pairs anew. */
void vhost_count_pairs(struct vhost *v);

/* Features offered. */
#define VHOST_F_LOG_ALL                (1ull << 26)
#define VHOST_USER_F_PROTOCOL_FEATURES (1ull << 30)
enum {
    VHOST_USER_PROTOCOL_F_MQ = 0,
    VHOST_USER_PROTOCOL_F_LOG_SHMFD = 1,
    VHOST_USER_PROTOCOL_F_RARP = 2,
    VHOST_USER_PROTOCOL_F_REPLY_ACK = 3,
    VHOST_USER_PROTOCOL_F_MTU = 4,
    VHOST_USER_PROTOCOL_F_BACKEND_REQ = 5,
    VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD = 12,
    VHOST_USER_PROTOCOL_F_RESET_DEVICE = 13,
    VHOST_USER_PROTOCOL_F_STATUS = 16,
};

#endif
