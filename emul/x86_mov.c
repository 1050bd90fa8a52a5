/* SPDX-License-Identifier: BSD-3-Clause */
/* Moves between general registers and memory, and what does nothing to either. */
#include "x86_operand.h"

/* mov, movzx, movnti: loads are zero-extended as they are. */
enum x86_result x86_run_mov(struct exec *x)
{
    uint64_t value;
    enum x86_result r = load(x, 1, &value);
    return r ? r : store(x, 0, value);
}

enum x86_result x86_run_movsx(struct exec *x)
{
    uint64_t value;
    enum x86_result r = load(x, 1, &value);
    return r ? r : store(x, 0, sign_extend(value, x->in->op[1].size));
}

enum x86_result x86_run_movbe(struct exec *x)
{
    uint64_t value;
    enum x86_result r = load(x, 1, &value);
    return r ? r : store(x, 0, __builtin_bswap64(value) >> (64 - 8 * x->in->op[0].size));
}

/*
 * Condition codes in the order of the opcodes (SDM volume 1, appendix B); an odd one is the
 * opposite of the even one before it.
 */
static bool condition(uint64_t flags, unsigned code)
{
    bool zf = flags & X86_FLAG_ZF, cf = flags & X86_FLAG_CF;
    bool less = !(flags & X86_FLAG_SF) != !(flags & X86_FLAG_OF), holds;
    switch (code >> 1) {
    case 0: holds = flags & X86_FLAG_OF; break;
    case 1: holds = cf; break;
    case 2: holds = zf; break;
    case 3: holds = cf || zf; break;
    case 4: holds = flags & X86_FLAG_SF; break;
    case 5: holds = flags & X86_FLAG_PF; break;
    case 6: holds = less; break;
    default: holds = less || zf; break;
    }
    return holds != (code & 1);
}

/* The load happens whatever the condition, and so does the clearing of a 32-bit register's rest. */
enum x86_result x86_run_cmov(struct exec *x)
{
    uint64_t value, old;
    enum x86_result r = load(x, 1, &value);
    if (r)
        return r;
    load(x, 0, &old);
    return store(x, 0, condition(x->cpu->rflags, x->in->arg) ? value : old);
}

enum x86_result x86_run_set(struct exec *x)
{
    return store(x, 0, condition(x->cpu->rflags, x->in->arg));
}

/* AL = [rBX + AL] */
enum x86_result x86_run_xlat(struct exec *x)
{
    uint64_t value, offset = x->cpu->gpr[X86_RBX] + gpr_read(x->cpu, X86_RAX, 1);
    enum x86_result r = mem_read(x, linear_address(x, offset), 1, &value);
    if (r == X86_EMULATED)
        gpr_write(x->cpu, X86_RAX, 1, value);
    return r;
}

/* Prefetches and cache-line flushes: hints about memory that is not there. */
enum x86_result x86_run_nop(struct exec *x)
{
    (void)x;
    return X86_EMULATED;
}
