/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Oracle suite: one instruction run natively and emulated, from the same registers and memory, and
 * what came out compared.
 */
#ifndef COOPVMM_TESTS_X86_SHOT_H
#define COOPVMM_TESTS_X86_SHOT_H

#include <CUnit/CUnit.h>

#include "test_x86_native.h"

/* The flags arithmetic sets. */
enum { STATUS = X86_FLAG_CF | X86_FLAG_PF | X86_FLAG_AF | X86_FLAG_ZF | X86_FLAG_SF | X86_FLAG_OF };
#define MAX_REPORTS 20

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

#endif
