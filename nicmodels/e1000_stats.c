/* SPDX-License-Identifier: BSD-3-Clause */
/* Statistics (SDM 13.7): 64 counters that stop at their end and are cleared by being read. */
#include <string.h>

#include "e1000_priv.h"

#define FCS 4 /* counted as bytes of a frame */

void e1000_count(struct e1000_regs *r, unsigned stat)
{
    if (r->stats[stat] != UINT32_MAX)
        r->stats[stat]++;
}

/* Of the 64-bit counters of bytes, `low` and the one behind it. */
static void count_bytes(struct e1000_regs *r, unsigned low, size_t len)
{
    uint64_t v = (uint64_t)r->stats[low + 1] << 32 | r->stats[low];
    uint64_t sum = v + len + FCS;

    if (sum < v)
        sum = UINT64_MAX;
    r->stats[low] = (uint32_t)sum;
    r->stats[low + 1] = (uint32_t)(sum >> 32);
}

/* Counters of sizes come in sixes, FCS included: 64, to 127, 255, 511, 1023, above. */
static void count_size(struct e1000_regs *r, unsigned first, size_t len)
{
    static const uint16_t most[] = {64, 127, 255, 511, 1023};
    unsigned i = 0;

    while (i < 5 && len + FCS > most[i])
        i++;
    e1000_count(r, first + i);
}

static bool is_broadcast(const uint8_t *dst)
{
    return !memcmp(dst, "\xff\xff\xff\xff\xff\xff", 6);
}

void e1000_count_tx(struct e1000_regs *r, const uint8_t *frame, size_t len)
{
    e1000_count(r, STAT_TPT);
    e1000_count(r, STAT_GPTC);
    count_bytes(r, STAT_GOTCL, len);
    count_bytes(r, STAT_TOTL, len);
    count_size(r, STAT_PTC64, len);
    if (frame[0] & 1)
        e1000_count(r, is_broadcast(frame) ? STAT_BPTC : STAT_MPTC);
}

void e1000_count_seen(struct e1000_regs *r, size_t len)
{
    e1000_count(r, STAT_TPR);
    count_bytes(r, STAT_TORL, len);
}

void e1000_count_rx(struct e1000_regs *r, const uint8_t *frame, size_t len)
{
    e1000_count(r, STAT_GPRC);
    count_bytes(r, STAT_GORCL, len);
    count_size(r, STAT_PRC64, len);
    if (frame[0] & 1)
        e1000_count(r, is_broadcast(frame) ? STAT_BPRC : STAT_MPRC);
}

/* Low halves of counters of bytes keep until the high half is read (SDM 13.7.30 and others). */
static bool is_low(unsigned stat)
{
    return stat == STAT_GORCL || stat == STAT_GOTCL || stat == STAT_TORL || stat == STAT_TOTL;
}

uint32_t e1000_read_stat(struct nm_dev *d, unsigned stat)
{
    struct e1000_regs *r = e1000_regs(d);
    uint32_t v = r->stats[stat];

    if (is_low(stat))
        return v;
    if (v || (stat && is_low(stat - 1) && r->stats[stat - 1]))
        d->changed = true;
    r->stats[stat] = 0;
    if (stat && is_low(stat - 1))
        r->stats[stat - 1] = 0;
    return v;
}
