/* SPDX-License-Identifier: BSD-3-Clause */
/* Kernels of any kind for the bzImage loader: it stays inside the file, guest memory and
 * boot_params. */
#include <stdlib.h>

#include "../../coopvmm/bzimage.h"

#define MEMORY (2u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t *mem, *params;
    struct bzimage img;
    const char *why;

    if (!mem) {
        mem = malloc(MEMORY); /* exactly: ASan guards the ends */
        params = malloc(BOOT_PARAMS_SIZE);
    }
    if (bzimage_load(data, size, mem, MEMORY, params, &img, &why))
        return 0;
    if (img.load < 0x100000 || img.end > MEMORY || img.entry < img.load || img.entry >= img.end)
        abort();
    for (unsigned i = 0; i < 200; i++)
        bzimage_add_e820(params, i, 1, E820_RAM);
    return 0;
}
