/* SPDX-License-Identifier: BSD-3-Clause */
#include "machine.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define MIB      20
#define HOLE     0xc0000000u /* of a PC: from here to 4 GiB there is no memory, coopvmm/pc.h */
#define HOLE_MIB 1024u

/* --- a guest of the guest contract, see docs/architecture.md --- */

static const struct claim bare_claims[] = {
    {NM_SPACE_PIO, 0xe9, 1, "the debug console"},
    {NM_SPACE_PIO, 0x501, 1, "the exit port"},
    {NM_SPACE_PIO, 0xcf8, 8, "PCI configuration"},
};

static const struct machine bare = {.claims = bare_claims, .nclaims = COUNT(bare_claims)};

/* --- platform pc: coopvmm/pc.h --- */

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
    {NM_SPACE_MMIO, HOLE, (uint64_t)HOLE_MIB << MIB, "PCI and the interrupt controllers"},
};

static const struct machine pc = {
    .claims = pc_claims,
    .nclaims = COUNT(pc_claims),
    .line_owner = {[1] = "the keyboard controller's",
                   [2] = "the second interrupt controller's",
                   [4] = "the serial port's",
                   [8] = "the real-time clock's",
                   [13] = "the coprocessor's"},
    .where = "in a PC",
    .free_lines = "3, 5, 6, 7, 9, 10, 11, 12, 14 or 15",
    .pci_lines = "a PC's PCI lines are what its ACPI tables say",
};

/* --- Xen domains --- */

/* Xen's own, whatever a domain is asked to be; hvm_io.c and vlapic of the hypervisor. */
#define XEN_EVERYWHERE                                                                             \
    {NM_SPACE_PIO, 0xe9, 1, "Xen's debug console"}, {NM_SPACE_PIO, 0xcf8, 8, "PCI configuration"}, \
    {                                                                                              \
        NM_SPACE_MMIO, 0xfec00000, 0x400000, "Xen's interrupt controllers"                         \
    }
#define XEN_PCI_LINES "a Xen domain's PCI lines are routed by its firmware"

static const struct claim pvh_claims[] = {XEN_EVERYWHERE};

static const struct machine pvh = {
    .claims = pvh_claims, .nclaims = COUNT(pvh_claims), .pci_lines = XEN_PCI_LINES};

/* Xen emulates these of a PC itself (XEN_X86_EMU_ALL); what QEMU has is asked when it runs. */
static const struct claim hvm_claims[] = {
    XEN_EVERYWHERE,
    {NM_SPACE_PIO, 0x20, 2, "Xen's interrupt controller"},
    {NM_SPACE_PIO, 0x40, 4, "Xen's timer"},
    {NM_SPACE_PIO, 0x61, 1, "Xen's speaker port"},
    {NM_SPACE_PIO, 0x70, 2, "Xen's real-time clock"},
    {NM_SPACE_PIO, 0xa0, 2, "Xen's interrupt controller"},
    {NM_SPACE_PIO, 0x4d0, 2, "Xen's interrupt controller"},
    {NM_SPACE_PIO, 0xb000, 16, "Xen's power management"},
};

/* Lines: those of the PC that Xen and QEMU make. */
static const struct machine hvm = {
    .claims = hvm_claims,
    .nclaims = COUNT(hvm_claims),
    .line_owner = {[1] = "the keyboard controller's",
                   [2] = "the second interrupt controller's",
                   [4] = "the serial port's",
                   [6] = "the floppy controller's",
                   [8] = "the real-time clock's",
                   [9] = "ACPI's",
                   [12] = "the mouse's",
                   [13] = "the coprocessor's",
                   [14] = "the first disk's",
                   [15] = "the second disk's"},
    .where = "in an HVM domain",
    .free_lines = "3, 5, 7, 10 or 11",
    .pci_lines = XEN_PCI_LINES,
};

const struct machine *machine_of(const struct cfg_vm *vm)
{
    if (vm->engine == CFG_ENGINE_XEN)
        return vm->xen->type == CFG_XEN_HVM ? &hvm : &pvh;
    return vm->platform == CFG_PLATFORM_PC ? &pc : &bare;
}

uint64_t machine_memory_end(const struct cfg_vm *vm)
{
    uint64_t mib = vm->memory;

    if (machine_of(vm) == &pc && mib > HOLE >> MIB)
        mib += HOLE_MIB;
    return mib << MIB;
}
