/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loading of a guest kernel: a statically linked x86-64 ELF executable is copied into guest memory
 * at its physical addresses (p_paddr). Source: System V ABI, chapters 4 and 5, and its AMD64
 * supplement.
 *
 * The file is hostile: every offset, size and address is checked, overflow included, before it is
 * used; two segments may not overlap. Threads: no state.
 */
#ifndef COOPVMM_ELF_H
#define COOPVMM_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_MAX_FILE (256u << 20) /* bytes; a larger kernel is surely a mistake */

/* What became of the file. */
struct elf_image {
    uint64_t entry;     /* e_entry: where 64-bit code starts; inside a loaded segment, unless pvh */
    uint64_t low, high; /* guest-physical addresses [low, high) that were written */
    uint32_t pvh_entry; /* XEN_ELFNOTE_PHYS32_ENTRY, 0: the file has none; if pvh, in a segment */
};

/* Where segments may go: [floor, size) of the guest memory at `mem`. */
struct elf_room {
    uint8_t *mem;
    uint64_t size;  /* bytes of guest memory */
    uint64_t floor; /* lowest guest-physical address a segment may have */
    bool pvh;       /* it is entered as PVH guests are, so that its addresses may be virtual ones */
};

/**
 * Loads an ELF file that lies in memory.
 * @param why receives, if refused, what is wrong with it (constant text)
 * @return 0 and *out; -ENOEXEC: not such a file, or broken; -ERANGE: it does not fit in the room.
 *         Guest memory may have been written even if it was refused.
 */
int elf_load(const uint8_t *file, size_t size, const struct elf_room *room, struct elf_image *out,
             const char **why);

/** The same from a file. @return as elf_load, or the negative errno of opening or reading it. */
int elf_load_path(const char *path, const struct elf_room *room, struct elf_image *out,
                  const char **why);

#endif
