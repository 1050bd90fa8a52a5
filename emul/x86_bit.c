/* SPDX-License-Identifier: BSD-3-Clause */
/* bt, bts, btr, btc. */
#include "x86_flags.h"

static uint64_t change_bit(const struct exec *x, uint64_t old, uint64_t src, uint64_t *flags)
{
    uint64_t bit = 1ULL << (src % (8 * x->in->op[0].size));
    set_flags(flags, X86_FLAG_CF, flag_if(old & bit, X86_FLAG_CF));
    switch (x->in->arg) {
    case BIT_SET: return old | bit;
    case BIT_RESET: return old & ~bit;
    case BIT_COMPLEMENT: return old ^ bit;
    default: return old; /* BIT_TEST */
    }
}

/*
 * A register index addresses a bit string: signed, it reaches operands before and behind the one
 * addressed. An immediate one stays inside.
 */
static uint64_t bit_address(const struct exec *x, uint64_t index)
{
    unsigned size = x->in->op[0].size;
    uint64_t offset = operand_offset(x);
    if (x->in->op[1].kind != OPERAND_IMM) {
        int64_t element = (int64_t)sign_extend(index, size) >> (3 + __builtin_ctz(size));
        offset += (uint64_t)element * size;
    }
    return linear_address(x, offset);
}

enum x86_result x86_run_bit(struct exec *x)
{
    unsigned size = x->in->op[0].size;
    uint64_t index, value;
    load(x, 1, &index); /* a register or an immediate */
    uint64_t addr = bit_address(x, index);
    if (x->in->arg != BIT_TEST)
        return x86_modify_mem(x, addr, size, change_bit, index, NULL);
    enum x86_result r = mem_read(x, addr, size, &value);
    if (r == X86_EMULATED)
        change_bit(x, value, index, &x->cpu->rflags);
    return r;
}
