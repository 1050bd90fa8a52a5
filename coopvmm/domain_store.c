/* SPDX-License-Identifier: BSD-3-Clause */
#include "domain_store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenstore.h>

#define RELEASE                                                                                    \
    "@releaseDomain" /* said by xenstored when any domain shuts down or is destroyed               \
                      */

struct store {
    struct xs_handle *xs;
    char console[STORE_CONSOLES][64];
};

static bool watch_consoles(struct store *s)
{
    bool done = true;

    for (unsigned i = 0; i < STORE_CONSOLES; i++)
        done = done && xs_watch(s->xs, s->console[i], "console");
    return done;
}

int store_open(int domid, struct store **out)
{
    struct store *s = calloc(1, sizeof(*s));
    int err = 0;

    if (!s)
        return -ENOMEM;
    snprintf(s->console[STORE_CONSOLE_PV], sizeof(s->console[0]), "/local/domain/%d/console/tty",
             domid);
    snprintf(s->console[STORE_CONSOLE_SERIAL], sizeof(s->console[0]),
             "/local/domain/%d/serial/0/tty", domid);
    s->xs = xs_open(0);
    if (!s->xs || !xs_watch(s->xs, RELEASE, "release") || !watch_consoles(s))
        err = errno ? -errno : -EIO;
    if (err)
        store_close(s);
    else
        *out = s;
    return err;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    if (s->xs)
        xs_close(s->xs);
    free(s);
}

int store_fd(const struct store *s)
{
    return xs_fileno(s->xs);
}

bool store_drain(struct store *s)
{
    bool released = false;
    char **event;

    while ((event = xs_check_watch(s->xs))) {
        released |= !strcmp(event[XS_WATCH_TOKEN], "release");
        free(event);
    }
    return released;
}

bool store_console(struct store *s, enum store_console which, char *path, size_t size)
{
    unsigned len = 0;
    char *text = xs_read(s->xs, XBT_NULL, s->console[which], &len);
    bool fits = text && len > 0 && len < size && strlen(text) == len;

    if (fits)
        memcpy(path, text, len + 1);
    free(text);
    return fits;
}
