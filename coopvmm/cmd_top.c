/* SPDX-License-Identifier: BSD-3-Clause */
/* coopvmm top: what a testbed's I/O cores, VMs and ports do, live. */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd.h"
#include "top.h"

#define MIN_DELAY_MS 100
#define MAX_DELAY_MS 60000

static const char help[] =
    "Usage: coopvmm top [options] [TESTBED]\n"
    "Shows what a testbed's I/O cores, VMs and ports do: shares of time, requests and\n"
    "posted writes a second, latencies of the last interval. TESTBED may be left out if\n"
    "only one is running.\n\n"
    "  -t, --testbed NAME   the same as TESTBED\n"
    "  -d, --delay SECONDS  the interval, 0.1 to 60; 1 if not given\n"
    "  -b, --batch N        print N reports as text, one an interval, and end\n"
    "  -1, --once           the same as --batch 1\n"
    "  -j, --json           with --batch or --once: one JSON document a line\n"
    "  -h, --help           this text\n\n"
    "Keys: q quits, + and - change the interval, arrows and page keys scroll.\n"
    "WAIT is the time from a guest's request to when the I/O core took it up, SERVICE from\n"
    "then to the answer: median and 99th percentile, known to 1/8.\n";

static const struct option options[] = {{"testbed", required_argument, NULL, 't'},
                                        {"delay", required_argument, NULL, 'd'},
                                        {"batch", required_argument, NULL, 'b'},
                                        {"once", no_argument, NULL, '1'},
                                        {"json", no_argument, NULL, 'j'},
                                        {"help", no_argument, NULL, 'h'},
                                        {NULL, 0, NULL, 0}};

struct opts {
    const char *testbed;
    unsigned delay_ms;
    unsigned batch; /* 0: on the screen */
    bool json;
};

static void pause_ms(unsigned ms)
{
    struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000l};

    nanosleep(&ts, NULL);
}

/* One report, on a line of its own or after an empty one. */
static int report(const struct top *t, bool json, bool first)
{
    json_t *j;

    if (json) {
        j = top_json(t);
        if (j)
            json_dumpf(j, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
        json_decref(j);
        putchar('\n');
    } else {
        if (!first)
            putchar('\n');
        top_print(t, stdout);
    }
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : -EIO;
}

static int batch(struct top *t, const struct opts *o)
{
    int err = top_sample(t);

    if (!err && t->problem[0])
        return cmd_fail("top", "testbed %s: %s", t->ref.name, t->problem);
    for (unsigned i = 0; i < o->batch && !err; i++) {
        pause_ms(o->delay_ms);
        err = top_sample(t);
        if (!err)
            err = report(t, o->json, i == 0);
    }
    if (err == -ENOENT)
        return cmd_fail("top", "testbed %s ended", t->ref.name);
    return err ? cmd_fail("top", "%s", strerror(-err)) : CMD_OK;
}

static bool parse_delay(const char *text, unsigned *ms)
{
    char *end;
    double s = strtod(text, &end);

    if (end == text || *end || !(s * 1000 >= MIN_DELAY_MS && s * 1000 <= MAX_DELAY_MS))
        return false;
    *ms = (unsigned)(s * 1000);
    return true;
}

static bool parse_count(const char *text, unsigned *n)
{
    char *end;
    unsigned long v = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end || v == 0 || v > 1000000000)
        return false;
    *n = (unsigned)v;
    return true;
}

/* @return CMD_OK to go on, -1 if the help was printed, else an exit code */
static int parse(int argc, char **argv, struct opts *o)
{
    int c;

    while ((c = getopt_long(argc, argv, "t:d:b:1jh", options, NULL)) != -1) {
        bool good = true;

        switch (c) {
        case 't': o->testbed = optarg; break;
        case 'd': good = parse_delay(optarg, &o->delay_ms); break;
        case 'b': good = parse_count(optarg, &o->batch); break;
        case '1': o->batch = 1; break;
        case 'j': o->json = true; break;
        case 'h': fputs(help, stdout); return -1;
        default: return cmd_usage("top", NULL);
        }
        if (!good)
            return cmd_usage("top", "-%c: \"%s\" is out of range", c, optarg);
    }
    if (argc - optind > 1)
        return cmd_usage("top", "at most one testbed is wanted");
    if (optind < argc)
        o->testbed = argv[optind];
    if (o->json && !o->batch)
        return cmd_usage("top", "--json goes with --batch or --once");
    return CMD_OK;
}

int cmd_top(int argc, char **argv)
{
    struct opts o = {.delay_ms = 1000};
    int rc = parse(argc, argv, &o);
    struct rundir_ref ref;
    char why[RUNDIR_WHY];
    struct top t;

    if (rc != CMD_OK)
        return rc < 0 ? CMD_OK : rc;
    if (rundir_find(o.testbed, &ref, why) < 0)
        return cmd_fail("top", "%s", why);
    top_init(&t, &ref);
    rc = o.batch ? batch(&t, &o) : top_screen(&t, o.delay_ms);
    top_fini(&t);
    return rc;
}
