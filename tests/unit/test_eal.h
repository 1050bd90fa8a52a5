/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Starts DPDK for a suite: ordinary pages, no PCI, a runtime directory of its own that goes with
 * the process; and a network namespace of its own for suites that make interfaces.
 */
#ifndef COOPVMM_TESTS_TEST_EAL_H
#define COOPVMM_TESTS_TEST_EAL_H

#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>

static char test_eal_dir[] = "/tmp/coopvmm-test-XXXXXX";

static int test_eal_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void test_eal_end(void)
{
    rte_eal_cleanup();
    nftw(test_eal_dir, test_eal_remove, 8, FTW_DEPTH | FTW_PHYS);
}

/* Once a process; ends it if DPDK does not start, since nothing could be tested then. */
static inline void test_eal(void)
{
    static int started;
    char *arg[] = {"test", "--no-huge",      "-m",          "96",      "--no-pci", "--lcores",
                   "0@0",  "--iova-mode=va", "--log-level", "warning", NULL};

    if (started)
        return;
    if (!mkdtemp(test_eal_dir) || setenv("RUNTIME_DIRECTORY", test_eal_dir, 1) ||
        rte_eal_init(10, arg) < 0) {
        fprintf(stderr, "DPDK does not start: %s\n", rte_strerror(rte_errno));
        exit(1);
    }
    started = 1;
    atexit(test_eal_end);
}

static inline void test_write(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        perror(path);
    if (fd >= 0)
        close(fd);
}

/* As root, or as an ordinary user in a user namespace. To be called before test_eal(). */
static inline void test_netns(void)
{
    char map[32];
    unsigned uid = geteuid();

    if (unshare(CLONE_NEWNET) == 0)
        return;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET)) {
        perror("no network namespace, so no interfaces: unshare");
        exit(1);
    }
    snprintf(map, sizeof(map), "0 %u 1", uid);
    test_write("/proc/self/uid_map", map);
}

#endif
