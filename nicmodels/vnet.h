/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames through the virtqueues of a virtio network device (VIRTIO 1.2, 5.1.6; names as there):
 * header, mergeable receive buffers, checksum and segmentation offloads. A PCI device
 * (virtio_net.c) and a vhost-user back end share it.
 *
 * What a driver leaves to the device to segment goes on whole, if whoever takes frames here takes
 * such ones; else it is segmented here, into frames of at most NM_MAX_FRAME bytes.
 *
 * Threads: those of the queues.
 */
#ifndef COOPVMM_NICMODELS_VNET_H
#define COOPVMM_NICMODELS_VNET_H

#include <stddef.h>

#include "model.h"
#include "virtq.h"

/* Feature bits (5.1.3). */
#define VIRTIO_NET_F_CSUM                (1ull << 0)
#define VIRTIO_NET_F_GUEST_CSUM          (1ull << 1)
#define VIRTIO_NET_F_CTRL_GUEST_OFFLOADS (1ull << 2)
#define VIRTIO_NET_F_MTU                 (1ull << 3)
#define VIRTIO_NET_F_MAC                 (1ull << 5)
#define VIRTIO_NET_F_GUEST_TSO4          (1ull << 7)
#define VIRTIO_NET_F_GUEST_TSO6          (1ull << 8)
#define VIRTIO_NET_F_GUEST_ECN           (1ull << 9)
#define VIRTIO_NET_F_GUEST_UFO           (1ull << 10)
#define VIRTIO_NET_F_HOST_TSO4           (1ull << 11)
#define VIRTIO_NET_F_HOST_TSO6           (1ull << 12)
#define VIRTIO_NET_F_HOST_ECN            (1ull << 13)
#define VIRTIO_NET_F_HOST_UFO            (1ull << 14)
#define VIRTIO_NET_F_MRG_RXBUF           (1ull << 15)
#define VIRTIO_NET_F_STATUS              (1ull << 16)
#define VIRTIO_NET_F_CTRL_VQ             (1ull << 17)
#define VIRTIO_NET_F_CTRL_RX             (1ull << 18)
#define VIRTIO_NET_F_CTRL_VLAN           (1ull << 19)
#define VIRTIO_NET_F_CTRL_RX_EXTRA       (1ull << 20)
#define VIRTIO_NET_F_GUEST_ANNOUNCE      (1ull << 21)
#define VIRTIO_NET_F_MQ                  (1ull << 22)
#define VIRTIO_NET_F_CTRL_MAC_ADDR       (1ull << 23)
#define VIRTIO_NET_F_HOST_USO            (1ull << 56)
/* What this file does, whoever uses it. */
#define VNET_FEATURES                                                                              \
    (VIRTIO_NET_F_CSUM | VIRTIO_NET_F_GUEST_CSUM | VIRTIO_NET_F_HOST_TSO4 |                        \
     VIRTIO_NET_F_HOST_TSO6 | VIRTIO_NET_F_HOST_ECN | VIRTIO_NET_F_HOST_USO |                      \
     VIRTIO_NET_F_MRG_RXBUF)
#define VNET_GUEST_TSO (VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_NET_F_GUEST_TSO6)

/* struct virtio_net_hdr (5.1.6), little-endian. */
struct vnet_hdr {
    uint8_t flags;    /* VNET_HDR_F_* */
    uint8_t gso_type; /* VNET_GSO_* */
    uint16_t hdr_len;
    uint16_t gso_size;
    uint16_t csum_start;
    uint16_t csum_offset;
    uint16_t num_buffers; /* not there in the legacy interface without mergeable buffers */
};
_Static_assert(sizeof(struct vnet_hdr) == 12, "5.1.6");
enum { VNET_HDR_F_NEEDS_CSUM = 1, VNET_HDR_F_DATA_VALID = 2 };
enum {
    VNET_GSO_NONE = 0,
    VNET_GSO_TCPV4 = 1,
    VNET_GSO_TCPV6 = 4,
    VNET_GSO_UDP_L4 = 5,
    VNET_GSO_ECN = 0x80,
};

/* How a device moves frames. */
struct vnet {
    const struct vq_mem *mem;
    bool mergeable;  /* VIRTIO_NET_F_MRG_RXBUF */
    bool legacy;     /* without VIRTIO_F_VERSION_1 */
    bool tell_valid; /* VIRTIO_NET_F_GUEST_CSUM: checksums are looked at for the driver */
    /** Takes what is to be segmented whole, as nm_env.tx_large; NULL: all is segmented here. */
    bool (*send_large)(void *ctx, const struct nm_tso *t, nm_read_fn read, const void *from);
    void *ctx;
};

/* A frame in the host's memory. */
struct vnet_frame {
    uint8_t *data; /* to be filled: room for NM_MAX_FRAME bytes */
    uint32_t len;
    /* For the driver, if it has agreed to such ones (GUEST_TSO4, GUEST_TSO6): how it is still to be
     * segmented. NULL: not at all */
    const struct nm_tso *large;
};
/* Room for frames, and how many there are in it. */
struct vnet_room {
    struct vnet_frame *f;
    unsigned size, n;
};

static inline unsigned vnet_hdr_len(const struct vnet *n)
{
    return n->legacy && !n->mergeable ? 10 : 12;
}

/**
 * Takes what the driver wants sent: at most a batch of chains, while there is room. Frames have 14
 * to NM_MAX_FRAME bytes; others are none. One to be segmented that does not get through is gone on
 * with in the next call.
 * @param segment how far that is; 0 at first
 * @param out gets the frames, behind those it has. What goes whole takes the room of a frame, and
 *        goes when there is none before it: those have to leave first
 * @param irq set if the driver wants an interrupt, else left alone
 * @return chains and frames done
 */
unsigned vnet_transmit(const struct vnet *n, struct virtq *q, struct vq_journal *j,
                       uint32_t *segment, struct vnet_room *out, bool *irq);

/** Is there room for a frame of `len` bytes? Also if there never will be: then it is dropped. */
bool vnet_can_receive(const struct vnet *n, struct virtq *q, size_t len);
/**
 * Puts frames into the driver's buffers, in order, until one finds no room.
 * @param irq as above
 * @return how many are there; it is for the caller to drop the others
 */
unsigned vnet_receive(const struct vnet *n, struct virtq *q, struct vq_journal *j,
                      const struct vnet_frame *f, unsigned count, bool *irq);

#endif
