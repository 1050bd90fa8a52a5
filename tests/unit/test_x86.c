/* SPDX-License-Identifier: BSD-3-Clause */
/* What the CPU cannot be asked: callers' answers, reports, the cache; and some by name. */
#include <stdio.h>
#include <x86intrin.h>

#include "cu_main.h"
#include "test_x86_machine.h"

/* ---- accesses ---- */

/* The emulator does not split at pages; it says address and size. */
static void test_page_crossing(void)
{
    reset();
    m.cpu.gpr[X86_RBX] = MEM + MEM_SZ - 3;
    CU_ASSERT_EQUAL(RUN(0x8b, 0x03), X86_FAULTED); /* mov eax, [rbx] */
    check_log(0, 'r', MEM + MEM_SZ - 3, 4, 0);
    CU_ASSERT_EQUAL(m.fault.addr, MEM + MEM_SZ - 3);
    CU_ASSERT_EQUAL(m.fault.vector, X86_VECTOR_PF);
    CU_ASSERT_STRING_EQUAL(m.fault.text, "mov eax, dword ptr [rbx]");
    CU_ASSERT_EQUAL(m.fault.len, 2);
    m.cpu.gpr[X86_RBX] = MEM + 5;
    CU_ASSERT_EQUAL(RUN(0x48, 0x89, 0x03), X86_EMULATED); /* misaligned: one access */
    CU_ASSERT_EQUAL(m.n, 1);
}

static void test_wide_pieces(void)
{
    reset();
    m.cpu.gpr[X86_RBX] = MEM + 1;
    for (unsigned i = 0; i < 32; i++)
        m.ymm[1][i] = (uint8_t)(i + 1);
    CU_ASSERT_EQUAL(RUN(0xc5, 0xfe, 0x7f, 0x0b), X86_EMULATED); /* vmovdqu [rbx], ymm1 */
    CU_ASSERT_EQUAL(m.n, 4);
    check_log(0, 'w', MEM + 1, 8, 0x0807060504030201);
    check_log(3, 'w', MEM + 25, 8, 0x201f1e1d1c1b1a19);
    /* A load whose last piece faults leaves the register alone. */
    uint8_t before[32];
    memcpy(before, m.ymm[1], 32);
    m.cpu.gpr[X86_RBX] = MEM + MEM_SZ - 24;
    CU_ASSERT_EQUAL(RUN(0xc5, 0xfe, 0x6f, 0x0b), X86_FAULTED);
    CU_ASSERT_EQUAL(m.fault.addr, MEM + MEM_SZ);
    CU_ASSERT(memcmp(before, m.ymm[1], 32) == 0);
}

static void test_misaligned(void)
{
    reset();
    m.cpu.gpr[X86_RBX] = MEM + 8;
    struct x86_cpu before = m.cpu;
    CU_ASSERT_EQUAL(RUN(0x0f, 0x28, 0x0b), X86_FAULTED); /* movaps xmm1, [rbx] */
    CU_ASSERT_EQUAL(m.fault.vector, X86_VECTOR_GP);
    CU_ASSERT_EQUAL(m.n, 0);
    CU_ASSERT_EQUAL(RUN(0x48, 0x0f, 0xc7, 0x0b), X86_FAULTED); /* cmpxchg16b [rbx] */
    CU_ASSERT_EQUAL(m.fault.vector, X86_VECTOR_GP);
    check_untouched(&before);
    CU_ASSERT_EQUAL(RUN(0x0f, 0x10, 0x0b), X86_EMULATED); /* movups */
}

static void test_divide_error(void)
{
    reset();
    m.cpu.gpr[X86_RBX] = MEM;
    m.cpu.gpr[X86_RAX] = 1;
    struct x86_cpu before = m.cpu;
    CU_ASSERT_EQUAL(RUN(0x48, 0xf7, 0x33), X86_FAULTED); /* div qword [rbx], which is 0 */
    CU_ASSERT_EQUAL(m.fault.vector, X86_VECTOR_DE);
    check_untouched(&before);
    /* -2^127 / -1: the quotient fits no register of the emulator's either. */
    memset(m.mem, 0xff, 8);
    m.cpu.gpr[X86_RAX] = 0;
    m.cpu.gpr[X86_RDX] = 1ULL << 63;
    CU_ASSERT_EQUAL(RUN(0x48, 0xf7, 0x3b), X86_FAULTED); /* idiv */
    CU_ASSERT_EQUAL(m.fault.vector, X86_VECTOR_DE);
}

/* A negative index reaches below the operand; only the addressed element is touched. */
static void test_bit_string(void)
{
    reset();
    m.cpu.gpr[X86_RBX] = MEM + 64;
    m.cpu.gpr[X86_RCX] = (uint64_t)-1;
    CU_ASSERT_EQUAL(RUN(0x0f, 0xab, 0x0b), X86_EMULATED); /* bts [rbx], ecx */
    check_log(0, 'r', MEM + 60, 4, 0);
    check_log(1, 'w', MEM + 60, 4, 0x80000000);
    CU_ASSERT_FALSE(m.cpu.rflags & X86_FLAG_CF);
    m.cpu.gpr[X86_RCX] = 0xabcd00000000 | (uint32_t)-1;   /* above the operand size: ignored */
    CU_ASSERT_EQUAL(RUN(0x0f, 0xa3, 0x0b), X86_EMULATED); /* bt */
    CU_ASSERT_TRUE(m.cpu.rflags & X86_FLAG_CF);
    CU_ASSERT_EQUAL(m.n, 1);
    m.cpu.gpr[X86_RCX] = 1000;
    CU_ASSERT_EQUAL(RUN(0x48, 0x0f, 0xbb, 0x0b), X86_EMULATED); /* btc [rbx], rcx */
    check_log(1, 'w', MEM + 64 + 120, 8, 1ULL << 40);
    CU_ASSERT_EQUAL(RUN(0x0f, 0xba, 0x2b, 0xff), X86_EMULATED); /* bts dword [rbx], 255 */
    check_log(1, 'w', MEM + 64, 4, 0x80000000);
}

/* ---- rep ---- */

static void test_rep_down(void)
{
    reset();
    for (unsigned i = 0; i < 16; i++)
        m.mem[i] = (uint8_t)i;
    m.cpu.gpr[X86_RSI] = MEM + 12;
    m.cpu.gpr[X86_RDI] = MEM + 14;
    m.cpu.gpr[X86_RCX] = 3;
    m.cpu.rflags |= X86_FLAG_DF;
    CU_ASSERT_EQUAL(RUN(0xf3, 0x66, 0xa5), X86_EMULATED); /* rep movsw, overlapping */
    static const uint8_t expected[8] = {8, 9, 8, 9, 10, 11, 12, 13};
    CU_ASSERT(memcmp(m.mem + 8, expected, 8) == 0);
    CU_ASSERT_EQUAL(m.cpu.gpr[X86_RSI], MEM + 6);
    CU_ASSERT_EQUAL(m.cpu.gpr[X86_RDI], MEM + 8);
}

static void test_rep_fault_part_way(void)
{
    reset();
    m.cpu.gpr[X86_RDI] = MEM + MEM_SZ - 5;
    m.cpu.gpr[X86_RAX] = 0x77;
    m.cpu.gpr[X86_RCX] = 9;
    CU_ASSERT_EQUAL(RUN(0xf3, 0xaa), X86_FAULTED); /* rep stosb */
    CU_ASSERT_EQUAL(m.cpu.gpr[X86_RDI], MEM + MEM_SZ);
    CU_ASSERT_EQUAL(m.cpu.gpr[X86_RCX], 4);
    CU_ASSERT_EQUAL(m.fault.addr, MEM + MEM_SZ);
    CU_ASSERT_EQUAL(m.cpu.rip, RIP);
    CU_ASSERT_EQUAL(m.mem[MEM_SZ - 1], 0x77);
}

static void test_rep_cancelled_part_way(void)
{
    reset();
    m.cpu.gpr[X86_RSI] = MEM;
    m.cpu.gpr[X86_RCX] = 9;
    m.deny_after = 4;
    m.denial = X86_CANCEL;
    CU_ASSERT_EQUAL(RUN(0xf3, 0xac), X86_CANCELLED); /* rep lodsb */
    CU_ASSERT_EQUAL(m.cpu.gpr[X86_RCX], 5);
    CU_ASSERT_EQUAL(m.cpu.gpr[X86_RSI], MEM + 4);
}

/* No guest holds the caller for longer than a batch. */
static void test_rep_in_batches(void)
{
    reset();
    m.cpu.gpr[X86_RDI] = MEM;
    m.cpu.gpr[X86_RCX] = X86_REP_BATCH + 10;
    CU_ASSERT_EQUAL(RUN(0xf3, 0xaa), X86_REPEAT);
    CU_ASSERT_EQUAL(m.n, X86_REP_BATCH);
    CU_ASSERT_EQUAL(m.cpu.gpr[X86_RCX], 10);
    CU_ASSERT_EQUAL(m.cpu.rip, RIP);
    CU_ASSERT_EQUAL(RUN(0xf3, 0xaa), X86_EMULATED);
    CU_ASSERT_EQUAL(m.cpu.gpr[X86_RDI], MEM + X86_REP_BATCH + 10);
    CU_ASSERT_EQUAL(m.cpu.rip, RIP + 2);
}

/* ---- locked instructions ---- */

static void test_locked(void)
{
    reset();
    m.cpu.gpr[X86_RBX] = MEM;
    m.mem[0] = 5;
    m.contention = 3;
    CU_ASSERT_EQUAL(RUN_FULL(0xf0, 0x83, 0x03, 0x10), X86_EMULATED); /* lock add dword [rbx], 16 */
    CU_ASSERT_EQUAL(m.mem[0], 5 + 3 + 16);
    CU_ASSERT_EQUAL(m.n, 5); /* a read and four exchanges */
    check_log(4, 'x', MEM, 4, 24);
    CU_ASSERT_EQUAL(RUN_FULL(0x83, 0x03, 0x10), X86_EMULATED); /* not locked */
    check_log(1, 'w', MEM, 4, 40);
    CU_ASSERT_EQUAL(RUN_FULL(0x87, 0x03), X86_EMULATED); /* xchg is, without saying so */
    check_log(1, 'x', MEM, 4, 0);
}

/* On a device's registers: one read and one write, whatever the lock prefix. */
static void test_locked_device(void)
{
    reset();
    m.cpu.gpr[X86_RBX] = MEM;
    m.cpu.gpr[X86_RCX] = 7;
    m.exchanges = X86_FAULT;
    CU_ASSERT_EQUAL(RUN_FULL(0xf0, 0x0f, 0xc1, 0x0b), X86_EMULATED); /* lock xadd [rbx], ecx */
    CU_ASSERT_EQUAL(m.n, 3);
    check_log(0, 'r', MEM, 4, 0);
    check_log(1, 'x', MEM, 4, 7);
    check_log(2, 'w', MEM, 4, 7);
    m.exchanges = X86_CANCEL;
    struct x86_cpu before = m.cpu;
    CU_ASSERT_EQUAL(RUN_FULL(0xf0, 0x0f, 0xc1, 0x0b), X86_CANCELLED);
    check_untouched(&before);
}

/* Somebody always wins the race: the caller gets its say, nothing has changed. */
static void test_locked_contended(void)
{
    reset();
    m.cpu.gpr[X86_RBX] = MEM;
    m.contention = ~0u;
    struct x86_cpu before = m.cpu;
    CU_ASSERT_EQUAL(RUN_FULL(0xf0, 0xff, 0x03), X86_REPEAT); /* lock inc dword [rbx] */
    check_untouched(&before);
}

static void test_cmpxchg_failure(void)
{
    reset();
    m.cpu.gpr[X86_RBX] = MEM;
    m.cpu.gpr[X86_RAX] = 0xffffffff00000001;
    m.cpu.gpr[X86_RCX] = 9;
    m.mem[0] = 2;
    CU_ASSERT_EQUAL(RUN_FULL(0xf0, 0x0f, 0xb1, 0x0b), X86_EMULATED);
    CU_ASSERT_EQUAL(m.cpu.gpr[X86_RAX], 2);
    CU_ASSERT_FALSE(m.cpu.rflags & X86_FLAG_ZF);
    check_log(1, 'x', MEM, 4, 2); /* what was there is written back */
    CU_ASSERT_EQUAL(RUN_FULL(0xf0, 0x0f, 0xb1, 0x0b), X86_EMULATED);
    CU_ASSERT_TRUE(m.cpu.rflags & X86_FLAG_ZF);
    CU_ASSERT_EQUAL(m.mem[0], 9);
}

/* Hints access nothing, wherever they point. */
static void test_hints(void)
{
    static const uint8_t hints[][4] = {
        {0x66, 0x0f, 0xae, 0x38}, /* clflushopt [rax] */
        {0x66, 0x0f, 0xae, 0x30}, /* clwb [rax] */
        {0x3e, 0x0f, 0xae, 0x38}, /* clflush [rax] */
        {0x3e, 0x0f, 0x1c, 0x00}, /* cldemote [rax] */
        {0x3e, 0x0f, 0x0d, 0x00}, /* prefetch [rax] */
        {0x3e, 0x0f, 0x0d, 0x08}, /* prefetchw [rax] */
        {0x3e, 0x0f, 0x0d, 0x10}, /* prefetchwt1 [rax] */
    };
    for (unsigned i = 0; i < sizeof hints / sizeof hints[0]; i++) {
        reset();
        CU_ASSERT_EQUAL(run_with(&plain, hints[i], 4), X86_EMULATED);
        CU_ASSERT_EQUAL(m.n, 0);
        CU_ASSERT_EQUAL(m.cpu.rip, RIP + 4);
    }
}

/* ---- what is not emulated ---- */

static void check_unsupported(const char *text, const uint8_t *code, size_t len)
{
    struct x86_cpu before = m.cpu;
    CU_ASSERT_EQUAL(run_with(&plain, code, len), X86_UNSUPPORTED);
    check_untouched(&before);
    CU_ASSERT_EQUAL(m.n, 0);
    CU_ASSERT_STRING_EQUAL(m.fault.text, text);
    CU_ASSERT_EQUAL(m.fault.len, len);
    CU_ASSERT(memcmp(m.fault.insn, code, len) == 0);
    CU_ASSERT_EQUAL(m.fault.vector, 0);
    if (strcmp(m.fault.text, text))
        printf("\n    \"%s\" where \"%s\" was expected\n", m.fault.text, text);
}

static void test_unsupported(void)
{
    reset();
    check_unsupported("fld dword ptr [rax]", CODE(0xd9, 0x00));
    check_unsupported("addps xmm0, xmmword ptr [rax]", CODE(0x0f, 0x58, 0x00));
    check_unsupported("movd mm0, dword ptr [rax]", CODE(0x0f, 0x6e, 0x00));
    check_unsupported("mov eax, ebx", CODE(0x89, 0xd8));
    check_unsupported("lea rax, [rbx]", CODE(0x48, 0x8d, 0x03));
    check_unsupported("mov ds, word ptr [rax]", CODE(0x8e, 0x18));
    check_unsupported("jmp far fword ptr [rax]", CODE(0xff, 0x28));
    check_unsupported("hlt", CODE(0xf4));
    check_unsupported("cmpsd xmm0, qword ptr [rax], 0x01", CODE(0xf2, 0x0f, 0xc2, 0x00, 0x01));
    check_unsupported("vmovups zmm0, zmmword ptr [rax]", CODE(0x62, 0xf1, 0x7c, 0x48, 0x10, 0x00));
    check_unsupported("call qword ptr [rax]", CODE(0x66, 0xff, 0x10)); /* vendors disagree */
}

static void test_not_instructions(void)
{
    reset();
    check_unsupported("incomplete instruction", CODE(0x48, 0x8b));
    check_unsupported("incomplete instruction", CODE(0x66));
    check_unsupported("no valid instruction", CODE(0x06));
    check_unsupported("lock prefix on an instruction that cannot be locked",
                      CODE(0xf0, 0x8b, 0x03));
    check_unsupported("instruction longer than 15 bytes",
                      CODE(0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
                           0x66, 0x66, 0x66));
    CU_ASSERT_EQUAL(x86_emulate(m.d, &m.cpu, CODE_EMPTY, &plain, &m, &m.fault), X86_UNSUPPORTED);
    CU_ASSERT_EQUAL(m.fault.len, 0);
}

/* Without vector registers, or without AVX. */
static void test_vectors_missing(void)
{
    reset();
    m.cpu.gpr[X86_RAX] = MEM;
    m.cpu.ymm_high = false;
    CU_ASSERT_EQUAL(RUN(0x0f, 0x10, 0x00), X86_EMULATED);
    CU_ASSERT_EQUAL(RUN(0xc5, 0xf8, 0x10, 0x00), X86_UNSUPPORTED);
    m.cpu.ymm = NULL;
    CU_ASSERT_EQUAL(RUN(0x0f, 0x10, 0x00), X86_UNSUPPORTED);
    CU_ASSERT_STRING_EQUAL(m.fault.text, "movups xmm0, xmmword ptr [rax]");
}

/* ---- the cache ---- */

/* The same address, other bytes: self-modifying code, another address space. */
static void test_cache_verifies(void)
{
    reset();
    m.cpu.gpr[X86_RDX] = 0x300;
    for (unsigned i = 0; i < 3; i++) {
        m.cpu.rip = RIP;
        CU_ASSERT_EQUAL(RUN(0xec), X86_EMULATED);
        CU_ASSERT_EQUAL(m.log[0].kind, 'i');
        m.cpu.rip = RIP;
        CU_ASSERT_EQUAL(RUN(0xee), X86_EMULATED);
        CU_ASSERT_EQUAL(m.log[0].kind, 'o');
    }
}

/* Each byte of a long instruction counts, whether few or many bytes can be read. */
static void test_cache_verifies_each_byte(void)
{
    /* mov qword gs:[rax + rcx*8 + 0x10], 0x44332211, and 2 more bytes */
    const uint8_t code[15] = {0x65, 0x48, 0xc7, 0x84, 0xc8, 0x10, 0,   0,
                              0,    0x11, 0x22, 0x33, 0x44, 0xcc, 0xcc};
    for (size_t readable = 13; readable <= 15; readable++)
        for (unsigned byte = 5; byte < 13; byte++) {
            uint8_t other[15];
            reset();
            m.cpu.seg_base[X86_GS] = MEM;
            CU_ASSERT_EQUAL(run_with(&plain, code, readable), X86_EMULATED);
            check_log(0, 'w', MEM + 0x10, 8, 0x44332211);
            memcpy(other, code, 15);
            other[byte] ^= 1;
            m.cpu.rip = RIP;
            run_with(&plain, other, readable);
            uint64_t disp = byte < 9 ? 0x10u ^ 1u << 8 * (byte - 5) : 0x10;
            uint64_t imm = byte < 9 ? 0x44332211 : 0x44332211u ^ 1u << 8 * (byte - 9);
            check_log(0, 'w', MEM + disp, 8, imm);
        }
}

/* A cached instruction that is no longer wholly readable is not executed. */
static void test_cache_needs_all_bytes(void)
{
    const uint8_t code[] = {0x8b, 0x43, 0x04}; /* mov eax, [rbx + 4] */
    reset();
    m.cpu.gpr[X86_RBX] = MEM;
    CU_ASSERT_EQUAL(run_with(&plain, code, 3), X86_EMULATED);
    m.cpu.rip = RIP;
    CU_ASSERT_EQUAL(run_with(&plain, code, 2), X86_UNSUPPORTED);
    CU_ASSERT_EQUAL(run_with(&plain, code, 3), X86_EMULATED);
}

/* ---- speed ---- */

static enum x86_access quick_read(void *ctx, uint64_t addr, unsigned size, uint64_t *value)
{
    (void)addr, (void)size;
    *value = *(uint64_t *)ctx;
    return X86_OK;
}

static enum x86_access quick_in(void *ctx, uint16_t port, unsigned size, uint64_t *value)
{
    (void)port, (void)size;
    *value = *(uint64_t *)ctx;
    return X86_OK;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Median cycles of x86_emulate(); `hit`: the same rip each time, else two that evict each other. */
static double cycles(const uint8_t *code, size_t len, bool hit)
{
    enum { ROUNDS = 201, CALLS = 200 };
    const struct x86_ops ops = {.read = quick_read, .in = quick_in};
    uint8_t bytes[16] = {0}, other[16] = {0};
    uint64_t t[ROUNDS], value = 1;
    memcpy(bytes, code, len);
    memcpy(other, code, len);
    other[len] = 1;          /* behind the instruction */
    other[0] ^= hit ? 0 : 1; /* another size: other bytes at the same rip */
    for (unsigned r = 0; r < ROUNDS; r++) {
        uint64_t start = __rdtsc();
        for (unsigned i = 0; i < CALLS; i++) {
            m.cpu.rip = RIP;
            x86_emulate(m.d, &m.cpu, i & 1 ? other : bytes, 15, &ops, &value, &m.fault);
        }
        t[r] = (__rdtsc() - start) / CALLS;
    }
    qsort(t, ROUNDS, sizeof t[0], by_value);
    return (double)t[ROUNDS / 2];
}

/* The absolute figure is the machine's; that the cache pays is ours. */
static void test_speed(void)
{
    static const struct {
        const char *name;
        uint8_t code[4];
        unsigned len;
    } insns[] = {{"in al, dx", {0xec}, 1}, {"mov eax, [rbx]", {0x8b, 0x03}, 2}};
    reset();
    for (unsigned i = 0; i < sizeof insns / sizeof insns[0]; i++) {
        double hit = cycles(insns[i].code, insns[i].len, true);
        double miss = cycles(insns[i].code, insns[i].len, false);
        printf("\n    %-16s %4.0f cycles on a hit, %5.0f on a miss", insns[i].name, hit, miss);
        CU_ASSERT(hit * 2 < miss);
    }
    printf("\n");
}

const char *const suite_name = "x86 emulation";
const struct cu_test suite_tests[] = {
    {"page crossing", test_page_crossing},
    {"wide accesses in pieces", test_wide_pieces},
    {"misaligned", test_misaligned},
    {"divide error", test_divide_error},
    {"bit strings", test_bit_string},
    {"rep downwards", test_rep_down},
    {"rep, fault part way", test_rep_fault_part_way},
    {"rep, cancelled part way", test_rep_cancelled_part_way},
    {"rep in batches", test_rep_in_batches},
    {"locked", test_locked},
    {"locked on a device", test_locked_device},
    {"locked under contention", test_locked_contended},
    {"cmpxchg that fails", test_cmpxchg_failure},
    {"prefetches and flushes", test_hints},
    {"unsupported", test_unsupported},
    {"no instructions", test_not_instructions},
    {"vector registers missing", test_vectors_missing},
    {"cache verifies", test_cache_verifies},
    {"cache verifies each byte", test_cache_verifies_each_byte},
    {"cache needs all bytes", test_cache_needs_all_bytes},
    {"speed", test_speed},
    {NULL, NULL},
};
