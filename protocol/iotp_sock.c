/* SPDX-License-Identifier: BSD-3-Clause */
/* The control channel's socket: a path that one process serves. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "iotp_ctl.h"

#define BACKLOG 16

static int address(const char *path, struct sockaddr_un *a)
{
    size_t len = strlen(path);

    if (!len)
        return -EINVAL;
    if (len >= sizeof(a->sun_path))
        return -ENAMETOOLONG;
    memset(a, 0, sizeof(*a));
    a->sun_family = AF_UNIX;
    memcpy(a->sun_path, path, len);
    return 0;
}

/* Does anybody listen there? @return 0: nobody (the socket is stale); -EADDRINUSE; -errno. */
static int probe(const struct sockaddr_un *a)
{
    struct stat st;
    int s, err = 0;

    if (lstat(a->sun_path, &st))
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(st.st_mode))
        return -ENOTSOCK; /* somebody's file: never to be removed */
    s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s < 0)
        return -errno;
    if (!connect(s, (const struct sockaddr *)a, sizeof(*a)))
        err = EADDRINUSE;
    else
        err = errno;
    close(s);
    switch (err) {
    case ECONNREFUSED:
    case ENOENT: return 0;
    case EAGAIN: /* its backlog is full */
    case EPROTOTYPE: /* a stream or datagram socket, served */ return -EADDRINUSE;
    default: return -err;
    }
}

/*
 * Two servers that start at once must not take each other's socket for a stale one (between bind
 * and listen it looks like one). So whoever replaces holds a lock on the directory, which leaves
 * no lock file behind.
 */
static int lock_directory(const char *path)
{
    struct timespec nap = {.tv_nsec = 20000000};
    char copy[PATH_MAX];
    int fd;

    memcpy(copy, path, strlen(path) + 1); /* address() has bounded it */
    fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    for (int i = 0; i < 100; i++) {
        if (!flock(fd, LOCK_EX | LOCK_NB))
            return fd;
        if (errno != EWOULDBLOCK && errno != EINTR)
            break;
        nanosleep(&nap, NULL);
    }
    close(fd);
    return -EBUSY;
}

/* Binds `s`, with a stale socket out of the way. */
static int bind_and_listen(int s, const struct sockaddr_un *a)
{
    int err = probe(a);

    if (err)
        return err;
    if (unlink(a->sun_path) && errno != ENOENT)
        return -errno;
    /* On Linux the mode of the unbound socket is the mode the path gets: there is no moment in
     * which others could connect. */
    if (fchmod(s, 0600) || bind(s, (const struct sockaddr *)a, sizeof(*a)))
        return -errno;
    return listen(s, BACKLOG) ? -errno : 0;
}

int iotp_listen(const char *path)
{
    struct sockaddr_un a;
    int err = address(path, &a), lock, s;

    if (err)
        return err;
    lock = lock_directory(path);
    if (lock < 0)
        return lock;
    s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    err = s < 0 ? -errno : bind_and_listen(s, &a);
    close(lock);
    if (!err)
        return s;
    if (s >= 0)
        close(s);
    return err;
}

int iotp_connect(const char *path)
{
    struct timeval bound = {.tv_sec = IOTP_TIMEOUT_S};
    struct sockaddr_un a;
    int err = address(path, &a), s;

    if (err)
        return err;
    s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (s < 0)
        return -errno;
    if (setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof(bound)) ||
        setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof(bound)) ||
        connect(s, (const struct sockaddr *)&a, sizeof(a))) {
        err = -errno;
        close(s);
        return err;
    }
    return s;
}
