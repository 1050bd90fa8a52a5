/* SPDX-License-Identifier: BSD-3-Clause */
#include "report.h"

#include <stdarg.h>
#include <string.h>

#include "doc.h"

#define PATH_SIZE 160

/* From the root down: the recursion is as deep as the document, which doc.c limits. */
static size_t put_path(const struct doc_node *n, char *out, size_t size)
{
    size_t at;
    int len;

    if (!n->parent)
        return 0;
    at = put_path(n->parent, out, size);
    if (n->key)
        len = snprintf(out + at, size - at, "%s%.40s", at ? "." : "", n->key);
    else
        len = snprintf(out + at, size - at, "[%u]", n->index);
    if (len < 0)
        return at;
    return at + (size_t)len < size ? at + (size_t)len : size - 1;
}

void report_path(const struct doc_node *n, char *out, size_t size)
{
    out[0] = '\0';
    put_path(n, out, size);
}

static void vreport(struct report *r, unsigned line, const char *key, const char *fmt, va_list ap)
{
    if (r->errors++ > REPORT_MAX || !r->err)
        return;
    if (r->errors > REPORT_MAX) {
        fprintf(r->err, "%s: there are more errors; mend these first\n", r->file);
        return;
    }
    fprintf(r->err, "%s:%u: ", r->file, line);
    if (key && key[0])
        fprintf(r->err, "%s: ", key);
    vfprintf(r->err, fmt, ap);
    fputc('\n', r->err);
}

void report_line(struct report *r, unsigned line, const char *key, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vreport(r, line, key, fmt, ap);
    va_end(ap);
}

void report_node(struct report *r, const struct doc_node *n, const char *fmt, ...)
{
    char path[PATH_SIZE];
    va_list ap;

    report_path(n, path, sizeof(path));
    va_start(ap, fmt);
    vreport(r, n->line, path, fmt, ap);
    va_end(ap);
}
