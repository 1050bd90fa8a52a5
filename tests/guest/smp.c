/* SPDX-License-Identifier: BSD-3-Clause */
/* mode=smp: vCPU 0 sends each of the others IPIs, which wake them from HLT, and waits for each. */
#include "guest.h"

#define PATIENCE (1ull << 34) /* cycles: several seconds */

static uint32_t online;
static bool go;

void smp_go(void)
{
    __atomic_store_n(&go, true, __ATOMIC_RELEASE);
}

/* vCPU 0 writes the IDT first. */
void smp_park(unsigned vcpu)
{
    while (!__atomic_load_n(&go, __ATOMIC_ACQUIRE))
        pause();
    irq_init(vcpu);
    __atomic_fetch_add(&online, 1, __ATOMIC_RELEASE);
    for (;;)
        wait_for_interrupt();
}

static bool wait_online(uint32_t want)
{
    uint64_t start = ticks();

    while (__atomic_load_n(&online, __ATOMIC_ACQUIRE) < want) {
        if (ticks() - start > PATIENCE)
            return false;
        pause();
    }
    return true;
}

/* @return cycles until vCPU `to` took the IPI, 0: it did not */
static uint64_t ping(unsigned to)
{
    uint32_t before = ipi_count(to);
    uint64_t start = ticks(), now;

    ipi_send(to);
    do {
        pause();
        now = ticks();
        if (now - start > PATIENCE)
            return 0;
    } while (ipi_count(to) == before);
    return now - start;
}

static uint32_t ping_many(unsigned to, uint32_t n)
{
    uint32_t lost = 0;

    for (uint32_t i = 0; i < n && !lost; i++) {
        uint64_t took = ping(to);

        lost += took == 0;
        samples[i] = took < UINT32_MAX ? took : UINT32_MAX;
    }
    if (!lost)
        report("ipi", samples, n);
    return lost;
}

/* An IPI to oneself waits for STI, and comes once. */
static bool self_test(void)
{
    uint32_t before = ipi_count(0);
    uint64_t start = ticks();
    bool early;

    cli();
    ipi_send(0);
    early = ipi_count(0) != before;
    sti();
    while (ipi_count(0) == before && ticks() - start < PATIENCE)
        pause();
    cli();
    return !early && ipi_count(0) == before + 1;
}

void run_smp(const struct options *o)
{
    uint32_t lost = 0, n = o->cpus < MAX_VCPUS ? o->cpus : MAX_VCPUS;

    if (!wait_online(n - 1)) {
        print("smp cpus=%u online=%u: the others did not come\n", n, online + 1);
        guest_exit(1);
    }
    for (unsigned v = 1; v < n; v++)
        lost += ping_many(v, o->n);
    lost += !self_test();
    print("smp cpus=%u ipis=%u lost=%u\n", n, (n - 1) * o->n, lost);
    guest_exit(lost != 0);
}
