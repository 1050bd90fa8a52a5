/* SPDX-License-Identifier: BSD-3-Clause */
#include "stats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int compare_ticks(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

void stats_sort(uint32_t *v, size_t n)
{
    qsort(v, n, sizeof(*v), compare_ticks);
}

/* The ranks [*first, *end) that hold the same value as rank i. */
static void tied_with(const uint32_t *sorted, size_t n, size_t i, size_t *first, size_t *end)
{
    for (*first = i; *first > 0 && sorted[*first - 1] == sorted[i];)
        --*first;
    for (*end = i + 1; *end < n && sorted[*end] == sorted[i];)
        ++*end;
}

/* Between the middles of two neighbouring runs of ties. `low` is a rank in the lower run. */
static double between(const uint32_t *sorted, size_t n, size_t low, size_t high, double rank)
{
    size_t first, end;
    double a, b;

    tied_with(sorted, n, low, &first, &end);
    a = (double)(first + end) / 2;
    tied_with(sorted, n, high, &first, &end);
    b = (double)(first + end) / 2;
    return sorted[low] + (rank - a) / (b - a) * ((double)sorted[high] - sorted[low]);
}

double stats_quantile(const uint32_t *sorted, size_t n, double q)
{
    double rank = q * (double)n;
    size_t i, first, end;

    if (n == 0)
        return 0;
    i = rank < (double)n ? (size_t)rank : n - 1;
    tied_with(sorted, n, i, &first, &end);
    if (rank < (double)(first + end) / 2)
        return first > 0 ? between(sorted, n, first - 1, i, rank) : sorted[i];
    return end < n ? between(sorted, n, i, end, rank) : sorted[i];
}

double stats_median(double *v, size_t n)
{
    if (n == 0)
        return 0;
    qsort(v, n, sizeof(*v), compare_doubles);
    return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

int series_init(struct series *s, size_t room)
{
    memset(s, 0, sizeof(*s));
    s->ticks = malloc(room * sizeof(*s->ticks));
    if (!s->ticks)
        return -ENOMEM;
    memset(s->ticks, 0xff, room * sizeof(*s->ticks));
    s->room = room;
    return 0;
}

void series_fini(struct series *s)
{
    free(s->ticks);
    memset(s, 0, sizeof(*s));
}

void series_end_round(struct series *s)
{
    uint32_t *v = s->ticks + s->round_start;
    size_t n = s->n - s->round_start;

    if (n == 0 || s->rounds == STATS_MAX_ROUNDS)
        return;
    stats_sort(v, n);
    s->round_p50[s->rounds++] = stats_quantile(v, n, 0.5);
    s->round_start = s->n;
}

void series_summary(struct series *s, const struct tsc *t, struct summary *out)
{
    const uint32_t *v = s->ticks;

    *out = (struct summary){.n = s->n};
    if (s->n == 0)
        return;
    stats_sort(s->ticks, s->n);
    out->min = tsc_ns(t, v[0]);
    out->p50 = tsc_ns(t, stats_quantile(v, s->n, 0.5));
    out->p99 = tsc_ns(t, stats_quantile(v, s->n, 0.99));
    out->p999 = tsc_ns(t, stats_quantile(v, s->n, 0.999));
    out->max = tsc_ns(t, v[s->n - 1]);
}

static unsigned fewer(const struct series *a, const struct series *b)
{
    return a->rounds < b->rounds ? a->rounds : b->rounds;
}

double series_paired_ratio(const struct series *s, const struct series *base, const struct tsc *t)
{
    double v[STATS_MAX_ROUNDS];
    unsigned n = 0;

    for (unsigned i = 0; i < fewer(s, base); i++) {
        double ns = tsc_ns(t, base->round_p50[i]);

        if (ns > 0)
            v[n++] = tsc_ns(t, s->round_p50[i]) / ns;
    }
    return stats_median(v, n);
}

double series_paired_excess(const struct series *s, const struct series *base,
                            const struct series *less, const struct tsc *t)
{
    double v[STATS_MAX_ROUNDS];
    unsigned n = fewer(s, base);

    n = less && less->rounds < n ? less->rounds : n;
    for (unsigned i = 0; i < n; i++)
        v[i] = tsc_ns(t, s->round_p50[i]) - tsc_ns(t, base->round_p50[i]) -
               (less ? tsc_ns(t, less->round_p50[i]) : 0);
    return stats_median(v, n);
}
