/* SPDX-License-Identifier: BSD-3-Clause */
#include "x2apic.h"

#include <errno.h>
#include <string.h>

#define SIVR_ENABLE  0x100u
#define LVT_MASKED   0x10000u
#define LVT_VALID    0x310ffu /* vector, delivery mode 0, masked, timer mode */
#define VERSION      0x50014u /* six LVT entries, version 0x14 */
#define ICR_RESERVED 0xfff33000ull
#define FIRST_VECTOR 16

void x2apic_init(struct x2apic *a, uint32_t id)
{
    memset(a, 0, sizeof(*a));
    a->id = id;
    a->sivr = SIVR_ENABLE | 0xff;
    for (unsigned i = 0; i < sizeof(a->lvt) / sizeof(a->lvt[0]); i++)
        a->lvt[i] = LVT_MASKED;
}

void x2apic_raise(struct x2apic *a, uint8_t vector)
{
    if (vector >= FIRST_VECTOR)
        __atomic_fetch_or(&a->irr[vector / 64], 1ull << (vector % 64), __ATOMIC_SEQ_CST);
}

static int highest(const uint64_t *bits)
{
    for (int w = 3; w >= 0; w--) {
        uint64_t word = __atomic_load_n(&bits[w], __ATOMIC_ACQUIRE);

        if (word)
            return w * 64 + 63 - __builtin_clzll(word);
    }
    return -1;
}

/* Processor priority: the higher of TPR and the class in service. */
static uint8_t ppr(const struct x2apic *a)
{
    int in_service = highest(a->isr);

    if (in_service >= 0 && (in_service & 0xf0) > (a->tpr & 0xf0))
        return in_service & 0xf0;
    return a->tpr;
}

int x2apic_pending(const struct x2apic *a)
{
    int vector = highest(a->irr);

    if (vector < 0 || !(a->sivr & SIVR_ENABLE) || (vector & 0xf0) <= (ppr(a) & 0xf0))
        return -1;
    return vector;
}

void x2apic_accept(struct x2apic *a, uint8_t vector)
{
    __atomic_fetch_and(&a->irr[vector / 64], ~(1ull << (vector % 64)), __ATOMIC_SEQ_CST);
    a->isr[vector / 64] |= 1ull << (vector % 64);
}

static void end_of_interrupt(struct x2apic *a)
{
    int vector = highest(a->isr);

    if (vector >= 0)
        a->isr[vector / 64] &= ~(1ull << (vector % 64));
}

/* 32 of the 256 bits of ISR, TMR or IRR. */
static uint32_t chunk(const uint64_t *bits, unsigned i)
{
    return __atomic_load_n(&bits[i / 2], __ATOMIC_RELAXED) >> (i % 2 * 32);
}

/* Index in lvt[], -1: not an LVT register. */
static int lvt_index(uint32_t msr)
{
    if (msr == X2APIC_LVT_CMCI)
        return 0;
    if (msr >= X2APIC_LVT_TIMER && msr <= X2APIC_LVT_ERROR)
        return msr - X2APIC_LVT_TIMER + 1;
    return -1;
}

int x2apic_read(const struct x2apic *a, uint32_t msr, uint64_t *value)
{
    int lvt = lvt_index(msr);

    if (lvt >= 0) {
        *value = a->lvt[lvt];
        return 0;
    }
    if (msr >= X2APIC_ISR0 && msr < X2APIC_ESR) {
        unsigned i = (msr - X2APIC_ISR0) % 8;

        *value = msr < X2APIC_TMR0 ? chunk(a->isr, i) : msr < X2APIC_IRR0 ? 0 : chunk(a->irr, i);
        return 0;
    }
    switch (msr) {
    case X2APIC_ID: *value = a->id; return 0;
    case X2APIC_VERSION: *value = VERSION; return 0;
    case X2APIC_TPR: *value = a->tpr; return 0;
    case X2APIC_PPR: *value = ppr(a); return 0;
    case X2APIC_LDR: *value = (a->id >> 4) << 16 | 1u << (a->id & 15); return 0;
    case X2APIC_SIVR: *value = a->sivr; return 0;
    case X2APIC_ICR: *value = a->icr; return 0;
    case X2APIC_TIMER_DIV: *value = a->timer_div; return 0;
    case X2APIC_ESR:
    case X2APIC_TIMER_INIT:
    case X2APIC_TIMER_CUR: *value = 0; return 0;
    default: return -EINVAL; /* EOI and self-IPI are write-only; the rest is reserved */
    }
}

static int write_icr(struct x2apic *a, uint64_t value, struct x2apic_ipi *ipi)
{
    unsigned shorthand = value >> 18 & 3;

    if (value & ICR_RESERVED)
        return -EINVAL;
    a->icr = value;
    ipi->wanted = true;
    ipi->vector = value & 0xff;
    ipi->mode = value >> 8 & 7;
    ipi->logical = value >> 11 & 1;
    ipi->dest = value >> 32;
    ipi->self = shorthand == 1 || shorthand == 2;
    ipi->others = shorthand == 2 || shorthand == 3;
    return 0;
}

static int write_self_ipi(uint64_t value, struct x2apic_ipi *ipi)
{
    if (value > 0xff)
        return -EINVAL;
    ipi->wanted = true;
    ipi->self = true;
    ipi->vector = value;
    return 0;
}

static int write_lvt(struct x2apic *a, int lvt, uint64_t value)
{
    if (value & ~(uint64_t)(LVT_VALID | 0x6700))
        return -EINVAL;
    a->lvt[lvt] = value;
    return 0;
}

int x2apic_write(struct x2apic *a, uint32_t msr, uint64_t value, struct x2apic_ipi *ipi)
{
    int lvt = lvt_index(msr);

    memset(ipi, 0, sizeof(*ipi));
    if (msr == X2APIC_ICR)
        return write_icr(a, value, ipi);
    if (value >> 32)
        return -EINVAL; /* all others are 32 bits wide */
    if (lvt >= 0)
        return write_lvt(a, lvt, value);
    switch (msr) {
    case X2APIC_SELF_IPI: return write_self_ipi(value, ipi);
    case X2APIC_EOI:
        if (value)
            return -EINVAL;
        end_of_interrupt(a);
        return 0;
    case X2APIC_TPR:
        if (value > 0xff)
            return -EINVAL;
        a->tpr = value;
        return 0;
    case X2APIC_SIVR:
        if (value & ~0x13ffull)
            return -EINVAL;
        a->sivr = value;
        return 0;
    case X2APIC_TIMER_DIV: a->timer_div = value & 0xb; return 0;
    case X2APIC_ESR:
    case X2APIC_TIMER_INIT: return value ? -EINVAL : 0; /* there is no timer */
    default: return -EINVAL;
    }
}

static bool logical_match(uint32_t dest, uint32_t id)
{
    return dest >> 16 == id >> 4 && (dest & 1u << (id & 15));
}

bool x2apic_is_target(const struct x2apic_ipi *ipi, uint32_t from, uint32_t id)
{
    if (ipi->self || ipi->others)
        return from == id ? ipi->self : ipi->others;
    if (ipi->dest == UINT32_MAX)
        return true;
    return ipi->logical ? logical_match(ipi->dest, id) : ipi->dest == id;
}
