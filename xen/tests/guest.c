/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A PVH guest that does the accesses its device model orders: freestanding, 32 bits, one vCPU, no
 * interrupts, no paging.
 */
#include "guest.h"

#define __XEN_INTERFACE_VERSION__ __XEN_LATEST_INTERFACE_VERSION__
#include <xen/arch-x86/cpuid.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/xen.h>

#define HYPERCALL_BYTES 32 /* an entry of the hypercall page */

#define APIC_BASE       0xfee00000u
#define APIC_SVR        0xf0 /* spurious-interrupt vector register */
#define APIC_SVR_ENABLE 0x100

extern uint8_t hypercall_page[4096], spare_page[4096]; /* guest_start.S */
void guest_main(void);

static uint32_t samples[OP_SAMPLES];
static uint8_t buffer[STRING_BYTES];

static inline uint64_t ticks(void)
{
    uint64_t t;

    __asm__ volatile("lfence; rdtsc; lfence" : "=A"(t) : : "memory");
    return t;
}

static inline uint8_t inb(uint16_t port)
{
    uint8_t v;

    __asm__ volatile("inb %w1, %0" : "=a"(v) : "d"(port) : "memory");
    return v;
}

static inline uint32_t inl(uint16_t port)
{
    uint32_t v;

    __asm__ volatile("inl %w1, %0" : "=a"(v) : "d"(port) : "memory");
    return v;
}

static inline void outl(uint16_t port, uint32_t v)
{
    __asm__ volatile("outl %0, %w1" : : "a"(v), "d"(port) : "memory");
}

/* --- hypercalls --- */

static int hypercall(unsigned number, uint32_t a, const void *b)
{
    int r;

    __asm__ volatile("call *%[entry]"
                     : "=a"(r), "+b"(a), "+c"(b)
                     : [entry] "S"(hypercall_page + HYPERCALL_BYTES * number)
                     : "edx", "edi", "memory");
    return r;
}

static void hypercall_init(void)
{
    uint32_t leaf = XEN_CPUID_FIRST_LEAF + 2, msr, eax = leaf, ecx = 0, edx;

    __asm__ volatile("cpuid" : "+a"(eax), "=b"(msr), "+c"(ecx), "=d"(edx));
    __asm__ volatile("wrmsr" : : "c"(msr), "a"(hypercall_page), "d"(0) : "memory");
}

/* The mapcache of whoever may have mapped the page is invalid then, says Xen to its device models.
 */
static uint32_t replace_pages(uint32_t n)
{
    uint32_t failures = 0;
    xen_pfn_t pfn = (uintptr_t)spare_page >> 12;
    struct xen_memory_reservation r = {.nr_extents = 1, .domid = DOMID_SELF};

    set_xen_guest_handle(r.extent_start, &pfn);
    for (uint32_t i = 0; i < n; i++)
        failures += hypercall(__HYPERVISOR_memory_op, XENMEM_decrease_reservation, &r) != 1 ||
                    hypercall(__HYPERVISOR_memory_op, XENMEM_populate_physmap, &r) != 1;
    return failures;
}

static void power_off(void)
{
    struct sched_shutdown s = {.reason = SHUTDOWN_poweroff};

    hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown, &s);
}

/* Interrupts then arrive at the local APIC. They stay there: EFLAGS.IF is clear for ever. */
static void apic_enable(void)
{
    *(volatile uint32_t *)(APIC_BASE + APIC_SVR) = APIC_SVR_ENABLE | 0xff;
}

/* --- measuring --- */

/* Shell sort: in place, no recursion, fast enough. */
static void sort(uint32_t *v, uint32_t n)
{
    for (uint32_t gap = n / 2; gap; gap = gap == 2 ? 1 : gap * 5 / 11) {
        for (uint32_t i = gap; i < n; i++) {
            uint32_t x = v[i], k = i;

            for (; k >= gap && v[k - gap] > x; k -= gap)
                v[k] = v[k - gap];
            v[k] = x;
        }
    }
}

static void measure(uint32_t n, uint32_t at, int memory, uint32_t result[RESULTS])
{
    n = n < OP_SAMPLES ? n : OP_SAMPLES;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t start = ticks();

        if (memory)
            (void)*(volatile uint32_t *)at;
        else
            inb((uint16_t)at);
        samples[i] = (uint32_t)(ticks() - start);
    }
    sort(samples, n);
    result[0] = samples[n / 2];
    result[1] = samples[n - 1 - n / 100];
    result[2] = samples[0];
}

/* --- verifying --- */

static uint32_t verify_port(uint32_t n, uint16_t port)
{
    uint32_t wrong = 0;

    for (uint32_t i = 0; i < n; i++) {
        if (i % 2)
            outl(port, pattern(i));
        else
            wrong += inl(port) != pattern(i);
    }
    return wrong;
}

/* xchg is a read and a write in one instruction, so two requests. */
static uint32_t verify_mmio(uint32_t n, volatile uint32_t *at)
{
    uint32_t wrong = 0, seq = 0;

    for (uint32_t i = 0; i < n; i++) {
        if (i % 2) {
            uint32_t v = pattern(seq + 1);

            __asm__ volatile("xchg %0, %1" : "+r"(v), "+m"(*at));
            wrong += v != pattern(seq);
            seq += 2;
        } else {
            wrong += *at != pattern(seq++);
        }
    }
    return wrong;
}

static uint32_t verify_ins(uint32_t n, uint16_t port)
{
    uint32_t wrong = 0, seq = 0;

    for (uint32_t i = 0; i < n; i++) {
        uint8_t *to = buffer;
        uint32_t count = STRING_BYTES;

        __asm__ volatile("rep insb" : "+D"(to), "+c"(count) : "d"(port) : "memory");
        for (uint32_t k = 0; k < STRING_BYTES; k++)
            wrong += buffer[k] != (uint8_t)pattern(seq++);
    }
    return wrong;
}

static uint32_t verify_outs(uint32_t n, uint16_t port)
{
    uint32_t seq = 0;

    for (uint32_t i = 0; i < n; i++) {
        const uint8_t *from = buffer;
        uint32_t count = STRING_BYTES;

        for (uint32_t k = 0; k < STRING_BYTES; k++)
            buffer[k] = (uint8_t)pattern(seq++);
        __asm__ volatile("rep outsb" : "+S"(from), "+c"(count) : "d"(port) : "memory");
    }
    return 0;
}

static void carry_out(uint32_t op, uint32_t n, uint32_t at, uint32_t result[RESULTS])
{
    switch (op) {
    case OP_MEASURE_PORT: measure(n, at, 0, result); break;
    case OP_MEASURE_MMIO: measure(n, at, 1, result); break;
    case OP_VERIFY_PORT: result[0] = verify_port(n, (uint16_t)at); break;
    case OP_VERIFY_MMIO: result[0] = verify_mmio(n, (volatile uint32_t *)at); break;
    case OP_VERIFY_INS: result[0] = verify_ins(n, (uint16_t)at); break;
    case OP_VERIFY_OUTS: result[0] = verify_outs(n, (uint16_t)at); break;
    case OP_REPLACE_PAGE: result[0] = replace_pages(n); break;
    case OP_SHUTDOWN: power_off(); break;
    default: result[0] = ~0u;
    }
}

void guest_main(void)
{
    hypercall_init();
    apic_enable();
    for (;;) {
        uint32_t result[RESULTS] = {0}, command = inl(PORT_COMMAND), at;

        if (command == ~0u)
            continue;
        at = inl(PORT_COMMAND);
        carry_out(command & 0xff, command >> 8, at, result);
        for (unsigned i = 0; i < RESULTS; i++)
            outl(PORT_RESULT, result[i]);
    }
}
