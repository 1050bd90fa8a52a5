/* SPDX-License-Identifier: BSD-3-Clause */
/* Multiplication and division. The pair is rDX:rAX, or AX for bytes. */
#include "x86_flags.h"

typedef unsigned __int128 wide;

static void write_pair(struct x86_cpu *cpu, unsigned size, uint64_t high, uint64_t low)
{
    if (size == 1) {
        gpr_write(cpu, X86_RAX, 2, (high & 0xff) << 8 | (low & 0xff));
        return;
    }
    gpr_write(cpu, X86_RAX, size, low);
    gpr_write(cpu, X86_RDX, size, high);
}

static wide read_pair(const struct x86_cpu *cpu, unsigned size)
{
    if (size == 1)
        return gpr_read(cpu, X86_RAX, 2);
    return (wide)gpr_read(cpu, X86_RDX, size) << 8 * size | gpr_read(cpu, X86_RAX, size);
}

/* CF and OF: the product does not fit the lower half. The others are undefined, left alone. */
static void product_flags(struct x86_cpu *cpu, bool overflow)
{
    set_flags(&cpu->rflags, X86_FLAG_CF | X86_FLAG_OF,
              flag_if(overflow, X86_FLAG_CF | X86_FLAG_OF));
}

enum x86_result x86_run_mul(struct exec *x)
{
    unsigned size = x->in->op[0].size;
    uint64_t factor;
    enum x86_result r = load(x, 0, &factor);
    if (r)
        return r;
    wide product = (wide)gpr_read(x->cpu, X86_RAX, size) * factor;
    uint64_t high = (uint64_t)(product >> 8 * size);
    write_pair(x->cpu, size, high, (uint64_t)product);
    product_flags(x->cpu, high != 0);
    return X86_EMULATED;
}

static __int128 signed_product(uint64_t a, uint64_t b, unsigned size)
{
    return (__int128)(int64_t)sign_extend(a, size) * (int64_t)sign_extend(b, size);
}

static bool product_overflows(__int128 product, unsigned size)
{
    return product != (int64_t)sign_extend((uint64_t)product, size);
}

/* r * r/m, or r/m * immediate; the lower half only. */
static enum x86_result imul_truncated(struct exec *x)
{
    unsigned size = x->in->op[0].size;
    bool three = x->in->op[2].kind != OPERAND_NONE;
    uint64_t a, b;
    enum x86_result r = load(x, 1, &a);
    if (r)
        return r;
    load(x, three ? 2 : 0, &b);
    __int128 product = signed_product(a, b, size);
    product_flags(x->cpu, product_overflows(product, size));
    return store(x, 0, (uint64_t)product);
}

enum x86_result x86_run_imul(struct exec *x)
{
    if (x->in->op[1].kind != OPERAND_NONE)
        return imul_truncated(x);
    unsigned size = x->in->op[0].size;
    uint64_t factor;
    enum x86_result r = load(x, 0, &factor);
    if (r)
        return r;
    __int128 product = signed_product(gpr_read(x->cpu, X86_RAX, size), factor, size);
    write_pair(x->cpu, size, (uint64_t)(product >> 8 * size), (uint64_t)product);
    product_flags(x->cpu, product_overflows(product, size));
    return X86_EMULATED;
}

/* All flags are undefined, left alone. */
enum x86_result x86_run_div(struct exec *x)
{
    unsigned size = x->in->op[0].size;
    uint64_t divisor;
    enum x86_result r = load(x, 0, &divisor);
    if (r)
        return r;
    wide dividend = read_pair(x->cpu, size);
    if (divisor == 0 || dividend / divisor > size_mask(size))
        return raise_vector(x, X86_VECTOR_DE, 0);
    write_pair(x->cpu, size, (uint64_t)(dividend % divisor), (uint64_t)(dividend / divisor));
    return X86_EMULATED;
}

enum x86_result x86_run_idiv(struct exec *x)
{
    unsigned size = x->in->op[0].size, unused = 128 - 16 * size;
    uint64_t value;
    enum x86_result r = load(x, 0, &value);
    if (r)
        return r;
    int64_t divisor = (int64_t)sign_extend(value, size);
    __int128 dividend = (__int128)(read_pair(x->cpu, size) << unused) >> unused;
    /* -2^127 / -1 does not even fit 128 bits. */
    if (divisor == 0 || (divisor == -1 && dividend == (__int128)((wide)1 << 127)))
        return raise_vector(x, X86_VECTOR_DE, 0);
    __int128 quotient = dividend / divisor;
    if (product_overflows(quotient, size))
        return raise_vector(x, X86_VECTOR_DE, 0);
    write_pair(x->cpu, size, (uint64_t)(dividend % divisor), (uint64_t)quotient);
    return X86_EMULATED;
}
