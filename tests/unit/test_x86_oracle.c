/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The oracle is the CPU: random instructions run natively and emulated, from the same registers and
 * memory, have to leave the same registers, flags and memory, or raise the same exception.
 *
 * X86_ORACLE_SEED and X86_ORACLE_CASES (per form and size) in the environment override the
 * defaults.
 */
#include <CUnit/CUnit.h>

#include "cu_main.h"
#include "test_x86_forms.h"
#include "test_x86_native.h"

#define STATUS        (X86_FLAG_CF | X86_FLAG_PF | X86_FLAG_AF | X86_FLAG_ZF | X86_FLAG_SF | X86_FLAG_OF)
#define DEFAULT_CASES 200
#define MAX_REPORTS   20

/* One case: an instruction and where it starts from. */
struct shot {
    uint8_t code[X86_MAX_INSN];
    size_t len;
    struct native_state in;
    uint64_t undefined;         /* flags the manual leaves undefined */
    uint64_t undefined_faulted; /* flags in which vendors differ after a fault */
    bool tears;                 /* a fault may come after part of the write */
    bool branches;
    bool cmpxchg_op; /* give the emulator ops->cmpxchg */
};

struct tally {
    unsigned cases, faults, undefined_differ;
    uint64_t undefined; /* the flags that differed */
};

static struct {
    uint64_t seed, random;
    unsigned cases;
    bool avx, avx2, movbe;
    uint8_t shadow[ARENA_SIZE]; /* the emulator's copy of the arena */
    struct x86_decoder *decoder;
    unsigned reports;
    struct tally total;
} g;

/* ---- random values (splitmix64) ---- */

static uint64_t rnd(void)
{
    uint64_t z = (g.random += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

static uint64_t below(uint64_t n)
{
    return rnd() % n;
}

static bool one_in(unsigned n)
{
    return below(n) == 0;
}

/* Values at which carries, signs and sizes change. */
static uint64_t interesting(void)
{
    uint64_t edge = 1ULL << (8u << below(4)) % 64;
    switch (below(7)) {
    case 0: return 0;
    case 1: return below(16);
    case 2: return -below(16);
    case 3: return (edge >> 1) - below(3);
    case 4: return edge - below(3);
    case 5: return rnd() & 0xffffffff;
    default: return rnd();
    }
}

static void randomize_arena(void)
{
    uint8_t *p = native_arena();
    bool dull = one_in(2); /* so that compares find equal elements */
    for (unsigned i = 0; i < ARENA_SIZE; i += 8) {
        uint64_t v = dull && !one_in(16) ? 0 : interesting();
        memcpy(p + i, &v, 8);
    }
    memcpy(g.shadow, p, ARENA_SIZE);
}

static void randomize_state(struct native_state *s)
{
    memset(s, 0, sizeof *s);
    for (unsigned i = 0; i < 16; i++)
        s->gpr[i] = interesting();
    s->rflags = 0x202 | (rnd() & STATUS);
    s->avx = g.avx;
    for (unsigned i = 0; i < 16; i++)
        for (unsigned k = 0; k < (g.avx ? 32u : 16u); k++)
            s->ymm[i][k] = (uint8_t)rnd();
}

/* ---- the emulator's side ---- */

static bool in_arena(uint64_t addr, unsigned size)
{
    return addr >= ARENA && addr <= ARENA_END - size;
}

static enum x86_access mem_read(void *ctx, uint64_t addr, unsigned size, uint64_t *value)
{
    (void)ctx;
    if (!in_arena(addr, size))
        return X86_FAULT;
    memcpy(value, g.shadow + (addr - ARENA), size);
    return X86_OK;
}

static enum x86_access mem_write(void *ctx, uint64_t addr, unsigned size, uint64_t value)
{
    (void)ctx;
    if (!in_arena(addr, size))
        return X86_FAULT;
    memcpy(g.shadow + (addr - ARENA), &value, size);
    return X86_OK;
}

static enum x86_access mem_cmpxchg(void *ctx, uint64_t addr, unsigned size, uint64_t *old,
                                   uint64_t desired)
{
    uint64_t expected = *old, seen = 0;
    if (mem_read(ctx, addr, size, &seen) != X86_OK)
        return X86_FAULT;
    *old = seen;
    return seen == expected ? mem_write(ctx, addr, size, desired) : X86_OK;
}

/* X86_REPEAT is entered again, as the CPU would. */
static enum x86_result emulate(const struct shot *c, struct x86_cpu *cpu, struct x86_fault *fault)
{
    const struct x86_ops ops = {
        .read = mem_read, .write = mem_write, .cmpxchg = c->cmpxchg_op ? mem_cmpxchg : NULL};
    enum x86_result r;
    do
        r = x86_emulate(g.decoder, cpu, c->code, c->len, &ops, NULL, fault);
    while (r == X86_REPEAT);
    return r;
}

static void cpu_from_native(struct x86_cpu *cpu, const struct native_state *s, uint8_t ymm[16][32])
{
    *cpu = (struct x86_cpu){.rip = CODE_PAGE, .rflags = s->rflags, .ymm = ymm, .ymm_high = g.avx};
    memcpy(cpu->gpr, s->gpr, sizeof cpu->gpr);
    memcpy(ymm, s->ymm, sizeof s->ymm);
    cpu->seg_base[X86_FS] = native_fs_base();
    cpu->seg_base[X86_GS] = GS_BASE;
}

/* ---- comparison ---- */

static void show(const char *who, const uint64_t gpr[16], uint64_t rflags)
{
    printf("  %-9s flags %03llx", who, (unsigned long long)rflags);
    for (unsigned i = 0; i < 16; i++)
        printf("%s %016llx", i % 4 ? "" : "\n   ", (unsigned long long)gpr[i]);
    printf("\n");
}

static void report(const struct shot *c, const char *what, const struct native_state *native_out,
                   const struct x86_cpu *cpu, const struct x86_fault *fault)
{
    if (g.reports++ >= MAX_REPORTS)
        return;
    printf("\nMISMATCH (%s) in:", what);
    for (size_t i = 0; i < c->len; i++)
        printf(" %02x", c->code[i]);
    printf("  %s  seed %llu\n", fault->text, (unsigned long long)g.seed);
    show("before", c->in.gpr, c->in.rflags);
    show("native", native_out->gpr, native_out->rflags);
    show("emulated", cpu->gpr, cpu->rflags);
}

static const char *compare_result(const struct native_exception *e, enum x86_result r,
                                  const struct x86_fault *f)
{
    if (e->vector < 0)
        return r == X86_EMULATED ? NULL : "emulator did not carry it out";
    if (r != X86_FAULTED)
        return "emulator raised nothing";
    if (f->vector != e->vector)
        return "another exception";
    /* CR2 is the first byte that cannot be had, ours is where the piece starts. */
    if (e->vector == X86_VECTOR_PF && e->cr2 - f->addr >= 32)
        return "another fault address";
    return NULL;
}

static const char *compare_state(const struct shot *c, bool faulted, const struct native_state *out,
                                 const struct x86_cpu *cpu)
{
    uint64_t rip = faulted ? CODE_PAGE : c->branches ? LANDING : CODE_PAGE + c->len;
    uint64_t undefined = faulted ? c->undefined_faulted : c->undefined;
    if (memcmp(out->gpr, cpu->gpr, sizeof cpu->gpr))
        return "registers";
    if ((out->rflags ^ cpu->rflags) & ~undefined)
        return "flags";
    if (cpu->rip != rip)
        return "rip";
    if (memcmp(out->ymm, cpu->ymm, sizeof out->ymm))
        return "vector registers";
    if (!(faulted && c->tears) && memcmp(native_arena(), g.shadow, ARENA_SIZE))
        return "memory";
    return NULL;
}

static void shoot(const struct shot *c, struct tally *t)
{
    struct native_state out = c->in;
    struct native_exception e = native_run(&out, c->code, c->len);
    struct x86_cpu cpu;
    struct x86_fault fault = {.text = ""};
    uint8_t ymm[16][32];
    cpu_from_native(&cpu, &c->in, ymm);
    enum x86_result r = emulate(c, &cpu, &fault);
    const char *what = compare_result(&e, r, &fault);
    if (!what)
        what = compare_state(c, e.vector >= 0, &out, &cpu);
    if (what) {
        report(c, what, &out, &cpu, &fault);
        CU_FAIL("emulator and CPU differ");
    }
    t->cases++;
    t->faults += e.vector >= 0;
    t->undefined_differ += (out.rflags ^ cpu.rflags) != 0;
    t->undefined |= out.rflags ^ cpu.rflags;
    if (what || e.vector >= 0)
        memcpy(g.shadow, native_arena(), ARENA_SIZE);
}

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

/* ---- running forms ---- */

static bool cpu_has(const struct form *f)
{
    return (!(f->traits & F_VEX) || g.avx) && (!(f->traits & F_AVX2) || g.avx2) &&
           (!(f->traits & F_MOVBE) || g.movbe);
}

static void run_size(const struct form *f, unsigned size, struct tally *t)
{
    struct shot c;
    for (unsigned i = 0, tries = 0; i < g.cases && tries < 4 * g.cases; tries++) {
        if (i % 64 == 0)
            randomize_arena();
        if (!build(f, size, &c))
            continue;
        shoot(&c, t);
        i++;
    }
}

static void print_tally(const char *name, const char *operands_or_note, const struct tally *t)
{
    printf("    %-16s %-4s %6u cases, %5u raised", name, operands_or_note, t->cases, t->faults);
    if (t->undefined_differ)
        printf(", undefined flags (of %03llx) other in %u", (unsigned long long)t->undefined,
               t->undefined_differ);
    printf("\n");
    CU_ASSERT(t->cases > 0);
    g.total.cases += t->cases;
    g.total.faults += t->faults;
    g.total.undefined_differ += t->undefined_differ;
}

static void run_form(const struct form *f)
{
    struct tally t = {0};
    const char *name = ZydisMnemonicGetString(f->mnemonic);
    if (!cpu_has(f)) {
        printf("    %-16s %-4s NOT ON THIS CPU, not compared\n", name, f->operands);
        return;
    }
    for (unsigned size = 1; size <= 64; size *= 2) {
        unsigned before = t.cases;
        if (!(f->sizes & size))
            continue;
        run_size(f, size, &t);
        CU_ASSERT(t.cases > before);
    }
    print_tally(name, f->operands, &t);
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *s = getenv(name);
    return s ? strtoull(s, NULL, 0) : otherwise;
}

/* The first test calls it; each test starts from the seed, so that they can be looked at alone. */
static void begin(void)
{
    if (!g.decoder) {
        g.seed = setting("X86_ORACLE_SEED", 1);
        g.cases = (unsigned)setting("X86_ORACLE_CASES", DEFAULT_CASES);
        g.avx = __builtin_cpu_supports("avx");
        g.avx2 = __builtin_cpu_supports("avx2");
        unsigned a, b, c = 0, d;
        __asm__("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(1), "c"(0));
        g.movbe = c >> 22 & 1;
        g.decoder = x86_decoder_new();
        native_init();
    }
    g.random = g.seed;
    g.total = (struct tally){0};
    printf("\n    X86_ORACLE_SEED=%llu X86_ORACLE_CASES=%u\n", (unsigned long long)g.seed, g.cases);
    randomize_arena();
}

static void end(void)
{
    printf("    total %u cases, %u raised; undefined flags other in %u\n", g.total.cases,
           g.total.faults, g.total.undefined_differ);
}

static void test_integer(void)
{
    begin();
    for (size_t i = 0; i < sizeof integer_forms / sizeof integer_forms[0]; i++)
        run_form(&integer_forms[i]);
    end();
}

static void test_vector(void)
{
    begin();
    for (size_t i = 0; i < sizeof vector_forms / sizeof vector_forms[0]; i++)
        run_form(&vector_forms[i]);
    end();
}

/* ---- string instructions, by their bytes ---- */

struct string_form {
    const char *name;
    uint8_t opcode; /* of bytes; wider ones are the next */
    bool compares;
};

static const struct string_form string_forms[] = {
    {"movs", 0xa4, false}, {"cmps", 0xa6, true}, {"stos", 0xaa, false},
    {"lods", 0xac, false}, {"scas", 0xae, true},
};

static void byte(struct shot *c, unsigned value)
{
    c->code[c->len++] = (uint8_t)value;
}

/* Prefixes in all combinations and orders the CPU takes alike. */
static void string_code(struct shot *c, const struct string_form *f, unsigned size, bool addr32,
                        uint8_t segment)
{
    static const uint8_t repeats[] = {0, 0xf3, 0xf3, 0xf2};
    uint8_t repeat = repeats[below(4)];
    c->len = 0;
    if (segment)
        byte(c, segment);
    if (repeat && one_in(2)) {
        byte(c, repeat);
        repeat = 0;
    }
    if (addr32)
        byte(c, 0x67);
    if (size == 2)
        byte(c, 0x66);
    if (repeat)
        byte(c, repeat);
    if (size == 8)
        byte(c, 0x48);
    byte(c, f->opcode + (size > 1));
}

/* Up to 600 elements: more than one batch. Some run off the arena's end. */
static uint64_t string_pointer(unsigned size, bool down)
{
    uint64_t at = ARENA + below(ARENA_SIZE - 8);
    if (one_in(8))
        return down ? ARENA + below(20 * size) : ARENA_END - below(20 * size);
    return at;
}

static uint64_t string_register(uint64_t value, bool addr32)
{
    return addr32 ? (value & 0xffffffff) | rnd() << 32 : value;
}

static void build_string(const struct string_form *f, unsigned size, struct shot *c)
{
    bool addr32 = one_in(4), gs = one_in(4), down = one_in(3);
    memset(c, 0, sizeof *c);
    randomize_state(&c->in);
    string_code(c, f, size, addr32, gs ? 0x65 : one_in(4) ? 0x2e : 0);
    if (down)
        c->in.rflags |= X86_FLAG_DF;
    uint64_t rsi = string_pointer(size, down) - (gs ? GS_BASE : 0);
    c->in.gpr[X86_RSI] = string_register(rsi, addr32);
    c->in.gpr[X86_RDI] = string_register(string_pointer(size, down), addr32);
    c->in.gpr[X86_RCX] = string_register(one_in(8) ? below(600) : below(20), addr32);
    if (f->compares && one_in(2))
        c->in.gpr[X86_RAX] = 0;
    /* AMD leaves the flags of the last comparison before the fault, others those of before. */
    if (f->compares && !__builtin_cpu_is("amd"))
        c->undefined_faulted = STATUS;
}

static void test_string(void)
{
    begin();
    for (size_t i = 0; i < sizeof string_forms / sizeof string_forms[0]; i++) {
        struct tally t = {0};
        struct shot c;
        for (unsigned n = 0; n < 8 * g.cases; n++) {
            if (n % 8 == 0)
                randomize_arena();
            build_string(&string_forms[i], 1u << n % 4, &c);
            shoot(&c, &t);
        }
        print_tally(string_forms[i].name, "", &t);
    }
    end();
}

/* ---- encodings the encoder does not choose ---- */

struct raw_form {
    const char *name;
    uint8_t code[8]; /* then an address of addr_bytes in the arena */
    unsigned len, addr_bytes;
    bool stack, branches;
};

static const struct raw_form raw_forms[] = {
    {"mov al, moffs64", {0xa0}, 1, 8, false, false},
    {"mov ax, moffs64", {0x66, 0xa1}, 2, 8, false, false},
    {"mov eax, moffs64", {0xa1}, 1, 8, false, false},
    {"mov rax, moffs64", {0x48, 0xa1}, 2, 8, false, false},
    {"mov moffs64, al", {0xa2}, 1, 8, false, false},
    {"mov moffs64, ax", {0x66, 0xa3}, 2, 8, false, false},
    {"mov moffs64, eax", {0xa3}, 1, 8, false, false},
    {"mov moffs64, rax", {0x48, 0xa3}, 2, 8, false, false},
    {"mov eax, moffs32", {0x67, 0xa1}, 2, 4, false, false},
    {"mov moffs32, rax", {0x67, 0x48, 0xa3}, 3, 4, false, false},
    {"movsxd r32, m32", {0x63, 0x0c, 0x25}, 3, 4, false, false},
    {"66 rex.w add", {0x66, 0x48, 0x01, 0x0c, 0x25}, 5, 4, false, false},
    {"shl by sal (/6)", {0xc1, 0x34, 0x25}, 3, 4, false, false}, /* + imm8 */
    {"add r8, imm8 (82)", {0x80, 0x04, 0x25}, 3, 4, false, false},
    {"es cs ds ss add", {0x26, 0x2e, 0x3e, 0x36, 0x03, 0x0c, 0x25}, 7, 4, false, false},
    {"last segment wins", {0x64, 0x65, 0x2e, 0x8b, 0x0c, 0x25}, 6, 4, false, false},
    {"f3 mov (ignored)", {0xf3, 0x8b, 0x0c, 0x25}, 4, 4, false, false},
    {"push imm8", {0x6a, 0x80}, 2, 0, true, false},
    {"push imm32", {0x68, 0x78, 0x56, 0x34, 0x92}, 5, 0, true, false},
    {"push imm16", {0x66, 0x68, 0x34, 0x92}, 4, 0, true, false},
    {"pop rsp", {0x5c}, 1, 0, true, false},
    {"push rsp", {0x54}, 1, 0, true, false},
    {"ret imm16", {0xc2, 0x08, 0x80}, 3, 0, true, true},
    {"call rel32", {0xe8, 0xfb, 0x07, 0, 0}, 5, 0, true, true}, /* to LANDING */
    {"leave", {0xc9}, 1, 0, true, false},
    {"leave (66)", {0x66, 0xc9}, 2, 0, true, false},
    {"xlat", {0xd7}, 1, 0, false, false},
    {"xlat (67)", {0x67, 0xd7}, 2, 0, false, false},
};

static void build_raw(const struct raw_form *f, struct shot *c)
{
    uint64_t at = ARENA + below(ARENA_SIZE - 600), address = at;
    memset(c, 0, sizeof *c);
    randomize_state(&c->in);
    memcpy(c->code, f->code, f->len);
    memcpy(c->code + f->len, &address, f->addr_bytes);
    c->len = f->len + f->addr_bytes;
    if (strstr(f->name, "imm8 (82)") || strstr(f->name, "(/6)"))
        byte(c, 1);
    if (strstr(f->name, "last segment"))
        memcpy(c->code + f->len, (uint32_t[]){(uint32_t)(at - GS_BASE)}, 4);
    c->in.gpr[X86_RSP] = c->in.gpr[X86_RBP] = c->in.gpr[X86_RBX] = at;
    if (strstr(f->name, "(67)"))
        c->in.gpr[X86_RBX] |= rnd() << 32;
    c->branches = f->branches;
    if (f->branches)
        both_memories_write(at, LANDING);
}

static void test_raw(void)
{
    begin();
    for (size_t i = 0; i < sizeof raw_forms / sizeof raw_forms[0]; i++) {
        struct tally t = {0};
        struct shot c;
        for (unsigned n = 0; n < g.cases; n++) {
            build_raw(&raw_forms[i], &c);
            c.undefined = strstr(raw_forms[i].name, "(/6)") ? X86_FLAG_AF : 0;
            shoot(&c, &t);
        }
        print_tally(raw_forms[i].name, "", &t);
    }
    end();
}

const char *const suite_name = "x86 emulation against the CPU";
const struct cu_test suite_tests[] = {
    {"integer instructions", test_integer},
    {"SSE and AVX loads and stores", test_vector},
    {"string instructions", test_string},
    {"rare encodings", test_raw},
    {NULL, NULL},
};
