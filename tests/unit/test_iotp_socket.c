/* SPDX-License-Identifier: BSD-3-Clause */
/* What the control channel stands on: its socket in the file system, and sealed memory. */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../protocol/iotp_ctl.h"
#include "cu_main.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const char *const suite_name = "iotp_socket";

static void temp_dir(char dir[64])
{
    strcpy(dir, "/tmp/iotp-test-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
}

static void listening_takes_a_stale_socket_only(void)
{
    char dir[64], path[96];
    int l, c, a;
    struct stat st;
    mode_t mask = umask(0);

    temp_dir(dir);
    snprintf(path, sizeof(path), "%s/ctl", dir);
    CU_ASSERT_EQUAL(iotp_connect(path), -ENOENT);
    l = iotp_listen(path);
    CU_ASSERT_TRUE_FATAL(l >= 0);
    CU_ASSERT_EQUAL(stat(path, &st), 0);
    CU_ASSERT_EQUAL(st.st_mode, S_IFSOCK | 0600);
    CU_ASSERT_EQUAL(fcntl(l, F_GETFD), FD_CLOEXEC);
    CU_ASSERT_EQUAL(iotp_listen(path), -EADDRINUSE);
    close(accept(l, NULL, NULL)); /* the probe */
    c = iotp_connect(path);
    CU_ASSERT_TRUE(c >= 0);
    a = accept(l, NULL, NULL);
    CU_ASSERT_TRUE(a >= 0);
    close(l);
    CU_ASSERT_EQUAL(iotp_connect(path), -ECONNREFUSED);
    l = iotp_listen(path); /* although a connection of the former server lives on */
    CU_ASSERT_TRUE(l >= 0);
    close(a);
    close(c);
    close(l);
    unlink(path);
    rmdir(dir);
    umask(mask);
}

/* A socket of another kind that is served, and one whose server is too busy to accept. */
static void listening_respects_others(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    char dir[64];
    int stream, l, c[64];
    unsigned n = 0;

    temp_dir(dir);
    snprintf(a.sun_path, sizeof(a.sun_path), "%s/s", dir);
    stream = socket(AF_UNIX, SOCK_STREAM, 0);
    CU_ASSERT_EQUAL(bind(stream, (struct sockaddr *)&a, sizeof(a)), 0);
    CU_ASSERT_EQUAL(listen(stream, 1), 0);
    CU_ASSERT_EQUAL(iotp_listen(a.sun_path), -EADDRINUSE);
    close(stream);
    l = iotp_listen(a.sun_path);
    CU_ASSERT_TRUE_FATAL(l >= 0);
    for (; n < COUNT(c); n++) { /* fill the backlog */
        c[n] = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
        if (connect(c[n], (struct sockaddr *)&a, sizeof(a)))
            break;
    }
    CU_ASSERT_TRUE_FATAL(n < COUNT(c));
    CU_ASSERT_EQUAL(errno, EAGAIN);
    CU_ASSERT_EQUAL(iotp_listen(a.sun_path), -EADDRINUSE);
    for (unsigned i = 0; i <= n; i++)
        close(c[i]);
    close(l);
    unlink(a.sun_path);
    rmdir(dir);
}

static void listening_spares_files(void)
{
    char dir[64], path[96], longest[200];
    int fd;

    temp_dir(dir);
    snprintf(path, sizeof(path), "%s/precious", dir);
    fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    CU_ASSERT_TRUE(fd >= 0);
    CU_ASSERT_EQUAL(iotp_listen(path), -ENOTSOCK);
    CU_ASSERT_EQUAL(access(path, F_OK), 0);
    close(fd);
    unlink(path);
    CU_ASSERT_EQUAL(symlink("/nowhere", path), 0);
    CU_ASSERT_EQUAL(iotp_listen(path), -ENOTSOCK);
    unlink(path);
    rmdir(dir);
    CU_ASSERT_EQUAL(iotp_listen(path), -ENOENT);
    memset(longest, 'a', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    CU_ASSERT_EQUAL(iotp_listen(longest), -ENAMETOOLONG);
    CU_ASSERT_EQUAL(iotp_connect(longest), -ENAMETOOLONG);
    CU_ASSERT_EQUAL(iotp_listen(""), -EINVAL);
    CU_ASSERT_EQUAL(iotp_connect(""), -EINVAL);
}

static void memory_is_sealed(void)
{
    int fd = iotp_memfd("test", 8192);
    const uint8_t *p;

    CU_ASSERT_TRUE_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(ftruncate(fd, 4096), -1);
    CU_ASSERT_EQUAL(ftruncate(fd, 16384), -1);
    CU_ASSERT_EQUAL(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
    CU_ASSERT_EQUAL(fcntl(fd, F_GET_SEALS), F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    CU_ASSERT_EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
    p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CU_ASSERT_TRUE_FATAL(p != MAP_FAILED);
    CU_ASSERT_TRUE(p[0] == 0 && p[8191] == 0);
    munmap((void *)p, 8192);
    CU_ASSERT_EQUAL(iotp_memfd_check(fd, 8192), 0);
    CU_ASSERT_EQUAL(iotp_memfd_check(fd, 8193), -EINVAL);
    CU_ASSERT_EQUAL(iotp_memfd_check(fd, UINT64_MAX), -EINVAL);
    close(fd);
    CU_ASSERT_EQUAL(iotp_memfd("test", 0), -EINVAL);
    CU_ASSERT_EQUAL(iotp_memfd("test", 1ull << 63), -EINVAL);
}

static void unsealed_memory_is_refused(void)
{
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING), efd = eventfd(0, 0);
    int p[2];

    CU_ASSERT_EQUAL(ftruncate(fd, 8192), 0);
    CU_ASSERT_EQUAL(iotp_memfd_check(fd, 4096), -EPERM);
    CU_ASSERT_EQUAL(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), 0);
    CU_ASSERT_EQUAL(iotp_memfd_check(fd, 4096), -EPERM);
    CU_ASSERT_EQUAL(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
    CU_ASSERT_EQUAL(iotp_memfd_check(fd, 4096), 0);
    CU_ASSERT_EQUAL(iotp_memfd_check(efd, 0), -EPERM);
    CU_ASSERT_EQUAL(pipe(p), 0);
    CU_ASSERT_EQUAL(iotp_memfd_check(p[0], 0), -EPERM);
    close(p[0]);
    close(p[1]);
    close(efd);
    close(fd);
    CU_ASSERT_EQUAL(iotp_memfd_check(fd, 4096), -EBADF);
}

const struct cu_test suite_tests[] = {
    {"listening takes a stale socket only", listening_takes_a_stale_socket_only},
    {"listening respects others", listening_respects_others},
    {"listening spares files", listening_spares_files},
    {"memory is sealed", memory_is_sealed},
    {"unsealed memory is refused", unsealed_memory_is_refused},
    {NULL, NULL},
};
