/* SPDX-License-Identifier: BSD-3-Clause */
/* A machine around the emulator that records each access and answers as a test wants it. */
#ifndef COOPVMM_TESTS_X86_MACHINE_H
#define COOPVMM_TESTS_X86_MACHINE_H

#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

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

#endif
