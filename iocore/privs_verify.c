/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tries what a daemon that gave everything away must not be able to do. Each attempt is harmless
 * where it is allowed; refused means EPERM, or EACCES if Landlock did it; any other error means
 * that the kernel looked at it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "privs.h"

static long try_create(void)
{
    return open("/tmp", O_TMPFILE | O_RDWR, 0600);
}

static long try_write(void)
{
    return open("/dev/null", O_WRONLY);
}

static long try_read(void)
{
    return open("/dev/null", O_RDONLY);
}

static long try_execve(void)
{
    char *const none[] = {NULL};

    return execve("", none, none); /* ENOENT if allowed */
}

/* Raw: the C library's fork would go on in the child. */
static long try_fork(void)
{
    long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

    if (pid == 0)
        _exit(0);
    return pid;
}

/* It is said not to exist, so that the C library takes clone. */
static long try_clone3(void)
{
    long r = syscall(SYS_clone3, NULL, 0);

    if (r == -1 && errno == ENOSYS)
        errno = EPERM;
    return r;
}

static long try_ptrace(void)
{
    return ptrace(PTRACE_PEEKDATA, getppid(), NULL, NULL); /* ESRCH if allowed */
}

static long try_inet(void)
{
    return socket(AF_INET, SOCK_STREAM, 0);
}

static long try_packet(void)
{
    return socket(AF_PACKET, SOCK_RAW, 0);
}

static long try_unix(void)
{
    return socket(AF_UNIX, SOCK_STREAM, 0);
}

static long try_mount(void)
{
    return mount(NULL, "", NULL, 0, NULL);
}

static long try_unshare(void)
{
    return unshare(CLONE_FS);
}

static long try_setuid(void)
{
    return syscall(SYS_setuid, getuid());
}

static long try_kill(void)
{
    return syscall(SYS_kill, getppid(), 0);
}

static long try_exec_page(void)
{
    void *p =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return p == MAP_FAILED ? -1 : munmap(p, 4096);
}

static long try_console(void)
{
    return ioctl(-1, TIOCSTI, "x"); /* EBADF if allowed */
}

static long try_capabilities(void)
{
    struct __user_cap_header_struct hdr = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct all[2];

    memset(all, 0xff, sizeof(all));
    return syscall(SYS_capset, &hdr, all);
}

static const struct {
    const char *name;
    long (*fn)(void);
} attempt[] = {
    {"create a file", try_create},
    {"open a file for writing", try_write},
    {"open a file", try_read},
    {"execve", try_execve},
    {"fork", try_fork},
    {"clone3", try_clone3},
    {"ptrace", try_ptrace},
    {"socket(AF_INET)", try_inet},
    {"socket(AF_PACKET)", try_packet},
    {"socket(AF_UNIX)", try_unix},
    {"mount", try_mount},
    {"unshare", try_unshare},
    {"setuid", try_setuid},
    {"kill", try_kill},
    {"map executable memory", try_exec_page},
    {"push characters into the terminal", try_console},
    {"capset", try_capabilities},
};

int privs_verify(FILE *err)
{
    int allowed = 0;

    for (size_t i = 0; i < sizeof(attempt) / sizeof(attempt[0]); i++)
        if (attempt[i].fn() >= 0 || (errno != EPERM && errno != EACCES)) {
            fprintf(err, "not refused: %s\n", attempt[i].name);
            allowed++;
        }
    return allowed;
}
