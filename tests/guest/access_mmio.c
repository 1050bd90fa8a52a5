/* SPDX-License-Identifier: BSD-3-Clause */
/* The card's window in memory: single loads and stores, and instructions that do both. */
#include "access.h"

static volatile void *reg(const struct access_rig *r, unsigned at)
{
    return (volatile void *)(r->mmio + at);
}

static uint64_t load(unsigned size, volatile void *at)
{
    switch (size) {
    case 1: return *(volatile uint8_t *)at;
    case 2: return *(volatile uint16_t *)at;
    case 4: return *(volatile uint32_t *)at;
    default: return *(volatile uint64_t *)at;
    }
}

static void store(unsigned size, volatile void *at, uint64_t v)
{
    switch (size) {
    case 1: *(volatile uint8_t *)at = v; break;
    case 2: *(volatile uint16_t *)at = v; break;
    case 4: *(volatile uint32_t *)at = v; break;
    default: *(volatile uint64_t *)at = v; break;
    }
}

static void random_mar(const struct access_rig *r, uint8_t v[MARS])
{
    access_fill(v, MARS);
    page1(r);
    mar_write(r, v);
}

static void registers(const struct access_rig *r, unsigned size)
{
    uint8_t v[MARS];

    random_mar(r, v);
    for (unsigned at = 0; at + size <= MARS; at++) {
        uint64_t x = low(access_random64(), size);

        memcpy(v + at, &x, size);
        store(size, reg(r, MAR + at), x);
        expect("read", MAR + at, x, load(size, reg(r, MAR + at)));
        mar_expect(r, "written", v);
    }
}

static void registers1(const struct access_rig *r)
{
    registers(r, 1);
}
static void registers2(const struct access_rig *r)
{
    registers(r, 2);
}
static void registers4(const struct access_rig *r)
{
    registers(r, 4);
}
static void registers8(const struct access_rig *r)
{
    registers(r, 8);
}

/* 16 bytes from MAR0 on: the second half is the data port. */
static void vector16(const struct access_rig *r)
{
    uint8_t v[16], got[16];

    access_fill(v, sizeof(v));
    dma(r, NIC_REMOTE_WRITE, 2, 8);
    outb(r->nic->port + REG_CR, PAGE1_STARTED | NIC_REMOTE_WRITE);
    __asm__ volatile("movups %1, %%xmm0; movups %%xmm0, (%0)"
                     :
                     : "r"(reg(r, MAR)), "m"(v)
                     : "memory");
    mar_expect(r, "stored", v);
    dma(r, NIC_REMOTE_READ, 2, 8);
    outb(r->nic->port + REG_CR, PAGE1_STARTED | NIC_REMOTE_READ);
    __asm__ volatile("movups (%1), %%xmm0; movups %%xmm0, %0"
                     : "=m"(got)
                     : "r"(reg(r, MAR))
                     : "memory");
    expect_bytes("loaded", v, got, sizeof(v));
}

static void vector8(const struct access_rig *r)
{
    uint64_t v = access_random64(), got = 0;

    page1(r);
    __asm__ volatile("movq %1, %%xmm0; movq %%xmm0, (%0)" : : "r"(reg(r, MAR)), "m"(v) : "memory");
    mar_expect(r, "stored", (const uint8_t *)&v);
    __asm__ volatile("movq (%1), %%xmm0; movq %%xmm0, %0"
                     : "=m"(got)
                     : "r"(reg(r, MAR))
                     : "memory");
    expect("loaded", MAR, v, got);
}

/* An instruction with a memory operand; what it leaves in its registers. */
struct outcome {
    uint64_t v, acc, flags;
};
typedef struct outcome (*op_fn)(volatile void *at, uint64_t v, uint64_t acc);
struct op {
    const char *name, *its_flags;
    unsigned size;
    op_fn run;
    uint64_t undefined; /* flags */
};

#define FLAGS   0x8c5 /* OF SF ZF PF CF; AF is undefined after the logical ones */
#define FLAG_ZF 0x40
#define FLAG_CF 0x01

/* The TEST is for those that leave flags as they are. */
#define OP(name, text)                                                                             \
    static struct outcome name(volatile void *at, uint64_t v, uint64_t acc)                        \
    {                                                                                              \
        struct outcome o = {.v = v, .acc = acc};                                                   \
                                                                                                   \
        __asm__ volatile("testq %q[v], %q[v]\n" text "\n pushfq\n popq %[flags]"                   \
                         : [v] "+q"(o.v), "+a"(o.acc), [flags] "=&r"(o.flags)                      \
                         : [at] "r"(at)                                                            \
                         : "memory", "cc");                                                        \
        o.flags &= FLAGS;                                                                          \
        return o;                                                                                  \
    }
#define OP_SIZES(name, insn)                                                                       \
    OP(name##1, insn "b %b[v], (%[at])")                                                           \
    OP(name##2, insn "w %w[v], (%[at])")                                                           \
    OP(name##4, insn "l %k[v], (%[at])")                                                           \
    OP(name##8, insn "q %q[v], (%[at])")
#define UNARY_SIZES(name, insn)                                                                    \
    OP(name##1, insn "b (%[at])")                                                                  \
    OP(name##2, insn "w (%[at])")                                                                  \
    OP(name##4, insn "l (%[at])")                                                                  \
    OP(name##8, insn "q (%[at])")
#define OP_OF(name, size)                                                                          \
    {                                                                                              \
#name, #name "'s flags", size, name##size, 0                                               \
    }
#define OPS(name) OP_OF(name, 1), OP_OF(name, 2), OP_OF(name, 4), OP_OF(name, 8)

OP_SIZES(xchg, "xchg")
OP_SIZES(lock_add, "lock add")
OP_SIZES(lock_xor, "lock xor")
OP_SIZES(lock_xadd, "lock xadd")
OP_SIZES(lock_cmpxchg, "lock cmpxchg")
UNARY_SIZES(lock_inc, "lock inc")
OP_SIZES(add, "add")
OP_SIZES(sub, "sub")
OP_SIZES(and, "and")
OP_SIZES(or, "or")
UNARY_SIZES(not, "not")
UNARY_SIZES(neg, "neg")
OP_SIZES(cmp, "cmp")
OP_SIZES(test, "test")
OP(movzx1, "movzbl (%[at]), %k[v]")
OP(movzx2, "movzwl (%[at]), %k[v]")
OP(movsx1, "movsbq (%[at]), %q[v]")
OP(movsx4, "movslq (%[at]), %q[v]")
OP(bts4, "btsl $5, (%[at])")
OP(push8, "pushq (%[at])\n popq %[v]")
OP(pop8, "pushq %[v]\n popq (%[at])")

static const struct op locked_ops[] = {OPS(xchg),      OPS(lock_add),     OPS(lock_xor),
                                       OPS(lock_xadd), OPS(lock_cmpxchg), OPS(lock_inc)};
static const struct op plain_ops[] = {
    OPS(add),
    OPS(sub),
    OPS(and),
    OPS(or),
    OPS(not ),
    OPS(neg),
    OPS(cmp),
    OPS(test),
    OP_OF(movzx, 1),
    OP_OF(movzx, 2),
    OP_OF(movsx, 1),
    OP_OF(movsx, 4),
    {"bts", "bts's flags", 4, bts4, FLAGS & ~(FLAG_ZF | FLAG_CF)},
    OP_OF(push, 8),
    OP_OF(pop, 8),
};

/* Xen 4.17 in an emulated machine loses the flags across an xchg of 2 or 4 bytes with device
 * memory; the device model has no part in flags. */
static uint64_t known_flags(const struct op *op)
{
    return on_xen() && op->run == (op->size == 2 ? xchg2 : xchg4) ? 0 : FLAGS & ~op->undefined;
}

/* What the same instruction does to ordinary memory is what it must do to registers. */
static void run_op(const struct access_rig *r, const struct op *op)
{
    unsigned at = access_random() % (MARS - op->size + 1);
    uint64_t v = access_random64(), acc = access_random64();
    uint8_t mem[MARS];
    struct outcome want, got;

    random_mar(r, mem);
    if (v & 1) /* so that cmpxchg succeeds, too */
        memcpy(&acc, mem + at, op->size);
    want = op->run(mem + at, v, acc);
    got = op->run(reg(r, MAR + at), v, acc);
    mar_expect(r, op->name, mem);
    expect(op->name, op->size, want.v, got.v);
    expect(op->name, op->size, want.acc, got.acc);
    expect(op->its_flags, op->size, want.flags & known_flags(op), got.flags & known_flags(op));
}

static void locked(const struct access_rig *r)
{
    for (unsigned i = 0; i < sizeof(locked_ops) / sizeof(locked_ops[0]); i++)
        run_op(r, &locked_ops[i]);
}

static void read_modify_write(const struct access_rig *r)
{
    for (unsigned i = 0; i < sizeof(plain_ops) / sizeof(plain_ops[0]); i++)
        run_op(r, &plain_ops[i]);
}

/* As for ports: see access_pio.c. */
static void ends(const struct access_rig *r)
{
    for (unsigned size = 2; size <= 8; size *= 2) {
        uint64_t below = load(size, (volatile void *)(r->mmio - size / 2));
        uint64_t half = low(~0ull, size / 2);

        expect("below", size, half, below & half);
        expect("across the end", size, low(~0ull, size), load(size, reg(r, WINDOW - size / 2)));
        store(size, reg(r, WINDOW - size / 2), 0);
    }
}

static void unclaimed(const struct access_rig *r)
{
    for (unsigned size = 1; size <= 8; size *= 2) {
        store(size, reg(r, 2 * WINDOW), 0x123456789abcdef0);
        expect("read", size, low(~0ull, size), load(size, reg(r, 2 * WINDOW)));
    }
}

const struct access_kind mmio_kinds[] = {
    {"mmio_1", registers1, NEEDS_MMIO},
    {"mmio_2", registers2, NEEDS_MMIO},
    {"mmio_4", registers4, NEEDS_MMIO},
    {"mmio_8", registers8, NEEDS_MMIO},
    {"mmio_sse8", vector8, NEEDS_MMIO},
    {"mmio_sse16", vector16, NEEDS_MMIO},
    {"mmio_locked", locked, NEEDS_MMIO},
    {"mmio_rmw", read_modify_write, NEEDS_MMIO},
    {"mmio_ends", ends, NEEDS_MMIO},
    {"mmio_unclaimed", unclaimed, NEEDS_MMIO},
    {NULL, NULL, 0},
};
