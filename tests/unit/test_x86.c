/* SPDX-License-Identifier: BSD-3-Clause */
/* What the CPU cannot be asked: ports, callers' answers, reports, the cache; and some by name. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>

#include "cu_main.h"
#include "emul/x86.h"

#define RIP    0x401000ULL
#define MEM    0x10000ULL /* linear address of the machine's memory */
#define MEM_SZ 4096u

/* One access as the caller's functions saw it. */
struct access {
    char kind; /* r w i o I O x */
    uint64_t addr;
    unsigned size;
    uint64_t value; /* I O: count */
    bool down;
};

/* A machine that records, with memory of MEM_SZ bytes and a port that counts up. */
static struct {
    uint8_t mem[MEM_SZ];
    struct access log[1024];
    unsigned n;
    uint64_t port_value;
    uint64_t string_done;          /* what ins and outs say they did at most */
    enum x86_access string_result; /* and answer */
    unsigned deny_after;           /* the access with this number is answered with `denial` */
    enum x86_access denial;
    unsigned contention;       /* cmpxchg finds something else so many times */
    enum x86_access exchanges; /* what cmpxchg answers */
    struct x86_decoder *d;
    struct x86_cpu cpu;
    struct x86_fault fault;
    uint8_t ymm[16][32];
} m;

static enum x86_access record(char kind, uint64_t addr, unsigned size, uint64_t value, bool down)
{
    if (m.n < sizeof m.log / sizeof m.log[0])
        m.log[m.n] = (struct access){kind, addr, size, value, down};
    return ++m.n > m.deny_after ? m.denial : X86_OK;
}

static uint8_t *at(uint64_t addr, unsigned size)
{
    return addr >= MEM && addr + size <= MEM + MEM_SZ ? m.mem + (addr - MEM) : NULL;
}

static enum x86_access on_read(void *ctx, uint64_t addr, unsigned size, uint64_t *value)
{
    CU_ASSERT_PTR_EQUAL(ctx, &m);
    enum x86_access a = record('r', addr, size, 0, false);
    if (a != X86_OK || !at(addr, size))
        return a != X86_OK ? a : X86_FAULT;
    *value = 0xa5a5a5a5a5a5a5a5; /* above the size: to be ignored */
    memcpy(value, at(addr, size), size);
    return X86_OK;
}

static enum x86_access on_write(void *ctx, uint64_t addr, unsigned size, uint64_t value)
{
    CU_ASSERT_PTR_EQUAL(ctx, &m);
    enum x86_access a = record('w', addr, size, value, false);
    if (a != X86_OK || !at(addr, size))
        return a != X86_OK ? a : X86_FAULT;
    memcpy(at(addr, size), &value, size);
    return X86_OK;
}

static enum x86_access on_in(void *ctx, uint16_t port, unsigned size, uint64_t *value)
{
    (void)ctx;
    *value = m.port_value++;
    return record('i', port, size, *value, false);
}

static enum x86_access on_out(void *ctx, uint16_t port, unsigned size, uint64_t value)
{
    (void)ctx;
    return record('o', port, size, value, false);
}

static enum x86_access string(char kind, uint64_t addr, unsigned size, uint64_t count, bool down,
                              uint64_t *done)
{
    record(kind, addr, size, count, down);
    *done = count < m.string_done ? count : m.string_done;
    return m.string_result;
}

static enum x86_access on_ins(void *ctx, uint16_t port, unsigned size, uint64_t addr,
                              uint64_t count, bool down, uint64_t *done)
{
    (void)ctx;
    CU_ASSERT_EQUAL(port, 0x300);
    return string('I', addr, size, count, down, done);
}

static enum x86_access on_outs(void *ctx, uint16_t port, unsigned size, uint64_t addr,
                               uint64_t count, bool down, uint64_t *done)
{
    (void)ctx;
    CU_ASSERT_EQUAL(port, 0x300);
    return string('O', addr, size, count, down, done);
}

static enum x86_access on_cmpxchg(void *ctx, uint64_t addr, unsigned size, uint64_t *old,
                                  uint64_t desired)
{
    (void)ctx;
    record('x', addr, size, desired, false);
    if (m.exchanges != X86_OK)
        return m.exchanges;
    uint64_t seen = 0;
    if (m.contention) {
        m.contention--;
        m.mem[addr - MEM]++;
    }
    memcpy(&seen, at(addr, size), size);
    if (seen == *old)
        memcpy(at(addr, size), &desired, size);
    *old = seen;
    return X86_OK;
}

static const struct x86_ops plain = {
    .read = on_read, .write = on_write, .in = on_in, .out = on_out};
static const struct x86_ops full = {.read = on_read,
                                    .write = on_write,
                                    .in = on_in,
                                    .out = on_out,
                                    .ins = on_ins,
                                    .outs = on_outs,
                                    .cmpxchg = on_cmpxchg};

static void reset(void)
{
    struct x86_decoder *d = m.d ? m.d : x86_decoder_new();
    memset(&m, 0, sizeof m);
    m.d = d;
    m.deny_after = ~0u;
    m.string_done = ~0ULL;
    m.cpu.rip = RIP;
    m.cpu.rflags = 2;
    m.cpu.ymm = m.ymm;
    m.cpu.ymm_high = true;
}

static enum x86_result run_with(const struct x86_ops *ops, const uint8_t *code, size_t len)
{
    /* In a block of its own size: reading past it is an error that sanitizers see. */
    uint8_t *exact = malloc(len);
    memcpy(exact, code, len);
    m.n = 0;
    enum x86_result r = x86_emulate(m.d, &m.cpu, exact, len, ops, &m, &m.fault);
    free(exact);
    return r;
}

#define CODE(...)     ((const uint8_t[]){__VA_ARGS__}), sizeof((const uint8_t[]){__VA_ARGS__})
#define CODE_EMPTY    ((const uint8_t[]){0x90}), 0
#define RUN(...)      run_with(&plain, CODE(__VA_ARGS__))
#define RUN_FULL(...) run_with(&full, CODE(__VA_ARGS__))

static void check_log(unsigned i, char kind, uint64_t addr, unsigned size, uint64_t value)
{
    CU_ASSERT_FATAL(i < m.n);
    CU_ASSERT_EQUAL(m.log[i].kind, kind);
    CU_ASSERT_EQUAL(m.log[i].addr, addr);
    CU_ASSERT_EQUAL(m.log[i].size, size);
    CU_ASSERT_EQUAL(m.log[i].value, value);
}

/* Nothing of the registers has changed. */
static void check_untouched(const struct x86_cpu *before)
{
    CU_ASSERT(memcmp(before, &m.cpu, sizeof m.cpu) == 0);
}

/* ---- ports ---- */

static void test_in(void)
{
    reset();
    m.cpu.gpr[X86_RAX] = 0x1122334455667788;
    m.cpu.gpr[X86_RDX] = 0xabcd0300; /* only DX counts */
    m.port_value = 0xfffffff5aabbccdd;
    CU_ASSERT_EQUAL(RUN(0xec), X86_EMULATED); /* in al, dx */
    CU_ASSERT_EQUAL(m.cpu.gpr[X86_RAX], 0x11223344556677dd);
    CU_ASSERT_EQUAL(m.n, 1);
    check_log(0, 'i', 0x300, 1, 0xfffffff5aabbccdd);
    CU_ASSERT_EQUAL(m.cpu.rip, RIP + 1);
    CU_ASSERT_EQUAL(RUN(0x66, 0xed), X86_EMULATED); /* in ax, dx */
    CU_ASSERT_EQUAL(m.cpu.gpr[X86_RAX], 0x112233445566ccde);
    CU_ASSERT_EQUAL(RUN(0xed), X86_EMULATED); /* in eax, dx */
    CU_ASSERT_EQUAL(m.cpu.gpr[X86_RAX], 0xaabbccdf);
    CU_ASSERT_EQUAL(RUN(0x48, 0xed), X86_EMULATED); /* REX.W changes nothing */
    check_log(0, 'i', 0x300, 4, 0xfffffff5aabbcce0);
    CU_ASSERT_EQUAL(RUN(0xe4, 0xf0), X86_EMULATED); /* in al, 0xf0: unsigned */
    check_log(0, 'i', 0xf0, 1, 0xfffffff5aabbcce1);
    CU_ASSERT_EQUAL(RUN(0xe5, 0x71), X86_EMULATED);
    check_log(0, 'i', 0x71, 4, 0xfffffff5aabbcce2);
}

static void test_out(void)
{
    reset();
    m.cpu.gpr[X86_RAX] = 0x1122334455667788;
    m.cpu.gpr[X86_RDX] = 0xffff;
    CU_ASSERT_EQUAL(RUN(0xee), X86_EMULATED);
    check_log(0, 'o', 0xffff, 1, 0x88);
    CU_ASSERT_EQUAL(RUN(0x66, 0xef), X86_EMULATED);
    check_log(0, 'o', 0xffff, 2, 0x7788);
    CU_ASSERT_EQUAL(RUN(0xef), X86_EMULATED);
    check_log(0, 'o', 0xffff, 4, 0x55667788);
    CU_ASSERT_EQUAL(RUN(0xe6, 0xe9), X86_EMULATED);
    check_log(0, 'o', 0xe9, 1, 0x88);
    CU_ASSERT_EQUAL(RUN(0xe7, 0x80), X86_EMULATED);
    check_log(0, 'o', 0x80, 4, 0x55667788);
    CU_ASSERT_EQUAL(m.cpu.rip, RIP + 1 + 2 + 1 + 2 + 2);
}

static void test_port_denied(void)
{
    reset();
    m.cpu.gpr[X86_RDX] = 0x300;
    struct x86_cpu before = m.cpu;
    m.deny_after = 0;
    m.denial = X86_FAULT;
    CU_ASSERT_EQUAL(RUN(0xec), X86_FAULTED);
    CU_ASSERT_EQUAL(m.fault.addr, 0x300);
    check_untouched(&before);
    m.denial = X86_CANCEL;
    CU_ASSERT_EQUAL(RUN(0xee), X86_CANCELLED);
    CU_ASSERT_STRING_EQUAL(m.fault.text, "out dx, al");
    check_untouched(&before);
}

static void string_registers(uint64_t address, uint64_t count)
{
    m.cpu.gpr[X86_RDX] = 0x300;
    m.cpu.gpr[X86_RSI] = m.cpu.gpr[X86_RDI] = address;
    m.cpu.gpr[X86_RCX] = count;
}

/* Without the caller's ins and outs: element by element. */
static void test_port_strings_one_by_one(void)
{
    reset();
    string_registers(MEM + 8, 3);
    m.port_value = 0x1234;
    CU_ASSERT_EQUAL(RUN(0xf3, 0x66, 0x6d), X86_EMULATED); /* rep insw */
    CU_ASSERT_EQUAL(m.n, 6);
    check_log(4, 'i', 0x300, 2, 0x1236);
    check_log(5, 'w', MEM + 12, 2, 0x1236);
    CU_ASSERT_EQUAL(m.cpu.gpr[X86_RDI], MEM + 14);
    CU_ASSERT_EQUAL(m.cpu.gpr[X86_RCX], 0);
    string_registers(MEM + 12, 3);
    m.cpu.rflags |= X86_FLAG_DF;
    CU_ASSERT_EQUAL(RUN(0xf2, 0x66, 0x6f), X86_EMULATED); /* f2 repeats too */
    check_log(5, 'o', 0x300, 2, 0x1234);
    CU_ASSERT_EQUAL(m.cpu.gpr[X86_RSI], MEM + 6);
    string_registers(MEM, 77);
    CU_ASSERT_EQUAL(RUN(0x6e), X86_EMULATED); /* outsb, once */
    CU_ASSERT_EQUAL(m.n, 2);
    CU_ASSERT_EQUAL(m.cpu.gpr[X86_RCX], 77);
    CU_ASSERT_EQUAL(m.cpu.gpr[X86_RSI], MEM - 1);
}

/* A fault at the fourth element: three are done and stay done. */
static void test_port_string_faults_part_way(void)
{
    reset();
    string_registers(MEM + MEM_SZ - 12, 10);
    CU_ASSERT_EQUAL(RUN(0xf3, 0x6f), X86_FAULTED); /* rep outsd */
    CU_ASSERT_EQUAL(m.fault.addr, MEM + MEM_SZ);
    CU_ASSERT_EQUAL(m.fault.vector, X86_VECTOR_PF);
    CU_ASSERT_EQUAL(m.cpu.gpr[X86_RSI], MEM + MEM_SZ);
    CU_ASSERT_EQUAL(m.cpu.gpr[X86_RCX], 7);
    CU_ASSERT_EQUAL(m.cpu.rip, RIP);
}

static void test_port_strings_as_one(void)
{
    reset();
    string_registers(MEM, 700);
    CU_ASSERT_EQUAL(RUN_FULL(0xf3, 0x66, 0x6d), X86_EMULATED);
    CU_ASSERT_EQUAL(m.n, 1);
    check_log(0, 'I', MEM, 2, 700);
    CU_ASSERT_FALSE(m.log[0].down);
    CU_ASSERT_EQUAL(m.cpu.gpr[X86_RDI], MEM + 1400);
    CU_ASSERT_EQUAL(m.cpu.gpr[X86_RCX], 0);
    string_registers(MEM, 5);
    m.cpu.rflags |= X86_FLAG_DF;
    CU_ASSERT_EQUAL(RUN_FULL(0xf3, 0x6f), X86_EMULATED);
    check_log(0, 'O', MEM, 4, 5);
    CU_ASSERT_TRUE(m.log[0].down);
    CU_ASSERT_EQUAL(m.cpu.gpr[X86_RSI], MEM - 20);
    CU_ASSERT_EQUAL(RUN_FULL(0x6e), X86_EMULATED); /* without rep: a request of one */
    check_log(0, 'O', MEM - 20, 1, 1);
    string_registers(MEM, 0);
    CU_ASSERT_EQUAL(RUN_FULL(0xf3, 0x6f), X86_EMULATED); /* nothing to do: nobody asked */
    CU_ASSERT_EQUAL(m.n, 0);
}

/* What the caller's function leaves over. */
static void test_port_string_partly_done(void)
{
    reset();
    string_registers(MEM, 100);
    m.string_done = 40;
    CU_ASSERT_EQUAL(RUN_FULL(0xf3, 0x6d), X86_REPEAT);
    CU_ASSERT_EQUAL(m.cpu.rip, RIP);
    CU_ASSERT_EQUAL(m.cpu.gpr[X86_RCX], 60);
    CU_ASSERT_EQUAL(m.cpu.gpr[X86_RDI], MEM + 160);
    m.string_result = X86_FAULT;
    CU_ASSERT_EQUAL(RUN_FULL(0xf3, 0x6d), X86_FAULTED);
    CU_ASSERT_EQUAL(m.cpu.gpr[X86_RCX], 20);
    CU_ASSERT_EQUAL(m.fault.addr, MEM + 320);
    m.string_result = X86_CANCEL;
    m.string_done = 0;
    struct x86_cpu before = m.cpu;
    CU_ASSERT_EQUAL(RUN_FULL(0xf3, 0x6d), X86_CANCELLED);
    check_untouched(&before);
}

/* With 32-bit addresses a request ends where EDI would wrap. */
static void test_port_string_wraps(void)
{
    reset();
    string_registers(0x55fffffff8, 0x1100000005);
    CU_ASSERT_EQUAL(RUN_FULL(0x67, 0xf3, 0x6d), X86_REPEAT);
    check_log(0, 'I', 0xfffffff8, 4, 2);
    CU_ASSERT_EQUAL(m.cpu.gpr[X86_RDI], 0);
    CU_ASSERT_EQUAL(m.cpu.gpr[X86_RCX], 3);
    m.cpu.rflags |= X86_FLAG_DF;
    m.cpu.gpr[X86_RDI] = 4;
    CU_ASSERT_EQUAL(RUN_FULL(0x67, 0xf3, 0x6d), X86_REPEAT);
    check_log(0, 'I', 4, 4, 2);
    CU_ASSERT_EQUAL(m.cpu.gpr[X86_RDI], 0xfffffffc);
}

static void test_port_string_segment(void)
{
    reset();
    string_registers(0x10, 2);
    m.cpu.seg_base[X86_GS] = MEM;
    m.cpu.seg_base[X86_DS] = 0x5000; /* does not count */
    CU_ASSERT_EQUAL(RUN_FULL(0x65, 0xf3, 0x6e), X86_EMULATED);
    check_log(0, 'O', MEM + 0x10, 1, 2);
    CU_ASSERT_EQUAL(RUN_FULL(0x65, 0x6c), X86_EMULATED); /* ES cannot be overridden */
    check_log(0, 'I', 0x10, 1, 1);
}

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
    {"in", test_in},
    {"out", test_out},
    {"port denied", test_port_denied},
    {"ins and outs, one by one", test_port_strings_one_by_one},
    {"ins and outs, fault part way", test_port_string_faults_part_way},
    {"ins and outs as one request", test_port_strings_as_one},
    {"ins and outs partly done", test_port_string_partly_done},
    {"ins and outs at 4 GiB", test_port_string_wraps},
    {"outs with a segment", test_port_string_segment},
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
    {"unsupported", test_unsupported},
    {"no instructions", test_not_instructions},
    {"vector registers missing", test_vectors_missing},
    {"cache verifies", test_cache_verifies},
    {"cache verifies each byte", test_cache_verifies_each_byte},
    {"cache needs all bytes", test_cache_needs_all_bytes},
    {"speed", test_speed},
    {NULL, NULL},
};
