/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a freestanding guest finds in memory when it starts, the same with each engine:
 *
 *   0x00000 - 0x0ffff  zero; usable, but slow under the user engine (see engine_user.h)
 *   0x10000            struct hvm_start_info        RBX at entry
 *   0x10100            struct hvm_memmap_table_entry[]: one entry, a few on platform pc
 *   0x11000            command line, NUL-terminated
 *   0x12000            GDT: null, 64-bit code (selector 8), data (selector 16)
 *   0x13000            PML4, PDPT, four page directories (engines with page tables of their own)
 *   0x20000 -          the guest's: its ELF segments may start here
 *
 * Source of the structures: Xen public/arch-x86/hvm/start_info.h, version 1.
 */
#ifndef COOPVMM_BOOT_H
#define COOPVMM_BOOT_H

#include <stdint.h>

#include "elf.h"

#define BOOT_START_INFO  0x10000u
#define BOOT_MEMMAP      0x10100u
#define BOOT_MODLIST     0x10300u /* struct hvm_modlist_entry, if there is an initrd */
#define BOOT_CMDLINE     0x11000u
#define BOOT_CMDLINE_MAX 4095u /* characters */
#define BOOT_GDT         0x12000u
#define BOOT_GDT_LIMIT   (3 * 8 - 1)
#define BOOT_CS          0x08
#define BOOT_DS          0x10
#define BOOT_PML4        0x13000u
#define BOOT_END         0x20000u
#define BOOT_MIN_MEMORY  (1u << 20) /* bytes of guest memory the layout needs */

#define HVM_START_MAGIC_VALUE 0x336ec578u

struct hvm_start_info {
    uint32_t magic;
    uint32_t version;
    uint32_t flags;
    uint32_t nr_modules;
    uint64_t modlist_paddr;
    uint64_t cmdline_paddr;
    uint64_t rsdp_paddr; /* 0: there are no ACPI tables */
    uint64_t memmap_paddr;
    uint32_t memmap_entries;
    uint32_t reserved;
};

struct hvm_modlist_entry {
    uint64_t paddr;
    uint64_t size;
    uint64_t cmdline_paddr;
    uint64_t reserved;
};

struct hvm_memmap_table_entry {
    uint64_t addr;
    uint64_t size;
    uint32_t type; /* 1: RAM, as in E820 */
    uint32_t reserved;
};

/**
 * Writes the boot area and loads the kernel.
 * @param mem guest-physical 0; `size` bytes, at least BOOT_MIN_MEMORY
 * @param why what is wrong if it fails (constant text)
 * @return 0 and *img; -EINVAL: memory or command line; otherwise as elf_load_path
 */
int boot_load(uint8_t *mem, uint64_t size, const char *kernel, const char *cmdline,
              struct elf_image *img, const char **why);

/**
 * Writes page tables that map guest-physical addresses to themselves: the first 4 GiB with 2 MiB
 * pages; up to 512 GiB with 1 GiB pages if the CPU has them.
 */
void boot_page_tables(uint8_t *mem, int gib_pages);

#endif
