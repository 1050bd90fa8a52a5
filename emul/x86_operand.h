/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside of emul/: registers, effective addresses, accesses. Inline, as they are most of the time
 * an instruction takes.
 *
 * Each function that can fail returns X86_EMULATED (0) or the instruction's result.
 */
#ifndef COOPVMM_EMUL_X86_OPERAND_H
#define COOPVMM_EMUL_X86_OPERAND_H

#include "x86_insn.h"

/* size: 1 to 8 bytes */
static inline uint64_t size_mask(unsigned size)
{
    return ~0ULL >> (64 - 8 * size);
}

static inline uint64_t sign_extend(uint64_t value, unsigned size)
{
    unsigned unused = 64 - 8 * size;
    return (uint64_t)((int64_t)(value << unused) >> unused);
}

/* Writes of 4 bytes clear the upper half, narrower ones leave the rest alone. */
static inline void gpr_write(struct x86_cpu *cpu, unsigned reg, unsigned size, uint64_t value)
{
    uint64_t keep = size >= 4 ? 0 : ~size_mask(size);
    cpu->gpr[reg] = (cpu->gpr[reg] & keep) | (value & size_mask(size));
}

static inline uint64_t gpr_read(const struct x86_cpu *cpu, unsigned reg, unsigned size)
{
    return cpu->gpr[reg] & size_mask(size);
}

/* What of an address or a count the address size leaves. */
static inline uint64_t address_mask(const struct exec *x)
{
    return x->in->flags & INSN_ADDR32 ? 0xffffffffu : ~0ULL;
}

/* In 64-bit mode only FS and GS have a base. */
static inline uint64_t segment_base(const struct exec *x)
{
    return x->in->seg >= X86_FS ? x->cpu->seg_base[x->in->seg] : 0;
}

/* The memory operand's address before segment and address size: base + index * scale + disp. */
static inline uint64_t operand_offset(const struct exec *x)
{
    const struct insn *in = x->in;
    uint64_t offset = (uint64_t)in->disp;
    if (in->base < BASE_RIP)
        offset += x->cpu->gpr[in->base];
    else if (in->base == BASE_RIP)
        offset += x->cpu->rip + in->len;
    if (in->index != NO_REG)
        offset += x->cpu->gpr[in->index] << in->shift;
    return offset;
}

static inline uint64_t linear_address(const struct exec *x, uint64_t offset)
{
    return segment_base(x) + (offset & address_mask(x));
}

static inline uint64_t effective_address(const struct exec *x)
{
    return linear_address(x, operand_offset(x));
}

static inline enum x86_result raise_vector(struct exec *x, uint8_t vector, uint64_t addr)
{
    x->vector = vector;
    x->fault_addr = addr;
    return X86_FAULTED;
}

static inline enum x86_result access_result(struct exec *x, enum x86_access a, uint64_t addr)
{
    if (__builtin_expect(a == X86_OK, 1))
        return X86_EMULATED;
    if (a == X86_CANCEL)
        return X86_CANCELLED;
    return raise_vector(x, X86_VECTOR_PF, addr);
}

static inline enum x86_result mem_read(struct exec *x, uint64_t addr, unsigned size,
                                       uint64_t *value)
{
    uint64_t got = 0;
    enum x86_access a = x->ops->read(x->ctx, addr, size, &got);
    *value = got & size_mask(size);
    return access_result(x, a, addr);
}

static inline enum x86_result mem_write(struct exec *x, uint64_t addr, unsigned size,
                                        uint64_t value)
{
    return access_result(x, x->ops->write(x->ctx, addr, size, value & size_mask(size)), addr);
}

/* Reads operand i, zero-extended from its size; an immediate sign-extended. Not for vectors. */
static inline enum x86_result load(struct exec *x, unsigned i, uint64_t *value)
{
    const struct operand *o = &x->in->op[i];
    switch (o->kind) {
    case OPERAND_MEM: return mem_read(x, effective_address(x), o->size, value);
    case OPERAND_GPR: *value = gpr_read(x->cpu, o->reg, o->size); break;
    case OPERAND_GPR_HIGH: *value = x->cpu->gpr[o->reg] >> 8 & 0xff; break;
    default: *value = (uint64_t)(int64_t)x->in->imm; break;
    }
    return X86_EMULATED;
}

/* Writes operand i. A register cannot fail, so it may follow what can. */
static inline enum x86_result store(struct exec *x, unsigned i, uint64_t value)
{
    const struct operand *o = &x->in->op[i];
    if (o->kind == OPERAND_MEM)
        return mem_write(x, effective_address(x), o->size, value);
    if (o->kind == OPERAND_GPR)
        gpr_write(x->cpu, o->reg, o->size, value);
    else if (o->kind == OPERAND_GPR_HIGH)
        x->cpu->gpr[o->reg] = (x->cpu->gpr[o->reg] & ~0xff00ULL) | (value & 0xff) << 8;
    return X86_EMULATED;
}

/*
 * What a read-modify-write does with the value: returns the new one, updates *flags. May be called
 * again with another `old`; so it changes nothing else.
 */
typedef uint64_t (*modify_fn)(const struct exec *x, uint64_t old, uint64_t src, uint64_t *flags);

/**
 * Read-modify-write of operand 0, atomically if the instruction is locked and the caller can; then
 * the flags.
 * @param before what operand 0 was; may be NULL
 */
enum x86_result x86_modify(struct exec *x, modify_fn f, uint64_t src, uint64_t *before);
/** The same of memory at addr. */
enum x86_result x86_modify_mem(struct exec *x, uint64_t addr, unsigned size, modify_fn f,
                               uint64_t src, uint64_t *before);

#endif
