/* SPDX-License-Identifier: BSD-3-Clause */
/* coopvmm ps: the running testbeds and their processes. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "format.h"
#include "jsonutil.h"
#include "supctl.h"
#include "table.h"
#include "testbed.h"

static const char help[] =
    "Usage: coopvmm ps [options]\n"
    "Lists the running testbeds of this user with their I/O cores and VMs.\n\n"
    "  -j, --json      one JSON document\n"
    "  -n, --names     only the testbeds' names, one a line\n"
    "  -h, --help      this text\n";

static const struct option options[] = {{"json", no_argument, NULL, 'j'},
                                        {"names", no_argument, NULL, 'n'},
                                        {"help", no_argument, NULL, 'h'},
                                        {NULL, 0, NULL, 0}};

static const char *const headers[] = {"TESTBED", "NAME",  "KIND",     "PID",     "STATE",
                                      "UPTIME",  "CORES", "RESTARTS", "LAST END"};

static void cell_cores(struct table *t, const json_t *cores)
{
    char text[256] = "";
    size_t len = 0, i;
    json_t *c;

    json_array_foreach(cores, i, c)
    {
        if (len + 16 > sizeof(text)) {
            snprintf(text + len, sizeof(text) - len, "...");
            break;
        }
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%d", i ? "," : "",
                                (int)json_integer_value(c));
    }
    table_cell(t, "%s", *text ? text : "-");
}

static void add_row(struct table *t, const char *testbed, const char *kind, const json_t *p)
{
    const json_t *restarts = json_object_get(p, "restarts");
    char uptime[FORMAT_SIZE];

    table_cell(t, "%s", testbed);
    table_cell(t, "%s", json_text(p, "name"));
    table_cell(t, "%s", kind);
    table_cell(t, "%d", json_int(p, "pid"));
    table_cell(t, "%s", json_text(p, "state"));
    format_duration(uptime, json_real_value(json_object_get(p, "uptime_s")));
    table_cell(t, "%s", uptime);
    cell_cores(t, json_object_get(p, "cores"));
    if (restarts)
        table_cell(t, "%d", (int)json_integer_value(restarts));
    else
        table_cell(t, "-");
    table_cell(t, "%s", json_text(p, "how"));
}

static void add_testbed(struct table *t, const json_t *ps)
{
    const char *name = json_text(ps, "testbed");
    const json_t *io = json_object_get(ps, "iocored");
    size_t i;
    json_t *vm;

    if (io)
        add_row(t, name, "iocores", io);
    json_array_foreach(json_object_get(ps, "vms"), i, vm)
        add_row(t, name, json_text(vm, "engine"), vm);
}

/* One testbed's answer, onto the array `arg`. One that ends at this moment is simply not listed. */
static int ask(const struct rundir_ref *ref, void *arg)
{
    int fd = supctl_connect(ref->path);
    json_t *answer = NULL;

    if (fd < 0)
        return 0;
    if (supctl_ask(fd, testbed_verb("ps"), TESTBED_ASK_MS, &answer) == 0) {
        json_object_del(answer, "ok");
        json_array_append(arg, answer);
    }
    json_decref(answer);
    close(fd);
    return 0;
}

static int print_table(const json_t *all)
{
    struct table *t = table_new(headers, sizeof(headers) / sizeof(headers[0]));
    size_t i;
    json_t *ps;
    int err;

    json_array_foreach(all, i, ps) add_testbed(t, ps);
    err = table_print(t, stdout);
    table_free(t);
    return err ? cmd_fail("ps", "cannot print the list") : CMD_OK;
}

static int print_names(const json_t *all)
{
    size_t i;
    json_t *ps;

    json_array_foreach(all, i, ps) puts(json_text(ps, "testbed"));
    return CMD_OK;
}

int cmd_ps(int argc, char **argv)
{
    bool json = false, names = false;
    json_t *all;
    int c, rc;

    while ((c = getopt_long(argc, argv, "jnh", options, NULL)) != -1) {
        if (c == 'h') {
            fputs(help, stdout);
            return CMD_OK;
        }
        if (c != 'j' && c != 'n')
            return cmd_usage("ps", NULL);
        *(c == 'j' ? &json : &names) = true;
    }
    if (optind < argc)
        return cmd_usage("ps", "unexpected operand %s", argv[optind]);
    all = json_array();
    rundir_each(ask, all);
    if (json)
        return cmd_print_json(json_pack("{s:o}", "testbeds", all));
    rc = names ? print_names(all) : print_table(all);
    json_decref(all);
    return rc;
}
