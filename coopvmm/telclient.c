/* SPDX-License-Identifier: BSD-3-Clause */
#include "telclient.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define GREETING_BYTES 1024

static int connect_to(const char *path, int timeout_ms)
{
    struct timeval tv = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    int fd, err;

    if (strlen(path) >= sizeof(sa.sun_path))
        return -ENAMETOOLONG;
    strcpy(sa.sun_path, path);
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
    if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0)
        return fd;
    err = -errno;
    close(fd);
    return err == -EAGAIN ? -ETIMEDOUT : err;
}

/* One packet, as a JSON object. */
static int receive(struct telclient *t, json_t **out)
{
    ssize_t n;

    *out = NULL;
    do
        n = recv(t->fd, t->buf, t->size, MSG_TRUNC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN ? -ETIMEDOUT : errno == ECONNRESET ? -ENOTCONN : -errno;
    if (n == 0)
        return -ENOTCONN;
    if ((size_t)n > t->size)
        return -EMSGSIZE;
    /* DPDK 22.11 counts a closing NUL in */
    *out = json_loadb(t->buf, strnlen(t->buf, (size_t)n), 0, NULL);
    if (json_is_object(*out))
        return 0;
    json_decref(*out);
    *out = NULL;
    return -EPROTO;
}

/* The greeting tells how long answers can be. */
static int greeting(struct telclient *t)
{
    json_t *hello;
    json_int_t max;
    char *bigger;
    int err = receive(t, &hello);

    if (err)
        return err == -ENOTCONN ? -EBUSY : err;
    max = json_integer_value(json_object_get(hello, "max_output_len"));
    json_decref(hello);
    if (max <= 0 || max > (json_int_t)TELCLIENT_MAX_ANSWER)
        return -EPROTO;
    if ((size_t)max < t->size)
        return 0;
    bigger = realloc(t->buf, (size_t)max + 1);
    if (!bigger)
        return -ENOMEM;
    t->buf = bigger;
    t->size = (size_t)max + 1;
    return 0;
}

int telclient_open(struct telclient *t, const char *path, int timeout_ms)
{
    int err;

    *t = (struct telclient){.size = GREETING_BYTES};
    t->fd = connect_to(path, timeout_ms);
    if (t->fd < 0)
        return t->fd;
    t->buf = malloc(t->size);
    err = t->buf ? greeting(t) : -ENOMEM;
    if (err)
        telclient_close(t);
    return err;
}

void telclient_close(struct telclient *t)
{
    if (t->fd >= 0)
        close(t->fd);
    free(t->buf);
    *t = (struct telclient){.fd = -1};
}

/* Takes the value out of {"/command": VALUE}. */
static int value_of(json_t *answer, const char *command, json_t **value)
{
    json_t *v = json_object_get(answer, command);

    if (!v)
        return -EPROTO;
    if (json_is_null(v))
        return -ENOENT;
    *value = json_incref(v);
    return 0;
}

int telclient_ask(struct telclient *t, const char *command, const char *params, json_t **value)
{
    char request[TELCLIENT_MAX_REQUEST];
    int n = snprintf(request, sizeof(request), "%s%s%s", command, params ? "," : "",
                     params ? params : "");
    json_t *answer;
    int err;

    *value = NULL;
    if (n >= (int)sizeof(request))
        return -EMSGSIZE;
    if (t->fd < 0)
        return -ENOTCONN;
    if (send(t->fd, request, (size_t)n, MSG_NOSIGNAL) < 0)
        return errno == EPIPE || errno == ECONNRESET ? -ENOTCONN : -errno;
    err = receive(t, &answer);
    if (!err)
        err = value_of(answer, command, value);
    json_decref(answer);
    return err;
}

/* Appends a page's items. @return how many there were; -EPROTO: they are not what "count" says */
static int append_page(json_t *items, const json_t *page, size_t first)
{
    const json_t *from = json_object_get(page, "items");
    json_int_t count = json_integer_value(json_object_get(page, "count"));

    if (count < 0 || count > TELCLIENT_MAX_ITEMS ||
        json_integer_value(json_object_get(page, "first")) != (json_int_t)first)
        return -EPROTO;
    for (json_int_t i = 0; i < count; i++) {
        char key[24];
        json_t *item;

        snprintf(key, sizeof(key), "%zu", first + (size_t)i);
        item = json_object_get(from, key);
        if (!item || json_array_append(items, item) < 0)
            return -EPROTO;
    }
    return (int)count;
}

/* One page from `first` on. @return items it had, 0 after the last; a negative errno */
static int ask_page(struct telclient *t, const char *command, const char *params, json_t *items)
{
    size_t first = json_array_size(items);
    char all[TELCLIENT_MAX_REQUEST];
    json_t *page;
    int n;

    snprintf(all, sizeof(all), "%s%s%zu", params ? params : "", params ? "," : "", first);
    n = telclient_ask(t, command, all, &page);
    if (n)
        return n;
    n = append_page(items, page, first);
    if (n > 0 &&
        (json_int_t)(first + (size_t)n) >= json_integer_value(json_object_get(page, "total")))
        n = 0;
    json_decref(page);
    return n;
}

int telclient_list(struct telclient *t, const char *command, const char *params, json_t **items)
{
    json_t *all = json_array();
    int n = all ? 1 : -ENOMEM;

    *items = NULL;
    while (n > 0 && json_array_size(all) < TELCLIENT_MAX_ITEMS)
        n = ask_page(t, command, params, all);
    if (n < 0)
        json_decref(all);
    else
        *items = all;
    return n < 0 ? n : 0;
}
