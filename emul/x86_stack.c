/* SPDX-License-Identifier: BSD-3-Clause */
/* push, pop, near calls, jumps and returns. The stack's address size is always 64 bits. */
#include "x86_operand.h"

static enum x86_result push(struct exec *x, unsigned size, uint64_t value)
{
    uint64_t rsp = x->cpu->gpr[X86_RSP] - size;
    enum x86_result r = mem_write(x, rsp, size, value);
    if (r == X86_EMULATED)
        x->cpu->gpr[X86_RSP] = rsp;
    return r;
}

/* An operand addressed by RSP is where RSP was before. */
enum x86_result x86_run_push(struct exec *x)
{
    uint64_t value;
    enum x86_result r = load(x, 0, &value);
    return r ? r : push(x, x->in->size, value);
}

/* An operand addressed by RSP is where RSP is afterwards; pop rsp keeps what was popped. */
enum x86_result x86_run_pop(struct exec *x)
{
    unsigned size = x->in->size;
    uint64_t value, rsp = x->cpu->gpr[X86_RSP];
    enum x86_result r = mem_read(x, rsp, size, &value);
    if (r)
        return r;
    x->cpu->gpr[X86_RSP] = rsp + size;
    r = store(x, 0, value);
    if (r)
        x->cpu->gpr[X86_RSP] = rsp;
    return r;
}

static enum x86_result branch_target(struct exec *x, uint64_t *target)
{
    if (x->in->op[0].kind != OPERAND_IMM)
        return load(x, 0, target);
    *target = x->next + (uint64_t)(int64_t)x->in->imm;
    return X86_EMULATED;
}

enum x86_result x86_run_call(struct exec *x)
{
    uint64_t target;
    enum x86_result r = branch_target(x, &target);
    if (r == X86_EMULATED)
        r = push(x, 8, x->next);
    if (r == X86_EMULATED)
        x->next = target;
    return r;
}

enum x86_result x86_run_jmp(struct exec *x)
{
    return load(x, 0, &x->next);
}

/* ret, and ret with the number of bytes to drop. */
enum x86_result x86_run_ret(struct exec *x)
{
    enum x86_result r = mem_read(x, x->cpu->gpr[X86_RSP], 8, &x->next);
    if (r == X86_EMULATED)
        x->cpu->gpr[X86_RSP] += 8 + (uint16_t)x->in->imm;
    return r;
}

enum x86_result x86_run_leave(struct exec *x)
{
    uint64_t value, frame = x->cpu->gpr[X86_RBP];
    enum x86_result r = mem_read(x, frame, x->in->size, &value);
    if (r)
        return r;
    x->cpu->gpr[X86_RSP] = frame + x->in->size;
    gpr_write(x->cpu, X86_RBP, x->in->size, value);
    return r;
}
