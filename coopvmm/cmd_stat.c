/* SPDX-License-Identifier: BSD-3-Clause */
/* coopvmm stat: counters and latencies of a testbed since its I/O cores started. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

#include "cmd.h"
#include "jsonutil.h"
#include "stat_print.h"
#include "testbed.h"

static const char help[] =
    "Usage: coopvmm stat [options] [VM|CORE]\n"
    "Prints counters and latencies since the I/O cores started; of one VM or one I/O core\n"
    "if it is named.\n\n"
    "  -t, --testbed NAME  which testbed, if several are running\n"
    "  -j, --json          one JSON document: \"info\", \"cores\", \"vms\" (each with \"slots\",\n"
    "                      one a vCPU, and \"devices\"), \"ports\", \"vhosts\", \"macs\",\n"
    "                      \"totals\"\n"
    "  -h, --help          this text\n\n"
    "WAIT is the time from a guest's request to when the I/O core took it up, SERVICE from\n"
    "then to the answer; percentiles are known to 1/8.\n";

static const struct option options[] = {{"testbed", required_argument, NULL, 't'},
                                        {"json", no_argument, NULL, 'j'},
                                        {"help", no_argument, NULL, 'h'},
                                        {NULL, 0, NULL, 0}};

/* Keeps in each VM only what the I/O core serves. */
static void keep_of_core(json_t *objects, const char *core)
{
    size_t i = 0;

    while (i < json_array_size(objects))
        if (strcmp(json_text(json_array_get(objects, i), "core"), core) == 0)
            i++;
        else
            json_array_remove(objects, i);
}

static void narrow_to_core(json_t *doc, json_t *core)
{
    const char *name = json_text(core, "name");
    json_t *vms = json_object_get(doc, "vms"), *vm;
    size_t i = 0;

    while ((vm = json_array_get(vms, i))) {
        keep_of_core(json_object_get(vm, "slots"), name);
        keep_of_core(json_object_get(vm, "devices"), name);
        if (json_array_size(json_object_get(vm, "slots")))
            i++;
        else
            json_array_remove(vms, i);
    }
    keep_of_core(json_object_get(doc, "vhosts"), name);
    json_object_set_new(doc, "cores", json_pack("[O]", core));
}

/* Leaves only what belongs to a VM or an I/O core of that name. @return whether there is one */
static bool narrow(json_t *doc, const char *name)
{
    json_t *vm = json_named(json_object_get(doc, "vms"), "name", name);
    json_t *core = json_named(json_object_get(doc, "cores"), "name", name);

    if (!vm && !core)
        return false;
    if (vm) {
        json_object_set_new(doc, "vms", json_pack("[O]", vm));
        json_object_del(doc, "cores");
        json_object_del(doc, "vhosts");
    } else {
        narrow_to_core(doc, core);
    }
    json_object_del(doc, "ports");
    json_object_del(doc, "macs");
    return true;
}

static void add_totals(json_t *doc)
{
    uint64_t requests = 0, posted = 0;
    size_t i, k;
    json_t *vm, *slot;

    json_array_foreach(json_object_get(doc, "vms"), i, vm)
    {
        json_array_foreach(json_object_get(vm, "slots"), k, slot)
        {
            requests += json_u64(slot, "requests");
            posted += json_u64(slot, "posted");
        }
    }
    json_object_set_new(
        doc, "totals",
        json_pack("{s:I, s:I}", "requests", (json_int_t)requests, "posted", (json_int_t)posted));
}

static int print(json_t *doc, const struct rundir_ref *ref, const char *name, bool json)
{
    int rc;

    if (name && !narrow(doc, name)) {
        json_decref(doc);
        return cmd_fail("stat", "testbed %s has neither a VM nor an I/O core called %s", ref->name,
                        name);
    }
    if (json) {
        add_totals(doc);
        json_object_set_new(doc, "testbed", json_string(ref->name));
        return cmd_print_json(doc);
    }
    rc = stat_print(doc, ref->name) == 0 ? CMD_OK : cmd_fail("stat", "cannot print");
    json_decref(doc);
    return rc;
}

static int stat_testbed(const char *testbed, const char *name, bool json)
{
    struct rundir_ref ref;
    char why[RUNDIR_WHY];
    json_t *doc;

    if (rundir_find(testbed, &ref, why) < 0)
        return cmd_fail("stat", "%s", why);
    doc = testbed_snapshot(&ref, json ? SNAPSHOT_MACS : 0, why);
    return doc ? print(doc, &ref, name, json) : cmd_fail("stat", "%s", why);
}

int cmd_stat(int argc, char **argv)
{
    const char *testbed = NULL;
    bool json = false;
    int c;

    while ((c = getopt_long(argc, argv, "t:jh", options, NULL)) != -1) {
        switch (c) {
        case 't': testbed = optarg; break;
        case 'j': json = true; break;
        case 'h': fputs(help, stdout); return CMD_OK;
        default: return cmd_usage("stat", NULL);
        }
    }
    if (argc - optind > 1)
        return cmd_usage("stat", "at most one VM or I/O core is wanted");
    return stat_testbed(testbed, argv[optind], json);
}
