/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * REP OUTS as one request. KVM emulates it an element and an exit at a time, which makes a frame
 * written to a data port cost hundreds of exits. Between two of them the registers tell where the
 * instruction is (RSI, RCX; RIP stays on it), so that user space can do the rest at once.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "../emul/x86.h"
#include "../protocol/iotp.h"
#include "engine_kvm_run.h"

#define PAGE      4096u
#define RFLAGS_DF X86_FLAG_DF

/* An access that was answered is only finished by the next KVM_RUN; this one does nothing else. */
static void complete_pending(const struct kvm_cpu *c)
{
    __atomic_store_n(&c->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
    ioctl(c->fd, KVM_RUN, 0);
    /* stop() sets it too, but `stopping` first: whoever clears it looks at that next. */
    __atomic_store_n(&c->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
}

/* @return false: not mapped, or not to guest memory */
static bool translate(const struct kvm_runner *r, uint64_t linear, uint64_t *gpa)
{
    struct kvm_translation t = {.linear_address = linear};

    if (ioctl(r->c->fd, KVM_TRANSLATE, &t) < 0 || !t.valid ||
        !vm_mem_at(&r->vm->mem, t.physical_address, NULL))
        return false;
    *gpa = t.physical_address;
    return true;
}

/* As far as they lie in RIP's page. */
unsigned kvm_fetch(const struct kvm_runner *r, uint64_t rip, uint8_t insn[X86_MAX_INSN])
{
    uint64_t gpa, len = PAGE - rip % PAGE;
    const uint8_t *at;

    if (!translate(r, rip, &gpa))
        return 0;
    len = len < X86_MAX_INSN ? len : X86_MAX_INSN;
    at = vm_mem_at(&r->vm->mem, gpa, &len);
    if (!at)
        return 0;
    memcpy(insn, at, len);
    return (unsigned)len;
}

/* Is it a plain 64-bit REP OUTS of `size`? @return its length, 0: no */
static unsigned match_rep_outs(const uint8_t *insn, unsigned len, uint8_t size)
{
    bool rep = false, narrow = false;
    unsigned i = 0;
    uint8_t width;

    for (; i < len && (insn[i] == 0xf3 || insn[i] == 0x66); i++) {
        rep |= insn[i] == 0xf3;
        narrow |= insn[i] == 0x66;
    }
    if (i < len && (insn[i] & 0xf0) == 0x40)
        i++; /* REX changes nothing here */
    if (i >= len || !rep || (insn[i] & 0xfe) != 0x6e)
        return 0;
    width = insn[i] == 0x6e ? 1 : narrow ? 2 : 4;
    return width == size ? i + 1 : 0;
}

/* As much as lies in the page at RSI. @return elements transferred, 0: none, leave it to KVM;
 * or -ECANCELED */
static long out_page(const struct kvm_runner *r, const struct kvm_regs *regs)
{
    struct vm_io io = {.space = VM_PIO,
                       .write = true,
                       .string = true,
                       .down = regs->rflags & RFLAGS_DF,
                       .size = r->last_size,
                       .addr = r->last_port};
    uint64_t offset = regs->rsi % PAGE, fit;
    int err;

    fit = (PAGE - offset) / io.size; /* of these the first must lie in the page wholly, too */
    if (fit && io.down)
        fit = offset / io.size + 1;
    io.count = regs->rcx < fit ? regs->rcx : fit;
    if (!io.count || !translate(r, regs->rsi, &io.mem))
        return 0;
    err = vm_io(r->vm, r->vcpu, &io);
    if (err)
        return err;
    return io.done_count < io.count ? io.done_count : io.count;
}

static int out_all(const struct kvm_runner *r, struct kvm_regs *regs, unsigned insn_len)
{
    long n = 1;

    while (regs->rcx && n && !kvm_ending(r->vm)) {
        uint64_t bytes;

        n = out_page(r, regs);
        if (n < 0)
            return n;
        bytes = (uint64_t)n * r->last_size;
        regs->rsi = regs->rflags & RFLAGS_DF ? regs->rsi - bytes : regs->rsi + bytes;
        regs->rcx -= n;
    }
    if (!regs->rcx)
        regs->rip += insn_len;
    return 0;
}

int kvm_finish_outs(struct kvm_runner *r)
{
    uint8_t insn[X86_MAX_INSN];
    struct kvm_sregs sregs;
    struct kvm_regs regs;
    unsigned len;
    int err;

    complete_pending(r->c);
    if (ioctl(r->c->fd, KVM_GET_REGS, &regs) < 0 || ioctl(r->c->fd, KVM_GET_SREGS, &sregs) < 0)
        return 0;
    if (!sregs.cs.l || !regs.rcx || (uint16_t)regs.rdx != r->last_port)
        return 0;
    len = match_rep_outs(insn, kvm_fetch(r, regs.rip, insn), r->last_size);
    if (!len)
        return 0;
    err = out_all(r, &regs, len);
    if (ioctl(r->c->fd, KVM_SET_REGS, &regs) < 0)
        return -errno;
    return err;
}
