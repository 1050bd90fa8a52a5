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

static struct nic *nic;
static uint32_t rounds, errors;

static void wrong(unsigned vcpu, unsigned reg, uint8_t want, uint8_t got)
{
    if (__atomic_fetch_add(&errors, 1, __ATOMIC_RELAXED) < 16)
        print("smp error: vCPU %u register %x: %x, not %x\n", vcpu, reg, got, want);
}

/* What a vCPU reads is its own answer, never another one's. */
static void use_nic(unsigned vcpu)
{
    uint64_t seed = vcpu + 1;

    for (uint32_t i = 0; i < rounds; i++) {
        uint8_t value = random32(&seed), par = i % 6, got;

        got = inb(nic->port + REG_PAR + par);
        if (got != nic->mac[par])
            wrong(vcpu, REG_PAR + par, nic->mac[par], got);
        if (vcpu >= MARS)
            continue;
        outb(nic->port + REG_MAR + vcpu, value);
        got = inb(nic->port + REG_MAR + vcpu);
        if (got != value)
            wrong(vcpu, REG_MAR + vcpu, value, got);
    }
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

static void all_use_nic(struct nic *n, uint32_t cpus)
{
    if (!n) {
        print("smp: no NIC, so IPIs only\n");
        return;
    }
    nic = n;
    outb(n->port, CR_STOPPED_PAGE1);
    errors += !vcpus_do(cpus, use_nic);
    print("smp nic vcpus=%u rounds=%u errors=%u\n", cpus, rounds, errors);
}

void run_smp(struct nic *n, const struct options *o)
{
    uint32_t lost = 0, cpus = o->cpus;

    if (!vcpus_up(cpus))
        guest_exit(1);
    rounds = o->n;
    for (unsigned v = 1; v < cpus; v++)
        lost += ping_many(v, o->n);
    lost += !self_test();
    print("smp cpus=%u ipis=%u lost=%u\n", cpus, (cpus - 1) * o->n, lost);
    all_use_nic(n, cpus);
    guest_exit(lost || errors);
}
