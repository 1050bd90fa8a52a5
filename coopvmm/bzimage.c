/* SPDX-License-Identifier: BSD-3-Clause */
#include "bzimage.h"

#include <errno.h>
#include <string.h>

#define SECTOR       512u
#define HDRS         0x53726448u /* "HdrS" */
#define BOOT_FLAG    0xaa55
#define ENTRY_64     0x200u /* of the 64-bit code, from where the kernel lies */
#define LOWEST       0x100000u
#define OTHER_LOADER 0xff
#define E820_ROOM    128

/* Offsets in the file's first sectors, and so in boot_params. */
enum {
    ACPI_RSDP_ADDR = 0x070,
    E820_ENTRIES = 0x1e8,
    SETUP_HEADER = 0x1f1, /* also setup_sects */
    BOOT_FLAG_AT = 0x1fe,
    HEADER_LENGTH = 0x201, /* of the jump over the header: it ends that far behind 0x202 */
    HEADER_MAGIC = 0x202,
    VERSION = 0x206,
    TYPE_OF_LOADER = 0x210,
    LOADFLAGS = 0x211,
    RAMDISK_IMAGE = 0x218,
    RAMDISK_SIZE = 0x21c,
    CMD_LINE_PTR = 0x228,
    INITRD_ADDR_MAX = 0x22c,
    XLOADFLAGS = 0x236,
    CMDLINE_SIZE = 0x238,
    PREF_ADDRESS = 0x258,
    INIT_SIZE = 0x260,
    HEADER_END = 0x268, /* of protocol 2.12, the least that is wanted */
    E820_TABLE = 0x2d0,
};
#define HEADER_LIMIT    0x290u /* boot_params has room for a header up to here */
#define LOADED_HIGH     0x01
#define XLF_KERNEL_64   0x0001
#define VERSION_2_12    0x020c /* xloadflags */
#define DEFAULT_SECTORS 4      /* if setup_sects says 0 */

static uint64_t get(const uint8_t *p, unsigned at, unsigned size)
{
    uint64_t v = 0;

    memcpy(&v, p + at, size); /* little-endian, as the CPU that runs it */
    return v;
}

static void set(uint8_t *p, unsigned at, unsigned size, uint64_t v)
{
    memcpy(p + at, &v, size);
}

bool bzimage_is(const uint8_t *file, size_t size)
{
    return size >= HEADER_END && get(file, BOOT_FLAG_AT, 2) == BOOT_FLAG &&
           get(file, HEADER_MAGIC, 4) == HDRS;
}

static const char *refusal(const uint8_t *file, size_t size)
{
    if (!bzimage_is(file, size))
        return "no Linux kernel (bzImage)";
    if (get(file, VERSION, 2) < VERSION_2_12)
        return "older than boot protocol 2.12 (Linux 3.8)";
    if (!(get(file, LOADFLAGS, 1) & LOADED_HIGH) || !(get(file, XLOADFLAGS, 2) & XLF_KERNEL_64))
        return "it has no 64-bit entry point; only x86-64 kernels run here";
    return NULL;
}

/* Where the kernel proper is in the file. @return its size, 0: the file ends before */
static size_t payload(const uint8_t *file, size_t size, size_t *at)
{
    unsigned sectors = file[SETUP_HEADER] ? file[SETUP_HEADER] : DEFAULT_SECTORS;

    *at = (sectors + 1) * SECTOR;
    return size > *at ? size - *at : 0;
}

static void begin_params(const uint8_t *file, uint8_t *params)
{
    unsigned end = HEADER_MAGIC + file[HEADER_LENGTH];

    memset(params, 0, BOOT_PARAMS_SIZE);
    if (end < HEADER_END)
        end = HEADER_END;
    if (end > HEADER_LIMIT)
        end = HEADER_LIMIT;
    memcpy(params + SETUP_HEADER, file + SETUP_HEADER, end - SETUP_HEADER);
    params[TYPE_OF_LOADER] = OTHER_LOADER;
}

int bzimage_load(const uint8_t *file, size_t file_size, uint8_t *mem, uint64_t size,
                 uint8_t *params, struct bzimage *out, const char **why)
{
    size_t at, len;
    uint64_t needs;

    *why = refusal(file, file_size);
    if (*why)
        return -ENOEXEC;
    *why = "the file ends before its kernel does";
    len = payload(file, file_size, &at);
    if (len < ENTRY_64 + 1 || file_size < HEADER_LIMIT)
        return -ENOEXEC;
    out->load = get(file, PREF_ADDRESS, 8);
    needs = get(file, INIT_SIZE, 4);
    if (needs < len)
        needs = len;
    *why = "it does not fit in the VM's memory; give it more";
    if (out->load < LOWEST || out->load > size || needs > size - out->load)
        return -ERANGE;
    memcpy(mem + out->load, file + at, len);
    begin_params(file, params);
    out->end = out->load + needs;
    out->entry = out->load + ENTRY_64;
    out->initrd_max = get(file, INITRD_ADDR_MAX, 4);
    out->cmdline_max = (uint32_t)get(file, CMDLINE_SIZE, 4);
    *why = "";
    return 0;
}

void bzimage_set_cmdline(uint8_t *params, uint32_t addr)
{
    set(params, CMD_LINE_PTR, 4, addr);
}

void bzimage_set_initrd(uint8_t *params, uint32_t addr, uint32_t size)
{
    set(params, RAMDISK_IMAGE, 4, addr);
    set(params, RAMDISK_SIZE, 4, size);
}

void bzimage_set_rsdp(uint8_t *params, uint64_t addr)
{
    set(params, ACPI_RSDP_ADDR, 8, addr);
}

void bzimage_add_e820(uint8_t *params, uint64_t addr, uint64_t size, uint32_t type)
{
    unsigned n = params[E820_ENTRIES];
    uint8_t *entry = params + E820_TABLE + 20 * n;

    if (n == E820_ROOM || !size)
        return;
    set(entry, 0, 8, addr);
    set(entry, 8, 8, size);
    set(entry, 16, 4, type);
    params[E820_ENTRIES] = (uint8_t)(n + 1);
}
