/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine_report.h"

#include <Zydis/Zydis.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct insn_text {
    char bytes[3 * X86_MAX_INSN + 1];
    char text[96];
};

static void describe(const struct engine_spot *at, struct insn_text *out)
{
    size_t len = at->len < X86_MAX_INSN ? at->len : X86_MAX_INSN;
    ZydisDisassembledInstruction d;

    memset(out, 0, sizeof(*out));
    if (!at->insn) {
        snprintf(out->text, sizeof(out->text), "not in guest memory");
        return;
    }
    if (ZYAN_SUCCESS(
            ZydisDisassembleIntel(ZYDIS_MACHINE_MODE_LONG_64, at->cpu->rip, at->insn, len, &d))) {
        len = d.info.length;
        snprintf(out->text, sizeof(out->text), "%s", d.text);
    } else {
        snprintf(out->text, sizeof(out->text), "no valid instruction");
    }
    for (size_t i = 0; i < len; i++)
        snprintf(out->bytes + 3 * i, 4, "%02x ", at->insn[i]);
}

void engine_report(struct vm *vm, unsigned vcpu, const struct engine_spot *at, const char *why)
{
    static const char *const name[16] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                         "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
    const uint64_t *r = at->cpu->gpr;
    struct insn_text insn;

    describe(at, &insn);
    vm_log(vm, "vCPU %u: %s", vcpu, why);
    vm_log(vm, "  rip=%016" PRIx64 " rflags=%08" PRIx64 "  %s (%s)", at->cpu->rip, at->cpu->rflags,
           insn.bytes, insn.text);
    for (unsigned i = 0; i < 16; i += 4)
        vm_log(vm, "  %s=%016" PRIx64 " %s=%016" PRIx64 " %s=%016" PRIx64 " %s=%016" PRIx64,
               name[i], r[i], name[i + 1], r[i + 1], name[i + 2], r[i + 2], name[i + 3], r[i + 3]);
}
