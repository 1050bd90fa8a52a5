/* SPDX-License-Identifier: BSD-3-Clause */
/* Platform "pc" on KVM: what its firmware would have set up. Bits: Intel SDM volume 3. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "boot.h"
#include "engine_kvm.h"

#define CR0_PE   (1u << 0)
#define CR0_ET   (1u << 4)
#define CR0_NE   (1u << 5)
#define CR0_PG   (1u << 31)
#define CR4_PAE  (1u << 5)
#define EFER_LME (1u << 8)
#define EFER_LMA (1u << 10)

#define PC_DELAY_PORT 0x80

#define MSR_MTRR_DEF_TYPE 0x2ff
#define MTRR_WRITE_BACK   (1u << 11 | 6) /* enabled; all memory, and KVM knows what is none */

/* Offsets in the local APIC's register page, 11.4.1. */
#define APIC_LVT_LINT0   0x350
#define APIC_LVT_LINT1   0x360
#define APIC_MODE_NMI    0x400
#define APIC_MODE_EXTINT 0x700

/*
 * Port 0x80 shows POST codes; Linux writes to it to pass the time behind each outb_p() and inb_p(),
 * of which drivers of ISA's age are full. Bound to an eventfd that nobody reads, the write ends in
 * the kernel: the exit to user space would take many times as long as the delay that is wanted.
 */
static int sink_delays(const struct kvm_machine *m)
{
    struct kvm_ioeventfd sink = {.addr = PC_DELAY_PORT, .len = 1, .flags = KVM_IOEVENTFD_FLAG_PIO};
    int err = 0;

    sink.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (sink.fd < 0)
        return -errno;
    if (ioctl(m->vm, KVM_IOEVENTFD, &sink) < 0)
        err = -errno;
    close(sink.fd); /* the VM keeps it */
    return err;
}

int kvm_pc_machine(const struct kvm_machine *m)
{
    struct kvm_pit_config pit = {.flags = KVM_PIT_SPEAKER_DUMMY};

    return ioctl(m->vm, KVM_CREATE_PIT2, &pit) < 0 ? -errno : sink_delays(m);
}

/* The 8259s reach vCPU 0 through LINT0 ("virtual wire"). */
static int wire_lapic(const struct kvm_cpu *c, unsigned index)
{
    const uint32_t extint = APIC_MODE_EXTINT, nmi = APIC_MODE_NMI;
    struct kvm_lapic_state apic;

    if (ioctl(c->fd, KVM_GET_LAPIC, &apic) < 0)
        return -errno;
    if (index == 0)
        memcpy(apic.regs + APIC_LVT_LINT0, &extint, sizeof(extint));
    memcpy(apic.regs + APIC_LVT_LINT1, &nmi, sizeof(nmi));
    return ioctl(c->fd, KVM_SET_LAPIC, &apic) < 0 ? -errno : 0;
}

static int set_msrs(const struct kvm_cpu *c)
{
    const struct kvm_msr_entry mtrr = {.index = MSR_MTRR_DEF_TYPE, .data = MTRR_WRITE_BACK};
    struct kvm_msrs *m = calloc(1, sizeof(*m) + sizeof(mtrr));
    int n;

    if (!m)
        return -ENOMEM;
    m->nmsrs = 1;
    m->entries[0] = mtrr;
    n = ioctl(c->fd, KVM_SET_MSRS, m);
    free(m);
    return n == 1 ? 0 : -EIO;
}

int kvm_pc_cpu(const struct kvm_machine *m, unsigned index, unsigned nvcpus, struct kvm_cpu *c)
{
    int err = kvm_cpu_create(m, index, c);

    if (err)
        return err;
    kvm_pc_cpuid(m, index, nvcpus);
    if (ioctl(c->fd, KVM_SET_CPUID2, m->cpuid) < 0)
        return -errno;
    err = set_msrs(c);
    return err ? err : wire_lapic(c, index);
}

/* Flat, as both ways in want it. */
static void flat_segments(struct kvm_sregs *s, bool long_mode)
{
    const struct kvm_segment code = {.limit = 0xffffffff,
                                     .selector = PC_BOOT_CS,
                                     .type = 11, /* execute, read, accessed */
                                     .present = 1,
                                     .s = 1,
                                     .l = long_mode,
                                     .db = !long_mode,
                                     .g = 1};
    struct kvm_segment data = code;

    data.selector = PC_BOOT_DS;
    data.type = 3; /* read, write, accessed */
    data.l = 0;
    data.db = 1;
    s->cs = code;
    s->ds = s->es = s->fs = s->gs = s->ss = data;
    s->tr = (struct kvm_segment){.limit = 0x67, .type = 11, .present = 1};
}

/* boot.rst, "64-bit Boot Protocol"; pvh.pandoc: EBX, CR0, CR4, flat segments, flags clear. */
int kvm_pc_enter(const struct kvm_cpu *c, const struct pc_start *start)
{
    struct kvm_regs r = {.rip = start->entry, .rflags = 2};
    struct kvm_sregs s;

    if (ioctl(c->fd, KVM_GET_SREGS, &s) < 0)
        return -errno;
    flat_segments(&s, start->long_mode);
    s.cr0 = CR0_PE | CR0_ET;
    if (start->long_mode) {
        s.gdt = (struct kvm_dtable){.base = BOOT_GDT, .limit = PC_BOOT_GDT};
        s.cr0 |= CR0_NE | CR0_PG;
        s.cr3 = BOOT_PML4;
        s.cr4 = CR4_PAE;
        s.efer = EFER_LME | EFER_LMA;
        r.rsi = PC_BOOT_PARAMS;
    } else {
        r.rbx = BOOT_START_INFO;
    }
    if (ioctl(c->fd, KVM_SET_SREGS, &s) < 0 || ioctl(c->fd, KVM_SET_REGS, &r) < 0)
        return -errno;
    return 0;
}
