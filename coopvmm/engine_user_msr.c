/* SPDX-License-Identifier: BSD-3-Clause */
/* The MSRs of the user engine: the x2APIC's, and the few that tell what mode the CPU is in. */
#include "engine_user.h"

#define MSR_TSC       0x10u
#define MSR_APIC_BASE 0x1bu
#define MSR_EFER      0xc0000080u
#define MSR_FS_BASE   0xc0000100u
#define MSR_GS_BASE   0xc0000101u

#define APIC_BASE_ADDR 0xfee00000u
#define APIC_BASE_BSP  (1u << 8)
#define APIC_BASE_EXTD (1u << 10) /* x2APIC mode */
#define APIC_BASE_EN   (1u << 11)

#define EFER_SCE (1u << 0)
#define EFER_NXE (1u << 11)

static uint64_t apic_base(const struct user_vcpu *v)
{
    return APIC_BASE_ADDR | APIC_BASE_EN | APIC_BASE_EXTD | (v->index == 0 ? APIC_BASE_BSP : 0);
}

static bool read_msr(const struct user_vcpu *v, uint32_t msr, uint64_t *value)
{
    if (msr >= X2APIC_MSR_FIRST && msr <= X2APIC_MSR_LAST)
        return x2apic_read(&v->apic, msr, value) == 0;
    switch (msr) {
    case MSR_TSC: *value = __builtin_ia32_rdtsc(); return true;
    case MSR_APIC_BASE: *value = apic_base(v); return true;
    case MSR_EFER: *value = v->ctl.efer; return true;
    case MSR_FS_BASE:
    case MSR_GS_BASE: *value = 0; return true;
    default: return false;
    }
}

bool user_rdmsr(struct user_vcpu *v)
{
    uint64_t value = 0;

    if (!read_msr(v, v->cpu.gpr[X86_RCX], &value))
        return false;
    v->cpu.gpr[X86_RAX] = value & 0xffffffff;
    v->cpu.gpr[X86_RDX] = value >> 32;
    return true;
}

static bool write_apic(struct user_vcpu *v, uint32_t msr, uint64_t value)
{
    struct x2apic_ipi ipi;

    if (x2apic_write(&v->apic, msr, value, &ipi) < 0)
        return false;
    user_ipi(v, &ipi);
    return true;
}

/* SYSCALL and NX enables are remembered; long mode stays as it is. */
static bool write_efer(struct user_vcpu *v, uint64_t value)
{
    if ((value ^ v->ctl.efer) & ~(uint64_t)(EFER_SCE | EFER_NXE))
        return false;
    v->ctl.efer = value;
    return true;
}

bool user_wrmsr(struct user_vcpu *v)
{
    uint32_t msr = v->cpu.gpr[X86_RCX];
    uint64_t value = v->cpu.gpr[X86_RDX] << 32 | (uint32_t)v->cpu.gpr[X86_RAX];

    if (msr >= X2APIC_MSR_FIRST && msr <= X2APIC_MSR_LAST)
        return write_apic(v, msr, value);
    switch (msr) {
    case MSR_APIC_BASE: return value == apic_base(v);
    case MSR_EFER: return write_efer(v, value);
    case MSR_FS_BASE:
    case MSR_GS_BASE:
        if (value)
            user_crash(v, "WRMSR of the %s base; the user engine needs FS and GS for itself",
                       msr == MSR_FS_BASE ? "FS" : "GS");
        return true;
    default: return false;
    }
}
