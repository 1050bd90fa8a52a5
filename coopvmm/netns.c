/* SPDX-License-Identifier: BSD-3-Clause */
#include "netns.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static int write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;

    if (fd < 0)
        return -errno;
    if (write(fd, text, strlen(text)) < 0)
        err = -errno;
    close(fd);
    return err;
}

/* Root inside is who we were outside. */
static int map_to_root(uid_t uid, gid_t gid)
{
    char map[64];
    int err;

    snprintf(map, sizeof(map), "0 %u 1", (unsigned)uid);
    err = write_file("/proc/self/uid_map", map);
    /* gid_map may be written without privilege only after setgroups(2) was given up */
    if (!err)
        err = write_file("/proc/self/setgroups", "deny");
    snprintf(map, sizeof(map), "0 %u 1", (unsigned)gid);
    return err ? err : write_file("/proc/self/gid_map", map);
}

static int loopback_up(void)
{
    struct ifreq ifr = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0;

    if (fd < 0)
        return -errno;
    if (ioctl(fd, SIOCSIFFLAGS, &ifr) < 0)
        err = -errno;
    close(fd);
    return err;
}

int netns_unshare(char why[NETNS_WHY])
{
    uid_t uid = geteuid();
    gid_t gid = getegid();
    int err = 0;

    if (unshare(CLONE_NEWNET) < 0) {
        if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
            err = -errno;
        else
            err = map_to_root(uid, gid);
    }
    if (!err)
        err = loopback_up();
    if (err)
        snprintf(why, NETNS_WHY,
                 "cannot make a network namespace: %s; the host must allow unprivileged user "
                 "namespaces (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, "
                 "kernel.apparmor_restrict_unprivileged_userns), or run as root",
                 strerror(-err));
    return err;
}

/* Opens a namespace of a process. @return a descriptor; -EALREADY: it is ours already */
static int open_ns(pid_t pid, const char *kind)
{
    struct stat theirs, ours;
    char path[64];
    int fd;

    snprintf(path, sizeof(path), "/proc/self/ns/%s", kind);
    if (stat(path, &ours) < 0)
        return -errno;
    snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, kind);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (fstat(fd, &theirs) == 0 && theirs.st_ino == ours.st_ino && theirs.st_dev == ours.st_dev) {
        close(fd);
        return -EALREADY;
    }
    return fd;
}

static int join(int fd, int type)
{
    int err;

    if (fd == -EALREADY)
        return 0;
    if (fd < 0)
        return fd;
    err = setns(fd, type) < 0 ? -errno : 0;
    close(fd);
    return err;
}

int netns_enter(pid_t pid, char why[NETNS_WHY])
{
    /* both are opened before the first is joined: inside, /proc/PID may be out of reach */
    int user = open_ns(pid, "user"), net = open_ns(pid, "net");
    int err = join(user, CLONE_NEWUSER), err2;

    err2 = err ? err : join(net, CLONE_NEWNET);
    if (err && net >= 0)
        close(net);
    if (err2)
        snprintf(why, NETNS_WHY, "cannot enter the namespaces of process %d: %s", (int)pid,
                 strerror(-err2));
    return err2;
}
