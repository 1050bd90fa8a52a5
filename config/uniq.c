/* SPDX-License-Identifier: BSD-3-Clause */
#include "uniq.h"

#include <search.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_text(const void *a, const void *b)
{
    const struct uniq_entry *x = a, *y = b;

    return strcmp(x->text, y->text);
}

static void entry_free(void *p)
{
    struct uniq_entry *e = p;

    free(e->text);
    free(e->owner);
    free(e);
}

static struct uniq_entry *entry_new(const char *owner, unsigned line, const char *fmt, va_list ap)
{
    struct uniq_entry *e = calloc(1, sizeof(*e));

    if (!e)
        return NULL;
    if (vasprintf(&e->text, fmt, ap) < 0)
        e->text = NULL;
    e->owner = strdup(owner);
    e->line = line;
    if (e->text && e->owner)
        return e;
    entry_free(e);
    return NULL;
}

const struct uniq_entry *uniq_add(struct uniq *u, const char *owner, unsigned line, const char *fmt,
                                  ...)
{
    struct uniq_entry *e, **found;
    va_list ap;

    va_start(ap, fmt);
    e = entry_new(owner, line, fmt, ap);
    va_end(ap);
    if (!e)
        return NULL;
    found = tsearch(e, &u->root, by_text);
    if (found && *found == e)
        return NULL;
    entry_free(e);
    return found ? *found : NULL;
}

void uniq_clear(struct uniq *u)
{
    tdestroy(u->root, entry_free);
    u->root = NULL;
}
