/* SPDX-License-Identifier: BSD-3-Clause */
/* What a daemon keeps that will serve Xen's domains: Xen's files, and some requests on them. */
#include "../../iocore/privs.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <xen/xen.h>

#include <xen/sys/evtchn.h>
#include <xen/sys/privcmd.h>

#include "cu_main.h"
#include "test_privs.h"

static void drop_for_xen(bool refuse)
{
    struct privs_drop d = {.seccomp = true, .xen = true, .refuse = refuse};

    EXPECT(privs_drop(&d, stderr) == 0);
}

static int never[2]; /* a pipe: threads wait at it; and a descriptor that is none of Xen's */

/* --- files --- */

static bool has_landlock(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, 0, 1) > 0;
}

static bool no_landlock(void)
{
    if (has_landlock())
        return false;
    printf("\nskip - privs: this kernel has no Landlock: files are not confined\n");
    return true;
}

/* A /dev of this process's own, with something in Xen's place. */
static void make_dev_xen(void)
{
    static const char *const file[] = {"/dev/xen/privcmd", "/dev/xen/evtchn", "/dev/xen/other"};

    EXPECT(unshare(geteuid() ? CLONE_NEWUSER | CLONE_NEWNS : CLONE_NEWNS) == 0);
    EXPECT(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    EXPECT(mount("none", "/dev", "tmpfs", 0, NULL) == 0);
    EXPECT(mkdir("/dev/xen", 0755) == 0);
    for (size_t i = 0; i < sizeof(file) / sizeof(file[0]); i++)
        EXPECT(close(open(file[i], O_CREAT | O_RDWR, 0666)) == 0);
}

static bool closed(const char *path, int flags)
{
    return open(path, flags, 0600) == -1 && errno == EACCES;
}

static void *opens_late(void *arg)
{
    char c;

    (void)arg;
    EXPECT(read(never[0], &c, 1) == 1);
    EXPECT(closed("/etc/passwd", O_RDONLY));
    return NULL;
}

/* Xen's files and no others, whichever thread asks, whenever it was made. */
static void xen_files_child(void)
{
    pthread_t t[3];

    make_dev_xen();
    EXPECT(pipe(never) == 0);
    for (int i = 0; i < 2; i++)
        EXPECT(pthread_create(&t[i], NULL, opens_late, NULL) == 0);
    drop_for_xen(true);
    EXPECT(pthread_create(&t[2], NULL, opens_late, NULL) == 0);
    EXPECT(open("/dev/xen/privcmd", O_RDWR) >= 0);
    EXPECT(open("/dev/xen/evtchn", O_RDWR | O_CLOEXEC) >= 0);
    EXPECT(closed("/dev/xen/other", O_RDWR));
    EXPECT(closed("/dev/xen", O_RDONLY | O_DIRECTORY));
    EXPECT(closed("/dev/xen/new", O_CREAT | O_RDWR));
    EXPECT(closed("/etc/passwd", O_RDONLY));
    EXPECT(closed("/proc/self/mem", O_RDWR));
    EXPECT(closed("/tmp", O_TMPFILE | O_RDWR));
    EXPECT(closed("/", O_RDONLY | O_DIRECTORY));
    EXPECT(write(never[1], "abc", 3) == 3);
    for (int i = 0; i < 3; i++)
        EXPECT(pthread_join(t[i], NULL) == 0);
}

static void verify_for_xen_child(void)
{
    drop_for_xen(true);
    EXPECT(privs_verify(stderr) == 0);
}

static void test_xen_files(void)
{
    if (no_landlock())
        return;
    expect_success(xen_files_child);
    expect_success(verify_for_xen_child);
}

/* --- requests --- */

/* On a descriptor that is none of Xen's the kernel says ENOTTY to what the filter lets through. */
static bool let_through(unsigned long request)
{
    return ioctl(never[0], request, NULL) == -1 && errno == ENOTTY;
}

static bool refused(unsigned long request)
{
    return ioctl(never[0], request, NULL) == -1 && errno == EPERM;
}

static const unsigned long xen_needs[] = {
    IOCTL_PRIVCMD_DM_OP,         IOCTL_PRIVCMD_RESTRICT,      IOCTL_PRIVCMD_MMAPBATCH_V2,
    IOCTL_PRIVCMD_MMAP_RESOURCE, IOCTL_EVTCHN_RESTRICT_DOMID, IOCTL_EVTCHN_BIND_INTERDOMAIN,
    IOCTL_EVTCHN_UNBIND,         IOCTL_EVTCHN_NOTIFY,
};

/* Of Xen's requests what a device model needs; above all no hypercall of its own choice. */
static void xen_requests_child(void)
{
    EXPECT(pipe(never) == 0);
    drop_for_xen(true);
    for (size_t i = 0; i < sizeof(xen_needs) / sizeof(xen_needs[0]); i++)
        EXPECT(let_through(xen_needs[i]));
    EXPECT(refused(IOCTL_PRIVCMD_HYPERCALL));
    EXPECT(refused(IOCTL_PRIVCMD_MMAP));
    EXPECT(refused(IOCTL_EVTCHN_BIND_VIRQ));
    EXPECT(refused(IOCTL_EVTCHN_BIND_UNBOUND_PORT));
    EXPECT(refused(IOCTL_EVTCHN_RESET));
    EXPECT(refused(TIOCSTI));
    EXPECT(refused(IOCTL_PRIVCMD_DM_OP ^ 1));
    EXPECT(socket(AF_UNIX, SOCK_STREAM, 0) == -1 && errno == EPERM);
}

/* Who serves no domains needs none of them. */
static void no_xen_requests_child(void)
{
    struct privs_drop d = {.seccomp = true, .refuse = true};

    EXPECT(pipe(never) == 0);
    EXPECT(privs_drop(&d, stderr) == 0);
    for (size_t i = 0; i < sizeof(xen_needs) / sizeof(xen_needs[0]); i++)
        EXPECT(refused(xen_needs[i]));
}

static void test_xen_requests(void)
{
    expect_success(xen_requests_child);
    expect_success(no_xen_requests_child);
}

static void exec_for_xen_child(void)
{
    drop_for_xen(false);
    execl("/bin/true", "true", NULL);
}

static void unlink_for_xen_child(void)
{
    drop_for_xen(false);
    EXPECT(unlink("/tmp/nothing") == -1 && errno == EPERM);
    EXPECT(rename("/tmp/nothing", "/tmp/else") == -1);
}

static void test_xen_killed(void)
{
    expect_killed(exec_for_xen_child);
    expect_killed(unlink_for_xen_child); /* at rename */
}

const char *const suite_name = "privs_xen";
const struct cu_test suite_tests[] = {
    {"its files and no others", test_xen_files},
    {"its requests and no others", test_xen_requests},
    {"forbidden calls kill", test_xen_killed},
    {NULL, NULL},
};
