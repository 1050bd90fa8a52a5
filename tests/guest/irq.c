/* SPDX-License-Identifier: BSD-3-Clause */
/* IDT, x2APIC, and what each vector does. Source: Intel SDM volume 3, chapters 6 and 10. */
#include "guest.h"

#define MSR_APIC_BASE   0x1b
#define APIC_BASE_EXTD  (1u << 10)
#define APIC_BASE_EN    (1u << 11)
#define MSR_X2APIC_ID   0x802
#define MSR_X2APIC_EOI  0x80b
#define MSR_X2APIC_SIVR 0x80f
#define MSR_X2APIC_ICR  0x830
#define SIVR_ENABLE     0x100

#define VECTOR_SPURIOUS 0xff
#define FIXED_VECTORS   (VECTOR_LINE0 + LINES)

/* Pushed by vectors.S and the CPU. */
struct irq_frame {
    uint64_t gpr[15];
    uint64_t vector, error;
    uint64_t rip, cs, rflags, rsp, ss;
};

struct idt_gate {
    uint16_t offset_low, selector;
    uint8_t ist, type;
    uint16_t offset_mid;
    uint32_t offset_high, reserved;
};

extern const uint64_t vector_entry[FIXED_VECTORS], ipi_entry, spurious_entry;
void irq_entry(struct irq_frame *f);

static struct idt_gate idt[256];
static uint32_t line_count[LINES];
static uint32_t ipis[MAX_VCPUS], apic_id[MAX_VCPUS];

static void set_gate(unsigned vector, uint64_t entry)
{
    idt[vector] = (struct idt_gate){.offset_low = entry,
                                    .selector = 8,
                                    .type = 0x8e, /* present, 64-bit interrupt gate */
                                    .offset_mid = entry >> 16,
                                    .offset_high = entry >> 32};
}

static void load_idt(void)
{
    const struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) p = {sizeof(idt) - 1, (uint64_t)(uintptr_t)idt};

    __asm__ volatile("lidt %0" : : "m"(p));
}

static void enable_x2apic(void)
{
    uint64_t base = rdmsr(MSR_APIC_BASE);

    if ((base & (APIC_BASE_EN | APIC_BASE_EXTD)) != (APIC_BASE_EN | APIC_BASE_EXTD)) {
        wrmsr(MSR_APIC_BASE, base | APIC_BASE_EN);
        wrmsr(MSR_APIC_BASE, base | APIC_BASE_EN | APIC_BASE_EXTD);
    }
    wrmsr(MSR_X2APIC_SIVR, SIVR_ENABLE | VECTOR_SPURIOUS);
}

/* All vCPUs write the same gates; the first one is done before the others look. */
void irq_init(unsigned vcpu)
{
    if (vcpu == 0) {
        for (unsigned v = 0; v < FIXED_VECTORS; v++)
            set_gate(v, vector_entry[v]);
        set_gate(VECTOR_IPI, ipi_entry);
        set_gate(VECTOR_SPURIOUS, spurious_entry);
    }
    load_idt();
    enable_x2apic();
    apic_id[vcpu] = rdmsr(MSR_X2APIC_ID);
}

static unsigned this_vcpu(void)
{
    extern uint8_t stacks[];
    uintptr_t sp = (uintptr_t)__builtin_frame_address(0);

    return (sp - (uintptr_t)stacks) / STACK_SIZE;
}

static void exception(const struct irq_frame *f)
{
    print("guest: exception %lu error %lx at %lx, rsp %lx\n", f->vector, f->error, f->rip, f->rsp);
    guest_exit(255);
}

void irq_entry(struct irq_frame *f)
{
    if (f->vector < VECTOR_LINE0)
        exception(f);
    if (f->vector == VECTOR_SPURIOUS)
        return; /* takes no EOI */
    if (f->vector == VECTOR_IPI)
        __atomic_fetch_add(&ipis[this_vcpu()], 1, __ATOMIC_RELEASE);
    else
        __atomic_fetch_add(&line_count[f->vector - VECTOR_LINE0], 1, __ATOMIC_RELEASE);
    wrmsr(MSR_X2APIC_EOI, 0);
}

uint32_t irq_count(unsigned line)
{
    return __atomic_load_n(&line_count[line % LINES], __ATOMIC_ACQUIRE);
}

uint32_t ipi_count(unsigned vcpu)
{
    return __atomic_load_n(&ipis[vcpu], __ATOMIC_ACQUIRE);
}

void ipi_send(unsigned vcpu)
{
    wrmsr(MSR_X2APIC_ICR, (uint64_t)apic_id[vcpu] << 32 | VECTOR_IPI);
}
