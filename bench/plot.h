/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Drawings, by gnuplot: commands and data go to it by a pipe, the SVG file is its own doing.
 *
 *   struct plot *p = plot_open("ring.svg", "title");
 *   fprintf(plot_out(p), "...commands and data...");
 *   err = plot_close(p);
 */
#ifndef COOPVMM_BENCH_PLOT_H
#define COOPVMM_BENCH_PLOT_H

#include <stdio.h>

#include "stats.h"

struct plot;

/** Starts gnuplot. @return NULL: it is missing, or the file's name is no good (said on stderr) */
struct plot *plot_open(const char *file, const char *title);
FILE *plot_out(struct plot *p);
/** Waits for it. @return 0, -EIO (gnuplot said why) */
int plot_close(struct plot *p);

/* Which part of a series' samples is at or below a time. */
struct plot_curve {
    const char *title;
    const struct series *series; /* sorted */
};
/** Draws them all over a logarithmic time axis. Ends with a NULL title. @return 0, -EIO, -ENOENT */
int plot_distributions(const char *file, const char *title, const struct plot_curve *curves,
                       const struct tsc *t);

#endif
