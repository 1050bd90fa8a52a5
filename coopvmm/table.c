/* SPDX-License-Identifier: BSD-3-Clause */
#include "table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_MAX_COLUMNS 32
#define TABLE_GAP         2 /* spaces between columns */

struct table {
    const char *const *headers;
    unsigned columns;
    char **cells; /* row after row */
    size_t count, room;
    bool lost; /* a cell could not be stored */
};

struct table *table_new(const char *const *headers, unsigned n)
{
    struct table *t;

    if (n < 1 || n > TABLE_MAX_COLUMNS)
        return NULL;
    t = calloc(1, sizeof(*t));
    if (!t)
        return NULL;
    t->headers = headers;
    t->columns = n;
    return t;
}

void table_free(struct table *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->count; i++)
        free(t->cells[i]);
    free(t->cells);
    free(t);
}

static bool make_room(struct table *t)
{
    size_t room = t->room ? 2 * t->room : 64;
    char **cells;

    if (t->count < t->room)
        return true;
    cells = realloc(t->cells, room * sizeof(*cells));
    if (!cells)
        return false;
    t->cells = cells;
    t->room = room;
    return true;
}

void table_cell(struct table *t, const char *fmt, ...)
{
    va_list ap;
    char *text;
    int len;

    if (!t || t->lost)
        return;
    va_start(ap, fmt);
    len = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (len < 0 || !make_room(t)) {
        if (len >= 0)
            free(text);
        t->lost = true;
        return;
    }
    t->cells[t->count++] = text;
}

void table_end_row(struct table *t)
{
    while (t && !t->lost && t->count % t->columns)
        table_cell(t, "%s", "");
}

unsigned table_rows(const struct table *t)
{
    return t ? (unsigned)((t->count + t->columns - 1) / t->columns) : 0;
}

/* Code points, not bytes: what a terminal advances by for the text we print. */
static unsigned width_of(const char *s)
{
    unsigned n = 0;

    for (; *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

static bool is_numeric(const char *s)
{
    return !s[0] || !strcmp(s, "-") || s[strspn(s, "0123456789.,+-%")] == '\0';
}

struct column {
    unsigned width;
    bool right;
};

static void measure(const struct table *t, struct column *col)
{
    for (unsigned c = 0; c < t->columns; c++) {
        col[c].width = width_of(t->headers[c]);
        col[c].right = t->count > 0;
    }
    for (size_t i = 0; i < t->count; i++) {
        struct column *k = &col[i % t->columns];
        unsigned w = width_of(t->cells[i]);

        k->width = w > k->width ? w : k->width;
        k->right = k->right && is_numeric(t->cells[i]);
    }
}

/* Spaces that wait for the next text, so that no line ends in blanks. */
static void print_row(const struct column *col, char *const *cells, unsigned n, FILE *out)
{
    unsigned pending = 0;

    for (unsigned c = 0; c < n; c++) {
        unsigned w = width_of(cells[c]), pad = col[c].width - w;

        pending += col[c].right ? pad : 0;
        if (w) {
            fprintf(out, "%*s%s", (int)pending, "", cells[c]);
            pending = 0;
        }
        pending += (col[c].right ? 0 : pad) + TABLE_GAP;
    }
    fputc('\n', out);
}

int table_print(const struct table *t, FILE *out)
{
    struct column col[TABLE_MAX_COLUMNS];

    if (!t || t->lost)
        return -ENOMEM;
    measure(t, col);
    print_row(col, (char *const *)t->headers, t->columns, out);
    for (size_t i = 0; i < t->count; i += t->columns) {
        size_t left = t->count - i;

        print_row(col, &t->cells[i], left < t->columns ? (unsigned)left : t->columns, out);
    }
    return ferror(out) ? -EIO : 0;
}
