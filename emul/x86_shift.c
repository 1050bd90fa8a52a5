/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Shifts and rotates. The count is taken modulo 32, or 64 for 64-bit operands; a count of 0 changes
 * no flag. Undefined are AF after a shift and OF for counts other than 1: they come out as on AMD's
 * CPUs, AF set and OF by the same formulas.
 */
#include "x86_flags.h"

typedef unsigned __int128 wide;

static unsigned masked_count(uint64_t count, unsigned size)
{
    return (unsigned)count & (size == 8 ? 63 : 31);
}

static uint64_t of_left(uint64_t result, bool carry, unsigned size)
{
    return flag_if(top_bit(result, size) != carry, X86_FLAG_OF);
}

/* Of a right shift: the two top bits of the result differ. */
static uint64_t of_right(uint64_t result, unsigned size)
{
    return flag_if(top_bit(result ^ result << 1, size), X86_FLAG_OF);
}

/* Rotates `width` bits, of which `value` may have one more than 64, left by count < width. */
static wide rotate(wide value, unsigned count, unsigned width)
{
    wide mask = ((wide)1 << width) - 1;
    return count ? ((value << count) | (value >> (width - count))) & mask : value;
}

static uint64_t rotate_plain(bool left, uint64_t old, unsigned count, unsigned size,
                             uint64_t *flags)
{
    unsigned bits = 8 * size, by = count % bits;
    uint64_t result = (uint64_t)rotate(old, left ? by : (bits - by) % bits, bits);
    bool carry = left ? result & 1 : top_bit(result, size);
    set_flags(flags, X86_FLAG_CF | X86_FLAG_OF,
              flag_if(carry, X86_FLAG_CF) |
                  (left ? of_left(result, carry, size) : of_right(result, size)));
    return result;
}

/* Through carry: CF is the bit above the operand. */
static uint64_t rotate_carry(bool left, uint64_t old, unsigned count, unsigned size,
                             uint64_t *flags)
{
    unsigned width = 8 * size + 1, by = count % width;
    wide value = (wide)(*flags & X86_FLAG_CF) << (width - 1) | old;
    value = rotate(value, left ? by : (width - by) % width, width);
    uint64_t result = (uint64_t)value & size_mask(size);
    bool carry = value >> (width - 1) & 1;
    set_flags(flags, X86_FLAG_CF | X86_FLAG_OF,
              flag_if(carry, X86_FLAG_CF) |
                  (left ? of_left(result, carry, size) : of_right(result, size)));
    return result;
}

static uint64_t shift_left(uint64_t old, unsigned count, unsigned size, uint64_t *flags)
{
    wide value = (wide)old << count;
    uint64_t result = (uint64_t)value & size_mask(size);
    bool carry = value >> 8 * size & 1;
    set_flags(flags, STATUS_FLAGS,
              flags_of_result(result, size) | flag_if(carry, X86_FLAG_CF) | X86_FLAG_AF |
                  of_left(result, carry, size));
    return result;
}

static uint64_t shift_right(bool arithmetic, uint64_t old, unsigned count, unsigned size,
                            uint64_t *flags)
{
    uint64_t value = arithmetic ? sign_extend(old, size) : old;
    /* One bit less first, to see the last bit that falls out. */
    uint64_t last = arithmetic ? (uint64_t)((int64_t)value >> (count - 1)) : value >> (count - 1);
    uint64_t result = arithmetic ? (uint64_t)((int64_t)last >> 1) : last >> 1;
    set_flags(flags, STATUS_FLAGS,
              flags_of_result(result, size) | (last & X86_FLAG_CF) | X86_FLAG_AF |
                  of_right(result, size));
    return result;
}

static uint64_t shift(const struct exec *x, uint64_t old, uint64_t src, uint64_t *flags)
{
    unsigned size = x->in->op[0].size, count = masked_count(src, size);
    if (count == 0)
        return old;
    switch (x->in->arg) {
    case SHIFT_ROL: return rotate_plain(true, old, count, size, flags);
    case SHIFT_ROR: return rotate_plain(false, old, count, size, flags);
    case SHIFT_RCL: return rotate_carry(true, old, count, size, flags);
    case SHIFT_RCR: return rotate_carry(false, old, count, size, flags);
    case SHIFT_SHL: return shift_left(old, count, size, flags);
    case SHIFT_SHR: return shift_right(false, old, count, size, flags);
    default: return shift_right(true, old, count, size, flags); /* SHIFT_SAR */
    }
}

enum x86_result x86_run_shift(struct exec *x)
{
    uint64_t count;
    load(x, 1, &count); /* an immediate or CL */
    return x86_modify(x, shift, count, NULL);
}

/* The count of shld and shrd: operand 2, an immediate or CL. */
static unsigned double_count(const struct exec *x)
{
    const struct operand *o = &x->in->op[2];
    uint64_t count = o->kind == OPERAND_IMM ? (uint64_t)x->in->imm : x->cpu->gpr[X86_RCX];
    return masked_count(count, x->in->op[0].size);
}

/*
 * A 16-bit shift by more than 16 has an undefined result; AMD's CPUs go on with the source again:
 * dst:src:src, or src:src:dst to the right.
 */
static uint64_t shift_double(const struct exec *x, uint64_t old, uint64_t src, uint64_t *flags)
{
    unsigned size = x->in->op[0].size, bits = 8 * size, count = double_count(x);
    if (count == 0)
        return old;
    bool left = x->in->arg == SHIFT_SHL;
    wide pair = left ? (wide)old << bits | src : (wide)src << bits | old;
    uint64_t result, last;
    if (count <= bits) {
        last = (uint64_t)(left ? pair >> (2 * bits - count) : pair >> (count - 1));
        result = (uint64_t)(left ? pair >> (bits - count) : pair >> count);
    } else {
        wide triple = left ? pair << bits | src : (wide)src << 2 * bits | pair;
        last = (uint64_t)(left ? triple >> (3 * bits - count) : triple >> (count - 1));
        result = (uint64_t)(left ? triple >> (2 * bits - count) : triple >> count);
    }
    result &= size_mask(size);
    set_flags(flags, STATUS_FLAGS,
              flags_of_result(result, size) | (last & X86_FLAG_CF) | X86_FLAG_AF |
                  (left ? of_left(result, last & 1, size) : of_right(result, size)));
    return result;
}

enum x86_result x86_run_shift_double(struct exec *x)
{
    uint64_t src;
    load(x, 1, &src); /* a register */
    return x86_modify(x, shift_double, src, NULL);
}
