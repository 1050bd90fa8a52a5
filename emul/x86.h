/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Emulation of one whole x86-64 instruction that accesses memory or a port.
 *
 * A trap tells where, not what: this part decodes the complete instruction (Zydis) at the trapped
 * RIP and carries it out on a copy of the registers, with every memory and port access given to the
 * caller's functions. Flags come out exactly as the CPU's (undefined ones are left as the CPU this
 * was tested on leaves them, or unchanged).
 *
 * An instruction it cannot do is reported with its bytes and text, never guessed. That includes
 * every instruction that accesses neither memory nor a port, MMX, AVX-512, and SSE/AVX arithmetic.
 *
 * Source of all behaviour: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2,
 * and AMD64 Architecture Programmer's Manual, volume 3.
 *
 * Threads: no globals that change; a struct x86_decoder belongs to one thread. No allocation, no
 * system call; may run in a signal handler (x86_emulate() needs 4 KiB of stack, and what the
 * caller's functions need).
 */
#ifndef COOPVMM_EMUL_X86_H
#define COOPVMM_EMUL_X86_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum x86_gpr {
    X86_RAX,
    X86_RCX,
    X86_RDX,
    X86_RBX,
    X86_RSP,
    X86_RBP,
    X86_RSI,
    X86_RDI,
    X86_R8,
    X86_R9,
    X86_R10,
    X86_R11,
    X86_R12,
    X86_R13,
    X86_R14,
    X86_R15,
};

enum x86_seg { X86_ES, X86_CS, X86_SS, X86_DS, X86_FS, X86_GS };

#define X86_FLAG_CF (1u << 0)
#define X86_FLAG_PF (1u << 2)
#define X86_FLAG_AF (1u << 4)
#define X86_FLAG_ZF (1u << 6)
#define X86_FLAG_SF (1u << 7)
#define X86_FLAG_TF (1u << 8)
#define X86_FLAG_IF (1u << 9)
#define X86_FLAG_DF (1u << 10)
#define X86_FLAG_OF (1u << 11)

#define X86_MAX_INSN 15 /* bytes */

/* The registers an instruction may read and write, in 64-bit mode. */
struct x86_cpu {
    uint64_t gpr[16]; /* by enum x86_gpr */
    uint64_t rip;
    uint64_t rflags;
    uint64_t seg_base[6]; /* by enum x86_seg; only FS and GS count in 64-bit mode */
    /* Vector registers: ymm[16], 32 bytes each, low half XMM. NULL: SSE/AVX cannot be emulated. */
    uint8_t (*ymm)[32];
    bool ymm_high; /* the upper halves are there too (AVX enabled) */
};

/* What an access came to. */
enum x86_access {
    X86_OK = 0,
    X86_FAULT = 1,  /* the access faults: the instruction is undone, see x86_fault.addr */
    X86_CANCEL = 2, /* the caller wants to stop; the instruction is undone */
};

/*
 * The machine around the CPU. Addresses are linear. An access never crosses more than its size;
 * the emulator gives accesses of 1, 2, 4 or 8 bytes as the CPU would (wider ones are split into
 * 8-byte pieces, ascending). An access that crosses a page or a device's end is the callee's to
 * split: it sees address and size. Bits of a value above its size are ignored. Whether an address
 * is canonical or mapped is the callee's to know, too. read, write, in and out must be given.
 *
 * "Undone" is about registers and flags: they are written last. What an instruction did to memory
 * or a device before the access that failed stays done; that is possible only with the pieces of a
 * wide access, and with in+write of an `ins` for which no `ins` function is given.
 */
struct x86_ops {
    enum x86_access (*read)(void *ctx, uint64_t addr, unsigned size, uint64_t *value);
    enum x86_access (*write)(void *ctx, uint64_t addr, unsigned size, uint64_t value);
    enum x86_access (*in)(void *ctx, uint16_t port, unsigned size, uint64_t *value);
    enum x86_access (*out)(void *ctx, uint16_t port, unsigned size, uint64_t value);
    /*
     * String port I/O as one request: up to `count` elements between the port and memory at addr
     * (descending if `down`). count is as large as the guest says: the callee bounds its own work.
     * *done: elements transferred, whatever is returned; fewer than `count` with X86_OK ends in
     * X86_REPEAT. Asked for instructions without rep too, with count 1. NULL: done one at a time
     * by in/out.
     */
    enum x86_access (*ins)(void *ctx, uint16_t port, unsigned size, uint64_t addr, uint64_t count,
                           bool down, uint64_t *done);
    enum x86_access (*outs)(void *ctx, uint16_t port, unsigned size, uint64_t addr, uint64_t count,
                            bool down, uint64_t *done);
    /*
     * Atomic read-modify-write of ordinary memory, for locked instructions and xchg: if what is
     * there equals *old, desired replaces it; *old receives what was there. The emulator reads once
     * before. NULL, or X86_FAULT (this is no ordinary memory): that read and a plain write.
     * Not asked for cmpxchg16b, which is two reads and two writes.
     */
    enum x86_access (*cmpxchg)(void *ctx, uint64_t addr, unsigned size, uint64_t *old,
                               uint64_t desired);
};

enum x86_result {
    X86_EMULATED = 0, /* registers, flags and rip are updated */
    /*
     * The instruction is to be entered again (rip stays): a rep one made progress (at most
     * X86_REP_BATCH elements a call, so that no guest can hold the caller for long), or a locked
     * one met too much contention.
     */
    X86_REPEAT = 1,
    X86_UNSUPPORTED = 2, /* see x86_fault.text; nothing changed */
    /* The instruction raises x86_fault.vector; registers as the CPU leaves them: unchanged, but a
     * rep keeps the elements done. */
    X86_FAULTED = 3,
    X86_CANCELLED = 4, /* an access returned X86_CANCEL; a rep keeps the elements done */
};

#define X86_REP_BATCH 256 /* elements */

/* Exceptions that can come of an emulated instruction. */
#define X86_VECTOR_DE 0  /* divide error */
#define X86_VECTOR_GP 13 /* misaligned operand of movaps and its like, cmpxchg16b */
#define X86_VECTOR_PF 14 /* an access returned X86_FAULT */

/* Why an instruction was not carried out. */
struct x86_fault {
    uint64_t addr;              /* X86_FAULTED: linear address (or port) of the access */
    uint8_t insn[X86_MAX_INSN]; /* its bytes */
    uint8_t len;                /* how many are known */
    uint8_t vector;             /* X86_FAULTED: X86_VECTOR_ */
    char text[96];              /* its text, Intel syntax, or what is wrong with the bytes */
};

/* Decoded instructions by address, some 64 KiB; a hit is verified against the bytes. */
struct x86_decoder;

/** @return a decoder with a cache, or NULL if out of memory. */
struct x86_decoder *x86_decoder_new(void);
void x86_decoder_free(struct x86_decoder *d);

/**
 * Carries out the instruction at cpu->rip.
 * @param insn bytes at rip; only `len` of them (1 to X86_MAX_INSN) are readable
 * @param fault filled for every result but X86_EMULATED and X86_REPEAT
 */
enum x86_result x86_emulate(struct x86_decoder *d, struct x86_cpu *cpu, const uint8_t *insn,
                            size_t len, const struct x86_ops *ops, void *ctx,
                            struct x86_fault *fault);

#endif
