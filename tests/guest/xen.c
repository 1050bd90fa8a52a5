/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The probe guest as a Xen PVH domain: hypercalls, PV console, end, further vCPUs. All layouts and
 * numbers are those of Xen's public headers; the boot protocol is docs/misc/pvh.pandoc there.
 */
#include <stdint.h>
#define __XEN_INTERFACE_VERSION__ __XEN_LATEST_INTERFACE_VERSION__
#include <xen/arch-x86/cpuid.h>
#include <xen/event_channel.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/hvm_vcpu.h>
#include <xen/hvm/params.h>
#include <xen/io/console.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/xen.h>

#include "guest.h"

#define HYPERCALL_BYTES 32           /* an entry of the hypercall page */
#define CONSOLE_WAIT    (1ull << 33) /* cycles: some seconds */

extern uint8_t hypercall_page[4096], start64[]; /* start.S */
extern const bool entered_pvh;

static bool present;
static struct xencons_interface *console;
static evtchn_port_t console_port;

static void cpuid(uint32_t leaf, uint32_t r[4])
{
    __asm__ volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(leaf), "c"(0));
}

/* An entry of the page sets the number itself, and may lose what its arguments were in. */
static int64_t hypercall(unsigned number, uint64_t a, uint64_t b, uint64_t c)
{
    int64_t r;

    __asm__ volatile("call *%[entry]"
                     : "=a"(r), "+D"(a), "+S"(b), "+d"(c)
                     : [entry] "r"(hypercall_page + HYPERCALL_BYTES * number)
                     : "rcx", "r8", "r9", "r10", "r11", "memory", "cc");
    return r;
}

static uint64_t address_of(const void *p)
{
    return (uintptr_t)p;
}

/* @return the first of Xen's CPUID leaves; 0: no Xen. Others' leaves may come before. */
static uint32_t find_leaves(void)
{
    for (uint32_t leaf = XEN_CPUID_FIRST_LEAF; leaf < XEN_CPUID_FIRST_LEAF + 0x10000;
         leaf += 0x100) {
        uint32_t r[4];

        cpuid(leaf, r);
        if (r[1] == XEN_CPUID_SIGNATURE_EBX && r[2] == XEN_CPUID_SIGNATURE_ECX &&
            r[3] == XEN_CPUID_SIGNATURE_EDX && r[0] - leaf >= 2)
            return leaf;
    }
    return 0;
}

static bool get_param(uint32_t index, uint64_t *value)
{
    struct xen_hvm_param p = {.domid = DOMID_SELF, .index = index};

    if (hypercall(__HYPERVISOR_hvm_op, HVMOP_get_param, address_of(&p), 0))
        return false;
    *value = p.value;
    return true;
}

static void find_console(void)
{
    uint64_t pfn, port;

    if (!get_param(HVM_PARAM_CONSOLE_PFN, &pfn) || !pfn ||
        !get_param(HVM_PARAM_CONSOLE_EVTCHN, &port) || !port)
        return;
    console_port = port;
    console = (struct xencons_interface *)(uintptr_t)(pfn << 12);
}

/* CPUID alone does not tell: the user engine shows a guest the host's, and that may be a domain. */
void xen_init(void)
{
    uint32_t leaf = entered_pvh ? find_leaves() : 0, r[4];

    if (!leaf)
        return;
    cpuid(leaf + 2, r);
    wrmsr(r[1], address_of(hypercall_page));
    present = true;
    find_console();
}

bool on_xen(void)
{
    return present;
}

void xen_yield(void)
{
    hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0);
}

static void kick_console(void)
{
    struct evtchn_send s = {.port = console_port};

    hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_send, address_of(&s), 0);
}

static uint32_t console_used(void)
{
    return console->out_prod - __atomic_load_n(&console->out_cons, __ATOMIC_ACQUIRE);
}

/* Waits until at most `used` bytes are unread. @return false: nobody reads */
static bool console_drained(uint32_t used)
{
    uint64_t start = ticks();

    while (console_used() > used) {
        if (ticks() - start > CONSOLE_WAIT)
            return false;
        kick_console();
        xen_yield();
    }
    return true;
}

static bool console_put(char c)
{
    XENCONS_RING_IDX at = console->out_prod;

    if (!console_drained(sizeof(console->out) - 1))
        return false;
    console->out[MASK_XENCONS_IDX(at, console->out)] = c;
    __atomic_store_n(&console->out_prod, at + 1, __ATOMIC_RELEASE);
    return true;
}

/* The other end is a raw terminal, so a line ends with CR and LF. */
bool xen_console(const char *text, uint32_t len)
{
    for (uint32_t i = 0; console && i < len; i++) {
        if ((text[i] == '\n' && !console_put('\r')) || !console_put(text[i]))
            console = NULL; /* waited for in vain: never again */
    }
    if (console)
        kick_console();
    return console != NULL;
}

/* A domain's end has no status: a failure is a crash, and the console has the number. */
void xen_shutdown(uint8_t status)
{
    struct sched_shutdown s = {.reason = status ? SHUTDOWN_crash : SHUTDOWN_poweroff};

    if (console)
        console_drained(0);
    for (;;)
        hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown, address_of(&s), 0);
}

static uint64_t control(unsigned number)
{
    uint64_t v = 0;

    switch (number) {
    case 0: __asm__ volatile("mov %%cr0, %0" : "=r"(v)); break;
    case 3: __asm__ volatile("mov %%cr3, %0" : "=r"(v)); break;
    case 4: __asm__ volatile("mov %%cr4, %0" : "=r"(v)); break;
    }
    return v;
}

/* It enters as the guest contract says: RBX start info, RSI its number. */
bool xen_start_vcpu(unsigned vcpu, const void *start_info)
{
    struct vcpu_hvm_context c = {
        .mode = VCPU_HVM_MODE_64B,
        .cpu_regs.x86_64 = {.rbx = address_of(start_info),
                            .rsi = vcpu,
                            .rip = address_of(start64),
                            .rflags = 2,
                            .cr0 = control(0),
                            .cr3 = control(3),
                            .cr4 = control(4),
                            .efer = rdmsr(0xc0000080)},
    };

    return hypercall(__HYPERVISOR_vcpu_op, VCPUOP_initialise, vcpu, address_of(&c)) == 0 &&
           hypercall(__HYPERVISOR_vcpu_op, VCPUOP_up, vcpu, 0) == 0;
}

/* The address stays, the machine's page behind it is another one: what was there is lost. */
bool xen_replace_page(void *page)
{
    xen_pfn_t pfn = address_of(page) >> 12;
    struct xen_memory_reservation r = {.nr_extents = 1, .domid = DOMID_SELF};

    set_xen_guest_handle(r.extent_start, &pfn);
    return hypercall(__HYPERVISOR_memory_op, XENMEM_decrease_reservation, address_of(&r), 0) == 1 &&
           hypercall(__HYPERVISOR_memory_op, XENMEM_populate_physmap, address_of(&r), 0) == 1;
}
