/* SPDX-License-Identifier: BSD-3-Clause */
/* Inside of emul/: the decoder and its cache. */
#ifndef COOPVMM_EMUL_X86_DECODER_H
#define COOPVMM_EMUL_X86_DECODER_H

#include "x86_insn.h"

/**
 * The decoded instruction at rip, from the cache if its bytes are the same.
 * @param len readable bytes, 1 to X86_MAX_INSN
 * @return NULL: no instruction, or none that is emulated; x86_describe() tells
 */
const struct insn *x86_decode(struct x86_decoder *d, uint64_t rip, const uint8_t *bytes,
                              size_t len);

/** Fills fault's insn, len and text for the bytes at rip. */
void x86_describe(const struct x86_decoder *d, uint64_t rip, const uint8_t *bytes, size_t len,
                  struct x86_fault *fault);

#endif
