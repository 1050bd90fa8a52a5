/* SPDX-License-Identifier: BSD-3-Clause */
#include "xl.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "child.h"

#define READ_BYTES 4096

/* root's PATH may lack it in a service or a container */
static int find_xl(char path[PATH_MAX])
{
    if (child_find("xl", path, PATH_MAX) == 0)
        return 0;
    strcpy(path, "/usr/sbin/xl");
    return access(path, X_OK) ? -ENOENT : 0;
}

static uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static bool append(struct xl_text *t, const char *data, size_t len)
{
    char *text;

    if (t->len + len > XL_MAX_TEXT)
        return true; /* enough is known */
    text = realloc(t->text, t->len + len + 1);
    if (!text)
        return false;
    memcpy(text + t->len, data, len);
    t->text = text;
    t->len += len;
    text[t->len] = '\0';
    return true;
}

/* Reads what there is. @return false: the end, or nobody wants more */
static bool pump(int fd, struct xl_text *t)
{
    char buf[READ_BYTES];
    ssize_t n = read(fd, buf, sizeof(buf));

    if (n > 0)
        return append(t, buf, (size_t)n);
    return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/* Keeps what it prints until it ends. @return 0, -ETIMEDOUT, -ECANCELED */
static int follow(const struct child *c, uint64_t deadline, int stop_fd, struct xl_text *t)
{
    struct pollfd p[3] = {{.fd = c->pidfd, .events = POLLIN},
                          {.fd = stop_fd, .events = POLLIN},
                          {.fd = c->out_fd, .events = POLLIN}};

    for (;;) {
        uint64_t now = now_ms();

        if (now >= deadline)
            return -ETIMEDOUT;
        if (poll(p, 3, (int)(deadline - now)) < 0)
            continue;
        if (p[2].revents && !pump(c->out_fd, t))
            p[2].fd = -1;
        if (p[1].revents)
            return -ECANCELED;
        if (p[0].revents)
            return 0;
    }
}

static int result(struct child *c, int ret, struct xl_text *t)
{
    int status = 0;
    size_t before;

    if (ret)
        child_kill(c);
    else if (child_reap(c, &status) < 0)
        ret = -ECHILD;
    do
        before = t->len;
    while (pump(c->out_fd, t) && t->len > before);
    close(c->out_fd);
    close(c->ready_fd);
    close(c->pidfd);
    if (ret)
        return ret;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

int xl_run(const char *const args[], unsigned timeout_ms, int stop_fd, struct xl_text *out)
{
    char path[PATH_MAX], *argv[XL_MAX_ARGS] = {path};
    struct child_spec spec = {.argv = argv};
    struct xl_text unwanted = {NULL, 0};
    struct child c;
    int ret = find_xl(path);

    for (unsigned i = 0; args[i] && i < XL_MAX_ARGS - 2; i++)
        argv[i + 1] = (char *)args[i];
    if (!ret)
        ret = child_start(&spec, &c);
    if (ret)
        return ret;
    ret = follow(&c, now_ms() + timeout_ms, stop_fd, out ? out : &unwanted);
    ret = result(&c, ret, out ? out : &unwanted);
    xl_text_clear(&unwanted);
    return ret;
}

void xl_text_clear(struct xl_text *t)
{
    free(t->text);
    *t = (struct xl_text){NULL, 0};
}
