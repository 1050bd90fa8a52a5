/* SPDX-License-Identifier: BSD-3-Clause */
#include "pc_boot.h"

#include <errno.h>
#include <string.h>

#include "acpi.h"
#include "boot.h"
#include "bzimage.h"
#include "filemap.h"
#include "pc.h"

#define LOW_END     0xa0000u  /* PCs have no memory for programs from here */
#define HIGH_MEMORY 0x100000u /* ... to here */
#define PAGE        4096u
#define MAX_FILE    (1u << 30) /* bytes of a kernel or an initrd */
#define MAX_MAP     8

/* A loaded kernel, whatever its kind. */
struct kernel {
    struct pc_start start;
    bool pvh;
    uint64_t end;        /* memory above is free */
    uint64_t initrd_max; /* last address of an initrd */
    uint32_t cmdline_max;
    uint64_t initrd, initrd_size;
};

struct range {
    uint64_t addr, size;
    uint32_t type;
};

static unsigned memory_map(const struct vm_mem *m, struct range map[MAX_MAP])
{
    const struct range all[] = {
        {0, LOW_END, E820_RAM},
        {LOW_END, HIGH_MEMORY - LOW_END, E820_RESERVED},
        {HIGH_MEMORY, m->low - HIGH_MEMORY, E820_RAM},
        {PC_ECAM, PC_ECAM_SIZE, E820_RESERVED},
        {VM_HIGH, m->size - m->low, E820_RAM},
    };
    unsigned n = sizeof(all) / sizeof(all[0]) - (m->size == m->low);

    memcpy(map, all, n * sizeof(all[0]));
    return n;
}

/* --- kernels --- */

static int load_bzimage(struct vm *vm, const struct filemap *f, struct kernel *k, const char **why)
{
    struct bzimage img;
    int err = bzimage_load(f->data, f->size, vm->mem.host, vm->mem.low,
                           vm->mem.host + PC_BOOT_PARAMS, &img, why);

    if (err)
        return err;
    *k = (struct kernel){.start = {.entry = img.entry, .long_mode = true},
                         .end = img.end,
                         .initrd_max = img.initrd_max,
                         .cmdline_max = img.cmdline_max};
    return 0;
}

static int load_pvh(struct vm *vm, const struct filemap *f, struct kernel *k, const char **why)
{
    const struct elf_room room = {
        .mem = vm->mem.host, .size = vm->mem.low, .floor = HIGH_MEMORY, .pvh = true};
    struct elf_image img;
    int err = elf_load(f->data, f->size, &room, &img, why);

    if (err)
        return err;
    *k = (struct kernel){.start = {.entry = img.pvh_entry},
                         .pvh = true,
                         .end = img.high,
                         .initrd_max = UINT32_MAX,
                         .cmdline_max = BOOT_CMDLINE_MAX};
    return 0;
}

static int load_kernel(struct vm *vm, struct kernel *k)
{
    const char *why = "";
    struct filemap f;
    int err = filemap_open(vm->c->kernel, MAX_FILE, &f, &why);

    if (!err) {
        err =
            bzimage_is(f.data, f.size) ? load_bzimage(vm, &f, k, &why) : load_pvh(vm, &f, k, &why);
        filemap_close(&f);
    }
    if (err)
        vm_log(vm, "kernel %s: %s: %s", vm->c->kernel, why, strerror(-err));
    return err;
}

/* --- what goes with them --- */

/* As high as it may be, so that it is in no kernel's way. */
static int place_initrd(struct vm *vm, const struct filemap *f, struct kernel *k)
{
    uint64_t top = vm->mem.low - 1 < k->initrd_max ? vm->mem.low : k->initrd_max + 1;

    if (f->size > top || ((top - f->size) & ~(uint64_t)(PAGE - 1)) < k->end)
        return -ENOSPC;
    k->initrd = (top - f->size) & ~(uint64_t)(PAGE - 1);
    k->initrd_size = f->size;
    memcpy(vm->mem.host + k->initrd, f->data, f->size);
    return 0;
}

static int load_initrd(struct vm *vm, struct kernel *k)
{
    const char *why = "";
    struct filemap f;
    int err;

    if (!vm->c->initrd)
        return 0;
    err = filemap_open(vm->c->initrd, MAX_FILE, &f, &why);
    if (!err) {
        err = place_initrd(vm, &f, k);
        why = "it does not fit beside the kernel; give the VM more memory";
        filemap_close(&f);
    }
    if (err)
        vm_log(vm, "initrd %s: %s: %s", vm->c->initrd, why, strerror(-err));
    return err;
}

static int write_cmdline(struct vm *vm, const struct kernel *k)
{
    size_t len = strlen(vm->c->cmdline);

    if (len > BOOT_CMDLINE_MAX || len > k->cmdline_max) {
        vm_log(vm, "the command line is longer than the %u characters the kernel takes",
               k->cmdline_max < BOOT_CMDLINE_MAX ? k->cmdline_max : BOOT_CMDLINE_MAX);
        return -EINVAL;
    }
    memcpy(vm->mem.host + BOOT_CMDLINE, vm->c->cmdline, len + 1);
    return 0;
}

/* The rest of boot_params. */
static void finish_params(struct vm *vm, const struct kernel *k)
{
    static const uint64_t gdt[4] = {0, 0, 0x00af9b000000ffffull, 0x00cf93000000ffffull};
    uint8_t *params = vm->mem.host + PC_BOOT_PARAMS;
    struct range map[MAX_MAP];
    unsigned n = memory_map(&vm->mem, map);

    bzimage_set_cmdline(params, BOOT_CMDLINE);
    bzimage_set_initrd(params, (uint32_t)k->initrd, (uint32_t)k->initrd_size);
    bzimage_set_rsdp(params, ACPI_TABLES);
    for (unsigned i = 0; i < n; i++)
        bzimage_add_e820(params, map[i].addr, map[i].size, map[i].type);
    memcpy(vm->mem.host + BOOT_GDT, gdt, sizeof(gdt));
}

static void write_start_info(struct vm *vm, const struct kernel *k)
{
    uint8_t *mem = vm->mem.host;
    const struct hvm_modlist_entry initrd = {.paddr = k->initrd, .size = k->initrd_size};
    struct hvm_memmap_table_entry map[MAX_MAP] = {{0}};
    struct range range[MAX_MAP];
    const struct hvm_start_info info = {
        .magic = HVM_START_MAGIC_VALUE,
        .version = 1,
        .nr_modules = k->initrd_size ? 1 : 0,
        .modlist_paddr = k->initrd_size ? BOOT_MODLIST : 0,
        .cmdline_paddr = BOOT_CMDLINE,
        .rsdp_paddr = ACPI_TABLES,
        .memmap_paddr = BOOT_MEMMAP,
        .memmap_entries = memory_map(&vm->mem, range),
    };

    for (unsigned i = 0; i < info.memmap_entries; i++)
        map[i] = (struct hvm_memmap_table_entry){
            .addr = range[i].addr, .size = range[i].size, .type = range[i].type};
    memcpy(mem + BOOT_START_INFO, &info, sizeof(info));
    memcpy(mem + BOOT_MEMMAP, map, sizeof(map));
    memcpy(mem + BOOT_MODLIST, &initrd, sizeof(initrd));
}

int pc_boot(struct vm *vm, bool gib_pages, struct pc_start *start)
{
    struct kernel k;
    int err = load_kernel(vm, &k);

    if (!err)
        err = load_initrd(vm, &k);
    if (!err)
        err = write_cmdline(vm, &k);
    if (err)
        return err;
    if (k.pvh)
        write_start_info(vm, &k);
    else
        finish_params(vm, &k);
    boot_page_tables(vm->mem.host, gib_pages);
    acpi_write(vm->mem.host + ACPI_TABLES, vm->c->vcpus);
    *start = k.start;
    return 0;
}
