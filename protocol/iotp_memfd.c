/* SPDX-License-Identifier: BSD-3-Clause */
/* Sealed shared memory: it can neither shrink (SIGBUS for whoever maps it) nor grow. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "iotp_ctl.h"

static int make(const char *name, uint64_t size, unsigned flags)
{
    int fd, err;

    if (!size || size > INT64_MAX)
        return -EINVAL;
    fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | flags);
    if (fd < 0)
        return -errno;
    if (ftruncate(fd, (off_t)size) ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)) {
        err = -errno;
        close(fd);
        return err;
    }
    return fd;
}

int iotp_memfd(const char *name, uint64_t size)
{
    return make(name, size, 0);
}

int iotp_memfd_huge(const char *name, uint64_t size)
{
    return make(name, size, MFD_HUGETLB);
}

int iotp_memfd_check(int fd, uint64_t size)
{
    struct stat st;
    int seals = fcntl(fd, F_GET_SEALS);

    if (seals < 0)
        return errno == EINVAL ? -EPERM : -errno; /* EINVAL: no memfd, so never sealed */
    if (!(seals & F_SEAL_SHRINK))
        return -EPERM;
    if (fstat(fd, &st))
        return -errno;
    return st.st_size >= 0 && (uint64_t)st.st_size >= size ? 0 : -EINVAL;
}
