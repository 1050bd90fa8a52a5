/* SPDX-License-Identifier: BSD-3-Clause */
/* The instruction forms the oracle suite has to cover. */
#ifndef COOPVMM_TESTS_X86_FORMS_H
#define COOPVMM_TESTS_X86_FORMS_H

#include <Zydis/Zydis.h>

/* Traits of a form. */
#define F_LOCK    (1u << 0)  /* may be locked */
#define F_STACK   (1u << 1)  /* RSP points to the arena */
#define F_BRANCH  (1u << 2)  /* goes where the memory operand or the top of the stack says */
#define F_BITS    (1u << 3)  /* a register is an index into a bit string */
#define F_ACC     (1u << 4)  /* compares with rDX:rAX */
#define F_DIVIDE  (1u << 5)  /* divides rDX:rAX */
#define F_ALIGNED (1u << 6)  /* raises #GP if misaligned */
#define F_WIDE    (1u << 7)  /* may fault half-way, with part of it written */
#define F_VEX     (1u << 8)  /* needs AVX */
#define F_AVX2    (1u << 9)  /* needs AVX2 */
#define F_MOVBE   (1u << 10) /* needs MOVBE */
#define F_HINT    (1u << 11) /* accesses nothing */

/*
 * operands: m memory, r general register, n the same of reg_size, i immediate, b immediate byte,
 * 1 the immediate 1, c CL, x y XMM and YMM registers.
 */
struct form {
    ZydisMnemonic mnemonic;
    const char *operands;
    unsigned sizes;    /* set of operand sizes in bytes: their sum; a case takes one */
    unsigned reg_size; /* of `n` */
    unsigned traits;
};

#define N(name) ZYDIS_MNEMONIC_##name
#define ANY     (1 | 2 | 4 | 8)
#define WORDS   (2 | 4 | 8)
#define ALU(name)                                                                                  \
    {N(name), "mr", ANY, 0, F_LOCK}, {N(name), "rm", ANY, 0, 0},                                   \
    {                                                                                              \
        N(name), "mi", ANY, 0, F_LOCK                                                              \
    }
#define UNARY(name)                                                                                \
    {                                                                                              \
        N(name), "m", ANY, 0, F_LOCK                                                               \
    }
#define SHIFT(name)                                                                                \
    {N(name), "mb", ANY, 0, 0}, {N(name), "m1", ANY, 0, 0},                                        \
    {                                                                                              \
        N(name), "mc", ANY, 0, 0                                                                   \
    }
#define BIT(name, lock)                                                                            \
    {N(name), "mr", WORDS, 0, F_BITS | (lock)},                                                    \
    {                                                                                              \
        N(name), "mb", WORDS, 0, lock                                                              \
    }
#define CC(cc)                                                                                     \
    {N(CMOV##cc), "rm", WORDS, 0, 0},                                                              \
    {                                                                                              \
        N(SET##cc), "m", 1, 0, 0                                                                   \
    }

static const struct form integer_forms[] = {
    {N(MOV), "mr", ANY, 0, 0},
    {N(MOV), "rm", ANY, 0, 0},
    {N(MOV), "mi", ANY, 0, 0},
    {N(MOVZX), "nm", 1, 2, 0},
    {N(MOVZX), "nm", 1 | 2, 4, 0},
    {N(MOVZX), "nm", 1 | 2, 8, 0},
    {N(MOVSX), "nm", 1, 2, 0},
    {N(MOVSX), "nm", 1 | 2, 4, 0},
    {N(MOVSX), "nm", 1 | 2, 8, 0},
    {N(MOVSXD), "nm", 4, 8, 0},
    {N(MOVNTI), "mr", 4 | 8, 0, 0},
    {N(MOVBE), "mr", WORDS, 0, F_MOVBE},
    {N(MOVBE), "rm", WORDS, 0, F_MOVBE},
    ALU(ADD),
    ALU(OR),
    ALU(ADC),
    ALU(SBB),
    ALU(AND),
    ALU(SUB),
    ALU(XOR),
    {N(CMP), "mr", ANY, 0, 0},
    {N(CMP), "rm", ANY, 0, 0},
    {N(CMP), "mi", ANY, 0, 0},
    {N(TEST), "mr", ANY, 0, 0},
    {N(TEST), "mi", ANY, 0, 0},
    UNARY(INC),
    UNARY(DEC),
    UNARY(NEG),
    UNARY(NOT),
    SHIFT(ROL),
    SHIFT(ROR),
    SHIFT(RCL),
    SHIFT(RCR),
    SHIFT(SHL),
    SHIFT(SHR),
    SHIFT(SAR),
    {N(SHLD), "mrb", WORDS, 0, 0},
    {N(SHLD), "mrc", WORDS, 0, 0},
    {N(SHRD), "mrb", WORDS, 0, 0},
    {N(SHRD), "mrc", WORDS, 0, 0},
    BIT(BT, 0),
    BIT(BTS, F_LOCK),
    BIT(BTR, F_LOCK),
    BIT(BTC, F_LOCK),
    {N(MUL), "m", ANY, 0, 0},
    {N(IMUL), "m", ANY, 0, 0},
    {N(IMUL), "rm", WORDS, 0, 0},
    {N(IMUL), "rmi", WORDS, 0, 0},
    {N(DIV), "m", ANY, 0, F_DIVIDE},
    {N(IDIV), "m", ANY, 0, F_DIVIDE},
    {N(XCHG), "mr", ANY, 0, F_LOCK},
    {N(XADD), "mr", ANY, 0, F_LOCK},
    {N(CMPXCHG), "mr", ANY, 0, F_LOCK | F_ACC},
    {N(CMPXCHG8B), "m", 8, 0, F_LOCK | F_ACC},
    {N(CMPXCHG16B), "m", 16, 0, F_LOCK | F_ACC | F_ALIGNED},
    CC(O),
    CC(NO),
    CC(B),
    CC(NB),
    CC(Z),
    CC(NZ),
    CC(BE),
    CC(NBE),
    CC(S),
    CC(NS),
    CC(P),
    CC(NP),
    CC(L),
    CC(NL),
    CC(LE),
    CC(NLE),
    {N(PUSH), "m", 2 | 8, 0, F_STACK},
    {N(PUSH), "r", 2 | 8, 0, F_STACK},
    {N(PUSH), "i", 8, 0, F_STACK},
    {N(POP), "m", 2 | 8, 0, F_STACK},
    {N(POP), "r", 2 | 8, 0, F_STACK},
    {N(CALL), "m", 8, 0, F_STACK | F_BRANCH},
    {N(JMP), "m", 8, 0, F_BRANCH},
    {N(RET), "", 8, 0, F_STACK | F_BRANCH},
    {N(PREFETCHW), "m", 1, 0, F_HINT},
    {N(PREFETCHNTA), "m", 1, 0, F_HINT},
    {N(PREFETCHT0), "m", 1, 0, F_HINT},
    {N(PREFETCHT1), "m", 1, 0, F_HINT},
    {N(PREFETCHT2), "m", 1, 0, F_HINT},
    {N(CLFLUSH), "m", 64, 0, F_HINT},
};

#define BOTH_WAYS(name, size, traits)                                                              \
    {N(name), "xm", size, 0, traits},                                                              \
    {                                                                                              \
        N(name), "mx", size, 0, traits                                                             \
    }
/* A 16-byte move and its VEX forms of 16 and 32 bytes. */
#define MOVE(name, traits)                                                                         \
    BOTH_WAYS(name, 16, F_WIDE | (traits)), BOTH_WAYS(V##name, 16, F_VEX | F_WIDE | (traits)),     \
        {N(V##name), "ym", 32, 0, F_VEX | F_WIDE | (traits)},                                      \
    {                                                                                              \
        N(V##name), "my", 32, 0, F_VEX | F_WIDE | (traits)                                         \
    }
#define SCALAR(name, size) BOTH_WAYS(name, size, 0), BOTH_WAYS(V##name, size, F_VEX)
#define HALF(name)                                                                                 \
    BOTH_WAYS(name, 8, 0), {N(V##name), "xxm", 8, 0, F_VEX},                                       \
    {                                                                                              \
        N(V##name), "mx", 8, 0, F_VEX                                                              \
    }
#define STORE_NT(name)                                                                             \
    {N(name), "mx", 16, 0, F_WIDE | F_ALIGNED},                                                    \
        {N(V##name), "mx", 16, 0, F_WIDE | F_ALIGNED | F_VEX},                                     \
    {                                                                                              \
        N(V##name), "my", 32, 0, F_WIDE | F_ALIGNED | F_VEX                                        \
    }
#define BROADCAST(name, size)                                                                      \
    {N(name), "xm", size, 0, F_VEX | F_AVX2},                                                      \
    {                                                                                              \
        N(name), "ym", size, 0, F_VEX | F_AVX2                                                     \
    }

static const struct form vector_forms[] = {
    MOVE(MOVUPS, 0),
    MOVE(MOVUPD, 0),
    MOVE(MOVDQU, 0),
    MOVE(MOVAPS, F_ALIGNED),
    MOVE(MOVAPD, F_ALIGNED),
    MOVE(MOVDQA, F_ALIGNED),
    SCALAR(MOVD, 4),
    SCALAR(MOVQ, 8),
    SCALAR(MOVSS, 4),
    SCALAR(MOVSD, 8),
    HALF(MOVLPS),
    HALF(MOVLPD),
    HALF(MOVHPS),
    HALF(MOVHPD),
    STORE_NT(MOVNTPS),
    STORE_NT(MOVNTPD),
    STORE_NT(MOVNTDQ),
    {N(MOVNTDQA), "xm", 16, 0, F_WIDE | F_ALIGNED},
    {N(VMOVNTDQA), "xm", 16, 0, F_WIDE | F_ALIGNED | F_VEX},
    {N(VMOVNTDQA), "ym", 32, 0, F_WIDE | F_ALIGNED | F_VEX | F_AVX2},
    {N(LDDQU), "xm", 16, 0, F_WIDE},
    {N(VLDDQU), "xm", 16, 0, F_WIDE | F_VEX},
    {N(VLDDQU), "ym", 32, 0, F_WIDE | F_VEX},
    {N(VBROADCASTSS), "xm", 4, 0, F_VEX},
    {N(VBROADCASTSS), "ym", 4, 0, F_VEX},
    {N(VBROADCASTSD), "ym", 8, 0, F_VEX},
    {N(VBROADCASTF128), "ym", 16, 0, F_VEX | F_WIDE},
    {N(VBROADCASTI128), "ym", 16, 0, F_VEX | F_WIDE | F_AVX2},
    BROADCAST(VPBROADCASTB, 1),
    BROADCAST(VPBROADCASTW, 2),
    BROADCAST(VPBROADCASTD, 4),
    BROADCAST(VPBROADCASTQ, 8),
};

#endif
