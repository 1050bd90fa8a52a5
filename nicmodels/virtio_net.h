/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Virtio network device over PCI (VIRTIO 1.2, 5.1): what its parts know of each other.
 *   virtio_net.c       the model: configuration, queues, frames both ways
 *   virtio_net_ctrl.c  the control queue's commands
 *   virtio_net_filter.c  which frames the driver wants
 *
 * Queues: receiveq1 transmitq1 receiveq2 ... controlq (5.1.2).
 *
 * Recovery (model.h). How far each queue has got stands in its journal in ram, which is written
 * before the driver sees it; a commit is needed only where registers change. A command of the
 * control queue is carried out in one call of poll and answered in the next, after the commit, so
 * that what the driver was told is not forgotten. A frame that was to be segmented starts over.
 */
#ifndef COOPVMM_NICMODELS_VIRTIO_NET_H
#define COOPVMM_NICMODELS_VIRTIO_NET_H

#include "flows.h"
#include "virtio_pci.h"
#include "vnet.h"

#define VN_MAX_PAIRS 8
#define VN_MAX_MACS  64 /* addresses the filter has room for */

/* What the driver wants to receive (5.1.6.5.1). */
enum {
    VN_RX_PROMISC = 0x01,
    VN_RX_ALLMULTI = 0x02,
    VN_RX_ALLUNI = 0x04,
    VN_RX_NOMULTI = 0x08,
    VN_RX_NOUNI = 0x10,
    VN_RX_NOBCAST = 0x20,
    /* The filter's table did not hold them all: better too many than too few. */
    VN_RX_UNI_OVERFLOW = 0x40,
    VN_RX_MULTI_OVERFLOW = 0x80,
};

/* What is done for the driver when it receives (5.1.6.5.6.1). */
enum { VN_OFFLOAD_CSUM = 1, VN_OFFLOAD_TSO4 = 2, VN_OFFLOAD_TSO6 = 4, VN_OFFLOAD_ALL = 7 };

struct virtio_net {
    struct virtio_pci v;      /* first: struct vp */
    uint8_t mac[6];           /* now */
    uint8_t own_mac[6];       /* after reset */
    uint8_t max_pairs, pairs; /* queue pairs there are, and those in use */
    uint8_t rx_mode;          /* VN_RX_* */
    uint8_t nuni, nmulti;     /* addresses in the table: unicast ones first */
    uint8_t announce;         /* 1: the driver is asked to announce itself */
    uint8_t offloads;         /* VN_OFFLOAD_* the driver wants now, of those negotiated */
    uint8_t next_tx;          /* pair that is served first next */
    uint8_t ctrl_done;        /* 1: the command at ctrl_at was carried out, with ctrl_ack */
    uint8_t ctrl_ack;
    struct vq_pos ctrl_at;
    uint32_t segment[VN_MAX_PAIRS]; /* of the frame that transmitq is in the middle of */
    struct vn_held {                /* transmitq's interrupt, held back */
        uint64_t due;               /* nm_env.now; 0: none is */
        struct vq_pos from;         /* where what it is for began */
    } held[VN_MAX_PAIRS];
};

/* ram */
struct virtio_net_ram {
    struct vq_journal journal[VP_MAX_QUEUES];
    uint8_t macs[VN_MAX_MACS][6];
    uint8_t vlans[4096 / 8]; /* bit a VLAN ID */
    struct nm_flows flows;
};

static inline struct virtio_net *vn_of(const struct vp *p)
{
    return (struct virtio_net *)(void *)p->r;
}

static inline struct virtio_net_ram *vn_ram(const struct vp *p)
{
    return (struct virtio_net_ram *)(void *)p->d->ram;
}

/* Index of the control queue: behind all pairs, or behind the first without MQ (5.1.2). */
static inline unsigned vn_ctrl_queue(const struct vp *p)
{
    return vp_has(p, VIRTIO_NET_F_MQ) ? 2u * vn_of(p)->max_pairs : 2;
}

/** VN_OFFLOAD_* of feature bits. */
unsigned vn_offloads(uint64_t features);
/** Does the driver want this frame? (5.1.6.4.2) */
bool vn_accepts(const struct vp *p, const uint8_t *frame, size_t len);
/** Nothing filtered, nothing learned: as before any driver. */
void vn_reset_filter(const struct vp *p);
/** Is there something to do for vn_control? */
bool vn_control_pending(const struct vp *p);
/** One step of the control queue. @return 0: there was nothing */
unsigned vn_control(const struct vp *p);

#endif
