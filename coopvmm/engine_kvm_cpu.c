/* SPDX-License-Identifier: BSD-3-Clause */
/* Creation of a machine and its vCPUs. Mode bits: Intel SDM volume 3, section 2.5 and 3.4.5. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "boot.h"
#include "engine_kvm.h"

#define CPUID_ENTRIES 256
#define TSS_ADDRESS   0xfffbd000ul /* three pages Intel's real mode needs; not guest memory */
#define IDENTITY_MAP  0xfffbc000ull

#define CR0_PE         (1u << 0)
#define CR0_MP         (1u << 1)
#define CR0_ET         (1u << 4)
#define CR0_NE         (1u << 5)
#define CR0_WP         (1u << 16)
#define CR0_AM         (1u << 18)
#define CR0_PG         (1u << 31)
#define CR4_PAE        (1u << 5)
#define CR4_OSFXSR     (1u << 9)
#define CR4_OSXMMEXCPT (1u << 10)
#define EFER_LME       (1u << 8)
#define EFER_LMA       (1u << 10)

#define APIC_BASE_EXTD  (1u << 10)
#define APIC_BASE_EN    (1u << 11)
#define APIC_SVR        0xf0 /* offset in the register page */
#define APIC_SVR_ENABLE 0x1ff

#define CPUID1_ECX_X2APIC     (1u << 21)
#define CPUID8_1_EDX_GIB_PAGE (1u << 26)

static int get_cpuid(struct kvm_machine *m)
{
    m->cpuid = calloc(1, sizeof(*m->cpuid) + CPUID_ENTRIES * sizeof(m->cpuid->entries[0]));
    if (!m->cpuid)
        return -ENOMEM;
    m->cpuid->nent = CPUID_ENTRIES;
    if (ioctl(m->sys, KVM_GET_SUPPORTED_CPUID, m->cpuid) < 0)
        return -errno;
    for (unsigned i = 0; i < m->cpuid->nent; i++) {
        const struct kvm_cpuid_entry2 *e = &m->cpuid->entries[i];

        if (e->function == 0x80000001u)
            m->gib_pages = e->edx & CPUID8_1_EDX_GIB_PAGE;
    }
    return 0;
}

static int open_device(struct kvm_machine *m, const char **step)
{
    int size;

    *step = "/dev/kvm";
    m->sys = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (m->sys < 0)
        return -errno;
    *step = "the KVM API is not version 12";
    if (ioctl(m->sys, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
        return -EPROTONOSUPPORT;
    *step = "KVM_GET_VCPU_MMAP_SIZE";
    size = ioctl(m->sys, KVM_GET_VCPU_MMAP_SIZE, 0);
    if (size < (int)sizeof(struct kvm_run))
        return size < 0 ? -errno : -EPROTONOSUPPORT;
    m->run_size = size;
    *step = "KVM_GET_SUPPORTED_CPUID";
    return get_cpuid(m);
}

int kvm_machine_open(struct kvm_machine *m, const char **step)
{
    uint64_t identity = IDENTITY_MAP;
    int err;

    *m = (struct kvm_machine){.sys = -1, .vm = -1};
    err = open_device(m, step);
    if (err)
        return err;
    *step = "KVM_CREATE_VM";
    m->vm = ioctl(m->sys, KVM_CREATE_VM, 0);
    if (m->vm < 0)
        return -errno;
    /* Only some Intel CPUs need these two; elsewhere their refusal means nothing. */
    ioctl(m->vm, KVM_SET_IDENTITY_MAP_ADDR, &identity);
    ioctl(m->vm, KVM_SET_TSS_ADDR, TSS_ADDRESS);
    *step = "KVM_CREATE_IRQCHIP";
    return ioctl(m->vm, KVM_CREATE_IRQCHIP, 0) < 0 ? -errno : 0;
}

void kvm_machine_close(struct kvm_machine *m)
{
    if (m->vm >= 0)
        close(m->vm);
    if (m->sys >= 0)
        close(m->sys);
    free(m->cpuid);
    *m = (struct kvm_machine){.sys = -1, .vm = -1};
}

int kvm_machine_memory(const struct kvm_machine *m, unsigned slot, uint64_t gpa, void *host,
                       uint64_t size)
{
    struct kvm_userspace_memory_region r = {.slot = slot,
                                            .guest_phys_addr = gpa,
                                            .memory_size = size,
                                            .userspace_addr = (uint64_t)(uintptr_t)host};

    return ioctl(m->vm, KVM_SET_USER_MEMORY_REGION, &r) < 0 ? -errno : 0;
}

/* The host's CPUID with this vCPU's APIC ID, and x2APIC even where the host has none itself. */
static int set_cpuid(const struct kvm_machine *m, const struct kvm_cpu *c, unsigned index)
{
    for (unsigned i = 0; i < m->cpuid->nent; i++) {
        struct kvm_cpuid_entry2 *e = &m->cpuid->entries[i];

        if (e->function == 1) {
            e->ebx = (e->ebx & 0xffffff) | index << 24;
            e->ecx |= CPUID1_ECX_X2APIC;
        } else if (e->function == 0xb || e->function == 0x1f) {
            e->edx = index;
        }
    }
    return ioctl(c->fd, KVM_SET_CPUID2, m->cpuid) < 0 ? -errno : 0;
}

static void long_mode(struct kvm_sregs *s)
{
    const struct kvm_segment code = {.limit = 0xffffffff,
                                     .selector = BOOT_CS,
                                     .type = 11, /* execute, read, accessed */
                                     .present = 1,
                                     .s = 1,
                                     .l = 1,
                                     .g = 1};
    const struct kvm_segment data = {.limit = 0xffffffff,
                                     .selector = BOOT_DS,
                                     .type = 3, /* read, write, accessed */
                                     .present = 1,
                                     .db = 1,
                                     .s = 1,
                                     .g = 1};

    s->cs = code;
    s->ds = s->es = s->fs = s->gs = s->ss = data;
    s->gdt = (struct kvm_dtable){.base = BOOT_GDT, .limit = BOOT_GDT_LIMIT};
    s->idt = (struct kvm_dtable){.base = 0, .limit = 0};
    s->cr0 = CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_PG;
    s->cr3 = BOOT_PML4;
    s->cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT;
    s->efer = EFER_LME | EFER_LMA;
    s->apic_base |= APIC_BASE_EN | APIC_BASE_EXTD;
}

static int set_mode(const struct kvm_cpu *c)
{
    struct kvm_mp_state running = {.mp_state = KVM_MP_STATE_RUNNABLE};
    const uint32_t svr = APIC_SVR_ENABLE;
    struct kvm_lapic_state apic;
    struct kvm_sregs s;

    if (ioctl(c->fd, KVM_GET_SREGS, &s) < 0)
        return -errno;
    long_mode(&s);
    if (ioctl(c->fd, KVM_SET_SREGS, &s) < 0 || ioctl(c->fd, KVM_SET_MP_STATE, &running) < 0 ||
        ioctl(c->fd, KVM_GET_LAPIC, &apic) < 0)
        return -errno;
    memcpy(apic.regs + APIC_SVR, &svr, sizeof(svr));
    return ioctl(c->fd, KVM_SET_LAPIC, &apic) < 0 ? -errno : 0;
}

int kvm_cpu_create(const struct kvm_machine *m, unsigned index, struct kvm_cpu *c)
{
    void *run;

    *c = (struct kvm_cpu){.fd = ioctl(m->vm, KVM_CREATE_VCPU, index)};
    if (c->fd < 0)
        return -errno;
    run = mmap(NULL, m->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd, 0);
    if (run == MAP_FAILED)
        return -errno;
    c->run = run;
    return 0;
}

int kvm_cpu_open(const struct kvm_machine *m, unsigned index, struct kvm_cpu *c)
{
    int err = kvm_cpu_create(m, index, c);

    if (!err)
        err = set_cpuid(m, c, index);
    return err ? err : set_mode(c);
}

void kvm_cpu_close(const struct kvm_machine *m, struct kvm_cpu *c)
{
    if (c->run)
        munmap(c->run, m->run_size);
    if (c->fd >= 0)
        close(c->fd);
    *c = (struct kvm_cpu){.fd = -1};
}

int kvm_cpu_enter_at(const struct kvm_cpu *c, uint64_t rip, uint64_t rbx, uint64_t rsi)
{
    struct kvm_regs r = {.rip = rip, .rbx = rbx, .rsi = rsi, .rflags = 2};

    return ioctl(c->fd, KVM_SET_REGS, &r) < 0 ? -errno : 0;
}
