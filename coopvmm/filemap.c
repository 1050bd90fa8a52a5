/* SPDX-License-Identifier: BSD-3-Clause */
#include "filemap.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int map(int fd, size_t max, struct filemap *out, const char **why)
{
    struct stat st;
    void *p;

    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode) || st.st_size == 0 || (uint64_t)st.st_size > max) {
        *why = "not a regular file, empty, or too large";
        return -ENOEXEC;
    }
    p = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (p == MAP_FAILED)
        return -errno;
    *out = (struct filemap){.data = p, .size = st.st_size};
    return 0;
}

int filemap_open(const char *path, size_t max, struct filemap *out, const char **why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), err;

    *why = "cannot be read";
    if (fd < 0)
        return -errno;
    err = map(fd, max, out, why);
    close(fd);
    return err;
}

void filemap_close(struct filemap *f)
{
    munmap((void *)f->data, f->size);
}
