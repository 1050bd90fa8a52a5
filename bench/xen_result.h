/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What `coopvmm bench xen` found: rounds of runs, and the document made of them.
 *
 *   bench, version, time, quick, host   as of every benchmark (report.h)
 *   xen                                 {version, spins}: can this hypervisor spin for answers?
 *   rounds
 *   polled_cycles      the I/O core polls Xen's page; vCPUs spin for answers if Xen can
 *   notified_cycles    only if Xen spins: the same without it, as on a stock hypervisor
 *   sleeping_cycles    the classical device model: the I/O core sleeps on the event channel
 *   xen_only_cycles    an access that Xen answers alone
 *   notify_cycles      the event-channel notification of an answer, as the I/O core sees it
 *   service_cycles     a request seen to its answer written
 *                      each: p50, p99, count, rounds_p50; the last two from histograms that are
 *                      known to 1/8, with a mean besides
 *   upcalls            {polled, sleeping}: event-channel interrupts per 1000 requests
 *   ratios             of the rounds' medians, round by round, and the median of that
 *   goals
 *
 * p50 and p99 are the medians of the rounds' ones; cycles are the TSC's. For inb_reg of the probe
 * guest: one byte read from a register of the RTL8029.
 */
#ifndef COOPVMM_BENCH_XEN_RESULT_H
#define COOPVMM_BENCH_XEN_RESULT_H

#include <jansson.h>
#include <stdbool.h>

#include "xen_run.h"

#define XEN_MAX_ROUNDS 64

enum xen_phase { XEN_POLLED, XEN_SLEEPING, XEN_NOTIFIED, XEN_PHASES };

struct xen_result {
    bool quick;
    char version[64]; /* Xen's */
    unsigned rounds;
    struct xen_run run[XEN_PHASES][XEN_MAX_ROUNDS]; /* XEN_NOTIFIED: only if it spins */
};

/** Did the vCPU spin for answers when that was asked for? */
bool xen_result_spins(const struct xen_result *r);
json_t *xen_result_json(const struct xen_result *r);
void xen_result_print(const json_t *j, FILE *out);

#endif
