/* SPDX-License-Identifier: BSD-3-Clause */
#include "guest.h"

#define START_MAGIC 0x336ec578u

/* The fields of struct hvm_start_info (Xen public/arch-x86/hvm/start_info.h) used here. */
struct start_info {
    uint32_t magic, version, flags, nr_modules;
    uint64_t modlist, cmdline;
};

static struct options options;
static struct nic nic;

static bool is_mode(const char *mode)
{
    const char *m = options.mode;

    while (*m && *m == *mode) {
        m++;
        mode++;
    }
    return *m == *mode;
}

static bool find_nic(void)
{
    uint16_t port = options.nic;
    uint8_t irq = options.irq;

    if (options.no_nic)
        return false;
    if (!port && !pci_find_nic(&port, &irq)) {
        print("guest: no RTL8029 on the PCI bus\n");
        return false;
    }
    if (!nic_init(&nic, port, irq)) {
        print("guest: no NE2000 answers at port %x\n", port);
        return false;
    }
    return true;
}

static bool interrupted(void)
{
    static uint32_t seen = UINT32_MAX;
    uint32_t now = irq_count(nic.irq);
    bool yes = now != seen;

    seen = now;
    return yes;
}

/* Interrupts are off but inside wait_for_interrupt, so none is missed between look and HLT. */
static void serve(bool check) __attribute__((noreturn));
static void serve(bool check)
{
    net_init(&nic, options.ip);
    net_announce(&nic);
    print("guest: ready\n");
    for (;;) {
        if (options.poll ? nic_pending(&nic) : interrupted()) {
            nic_service(&nic);
        } else if (check) {
            check_round(&nic);
            sti();
            pause();
            cli();
        } else if (!options.poll) {
            wait_for_interrupt();
        }
    }
}

/* HLT with interrupts off would end a Xen domain. */
static void rest(void) __attribute__((noreturn));
static void rest(void)
{
    for (;;)
        wait_for_interrupt();
}

void guest_main(const void *start_info, unsigned vcpu)
{
    const struct start_info *si = start_info;
    bool found;

    if (vcpu != 0)
        vcpus_park(vcpu);
    xen_init();
    if (si->magic != START_MAGIC) {
        print("guest: no start info at %lx\n", (uint64_t)(uintptr_t)start_info);
        guest_exit(2);
    }
    parse_options(si->cmdline ? (const char *)(uintptr_t)si->cmdline : "", &options);
    irq_init(0);
    vcpus_go(si);
    found = find_nic();
    if (is_mode("smp"))
        run_smp(found ? &nic : NULL, &options);
    if (!found)
        guest_exit(3);
    if (is_mode("access"))
        run_access(&nic, &options);
    if (is_mode("abuse"))
        run_abuse(&nic, &options);
    if (is_mode("lat") || is_mode("both"))
        run_lat(&nic, &options);
    if (options.exit)
        guest_exit(0);
    if (is_mode("lat"))
        rest();
    serve(is_mode("check"));
}
