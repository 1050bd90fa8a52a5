/* SPDX-License-Identifier: BSD-3-Clause */
#include "opts.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../coopvmm/cmd.h"
#include "stats.h"

static const char common[] =
    "  --cpu N          CPU to measure on; default: chosen with --iocpu, so that both share a\n"
    "                   last-level cache but no core\n"
    "  --iocpu N        CPU of the I/O core\n"
    "  --idle HOW       what the I/O core does when it has nothing to do: spin (default),\n"
    "                   pause, sleep\n"
    "  --rounds N       rounds, 1 to 512\n"
    "  --quick          3 seconds or less: to see that it works, not for figures\n"
    "  --plot FILE.svg  draw the result with gnuplot\n"
    "  --json           one JSON document\n"
    "  --help           this text\n";

static const char trap_only[] =
    "  --engine E       user (default) or kvm\n"
    "  --guest FILE     the probe guest; default: guest/probe.elf beside this program\n";

static const struct option longs[] = {
    {"cpu", 1, NULL, 'c'},    {"iocpu", 1, NULL, 'C'},  {"idle", 1, NULL, 'i'},
    {"rounds", 1, NULL, 'r'}, {"quick", 0, NULL, 'q'},  {"plot", 1, NULL, 'p'},
    {"json", 0, NULL, 'j'},   {"engine", 1, NULL, 'e'}, {"guest", 1, NULL, 'g'},
    {"help", 0, NULL, 'h'},   {NULL, 0, NULL, 0},
};

static void print_help(const struct bench_help *h)
{
    printf("Usage: coopvmm bench %s [options]\n%s\n%s%s\n"
           "Goals are shown as met or not met; the exit status does not depend on them.\n",
           h->name, h->text, h->trap ? trap_only : "", common);
}

bool opts_number(const char *text, int low, int high, int *out)
{
    char *end;
    long n = strtol(text, &end, 10);

    if (!*text || *end || n < low || n > high)
        return false;
    *out = (int)n;
    return true;
}

bool opts_count(const char *text, int high, unsigned *out)
{
    int n;

    if (!opts_number(text, 1, high, &n))
        return false;
    *out = (unsigned)n;
    return true;
}

static bool parse_idle(const char *text, enum cfg_idle *out)
{
    for (*out = CFG_IDLE_SPIN; *out <= CFG_IDLE_SLEEP; ++*out)
        if (!strcmp(text, cfg_idle_name(*out)))
            return true;
    return false;
}

static bool parse_engine(const char *text, enum cfg_engine *out)
{
    *out = strcmp(text, "kvm") ? CFG_ENGINE_USER : CFG_ENGINE_KVM;
    return !strcmp(text, "kvm") || !strcmp(text, "user");
}

/* @return NULL, or what is wrong with the value */
static const char *take(int c, const struct bench_help *h, struct bench_opts *o)
{
    if ((c == 'e' || c == 'g') && !h->trap)
        return "--engine and --guest are for `coopvmm bench trap`";
    switch (c) {
    case 'c': return opts_number(optarg, 0, OPTS_MAX_CPU, &o->cpu) ? NULL : "--cpu: no CPU number";
    case 'C':
        return opts_number(optarg, 0, OPTS_MAX_CPU, &o->iocpu) ? NULL : "--iocpu: no CPU number";
    case 'i': return parse_idle(optarg, &o->idle) ? NULL : "--idle: spin, pause or sleep";
    case 'r':
        return opts_count(optarg, STATS_MAX_ROUNDS, &o->rounds)
                   ? NULL
                   : "--rounds: a number from 1 to 512";
    case 'q': o->quick = true; return NULL;
    case 'p': o->plot = optarg; return NULL;
    case 'j': o->json = true; return NULL;
    case 'e': return parse_engine(optarg, &o->engine) ? NULL : "--engine: user or kvm";
    default: o->guest = optarg; return NULL;
    }
}

int bench_opts_parse(const struct bench_help *h, int argc, char **argv, struct bench_opts *o)
{
    char name[32];
    int c;

    snprintf(name, sizeof(name), "bench %s", h->name);
    *o = (struct bench_opts){.cpu = CFG_ANY, .iocpu = CFG_ANY, .idle = CFG_IDLE_SPIN};
    optind = 0;
    while ((c = getopt_long(argc, argv, "hj", longs, NULL)) != -1) {
        const char *wrong;

        if (c == 'h') {
            print_help(h);
            return CMD_OK;
        }
        if (c == '?')
            return cmd_usage(name, NULL);
        wrong = take(c, h, o);
        if (wrong)
            return cmd_usage(name, "%s", wrong);
    }
    if (optind < argc)
        return cmd_usage(name, "unexpected operand %s", argv[optind]);
    if (o->cpu != CFG_ANY && o->cpu == o->iocpu)
        return cmd_usage(name, "--cpu and --iocpu: two different CPUs, please");
    return OPTS_GO_ON;
}
