/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loading of a Linux kernel in the form distributions ship it, bzImage, for its 64-bit entry point.
 * Source: Linux Documentation/x86/boot.rst; names of fields as there.
 *
 * The file is hostile: each number in it is checked before it is used. Threads: no state.
 */
#ifndef COOPVMM_BZIMAGE_H
#define COOPVMM_BZIMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BOOT_PARAMS_SIZE 4096u /* struct boot_params, the "zero page" */
#define E820_RAM         1u
#define E820_RESERVED    2u

/* What became of the file. */
struct bzimage {
    uint64_t load;        /* guest-physical address of the kernel proper */
    uint64_t end;         /* the kernel needs memory up to here while it unpacks itself */
    uint64_t entry;       /* 64-bit entry point */
    uint64_t initrd_max;  /* highest address an initrd's last byte may have */
    uint32_t cmdline_max; /* characters */
};

/** Does the file look like one? */
bool bzimage_is(const uint8_t *file, size_t size);

/**
 * Loads it and begins boot_params: its setup header and who loads.
 * @param mem guest-physical 0; `size` bytes; the kernel is loaded at 1 MiB or above
 * @param params BOOT_PARAMS_SIZE bytes
 * @param why receives, if refused, what is wrong with it (constant text)
 * @return 0 and *out; -ENOEXEC: broken, or too old; -ERANGE: it does not fit
 */
int bzimage_load(const uint8_t *file, size_t file_size, uint8_t *mem, uint64_t size,
                 uint8_t *params, struct bzimage *out, const char **why);

/** Fields of boot_params that the loader fills in. */
void bzimage_set_cmdline(uint8_t *params, uint32_t addr);
void bzimage_set_initrd(uint8_t *params, uint32_t addr, uint32_t size);
void bzimage_set_rsdp(uint8_t *params, uint64_t addr);
/** Adds a range to the memory map, which has room for 128. */
void bzimage_add_e820(uint8_t *params, uint64_t addr, uint64_t size, uint32_t type);

#endif
