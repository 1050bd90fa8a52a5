/* SPDX-License-Identifier: BSD-3-Clause */
/* Oracle suite: random instructions of a form, with registers that make them hit the arena. */
#ifndef COOPVMM_TESTS_X86_BUILD_H
#define COOPVMM_TESTS_X86_BUILD_H

#include "test_x86_forms.h"
#include "test_x86_shot.h"

/* ---- what the manual leaves undefined ---- */

static uint64_t undefined_of_shift(ZydisMnemonic m, unsigned size, uint64_t count)
{
    count &= size == 8 ? 63 : 31;
    if (count == 0)
        return 0;
    uint64_t u = count == 1 ? 0 : X86_FLAG_OF;
    switch (m) {
    case N(SHL):
    case N(SHR):
        if (count >= 8 * size)
            u |= X86_FLAG_CF;
        return u | X86_FLAG_AF;
    case N(SAR): return u | X86_FLAG_AF;
    case N(SHLD):
    case N(SHRD): return count > 8 * size ? STATUS : u | X86_FLAG_AF;
    default: return u; /* rotates */
    }
}

static uint64_t undefined_flags(ZydisMnemonic m, unsigned size, uint64_t count)
{
    switch (m) {
    case N(AND):
    case N(OR):
    case N(XOR):
    case N(TEST): return X86_FLAG_AF;
    case N(BT):
    case N(BTS):
    case N(BTR):
    case N(BTC): return X86_FLAG_OF | X86_FLAG_SF | X86_FLAG_AF | X86_FLAG_PF;
    case N(MUL):
    case N(IMUL): return X86_FLAG_SF | X86_FLAG_ZF | X86_FLAG_AF | X86_FLAG_PF;
    case N(DIV):
    case N(IDIV): return STATUS;
    case N(ROL):
    case N(ROR):
    case N(RCL):
    case N(RCR):
    case N(SHL):
    case N(SHR):
    case N(SAR):
    case N(SHLD):
    case N(SHRD): return undefined_of_shift(m, size, count);
    default: return 0;
    }
}

/* ---- building a case with the encoder ---- */

struct build {
    const struct form *f;
    unsigned size;
    ZydisEncoderRequest rq;
    struct native_state *s;
    uint64_t target; /* linear address of the memory operand */
    uint32_t fixed;  /* set of registers whose value the form needs */
    bool addr32;
    uint64_t segment; /* base */
    uint64_t count;   /* of a shift */
};

static uint64_t sized(uint64_t value, unsigned size)
{
    return size >= 8 ? value : value & ((1ULL << 8 * size) - 1);
}

/* Where in the arena: anywhere, across pages, misaligned, or across its end. */
static uint64_t pick_target(const struct form *f, unsigned size)
{
    uint64_t t = ARENA + below(ARENA_SIZE - 64);
    if (f->traits & F_BITS)
        return ARENA + ARENA_SIZE / 2 + below(64);
    if (f->traits & F_BRANCH)
        return t;
    if (one_in(8))
        t = ARENA + 4096 * (1 + below(3)) - below(size + 1);
    else if (one_in(8) && !(f->traits & F_HINT))
        t = ARENA_END - below(2 * size + 1);
    if (f->traits & F_ALIGNED && !one_in(8))
        t &= ~(uint64_t)(size - 1);
    return t;
}

static ZydisRegister gpr_of(unsigned reg, unsigned size)
{
    switch (size) {
    case 1:
        return (ZydisRegister)(reg < 4 ? ZYDIS_REGISTER_AL + reg : ZYDIS_REGISTER_SPL + (reg - 4));
    case 2: return (ZydisRegister)(ZYDIS_REGISTER_AX + reg);
    case 4: return (ZydisRegister)(ZYDIS_REGISTER_EAX + reg);
    default: return (ZydisRegister)(ZYDIS_REGISTER_RAX + reg);
    }
}

static unsigned pick_free_register(const struct build *b)
{
    unsigned reg;
    do
        reg = (unsigned)below(16);
    while (b->fixed >> reg & 1);
    return reg;
}

/* Gives the base register the value that makes the address come out as the target. */
static void solve_base(struct build *b, unsigned base, uint64_t rest)
{
    uint64_t value = b->target - b->segment - rest;
    if (b->addr32)
        value = (value & 0xffffffff) | rnd() << 32;
    b->s->gpr[base] = value;
}

static int32_t pick_displacement(void)
{
    switch (below(3)) {
    case 0: return 0;
    case 1: return (int32_t)below(256) - 128;
    default: return (int32_t)rnd();
    }
}

static void memory_based(struct build *b, struct ZydisEncoderOperandMem_ *m, unsigned width)
{
    unsigned base = pick_free_register(b), index;
    m->base = gpr_of(base, width);
    m->displacement = pick_displacement();
    uint64_t rest = (uint64_t)m->displacement;
    if (one_in(2)) {
        do
            index = (unsigned)below(16);
        while (index == X86_RSP || index == base || b->fixed >> index & 1);
        m->index = gpr_of(index, width);
        m->scale = (uint8_t)(1u << below(4));
        rest += b->s->gpr[index] * m->scale;
    }
    solve_base(b, base, rest);
}

static void memory_indexed(struct build *b, struct ZydisEncoderOperandMem_ *m, unsigned width)
{
    unsigned index;
    do
        index = pick_free_register(b);
    while (index == X86_RSP);
    b->s->gpr[index] = below(0x10000) | (b->addr32 ? rnd() << 32 : 0);
    m->index = gpr_of(index, width);
    m->scale = (uint8_t)(1u << below(4));
    m->displacement =
        (int64_t)(b->target - b->segment - (b->s->gpr[index] & 0xffffffff) * m->scale);
}

/* pop's memory operand sees RSP as it is afterwards. */
static void memory_on_stack(struct build *b, struct ZydisEncoderOperandMem_ *m)
{
    m->base = ZYDIS_REGISTER_RSP;
    m->displacement = (int64_t)below(64) - 32;
    b->s->gpr[X86_RSP] = ARENA + 256 + below(ARENA_SIZE - 512);
    b->target = b->s->gpr[X86_RSP] + (uint64_t)m->displacement;
    b->addr32 = false;
    if (b->f->mnemonic == N(POP))
        b->target += b->size;
}

static void memory_operand(struct build *b, ZydisEncoderOperand *o)
{
    struct ZydisEncoderOperandMem_ *m = &o->mem;
    unsigned kind = (unsigned)below(8);
    o->type = ZYDIS_OPERAND_TYPE_MEMORY;
    m->size = (ZyanU16)(b->f->traits & F_HINT ? b->f->sizes : b->size);
    m->base = m->index = ZYDIS_REGISTER_NONE;
    if (b->f->traits & F_STACK && kind == 0) {
        memory_on_stack(b, m);
        return;
    }
    b->addr32 = one_in(6);
    if (one_in(6)) {
        b->rq.prefixes |= ZYDIS_ATTRIB_HAS_SEGMENT_GS;
        b->segment = GS_BASE;
    } else if (one_in(6) && !b->addr32) {
        b->rq.prefixes |= ZYDIS_ATTRIB_HAS_SEGMENT_FS;
        b->segment = native_fs_base();
    }
    unsigned width = b->addr32 ? 4 : 8;
    if (kind < 5 || b->rq.prefixes & ZYDIS_ATTRIB_HAS_SEGMENT_FS) {
        memory_based(b, m, width);
    } else if (kind == 5) {
        memory_indexed(b, m, width);
    } else if (kind == 6) {
        b->addr32 = false;
        m->displacement = (int64_t)(b->target - b->segment);
    } else {
        m->base = b->addr32 ? ZYDIS_REGISTER_EIP : ZYDIS_REGISTER_RIP;
        m->displacement = (int64_t)(b->target - b->segment);
    }
}

static void register_operand(struct build *b, ZydisEncoderOperand *o, unsigned size)
{
    unsigned reg = (unsigned)below(16);
    o->type = ZYDIS_OPERAND_TYPE_REGISTER;
    if (size == 1 && one_in(4)) {
        o->reg.value = (ZydisRegister)(ZYDIS_REGISTER_AH + below(4));
        return;
    }
    if (b->f->traits & F_BITS) { /* within some hundred bytes of the target */
        uint64_t index = below(8000) - 4000;
        b->s->gpr[reg] = sized(index, size) | (size < 8 ? rnd() << 8 * size : 0);
        b->fixed |= 1u << reg;
    }
    o->reg.value = gpr_of(reg, size);
}

static void immediate_operand(struct build *b, ZydisEncoderOperand *o)
{
    unsigned bytes = b->size < 4 ? b->size : 4, unused = 64 - 8 * bytes;
    o->type = ZYDIS_OPERAND_TYPE_IMMEDIATE;
    o->imm.s = (int64_t)(interesting() << unused) >> unused;
}

static void byte_operand(struct build *b, ZydisEncoderOperand *o, uint64_t value)
{
    o->type = ZYDIS_OPERAND_TYPE_IMMEDIATE;
    o->imm.u = value;
    b->count = value;
}

/* 16-bit double shifts by more than 16 have no defined result; AMD's is emulated. */
static uint64_t pick_count(const struct build *b)
{
    bool twofold = b->f->mnemonic == N(SHLD) || b->f->mnemonic == N(SHRD);
    if (twofold && b->size == 2)
        return below(__builtin_cpu_is("amd") ? 32 : 17);
    return one_in(4) ? below(3) : below(128);
}

static void cl_operand(struct build *b, ZydisEncoderOperand *o)
{
    o->type = ZYDIS_OPERAND_TYPE_REGISTER;
    o->reg.value = ZYDIS_REGISTER_CL;
    b->count = pick_count(b);
    b->s->gpr[X86_RCX] = (rnd() & ~0xffULL) | b->count;
}

static void vector_operand(ZydisEncoderOperand *o, ZydisRegister first)
{
    o->type = ZYDIS_OPERAND_TYPE_REGISTER;
    o->reg.value = (ZydisRegister)(first + below(16));
}

static void operand(struct build *b, char kind, ZydisEncoderOperand *o)
{
    switch (kind) {
    case 'm': memory_operand(b, o); break;
    case 'r': register_operand(b, o, b->size); break;
    case 'n': register_operand(b, o, b->f->reg_size); break;
    case 'i': immediate_operand(b, o); break;
    case 'b': byte_operand(b, o, pick_count(b)); break;
    case '1': byte_operand(b, o, 1); break;
    case 'c': cl_operand(b, o); break;
    case 'x': vector_operand(o, ZYDIS_REGISTER_XMM0); break;
    case 'y': vector_operand(o, ZYDIS_REGISTER_YMM0); break;
    }
}

/* Memory comes last: it must not disturb the registers the others need, and may use all others. */
static void operands(struct build *b)
{
    const char *kinds = b->f->operands;
    b->rq.operand_count = (ZyanU8)strlen(kinds);
    for (unsigned pass = 0; pass < 2; pass++)
        for (unsigned i = 0; kinds[i]; i++)
            if ((kinds[i] == 'm') == (pass == 1))
                operand(b, kinds[i], &b->rq.operands[i]);
}

static void both_memories_write(uint64_t addr, uint64_t value)
{
    memcpy(native_arena() + (addr - ARENA), &value, 8);
    memcpy(g.shadow + (addr - ARENA), &value, 8);
}

/* Registers the form needs to be something; before the operands. */
static void prepare(struct build *b)
{
    unsigned t = b->f->traits;
    if (t & F_STACK) {
        b->s->gpr[X86_RSP] = ARENA + 16 + below(ARENA_SIZE - 48);
        if (!(t & F_BRANCH) && one_in(10))
            b->s->gpr[X86_RSP] = one_in(2) ? ARENA + below(16) : ARENA_END - below(16);
        b->fixed |= 1u << X86_RSP;
    }
    if (t & F_ACC && one_in(2))
        b->fixed |= 1u << X86_RAX | 1u << X86_RDX;
    if (strchr(b->f->operands, 'c'))
        b->fixed |= 1u << X86_RCX;
    if (t & F_DIVIDE && !one_in(4))
        b->s->gpr[X86_RDX] = one_in(2) ? below(4) : -(uint64_t)one_in(2);
}

/* After the operands: values that depend on where memory is. */
static void finish(struct build *b)
{
    unsigned t = b->f->traits;
    if (t & F_BRANCH)
        both_memories_write(strchr(b->f->operands, 'm') ? b->target : b->s->gpr[X86_RSP], LANDING);
    if (t & F_ACC && b->fixed && in_arena(b->target, b->size)) {
        const uint8_t *p = native_arena() + (b->target - ARENA);
        unsigned half = b->f->mnemonic == N(CMPXCHG) ? b->size : b->size / 2;
        memcpy(&b->s->gpr[X86_RAX], p, half);
        if (half != b->size)
            memcpy(&b->s->gpr[X86_RDX], p + half, half);
    }
}

/* @return false: no such combination (AH beside a REX register); try another */
static bool build(const struct form *f, unsigned size, struct shot *c)
{
    struct build b = {.f = f, .size = size, .s = &c->in};
    *c = (struct shot){
        .tears = f->traits & F_WIDE, .branches = f->traits & F_BRANCH, .cmpxchg_op = one_in(2)};
    randomize_state(&c->in);
    b.rq.machine_mode = ZYDIS_MACHINE_MODE_LONG_64;
    b.rq.mnemonic = f->mnemonic;
    b.rq.allowed_encodings =
        f->traits & F_VEX ? ZYDIS_ENCODABLE_ENCODING_VEX : ZYDIS_ENCODABLE_ENCODING_LEGACY;
    if (f->traits & F_LOCK && one_in(3))
        b.rq.prefixes |= ZYDIS_ATTRIB_HAS_LOCK;
    b.target = pick_target(f, size);
    prepare(&b);
    operands(&b);
    if (f->traits & F_LOCK && f->operands[0] != 'm')
        b.rq.prefixes &= ~(ZydisInstructionAttributes)ZYDIS_ATTRIB_HAS_LOCK;
    finish(&b);
    c->undefined = undefined_flags(f->mnemonic, size, b.count);
    c->len = sizeof c->code;
    return ZYAN_SUCCESS(ZydisEncoderEncodeInstructionAbsolute(&b.rq, c->code, &c->len, CODE_PAGE));
}

#endif
