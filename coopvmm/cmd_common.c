/* SPDX-License-Identifier: BSD-3-Clause */
/* What subcommands report with. */
#include <stdarg.h>
#include <stdio.h>

#include "cmd.h"

__attribute__((format(printf, 2, 0))) static void report(const char *name, const char *fmt,
                                                         va_list ap)
{
    fprintf(stderr, "coopvmm %s: ", name);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
}

int cmd_usage(const char *name, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    if (fmt)
        report(name, fmt, ap);
    va_end(ap);
    fprintf(stderr, "Try `coopvmm %s --help`.\n", name);
    return CMD_USAGE;
}

int cmd_fail(const char *name, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    report(name, fmt, ap);
    va_end(ap);
    return CMD_FAILED;
}

int cmd_print_json(json_t *j)
{
    int err = j ? json_dumpf(j, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) : -1;

    json_decref(j);
    if (err == 0)
        putchar('\n');
    if (err || fflush(stdout) != 0) {
        fprintf(stderr, "coopvmm: cannot write the JSON document\n");
        return CMD_FAILED;
    }
    return CMD_OK;
}
