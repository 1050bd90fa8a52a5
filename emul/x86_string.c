/* SPDX-License-Identifier: BSD-3-Clause */
/* movs, stos, lods, cmps, scas, and the repetition of all string instructions. */
#include "x86_string.h"
#include "x86_flags.h"

/* repe goes on while ZF is set, repne while it is clear. */
static bool zf_ends(const struct exec *x)
{
    bool equal = x->cpu->rflags & X86_FLAG_ZF;
    return equal != !!(x->in->flags & INSN_REP);
}

/* `one` as often as rCX says, a batch at most, or until ZF ends it if that is asked. */
static enum x86_result repeat(struct exec *x, element_fn one, bool until_zf)
{
    if (!string_repeats(x))
        return one(x);
    uint64_t left = string_count(x);
    for (unsigned n = 0; left != 0 && n < X86_REP_BATCH; n++) {
        enum x86_result r = one(x);
        if (r)
            return r;
        x->cpu->gpr[X86_RCX] = --left;
        if (until_zf && zf_ends(x))
            return X86_EMULATED;
    }
    return left ? X86_REPEAT : X86_EMULATED;
}

enum x86_result x86_repeat(struct exec *x, element_fn one)
{
    return repeat(x, one, false);
}

static enum x86_result move(struct exec *x)
{
    uint64_t value;
    enum x86_result r = mem_read(x, source_address(x), x->in->size, &value);
    if (r == X86_EMULATED)
        r = mem_write(x, destination_address(x), x->in->size, value);
    if (r)
        return r;
    string_advance(x, X86_RSI, 1);
    string_advance(x, X86_RDI, 1);
    return X86_EMULATED;
}

enum x86_result x86_run_movs(struct exec *x)
{
    return x86_repeat(x, move);
}

static enum x86_result fill(struct exec *x)
{
    enum x86_result r = mem_write(x, destination_address(x), x->in->size, x->cpu->gpr[X86_RAX]);
    if (r == X86_EMULATED)
        string_advance(x, X86_RDI, 1);
    return r;
}

enum x86_result x86_run_stos(struct exec *x)
{
    return x86_repeat(x, fill);
}

static enum x86_result fetch(struct exec *x)
{
    uint64_t value;
    enum x86_result r = mem_read(x, source_address(x), x->in->size, &value);
    if (r)
        return r;
    gpr_write(x->cpu, X86_RAX, x->in->size, value);
    string_advance(x, X86_RSI, 1);
    return X86_EMULATED;
}

enum x86_result x86_run_lods(struct exec *x)
{
    return x86_repeat(x, fetch);
}

static enum x86_result compare(struct exec *x)
{
    uint64_t a, b;
    enum x86_result r = mem_read(x, source_address(x), x->in->size, &a);
    if (r == X86_EMULATED)
        r = mem_read(x, destination_address(x), x->in->size, &b);
    if (r)
        return r;
    sub_flags(a, b, 0, x->in->size, &x->cpu->rflags);
    string_advance(x, X86_RSI, 1);
    string_advance(x, X86_RDI, 1);
    return X86_EMULATED;
}

static enum x86_result scan(struct exec *x)
{
    uint64_t value;
    enum x86_result r = mem_read(x, destination_address(x), x->in->size, &value);
    if (r)
        return r;
    sub_flags(gpr_read(x->cpu, X86_RAX, x->in->size), value, 0, x->in->size, &x->cpu->rflags);
    string_advance(x, X86_RDI, 1);
    return X86_EMULATED;
}

/*
 * A fault in the middle leaves the flags of the last element compared, as AMD's CPUs do (Intel's
 * give back those from before). They are no input, so that resuming is the same either way.
 */
enum x86_result x86_run_cmps(struct exec *x)
{
    return repeat(x, compare, true);
}

enum x86_result x86_run_scas(struct exec *x)
{
    return repeat(x, scan, true);
}
