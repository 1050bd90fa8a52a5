/* SPDX-License-Identifier: BSD-3-Clause */
/* The options of `coopvmm bench ring|posted|registers|exits|scale|trap`, which are the same but for
 * a few. */
#ifndef COOPVMM_BENCH_OPTS_H
#define COOPVMM_BENCH_OPTS_H

#include <stdbool.h>

#include "../config/config.h"

#define OPTS_GO_ON   (-1)
#define OPTS_MAX_CPU 4095

struct bench_opts {
    int cpu, iocpu; /* CFG_ANY: chosen */
    enum cfg_idle idle;
    unsigned rounds; /* 0: as many as the benchmark likes */
    bool quick, json;
    const char *plot; /* an SVG file, or NULL */
    /* trap only */
    enum cfg_engine engine;
    const char *guest;
};

/* What a benchmark says of itself. */
struct bench_help {
    const char *name; /* "ring" */
    const char *text; /* what it measures, some lines, each ends with a newline */
    bool trap;        /* it has --engine and --guest */
};

/** Parses; answers --help. @return OPTS_GO_ON, else an exit status (enum cmd_exit) */
int bench_opts_parse(const struct bench_help *h, int argc, char **argv, struct bench_opts *o);

/** A decimal number, whole, in its range. @return false: it is none */
bool opts_number(const char *text, int low, int high, int *out);
/** The same for a count, from 1 on. */
bool opts_count(const char *text, int high, unsigned *out);

/* The benchmarks: argv[0] is the name. @return enum cmd_exit; never a failure because of a figure
 */
int bench_ring(int argc, char **argv);
int bench_posted(int argc, char **argv);
int bench_registers(int argc, char **argv);
int bench_exits(int argc, char **argv);
int bench_scale(int argc, char **argv);
int bench_trap(int argc, char **argv);
/* these have options of their own */
int bench_xen(int argc, char **argv);
int bench_net(int argc, char **argv);

#endif
