/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Instructions of ring 0 for the user engine. They arrive as #GP. The ones a guest uses all the
 * time (HLT, CLI, STI, IRETQ, RDMSR, WRMSR) are recognised by their bytes, the others by Zydis.
 * Source: Intel SDM volume 2, the pages of the instructions.
 */
#include <Zydis/Zydis.h>
#include <string.h>

#include "engine_user.h"

/* Bits of CR0 and CR4 that change nothing for identity-mapped ring-3 code. */
#define CR0_FREE 0x6005002aull /* MP, TS, NE, WP, AM, NW, CD */
#define CR4_FREE 0x00350fdbull /* all but TSD, PAE and what is newer than SMAP */
#define CR0_TS   (1ull << 3)

/* Popped by IRETQ. */
struct iret_frame {
    uint64_t rip, cs, rflags, rsp, ss;
};

static void cli(struct user_vcpu *v)
{
    v->cpu.rflags &= ~(uint64_t)X86_FLAG_IF;
}

static void sti(struct user_vcpu *v, uint64_t next)
{
    if (v->cpu.rflags & X86_FLAG_IF)
        return;
    v->cpu.rflags |= X86_FLAG_IF;
    v->ctl.shadow = true;
    v->ctl.shadow_rip = next;
}

static void iretq(struct user_vcpu *v)
{
    struct iret_frame f;

    if (!user_ram_read(v, v->cpu.gpr[X86_RSP], &f, sizeof(f))) {
        user_crash(v, "IRETQ with a stack outside memory");
        return;
    }
    v->cpu.rip = f.rip;
    v->cpu.rflags = f.rflags & ~(uint64_t)X86_FLAG_TF;
    v->cpu.gpr[X86_RSP] = f.rsp;
    v->ctl.cs = f.cs;
    v->ctl.ss = f.ss;
}

/* A return loads the code segment; what it is does not matter, all of them are flat. */
static void far_ret(struct user_vcpu *v, unsigned width, uint64_t release)
{
    uint64_t rip = 0, cs = 0, rsp = v->cpu.gpr[X86_RSP];

    if (!user_ram_read(v, rsp, &rip, width) || !user_ram_read(v, rsp + width, &cs, width)) {
        user_crash(v, "far RET with a stack outside memory");
        return;
    }
    v->cpu.rip = rip;
    v->ctl.cs = cs;
    v->cpu.gpr[X86_RSP] = rsp + 2 * width + release;
}

static void msr(struct user_vcpu *v, bool write, unsigned len)
{
    uint32_t number = v->cpu.gpr[X86_RCX];
    bool ok = write ? user_wrmsr(v) : user_rdmsr(v);

    if (ok) {
        v->cpu.rip += len;
        return;
    }
    vm_log(v->vm, "vCPU %u: %s of %#x is refused (#GP)", v->index, write ? "WRMSR" : "RDMSR",
           number);
    user_exception(v, USER_GP, 0);
}

/* HLT right behind STI is the idle loop of every guest: done without another trap. */
static void sti_and_maybe_halt(struct user_vcpu *v, const uint8_t *insn, size_t len)
{
    v->cpu.rip += 1;
    sti(v, v->cpu.rip);
    if (len >= 2 && insn[1] == 0xf4) {
        v->cpu.rip += 1;
        user_halt(v);
    }
}

/* @return false: none of them */
static bool frequent(struct user_vcpu *v, const uint8_t *insn, size_t len)
{
    switch (insn[0]) {
    case 0xf4:
        v->cpu.rip += 1;
        user_halt(v);
        return true;
    case 0xfa:
        v->cpu.rip += 1;
        cli(v);
        return true;
    case 0xfb: sti_and_maybe_halt(v, insn, len); return true;
    case 0x48:
        if (len < 2 || insn[1] != 0xcf)
            return false;
        iretq(v);
        return true;
    case 0x0f:
        if (len < 2 || (insn[1] != 0x30 && insn[1] != 0x32))
            return false;
        msr(v, insn[1] == 0x30, 2);
        return true;
    default: return false;
    }
}

/* A decoded instruction of the rarer kind. */
struct priv {
    struct user_vcpu *v;
    ZydisDecodedInstruction insn;
    ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
};

static int gpr_index(ZydisRegister r)
{
    ZydisRegister full = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, r);

    if (full < ZYDIS_REGISTER_RAX || full > ZYDIS_REGISTER_R15)
        return -1;
    return full - ZYDIS_REGISTER_RAX;
}

static uint64_t address(const struct priv *p, const ZydisDecodedOperand *o)
{
    const struct x86_cpu *c = &p->v->cpu;
    int base = gpr_index(o->mem.base), index = gpr_index(o->mem.index);
    uint64_t a = o->mem.disp.has_displacement ? (uint64_t)o->mem.disp.value : 0;

    if (o->mem.base == ZYDIS_REGISTER_RIP)
        a += c->rip + p->insn.length;
    else if (base >= 0)
        a += c->gpr[base];
    if (index >= 0)
        a += c->gpr[index] * o->mem.scale;
    return p->insn.address_width == 32 ? (uint32_t)a : a;
}

/* LGDT, LIDT: limit and base from memory. */
static void load_dtr(const struct priv *p, struct user_dtr *d)
{
    uint64_t at = address(p, &p->op[0]);

    if (!user_ram_read(p->v, at, &d->limit, 2) || !user_ram_read(p->v, at + 2, &d->base, 8))
        user_crash(p->v, "a descriptor table register loaded from outside memory");
}

static bool read_cr(const struct user_vcpu *v, ZydisRegister r, uint64_t *value)
{
    switch (r) {
    case ZYDIS_REGISTER_CR0: *value = v->ctl.cr0; return true;
    case ZYDIS_REGISTER_CR2: *value = v->ctl.cr2; return true;
    case ZYDIS_REGISTER_CR3: *value = v->ctl.cr3; return true;
    case ZYDIS_REGISTER_CR4: *value = v->ctl.cr4; return true;
    case ZYDIS_REGISTER_CR8: *value = v->apic.tpr >> 4; return true;
    default: return false;
    }
}

static bool change(uint64_t *cr, uint64_t value, uint64_t free_bits)
{
    if ((*cr ^ value) & ~free_bits)
        return false;
    *cr = value;
    return true;
}

static bool write_cr(struct user_vcpu *v, ZydisRegister r, uint64_t value)
{
    switch (r) {
    case ZYDIS_REGISTER_CR0: return change(&v->ctl.cr0, value, CR0_FREE);
    case ZYDIS_REGISTER_CR2: v->ctl.cr2 = value; return true;
    case ZYDIS_REGISTER_CR3: return value == v->ctl.cr3; /* a TLB flush */
    case ZYDIS_REGISTER_CR4: return change(&v->ctl.cr4, value, CR4_FREE);
    case ZYDIS_REGISTER_CR8: v->apic.tpr = (value & 0xf) << 4; return value < 16;
    default: return false;
    }
}

/* Debug registers: no breakpoints, so they read as after reset and only take that. */
static bool move_dr(struct user_vcpu *v, ZydisRegister dr, int gpr, bool write)
{
    uint64_t reset = dr == ZYDIS_REGISTER_DR6 ? 0xffff0ff0 : dr == ZYDIS_REGISTER_DR7 ? 0x400 : 0;

    if (write)
        return v->cpu.gpr[gpr] == reset || (dr == ZYDIS_REGISTER_DR7 && v->cpu.gpr[gpr] == 0);
    v->cpu.gpr[gpr] = reset;
    return true;
}

/* XCR0 is the host's; the guest may switch on what is on already. */
static bool xsetbv(const struct user_vcpu *v)
{
    uint64_t value = v->cpu.gpr[X86_RDX] << 32 | (uint32_t)v->cpu.gpr[X86_RAX];
    uint32_t low, high;

    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint32_t)v->cpu.gpr[X86_RCX] == 0 && (value & 1) &&
           !(value & ~((uint64_t)high << 32 | low));
}

static bool move(const struct priv *p)
{
    ZydisRegister to = p->op[0].reg.value, from = p->op[1].reg.value;
    ZydisRegisterClass to_class = ZydisRegisterGetClass(to);

    if (p->op[0].type != ZYDIS_OPERAND_TYPE_REGISTER)
        return false;
    if (to_class == ZYDIS_REGCLASS_SEGMENT) {
        if (to == ZYDIS_REGISTER_SS && p->op[1].type == ZYDIS_OPERAND_TYPE_REGISTER)
            p->v->ctl.ss = p->v->cpu.gpr[gpr_index(from)];
        return true;
    }
    if (to_class == ZYDIS_REGCLASS_CONTROL)
        return write_cr(p->v, to, p->v->cpu.gpr[gpr_index(from)]);
    if (to_class == ZYDIS_REGCLASS_DEBUG)
        return move_dr(p->v, to, gpr_index(from), true);
    if (p->op[1].type != ZYDIS_OPERAND_TYPE_REGISTER)
        return false;
    if (ZydisRegisterGetClass(from) == ZYDIS_REGCLASS_CONTROL)
        return read_cr(p->v, from, &p->v->cpu.gpr[gpr_index(to)]);
    if (ZydisRegisterGetClass(from) == ZYDIS_REGCLASS_DEBUG)
        return move_dr(p->v, from, gpr_index(to), false);
    return false;
}

/* @return false: cannot be done; an instruction that jumps sets rip itself and *jumped */
static bool rare(const struct priv *p, bool *jumped)
{
    struct user_vcpu *v = p->v;

    switch (p->insn.mnemonic) {
    case ZYDIS_MNEMONIC_MOV: return move(p);
    case ZYDIS_MNEMONIC_LGDT: load_dtr(p, &v->ctl.gdt); return true;
    case ZYDIS_MNEMONIC_LIDT: load_dtr(p, &v->ctl.idt); return true;
    case ZYDIS_MNEMONIC_CLTS: v->ctl.cr0 &= ~CR0_TS; return true;
    case ZYDIS_MNEMONIC_XSETBV: return xsetbv(v);
    case ZYDIS_MNEMONIC_LTR:
    case ZYDIS_MNEMONIC_LLDT:
    case ZYDIS_MNEMONIC_INVLPG:
    case ZYDIS_MNEMONIC_WBINVD:
    case ZYDIS_MNEMONIC_INVD: return true;
    case ZYDIS_MNEMONIC_IRETQ:
        *jumped = true;
        iretq(v);
        return true;
    case ZYDIS_MNEMONIC_RET:
        if (p->insn.meta.branch_type != ZYDIS_BRANCH_TYPE_FAR)
            return false;
        *jumped = true;
        far_ret(v, p->insn.operand_width / 8,
                p->op[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE ? p->op[0].imm.value.u : 0);
        return true;
    case ZYDIS_MNEMONIC_INT:
        *jumped = true;
        v->cpu.rip += p->insn.length;
        user_soft_interrupt(v, p->op[0].imm.value.u);
        return true;
    default: return false;
    }
}

/* Ring 0 only, but without emulation here: a #GP would hide what is missing. */
static bool is_unsupported(const ZydisDecodedInstruction *i)
{
    switch (i->mnemonic) {
    case ZYDIS_MNEMONIC_MOV:
    case ZYDIS_MNEMONIC_SWAPGS:
    case ZYDIS_MNEMONIC_SYSRET:
    case ZYDIS_MNEMONIC_SYSEXIT:
    case ZYDIS_MNEMONIC_IRET:
    case ZYDIS_MNEMONIC_IRETD:
    case ZYDIS_MNEMONIC_XSETBV:
    case ZYDIS_MNEMONIC_LMSW:
    case ZYDIS_MNEMONIC_INVPCID:
    case ZYDIS_MNEMONIC_RDPMC: return true;
    default: return i->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR;
    }
}

/* A MOV that loads no system register is not privileged: its #GP is about the address. */
static bool is_plain_move(const struct priv *p)
{
    for (unsigned i = 0; i < 2; i++) {
        ZydisRegisterClass c = p->op[i].type == ZYDIS_OPERAND_TYPE_REGISTER
                                   ? ZydisRegisterGetClass(p->op[i].reg.value)
                                   : ZYDIS_REGCLASS_INVALID;

        if (c == ZYDIS_REGCLASS_SEGMENT || c == ZYDIS_REGCLASS_CONTROL || c == ZYDIS_REGCLASS_DEBUG)
            return false;
    }
    return p->insn.mnemonic == ZYDIS_MNEMONIC_MOV;
}

static bool decode(struct priv *p, const uint8_t *insn, size_t len)
{
    ZydisDecoder d;

    ZydisDecoderInit(&d, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    return ZYAN_SUCCESS(ZydisDecoderDecodeFull(&d, insn, len, &p->insn, p->op));
}

bool user_privileged(struct user_vcpu *v, const uint8_t *insn, size_t len)
{
    struct priv p = {.v = v};
    bool jumped = false;

    if (frequent(v, insn, len))
        return true;
    if (!decode(&p, insn, len) || is_plain_move(&p))
        return false;
    if (rare(&p, &jumped)) {
        if (!jumped && !v->leave)
            v->cpu.rip += p.insn.length;
        return true;
    }
    if (!is_unsupported(&p.insn))
        return false;
    user_crash(v, "an instruction or a value the user engine cannot do");
    return true;
}
