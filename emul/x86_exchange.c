/* SPDX-License-Identifier: BSD-3-Clause */
/* xchg, xadd, cmpxchg and its wide forms. */
#include "x86_flags.h"

static uint64_t replace(const struct exec *x, uint64_t old, uint64_t src, uint64_t *flags)
{
    (void)x, (void)old, (void)flags;
    return src;
}

/* Which of two operands is the register: xchg may come either way round. */
static unsigned register_operand(const struct exec *x)
{
    return x->in->op[0].kind == OPERAND_MEM ? 1 : 0;
}

enum x86_result x86_run_xchg(struct exec *x)
{
    unsigned reg = register_operand(x);
    uint64_t value, old;
    load(x, reg, &value);
    enum x86_result r =
        x86_modify_mem(x, effective_address(x), x->in->op[0].size, replace, value, &old);
    return r ? r : store(x, reg, old);
}

static uint64_t add(const struct exec *x, uint64_t old, uint64_t src, uint64_t *flags)
{
    return add_flags(old, src, 0, x->in->op[0].size, flags);
}

enum x86_result x86_run_xadd(struct exec *x)
{
    uint64_t addend, old;
    load(x, 1, &addend);
    enum x86_result r = x86_modify(x, add, addend, &old);
    return r ? r : store(x, 1, old);
}

/* As the CPU: a failed comparison writes back what was there. */
static uint64_t compare_replace(const struct exec *x, uint64_t old, uint64_t src, uint64_t *flags)
{
    unsigned size = x->in->op[0].size;
    uint64_t expected = gpr_read(x->cpu, X86_RAX, size);
    sub_flags(expected, old, 0, size, flags);
    return old == expected ? src : old;
}

enum x86_result x86_run_cmpxchg(struct exec *x)
{
    uint64_t desired, old;
    load(x, 1, &desired);
    enum x86_result r = x86_modify(x, compare_replace, desired, &old);
    if (r == X86_EMULATED && !(x->cpu->rflags & X86_FLAG_ZF))
        gpr_write(x->cpu, X86_RAX, x->in->op[0].size, old);
    return r;
}

/* The low halves of two registers, side by side. */
static uint64_t pair32(const struct x86_cpu *cpu, unsigned high, unsigned low)
{
    return cpu->gpr[high] << 32 | gpr_read(cpu, low, 4);
}

/* Of the flags, the wide forms touch ZF only. */
static uint64_t compare_replace8(const struct exec *x, uint64_t old, uint64_t src, uint64_t *flags)
{
    bool equal = old == pair32(x->cpu, X86_RDX, X86_RAX);
    set_flags(flags, X86_FLAG_ZF, flag_if(equal, X86_FLAG_ZF));
    return equal ? src : old;
}

enum x86_result x86_run_cmpxchg8b(struct exec *x)
{
    uint64_t old, desired = pair32(x->cpu, X86_RCX, X86_RBX);
    enum x86_result r = x86_modify(x, compare_replace8, desired, &old);
    if (r == X86_EMULATED && !(x->cpu->rflags & X86_FLAG_ZF)) {
        gpr_write(x->cpu, X86_RAX, 4, old);
        gpr_write(x->cpu, X86_RDX, 4, old >> 32);
    }
    return r;
}

enum x86_result x86_run_cmpxchg16b(struct exec *x)
{
    struct x86_cpu *cpu = x->cpu;
    uint64_t low, high, addr = effective_address(x);
    if (addr % 16)
        return raise_vector(x, X86_VECTOR_GP, addr);
    enum x86_result r = mem_read(x, addr, 8, &low);
    if (r == X86_EMULATED)
        r = mem_read(x, addr + 8, 8, &high);
    if (r)
        return r;
    bool equal = low == cpu->gpr[X86_RAX] && high == cpu->gpr[X86_RDX];
    r = mem_write(x, addr, 8, equal ? cpu->gpr[X86_RBX] : low);
    if (r == X86_EMULATED)
        r = mem_write(x, addr + 8, 8, equal ? cpu->gpr[X86_RCX] : high);
    if (r)
        return r;
    set_flags(&cpu->rflags, X86_FLAG_ZF, flag_if(equal, X86_FLAG_ZF));
    cpu->gpr[X86_RAX] = low; /* equal: what it was */
    cpu->gpr[X86_RDX] = high;
    return X86_EMULATED;
}
