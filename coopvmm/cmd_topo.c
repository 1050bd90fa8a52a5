/* SPDX-License-Identifier: BSD-3-Clause */
/* `coopvmm topo`: the machine as the planner sees it. */
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "cmd.h"
#include "config/plan.h"
#include "table.h"
#include "topo_opts.h"

static const char help[] =
    "usage: coopvmm topo [--json] [--synthetic DESC] [--isolated LIST]\n"
    "\n"
    "Shows each CPU with its physical core, last-level cache, NUMA node and socket.\n"
    "\n"
    "  -j, --json            one JSON document instead of a table\n"
    "  -s, --synthetic DESC  not this machine but one that hwloc makes up, for instance\n"
    "                        \"package:2 [numa] l3:8 core:8 pu:2\"\n"
    "  -i, --isolated LIST   take these CPUs for isolated, \"2-7,10\"\n"
    "  -h, --help            this text\n"
    "\n"
    "Exit codes: 0 done, 1 failed, 2 wrong command line.\n";

static const struct option options[] = {{"json", no_argument, NULL, 'j'},
                                        {"synthetic", required_argument, NULL, 's'},
                                        {"isolated", required_argument, NULL, 'i'},
                                        {"help", no_argument, NULL, 'h'},
                                        {NULL, 0, NULL, 0}};

static const char *state_of(const struct topo_cpu *cpu)
{
    if (!cpu->allowed)
        return "not allowed";
    return cpu->isolated ? "isolated" : "";
}

/* How many different values one of a CPU's numbers takes. The numbers are small: at most `n`. */
static unsigned count_distinct(const struct topo *t, size_t offset)
{
    unsigned n = 0;

    for (unsigned i = 0; i < topo_ncpus(t); i++) {
        int value = *(const int *)((const char *)topo_cpu_at(t, i) + offset);
        bool seen = false;

        for (unsigned k = 0; k < i && !seen; k++)
            seen = *(const int *)((const char *)topo_cpu_at(t, k) + offset) == value;
        n += !seen;
    }
    return n;
}

static void count_line(const struct topo *t)
{
    static const struct {
        const char *one, *many;
        size_t offset;
    } kinds[] = {{"CPU", "CPUs", offsetof(struct topo_cpu, cpu)},
                 {"core", "cores", offsetof(struct topo_cpu, core)},
                 {"last-level cache", "last-level caches", offsetof(struct topo_cpu, llc)},
                 {"NUMA node", "NUMA nodes", offsetof(struct topo_cpu, node)},
                 {"socket", "sockets", offsetof(struct topo_cpu, socket)}};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        unsigned n = count_distinct(t, kinds[i].offset);

        printf("%s%u %s", i ? ", " : "", n, n == 1 ? kinds[i].one : kinds[i].many);
    }
    putchar('\n');
}

static int print_text(const struct topo *t)
{
    static const char *const head[] = {"CPU", "CORE", "LLC", "NODE", "SOCKET", "STATE"};
    struct table *table = table_new(head, 6);
    int err;

    for (unsigned i = 0; i < topo_ncpus(t); i++) {
        const struct topo_cpu *cpu = topo_cpu_at(t, i);

        table_cell(table, "%d", cpu->cpu);
        table_cell(table, "%d", cpu->core);
        table_cell(table, "%d", cpu->llc);
        table_cell(table, "%d", cpu->node);
        table_cell(table, "%d", cpu->socket);
        table_cell(table, "%s", state_of(cpu));
    }
    err = table_print(table, stdout);
    table_free(table);
    if (err)
        return cmd_fail("topo", "cannot print the table: %s", strerror(-err));
    count_line(t);
    return CMD_OK;
}

static int print_json(const struct topo *t)
{
    json_t *cpus = json_array(), *nodes = json_array();

    for (unsigned i = 0; i < topo_ncpus(t); i++) {
        const struct topo_cpu *cpu = topo_cpu_at(t, i);

        json_array_append_new(cpus, json_pack("{s:i,s:i,s:i,s:i,s:i,s:b,s:b}", "cpu", cpu->cpu,
                                              "core", cpu->core, "llc", cpu->llc, "node", cpu->node,
                                              "socket", cpu->socket, "allowed", cpu->allowed,
                                              "isolated", cpu->isolated));
    }
    for (unsigned i = 0; i < topo_nnodes(t); i++) {
        const struct topo_node *node = topo_node_at(t, i);

        json_array_append_new(nodes, json_pack("{s:i,s:I}", "node", node->node, "memory_mib",
                                               (json_int_t)node->memory));
    }
    return cmd_print_json(json_pack("{s:b,s:o,s:o}", "synthetic", topo_is_synthetic(t), "cpus",
                                    cpus, "nodes", nodes));
}

int cmd_topo(int argc, char **argv)
{
    struct topo_opts opts = {NULL, NULL};
    struct topo *t;
    bool json = false;
    int o, ret;

    while ((o = getopt_long(argc, argv, "js:i:h", options, NULL)) != -1) {
        switch (o) {
        case 'j': json = true; break;
        case 's': opts.synthetic = optarg; break;
        case 'i': opts.isolated = optarg; break;
        case 'h': fputs(help, stdout); return CMD_OK;
        default: return cmd_usage("topo", NULL);
        }
    }
    if (optind < argc)
        return cmd_usage("topo", "unexpected operand \"%s\"", argv[optind]);
    ret = topo_open("topo", &opts, &t);
    if (ret)
        return ret;
    ret = json ? print_json(t) : print_text(t);
    topo_free(t);
    return ret;
}
