/* SPDX-License-Identifier: BSD-3-Clause */
/* `coopvmm plan`: who would get which CPU, before anything runs. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "config/plan.h"
#include "table.h"
#include "topo_opts.h"
#include "xl_host.h"

static const char help[] =
    "usage: coopvmm plan [--json | --yaml] [--synthetic DESC] [--isolated LIST] FILE\n"
    "\n"
    "Shows which CPU each I/O core and vCPU of a testbed gets, and which NUMA node each VM's\n"
    "memory; nothing is started. Warnings go to standard error.\n"
    "\n"
    "  -j, --json            one JSON document instead of tables\n"
    "  -y, --yaml            the config file, with everything the planner decided filled in\n"
    "  -s, --synthetic DESC  plan for a machine that hwloc makes up, for instance\n"
    "                        \"package:2 [numa] l3:8 core:8 pu:2\"\n"
    "  -i, --isolated LIST   take these CPUs for isolated, \"2-7,10\"\n"
    "  -h, --help            this text\n"
    "\n"
    "Exit codes: 0 it fits, 1 failed, 2 wrong command line, 3 the file is wrong or does not fit.\n";

static const struct option options[] = {{"json", no_argument, NULL, 'j'},
                                        {"yaml", no_argument, NULL, 'y'},
                                        {"synthetic", required_argument, NULL, 's'},
                                        {"isolated", required_argument, NULL, 'i'},
                                        {"help", no_argument, NULL, 'h'},
                                        {NULL, 0, NULL, 0}};

enum format { TEXT, JSON, YAML };

/* A plan that was made: the config filled in, the machine, and what the planner said. */
struct made {
    struct cfg *c;
    struct topo *t;
    char *said; /* lines */
    size_t said_len;
};

static void place_cells(struct table *table, const struct topo *t, int number)
{
    const struct topo_cpu *cpu = topo_cpu_find(t, number);

    table_cell(table, "%d", cpu->cpu);
    table_cell(table, "%d", cpu->core);
    table_cell(table, "%d", cpu->llc);
    table_cell(table, "%d", cpu->node);
    table_cell(table, "%d", cpu->socket);
    table_cell(table, "%s", cpu->isolated ? "isolated" : "");
}

/* Where a vCPU is: a Xen domain's on a physical CPU, of which only the number is known here. */
static void vcpu_cells(struct table *table, const struct topo *t, const struct cfg_vm *vm,
                       unsigned vcpu)
{
    if (cfg_runs_here(vm)) {
        place_cells(table, t, vm->cores[vcpu]);
        return;
    }
    if (vm->cores[vcpu] == CFG_ANY)
        table_cell(table, "any");
    else
        table_cell(table, "%d", vm->cores[vcpu]);
    for (unsigned i = 0; i < 4; i++)
        table_cell(table, "%s", "");
    table_cell(table, "physical");
}

static int finish_table(struct table *table)
{
    int err = table_print(table, stdout);

    table_free(table);
    return err ? cmd_fail("plan", "cannot print the table: %s", strerror(-err)) : CMD_OK;
}

static int print_cpus(const struct made *m)
{
    static const char *const head[] = {"WHO", "CPU", "CORE", "LLC", "NODE", "SOCKET", "STATE"};
    struct table *table = table_new(head, 7);

    for (unsigned i = 0; i < m->c->iocores_count; i++) {
        table_cell(table, "I/O core %s", m->c->iocores[i].name);
        place_cells(table, m->t, m->c->iocores[i].core);
    }
    for (unsigned v = 0; v < m->c->vms_count; v++)
        for (unsigned i = 0; i < m->c->vms[v].vcpus; i++) {
            table_cell(table, "%s vCPU %u", m->c->vms[v].name, i);
            vcpu_cells(table, m->t, &m->c->vms[v], i);
        }
    return finish_table(table);
}

/* A device's name, and what serves it. */
static void device_cells(struct table *table, const struct cfg_device *d)
{
    table_cell(table, "%s", d->name);
    if (d->placement == CFG_PLACE_IOCORE)
        table_cell(table, "I/O core %s", d->iocore);
    else
        table_cell(table, "%s", cfg_placement_name(d->placement));
}

static int print_vms(const struct made *m)
{
    static const char *const head[] = {"VM", "ENGINE", "MEMORY/MiB", "NODE", "DEVICE", "SERVED BY"};
    struct table *table = table_new(head, 6);

    for (unsigned v = 0; v < m->c->vms_count; v++) {
        const struct cfg_vm *vm = &m->c->vms[v];

        table_cell(table, "%s", vm->name);
        table_cell(table, "%s", cfg_engine_name(vm->engine));
        table_cell(table, "%u", vm->memory);
        if (vm->node == CFG_ANY)
            table_cell(table, "any");
        else
            table_cell(table, "%d", vm->node);
        for (unsigned i = 0; i < vm->devices_count; i++) {
            for (unsigned k = 0; i && k < 4; k++)
                table_cell(table, "%s", "");
            device_cells(table, &vm->devices[i]);
        }
        table_end_row(table);
    }
    return finish_table(table);
}

static int print_text(const struct made *m)
{
    int ret = print_cpus(m);

    if (ret || !m->c->vms_count)
        return ret;
    putchar('\n');
    return print_vms(m);
}

static json_t *place_json(const struct topo *t, int number)
{
    const struct topo_cpu *cpu = topo_cpu_find(t, number);

    return json_pack("{s:i,s:i,s:i,s:i,s:i,s:b}", "cpu", cpu->cpu, "core", cpu->core, "llc",
                     cpu->llc, "node", cpu->node, "socket", cpu->socket, "isolated", cpu->isolated);
}

static json_t *vcpu_json(const struct made *m, const struct cfg_vm *vm, unsigned vcpu)
{
    int cpu = vm->cores[vcpu];

    if (cfg_runs_here(vm))
        return place_json(m->t, cpu);
    return json_pack("{s:o,s:b}", "cpu", cpu == CFG_ANY ? json_null() : json_integer(cpu),
                     "physical", 1);
}

static json_t *iocores_json(const struct made *m)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < m->c->iocores_count; i++) {
        json_t *j = place_json(m->t, m->c->iocores[i].core);

        json_object_set_new(j, "name", json_string(m->c->iocores[i].name));
        json_object_set_new(j, "idle", json_string(cfg_idle_name(m->c->iocores[i].idle)));
        json_array_append_new(list, j);
    }
    return list;
}

static json_t *devices_json(const struct cfg_vm *vm)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < vm->devices_count; i++) {
        const struct cfg_device *d = &vm->devices[i];

        json_array_append_new(list,
                              json_pack("{s:s,s:s,s:s,s:s?,s:s,s:i}", "name", d->name, "model",
                                        d->model, "placement", cfg_placement_name(d->placement),
                                        "iocore", d->iocore, "mac", d->mac, "irq", (int)d->irq));
    }
    return list;
}

static json_t *vms_json(const struct made *m)
{
    json_t *list = json_array();

    for (unsigned v = 0; v < m->c->vms_count; v++) {
        const struct cfg_vm *vm = &m->c->vms[v];
        json_t *vcpus = json_array();

        for (unsigned i = 0; i < vm->vcpus; i++)
            json_array_append_new(vcpus, vcpu_json(m, vm, i));
        json_array_append_new(list, json_pack("{s:s,s:s,s:i,s:i,s:o,s:o}", "name", vm->name,
                                              "engine", cfg_engine_name(vm->engine), "memory_mib",
                                              (int)vm->memory, "node", vm->node, "vcpus", vcpus,
                                              "devices", devices_json(vm)));
    }
    return list;
}

/* The planner's lines, without the file's name in front. */
static json_t *warnings_json(const struct made *m)
{
    json_t *list = json_array();
    char *save = NULL, *lines = strdup(m->said ? m->said : "");

    for (char *line = lines ? strtok_r(lines, "\n", &save) : NULL; line;
         line = strtok_r(NULL, "\n", &save)) {
        const char *text = strstr(line, ": warning: ");

        json_array_append_new(list, json_string(text ? text + strlen(": warning: ") : line));
    }
    free(lines);
    return list;
}

static int print_json(const struct made *m)
{
    return cmd_print_json(json_pack("{s:s,s:s,s:o,s:o,s:o}", "testbed", m->c->name, "file",
                                    m->c->path, "iocores", iocores_json(m), "vms", vms_json(m),
                                    "warnings", warnings_json(m)));
}

static int show(const struct made *m, enum format format)
{
    int ret;

    if (format == JSON)
        return print_json(m);
    if (format == TEXT)
        ret = print_text(m);
    else
        ret = cfg_save(m->c, stdout) ? cmd_fail("plan", "cannot write the file") : CMD_OK;
    fflush(stdout);
    fputs(m->said ? m->said : "", stderr);
    return ret;
}

/* Fills the config in; what the planner says is kept. */
static int make(struct made *m)
{
    FILE *f = open_memstream(&m->said, &m->said_len);
    int err = f ? xl_host_plan(m->c, m->t, false, f) : -errno;

    if (f)
        fclose(f);
    if (err) {
        fputs(m->said ? m->said : "", stderr);
        return err == -EINVAL ? CMD_CONFIG : cmd_fail("plan", "%s", strerror(-err));
    }
    return CMD_OK;
}

static int plan(const char *file, const struct topo_opts *opts, enum format format)
{
    struct made m = {NULL, NULL, NULL, 0};
    int ret;

    if (cfg_load(file, &m.c, stderr))
        return CMD_CONFIG;
    ret = topo_open("plan", opts, &m.t);
    if (!ret)
        ret = make(&m);
    if (!ret)
        ret = show(&m, format);
    free(m.said);
    topo_free(m.t);
    cfg_free(m.c);
    return ret;
}

int cmd_plan(int argc, char **argv)
{
    struct topo_opts opts = {NULL, NULL};
    enum format format = TEXT;
    int o;

    while ((o = getopt_long(argc, argv, "jys:i:h", options, NULL)) != -1) {
        switch (o) {
        case 'j': format = JSON; break;
        case 'y': format = YAML; break;
        case 's': opts.synthetic = optarg; break;
        case 'i': opts.isolated = optarg; break;
        case 'h': fputs(help, stdout); return CMD_OK;
        default: return cmd_usage("plan", NULL);
        }
    }
    if (optind + 1 != argc)
        return cmd_usage("plan", "%s", optind < argc ? "one FILE, please" : "name a FILE");
    return plan(argv[optind], &opts, format);
}
