/* SPDX-License-Identifier: BSD-3-Clause */
#include "tsc.h"

#include <cpuid.h>
#include <errno.h>
#include <stdbool.h>
#include <time.h>

#include "stats.h"

#define CALIBRATE_NS   40000000
#define OVERHEAD_READS 20000

/* CPUID 8000_0007, EDX bit 8: the TSC runs at one rate in all P-, C- and T-states. */
static bool is_invariant(void)
{
    unsigned a, b, c, d;

    return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & 1u << 8);
}

/* One reading of both clocks. Of several tries the one with the shortest way between two readings
 * of the TSC counts: it was not interrupted. */
static void read_both(double *ns, double *ticks)
{
    uint64_t best = UINT64_MAX;

    for (int i = 0; i < 100; i++) {
        struct timespec now;
        uint64_t before = tsc_read(), after;

        clock_gettime(CLOCK_MONOTONIC_RAW, &now);
        after = tsc_read();
        if (after - before < best) {
            best = after - before;
            *ns = (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
            *ticks = (double)before + (double)best / 2;
        }
    }
}

static double measure_hz(void)
{
    const struct timespec nap = {.tv_nsec = CALIBRATE_NS};
    double ns0 = 0, ticks0 = 0, ns1 = 0, ticks1 = 0;

    read_both(&ns0, &ticks0);
    nanosleep(&nap, NULL);
    read_both(&ns1, &ticks1);
    return (ticks1 - ticks0) * 1e9 / (ns1 - ns0);
}

static double measure_overhead(void)
{
    static const unsigned warm_up = 1000;
    uint32_t took[OVERHEAD_READS];

    for (unsigned i = 0; i < OVERHEAD_READS + warm_up; i++) {
        uint64_t begin = tsc_read(), end = tsc_read();

        took[i < warm_up ? 0 : i - warm_up] = tsc_sample(begin, end);
    }
    stats_sort(took, OVERHEAD_READS);
    return stats_quantile(took, OVERHEAD_READS, 0.5);
}

int tsc_init(struct tsc *t)
{
    if (!is_invariant())
        return -ENOTSUP;
    *t = (struct tsc){.hz = measure_hz(), .overhead = measure_overhead()};
    return 0;
}
