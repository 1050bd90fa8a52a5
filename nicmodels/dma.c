/* SPDX-License-Identifier: BSD-3-Clause */
#include "dma.h"

#include <string.h>

#include "access.h"

bool nm_dma_read(struct nm_dev *d, uint64_t gpa, void *to, size_t len)
{
    uint8_t *p = to;

    while (len) {
        uint64_t n = len;
        const void *host = d->env->dma(d, gpa, &n, false);

        if (!host)
            return false;
        memcpy(p, host, n);
        gpa += n;
        p += n;
        len -= n;
    }
    return true;
}

bool nm_dma_write(struct nm_dev *d, uint64_t gpa, const void *from, size_t len)
{
    const uint8_t *p = from;

    while (len) {
        uint64_t n = len;
        void *host = d->env->dma(d, gpa, &n, true);

        if (!host)
            return false;
        memcpy(host, p, n);
        gpa += n;
        p += n;
        len -= n;
    }
    return true;
}

/* The guest's driver reads what this announces after it read this: a read barrier there (in Linux
 * dma_rmb) pairs with the release here. */
static void store(void *host, uint64_t value, unsigned size)
{
    switch (size) {
    case 1: __atomic_store_n((uint8_t *)host, (uint8_t)value, __ATOMIC_RELEASE); break;
    case 2: __atomic_store_n((uint16_t *)host, (uint16_t)value, __ATOMIC_RELEASE); break;
    case 4: __atomic_store_n((uint32_t *)host, (uint32_t)value, __ATOMIC_RELEASE); break;
    default: __atomic_store_n((uint64_t *)host, value, __ATOMIC_RELEASE); break;
    }
}

bool nm_dma_publish(struct nm_dev *d, uint64_t gpa, uint64_t value, unsigned size)
{
    uint64_t n = size;
    void *host = d->env->dma(d, gpa, &n, true);
    uint8_t bytes[8];

    if (host && n == size && !((uintptr_t)host % size)) {
        store(host, value, size);
        return true;
    }
    nm_put_le(bytes, value, size);
    return nm_dma_write(d, gpa, bytes, size);
}
