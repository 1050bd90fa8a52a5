/* SPDX-License-Identifier: BSD-3-Clause */
/* From Zydis' view of an instruction to ours. What has no place in ours is not emulated. */
#include <limits.h>

#include "x86_translate.h"

static bool between(ZydisRegister r, ZydisRegister first, ZydisRegister last)
{
    return r >= first && r <= last;
}

static struct operand gpr_operand(uint8_t kind, int reg, uint8_t size)
{
    return (struct operand){.kind = kind, .reg = (uint8_t)reg, .size = size};
}

/* Relies on Zydis numbering each class of registers in encoding order. */
static struct operand translate_register(ZydisRegister r)
{
    if (between(r, ZYDIS_REGISTER_AL, ZYDIS_REGISTER_BL))
        return gpr_operand(OPERAND_GPR, r - ZYDIS_REGISTER_AL, 1);
    if (between(r, ZYDIS_REGISTER_AH, ZYDIS_REGISTER_BH))
        return gpr_operand(OPERAND_GPR_HIGH, r - ZYDIS_REGISTER_AH, 1);
    if (between(r, ZYDIS_REGISTER_SPL, ZYDIS_REGISTER_R15B))
        return gpr_operand(OPERAND_GPR, r - ZYDIS_REGISTER_SPL + X86_RSP, 1);
    if (between(r, ZYDIS_REGISTER_AX, ZYDIS_REGISTER_R15W))
        return gpr_operand(OPERAND_GPR, r - ZYDIS_REGISTER_AX, 2);
    if (between(r, ZYDIS_REGISTER_EAX, ZYDIS_REGISTER_R15D))
        return gpr_operand(OPERAND_GPR, r - ZYDIS_REGISTER_EAX, 4);
    if (between(r, ZYDIS_REGISTER_RAX, ZYDIS_REGISTER_R15))
        return gpr_operand(OPERAND_GPR, r - ZYDIS_REGISTER_RAX, 8);
    if (between(r, ZYDIS_REGISTER_XMM0, ZYDIS_REGISTER_XMM15))
        return gpr_operand(OPERAND_VECTOR, r - ZYDIS_REGISTER_XMM0, 16);
    if (between(r, ZYDIS_REGISTER_YMM0, ZYDIS_REGISTER_YMM15))
        return gpr_operand(OPERAND_VECTOR, r - ZYDIS_REGISTER_YMM0, 32);
    return gpr_operand(OPERAND_NONE, 0, 0);
}

/* A register in an address: 64 bits or, with a 67 prefix, 32. */
static uint8_t address_register(ZydisRegister r)
{
    if (r == ZYDIS_REGISTER_RIP || r == ZYDIS_REGISTER_EIP)
        return BASE_RIP;
    return r == ZYDIS_REGISTER_NONE ? NO_REG : translate_register(r).reg;
}

static bool translate_memory(const ZydisDecodedOperand *zo, struct insn *out, struct operand *o)
{
    const ZydisDecodedOperandMem *m = &zo->mem;
    if (m->type != ZYDIS_MEMOP_TYPE_MEM && m->type != ZYDIS_MEMOP_TYPE_AGEN)
        return false;
    out->base = address_register(m->base);
    out->index = address_register(m->index);
    out->shift = m->scale ? (uint8_t)__builtin_ctz(m->scale) : 0;
    out->disp = m->disp.has_displacement ? m->disp.value : 0;
    /* Prefetches and flushes name a whole cache line, which nothing reads. */
    *o = gpr_operand(OPERAND_MEM, 0, (uint8_t)(zo->size / 8 <= 32 ? zo->size / 8 : 0));
    return true;
}

/* An unsigned 32-bit immediate may become negative: only its low bits are used then. */
static bool translate_immediate(const ZydisDecodedOperand *zo, struct insn *out, struct operand *o)
{
    int64_t value = zo->imm.value.s;
    if (value < INT32_MIN || value > (zo->imm.is_signed ? INT32_MAX : UINT32_MAX))
        return false;
    out->imm = (int32_t)value;
    *o = gpr_operand(OPERAND_IMM, 0, 8);
    return true;
}

static bool translate_operand(const ZydisDecodedOperand *zo, struct insn *out, struct operand *o)
{
    switch (zo->type) {
    case ZYDIS_OPERAND_TYPE_REGISTER: *o = translate_register(zo->reg.value); break;
    case ZYDIS_OPERAND_TYPE_MEMORY: return translate_memory(zo, out, o);
    case ZYDIS_OPERAND_TYPE_IMMEDIATE: return translate_immediate(zo, out, o);
    default: return false;
    }
    if (o->kind == OPERAND_VECTOR)
        out->flags |= INSN_VECTOR;
    return o->kind != OPERAND_NONE;
}

static bool translate_operands(const ZydisDecodedInstruction *zi, const ZydisDecodedOperand *zo,
                               struct insn *out)
{
    if (zi->operand_count_visible > INSN_OPERANDS)
        return false;
    for (unsigned i = 0; i < zi->operand_count_visible; i++)
        if (!translate_operand(&zo[i], out, &out->op[i]))
            return false;
    return true;
}

/* The size of what is accessed without being shown: string element or stack slot. */
static uint8_t implicit_size(const ZydisDecodedInstruction *zi, const ZydisDecodedOperand *zo)
{
    for (unsigned i = zi->operand_count_visible; i < zi->operand_count; i++)
        if (zo[i].type == ZYDIS_OPERAND_TYPE_MEMORY)
            return (uint8_t)(zo[i].size / 8);
    return 0;
}

static uint8_t translate_prefixes(const ZydisDecodedInstruction *zi)
{
    ZydisInstructionAttributes a = zi->attributes;
    return (a & ZYDIS_ATTRIB_HAS_LOCK ? INSN_LOCK : 0) |
           (a & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE) ? INSN_REP : 0) |
           (a & ZYDIS_ATTRIB_HAS_REPNE ? INSN_REPNE : 0) |
           (zi->address_width == 32 ? INSN_ADDR32 : 0) |
           (zi->encoding == ZYDIS_INSTRUCTION_ENCODING_VEX ? INSN_VEX : 0);
}

static uint8_t translate_segment(const ZydisDecodedInstruction *zi)
{
    if (zi->attributes & ZYDIS_ATTRIB_HAS_SEGMENT_FS)
        return X86_FS;
    return zi->attributes & ZYDIS_ATTRIB_HAS_SEGMENT_GS ? X86_GS : X86_DS;
}

static bool has_memory_operand(const struct insn *in)
{
    for (unsigned i = 0; i < INSN_OPERANDS; i++)
        if (in->op[i].kind == OPERAND_MEM)
            return true;
    return false;
}

static bool emulated(const ZydisDecodedInstruction *zi, const struct x86_entry *e)
{
    if (!e->run || zi->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR)
        return false;
    if (e->traits & ENTRY_NEAR64 && zi->attributes & ZYDIS_ATTRIB_HAS_OPERANDSIZE)
        return false;
    return zi->encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY ||
           zi->encoding == ZYDIS_INSTRUCTION_ENCODING_VEX;
}

bool x86_translate(const ZydisDecodedInstruction *zi, const ZydisDecodedOperand *zo,
                   struct insn *out)
{
    bool string = zi->meta.category == ZYDIS_CATEGORY_STRINGOP;
    const struct x86_entry *e = x86_entry_for(zi->mnemonic, string);
    if (!emulated(zi, e))
        return false;
    *out = (struct insn){.run = e->run,
                         .arg = e->arg,
                         .base = NO_REG,
                         .index = NO_REG,
                         .seg = translate_segment(zi)};
    out->flags = translate_prefixes(zi) | (e->traits & ENTRY_LOCKED ? INSN_LOCK : 0);
    if (!translate_operands(zi, zo, out))
        return false;
    out->size = implicit_size(zi, zo);
    return e->traits & ENTRY_IMPLICIT || has_memory_operand(out);
}
