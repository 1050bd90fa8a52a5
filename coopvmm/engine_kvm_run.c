/* SPDX-License-Identifier: BSD-3-Clause */
/* The kvm engine's vCPU loop: from an exit to vm_io() and back. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "../protocol/iotp.h"
#include "engine.h"
#include "engine_kvm_run.h"
#include "engine_report.h"
#include "ports.h"

bool kvm_ending(const struct vm *vm)
{
    return __atomic_load_n(&vm->stopping, __ATOMIC_ACQUIRE) ||
           __atomic_load_n(&vm->end, __ATOMIC_ACQUIRE) != VM_RUNNING;
}

static void fetch_cpu(const struct kvm_cpu *c, struct x86_cpu *cpu)
{
    struct kvm_regs r = {0};

    memset(cpu, 0, sizeof(*cpu));
    if (ioctl(c->fd, KVM_GET_REGS, &r) < 0)
        return;
    *cpu = (struct x86_cpu){
        .gpr = {r.rax, r.rcx, r.rdx, r.rbx, r.rsp, r.rbp, r.rsi, r.rdi, r.r8, r.r9, r.r10, r.r11,
                r.r12, r.r13, r.r14, r.r15},
        .rip = r.rip,
        .rflags = r.rflags,
    };
}

/* What a stock kernel died of is often told by these. */
static void report_mode(const struct kvm_runner *r)
{
    struct kvm_sregs s;

    if (ioctl(r->c->fd, KVM_GET_SREGS, &s) < 0)
        return;
    vm_log(r->vm, "  cr0=%08llx cr2=%016llx cr3=%016llx cr4=%08llx efer=%04llx",
           (unsigned long long)s.cr0, (unsigned long long)s.cr2, (unsigned long long)s.cr3,
           (unsigned long long)s.cr4, (unsigned long long)s.efer);
    vm_log(r->vm, "  cs=%04x ss=%04x idt=%016llx+%04x gdt=%016llx+%04x", s.cs.selector,
           s.ss.selector, (unsigned long long)s.idt.base, s.idt.limit,
           (unsigned long long)s.gdt.base, s.gdt.limit);
}

__attribute__((format(printf, 2, 3))) static int crash(const struct kvm_runner *r, const char *fmt,
                                                       ...)
{
    struct engine_spot at = {0};
    uint8_t insn[X86_MAX_INSN];
    struct x86_cpu cpu;
    char why[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, sizeof(why), fmt, ap);
    va_end(ap);
    fetch_cpu(r->c, &cpu);
    at.cpu = &cpu;
    at.len = kvm_fetch(r, cpu.rip, insn);
    at.insn = at.len ? insn : NULL;
    ports_flush(r->vm);
    engine_report(r->vm, r->vcpu, &at, why);
    report_mode(r);
    vm_end(r->vm, VM_CRASHED, 0);
    return -ECANCELED;
}

static int single(const struct kvm_runner *r, struct vm_io *io, uint8_t *data)
{
    int err;

    if (io->write)
        memcpy(&io->data, data, io->size);
    err = vm_io(r->vm, r->vcpu, io);
    if (!err && !io->write)
        memcpy(data, &io->data, io->size);
    return err;
}

/* INS and OUTS: KVM has the data in its own page; as much as the bounce buffer takes is one
 * request. What a device does not transfer reads as all ones. */
static int string(const struct kvm_runner *r, struct vm_io *io, uint8_t *data, uint32_t count)
{
    uint8_t *bounce = vm_bounce(r->vm, r->vcpu);
    uint32_t n;

    for (uint32_t done = 0; done < count; done += n) {
        uint8_t *at = data + (size_t)done * io->size;
        int err;

        n = count - done < IOTP_BOUNCE_SIZE / io->size ? count - done : IOTP_BOUNCE_SIZE / io->size;
        io->count = n;
        io->mem = 0;
        io->done_count = 0;
        if (io->write)
            memcpy(bounce, at, (size_t)n * io->size);
        else
            memset(bounce, 0xff, (size_t)n * io->size);
        err = vm_io(r->vm, r->vcpu, io);
        if (err)
            return err;
        if (!io->write)
            memcpy(at, bounce, (size_t)n * io->size);
    }
    return 0;
}

/* KVM hands REP OUTS over an element at a time. The second write in a row to a port is taken as a
 * sign of one; if it is, the rest becomes one request. */
static int single_out(struct kvm_runner *r, struct vm_io *io, uint8_t *data)
{
    bool again = r->last_port == io->addr && r->last_size == io->size;
    int err = single(r, io, data);

    r->repeats = again ? r->repeats + 1 : 0;
    r->last_port = io->addr;
    r->last_size = io->size;
    if (err || r->repeats != 1)
        return err;
    return kvm_finish_outs(r);
}

static int port_exit(struct kvm_runner *r)
{
    struct kvm_run *run = r->c->run;
    uint8_t *data = (uint8_t *)run + run->io.data_offset;
    struct vm_io io = {.space = VM_PIO,
                       .write = run->io.direction == KVM_EXIT_IO_OUT,
                       .size = run->io.size,
                       .count = 1,
                       .addr = run->io.port};

    if (run->io.count == 1 && io.write)
        return single_out(r, &io, data);
    r->last_size = 0;
    if (run->io.count == 1)
        return single(r, &io, data);
    io.string = true;
    io.bounce = true;
    return string(r, &io, data, run->io.count);
}

/* KVM hands over at most 8 bytes; lengths between powers of two come from pages' ends. */
static int mmio_exit(const struct kvm_runner *r)
{
    struct kvm_run *run = r->c->run;
    uint32_t len = run->mmio.len < 8 ? run->mmio.len : 8;

    for (uint32_t at = 0; at < len;) {
        uint32_t left = len - at;
        struct vm_io io = {.space = VM_MMIO,
                           .write = run->mmio.is_write,
                           .size = left >= 8   ? 8
                                   : left >= 4 ? 4
                                   : left >= 2 ? 2
                                               : 1,
                           .count = 1,
                           .addr = run->mmio.phys_addr + at};
        int err = single(r, &io, run->mmio.data + at);

        if (err)
            return err;
        at += io.size;
    }
    return 0;
}

static int internal_error(const struct kvm_runner *r)
{
    const struct kvm_run *run = r->c->run;

    if (run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION)
        return crash(r, "KVM cannot emulate this instruction");
    return crash(r, "KVM internal error %u", run->internal.suberror);
}

static int handle_exit(struct kvm_runner *r)
{
    const struct kvm_run *run = r->c->run;

    switch (run->exit_reason) {
    case KVM_EXIT_IO: return port_exit(r);
    case KVM_EXIT_MMIO: return mmio_exit(r);
    case KVM_EXIT_INTR: return 0;
    case KVM_EXIT_SHUTDOWN: return crash(r, "triple fault");
    case KVM_EXIT_SYSTEM_EVENT: return crash(r, "system event %u", run->system_event.type);
    case KVM_EXIT_FAIL_ENTRY:
        return crash(r, "the CPU refuses to enter the guest, reason %#llx",
                     (unsigned long long)run->fail_entry.hardware_entry_failure_reason);
    case KVM_EXIT_INTERNAL_ERROR: return internal_error(r);
    default: return crash(r, "KVM exit reason %u, which is not expected", run->exit_reason);
    }
}

void kvm_run_loop(struct vm *vm, unsigned vcpu, const struct kvm_cpu *c)
{
    struct kvm_runner r = {.vm = vm, .vcpu = vcpu, .c = c};
    int err = 0;

    while (!err && !kvm_ending(vm)) {
        if (ioctl(c->fd, KVM_RUN, 0) == 0)
            err = handle_exit(&r);
        else if (errno != EINTR && errno != EAGAIN)
            err = crash(&r, "KVM_RUN: %s", strerror(errno));
    }
    if (err && err != -ECANCELED)
        crash(&r, "the vCPU's registers cannot be set: %s", strerror(-err));
}
