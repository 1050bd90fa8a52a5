/* SPDX-License-Identifier: BSD-3-Clause */
#include "childlog.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PUMP_BYTES 16384
#define TAG_BYTES  48

/* A whole line fits into what a pipe takes at once, with each character escaped. */
_Static_assert(TAG_BYTES + 4 * CHILDLOG_LINE + 1 <= PIPE_BUF, "a line may block");

/* Would a write of a line be taken at once? A pipe that says so has room for PIPE_BUF bytes. */
static bool writable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};

    return poll(&p, 1, 0) == 1 && (p.revents & (POLLOUT | POLLERR | POLLHUP));
}

static bool put(struct echo *e, const char *text, size_t len)
{
    if (!writable(e->fd))
        return false;
    if (write(e->fd, text, len) < 0 && (errno == EPIPE || errno == EIO || errno == EBADF))
        e->fd = -1; /* nobody looks any more */
    return true;
}

/* Control characters as \xNN: a guest must not drive the operator's terminal. */
static size_t printable(char *out, const char *line, size_t len)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)line[i];

        if ((c >= 0x20 && c != 0x7f) || c == '\t')
            out[n++] = (char)c;
        else if (c != '\r')
            n += (size_t)sprintf(out + n, "\\x%02x", c);
    }
    return n;
}

void echo_line(struct echo *e, const char *tag, const char *line, size_t len)
{
    char text[TAG_BYTES + 4 * CHILDLOG_LINE + 1];
    size_t n;

    if (e->fd < 0)
        return;
    if (e->lost) {
        n = (size_t)snprintf(text, sizeof(text), "[%u lines not shown; the logs have them]\n",
                             e->lost);
        if (put(e, text, n))
            e->lost = 0;
    }
    if (len > CHILDLOG_LINE)
        len = CHILDLOG_LINE;
    n = (size_t)snprintf(text, TAG_BYTES, "%.*s", TAG_BYTES - 1, tag);
    n += printable(text + n, line, len);
    text[n++] = '\n';
    if (e->lost || !put(e, text, n))
        e->lost++;
}

static int open_file(struct childlog *l)
{
    struct stat st;

    l->file = open(l->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (l->file < 0)
        return -errno;
    l->size = fstat(l->file, &st) == 0 ? (uint64_t)st.st_size : 0;
    return 0;
}

int childlog_open(struct childlog *l, const char *dir, const char *name, struct echo *echo)
{
    memset(l, 0, sizeof(*l));
    l->echo = echo;
    l->file = -1;
    snprintf(l->tag, sizeof(l->tag), "[%s] ", name);
    if (snprintf(l->path, sizeof(l->path), "%s/logs/%s.log", dir, name) >= (int)sizeof(l->path))
        return -ENAMETOOLONG;
    return open_file(l);
}

static void rotate(struct childlog *l)
{
    char old[sizeof(l->path) + 2];

    close(l->file);
    snprintf(old, sizeof(old), "%s.1", l->path);
    if (rename(l->path, old) < 0)
        unlink(l->path);
    open_file(l);
}

/* To the file. A full file system costs log lines, nothing else. */
static void keep(struct childlog *l, const char *data, size_t len)
{
    if (l->file < 0)
        return;
    if (write(l->file, data, len) == (ssize_t)len)
        l->size += len;
    if (l->size >= CHILDLOG_MAX)
        rotate(l);
}

static void show(struct childlog *l)
{
    echo_line(l->echo, l->tag, l->line, l->len);
    l->len = 0;
}

void childlog_write(struct childlog *l, const char *data, size_t len)
{
    keep(l, data, len);
    for (size_t i = 0; i < len; i++) {
        if (data[i] == '\n') {
            show(l);
            continue;
        }
        l->line[l->len++] = data[i];
        if (l->len == sizeof(l->line))
            show(l);
    }
}

bool childlog_pump(struct childlog *l, int fd)
{
    char buf[PUMP_BYTES];
    ssize_t n = read(fd, buf, sizeof(buf));

    if (n > 0)
        childlog_write(l, buf, (size_t)n);
    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

void childlog_flush(struct childlog *l)
{
    if (l->len)
        show(l);
}

void childlog_close(struct childlog *l)
{
    childlog_flush(l);
    if (l->file >= 0)
        close(l->file);
    l->file = -1;
}
