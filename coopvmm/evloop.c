/* SPDX-License-Identifier: BSD-3-Clause */
#include "evloop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

int evloop_new(void)
{
    int fd = epoll_create1(EPOLL_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

int evloop_add(int loop, struct ev *e, int fd, void (*ready)(struct ev *e), void *owner)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = e};

    *e = (struct ev){.fd = fd, .ready = ready, .owner = owner};
    if (epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event) == 0)
        return 0;
    e->fd = -1;
    return -errno;
}

void evloop_close(int loop, struct ev *e)
{
    if (e->fd < 0)
        return;
    epoll_ctl(loop, EPOLL_CTL_DEL, e->fd, NULL);
    close(e->fd);
    e->fd = -1;
}

int evloop_once(int loop, int timeout_ms)
{
    struct epoll_event event;
    int n = epoll_wait(loop, &event, 1, timeout_ms);

    if (n < 0)
        return errno == EINTR ? 0 : -errno;
    if (n == 1) {
        struct ev *e = event.data.ptr;

        e->ready(e);
    }
    return 0;
}
