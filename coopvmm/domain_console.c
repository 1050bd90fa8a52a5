/* SPDX-License-Identifier: BSD-3-Clause */
#include "domain_console.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#define PUMP_BYTES  4096
#define DRAIN_MS    100 /* without anything new: that was all */
#define DRAIN_WAITS 10
#define LAST_PUMPS  64 /* at the end: what a terminal holds is less */

/* Nothing of what is read may be echoed back to the guest, nor cut into lines. */
static int make_raw(int fd)
{
    struct termios t;

    if (tcgetattr(fd, &t) < 0)
        return -errno;
    cfmakeraw(&t);
    return tcsetattr(fd, TCSANOW, &t) < 0 ? -errno : 0;
}

int domain_console_open(struct domain_console *c, const char *path)
{
    int err;

    c->fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (c->fd < 0)
        return -errno;
    err = make_raw(c->fd);
    if (err)
        domain_console_close(c);
    return err;
}

/* @return bytes; -EAGAIN: none now; 0 or another negative errno: the other end is gone */
static ssize_t pump(struct domain_console *c)
{
    uint8_t buf[PUMP_BYTES];
    ssize_t n;

    do
        n = read(c->fd, buf, sizeof(buf));
    while (n < 0 && errno == EINTR);
    console_lock(&c->lines);
    for (ssize_t i = 0; i < n; i++)
        console_put(&c->lines, buf[i]);
    console_unlock(&c->lines);
    return n < 0 ? -errno : n;
}

void domain_console_pump(struct domain_console *c)
{
    ssize_t n = pump(c);

    if (n <= 0 && n != -EAGAIN)
        domain_console_close(c);
}

void domain_console_drain(struct domain_console *c)
{
    struct pollfd p = {.fd = c->fd, .events = POLLIN};

    for (unsigned i = 0; i < DRAIN_WAITS && c->fd >= 0; i++) {
        unsigned n = 0;

        if (poll(&p, 1, DRAIN_MS) == 0)
            break;
        do
            domain_console_pump(c);
        while (c->fd >= 0 && poll(&p, 1, 0) > 0 && ++n < LAST_PUMPS);
    }
}

void domain_console_close(struct domain_console *c)
{
    if (c->fd < 0)
        return;
    for (unsigned i = 0; i < LAST_PUMPS && pump(c) > 0; i++)
        ;
    console_lock(&c->lines);
    console_flush(&c->lines);
    console_unlock(&c->lines);
    close(c->fd);
    c->fd = -1;
}
