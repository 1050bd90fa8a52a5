/* SPDX-License-Identifier: BSD-3-Clause */
/* in, out, ins, outs. */
#include "x86_string.h"

static uint16_t dx(const struct exec *x)
{
    return (uint16_t)x->cpu->gpr[X86_RDX];
}

/* The port of in and out: an immediate byte or DX. */
static uint16_t port_operand(const struct exec *x, unsigned i)
{
    return x->in->op[i].kind == OPERAND_IMM ? (uint8_t)x->in->imm : dx(x);
}

enum x86_result x86_run_in(struct exec *x)
{
    unsigned size = x->in->op[0].size;
    uint16_t port = port_operand(x, 1);
    uint64_t value = 0;
    enum x86_result r = access_result(x, x->ops->in(x->ctx, port, size, &value), port);
    if (r == X86_EMULATED)
        gpr_write(x->cpu, X86_RAX, size, value);
    return r;
}

enum x86_result x86_run_out(struct exec *x)
{
    unsigned size = x->in->op[1].size;
    uint16_t port = port_operand(x, 0);
    uint64_t value = gpr_read(x->cpu, X86_RAX, size);
    return access_result(x, x->ops->out(x->ctx, port, size, value), port);
}

static enum x86_result in_element(struct exec *x)
{
    uint16_t port = dx(x);
    uint64_t value = 0;
    enum x86_result r = access_result(x, x->ops->in(x->ctx, port, x->in->size, &value), port);
    if (r == X86_EMULATED)
        r = mem_write(x, destination_address(x), x->in->size, value);
    if (r == X86_EMULATED)
        string_advance(x, X86_RDI, 1);
    return r;
}

static enum x86_result out_element(struct exec *x)
{
    uint16_t port = dx(x);
    uint64_t value;
    enum x86_result r = mem_read(x, source_address(x), x->in->size, &value);
    if (r == X86_EMULATED)
        r = access_result(x, x->ops->out(x->ctx, port, x->in->size, value), port);
    if (r == X86_EMULATED)
        string_advance(x, X86_RSI, 1);
    return r;
}

/* How many elements from rSI or rDI there are before it wraps around at 4 GiB. */
static uint64_t before_wrap(const struct exec *x, unsigned reg, uint64_t count)
{
    if (!(x->in->flags & INSN_ADDR32))
        return count;
    uint64_t at = gpr_read(x->cpu, reg, 4);
    uint64_t room = (string_down(x) ? at : 0xffffffffu - at) / x->in->size + 1;
    return count < room ? count : room;
}

typedef enum x86_access (*port_string_fn)(void *ctx, uint16_t port, unsigned size, uint64_t addr,
                                          uint64_t count, bool down, uint64_t *done);

/* One request for all that is left. */
static enum x86_result request(struct exec *x, port_string_fn f, unsigned reg, uint64_t addr)
{
    uint64_t left = string_repeats(x) ? string_count(x) : 1, done = 0;
    if (left == 0)
        return X86_EMULATED;
    uint64_t count = before_wrap(x, reg, left);
    enum x86_access a = f(x->ctx, dx(x), x->in->size, addr, count, string_down(x), &done);
    if (done > count)
        done = count;
    uint64_t bytes = done * x->in->size;
    if (done)
        string_advance(x, reg, done);
    if (done && string_repeats(x))
        x->cpu->gpr[X86_RCX] = left - done;
    if (a == X86_OK)
        return done == left ? X86_EMULATED : X86_REPEAT;
    return access_result(x, a, string_down(x) ? addr - bytes : addr + bytes);
}

enum x86_result x86_run_ins(struct exec *x)
{
    if (!x->ops->ins)
        return x86_repeat(x, in_element);
    return request(x, x->ops->ins, X86_RDI, destination_address(x));
}

enum x86_result x86_run_outs(struct exec *x)
{
    if (!x->ops->outs)
        return x86_repeat(x, out_element);
    return request(x, x->ops->outs, X86_RSI, source_address(x));
}
