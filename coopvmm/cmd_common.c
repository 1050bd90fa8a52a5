/* SPDX-License-Identifier: BSD-3-Clause */
/* What subcommands report with. */
#include <getopt.h>
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

int cmd_wait_options(int argc, char **argv, const char *name, const char *help, bool *wait)
{
    static const struct option options[] = {
        {"no-wait", no_argument, NULL, 'n'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    int c;

    *wait = true;
    while ((c = getopt_long(argc, argv, "nh", options, NULL)) != -1) {
        if (c == 'h') {
            fputs(help, stdout);
            return CMD_OK;
        }
        if (c != 'n')
            return cmd_usage(name, NULL);
        *wait = false;
    }
    return -1;
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
