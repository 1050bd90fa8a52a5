/* SPDX-License-Identifier: BSD-3-Clause */
#include "qmp.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define READ_BYTES   65536
#define MAX_UNWANTED 1000 /* events before an answer */

struct qmp {
    int fd;
    unsigned timeout_ms;
    char *buf; /* bytes that arrived, with a NUL behind them */
    size_t len, room;
};

static uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int make_room(struct qmp *q)
{
    char *more;

    if (q->len + READ_BYTES < q->room)
        return 0;
    if (q->room >= QMP_MAX_LINE)
        return -EPROTO;
    q->room = q->room ? 2 * q->room : 2 * READ_BYTES;
    more = realloc(q->buf, q->room);
    if (!more)
        return -ENOMEM;
    q->buf = more;
    return 0;
}

static int read_some(struct qmp *q, uint64_t deadline)
{
    struct pollfd p = {.fd = q->fd, .events = POLLIN};
    uint64_t now = now_ms();
    ssize_t n;
    int err = make_room(q);

    if (err)
        return err;
    if (now >= deadline || poll(&p, 1, (int)(deadline - now)) == 0)
        return -ETIMEDOUT;
    n = recv(q->fd, q->buf + q->len, READ_BYTES, MSG_DONTWAIT);
    if (n == 0)
        return -ECONNRESET;
    if (n < 0)
        return errno == EINTR || errno == EAGAIN ? 0 : -errno;
    q->len += (size_t)n;
    return 0;
}

/* One line as JSON: an object. */
static int next_object(struct qmp *q, uint64_t deadline, json_t **out)
{
    char *end;
    int err = 0;

    while (!(end = q->len ? memchr(q->buf, '\n', q->len) : NULL) && !err)
        err = read_some(q, deadline);
    if (err)
        return err;
    *out = json_loadb(q->buf, (size_t)(end - q->buf), 0, NULL);
    q->len -= (size_t)(end + 1 - q->buf);
    memmove(q->buf, end + 1, q->len);
    if (json_is_object(*out))
        return 0;
    json_decref(*out);
    return -EPROTO;
}

static int send_all(struct qmp *q, const char *text, size_t len)
{
    while (len) {
        ssize_t n = send(q->fd, text, len, MSG_NOSIGNAL);

        if (n < 0 && errno != EINTR)
            return -errno;
        text += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static int send_command(struct qmp *q, const char *command, json_t *arguments)
{
    json_t *j = json_pack("{s:s,s:o*}", "execute", command, "arguments", arguments);
    char *text = json_dumps(j, JSON_COMPACT);
    int err = text ? send_all(q, text, strlen(text)) : -ENOMEM;

    if (!err)
        err = send_all(q, "\n", 1);
    free(text);
    json_decref(j);
    return err;
}

/* Events may come in between. */
static int answer_of(struct qmp *q, json_t **answer)
{
    uint64_t deadline = now_ms() + q->timeout_ms;

    for (unsigned i = 0; i < MAX_UNWANTED; i++) {
        json_t *j;
        int err = next_object(q, deadline, &j);

        if (err)
            return err;
        *answer = json_incref(json_object_get(j, "return"));
        err = *answer ? 0 : json_object_get(j, "error") ? -EREMOTEIO : -EAGAIN;
        json_decref(j);
        if (err != -EAGAIN)
            return err;
    }
    return -EPROTO;
}

int qmp_execute(struct qmp *q, const char *command, json_t *arguments, json_t **answer)
{
    int err = send_command(q, command, arguments);

    *answer = NULL;
    return err ? err : answer_of(q, answer);
}

static int connect_to(struct qmp *q, const char *path)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    struct timeval t = {.tv_sec = q->timeout_ms / 1000, .tv_usec = q->timeout_ms % 1000 * 1000};

    if (strlen(path) >= sizeof(sun.sun_path))
        return -ENAMETOOLONG;
    strcpy(sun.sun_path, path);
    q->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (q->fd < 0)
        return -errno;
    setsockopt(q->fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t)); /* for connect, too */
    return connect(q->fd, (struct sockaddr *)&sun, sizeof(sun)) < 0 ? -errno : 0;
}

static int greet(struct qmp *q)
{
    json_t *j;
    int err = next_object(q, now_ms() + q->timeout_ms, &j);

    if (err)
        return err;
    err = json_object_get(j, "QMP") ? 0 : -EPROTO;
    json_decref(j);
    if (!err)
        err = qmp_execute(q, "qmp_capabilities", NULL, &j);
    if (!err)
        json_decref(j);
    return err;
}

int qmp_open(const char *path, unsigned timeout_ms, struct qmp **out)
{
    struct qmp *q = calloc(1, sizeof(*q));
    int err;

    if (!q)
        return -ENOMEM;
    q->fd = -1;
    q->timeout_ms = timeout_ms;
    err = connect_to(q, path);
    if (!err)
        err = greet(q);
    if (err)
        qmp_close(q);
    else
        *out = q;
    return err;
}

void qmp_close(struct qmp *q)
{
    if (q->fd >= 0)
        close(q->fd);
    free(q->buf);
    free(q);
}
