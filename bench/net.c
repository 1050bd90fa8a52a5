/* SPDX-License-Identifier: BSD-3-Clause */
/* What the parts of coopvmm bench net share: series of rounds. */
#include "net.h"

#include <math.h>
#include <string.h>

#include "stats.h"

bool net_in_list(const char *list, const char *name)
{
    size_t len = strlen(name);

    if (!list)
        return true;
    for (const char *p = list; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL)
        if (!strncmp(p, name, len) && (!p[len] || p[len] == ','))
            return true;
    return false;
}

static double rounded(double x, int digits)
{
    double scale = pow(10, digits);

    return round(x * scale) / scale;
}

json_t *net_series(const double *v, unsigned n, int digits)
{
    double sorted[NET_MAX_ROUNDS];
    json_t *rounds = json_array();

    for (unsigned i = 0; i < n; i++) {
        sorted[i] = v[i];
        json_array_append_new(rounds, json_real(rounded(v[i], digits)));
    }
    return json_pack("{s:f, s:o}", "median", rounded(stats_median(sorted, n), digits), "rounds",
                     rounds);
}

double net_median(const json_t *series)
{
    const json_t *m = json_object_get(series, "median");

    return json_is_number(m) ? json_number_value(m) : NAN;
}

double net_ratio(const json_t *above, const json_t *below)
{
    const json_t *a = json_object_get(above, "rounds"), *b = json_object_get(below, "rounds");
    size_t n = json_array_size(a);
    double r[NET_MAX_ROUNDS];

    if (!n || n > NET_MAX_ROUNDS || n != json_array_size(b))
        return NAN;
    for (size_t i = 0; i < n; i++) {
        double under = json_number_value(json_array_get(b, i));

        if (under <= 0)
            return NAN;
        r[i] = json_number_value(json_array_get(a, i)) / under;
    }
    return stats_median(r, n);
}
