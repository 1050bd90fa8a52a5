/* SPDX-License-Identifier: BSD-3-Clause */
/* in, out, ins and outs: what the caller is asked for, and what becomes of its answers. */
#include "cu_main.h"
#include "test_x86_machine.h"

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

const char *const suite_name = "x86_port";
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
    {NULL, NULL},
};
