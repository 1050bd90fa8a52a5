/* SPDX-License-Identifier: BSD-3-Clause */
#include "boot.h"

#include <errno.h>
#include <string.h>

#define PTE_P  (1ull << 0)
#define PTE_RW (1ull << 1)
#define PTE_PS (1ull << 7) /* a 2 MiB or 1 GiB page */

#define PAGE_DIRECTORIES 4 /* 1 GiB each */

/* Flat segments; accessed and present, so that nothing has to be written to them. */
static const uint64_t gdt[3] = {
    0, 0x00af9b000000ffffull, /* code: 64-bit, DPL 0 */
    0x00cf93000000ffffull,    /* data: DPL 0 */
};

static void write_start_info(uint8_t *mem, uint64_t size)
{
    const struct hvm_start_info info = {
        .magic = HVM_START_MAGIC_VALUE,
        .version = 1,
        .cmdline_paddr = BOOT_CMDLINE,
        .memmap_paddr = BOOT_MEMMAP,
        .memmap_entries = 1,
    };
    const struct hvm_memmap_table_entry ram = {.addr = 0, .size = size, .type = 1};

    memcpy(mem + BOOT_START_INFO, &info, sizeof(info));
    memcpy(mem + BOOT_MEMMAP, &ram, sizeof(ram));
    memcpy(mem + BOOT_GDT, gdt, sizeof(gdt));
}

int boot_load(uint8_t *mem, uint64_t size, const char *kernel, const char *cmdline,
              struct elf_image *img, const char **why)
{
    const struct elf_room room = {.mem = mem, .size = size, .floor = BOOT_END};
    size_t len = strlen(cmdline);

    if (size < BOOT_MIN_MEMORY) {
        *why = "less than 1 MiB of memory; give the VM more";
        return -EINVAL;
    }
    if (len > BOOT_CMDLINE_MAX) {
        *why = "the command line is longer than 4095 characters";
        return -EINVAL;
    }
    memset(mem, 0, BOOT_END);
    write_start_info(mem, size);
    memcpy(mem + BOOT_CMDLINE, cmdline, len + 1);
    return elf_load_path(kernel, &room, img, why);
}

static void put_entry(uint8_t *table, unsigned i, uint64_t entry)
{
    memcpy(table + i * sizeof(entry), &entry, sizeof(entry));
}

void boot_page_tables(uint8_t *mem, int gib_pages)
{
    const uint64_t pdpt = BOOT_PML4 + 0x1000, pd = BOOT_PML4 + 0x2000;

    put_entry(mem + BOOT_PML4, 0, pdpt | PTE_P | PTE_RW);
    for (unsigned i = 0; i < PAGE_DIRECTORIES; i++)
        put_entry(mem + pdpt, i, (pd + i * 0x1000ull) | PTE_P | PTE_RW);
    for (unsigned i = PAGE_DIRECTORIES; gib_pages && i < 512; i++)
        put_entry(mem + pdpt, i, ((uint64_t)i << 30) | PTE_P | PTE_RW | PTE_PS);
    for (unsigned i = 0; i < PAGE_DIRECTORIES * 512; i++)
        put_entry(mem + pd, i, ((uint64_t)i << 21) | PTE_P | PTE_RW | PTE_PS);
}
