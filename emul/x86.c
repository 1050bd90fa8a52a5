/* SPDX-License-Identifier: BSD-3-Clause */
/* Carries out one instruction. */
#include "x86.h"

#include <string.h>

#include "x86_decoder.h"

/* Are the vector registers there that the instruction needs? */
static bool vectors_there(const struct insn *in, const struct x86_cpu *cpu)
{
    if (!(in->flags & (INSN_VECTOR | INSN_VEX)))
        return true;
    return cpu->ymm && (cpu->ymm_high || !(in->flags & INSN_VEX));
}

static enum x86_result not_done(const struct x86_decoder *d, const struct x86_cpu *cpu,
                                const uint8_t *insn, size_t len, enum x86_result why,
                                const struct exec *x, struct x86_fault *fault)
{
    x86_describe(d, cpu->rip, insn, len, fault);
    fault->addr = why == X86_FAULTED ? x->fault_addr : 0;
    fault->vector = why == X86_FAULTED ? x->vector : 0;
    return why;
}

enum x86_result x86_emulate(struct x86_decoder *d, struct x86_cpu *cpu, const uint8_t *insn,
                            size_t len, const struct x86_ops *ops, void *ctx,
                            struct x86_fault *fault)
{
    if (len > X86_MAX_INSN)
        len = X86_MAX_INSN;
    const struct insn *in = x86_decode(d, cpu->rip, insn, len);
    if (!in || !vectors_there(in, cpu))
        return not_done(d, cpu, insn, len, X86_UNSUPPORTED, NULL, fault);
    struct exec x = {.cpu = cpu, .in = in, .ops = ops, .ctx = ctx, .next = cpu->rip + in->len};
    enum x86_result r = in->run(&x);
    if (__builtin_expect(r == X86_EMULATED, 1))
        cpu->rip = x.next;
    else if (r != X86_REPEAT)
        not_done(d, cpu, insn, len, r, &x, fault);
    return r;
}
