/* SPDX-License-Identifier: BSD-3-Clause */
/* coopvmm bench xen: options, rounds, output. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../coopvmm/cmd.h"
#include "../coopvmm/xl_host.h"
#include "opts.h"
#include "progress.h"
#include "xen_result.h"

#define NAME          "bench xen"
#define ROUNDS        3
#define SAMPLES       2000
#define QUICK_SAMPLES 500
#define MAX_SAMPLES   50000 /* the probe guest has room for twice as many, of two kinds */

struct options {
    unsigned rounds, samples;
    int cpu, iocpu;
    bool quick, json;
    const char *guest;
};

static const char usage[] =
    "Usage: coopvmm bench xen [options]\n"
    "In Xen's dom0: what one byte read from a device costs a PVH guest, in TSC cycles, when the\n"
    "I/O core polls, when it sleeps on the event channel as a classical device model does, and\n"
    "when Xen answers alone. Starts temporary testbeds with the probe guest.\n\n"
    "  --cpu N          physical CPU of the guest; default: one where no dom0 vCPU is\n"
    "  --iocpu N        dom0's CPU of the I/O core\n"
    "  --rounds N       rounds, 1 to 64, default 3\n"
    "  --samples N      accesses of a kind a round, 1 to 50000, default 2000\n"
    "  --guest FILE     the probe guest; default: guest/probe.elf beside this program\n"
    "  --quick          one round of 500: to see that it works, not for figures\n"
    "  --json           one JSON document\n"
    "  --help           this text\n\n"
    "Goals are shown as met or not met; the exit status does not depend on them.\n";

/* @return OPTS_GO_ON, else an exit status */
static int parse(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {
        {"cpu", 1, NULL, 'c'},     {"iocpu", 1, NULL, 'C'}, {"rounds", 1, NULL, 'r'},
        {"samples", 1, NULL, 's'}, {"guest", 1, NULL, 'g'}, {"quick", 0, NULL, 'q'},
        {"json", 0, NULL, 'j'},    {"help", 0, NULL, 'h'},  {NULL, 0, NULL, 0},
    };
    bool good = true;
    int c;

    *o = (struct options){.cpu = CFG_ANY, .iocpu = CFG_ANY};
    optind = 0;
    while ((c = getopt_long(argc, argv, "hj", longs, NULL)) != -1) {
        switch (c) {
        case 'c': good &= opts_number(optarg, 0, OPTS_MAX_CPU, &o->cpu); break;
        case 'C': good &= opts_number(optarg, 0, OPTS_MAX_CPU, &o->iocpu); break;
        case 'r': good &= opts_count(optarg, XEN_MAX_ROUNDS, &o->rounds); break;
        case 's': good &= opts_count(optarg, MAX_SAMPLES, &o->samples); break;
        case 'g': o->guest = optarg; break;
        case 'q': o->quick = true; break;
        case 'j': o->json = true; break;
        case 'h': fputs(usage, stdout); return CMD_OK;
        default: return cmd_usage(NAME, NULL);
        }
    }
    if (!good)
        return cmd_usage(NAME, "a number is out of its range");
    if (optind != argc)
        return cmd_usage(NAME, "unexpected operand %s", argv[optind]);
    if (!o->rounds)
        o->rounds = o->quick ? 1 : ROUNDS;
    if (!o->samples)
        o->samples = o->quick ? QUICK_SAMPLES : SAMPLES;
    return OPTS_GO_ON;
}

/* --- the rounds --- */

static const struct {
    const char *what;
    enum cfg_idle idle;
    bool spin;
} phases[XEN_PHASES] = {
    [XEN_POLLED] = {"the I/O core polls", CFG_IDLE_SPIN, true},
    [XEN_SLEEPING] = {"the I/O core sleeps", CFG_IDLE_SLEEP, false},
    [XEN_NOTIFIED] = {"the I/O core polls and notifies", CFG_IDLE_SPIN, false},
};

static int one_round(struct guard *g, const struct options *o, struct xen_result *r)
{
    int err = 0;

    for (unsigned p = 0; p < XEN_PHASES && !err; p++) {
        struct xen_run_spec spec = {.idle = phases[p].idle,
                                    .spin = phases[p].spin,
                                    .n = o->samples,
                                    .cpu = o->cpu,
                                    .iocpu = o->iocpu,
                                    .guest = o->guest};

        if (p == XEN_NOTIFIED && !r->run[XEN_POLLED][r->rounds].spins)
            continue; /* that is what "polled" was */
        progress_show(NAME, "round %u of %u: %s", r->rounds + 1, o->rounds, phases[p].what);
        err = xen_run(g, &spec, stderr, &r->run[p][r->rounds]);
    }
    return err;
}

static int measure(struct guard *g, const struct options *o, struct xen_result *r)
{
    int err = 0;

    while (r->rounds < o->rounds && !err) {
        err = one_round(g, o, r);
        if (!err)
            r->rounds++;
    }
    progress_end();
    return err;
}

/* --- Xen's version, as dom0's kernel tells it --- */

static void read_part(const char *part, char *to, size_t size)
{
    char path[64];
    FILE *f;

    snprintf(path, sizeof(path), "/sys/hypervisor/version/%s", part);
    f = fopen(path, "re");
    if (!f || !fgets(to, (int)size, f))
        snprintf(to, size, "?");
    to[strcspn(to, "\n")] = '\0';
    if (f)
        fclose(f);
}

static void read_version(char *out, size_t size)
{
    char major[12], minor[12], extra[32];

    read_part("major", major, sizeof(major));
    read_part("minor", minor, sizeof(minor));
    read_part("extra", extra, sizeof(extra));
    snprintf(out, size, "%s.%s%s", major, minor, extra);
}

static int print(const struct options *o, const struct xen_result *r)
{
    json_t *j = xen_result_json(r);

    if (o->json)
        return cmd_print_json(j);
    xen_result_print(j, stdout);
    json_decref(j);
    return CMD_OK;
}

int bench_xen(int argc, char **argv)
{
    static struct xen_result r; /* too large for the stack */
    struct guard *g = NULL;
    struct options o;
    int status = parse(argc, argv, &o), err, signal;

    if (status != OPTS_GO_ON)
        return status;
    if (!xl_is_dom0(""))
        return cmd_fail(NAME, "this is not the control domain of a Xen host: boot Xen and run it "
                              "in dom0, with xenfs mounted on /proc/xen");
    r = (struct xen_result){.quick = o.quick};
    read_version(r.version, sizeof(r.version));
    err = guard_create(&g);
    if (!err)
        err = measure(g, &o, &r);
    signal = g ? guard_signal(g) : 0;
    guard_free(g);
    if (signal)
        return 128 + signal;
    return err ? cmd_fail(NAME, "%s", strerror(-err)) : print(&o, &r);
}
