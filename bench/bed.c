/* SPDX-License-Identifier: BSD-3-Clause */
#include "bed.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void no_line(void *ctx, const char *text)
{
    (void)ctx, (void)text;
}

static void take(struct bed *b)
{
    console_take(&b->console, b->child.out_fd, b->line ? b->line : no_line, b->ctx);
}

int bed_start(struct bed *b, const struct child_spec *spec)
{
    b->child = (struct child){0};
    b->console = (struct console){0};
    return child_start(spec, &b->child);
}

int bed_wait(struct guard *g, struct bed *b, const bool *done, unsigned seconds)
{
    time_t end = time(NULL) + seconds;

    while (!*done) {
        struct pollfd p[] = {{.fd = b->child.out_fd, .events = POLLIN},
                             {.fd = b->child.pidfd, .events = POLLIN},
                             {.fd = guard_fd(g), .events = POLLIN}};

        poll(p, 3, 1000);
        take(b);
        if (p[2].revents)
            return -EINTR;
        if (p[1].revents && !*done)
            return -ECHILD;
        if (time(NULL) > end)
            return -ETIMEDOUT;
    }
    return 0;
}

/* What it still prints must be read, or it waits. */
void bed_end(struct bed *b, unsigned seconds)
{
    time_t limit = time(NULL) + seconds;
    int status;

    if (b->child.pid <= 0)
        return;
    child_signal(&b->child, SIGTERM);
    while (child_reap(&b->child, &status) == -EAGAIN && time(NULL) < limit) {
        struct pollfd p[] = {{.fd = b->child.out_fd, .events = POLLIN},
                             {.fd = b->child.pidfd, .events = POLLIN}};

        poll(p, 2, 200);
        take(b);
    }
    child_kill(&b->child);
    close(b->child.pidfd);
    close(b->child.out_fd);
    close(b->child.ready_fd);
    b->child.pid = 0;
}

void bed_complain(struct bed *b, const char *what, int err, FILE *to)
{
    const char *why = strerror(-err);

    take(b); /* what it said last */
    if (err == -ECHILD)
        why = "it ended too early";
    else if (err == -ETIMEDOUT)
        why = "it took too long";
    fprintf(to, "%s: %s; it printed:\n%s", what, why, b->console.text);
}
