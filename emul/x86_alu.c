/* SPDX-License-Identifier: BSD-3-Clause */
/* Integer arithmetic and logic. */
#include "x86_flags.h"

/* inc and dec leave CF alone. */
static uint64_t step(uint64_t old, bool up, unsigned size, uint64_t *flags)
{
    uint64_t carry = *flags & X86_FLAG_CF;
    uint64_t value = up ? add_flags(old, 1, 0, size, flags) : sub_flags(old, 1, 0, size, flags);
    set_flags(flags, X86_FLAG_CF, carry);
    return value;
}

static uint64_t alu(const struct exec *x, uint64_t old, uint64_t src, uint64_t *flags)
{
    unsigned size = x->in->op[0].size;
    switch (x->in->arg) {
    case ALU_ADD: return add_flags(old, src, 0, size, flags);
    case ALU_ADC: return add_flags(old, src, *flags & X86_FLAG_CF, size, flags);
    case ALU_SUB: return sub_flags(old, src, 0, size, flags);
    case ALU_SBB: return sub_flags(old, src, *flags & X86_FLAG_CF, size, flags);
    case ALU_OR: return logic_flags(old | src, size, flags);
    case ALU_AND: return logic_flags(old & src, size, flags);
    case ALU_XOR: return logic_flags(old ^ src, size, flags);
    case ALU_INC: return step(old, true, size, flags);
    case ALU_DEC: return step(old, false, size, flags);
    default: return sub_flags(0, old, 0, size, flags); /* ALU_NEG */
    }
}

/* Operand 1 is read before operand 0 is written: they may be the same memory only by way of 0. */
enum x86_result x86_run_alu(struct exec *x)
{
    uint64_t src = 0;
    if (x->in->op[1].kind != OPERAND_NONE) {
        enum x86_result r = load(x, 1, &src);
        if (r)
            return r;
    }
    return x86_modify(x, alu, src, NULL);
}

static enum x86_result load_both(struct exec *x, uint64_t *a, uint64_t *b)
{
    enum x86_result r = load(x, 0, a);
    return r ? r : load(x, 1, b);
}

enum x86_result x86_run_cmp(struct exec *x)
{
    uint64_t a, b;
    enum x86_result r = load_both(x, &a, &b);
    if (r == X86_EMULATED)
        sub_flags(a, b, 0, x->in->op[0].size, &x->cpu->rflags);
    return r;
}

enum x86_result x86_run_test(struct exec *x)
{
    uint64_t a, b;
    enum x86_result r = load_both(x, &a, &b);
    if (r == X86_EMULATED)
        logic_flags(a & b, x->in->op[0].size, &x->cpu->rflags);
    return r;
}

static uint64_t invert(const struct exec *x, uint64_t old, uint64_t src, uint64_t *flags)
{
    (void)x, (void)src, (void)flags;
    return ~old;
}

enum x86_result x86_run_not(struct exec *x)
{
    return x86_modify(x, invert, 0, NULL);
}
