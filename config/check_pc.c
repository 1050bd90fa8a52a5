/* SPDX-License-Identifier: BSD-3-Clause */
/* What a VM of platform pc may and must have, and hugepages. Where things are: coopvmm/pc.h. */
#include "check.h"

#define HOLE     0xc0000000u /* from here to 4 GiB there is no memory */
#define HOLE_MIB 1024u

static const struct claim pc_claims[] = {
    {NM_SPACE_PIO, 0x20, 2, "the interrupt controller"},
    {NM_SPACE_PIO, 0x40, 4, "the timer"},
    {NM_SPACE_PIO, 0x60, 5, "the keyboard controller"},
    {NM_SPACE_PIO, 0x70, 2, "the real-time clock"},
    {NM_SPACE_PIO, 0xa0, 2, "the interrupt controller"},
    {NM_SPACE_PIO, 0xe9, 1, "the debug console"},
    {NM_SPACE_PIO, 0x3f8, 8, "the serial port"},
    {NM_SPACE_PIO, 0x4d0, 2, "the interrupt controller"},
    {NM_SPACE_PIO, 0x501, 1, "the exit port"},
    {NM_SPACE_PIO, 0x600, 6, "power management"},
    {NM_SPACE_PIO, 0xcf8, 8, "PCI configuration"},
    {NM_SPACE_MMIO, HOLE, (uint64_t)HOLE_MIB << 20, "PCI and the interrupt controllers"},
};

unsigned check_pc_claims(const struct claim **claims)
{
    *claims = pc_claims;
    return sizeof(pc_claims) / sizeof(pc_claims[0]);
}

uint64_t check_pc_memory_end(uint32_t mib)
{
    return (uint64_t)(mib > HOLE >> 20 ? mib + HOLE_MIB : mib) << 20;
}

static const char *line_owner(unsigned irq)
{
    static const char *const owner[16] = {[1] = "the keyboard controller's",
                                          [2] = "the second interrupt controller's",
                                          [4] = "the serial port's",
                                          [8] = "the real-time clock's",
                                          [13] = "the coprocessor's"};

    return owner[irq & 15];
}

static void check_device_line(struct check *k, const struct cfg_device *d, const struct doc_node *n)
{
    const struct nm_model *m = nm_model_find(d->model);

    if (m && m->pci && d->irq != CFG_IRQ_PCI)
        report_node(k->report, check_at(n, "irq"),
                    "a PC's PCI lines are what its ACPI tables say; remove irq");
    else if (m && !m->pci && line_owner(d->irq))
        report_node(k->report, check_at(n, "irq"),
                    "interrupt line %u is %s in a PC; use 3, 5, 6, 7, 9, 10, 11, 12, 14 or 15",
                    d->irq, line_owner(d->irq));
}

void check_pc(struct check *k, const struct cfg_vm *vm, const struct doc_node *n)
{
    const struct doc_node *d = doc_at(doc_get(n, "devices"), 0);

    if (vm->hugepages && vm->engine != CFG_ENGINE_KVM)
        report_node(k->report, check_at(n, "hugepages"),
                    "engine %s does not choose its guest's pages; remove it, or use engine: kvm",
                    cfg_engine_name(vm->engine));
    if (vm->platform != CFG_PLATFORM_PC)
        return;
    if (vm->engine != CFG_ENGINE_KVM)
        report_node(k->report, check_at(n, "platform"),
                    "engine %s makes no PC; use engine: kvm, or remove it",
                    cfg_engine_name(vm->engine));
    if (vm->vcpus > CFG_PC_MAX_VCPUS)
        report_node(k->report, check_at(n, "vcpus"),
                    "%u vCPUs are too many for a PC; use at most %d", vm->vcpus, CFG_PC_MAX_VCPUS);
    for (unsigned i = 0; i < vm->devices_count; i++, d = d->next)
        check_device_line(k, &vm->devices[i], d);
}
