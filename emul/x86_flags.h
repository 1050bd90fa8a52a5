/* SPDX-License-Identifier: BSD-3-Clause */
/* Inside of emul/: the status flags of additions, subtractions and logic (SDM volume 1, 3.4.3.1).
 */
#ifndef COOPVMM_EMUL_X86_FLAGS_H
#define COOPVMM_EMUL_X86_FLAGS_H

#include "x86_operand.h"

#define STATUS_FLAGS                                                                               \
    (uint64_t)(X86_FLAG_CF | X86_FLAG_PF | X86_FLAG_AF | X86_FLAG_ZF | X86_FLAG_SF | X86_FLAG_OF)

static inline uint64_t flag_if(bool set, uint64_t flag)
{
    return set ? flag : 0;
}

static inline bool top_bit(uint64_t value, unsigned size)
{
    return value >> (8 * size - 1) & 1;
}

/* SF, ZF and PF of a result. */
static inline uint64_t flags_of_result(uint64_t result, unsigned size)
{
    result &= size_mask(size);
    return flag_if(top_bit(result, size), X86_FLAG_SF) | flag_if(result == 0, X86_FLAG_ZF) |
           flag_if(!__builtin_parity((unsigned)(result & 0xff)), X86_FLAG_PF);
}

static inline void set_flags(uint64_t *flags, uint64_t which, uint64_t to)
{
    *flags = (*flags & ~which) | (to & which);
}

/* a + b + carry; all flags in *flags. Carries out of each bit: (a & b) | ((a | b) & ~sum). */
static inline uint64_t add_flags(uint64_t a, uint64_t b, unsigned carry, unsigned size,
                                 uint64_t *flags)
{
    uint64_t sum = a + b + carry;
    uint64_t out = (a & b) | ((a | b) & ~sum);
    set_flags(flags, STATUS_FLAGS,
              flags_of_result(sum, size) | flag_if(top_bit(out, size), X86_FLAG_CF) |
                  flag_if(top_bit((a ^ sum) & (b ^ sum), size), X86_FLAG_OF) |
                  ((a ^ b ^ sum) & X86_FLAG_AF));
    return sum;
}

/* a - b - borrow; all flags in *flags. Borrows out of each bit: (~a & b) | ((~a | b) & diff). */
static inline uint64_t sub_flags(uint64_t a, uint64_t b, unsigned borrow, unsigned size,
                                 uint64_t *flags)
{
    uint64_t diff = a - b - borrow;
    uint64_t out = (~a & b) | ((~a | b) & diff);
    set_flags(flags, STATUS_FLAGS,
              flags_of_result(diff, size) | flag_if(top_bit(out, size), X86_FLAG_CF) |
                  flag_if(top_bit((a ^ b) & (a ^ diff), size), X86_FLAG_OF) |
                  ((a ^ b ^ diff) & X86_FLAG_AF));
    return diff;
}

/* CF and OF are cleared; AF is undefined, and cleared as CPUs do. */
static inline uint64_t logic_flags(uint64_t result, unsigned size, uint64_t *flags)
{
    set_flags(flags, STATUS_FLAGS, flags_of_result(result, size));
    return result;
}

#endif
