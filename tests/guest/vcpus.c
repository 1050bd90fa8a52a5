/* SPDX-License-Identifier: BSD-3-Clause */
/* The vCPUs beside the first one: started, parked in HLT, and set to work together. */
#include "guest.h"

/* Cycles: half a minute for them to come, two for their work; they may share a CPU with much else.
 */
#define PATIENCE      (1ull << 36)
#define WORK_PATIENCE (1ull << 38)

static const void *boot_info;
static uint32_t online, working, finished;
static void (*job)(unsigned vcpu);
static bool go;

void vcpus_go(const void *start_info)
{
    boot_info = start_info;
    __atomic_store_n(&go, true, __ATOMIC_RELEASE);
}

/* vCPU 0 writes the IDT first. Interrupts are off between the look and HLT. */
void vcpus_park(unsigned vcpu)
{
    uint32_t done = 0;

    while (!__atomic_load_n(&go, __ATOMIC_ACQUIRE))
        pause();
    irq_init(vcpu);
    __atomic_fetch_add(&online, 1, __ATOMIC_RELEASE);
    for (;;) {
        while (__atomic_load_n(&working, __ATOMIC_ACQUIRE) == done)
            wait_for_interrupt();
        done++;
        job(vcpu);
        __atomic_fetch_add(&finished, 1, __ATOMIC_RELEASE);
    }
}

static bool wait_until(const uint32_t *count, uint32_t want, uint64_t patience)
{
    uint64_t start = ticks();

    while (__atomic_load_n(count, __ATOMIC_ACQUIRE) < want) {
        if (ticks() - start > patience)
            return false;
        pause();
    }
    return true;
}

/* Engines other than Xen have started all of them already. */
bool vcpus_up(uint32_t n)
{
    for (unsigned v = 1; v < n && on_xen(); v++) {
        if (!xen_start_vcpu(v, boot_info))
            print("guest: Xen does not start vCPU %u\n", v);
    }
    if (wait_until(&online, n - 1, PATIENCE))
        return true;
    print("guest: %u of %u vCPUs came\n", online + 1, n);
    return false;
}

bool vcpus_do(uint32_t n, void (*what)(unsigned vcpu))
{
    finished = 0;
    job = what;
    __atomic_fetch_add(&working, 1, __ATOMIC_RELEASE);
    for (unsigned v = 1; v < n; v++)
        ipi_send(v);
    what(0);
    if (wait_until(&finished, n - 1, WORK_PATIENCE))
        return true;
    print("guest: %u of %u vCPUs came to an end\n", finished + 1, n);
    return false;
}
