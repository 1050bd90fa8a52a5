/* SPDX-License-Identifier: BSD-3-Clause */
/* Run directories: one owner a name, stale ones cleaned, nobody else's trusted. */
#include "../../coopvmm/rundir.h"

#include <CUnit/CUnit.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cu_main.h"

const char *const suite_name = "rundir";

static char base[64], why[RUNDIR_WHY];

static void fresh_base(void)
{
    strcpy(base, "/tmp/rundir-test-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(base));
    setenv("COOPVMM_RUNDIR", base, 1);
}

static void remove_base(void)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf %s", base);
    CU_ASSERT_EQUAL(system(command), 0);
}

static bool exists(const char *fmt, const char *a)
{
    char path[256];
    struct stat st;

    snprintf(path, sizeof(path), fmt, base, a);
    return lstat(path, &st) == 0;
}

static void touch(const char *fmt)
{
    char path[256];
    int fd;

    snprintf(path, sizeof(path), fmt, base);
    fd = open(path, O_WRONLY | O_CREAT, 0600);
    CU_ASSERT_FATAL(fd >= 0);
    close(fd);
}

static void test_names(void)
{
    CU_ASSERT_TRUE(rundir_name_ok("demo"));
    CU_ASSERT_TRUE(rundir_name_ok("9.a_b-C"));
    CU_ASSERT_TRUE(rundir_name_ok("a234567890123456789012345678901"));
    CU_ASSERT_FALSE(rundir_name_ok("a2345678901234567890123456789012"));
    CU_ASSERT_FALSE(rundir_name_ok(""));
    CU_ASSERT_FALSE(rundir_name_ok(".."));
    CU_ASSERT_FALSE(rundir_name_ok("../etc"));
    CU_ASSERT_FALSE(rundir_name_ok("a/b"));
    CU_ASSERT_FALSE(rundir_name_ok("-x"));
    CU_ASSERT_FALSE(rundir_name_ok("a b"));
}

static void test_life(void)
{
    struct rundir r, second;
    struct rundir_ref ref;

    fresh_base();
    CU_ASSERT_EQUAL(rundir_find(NULL, &ref, why), -ENOENT);
    CU_ASSERT_EQUAL_FATAL(rundir_create("demo", &r, why), 0);
    CU_ASSERT_TRUE(exists("%s/demo/logs%s", ""));
    CU_ASSERT_EQUAL(rundir_owner(r.ref.path), getpid());
    CU_ASSERT_EQUAL(rundir_find("demo", &ref, why), 0);
    CU_ASSERT_STRING_EQUAL(ref.path, r.ref.path);
    CU_ASSERT_PTR_NOT_NULL(strstr(ref.telemetry, "/.rt/dpdk/coopvmm-demo/dpdk_telemetry.v2"));
    CU_ASSERT_EQUAL(rundir_find(NULL, &ref, why), 0);
    CU_ASSERT_EQUAL(rundir_find("other", &ref, why), -ENOENT);
    CU_ASSERT_EQUAL(rundir_create("demo", &second, why), -EBUSY);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "running already"));
    rundir_remove(&r, false);
    CU_ASSERT_FALSE(exists("%s/demo%s", ""));
    CU_ASSERT_EQUAL(rundir_find("demo", &ref, why), -ENOENT);
    remove_base();
}

static void test_mode(void)
{
    struct rundir r;
    struct stat st;

    fresh_base();
    CU_ASSERT_EQUAL_FATAL(rundir_create("demo", &r, why), 0);
    CU_ASSERT_EQUAL(stat(r.ref.path, &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 07777, 0700);
    rundir_remove(&r, false);
    remove_base();
}

static void test_several(void)
{
    struct rundir a, b;
    struct rundir_ref ref;

    fresh_base();
    CU_ASSERT_EQUAL_FATAL(rundir_create("one", &a, why), 0);
    CU_ASSERT_EQUAL_FATAL(rundir_create("two", &b, why), 0);
    CU_ASSERT_EQUAL(rundir_find(NULL, &ref, why), -ENOTUNIQ);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "one"));
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "two"));
    CU_ASSERT_EQUAL(rundir_find("two", &ref, why), 0);
    rundir_remove(&a, false);
    CU_ASSERT_EQUAL(rundir_find(NULL, &ref, why), 0);
    CU_ASSERT_STRING_EQUAL(ref.name, "two");
    rundir_remove(&b, false);
    remove_base();
}

/* A supervisor that is killed leaves everything behind. */
static void leave_stale(void)
{
    pid_t pid = fork();
    int status;

    CU_ASSERT_FATAL(pid >= 0);
    if (pid == 0) {
        struct rundir r;

        _exit(rundir_create("demo", &r, why) == 0 ? 0 : 1);
    }
    CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
    CU_ASSERT_EQUAL(status, 0);
}

static void test_stale(void)
{
    struct rundir r;
    struct rundir_ref ref;
    char link[128], target[128];

    fresh_base();
    leave_stale();
    touch("%s/outside");
    touch("%s/demo/iotp.sock");
    touch("%s/demo/logs/old.log");
    snprintf(link, sizeof(link), "%s/demo/logs/link", base);
    snprintf(target, sizeof(target), "%s", base);
    CU_ASSERT_EQUAL(symlink(target, link), 0);
    CU_ASSERT_EQUAL(rundir_find("demo", &ref, why), -ENOENT);
    CU_ASSERT_EQUAL_FATAL(rundir_create("demo", &r, why), 0);
    CU_ASSERT_FALSE(exists("%s/demo/iotp.sock%s", ""));
    CU_ASSERT_FALSE(exists("%s/demo/logs/old.log%s", ""));
    CU_ASSERT_FALSE(exists("%s/demo/logs/link%s", ""));
    CU_ASSERT_TRUE(exists("%s/outside%s", ""));
    rundir_remove(&r, false);
    remove_base();
}

static void test_keep_logs(void)
{
    struct rundir r;

    fresh_base();
    CU_ASSERT_EQUAL_FATAL(rundir_create("demo", &r, why), 0);
    touch("%s/demo/logs/vm.log");
    touch("%s/demo/ctl.sock");
    rundir_remove(&r, true);
    CU_ASSERT_TRUE(exists("%s/demo/logs/vm.log%s", ""));
    CU_ASSERT_FALSE(exists("%s/demo/ctl.sock%s", ""));
    CU_ASSERT_FALSE(exists("%s/demo/lock%s", ""));
    remove_base();
}

static void test_telemetry_dir(void)
{
    struct rundir r;
    char dir[256];

    fresh_base();
    CU_ASSERT_EQUAL_FATAL(rundir_create("demo", &r, why), 0);
    snprintf(dir, sizeof(dir), "%s/dpdk", r.runtime);
    CU_ASSERT_EQUAL(mkdir(dir, 0700), 0);
    snprintf(dir, sizeof(dir), "%s/dpdk/coopvmm-demo", r.runtime);
    CU_ASSERT_EQUAL(mkdir(dir, 0700), 0);
    touch("%s/.rt/dpdk/coopvmm-demo/dpdk_telemetry.v2");
    rundir_remove(&r, false);
    CU_ASSERT_FALSE(exists("%s/.rt/dpdk/coopvmm-demo%s", ""));
    CU_ASSERT_TRUE(exists("%s/.rt/dpdk%s", ""));
    remove_base();
}

/* Directories that others can write to are refused: /tmp is everybody's. */
static void test_not_ours(void)
{
    struct rundir r;
    struct rundir_ref ref;

    fresh_base();
    CU_ASSERT_EQUAL(chmod(base, 0777), 0);
    CU_ASSERT_EQUAL(rundir_create("demo", &r, why), -EPERM);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "COOPVMM_RUNDIR"));
    CU_ASSERT_EQUAL(rundir_find("demo", &ref, why), -ENOENT);
    remove_base();
}

static void test_symlinked_name(void)
{
    struct rundir r;
    char link[128];

    fresh_base();
    snprintf(link, sizeof(link), "%s/demo", base);
    CU_ASSERT_EQUAL(symlink("/tmp", link), 0);
    CU_ASSERT_EQUAL(rundir_create("demo", &r, why), -EPERM);
    remove_base();
}

static void test_too_long(void)
{
    char deep[128], save[64];
    struct rundir r;

    fresh_base();
    strcpy(save, base);
    snprintf(deep, sizeof(deep), "%s/%060d", base, 7);
    CU_ASSERT_EQUAL(mkdir(deep, 0700), 0);
    setenv("COOPVMM_RUNDIR", deep, 1);
    CU_ASSERT_EQUAL(rundir_create("a-name-that-fits-but-not-here", &r, why), -ENAMETOOLONG);
    CU_ASSERT_EQUAL(rundir_create("..", &r, why), -EINVAL);
    strcpy(base, save);
    remove_base();
}

/* Of processes that start the same testbed at once, exactly one wins. */
static void test_race(void)
{
    enum { N = 8 };
    int go[2], won = 0;
    pid_t pid[N];

    fresh_base();
    CU_ASSERT_EQUAL_FATAL(pipe(go), 0);
    for (int i = 0; i < N; i++) {
        pid[i] = fork();
        if (pid[i] == 0) {
            struct rundir r;
            char c;
            int rc;

            close(go[1]);
            if (read(go[0], &c, 1) < 0)
                _exit(3);
            rc = rundir_create("demo", &r, why);
            usleep(300000); /* so that nobody is over before the last one has tried */
            _exit(rc == 0 ? 0 : rc == -EBUSY ? 1 : 2);
        }
    }
    close(go[0]);
    close(go[1]);
    for (int i = 0; i < N; i++) {
        int status;

        CU_ASSERT_EQUAL(waitpid(pid[i], &status, 0), pid[i]);
        CU_ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
        won += WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    CU_ASSERT_EQUAL(won, 1);
    remove_base();
}

const struct cu_test suite_tests[] = {
    {"names", test_names},
    {"made, locked, found, removed", test_life},
    {"mode 0700", test_mode},
    {"several testbeds", test_several},
    {"a stale one is cleaned", test_stale},
    {"logs are kept if wanted", test_keep_logs},
    {"DPDK's directory goes too", test_telemetry_dir},
    {"a base others can write to", test_not_ours},
    {"a symbolic link in place of the directory", test_symlinked_name},
    {"paths too long for a socket", test_too_long},
    {"eight start at once", test_race},
    {NULL, NULL},
};
