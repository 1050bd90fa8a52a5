/* SPDX-License-Identifier: BSD-3-Clause */
#include "format.h"

#include <stdio.h>

const char *format_duration(char out[FORMAT_SIZE], double seconds)
{
    unsigned long s = seconds > 0 ? (unsigned long)seconds : 0;

    if (s < 60)
        snprintf(out, FORMAT_SIZE, "%.1f s", seconds > 0 ? seconds : 0.0);
    else if (s < 3600)
        snprintf(out, FORMAT_SIZE, "%lum%02lus", s / 60, s % 60);
    else if (s < 86400)
        snprintf(out, FORMAT_SIZE, "%luh%02lum", s / 3600, s / 60 % 60);
    else
        snprintf(out, FORMAT_SIZE, "%lud%02luh", s / 86400, s / 3600 % 24);
    return out;
}

/* Three significant digits and a unit. */
static void scaled(char out[FORMAT_SIZE], double v, const char *space, const char *unit)
{
    int decimals = v < 9.995 ? 2 : v < 99.95 ? 1 : 0;

    snprintf(out, FORMAT_SIZE, "%.*f%s%s", decimals, v, space, unit);
}

const char *format_ns(char out[FORMAT_SIZE], double ns)
{
    if (ns < 999.5)
        snprintf(out, FORMAT_SIZE, "%.0f ns", ns);
    else if (ns < 999.5e3)
        scaled(out, ns / 1e3, " ", "us");
    else if (ns < 999.5e6)
        scaled(out, ns / 1e6, " ", "ms");
    else
        scaled(out, ns / 1e9, " ", "s");
    return out;
}

const char *format_si(char out[FORMAT_SIZE], double value)
{
    if (value < 999.5)
        snprintf(out, FORMAT_SIZE, "%.0f", value);
    else if (value < 999.5e3)
        scaled(out, value / 1e3, "", "k");
    else if (value < 999.5e6)
        scaled(out, value / 1e6, "", "M");
    else
        scaled(out, value / 1e9, "", "G");
    return out;
}
