/* SPDX-License-Identifier: BSD-3-Clause */
/* `coopvmm check`: is this host ready, in general or for one testbed? */
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "cmd.h"
#include "config/plan.h"
#include "hostcheck.h"
#include "table.h"
#include "topo_opts.h"
#include "xl_host.h"

static const char help[] =
    "usage: coopvmm check [--json] [--quiet] [FILE]\n"
    "\n"
    "Looks at what makes I/O cores slow, jittery or impossible on this host, and says what to do.\n"
    "With a config FILE: at the CPUs it would use (see `coopvmm plan`) and at what it needs.\n"
    "Nothing is changed.\n"
    "\n"
    "  -j, --json            one JSON document instead of a table\n"
    "  -q, --quiet           only what is not ok\n"
    "  -r, --root DIR        look at the /proc, /sys and /dev below DIR (a copy of another "
    "host's)\n"
    "  -s, --synthetic DESC  with FILE: plan for a machine that hwloc makes up\n"
    "  -h, --help            this text\n"
    "\n"
    "Exit codes: 0 nothing has to be mended, 1 something has to be (fail), 2 wrong command line,\n"
    "3 the file is wrong or does not fit.\n";

static const struct option options[] = {
    {"json", no_argument, NULL, 'j'},       {"quiet", no_argument, NULL, 'q'},
    {"root", required_argument, NULL, 'r'}, {"synthetic", required_argument, NULL, 's'},
    {"help", no_argument, NULL, 'h'},       {NULL, 0, NULL, 0}};

struct check_opts {
    struct topo_opts topo;
    const char *root;
    bool json, quiet;
};

static int print_text(const struct hostcheck *h, bool quiet)
{
    static const char *const head[] = {"", "WHAT", "FOUND"};
    struct table *table = table_new(head, 3);
    const struct hc_finding *f;
    int err;

    for (unsigned i = 0; (f = hostcheck_at(h, i)); i++) {
        if (quiet && f->level == HC_OK)
            continue;
        table_cell(table, "%s", hc_level_name(f->level));
        table_cell(table, "%s", f->topic);
        table_cell(table, "%s", f->found);
        if (!f->todo)
            continue;
        table_cell(table, "%s", "");
        table_cell(table, "%s", "");
        table_cell(table, "-> %s", f->todo);
    }
    err = table_print(table, stdout);
    table_free(table);
    return err ? cmd_fail("check", "cannot print the table: %s", strerror(-err)) : CMD_OK;
}

static int print_json(const struct hostcheck *h)
{
    json_t *list = json_array();
    const struct hc_finding *f;

    for (unsigned i = 0; (f = hostcheck_at(h, i)); i++)
        json_array_append_new(list,
                              json_pack("{s:s,s:s,s:s,s:s?}", "level", hc_level_name(f->level),
                                        "topic", f->topic, "found", f->found, "todo", f->todo));
    return cmd_print_json(
        json_pack("{s:s,s:o}", "worst", hc_level_name(hostcheck_worst(h)), "findings", list));
}

static int check(const struct check_opts *opts, const struct cfg *planned)
{
    struct hostcheck *h = hostcheck_run(opts->root, planned);
    int ret;

    if (!h)
        return cmd_fail("check", "out of memory");
    ret = opts->json ? print_json(h) : print_text(h, opts->quiet);
    if (!ret && hostcheck_worst(h) == HC_FAIL)
        ret = CMD_FAILED;
    hostcheck_free(h);
    return ret;
}

static int check_file(const struct check_opts *opts, const char *file)
{
    struct topo *t = NULL;
    struct cfg *c;
    int ret;

    if (cfg_load(file, &c, stderr))
        return CMD_CONFIG;
    ret = topo_open("check", &opts->topo, &t);
    if (!ret && xl_host_plan(c, t, false, stderr))
        ret = CMD_CONFIG;
    if (!ret)
        ret = check(opts, c);
    topo_free(t);
    cfg_free(c);
    return ret;
}

int cmd_check(int argc, char **argv)
{
    struct check_opts opts = {.root = ""};
    int o;

    while ((o = getopt_long(argc, argv, "jqr:s:h", options, NULL)) != -1) {
        switch (o) {
        case 'j': opts.json = true; break;
        case 'q': opts.quiet = true; break;
        case 'r': opts.root = optarg; break;
        case 's': opts.topo.synthetic = optarg; break;
        case 'h': fputs(help, stdout); return CMD_OK;
        default: return cmd_usage("check", NULL);
        }
    }
    if (optind + 1 < argc)
        return cmd_usage("check", "one FILE, please");
    return optind < argc ? check_file(&opts, argv[optind]) : check(&opts, NULL);
}
