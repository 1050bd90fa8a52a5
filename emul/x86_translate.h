/* SPDX-License-Identifier: BSD-3-Clause */
/* Inside of emul/: from Zydis' view of an instruction to ours. */
#ifndef COOPVMM_EMUL_X86_TRANSLATE_H
#define COOPVMM_EMUL_X86_TRANSLATE_H

#include <Zydis/Zydis.h>

#include "x86_insn.h"

/**
 * Fills everything of `out` but rip, bytes and len.
 * @return false: not emulated
 */
bool x86_translate(const ZydisDecodedInstruction *zi, const ZydisDecodedOperand *zo,
                   struct insn *out);

#endif
