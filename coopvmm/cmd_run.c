/* SPDX-License-Identifier: BSD-3-Clause */
/* coopvmm run: loads and plans a config, then is its supervisor. */
#include <getopt.h>
#include <stdio.h>

#include "../config/plan.h"
#include "cmd.h"
#include "neighbours.h"
#include "supervisor.h"
#include "xl_host.h"

static const char help[] =
    "Usage: coopvmm run [options] FILE\n"
    "Runs the testbed that FILE describes, in the foreground, until its VMs are over.\n"
    "Ctrl-C or `coopvmm stop` ends it; a second Ctrl-C kills.\n\n"
    "  -k, --keep      go on when all VMs are over, until stopped\n"
    "  -q, --quiet     do not show what guests print, nor progress\n"
    "  -u, --unshare   in a network namespace of its own: needs no privilege;\n"
    "                  `coopvmm exec NAME -- COMMAND` runs a command in it\n"
    "  -h, --help      this text\n\n"
    "Exit status: 0 each guest ended with status 0 or was stopped, 1 something failed,\n"
    "2 wrong usage, 3 the config is wrong or does not fit this machine.\n";

static const struct option options[] = {
    {"keep", no_argument, NULL, 'k'},
    {"quiet", no_argument, NULL, 'q'},
    {"unshare", no_argument, NULL, 'u'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* Fills in what the file leaves open, for this machine. */
static int plan(struct cfg *cfg)
{
    struct topo *topo;
    int err = topo_load(NULL, &topo);

    if (err) {
        fprintf(stderr, "coopvmm run: cannot find out this machine's topology\n");
        return CMD_FAILED;
    }
    err = xl_host_plan(cfg, topo, true, stderr);
    topo_free(topo);
    return err ? CMD_CONFIG : CMD_OK;
}

static int run_file(const char *path, const struct supervisor_opts *opts)
{
    struct cfg *cfg;
    int rc;

    if (cfg_load(path, &cfg, stderr) < 0)
        return CMD_CONFIG;
    rc = plan(cfg);
    if (rc == CMD_OK) {
        neighbours_warn(cfg, stderr);
        rc = supervisor_run(cfg, opts);
    }
    cfg_free(cfg);
    return rc;
}

int cmd_run(int argc, char **argv)
{
    struct supervisor_opts opts = {0};
    int c;

    while ((c = getopt_long(argc, argv, "kquh", options, NULL)) != -1) {
        switch (c) {
        case 'k': opts.keep = true; break;
        case 'q': opts.quiet = true; break;
        case 'u': opts.unshare = true; break;
        case 'h': fputs(help, stdout); return CMD_OK;
        default: return cmd_usage("run", NULL);
        }
    }
    if (argc - optind != 1)
        return cmd_usage("run", "one config file is wanted");
    return run_file(argv[optind], &opts);
}
