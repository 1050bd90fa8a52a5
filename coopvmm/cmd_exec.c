/* SPDX-License-Identifier: BSD-3-Clause */
/* coopvmm exec: runs a command in a running testbed's network namespace. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "netns.h"
#include "testbed.h"

static const char help[] =
    "Usage: coopvmm exec [TESTBED] -- COMMAND [ARGUMENT...]\n"
    "Runs a command where the testbed's taps are: in the network namespace that\n"
    "`coopvmm run --unshare` made, else simply here. TESTBED may be left out if only one\n"
    "is running. Example: coopvmm exec demo -- ping -c 3 10.77.0.2\n\n"
    "  -h, --help      this text\n\n"
    "Exit status: the command's; 127 if it was not found.\n";

static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};

/* Commands in there look for testbeds where this one was found, whoever they are in there. */
static int keep_base(const struct rundir_ref *ref)
{
    char base[RUNDIR_PATH];

    snprintf(base, sizeof(base), "%s", ref->path);
    *strrchr(base, '/') = '\0';
    return setenv("COOPVMM_RUNDIR", base, 1);
}

static int enter(const char *name)
{
    char why[NETNS_WHY];
    struct testbed t;
    int err;

    if (testbed_open(&t, name, "exec") < 0)
        return CMD_FAILED;
    testbed_close(&t);
    err = netns_enter(rundir_owner(t.ref.path), why);
    if (err)
        return cmd_fail("exec", "%s", why);
    return keep_base(&t.ref) == 0 ? CMD_OK : cmd_fail("exec", "out of memory");
}

int cmd_exec(int argc, char **argv)
{
    const char *name = NULL;
    int c, rc;

    while ((c = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
        if (c != 'h')
            return cmd_usage("exec", NULL);
        fputs(help, stdout);
        return CMD_OK;
    }
    /* "--" before the command; getopt has eaten it if no testbed was named */
    if (strcmp(argv[optind - 1], "--") != 0) {
        if (optind + 1 >= argc || strcmp(argv[optind + 1], "--") != 0)
            return cmd_usage("exec", "`--` and a command are wanted");
        name = argv[optind];
        optind += 2;
    }
    if (optind >= argc)
        return cmd_usage("exec", "a command is wanted after `--`");
    rc = enter(name);
    if (rc != CMD_OK)
        return rc;
    execvp(argv[optind], argv + optind);
    cmd_fail("exec", "%s: %s", argv[optind], strerror(errno));
    return errno == ENOENT ? 127 : 126;
}
