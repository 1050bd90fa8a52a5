/* SPDX-License-Identifier: BSD-3-Clause */
/* Read-modify-write, plain and locked. */
#include "x86_operand.h"

/* A guest's other vCPUs can make an exchange fail again and again; the caller gets a say between.
 */
#define ATTEMPTS 64

/*
 * Writes `desired` where `*old` was read.
 * @return X86_REPEAT: it was not there any more; *old is what was
 */
static enum x86_result exchange(struct exec *x, uint64_t addr, unsigned size, uint64_t *old,
                                uint64_t desired)
{
    if (!(x->in->flags & INSN_LOCK) || !x->ops->cmpxchg)
        return mem_write(x, addr, size, desired);
    uint64_t seen = *old;
    enum x86_access a = x->ops->cmpxchg(x->ctx, addr, size, &seen, desired & size_mask(size));
    if (a == X86_CANCEL)
        return X86_CANCELLED;
    if (a != X86_OK)
        return mem_write(x, addr, size, desired);
    seen &= size_mask(size);
    if (seen == *old)
        return X86_EMULATED;
    *old = seen;
    return X86_REPEAT;
}

enum x86_result x86_modify_mem(struct exec *x, uint64_t addr, unsigned size, modify_fn f,
                               uint64_t src, uint64_t *before)
{
    uint64_t old, flags;
    enum x86_result r = mem_read(x, addr, size, &old);
    if (r)
        return r;
    for (unsigned attempt = 0; attempt < ATTEMPTS; attempt++) {
        uint64_t was = old;
        flags = x->cpu->rflags;
        r = exchange(x, addr, size, &old, f(x, old, src, &flags));
        if (r == X86_REPEAT)
            continue;
        if (r == X86_EMULATED) {
            x->cpu->rflags = flags;
            if (before)
                *before = was;
        }
        return r;
    }
    return X86_REPEAT;
}

enum x86_result x86_modify(struct exec *x, modify_fn f, uint64_t src, uint64_t *before)
{
    if (x->in->op[0].kind == OPERAND_MEM)
        return x86_modify_mem(x, effective_address(x), x->in->op[0].size, f, src, before);
    uint64_t old;
    load(x, 0, &old);
    store(x, 0, f(x, old, src, &x->cpu->rflags));
    if (before)
        *before = old;
    return X86_EMULATED;
}
