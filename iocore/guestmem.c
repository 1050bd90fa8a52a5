/* SPDX-License-Identifier: BSD-3-Clause */
#include "guestmem.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

static bool overlaps(const struct guestmem *m, uint64_t gpa, uint64_t size)
{
    for (unsigned i = 0; i < m->nregions; i++)
        if (gpa < m->region[i].gpa + m->region[i].size && m->region[i].gpa < gpa + size)
            return true;
    return false;
}

int guestmem_add(struct guestmem *m, uint64_t gpa, uint64_t size, void *host)
{
    if (m->nregions == GUESTMEM_MAX_REGIONS)
        return -ENOSPC;
    if (!size || gpa + size < gpa || overlaps(m, gpa, size))
        return -EINVAL;
    m->region[m->nregions++] = (struct guestmem_region){.gpa = gpa, .size = size, .host = host};
    return 0;
}

int guestmem_map(struct guestmem *m, uint64_t gpa, uint64_t size, int fd, uint64_t offset)
{
    void *host = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)offset);
    int err;

    if (host == MAP_FAILED)
        return -errno;
    madvise(host, size, MADV_HUGEPAGE); /* as the VMM did: whoever is first decides */
    err = guestmem_add(m, gpa, size, host);
    if (err) {
        munmap(host, size);
        return err;
    }
    m->region[m->nregions - 1].mapped = true;
    return 0;
}

void guestmem_unmap(struct guestmem *m)
{
    for (unsigned i = 0; i < m->nregions; i++)
        if (m->region[i].mapped)
            munmap(m->region[i].host, m->region[i].size);
    m->nregions = 0;
}

bool guestmem_copy(const struct guestmem *m, uint64_t gpa, void *buf, uint64_t len, bool write)
{
    uint8_t *p = buf;

    while (len) {
        uint64_t n = len;
        void *host = guestmem_at(m, gpa, &n);

        if (!host)
            return false;
        memcpy(write ? host : p, write ? p : host, n);
        gpa += n;
        p += n;
        len -= n;
    }
    return true;
}
