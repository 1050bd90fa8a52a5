/* SPDX-License-Identifier: BSD-3-Clause */
/* Control messages on their way: one message is one SOCK_SEQPACKET packet. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "iotp_check.h"
#include "iotp_ctl.h"

/* Room for the descriptors of one message, aligned as cmsg(3) wants it. */
union fd_room {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(IOTP_MAX_FDS * sizeof(int))];
};

IOTP_STATIC_ASSERT(sizeof(struct iotp_msg_hdr) + sizeof(struct iotp_device_info) <= IOTP_MAX_MSG,
                   "the longest message does not fit");

static void no_descriptors(struct iotp_msg *m)
{
    m->nfds = 0;
    for (unsigned i = 0; i < IOTP_MAX_FDS; i++)
        m->fd[i] = -1;
}

/* --- sending --- */

/* The peer is gone: one error for all the ways the kernel says so. */
static int peer_error(int err)
{
    return err == EPIPE || err == ECONNRESET ? -ENOTCONN : -err;
}

static void attach_descriptors(struct msghdr *h, union fd_room *room, const struct iotp_msg *m)
{
    struct cmsghdr *c;

    h->msg_control = room->bytes;
    h->msg_controllen = CMSG_SPACE(m->nfds * sizeof(int));
    c = CMSG_FIRSTHDR(h);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(m->nfds * sizeof(int));
    memcpy(CMSG_DATA(c), m->fd, m->nfds * sizeof(int));
}

int iotp_msg_send(int sock, const struct iotp_msg *m)
{
    struct iotp_msg_hdr hdr = {.magic = IOTP_MAGIC, .type = m->type, .serial = m->serial};
    struct iovec iov[2] = {{.iov_base = &hdr, .iov_len = sizeof(hdr)},
                           {.iov_base = (void *)&m->u, .iov_len = 0}};
    struct msghdr h = {.msg_iov = iov, .msg_iovlen = 2};
    union fd_room room;
    ssize_t n;

    if (iotp_msg_check(m))
        return -EINVAL;
    hdr.nfds = (uint16_t)m->nfds;
    hdr.length = iotp_msg_type_info(m->type)->body;
    iov[1].iov_len = hdr.length;
    memset(&room, 0, sizeof(room));
    if (m->nfds)
        attach_descriptors(&h, &room, m);
    do
        n = sendmsg(sock, &h, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? peer_error(errno) : 0;
}

static void printable(char *text)
{
    for (; *text; text++)
        if (*text < 0x20 || *text > 0x7e)
            *text = '?';
}

int iotp_msg_error(int sock, uint32_t serial, int error, const char *fmt, ...)
{
    struct iotp_msg m = {.type = IOTP_MSG_ERROR, .serial = serial};
    va_list ap;

    m.u.error.error = error < 0 && error >= -4095 ? error : -EPROTO;
    va_start(ap, fmt);
    vsnprintf(m.u.error.text, sizeof(m.u.error.text), fmt, ap);
    va_end(ap);
    printable(m.u.error.text);
    return iotp_msg_send(sock, &m);
}

/* --- receiving --- */

/* Takes descriptors into our keeping before anything is judged, so that none can leak. */
static void collect_descriptors(struct msghdr *h, struct iotp_msg *m)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
        size_t n;

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
            if (m->nfds < IOTP_MAX_FDS)
                m->fd[m->nfds++] = fd;
            else
                close(fd);
        }
    }
}

int iotp_msg_parse(const void *packet, size_t len, unsigned nfds, struct iotp_msg *m,
                   const char **why)
{
    const struct iotp_msg_type_info *t;
    const char *wrong = NULL;
    struct iotp_msg_hdr hdr;

    memset(m, 0, sizeof(*m));
    no_descriptors(m);
    if (len < sizeof(hdr)) {
        wrong = "shorter than a header";
        goto out;
    }
    memcpy(&hdr, packet, sizeof(hdr));
    if (hdr.magic != IOTP_MAGIC) {
        wrong = "bad magic";
        goto out;
    }
    m->serial = hdr.serial;
    m->type = hdr.type;
    t = iotp_msg_type_info(hdr.type);
    if (!t)
        wrong = "unknown message type";
    else if (hdr.length != t->body || len - sizeof(hdr) != t->body)
        wrong = "length is not that of its type";
    else if (hdr.nfds != nfds)
        wrong = "number of descriptors is not what the header says";
    if (wrong)
        goto out;
    memcpy(&m->u, (const char *)packet + sizeof(hdr), t->body);
    m->nfds = nfds;
    wrong = iotp_msg_check(m);
    m->nfds = 0;
out:
    if (why)
        *why = wrong;
    if (wrong)
        return -EPROTO;
    m->nfds = nfds;
    return 0;
}

/* The packet is here, its descriptors are in *got: judge it. */
static int judge(const void *packet, size_t len, int flags, struct iotp_msg *got,
                 struct iotp_msg *m, const char **why)
{
    int err = iotp_msg_parse(packet, len, got->nfds, m, why);

    if (flags & (MSG_TRUNC | MSG_CTRUNC)) {
        err = -EPROTO;
        if (why)
            *why = flags & MSG_TRUNC ? "longer than any message" : "too many descriptors";
    }
    if (err) {
        m->nfds = 0;
        iotp_msg_close(got);
        return err;
    }
    memcpy(m->fd, got->fd, sizeof(m->fd));
    return 0;
}

int iotp_msg_recv(int sock, struct iotp_msg *m, const char **why)
{
    char packet[IOTP_MAX_MSG];
    union fd_room room;
    struct iovec iov = {.iov_base = packet, .iov_len = sizeof(packet)};
    struct msghdr h = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = room.bytes,
                       .msg_controllen = sizeof(room.bytes)};
    struct iotp_msg got;
    ssize_t n;

    if (why)
        *why = NULL;
    memset(m, 0, sizeof(*m));
    no_descriptors(m);
    no_descriptors(&got);
    do
        n = recvmsg(sock, &h, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return peer_error(errno);
    collect_descriptors(&h, &got);
    if (n == 0 && !got.nfds && !(h.msg_flags & MSG_CTRUNC))
        return -ENOTCONN; /* an empty packet looks the same, and is no message either */
    return judge(packet, (size_t)n, h.msg_flags, &got, m, why);
}

void iotp_msg_close(struct iotp_msg *m)
{
    for (unsigned i = 0; i < m->nfds && i < IOTP_MAX_FDS; i++)
        if (m->fd[i] >= 0)
            close(m->fd[i]);
    no_descriptors(m);
}

/* --- asking --- */

static uint16_t answer_to(uint16_t type)
{
    switch (type) {
    case IOTP_MSG_HELLO: return IOTP_MSG_HELLO_OK;
    case IOTP_MSG_DEVICE: return IOTP_MSG_DEVICE_INFO;
    default: return IOTP_MSG_OK;
    }
}

/* Any number will do while one question is open at a time; one that differs from the last shows up
 * an answer that came too late. */
static uint32_t fresh_serial(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint32_t)(t.tv_sec * 1000000 + t.tv_nsec / 1000) | 1;
}

int iotp_msg_ask(int sock, struct iotp_msg *m, const char **why)
{
    uint16_t want = answer_to(m->type);
    uint32_t serial = m->serial ? m->serial : fresh_serial();
    int err;

    if (why)
        *why = NULL;
    m->serial = serial;
    err = iotp_msg_send(sock, m);
    if (!err)
        err = iotp_msg_recv(sock, m, why);
    else
        no_descriptors(m); /* the asker's own: never to be closed as if they were received */
    if (err)
        return err;
    if (m->type == IOTP_MSG_ERROR && (m->serial == serial || !m->serial))
        return m->u.error.error;
    if (m->type == want && m->serial == serial)
        return 0;
    iotp_msg_close(m);
    if (why)
        *why = "the answer is to another question";
    return -EPROTO;
}
