/* SPDX-License-Identifier: BSD-3-Clause */
#include "flows.h"

#include "offload.h"

/* The same for both directions of a flow: sums do not mind the order of source and destination. */
static unsigned hash(const uint8_t *frame, size_t len)
{
    struct nm_layout l;
    uint32_t h;

    nm_layout_of(frame, len, &l);
    if (!l.ip)
        return 0;
    h = l.ip == 4 ? nm_sum_fold(nm_sum(0, frame + l.l3 + 12, 8))
                  : nm_sum_fold(nm_sum(0, frame + l.l3 + 8, 32));
    if (l.proto)
        h += nm_sum_fold(nm_sum(0, frame + l.l4, 4));
    return (h ^ h >> 8) % NM_FLOWS;
}

void nm_flows_learn(struct nm_flows *f, const uint8_t *frame, size_t len, unsigned pair)
{
    uint8_t *known = &f->pair[hash(frame, len)];

    if (*known != pair + 1)
        *known = (uint8_t)(pair + 1);
}

unsigned nm_flows_pair(const struct nm_flows *f, const uint8_t *frame, size_t len, unsigned pairs)
{
    unsigned h, known;

    if (pairs == 1)
        return 0;
    h = hash(frame, len);
    known = f->pair[h];
    return known && known <= pairs ? known - 1 : h % pairs;
}
