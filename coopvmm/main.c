/* SPDX-License-Identifier: BSD-3-Clause */
/* The command coopvmm: finds the subcommand and runs it. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"

static int usage(FILE *out)
{
    fputs("Usage: coopvmm COMMAND [options]\n"
          "A cooperative VMM: some cores run guests, some serve their I/O.\n\n",
          out);
    for (const struct cmd *c = cmd_list; c->name; c++) {
        int width = fprintf(out, "  %s %s", c->name, c->synopsis);

        fprintf(out, "%*s%s\n", width < 34 ? 34 - width : 1, "", c->summary);
    }
    fputs("\n`coopvmm COMMAND --help` tells more, and so does coopvmm(1).\n", out);
    return out == stdout ? CMD_OK : CMD_USAGE;
}

static const struct cmd *find(const char *name)
{
    for (const struct cmd *c = cmd_list; c->name; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

int main(int argc, char **argv)
{
    const char *first = argc > 1 ? argv[1] : NULL;
    const struct cmd *c;

    if (!first)
        return usage(stderr);
    if (!strcmp(first, "--help") || !strcmp(first, "-h") || !strcmp(first, "help"))
        return usage(stdout);
    if (!strcmp(first, "--version")) {
        puts("coopvmm " COOPVMM_VERSION);
        return CMD_OK;
    }
    c = find(first);
    if (!c) {
        fprintf(stderr, "coopvmm: no command \"%s\"; `coopvmm --help` lists them\n", first);
        return CMD_USAGE;
    }
    optind = 0; /* 0, not 1: getopt starts afresh, with this command's vector */
    return c->run(argc - 1, argv + 1);
}
