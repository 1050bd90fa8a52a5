/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A local APIC in x2APIC mode, as far as freestanding guests need it: priorities, EOI, fixed IPIs,
 * self-IPI. No timer (a non-zero initial count is refused), no LVT source ever fires.
 * Source: Intel SDM volume 3, chapter "Advanced Programmable Interrupt Controller", section
 * "Extended XAPIC (x2APIC)", table of MSR addresses.
 *
 * Threads: x2apic_raise may be called by any thread and from a signal handler; all else belongs to
 * the vCPU's thread.
 */
#ifndef COOPVMM_X2APIC_H
#define COOPVMM_X2APIC_H

#include <stdbool.h>
#include <stdint.h>

#define X2APIC_MSR_FIRST 0x800u
#define X2APIC_MSR_LAST  0x83fu

enum x2apic_msr {
    X2APIC_ID = 0x802,
    X2APIC_VERSION = 0x803,
    X2APIC_TPR = 0x808,
    X2APIC_PPR = 0x80a,
    X2APIC_EOI = 0x80b,
    X2APIC_LDR = 0x80d,
    X2APIC_SIVR = 0x80f,
    X2APIC_ISR0 = 0x810,
    X2APIC_TMR0 = 0x818,
    X2APIC_IRR0 = 0x820,
    X2APIC_ESR = 0x828,
    X2APIC_LVT_CMCI = 0x82f,
    X2APIC_ICR = 0x830,
    X2APIC_LVT_TIMER = 0x832,
    X2APIC_LVT_ERROR = 0x837,
    X2APIC_TIMER_INIT = 0x838,
    X2APIC_TIMER_CUR = 0x839,
    X2APIC_TIMER_DIV = 0x83e,
    X2APIC_SELF_IPI = 0x83f,
};

struct x2apic {
    uint32_t id;
    uint32_t sivr;   /* bit 8: software enable */
    uint8_t tpr;     /* bits 7:4: vectors of this class and below wait */
    uint32_t lvt[9]; /* CMCI (0x82f), then 0x832 to 0x837; stored only */
    uint32_t timer_div;
    uint64_t icr;
    uint64_t isr[4]; /* vector v: bit v % 64 of word v / 64 */
    uint64_t irr[4]; /* likewise; atomic */
};

/* An inter-processor interrupt the guest asked for. */
struct x2apic_ipi {
    bool wanted;
    bool self, others; /* whom it goes to by shorthand; neither: `dest` */
    uint32_t dest;     /* x2APIC ID, 0xffffffff: all; or a logical ID */
    bool logical;
    uint8_t vector;
    uint8_t mode; /* 0: fixed; 4: NMI, 5: INIT, 6: start-up, ... */
};

/** The state at guest entry: enabled, nothing pending. */
void x2apic_init(struct x2apic *a, uint32_t id);
/** An edge on `vector` arrived. A vector below 16 is dropped, as hardware does. */
void x2apic_raise(struct x2apic *a, uint8_t vector);
/** @return the vector to be delivered next, -1: none is pending above the priority in force. */
int x2apic_pending(const struct x2apic *a);
/** The CPU takes `vector`, which x2apic_pending returned. */
void x2apic_accept(struct x2apic *a, uint8_t vector);
/** RDMSR. @return 0 and *value; -EINVAL: #GP. */
int x2apic_read(const struct x2apic *a, uint32_t msr, uint64_t *value);
/** WRMSR. *ipi says what is to be sent. @return 0; -EINVAL: #GP. */
int x2apic_write(struct x2apic *a, uint32_t msr, uint64_t value, struct x2apic_ipi *ipi);
/** Does an IPI sent by `from` go to the APIC with this ID? */
bool x2apic_is_target(const struct x2apic_ipi *ipi, uint32_t from, uint32_t id);

#endif
