/* SPDX-License-Identifier: BSD-3-Clause */
#include "console.h"

#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static void take_lines(struct console *c, void (*line)(void *ctx, const char *text), void *ctx)
{
    char *end;

    c->text[c->used] = '\0';
    while ((end = strchr(c->text + c->parsed, '\n'))) {
        *end = '\0';
        line(ctx, c->text + c->parsed);
        *end = '\n';
        c->parsed = (size_t)(end - c->text) + 1;
    }
}

/* The older half goes when there is no room. */
static void make_room(struct console *c)
{
    size_t drop = CONSOLE_KEPT / 2;

    if (c->used < CONSOLE_KEPT - 1)
        return;
    memmove(c->text, c->text + drop, c->used - drop);
    c->used -= drop;
    c->parsed -= drop < c->parsed ? drop : c->parsed;
}

void console_take(struct console *c, int fd, void (*line)(void *ctx, const char *text), void *ctx)
{
    ssize_t n;

    for (;;) {
        make_room(c);
        n = read(fd, c->text + c->used, CONSOLE_KEPT - 1 - c->used);
        if (n <= 0)
            return;
        c->used += (size_t)n;
        take_lines(c, line, ctx);
    }
}
