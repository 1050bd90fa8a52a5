/* SPDX-License-Identifier: BSD-3-Clause */
#include "supctl.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static int address(const char *path, struct sockaddr_un *sa)
{
    memset(sa, 0, sizeof(*sa));
    sa->sun_family = AF_UNIX;
    if (strlen(path) >= sizeof(sa->sun_path))
        return -ENAMETOOLONG;
    strcpy(sa->sun_path, path);
    return 0;
}

int supctl_listen(const char *path)
{
    struct sockaddr_un sa;
    int err = address(path, &sa), fd;

    if (err)
        return err;
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    /* fchmod before bind(2) sets the mode the socket's file is made with */
    if (fchmod(fd, 0600) < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
        listen(fd, 16) < 0) {
        err = -errno;
        close(fd);
        return err;
    }
    return fd;
}

int supctl_accept(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), size;
    struct ucred peer;
    socklen_t len = sizeof(peer);

    if (fd < 0)
        return -errno;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 ||
        (peer.uid != geteuid() && peer.uid != 0)) {
        close(fd);
        return -EACCES;
    }
    size = (int)SUPCTL_MAX_REPLY;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    return fd;
}

/* One packet as a JSON object, in a buffer of `max` bytes. */
static int recv_object(int fd, char *buf, size_t max, json_t **out)
{
    ssize_t n;

    *out = NULL;
    do
        n = recv(fd, buf, max, MSG_TRUNC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == ECONNRESET ? -ENOTCONN : -errno;
    if (n == 0)
        return -ENOTCONN;
    if ((size_t)n > max)
        return -EPROTO;
    *out = json_loadb(buf, (size_t)n, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(*out))
        return 0;
    json_decref(*out);
    *out = NULL;
    return -EPROTO;
}

static int send_object(int fd, json_t *j, size_t max, int flags)
{
    char *text = json_dumps(j, JSON_COMPACT);
    size_t len = text ? strlen(text) : 0;
    int err = 0;

    json_decref(j);
    if (!text)
        return -ENOMEM;
    if (len > max)
        err = -EMSGSIZE;
    else if (send(fd, text, len, flags | MSG_NOSIGNAL) < 0)
        err = errno == EPIPE || errno == ECONNRESET ? -ENOTCONN : -errno;
    free(text);
    return err;
}

int supctl_recv(int fd, json_t **out)
{
    char buf[SUPCTL_MAX_REQUEST];

    return recv_object(fd, buf, sizeof(buf), out);
}

int supctl_send(int fd, json_t *answer)
{
    return send_object(fd, answer, SUPCTL_MAX_REPLY, MSG_DONTWAIT);
}

json_t *supctl_error(const char *fmt, ...)
{
    char text[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    /* the text may repeat what a client sent: %s wants UTF-8, and what is not is replaced */
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e)
            *p = '?';
    return json_pack("{s:b, s:s}", "ok", 0, "error", text);
}

int supctl_connect(const char *dir)
{
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
    struct sockaddr_un sa;
    int fd, err;

    if (snprintf(path, sizeof(path), "%s/ctl.sock", dir) >= (int)sizeof(path))
        return -ENAMETOOLONG;
    err = address(path, &sa);
    if (err)
        return err;
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
        err = -errno;
        close(fd);
        return err;
    }
    return fd;
}

static long now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Waits until there is something to read, or the connection is closed. */
static int wait_readable(int fd, long deadline_ms)
{
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        long left = deadline_ms - now_ms();
        int n = poll(&p, 1, left > 0 ? (int)left : 0);

        if (n > 0)
            return 0;
        if (n == 0)
            return -ETIMEDOUT;
        if (errno != EINTR)
            return -errno;
    }
}

int supctl_ask(int fd, json_t *request, int timeout_ms, json_t **answer)
{
    char *buf;
    int err;

    *answer = NULL;
    err = send_object(fd, request, SUPCTL_MAX_REQUEST, 0);
    if (!err)
        err = wait_readable(fd, now_ms() + timeout_ms);
    if (err)
        return err;
    buf = malloc(SUPCTL_MAX_REPLY);
    if (!buf)
        return -ENOMEM;
    err = recv_object(fd, buf, SUPCTL_MAX_REPLY, answer);
    free(buf);
    if (!err && !json_is_true(json_object_get(*answer, "ok")))
        err = -EREMOTEIO;
    return err;
}

int supctl_wait_end(int fd, int timeout_ms)
{
    long deadline = now_ms() + timeout_ms;
    char buf[64];

    for (;;) {
        int err = wait_readable(fd, deadline);

        if (err)
            return err;
        if (recv(fd, buf, sizeof(buf), 0) <= 0)
            return 0;
    }
}
