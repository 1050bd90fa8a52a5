/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What CPUID tells a stock kernel: the host's CPU as KVM can show it, and how the vCPUs hang
 * together. Leaves: Intel SDM volume 2A, CPUID; AMD APM volume 3, appendix E.
 */
#include <sys/ioctl.h>

#include "engine_kvm.h"

#define CPUID_ENTRIES 256 /* room in kvm_machine.cpuid */

#define LEAF1_ECX_X2APIC       (1u << 21)
#define LEAF1_ECX_TSC_DEADLINE (1u << 24)
#define LEAF1_ECX_HYPERVISOR   (1u << 31)
#define LEAF1_EDX_HTT          (1u << 28) /* EBX tells a number of logical processors */
#define TOPOLOGY               0xb
#define TOPOLOGY_V2            0x1f
#define LEVEL_SMT              (1u << 8)
#define LEVEL_CORE             (2u << 8)

/* Bits of an APIC ID that number the cores. */
static unsigned shift_of(unsigned nvcpus)
{
    unsigned shift = 0;

    while (1u << shift < nvcpus)
        shift++;
    return shift;
}

static void features(const struct kvm_machine *m, struct kvm_cpuid_entry2 *e, unsigned index,
                     unsigned nvcpus)
{
    e->ebx = (e->ebx & 0xffff) | index << 24 | 1u << shift_of(nvcpus) << 16;
    e->ecx |= LEAF1_ECX_X2APIC | LEAF1_ECX_HYPERVISOR;
    if (ioctl(m->sys, KVM_CHECK_EXTENSION, KVM_CAP_TSC_DEADLINE_TIMER) > 0)
        e->ecx |= LEAF1_ECX_TSC_DEADLINE;
    if (nvcpus > 1)
        e->edx |= LEAF1_EDX_HTT;
}

/* Intel's caches: each core its own, but the third level. */
static void cache(struct kvm_cpuid_entry2 *e, unsigned nvcpus)
{
    unsigned last = (1u << shift_of(nvcpus)) - 1, level = e->eax >> 5 & 7;

    if (e->eax & 0x1f)
        e->eax = (e->eax & 0x3fff) | last << 26 | (level >= 3 ? last : 0) << 14;
}

/* AMD's: number of cores, bits of the APIC ID. */
static void amd_cores(struct kvm_cpuid_entry2 *e, unsigned nvcpus)
{
    e->ecx = (e->ecx & ~0xf0ffu) | shift_of(nvcpus) << 12 | (nvcpus - 1);
}

static void amd_core(struct kvm_cpuid_entry2 *e, unsigned index)
{
    e->eax = index;
    e->ebx = index & 0xff;
    e->ecx = 0;
}

static void drop_topology(struct kvm_cpuid2 *c)
{
    unsigned n = 0;

    for (unsigned i = 0; i < c->nent; i++)
        if (c->entries[i].function != TOPOLOGY && c->entries[i].function != TOPOLOGY_V2)
            c->entries[n++] = c->entries[i];
    c->nent = n;
}

static void add_topology(struct kvm_cpuid2 *c, unsigned index, unsigned nvcpus)
{
    const struct kvm_cpuid_entry2 leaf = {
        .function = TOPOLOGY, .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX, .edx = index};

    if (c->nent + 2 > CPUID_ENTRIES)
        return;
    c->entries[c->nent] = leaf; /* one thread a core */
    c->entries[c->nent].ebx = 1;
    c->entries[c->nent++].ecx = LEVEL_SMT;
    c->entries[c->nent] = leaf;
    c->entries[c->nent].index = 1;
    c->entries[c->nent].eax = shift_of(nvcpus);
    c->entries[c->nent].ebx = nvcpus;
    c->entries[c->nent++].ecx = LEVEL_CORE | 1;
}

void kvm_pc_cpuid(const struct kvm_machine *m, unsigned index, unsigned nvcpus)
{
    struct kvm_cpuid2 *c = m->cpuid;

    drop_topology(c);
    for (unsigned i = 0; i < c->nent; i++) {
        struct kvm_cpuid_entry2 *e = &c->entries[i];

        switch (e->function) {
        case 1: features(m, e, index, nvcpus); break;
        case 4: cache(e, nvcpus); break;
        case 0x80000008: amd_cores(e, nvcpus); break;
        case 0x8000001e: amd_core(e, index); break;
        default: break;
        }
    }
    add_topology(c, index, nvcpus);
}
