/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a PC's firmware and boot loader would leave in memory for a Linux kernel: kernel, initrd,
 * command line, memory map, ACPI tables. Two ways in: a bzImage by its 64-bit entry point (Linux
 * Documentation/x86/boot.rst), an ELF file by its PVH entry (Xen docs/misc/pvh.pandoc).
 *
 * Threads: no state.
 */
#ifndef COOPVMM_PC_BOOT_H
#define COOPVMM_PC_BOOT_H

#include "engine.h"

#define PC_BOOT_PARAMS 0x19000u /* bzImage: struct boot_params; RSI at entry */
#define PC_BOOT_CS     0x10     /* selectors a bzImage wants: the GDT has them at BOOT_GDT */
#define PC_BOOT_DS     0x18
#define PC_BOOT_GDT    (4 * 8 - 1) /* its limit */

/* How vCPU 0 starts. */
struct pc_start {
    uint64_t entry;
    bool long_mode; /* bzImage: 64-bit, paging by BOOT_PML4. Else PVH: 32-bit, flat, no paging */
};

/**
 * Loads the VM's kernel and all that goes with it. A failure is said in the VM's log.
 * @param gib_pages the CPU has 1 GiB pages
 * @return 0 and *start, or a negative errno
 */
int pc_boot(struct vm *vm, bool gib_pages, struct pc_start *start);

#endif
