/* SPDX-License-Identifier: BSD-3-Clause */
/* Helpers for carrying out struct nm_access. */
#ifndef COOPVMM_NICMODELS_ACCESS_H
#define COOPVMM_NICMODELS_ACCESS_H

#include <endian.h>
#include <string.h>

#include "model.h"

/* The low `size` bytes (at most 8) of a value, little-endian. */
static inline void nm_put_le(uint8_t *to, uint64_t value, unsigned size)
{
    value = htole64(value);
    memcpy(to, &value, size);
}

static inline uint64_t nm_get_le(const uint8_t *from, unsigned size)
{
    uint64_t value = 0;

    memcpy(&value, from, size);
    return le64toh(value);
}

/* Where element i of a string lies. */
static inline uint8_t *nm_element(const struct nm_access *a, uint32_t i)
{
    ptrdiff_t at = (ptrdiff_t)i * a->size;

    return a->down ? a->mem - at : a->mem + at;
}

#endif
