/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a benchmark says in the end: a JSON document, from which the text is made, too. Its common
 * part:
 *
 *   bench, version, time     which benchmark, of which coopvmm, when (UTC)
 *   host                     cpu, cpus, kernel, virtualised, hypervisor, line, tsc_hz, stolen (part
 *                            of the CPUs' time that the hypervisor gave to others meanwhile)
 *   placement                cpu, iocpu, same_llc, siblings, idle
 *   rounds, NAME_ns, NAME_min_ns, NAME_p99_ns, NAME_p999_ns, NAME_max_ns, NAME_samples,
 *   NAME_rounds_ns           for each series: its median and so on over all samples; each round's
 *                            median, in order
 *   goals                    each: text, value, bound, met
 *
 * Times are in nanoseconds, rounded to 0.1.
 */
#ifndef COOPVMM_BENCH_REPORT_H
#define COOPVMM_BENCH_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "session.h"
#include "stats.h"

/** What every document begins with: bench, version, time, quick, host (without tsc_hz and stolen),
 * and goals, which are none yet. */
json_t *report_head(const char *bench, bool quick, const struct host *host);
/** The document with its common part. NULL: out of memory; all functions here accept that. */
json_t *report_new(const struct session *s, const char *bench);
/** Rounds to a tenth, which is more than any of the clocks can tell. */
double report_round(double x);
/** Sets a number, rounded. */
void report_number(json_t *j, const char *key, double value);
/** The number at a key of an object; 0 if there is none. */
double report_value(const json_t *j, const char *key);
/** Summarises a series: into *out, and as NAME_... into the document. Sorts the samples. */
void report_series(json_t *j, const char *name, struct series *from, const struct tsc *t,
                   struct summary *out);

enum report_sense { AT_MOST, AT_LEAST };
/** Adds a goal: is `value` at most, or at least, `bound`? One that is no number is null, not met.
 */
void report_goal(json_t *j, const char *text, double value, enum report_sense sense, double bound);

/* The text: the host's lines, a table of series, a table of goals. */
struct report_row {
    const char *name; /* of the series in the document */
    const char *title;
};
/** Prints which coopvmm, which benchmark, which host. */
void report_print_title(const json_t *j, FILE *out);
/** Prints a document's common part, the series of `rows` (ends with a NULL name) and its goals,
 * if it has any. */
void report_print_head(const json_t *j, FILE *out);
void report_print_series(const json_t *j, const struct report_row *rows, FILE *out);
void report_print_goals(const json_t *j, FILE *out);

#endif
