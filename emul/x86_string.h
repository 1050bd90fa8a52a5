/* SPDX-License-Identifier: BSD-3-Clause */
/* Inside of emul/: what string instructions share. */
#ifndef COOPVMM_EMUL_X86_STRING_H
#define COOPVMM_EMUL_X86_STRING_H

#include "x86_operand.h"

/* DS:rSI, where the segment can be overridden. */
static inline uint64_t source_address(const struct exec *x)
{
    return linear_address(x, x->cpu->gpr[X86_RSI]);
}

/* ES:rDI, where it cannot. */
static inline uint64_t destination_address(const struct exec *x)
{
    return x->cpu->gpr[X86_RDI] & address_mask(x);
}

static inline bool string_down(const struct exec *x)
{
    return x->cpu->rflags & X86_FLAG_DF;
}

static inline bool string_repeats(const struct exec *x)
{
    return x->in->flags & (INSN_REP | INSN_REPNE);
}

/* Steps rSI or rDI over `count` elements. */
static inline void string_advance(const struct exec *x, unsigned reg, uint64_t count)
{
    uint64_t bytes = count * x->in->size;
    uint64_t at = x->cpu->gpr[reg] + (string_down(x) ? -bytes : bytes);
    x->cpu->gpr[reg] = at & address_mask(x);
}

static inline uint64_t string_count(const struct exec *x)
{
    return x->cpu->gpr[X86_RCX] & address_mask(x);
}

/* Does one element and moves the pointers; nothing is changed if it fails. */
typedef enum x86_result (*element_fn)(struct exec *x);

/** Does `one` as often as rCX says, X86_REP_BATCH times at most; once without a rep prefix. */
enum x86_result x86_repeat(struct exec *x, element_fn one);

#endif
