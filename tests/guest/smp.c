/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mode=smp: vCPU 0 sends each of the others IPIs, which wake them from HLT, and waits for each.
 * Then all of them use the NIC at the same time.
 */
#include "guest.h"

#define PATIENCE (1ull << 34) /* cycles: several seconds */

/* Registers used by all vCPUs at a time; on page 1 these have no effect on a stopped card. */
#define CR_STOPPED_PAGE1 0x61
#define REG_PAR          0x01 /* station address: all read it */
#define REG_MAR          0x08 /* multicast filter: vCPU n writes MARn */
#define MARS             8

static uint32_t online, errors, finished;
static bool go;
/* What the others work on, once it is not NULL. */
static struct nic *shared;
static uint32_t shared_rounds;

void smp_go(void)
{
    __atomic_store_n(&go, true, __ATOMIC_RELEASE);
}

static void wrong(unsigned vcpu, unsigned reg, uint8_t want, uint8_t got)
{
    if (__atomic_fetch_add(&errors, 1, __ATOMIC_RELAXED) < 16)
        print("smp error: vCPU %u register %x: %x, not %x\n", vcpu, reg, got, want);
}

/* What a vCPU reads is its own answer, never another one's. */
static void use_nic(unsigned vcpu)
{
    const struct nic *n = shared;
    uint64_t seed = vcpu + 1;

    for (uint32_t i = 0; i < shared_rounds; i++) {
        uint8_t value = random32(&seed), par = i % 6, got;

        got = inb(n->port + REG_PAR + par);
        if (got != n->mac[par])
            wrong(vcpu, REG_PAR + par, n->mac[par], got);
        if (vcpu >= MARS)
            continue;
        outb(n->port + REG_MAR + vcpu, value);
        got = inb(n->port + REG_MAR + vcpu);
        if (got != value)
            wrong(vcpu, REG_MAR + vcpu, value, got);
    }
    __atomic_fetch_add(&finished, 1, __ATOMIC_RELEASE);
}

/* vCPU 0 writes the IDT first. */
void smp_park(unsigned vcpu)
{
    while (!__atomic_load_n(&go, __ATOMIC_ACQUIRE))
        pause();
    irq_init(vcpu);
    __atomic_fetch_add(&online, 1, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&shared, __ATOMIC_ACQUIRE))
        wait_for_interrupt();
    use_nic(vcpu);
    for (;;)
        wait_for_interrupt();
}

static bool wait_until(const uint32_t *count, uint32_t want)
{
    uint64_t start = ticks();

    while (__atomic_load_n(count, __ATOMIC_ACQUIRE) < want) {
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

static void all_use_nic(struct nic *n, uint32_t cpus, uint32_t rounds)
{
    if (!n) {
        print("smp: no NIC, so IPIs only\n");
        return;
    }
    outb(n->port, CR_STOPPED_PAGE1);
    shared_rounds = rounds;
    __atomic_store_n(&shared, n, __ATOMIC_RELEASE);
    for (unsigned v = 1; v < cpus; v++)
        ipi_send(v);
    use_nic(0);
    if (!wait_until(&finished, cpus)) {
        print("smp nic: only %u vCPUs came to an end\n", finished);
        errors++;
    }
    print("smp nic vcpus=%u rounds=%u errors=%u\n", cpus, rounds, errors);
}

/* Other engines start all vCPUs by themselves. */
static void start_vcpus(uint32_t n, const void *start_info)
{
    for (unsigned v = 1; v < n && on_xen(); v++) {
        if (!xen_start_vcpu(v, start_info))
            print("smp: Xen does not start vCPU %u\n", v);
    }
}

void run_smp(struct nic *nic, const struct options *o, const void *start_info)
{
    uint32_t lost = 0, n = o->cpus < MAX_VCPUS ? o->cpus : MAX_VCPUS;

    start_vcpus(n, start_info);
    if (!wait_until(&online, n - 1)) {
        print("smp cpus=%u online=%u: the others did not come\n", n, online + 1);
        guest_exit(1);
    }
    for (unsigned v = 1; v < n; v++)
        lost += ping_many(v, o->n);
    lost += !self_test();
    print("smp cpus=%u ipis=%u lost=%u\n", n, (n - 1) * o->n, lost);
    all_use_nic(nic, n, o->n);
    guest_exit(lost || errors);
}
