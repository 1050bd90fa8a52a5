/* SPDX-License-Identifier: BSD-3-Clause */
#include "lathist.h"

#include <stdio.h>
#include <string.h>

/* Where a bucket of this lower bound is, or belongs. */
static unsigned position(const struct lathist *h, uint64_t low)
{
    unsigned from = 0, to = h->used;

    while (from < to) {
        unsigned middle = (from + to) / 2;

        if (h->bucket[middle].low < low)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

void lathist_add(struct lathist *h, uint64_t low, int64_t count)
{
    unsigned i = position(h, low);

    if (i == h->used || h->bucket[i].low != low) {
        if (h->used == LATHIST_BUCKETS)
            return;
        memmove(&h->bucket[i + 1], &h->bucket[i], (h->used - i) * sizeof(h->bucket[0]));
        h->bucket[i].low = low;
        h->bucket[i].count = 0;
        h->used++;
    }
    h->bucket[i].count += count;
}

void lathist_add_json(struct lathist *h, const json_t *slot, const char *what, int sign)
{
    json_t *low, *n;
    char key[32];

    snprintf(key, sizeof(key), "%s_low_ns", what);
    low = json_object_get(slot, key);
    snprintf(key, sizeof(key), "%s_n", what);
    n = json_object_get(slot, key);
    for (size_t i = 0; i < json_array_size(low) && i < json_array_size(n); i++) {
        json_int_t bound = json_integer_value(json_array_get(low, i));
        json_int_t count = json_integer_value(json_array_get(n, i));

        if (bound >= 0 && count > 0 && count < INT64_MAX / 4096)
            lathist_add(h, (uint64_t)bound, sign * count);
    }
}

void lathist_merge(struct lathist *to, const struct lathist *from)
{
    for (unsigned i = 0; i < from->used; i++)
        lathist_add(to, from->bucket[i].low, from->bucket[i].count);
}

uint64_t lathist_count(const struct lathist *h)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < h->used; i++)
        n += h->bucket[i].count > 0 ? (uint64_t)h->bucket[i].count : 0;
    return n;
}

uint64_t lathist_percentile(const struct lathist *h, unsigned per_mille)
{
    uint64_t n = lathist_count(h), want = n * per_mille / 1000, seen = 0;

    if (n && want >= n)
        want = n - 1;
    for (unsigned i = 0; i < h->used; i++) {
        seen += h->bucket[i].count > 0 ? (uint64_t)h->bucket[i].count : 0;
        if (seen > want)
            return h->bucket[i].low + h->bucket[i].low / 16;
    }
    return 0;
}
