/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Arbitrary bytes as an instruction, on arbitrary registers and a machine that answers arbitrarily.
 * Whatever they are: only the given bytes are read, accesses are of the sizes promised, what is not
 * done changes nothing, and it ends.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emul/x86.h"

#define MAX_ENTRIES 8 /* of one instruction that wants to be repeated */

/* The input, as a stream; zeros when it is used up. */
struct input {
    const uint8_t *data;
    size_t size;
};

struct machine {
    struct input *in;
    uint64_t accesses;
    unsigned mood; /* how often accesses are denied */
};

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_emul: violated: %s\n", what);
    abort();
}

static void take(struct input *in, void *to, size_t size)
{
    size_t n = size < in->size ? size : in->size;
    memset(to, 0, size);
    memcpy(to, in->data, n);
    in->data += n;
    in->size -= n;
}

static uint8_t take_byte(struct input *in)
{
    uint8_t b;
    take(in, &b, 1);
    return b;
}

static uint64_t take_word(struct input *in)
{
    uint64_t v;
    take(in, &v, sizeof v);
    return v;
}

static enum x86_access answer(struct machine *m)
{
    m->accesses++;
    uint8_t b = m->mood ? take_byte(m->in) : 0;
    if (b < 256 - m->mood)
        return X86_OK;
    return b & 1 ? X86_FAULT : X86_CANCEL;
}

static void check_size(unsigned size, bool port)
{
    require(size == 1 || size == 2 || size == 4 || (size == 8 && !port), "size of an access");
}

static void check_value(unsigned size, uint64_t value)
{
    require(size == 8 || value >> 8 * size == 0, "value written is within its size");
}

static enum x86_access on_read(void *ctx, uint64_t addr, unsigned size, uint64_t *value)
{
    struct machine *m = ctx;
    check_size(size, false);
    *value = take_word(m->in) ^ addr;
    return answer(m);
}

static enum x86_access on_write(void *ctx, uint64_t addr, unsigned size, uint64_t value)
{
    (void)addr;
    check_size(size, false);
    check_value(size, value);
    return answer(ctx);
}

static enum x86_access on_in(void *ctx, uint16_t port, unsigned size, uint64_t *value)
{
    struct machine *m = ctx;
    (void)port;
    check_size(size, true);
    *value = take_word(m->in);
    return answer(m);
}

static enum x86_access on_out(void *ctx, uint16_t port, unsigned size, uint64_t value)
{
    (void)port;
    check_size(size, true);
    check_value(size, value);
    return answer(ctx);
}

/* Claims any number of elements done, more than asked for too. */
static enum x86_access on_string(void *ctx, uint16_t port, unsigned size, uint64_t addr,
                                 uint64_t count, bool down, uint64_t *done)
{
    struct machine *m = ctx;
    (void)port, (void)addr, (void)down;
    check_size(size, true);
    require(count != 0, "a string request is never empty");
    *done = take_word(m->in);
    return answer(m);
}

static enum x86_access on_cmpxchg(void *ctx, uint64_t addr, unsigned size, uint64_t *old,
                                  uint64_t desired)
{
    struct machine *m = ctx;
    (void)addr;
    check_size(size, false);
    check_value(size, desired);
    if (take_byte(m->in) & 1)
        *old = take_word(m->in);
    return answer(m);
}

static void take_cpu(struct input *in, struct x86_cpu *cpu, uint8_t ymm[16][32])
{
    uint8_t how = take_byte(in);
    take(in, cpu->gpr, sizeof cpu->gpr);
    take(in, cpu->seg_base, sizeof cpu->seg_base);
    cpu->rip = take_word(in);
    cpu->rflags = take_word(in);
    take(in, ymm, 16 * 32);
    cpu->ymm = how & 1 ? ymm : NULL;
    cpu->ymm_high = how & 2;
}

static bool same(const struct x86_cpu *a, const struct x86_cpu *b)
{
    return memcmp(a->gpr, b->gpr, sizeof a->gpr) == 0 && a->rflags == b->rflags && a->rip == b->rip;
}

static void check_fault(const struct x86_fault *f, size_t len)
{
    require(f->len <= X86_MAX_INSN && f->len <= len, "length in a report");
    require(memchr(f->text, 0, sizeof f->text) != NULL && f->text[0], "text in a report");
}

/* Only a repeated instruction may be done in part; so may one whose string functions lie. */
static bool all_or_nothing(const uint8_t *insn, size_t len, const struct x86_ops *ops)
{
    return !ops->ins && !(len && (memchr(insn, 0xf2, len) || memchr(insn, 0xf3, len)));
}

static void check(enum x86_result r, const struct x86_cpu *before, const struct x86_cpu *cpu,
                  const struct x86_fault *f, size_t len, const struct machine *m)
{
    /* A wide access in pieces, or a batch with two accesses an element. */
    require(m->accesses <= 2 * X86_REP_BATCH + 1, "work is bounded");
    if (r != X86_EMULATED)
        require(cpu->rip == before->rip, "rip stays where it is not done");
    if (r == X86_UNSUPPORTED)
        require(same(before, cpu) && m->accesses == 0, "unsupported changes nothing");
    if (r == X86_UNSUPPORTED || r == X86_FAULTED || r == X86_CANCELLED)
        check_fault(f, len);
    require(r <= X86_CANCELLED, "result");
}

static void emulate(struct x86_decoder *d, struct x86_cpu *cpu, const uint8_t *insn, size_t len,
                    const struct x86_ops *ops, struct machine *m)
{
    enum x86_result r = X86_REPEAT;
    for (unsigned i = 0; r == X86_REPEAT && i < MAX_ENTRIES; i++) {
        struct x86_cpu before = *cpu;
        struct x86_fault fault = {.len = 0xff};
        m->accesses = 0;
        r = x86_emulate(d, cpu, insn, len, ops, m, &fault);
        if (r != X86_EMULATED && all_or_nothing(insn, len, ops))
            require(same(&before, cpu), "all or nothing");
        check(r, &before, cpu, &fault, len, m);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct x86_decoder *d; /* kept: its cache is to meet many instructions */
    struct x86_ops ops = {.read = on_read, .write = on_write, .in = on_in, .out = on_out};
    struct input in = {data, size};
    uint8_t options = take_byte(&in), len = take_byte(&in) % 17; /* 16: one too many */
    uint8_t bytes[16], ymm[16][32];
    struct machine m = {.in = &in, .mood = options >> 4};
    struct x86_cpu cpu;
    if (!d)
        d = x86_decoder_new();
    if (options & 1)
        ops.ins = ops.outs = on_string;
    if (options & 2)
        ops.cmpxchg = on_cmpxchg;
    take(&in, bytes, len);
    take_cpu(&in, &cpu, ymm);
    uint8_t *exact = malloc(len ? len : 1); /* sanitizers see what reads past it */
    memcpy(exact, bytes, len);
    emulate(d, &cpu, exact, len, &ops, &m);
    free(exact);
    return 0;
}
