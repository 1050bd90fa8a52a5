/* SPDX-License-Identifier: BSD-3-Clause */
/* From mnemonic to handler: all that is emulated. */
#include <Zydis/Zydis.h>

#include "x86_insn.h"

#define M(name) [ZYDIS_MNEMONIC_##name]
/* A string instruction's element size is the decoder's business, not the handler's. */
#define STRING(name, handler) M(name) = {handler, 0, ENTRY_IMPLICIT}
#define VECTOR_MOV(name)                                                                           \
    M(name) = {x86_run_vector_mov, 0, 0}, M(V##name) = {x86_run_vector_mov, 0, 0}
#define VECTOR_ALIGNED_MOV(name)                                                                   \
    M(name) = {x86_run_vector_mov, VECTOR_ALIGNED, 0},                                             \
    M(V##name) = {x86_run_vector_mov, VECTOR_ALIGNED, 0}
#define VECTOR_HALF(name, handler) M(name) = {handler, 0, 0}, M(V##name) = {handler, 0, 0}
#define CONDITIONAL(cc, code)                                                                      \
    M(CMOV##cc) = {x86_run_cmov, code, 0}, M(SET##cc) = {x86_run_set, code, 0}

static const struct x86_entry entries[ZYDIS_MNEMONIC_MAX_VALUE + 1] = {
    M(MOV) = {x86_run_mov, 0, 0},
    M(MOVZX) = {x86_run_mov, 0, 0},
    M(MOVNTI) = {x86_run_mov, 0, 0},
    M(MOVSX) = {x86_run_movsx, 0, 0},
    M(MOVSXD) = {x86_run_movsx, 0, 0},
    M(MOVBE) = {x86_run_movbe, 0, 0},
    M(XLAT) = {x86_run_xlat, 0, ENTRY_IMPLICIT},

    M(ADD) = {x86_run_alu, ALU_ADD, 0},
    M(OR) = {x86_run_alu, ALU_OR, 0},
    M(ADC) = {x86_run_alu, ALU_ADC, 0},
    M(SBB) = {x86_run_alu, ALU_SBB, 0},
    M(AND) = {x86_run_alu, ALU_AND, 0},
    M(SUB) = {x86_run_alu, ALU_SUB, 0},
    M(XOR) = {x86_run_alu, ALU_XOR, 0},
    M(INC) = {x86_run_alu, ALU_INC, 0},
    M(DEC) = {x86_run_alu, ALU_DEC, 0},
    M(NEG) = {x86_run_alu, ALU_NEG, 0},
    M(NOT) = {x86_run_not, 0, 0},
    M(CMP) = {x86_run_cmp, 0, 0},
    M(TEST) = {x86_run_test, 0, 0},

    M(ROL) = {x86_run_shift, SHIFT_ROL, 0},
    M(ROR) = {x86_run_shift, SHIFT_ROR, 0},
    M(RCL) = {x86_run_shift, SHIFT_RCL, 0},
    M(RCR) = {x86_run_shift, SHIFT_RCR, 0},
    M(SHL) = {x86_run_shift, SHIFT_SHL, 0},
    M(SHR) = {x86_run_shift, SHIFT_SHR, 0},
    M(SAR) = {x86_run_shift, SHIFT_SAR, 0},
    M(SHLD) = {x86_run_shift_double, SHIFT_SHL, 0},
    M(SHRD) = {x86_run_shift_double, SHIFT_SHR, 0},

    M(BT) = {x86_run_bit, BIT_TEST, 0},
    M(BTS) = {x86_run_bit, BIT_SET, 0},
    M(BTR) = {x86_run_bit, BIT_RESET, 0},
    M(BTC) = {x86_run_bit, BIT_COMPLEMENT, 0},

    M(MUL) = {x86_run_mul, 0, 0},
    M(IMUL) = {x86_run_imul, 0, 0},
    M(DIV) = {x86_run_div, 0, 0},
    M(IDIV) = {x86_run_idiv, 0, 0},

    M(XCHG) = {x86_run_xchg, 0, ENTRY_LOCKED},
    M(XADD) = {x86_run_xadd, 0, 0},
    M(CMPXCHG) = {x86_run_cmpxchg, 0, 0},
    M(CMPXCHG8B) = {x86_run_cmpxchg8b, 0, 0},
    M(CMPXCHG16B) = {x86_run_cmpxchg16b, 0, 0},

    CONDITIONAL(O, 0),
    CONDITIONAL(NO, 1),
    CONDITIONAL(B, 2),
    CONDITIONAL(NB, 3),
    CONDITIONAL(Z, 4),
    CONDITIONAL(NZ, 5),
    CONDITIONAL(BE, 6),
    CONDITIONAL(NBE, 7),
    CONDITIONAL(S, 8),
    CONDITIONAL(NS, 9),
    CONDITIONAL(P, 10),
    CONDITIONAL(NP, 11),
    CONDITIONAL(L, 12),
    CONDITIONAL(NL, 13),
    CONDITIONAL(LE, 14),
    CONDITIONAL(NLE, 15),

    M(PUSH) = {x86_run_push, 0, ENTRY_IMPLICIT},
    M(POP) = {x86_run_pop, 0, ENTRY_IMPLICIT},
    M(CALL) = {x86_run_call, 0, ENTRY_IMPLICIT | ENTRY_NEAR64},
    M(JMP) = {x86_run_jmp, 0, ENTRY_NEAR64},
    M(RET) = {x86_run_ret, 0, ENTRY_IMPLICIT | ENTRY_NEAR64},
    M(LEAVE) = {x86_run_leave, 0, ENTRY_IMPLICIT},

    STRING(MOVSB, x86_run_movs),
    STRING(MOVSW, x86_run_movs),
    STRING(MOVSQ, x86_run_movs),
    STRING(STOSB, x86_run_stos),
    STRING(STOSW, x86_run_stos),
    STRING(STOSD, x86_run_stos),
    STRING(STOSQ, x86_run_stos),
    STRING(LODSB, x86_run_lods),
    STRING(LODSW, x86_run_lods),
    STRING(LODSD, x86_run_lods),
    STRING(LODSQ, x86_run_lods),
    STRING(CMPSB, x86_run_cmps),
    STRING(CMPSW, x86_run_cmps),
    STRING(CMPSQ, x86_run_cmps),
    STRING(SCASB, x86_run_scas),
    STRING(SCASW, x86_run_scas),
    STRING(SCASD, x86_run_scas),
    STRING(SCASQ, x86_run_scas),
    STRING(INSB, x86_run_ins),
    STRING(INSW, x86_run_ins),
    STRING(INSD, x86_run_ins),
    STRING(OUTSB, x86_run_outs),
    STRING(OUTSW, x86_run_outs),
    STRING(OUTSD, x86_run_outs),
    M(IN) = {x86_run_in, 0, ENTRY_IMPLICIT},
    M(OUT) = {x86_run_out, 0, ENTRY_IMPLICIT},

    VECTOR_MOV(MOVUPS),
    VECTOR_MOV(MOVUPD),
    VECTOR_MOV(MOVDQU),
    VECTOR_MOV(LDDQU),
    VECTOR_MOV(MOVD),
    VECTOR_MOV(MOVQ),
    VECTOR_MOV(MOVSS),
    VECTOR_MOV(MOVSD),
    VECTOR_ALIGNED_MOV(MOVAPS),
    VECTOR_ALIGNED_MOV(MOVAPD),
    VECTOR_ALIGNED_MOV(MOVDQA),
    VECTOR_ALIGNED_MOV(MOVNTPS),
    VECTOR_ALIGNED_MOV(MOVNTPD),
    VECTOR_ALIGNED_MOV(MOVNTDQ),
    VECTOR_ALIGNED_MOV(MOVNTDQA),
    VECTOR_HALF(MOVLPS, x86_run_vector_low),
    VECTOR_HALF(MOVLPD, x86_run_vector_low),
    VECTOR_HALF(MOVHPS, x86_run_vector_high),
    VECTOR_HALF(MOVHPD, x86_run_vector_high),
    M(VBROADCASTSS) = {x86_run_broadcast, 0, 0},
    M(VBROADCASTSD) = {x86_run_broadcast, 0, 0},
    M(VBROADCASTF128) = {x86_run_broadcast, 0, 0},
    M(VBROADCASTI128) = {x86_run_broadcast, 0, 0},
    M(VPBROADCASTB) = {x86_run_broadcast, 0, 0},
    M(VPBROADCASTW) = {x86_run_broadcast, 0, 0},
    M(VPBROADCASTD) = {x86_run_broadcast, 0, 0},
    M(VPBROADCASTQ) = {x86_run_broadcast, 0, 0},

    M(PREFETCH) = {x86_run_nop, 0, 0},
    M(PREFETCHW) = {x86_run_nop, 0, 0},
    M(PREFETCHWT1) = {x86_run_nop, 0, 0},
    M(PREFETCHNTA) = {x86_run_nop, 0, 0},
    M(PREFETCHT0) = {x86_run_nop, 0, 0},
    M(PREFETCHT1) = {x86_run_nop, 0, 0},
    M(PREFETCHT2) = {x86_run_nop, 0, 0},
    M(CLFLUSH) = {x86_run_nop, 0, 0},
    M(CLFLUSHOPT) = {x86_run_nop, 0, 0},
    M(CLWB) = {x86_run_nop, 0, 0},
    M(CLDEMOTE) = {x86_run_nop, 0, 0},
};

/* Two mnemonics are shared with SSE instructions; cmpsd's is arithmetic and not emulated. */
static const struct x86_entry none;
static const struct x86_entry string_movsd = {x86_run_movs, 0, ENTRY_IMPLICIT};
static const struct x86_entry string_cmpsd = {x86_run_cmps, 0, ENTRY_IMPLICIT};

const struct x86_entry *x86_entry_for(unsigned mnemonic, bool string)
{
    if (mnemonic > ZYDIS_MNEMONIC_MAX_VALUE)
        return &none;
    if (string && mnemonic == ZYDIS_MNEMONIC_MOVSD)
        return &string_movsd;
    if (string && mnemonic == ZYDIS_MNEMONIC_CMPSD)
        return &string_cmpsd;
    return &entries[mnemonic];
}
