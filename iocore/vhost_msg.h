/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The vhost-user protocol's messages (QEMU, docs/interop/vhost-user.rst; names as there) on a
 * UNIX stream socket: as received, in pieces, with descriptors; as answered.
 *
 * A front end is hostile: a message is checked for its size and number of descriptors before anyone
 * looks into it, one that does not come whole holds nobody up.
 *
 * Threads: the control thread.
 */
#ifndef COOPVMM_IOCORE_VHOST_MSG_H
#define COOPVMM_IOCORE_VHOST_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VHOST_MAX_REGIONS 8 /* VHOST_MEMORY_BASELINE_NREGIONS */
#define VHOST_MAX_FDS     VHOST_MAX_REGIONS

enum vhost_request {
    VHOST_USER_GET_FEATURES = 1,
    VHOST_USER_SET_FEATURES = 2,
    VHOST_USER_SET_OWNER = 3,
    VHOST_USER_RESET_OWNER = 4,
    VHOST_USER_SET_MEM_TABLE = 5,
    VHOST_USER_SET_LOG_BASE = 6,
    VHOST_USER_SET_LOG_FD = 7,
    VHOST_USER_SET_VRING_NUM = 8,
    VHOST_USER_SET_VRING_ADDR = 9,
    VHOST_USER_SET_VRING_BASE = 10,
    VHOST_USER_GET_VRING_BASE = 11,
    VHOST_USER_SET_VRING_KICK = 12,
    VHOST_USER_SET_VRING_CALL = 13,
    VHOST_USER_SET_VRING_ERR = 14,
    VHOST_USER_GET_PROTOCOL_FEATURES = 15,
    VHOST_USER_SET_PROTOCOL_FEATURES = 16,
    VHOST_USER_GET_QUEUE_NUM = 17,
    VHOST_USER_SET_VRING_ENABLE = 18,
    VHOST_USER_SEND_RARP = 19,
    VHOST_USER_NET_SET_MTU = 20,
    VHOST_USER_SET_BACKEND_REQ_FD = 21,
    VHOST_USER_GET_INFLIGHT_FD = 31,
    VHOST_USER_SET_INFLIGHT_FD = 32,
    VHOST_USER_RESET_DEVICE = 34,
    VHOST_USER_SET_STATUS = 39,
    VHOST_USER_GET_STATUS = 40,
};

#define VHOST_VERSION      1u
#define VHOST_VERSION_MASK 3u
#define VHOST_F_REPLY      (1u << 2)
#define VHOST_F_NEED_REPLY (1u << 3)
#define VHOST_VRING_MASK   0xffu /* of the u64 of SET_VRING_KICK, _CALL, _ERR */
#define VHOST_VRING_NOFD   (1u << 8)

struct vhost_state {
    uint32_t index, num;
};
struct vhost_addr {
    uint32_t index, flags;
    uint64_t desc, used, avail, log; /* the first three are the front end's own addresses */
};
#define VHOST_VRING_F_LOG 1u
struct vhost_region {
    uint64_t gpa, size, uaddr, mmap_offset;
};
struct vhost_memory {
    uint32_t nregions, padding;
    struct vhost_region region[VHOST_MAX_REGIONS];
};
struct vhost_log {
    uint64_t size, offset;
};
struct vhost_inflight {
    uint64_t size, offset;
    uint16_t nqueues, queue_size;
    uint32_t padding;
};

/* A message: 12 bytes of header, and behind them `size` bytes of payload, all in the machine's own
 * byte order. On the wire nothing is between the two. */
struct vhost_msg {
    uint32_t request, flags, size;
    union {
        uint64_t u64;
        struct vhost_state state;
        struct vhost_addr addr;
        struct vhost_memory memory;
        struct vhost_log log;
        struct vhost_inflight inflight;
    } u;
};
#define VHOST_HDR_SIZE 12
_Static_assert(offsetof(struct vhost_msg, size) == 8, "wire layout");
_Static_assert(sizeof(struct vhost_memory) == 8 + 32 * VHOST_MAX_REGIONS, "wire layout");

/* What has come of a message. Zeroed: nothing. Descriptors are the receiver's. */
struct vhost_rx {
    struct vhost_msg m;
    size_t got; /* bytes, of header and payload */
    unsigned nfds;
    int fd[VHOST_MAX_FDS];
};

/**
 * Receives more of a message; never blocks.
 * @return 0: it is whole and checked; -EAGAIN: not yet; -ENOTCONN: the peer is gone; -EPROTO:
 *         refused, *why says what for; another negative errno
 */
int vhost_recv(int sock, struct vhost_rx *rx, const char **why);
/** Forgets a message, and closes the descriptors nobody took (set to -1). */
void vhost_rx_done(struct vhost_rx *rx);
/** The check alone: of a whole message. @return 0 or -EPROTO and *why */
int vhost_check(const struct vhost_msg *m, unsigned nfds, const char **why);

/** Answers a message: its payload as it stands in *m, `size` bytes, and a descriptor (-1: none).
 * @return 0 or a negative errno */
int vhost_reply(int sock, const struct vhost_msg *m, uint32_t size, int fd);

#endif
