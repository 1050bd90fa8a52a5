/* SPDX-License-Identifier: BSD-3-Clause */
/* Kernels of any kind for the ELF loader: it stays inside the file and guest memory. */
#include <stdlib.h>

#include "../../coopvmm/boot.h"

#define MEMORY (2u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t *mem;
    struct elf_image img;
    const char *why;

    if (!mem)
        mem = malloc(MEMORY); /* exactly: ASan guards its end */
    const struct elf_room room = {.mem = mem, .size = MEMORY, .floor = BOOT_END};
    if (elf_load(data, size, &room, &img, &why) == 0 &&
        (img.low < BOOT_END || img.high > MEMORY || img.low > img.high))
        abort();
    const struct elf_room pvh = {.mem = mem, .size = MEMORY, .floor = 0x100000, .pvh = true};
    if (elf_load(data, size, &pvh, &img, &why) == 0 &&
        (img.pvh_entry < img.low || img.pvh_entry >= img.high))
        abort();
    return 0;
}
