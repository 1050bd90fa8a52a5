/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SSE and AVX loads and stores. A VEX-encoded load clears the register above what it loads; a
 * legacy one leaves bits 128 to 255 alone.
 */
#include <string.h>

#include "x86_operand.h"

/* size: 1, 2, 4, 8, 16 or 32 bytes */
static enum x86_result read_bytes(struct exec *x, uint64_t addr, unsigned size, uint8_t *to)
{
    unsigned piece = size < 8 ? size : 8;
    for (unsigned at = 0; at < size; at += piece) {
        uint64_t value;
        enum x86_result r = mem_read(x, addr + at, piece, &value);
        if (r)
            return r;
        memcpy(to + at, &value, piece);
    }
    return X86_EMULATED;
}

static enum x86_result write_bytes(struct exec *x, uint64_t addr, unsigned size,
                                   const uint8_t *from)
{
    unsigned piece = size < 8 ? size : 8;
    for (unsigned at = 0; at < size; at += piece) {
        uint64_t value = 0;
        memcpy(&value, from + at, piece);
        enum x86_result r = mem_write(x, addr + at, piece, value);
        if (r)
            return r;
    }
    return X86_EMULATED;
}

/* The address of memory operand i, checked for alignment where the instruction asks for it. */
static enum x86_result operand_address(struct exec *x, unsigned i, uint64_t *addr)
{
    *addr = effective_address(x);
    if (x->in->arg == VECTOR_ALIGNED && *addr % x->in->op[i].size)
        return raise_vector(x, X86_VECTOR_GP, *addr);
    return X86_EMULATED;
}

/* All 32 bytes of `value`, or the low 16 of them, as the encoding has it. */
static void vector_write(struct exec *x, unsigned reg, const uint8_t value[32])
{
    memcpy(x->cpu->ymm[reg], value, x->in->flags & INSN_VEX ? 32 : 16);
}

static enum x86_result vector_load(struct exec *x)
{
    uint8_t value[32] = {0};
    uint64_t addr;
    enum x86_result r = operand_address(x, 1, &addr);
    if (r == X86_EMULATED)
        r = read_bytes(x, addr, x->in->op[1].size, value);
    if (r == X86_EMULATED)
        vector_write(x, x->in->op[0].reg, value);
    return r;
}

static enum x86_result vector_store(struct exec *x, unsigned from_byte)
{
    uint64_t addr;
    enum x86_result r = operand_address(x, 0, &addr);
    if (r)
        return r;
    const uint8_t *from = x->cpu->ymm[x->in->op[1].reg] + from_byte;
    return write_bytes(x, addr, x->in->op[0].size, from);
}

enum x86_result x86_run_vector_mov(struct exec *x)
{
    return x->in->op[0].kind == OPERAND_MEM ? vector_store(x, 0) : vector_load(x);
}

/*
 * 8 bytes into one half of an XMM register. The other half is the destination's own (legacy) or
 * that of a second register (VEX: three operands, the memory last).
 */
static enum x86_result half_load(struct exec *x, unsigned to_byte)
{
    const struct insn *in = x->in;
    unsigned other = in->flags & INSN_VEX ? in->op[1].reg : in->op[0].reg;
    uint8_t value[32] = {0};
    memcpy(value, x->cpu->ymm[other], 16);
    enum x86_result r = read_bytes(x, effective_address(x), 8, value + to_byte);
    if (r == X86_EMULATED)
        vector_write(x, in->op[0].reg, value);
    return r;
}

enum x86_result x86_run_vector_low(struct exec *x)
{
    return x->in->op[0].kind == OPERAND_MEM ? vector_store(x, 0) : half_load(x, 0);
}

enum x86_result x86_run_vector_high(struct exec *x)
{
    return x->in->op[0].kind == OPERAND_MEM ? vector_store(x, 8) : half_load(x, 8);
}

/* One element of the memory operand's size, repeated over the register. */
enum x86_result x86_run_broadcast(struct exec *x)
{
    const struct operand *to = &x->in->op[0];
    unsigned element = x->in->op[1].size;
    uint8_t value[32] = {0};
    enum x86_result r = read_bytes(x, effective_address(x), element, value);
    if (r)
        return r;
    for (unsigned at = element; at < to->size; at += element)
        memcpy(value + at, value, element);
    vector_write(x, to->reg, value);
    return X86_EMULATED;
}
