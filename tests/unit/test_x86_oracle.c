/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The oracle is the CPU: random instructions run natively and emulated, from the same registers and
 * memory, have to leave the same registers, flags and memory, or raise the same exception.
 *
 * X86_ORACLE_SEED and X86_ORACLE_CASES (per form and size) in the environment override the
 * defaults.
 */
#include "cu_main.h"
#include "test_x86_build.h"

#define DEFAULT_CASES 200

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
        printf("\nskip - x86 oracle: %s %s is not on this CPU\n", name, f->operands);
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
