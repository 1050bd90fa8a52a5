/* SPDX-License-Identifier: BSD-3-Clause */
#include "vhost_msg.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What a request's payload must have. */
static const struct form {
    uint16_t size;
    uint8_t min_fds, max_fds;
    bool known;
} forms[] = {
#define FORM(request, type, min, max) [request] = {sizeof(type), min, max, true}
#define EMPTY(request)                [request] = {0, 0, 0, true}
    EMPTY(VHOST_USER_GET_FEATURES),
    FORM(VHOST_USER_SET_FEATURES, uint64_t, 0, 0),
    EMPTY(VHOST_USER_SET_OWNER),
    EMPTY(VHOST_USER_RESET_OWNER),
    [VHOST_USER_SET_MEM_TABLE] = {0, 1, VHOST_MAX_REGIONS, true}, /* see check_memory */
    FORM(VHOST_USER_SET_LOG_BASE, struct vhost_log, 1, 1),
    FORM(VHOST_USER_SET_LOG_FD, uint64_t, 0, 1),
    FORM(VHOST_USER_SET_VRING_NUM, struct vhost_state, 0, 0),
    FORM(VHOST_USER_SET_VRING_ADDR, struct vhost_addr, 0, 0),
    FORM(VHOST_USER_SET_VRING_BASE, struct vhost_state, 0, 0),
    FORM(VHOST_USER_GET_VRING_BASE, struct vhost_state, 0, 0),
    FORM(VHOST_USER_SET_VRING_KICK, uint64_t, 0, 1),
    FORM(VHOST_USER_SET_VRING_CALL, uint64_t, 0, 1),
    FORM(VHOST_USER_SET_VRING_ERR, uint64_t, 0, 1),
    EMPTY(VHOST_USER_GET_PROTOCOL_FEATURES),
    FORM(VHOST_USER_SET_PROTOCOL_FEATURES, uint64_t, 0, 0),
    EMPTY(VHOST_USER_GET_QUEUE_NUM),
    FORM(VHOST_USER_SET_VRING_ENABLE, struct vhost_state, 0, 0),
    FORM(VHOST_USER_SEND_RARP, uint64_t, 0, 0),
    FORM(VHOST_USER_NET_SET_MTU, uint64_t, 0, 0),
    [VHOST_USER_SET_BACKEND_REQ_FD] = {0, 1, 1, true},
    FORM(VHOST_USER_GET_INFLIGHT_FD, struct vhost_inflight, 0, 0),
    FORM(VHOST_USER_SET_INFLIGHT_FD, struct vhost_inflight, 1, 1),
    EMPTY(VHOST_USER_RESET_DEVICE),
    FORM(VHOST_USER_SET_STATUS, uint64_t, 0, 0),
    EMPTY(VHOST_USER_GET_STATUS),
};

static bool has_vring_fd(uint32_t request)
{
    return request >= VHOST_USER_SET_VRING_KICK && request <= VHOST_USER_SET_VRING_ERR;
}

/* As many regions as descriptors, and the message not longer than they take; front ends may leave
 * out those that are not used, or not. */
static bool memory_fits(const struct vhost_msg *m, unsigned nfds)
{
    uint32_t n = m->size >= 8 ? m->u.memory.nregions : 0;

    return n >= 1 && n <= VHOST_MAX_REGIONS && n == nfds &&
           m->size >= 8 + n * sizeof(struct vhost_region);
}

int vhost_check(const struct vhost_msg *m, unsigned nfds, const char **why)
{
    const struct form *f =
        m->request < sizeof(forms) / sizeof(forms[0]) ? &forms[m->request] : NULL;

    *why = NULL;
    if ((m->flags & VHOST_VERSION_MASK) != VHOST_VERSION || (m->flags & VHOST_F_REPLY))
        *why = "the header's version or flags are none";
    else if (!f || !f->known)
        *why = "this request was not negotiated";
    else if (m->request == VHOST_USER_SET_MEM_TABLE)
        *why = memory_fits(m, nfds) ? NULL : "SET_MEM_TABLE: regions, descriptors or size";
    else if (f->size > m->size)
        *why = "a message is shorter than its request takes";
    else if (nfds < f->min_fds || nfds > f->max_fds)
        *why = "a message has too many descriptors, or too few";
    else if (has_vring_fd(m->request) && nfds != !(m->u.u64 & VHOST_VRING_NOFD))
        *why = "a queue's descriptor is missing, or one too many";
    return *why ? -EPROTO : 0;
}

static bool take_fds(struct vhost_rx *rx, struct msghdr *h)
{
    bool fit = !(h->msg_flags & MSG_CTRUNC);

    for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
        unsigned n = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        const unsigned char *p = CMSG_DATA(c);

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        for (unsigned i = 0; i < n; i++) {
            int fd;

            memcpy(&fd, p + i * sizeof(fd), sizeof(fd));
            if (rx->nfds < VHOST_MAX_FDS) {
                rx->fd[rx->nfds++] = fd;
                continue;
            }
            close(fd);
            fit = false;
        }
    }
    return fit;
}

/* The bytes that are still to come of the header, or behind it of the payload. */
static struct iovec next_bytes(struct vhost_rx *rx)
{
    size_t behind = rx->got - VHOST_HDR_SIZE;

    if (rx->got < VHOST_HDR_SIZE)
        return (struct iovec){(uint8_t *)&rx->m + rx->got, VHOST_HDR_SIZE - rx->got};
    return (struct iovec){(uint8_t *)&rx->m.u + behind, rx->m.size - behind};
}

static int recv_some(int sock, struct vhost_rx *rx, const char **why)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(VHOST_MAX_FDS * sizeof(int))];
    struct iovec v = next_bytes(rx);
    struct msghdr h = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    ssize_t n = recvmsg(sock, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

    if (n < 0)
        return errno == EINTR || errno == EWOULDBLOCK ? -EAGAIN : -errno;
    if (!take_fds(rx, &h)) {
        *why = "more descriptors than a message can have";
        return -EPROTO;
    }
    if (!n)
        return -ENOTCONN;
    rx->got += (size_t)n;
    return 0;
}

int vhost_recv(int sock, struct vhost_rx *rx, const char **why)
{
    *why = NULL;
    for (;;) {
        int err;

        if (rx->got >= VHOST_HDR_SIZE) {
            if (rx->m.size > sizeof(rx->m.u)) {
                *why = "a message is longer than any request takes";
                return -EPROTO;
            }
            if (rx->got == VHOST_HDR_SIZE + rx->m.size)
                return vhost_check(&rx->m, rx->nfds, why);
        }
        err = recv_some(sock, rx, why);
        if (err)
            return err;
    }
}

void vhost_rx_done(struct vhost_rx *rx)
{
    for (unsigned i = 0; i < rx->nfds; i++)
        if (rx->fd[i] >= 0)
            close(rx->fd[i]);
    memset(rx, 0, sizeof(*rx));
}

int vhost_reply(int sock, const struct vhost_msg *m, uint32_t size, int fd)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
    struct vhost_msg out = *m;
    struct iovec v[2] = {{&out, VHOST_HDR_SIZE}, {&out.u, size}};
    struct msghdr h = {.msg_iov = v, .msg_iovlen = size ? 2 : 1};

    out.flags = VHOST_VERSION | VHOST_F_REPLY;
    out.size = size;
    if (fd >= 0) {
        struct cmsghdr *c;

        h.msg_control = control;
        h.msg_controllen = sizeof(control);
        c = CMSG_FIRSTHDR(&h);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &fd, sizeof(fd));
    }
    /* Answers are short: a front end that leaves its socket full of them is not served on. */
    return sendmsg(sock, &h, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)(VHOST_HDR_SIZE + size)
               ? 0
               : -EIO;
}
