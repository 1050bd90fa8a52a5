/* SPDX-License-Identifier: BSD-3-Clause */
/* coopvmm bench net: options, which parts, output. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "../coopvmm/cmd.h"
#include "../coopvmm/table.h"
#include "host.h"
#include "net.h"
#include "opts.h"
#include "progress.h"
#include "report.h"

static const struct net_part *const parts[] = {&net_vhost, &net_guests};
#define PARTS (sizeof(parts) / sizeof(parts[0]))

struct command {
    struct net_options o;
    const char *only; /* names of parts; NULL: all that can be measured here */
    bool json;
};

static void print_help(void)
{
    puts("Usage: coopvmm bench net [options]\n"
         "What guests get out of the I/O cores' NICs, beside what others give them, by turns in "
         "one\n"
         "run. Parts:\n");
    for (size_t i = 0; i < PARTS; i++)
        printf("  %-16s %s\n", parts[i]->name, parts[i]->what);
    puts("\n"
         "  --part LIST      only these, separated by commas; default: all that work here\n"
         "  --kernel FILE    guests: Linux, a bzImage, without which they are left out\n"
         "  --initrd FILE    guests: its initial RAM file system (docs/benchmarks.md)\n"
         "  --models LIST    guests: of rtl8029, rtl8139cp, e1000, virtio-net; default: all\n"
         "  --cpu N          CPU of the guest\n"
         "  --iocpu N        CPU of the I/O core, and of what it is compared with\n"
         "  --rounds N       rounds, 1 to 64\n"
         "  --quick          one short round: to see that it works, not for figures\n"
         "  --json           one JSON document\n"
         "  --help           this text\n\n"
         "Goals are shown as met or not met; the exit status does not depend on them.");
}

/* --- the command line --- */

/* Every name of the list is a part's. */
static bool all_parts(const char *list)
{
    size_t named = 0, known = 0;

    if (!list)
        return true;
    for (const char *p = list; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL)
        named++;
    for (size_t i = 0; i < PARTS; i++)
        known += net_in_list(list, parts[i]->name);
    return named == known;
}

/* @return false: the value is none for this option */
static bool take(int option, struct command *c)
{
    switch (option) {
    case 'P': c->only = optarg; return all_parts(optarg);
    case 'k': c->o.kernel = optarg; return true;
    case 'i': c->o.initrd = optarg; return true;
    case 'm': c->o.models = optarg; return true;
    case 'c': return opts_number(optarg, 0, OPTS_MAX_CPU, &c->o.cpu);
    case 'C': return opts_number(optarg, 0, OPTS_MAX_CPU, &c->o.iocpu);
    case 'r': return opts_count(optarg, NET_MAX_ROUNDS, &c->o.rounds);
    case 'q': c->o.quick = true; return true;
    default: c->json = true; return true;
    }
}

/* @return OPTS_GO_ON, else an exit status */
static int parse(int argc, char **argv, struct command *c)
{
    static const struct option longs[] = {
        {"part", 1, NULL, 'P'},   {"kernel", 1, NULL, 'k'}, {"initrd", 1, NULL, 'i'},
        {"models", 1, NULL, 'm'}, {"cpu", 1, NULL, 'c'},    {"iocpu", 1, NULL, 'C'},
        {"rounds", 1, NULL, 'r'}, {"quick", 0, NULL, 'q'},  {"json", 0, NULL, 'j'},
        {"help", 0, NULL, 'h'},   {NULL, 0, NULL, 0},
    };
    int option, index = 0;

    *c = (struct command){.o = {.cpu = CFG_ANY, .iocpu = CFG_ANY}};
    optind = 0;
    while ((option = getopt_long(argc, argv, "hj", longs, &index)) != -1) {
        if (option == 'h') {
            print_help();
            return CMD_OK;
        }
        if (option == '?')
            return cmd_usage(NET_NAME, NULL);
        if (!take(option, c))
            return cmd_usage(NET_NAME, "--%s: %s does not do", longs[index].name, optarg);
    }
    if (optind != argc)
        return cmd_usage(NET_NAME, "unexpected operand %s", argv[optind]);
    if (c->o.cpu != CFG_ANY && c->o.cpu == c->o.iocpu)
        return cmd_usage(NET_NAME, "--cpu and --iocpu: two different CPUs, please");
    return OPTS_GO_ON;
}

/* --- the parts --- */

static void leave_out(json_t *doc, const struct net_part *p, const char *why)
{
    json_array_append_new(json_object_get(doc, "left_out"),
                          json_pack("{s:s, s:s}", "part", p->name, "why", why));
}

/* @return 0, also of what cannot be measured here; else as net_part.run */
static int run_part(struct guard *g, const struct net_part *p, const struct net_options *o,
                    json_t *doc)
{
    char why[NET_WHY] = "";
    json_t *figures;
    int err;

    if (!p->possible(o, why)) {
        leave_out(doc, p, why);
        return 0;
    }
    figures = json_object();
    err = p->run(g, o, figures, stderr);
    progress_end();
    if (err) {
        json_decref(figures);
        leave_out(doc, p, strerror(-err));
        return err;
    }
    json_object_set_new(doc, p->name, figures);
    p->goals(doc, figures);
    return 0;
}

/* One that fails does not take with it what others have measured. */
static int run_parts(struct guard *g, const struct command *c, json_t *doc)
{
    int ret = 0;

    for (size_t i = 0; i < PARTS && !guard_stopped(g); i++) {
        int err = net_in_list(c->only, parts[i]->name) ? run_part(g, parts[i], &c->o, doc) : 0;

        ret = ret ? ret : err;
    }
    return ret;
}

static unsigned measured(const json_t *doc)
{
    unsigned n = 0;

    for (size_t i = 0; i < PARTS; i++)
        n += json_object_get(doc, parts[i]->name) != NULL;
    return n;
}

/* --- the text --- */

static void print_left_out(const json_t *doc, FILE *out)
{
    static const char *const head[] = {"left out", "why"};
    const json_t *list = json_object_get(doc, "left_out");
    struct table *t;
    size_t i;
    json_t *l;

    if (!json_array_size(list))
        return;
    t = table_new(head, 2);
    json_array_foreach((json_t *)(uintptr_t)list, i, l)
    {
        table_cell(t, "%s", json_string_value(json_object_get(l, "part")));
        table_cell(t, "%s", json_string_value(json_object_get(l, "why")));
    }
    table_print(t, out);
    table_free(t);
}

static void print_text(const json_t *doc, FILE *out)
{
    report_print_title(doc, out);
    fputc('\n', out);
    for (size_t i = 0; i < PARTS; i++) {
        const json_t *figures = json_object_get(doc, parts[i]->name);

        if (figures)
            parts[i]->print(figures, out);
    }
    print_left_out(doc, out);
    if (measured(doc))
        report_print_goals(doc, out);
}

static json_t *new_document(const struct net_options *o)
{
    struct host host;
    json_t *doc;

    host_read(&host);
    doc = report_head("net", o->quick, &host);
    json_object_set_new(doc, "left_out", json_array());
    return doc;
}

/* Of parts that failed, the others' figures are told all the same. */
static int tell(const struct command *c, json_t *doc, int err)
{
    bool any = measured(doc) != 0;
    int status = CMD_OK;

    if (c->json) {
        status = cmd_print_json(doc);
    } else {
        print_text(doc, stdout);
        json_decref(doc);
    }
    if (err)
        return cmd_fail(NET_NAME, "a part failed: %s", strerror(-err));
    return any ? status : cmd_fail(NET_NAME, "nothing that was asked for can be measured here");
}

int bench_net(int argc, char **argv)
{
    struct guard *g = NULL;
    struct command c;
    int status = parse(argc, argv, &c), err, signal;
    json_t *doc;

    if (status != OPTS_GO_ON)
        return status;
    err = guard_create(&g);
    if (err)
        return cmd_fail(NET_NAME, "%s", strerror(-err));
    doc = new_document(&c.o);
    err = run_parts(g, &c, doc);
    signal = guard_signal(g);
    guard_free(g);
    if (!signal)
        return tell(&c, doc, err);
    json_decref(doc);
    return 128 + signal;
}
