/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside of emul/: a decoded instruction as the handlers want it, and one instruction's execution.
 *
 * Zydis' own result is over a kilobyte; this is one cache line, so that a cache of them is worth
 * having and a hit costs one miss at most.
 */
#ifndef COOPVMM_EMUL_X86_INSN_H
#define COOPVMM_EMUL_X86_INSN_H

#include "x86.h"

struct exec;
typedef enum x86_result (*x86_handler)(struct exec *x);

enum operand_kind {
    OPERAND_NONE = 0,
    OPERAND_GPR,      /* reg: enum x86_gpr; the low `size` bytes */
    OPERAND_GPR_HIGH, /* AH CH DH BH; reg: RAX to RBX */
    OPERAND_VECTOR,   /* reg: 0 to 15; size 16 or 32 */
    OPERAND_MEM,      /* by the instruction's base, index, disp and seg */
    OPERAND_IMM,
};

struct operand {
    uint8_t kind;
    uint8_t reg;
    uint8_t size; /* bytes */
};

#define INSN_LOCK   (1u << 0) /* read-modify-write is atomic: lock prefix, or xchg */
#define INSN_REP    (1u << 1) /* f3 prefix: rep, repe */
#define INSN_REPNE  (1u << 2) /* f2 prefix */
#define INSN_ADDR32 (1u << 3) /* 67 prefix */
#define INSN_VECTOR (1u << 4) /* has an XMM or YMM operand */
#define INSN_VEX    (1u << 5)

#define INSN_OPERANDS 3

/* Values of insn.base and insn.index beside enum x86_gpr. */
#define BASE_RIP 16
#define NO_REG   0xff

struct insn {
    x86_handler run;
    uint64_t rip;
    uint8_t bytes[X86_MAX_INSN]; /* zero after len */
    uint8_t len;                 /* 0: a free slot of the cache */
    int64_t disp;
    int32_t imm; /* sign-extended: no instruction has both memory and a 64-bit immediate */
    struct operand op[INSN_OPERANDS];
    uint8_t base, index, shift, seg; /* of the memory operand; seg of implicit ones too */
    uint8_t flags;                   /* INSN_ */
    uint8_t arg;                     /* which of its operations the handler is to do */
    uint8_t size; /* of an implicit operand: string element, port, stack; bytes */
};
_Static_assert(sizeof(struct insn) == 64, "one cache line");

/* One instruction being carried out. */
struct exec {
    struct x86_cpu *cpu;
    const struct insn *in;
    const struct x86_ops *ops;
    void *ctx;
    uint64_t next;       /* rip afterwards */
    uint64_t fault_addr; /* X86_FAULTED */
    uint8_t vector;      /* X86_FAULTED */
};

/* What handles a mnemonic. */
struct x86_entry {
    x86_handler run; /* NULL: not emulated */
    uint8_t arg;
    uint8_t traits; /* ENTRY_ */
};
#define ENTRY_IMPLICIT (1u << 0) /* accesses memory or a port without a memory operand shown */
#define ENTRY_LOCKED   (1u << 1) /* atomic without a lock prefix */
#define ENTRY_NEAR64   (1u << 2) /* a near branch: vendors disagree about the 66 prefix */

/** By ZydisMnemonic; movsd and cmpsd mean the string instruction only if `string`. */
const struct x86_entry *x86_entry_for(unsigned mnemonic, bool string);

/* Operations of the handlers' `arg`. */
enum { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_INC, ALU_DEC, ALU_NEG };
enum { SHIFT_ROL, SHIFT_ROR, SHIFT_RCL, SHIFT_RCR, SHIFT_SHL, SHIFT_SHR, SHIFT_SAR };
enum { BIT_TEST, BIT_SET, BIT_RESET, BIT_COMPLEMENT };
#define VECTOR_ALIGNED 1 /* the memory operand has to be aligned to its size */

/* The handlers, by file. */
/* x86_mov.c */
enum x86_result x86_run_mov(struct exec *x);
enum x86_result x86_run_movsx(struct exec *x);
enum x86_result x86_run_movbe(struct exec *x);
enum x86_result x86_run_cmov(struct exec *x);
enum x86_result x86_run_set(struct exec *x);
enum x86_result x86_run_xlat(struct exec *x);
enum x86_result x86_run_nop(struct exec *x);
/* x86_alu.c */
enum x86_result x86_run_alu(struct exec *x);
enum x86_result x86_run_cmp(struct exec *x);
enum x86_result x86_run_test(struct exec *x);
enum x86_result x86_run_not(struct exec *x);
/* x86_shift.c */
enum x86_result x86_run_shift(struct exec *x);
enum x86_result x86_run_shift_double(struct exec *x);
/* x86_bit.c */
enum x86_result x86_run_bit(struct exec *x);
/* x86_muldiv.c */
enum x86_result x86_run_mul(struct exec *x);
enum x86_result x86_run_imul(struct exec *x);
enum x86_result x86_run_div(struct exec *x);
enum x86_result x86_run_idiv(struct exec *x);
/* x86_exchange.c */
enum x86_result x86_run_xchg(struct exec *x);
enum x86_result x86_run_xadd(struct exec *x);
enum x86_result x86_run_cmpxchg(struct exec *x);
enum x86_result x86_run_cmpxchg8b(struct exec *x);
enum x86_result x86_run_cmpxchg16b(struct exec *x);
/* x86_stack.c */
enum x86_result x86_run_push(struct exec *x);
enum x86_result x86_run_pop(struct exec *x);
enum x86_result x86_run_call(struct exec *x);
enum x86_result x86_run_jmp(struct exec *x);
enum x86_result x86_run_ret(struct exec *x);
enum x86_result x86_run_leave(struct exec *x);
/* x86_string.c */
enum x86_result x86_run_movs(struct exec *x);
enum x86_result x86_run_stos(struct exec *x);
enum x86_result x86_run_lods(struct exec *x);
enum x86_result x86_run_cmps(struct exec *x);
enum x86_result x86_run_scas(struct exec *x);
/* x86_port.c */
enum x86_result x86_run_in(struct exec *x);
enum x86_result x86_run_out(struct exec *x);
enum x86_result x86_run_ins(struct exec *x);
enum x86_result x86_run_outs(struct exec *x);
/* x86_vector.c */
enum x86_result x86_run_vector_mov(struct exec *x);
enum x86_result x86_run_vector_low(struct exec *x);
enum x86_result x86_run_vector_high(struct exec *x);
enum x86_result x86_run_broadcast(struct exec *x);

#endif
