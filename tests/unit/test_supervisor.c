/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The supervisor with shell scripts for children: the order of things, restarts, how ends are
 * reported. The real children are started by tests/integration.
 */
#include "../../coopvmm/supervisor.h"

#include <CUnit/CUnit.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../coopvmm/cmd.h"
#include "../../coopvmm/rundir.h"
#include "../../coopvmm/supctl.h"
#include "cu_main.h"

const char *const suite_name = "supervisor";

#define SERVE "echo ready >&3; exec 3>&-; exec sleep 1000"

/* A supervisor in a process of its own. */
struct bed {
    char dir[64], path[80];
    struct cfg cfg;
    struct cfg_iocore core;
    struct cfg_vm vm[2];
    int cpus[2];
    pid_t pid;
    int ctl;
};

static void script(struct bed *b, const char *name, const char *body)
{
    char path[128];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", b->dir, name);
    f = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    fprintf(f, "#!/bin/sh\n%s\n", body);
    fclose(f);
    CU_ASSERT_EQUAL(chmod(path, 0755), 0);
}

/* Two VMs, one I/O core; $4 is the run directory, $6 a VM's name in the scripts. */
static void bed_up(struct bed *b, const char *iocored, const char *vm)
{
    memset(b, 0, sizeof(*b));
    strcpy(b->dir, "/tmp/supervisor-test-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(b->dir));
    snprintf(b->path, sizeof(b->path), "%s/t.yaml", b->dir);
    script(b, "t.yaml", "");
    script(b, "coopvmm-iocored", iocored);
    script(b, "coopvmm-vm", vm);
    b->core = (struct cfg_iocore){.name = (char *)"io0", .core = 0};
    for (int i = 0; i < 2; i++)
        b->vm[i] = (struct cfg_vm){.name = (char *)(i ? "two" : "one"),
                                   .vcpus = 1,
                                   .cores = &b->cpus[i],
                                   .cores_count = 1};
    b->cfg = (struct cfg){.name = (char *)"demo",
                          .path = b->path,
                          .iocores = &b->core,
                          .iocores_count = 1,
                          .vms = b->vm,
                          .vms_count = 2};
    setenv("COOPVMM_RUNDIR", b->dir, 1);
    b->ctl = -1;
}

/* In the child: the supervisor's own messages and its children's go to DIR/output. */
static void be_supervisor(struct bed *b, const struct supervisor_opts *opts)
{
    char text[4200];
    int fd;

    snprintf(text, sizeof(text), "%s/output", b->dir);
    fd = open(text, O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(fd, 1);
    dup2(fd, 2);
    snprintf(text, sizeof(text), "%s:%s", b->dir, getenv("PATH"));
    setenv("PATH", text, 1);
    _exit(supervisor_run(&b->cfg, opts));
}

static void go(struct bed *b, const struct supervisor_opts *opts)
{
    struct supervisor_opts none = {0};

    fflush(NULL);
    b->pid = fork();
    CU_ASSERT_FATAL(b->pid >= 0);
    if (b->pid == 0)
        be_supervisor(b, opts ? opts : &none);
}

static int finish(struct bed *b)
{
    int status = -1;

    for (int i = 0; i < 2000; i++) {
        if (waitpid(b->pid, &status, WNOHANG) == b->pid)
            return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
        usleep(10000);
    }
    kill(b->pid, SIGKILL);
    waitpid(b->pid, &status, 0);
    return -1;
}

static json_t *ask(struct bed *b, json_t *request)
{
    char dir[96];
    json_t *answer = NULL;

    snprintf(dir, sizeof(dir), "%s/demo", b->dir);
    for (int i = 0; i < 500 && b->ctl < 0; i++) {
        b->ctl = supctl_connect(dir);
        if (b->ctl < 0)
            usleep(10000);
    }
    if (supctl_ask(b->ctl, request, 5000, &answer) == -ENOTCONN) {
        close(b->ctl);
        b->ctl = -1;
    }
    return answer;
}

/* A value of `ps`: of the testbed (who NULL), "iocored" or a VM, as text. */
static const char *ps(struct bed *b, const char *who, const char *key)
{
    static char text[128];
    json_t *all = ask(b, json_pack("{s:s}", "verb", "ps")), *p = all, *vm, *v;
    size_t i;

    if (who && strcmp(who, "iocored") == 0)
        p = json_object_get(all, "iocored");
    json_array_foreach(json_object_get(all, "vms"), i,
                       vm) if (who && strcmp(json_string_value(json_object_get(vm, "name")), who) ==
                                          0) p = vm;
    v = json_object_get(p, key);
    if (json_is_string(v))
        snprintf(text, sizeof(text), "%s", json_string_value(v));
    else
        snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(v));
    json_decref(all);
    return text;
}

/* Waits until a value of `ps` is as wanted. */
static bool becomes(struct bed *b, const char *who, const char *key, const char *want)
{
    for (int i = 0; i < 1000; i++) {
        if (strcmp(ps(b, who, key), want) == 0)
            return true;
        usleep(10000);
    }
    return false;
}

static bool output_has(struct bed *b, const char *text)
{
    char command[256];

    snprintf(command, sizeof(command), "grep -qF -e '%s' %s/output", text, b->dir);
    return system(command) == 0;
}

static bool path_exists(struct bed *b, const char *name)
{
    char path[160];
    struct stat st;

    snprintf(path, sizeof(path), "%s/%s", b->dir, name);
    return stat(path, &st) == 0;
}

static void bed_down(struct bed *b)
{
    char command[128];

    if (b->ctl >= 0)
        close(b->ctl);
    snprintf(command, sizeof(command), "rm -rf %s", b->dir);
    CU_ASSERT_EQUAL(system(command), 0);
}

static void stop(struct bed *b)
{
    json_t *answer = ask(b, json_pack("{s:s}", "verb", "stop"));

    CU_ASSERT_TRUE(json_is_true(json_object_get(answer, "ok")));
    json_decref(answer);
}

static void test_over(void)
{
    struct bed b;

    bed_up(&b, SERVE, "echo \"hello $@\"; echo ready >&3; exit 0");
    go(&b, NULL);
    CU_ASSERT_EQUAL(finish(&b), CMD_OK);
    CU_ASSERT_TRUE(output_has(&b, "[one] hello --config"));
    CU_ASSERT_TRUE(output_has(&b, "--vm two --node 0 --cores 0 --ready-fd 3"));
    CU_ASSERT_TRUE(output_has(&b, "VM one ended with status 0"));
    CU_ASSERT_FALSE(path_exists(&b, "demo"));
    bed_down(&b);
}

static void test_status(void)
{
    struct bed b;

    bed_up(&b, SERVE, "echo ready >&3; [ $6 = one ] && exit 3; exit 0");
    go(&b, NULL);
    CU_ASSERT_EQUAL(finish(&b), CMD_FAILED);
    CU_ASSERT_TRUE(output_has(&b, "VM one ended with status 3"));
    CU_ASSERT_TRUE(path_exists(&b, "demo/logs/one.log"));
    bed_down(&b);
}

/* No VM starts before the I/O cores serve. */
static void test_order(void)
{
    struct bed b;

    bed_up(&b, "sleep 0.3; touch ${4%/*}/serves; " SERVE,
           "echo ready >&3; [ -e ${4%/*}/serves ] || exit 9; exit 0");
    go(&b, NULL);
    CU_ASSERT_EQUAL(finish(&b), CMD_OK);
    bed_down(&b);
}

static void test_ps_and_stop(void)
{
    struct bed b;

    bed_up(&b, SERVE, SERVE);
    go(&b, NULL);
    CU_ASSERT_TRUE(becomes(&b, NULL, "state", "running"));
    CU_ASSERT_STRING_EQUAL(ps(&b, "one", "state"), "running");
    CU_ASSERT_EQUAL(atoi(ps(&b, NULL, "pid")), b.pid);
    stop(&b);
    CU_ASSERT_EQUAL(supctl_wait_end(b.ctl, 10000), 0);
    CU_ASSERT_FALSE(path_exists(&b, "demo")); /* nothing is left when the connection closes */
    CU_ASSERT_EQUAL(finish(&b), CMD_OK);
    bed_down(&b);
}

static void test_stop_vm(void)
{
    struct bed b;
    json_t *answer;

    bed_up(&b, SERVE, SERVE);
    go(&b, NULL);
    CU_ASSERT_TRUE(becomes(&b, NULL, "state", "running"));
    json_decref(ask(&b, json_pack("{s:s, s:s}", "verb", "stop", "vm", "one")));
    CU_ASSERT_TRUE(becomes(&b, "one", "state", "stopped"));
    CU_ASSERT_STRING_EQUAL(ps(&b, "two", "state"), "running");
    answer = ask(&b, json_pack("{s:s, s:s}", "verb", "stop", "vm", "three"));
    CU_ASSERT_TRUE(json_is_false(json_object_get(answer, "ok")));
    json_decref(answer);
    answer = ask(&b, json_pack("{s:s, s:i}", "verb", "stop", "vm", 1));
    CU_ASSERT_TRUE(json_is_false(json_object_get(answer, "ok")));
    json_decref(answer);
    answer = ask(&b, json_object());
    CU_ASSERT_TRUE(json_is_false(json_object_get(answer, "ok")));
    json_decref(answer);
    kill(b.pid, SIGTERM);
    CU_ASSERT_EQUAL(finish(&b), CMD_OK);
    bed_down(&b);
}

static bool asked(struct bed *b, const char *verb, const char *vm)
{
    json_t *answer = ask(b, json_pack("{s:s, s:s}", "verb", verb, "vm", vm));
    bool ok = json_is_true(json_object_get(answer, "ok"));

    json_decref(answer);
    return ok;
}

/* However a VM ended it can be started again; one that is not over cannot. */
static void test_start_vm(void)
{
    struct supervisor_opts keep = {.keep = true};
    struct bed b;

    bed_up(&b, SERVE, "[ $6 = two ] && echo ready >&3 && exit 3; " SERVE);
    go(&b, &keep);
    CU_ASSERT_TRUE(becomes(&b, "one", "state", "running"));
    CU_ASSERT_TRUE(becomes(&b, "two", "state", "failed"));
    CU_ASSERT_FALSE(asked(&b, "start", "one"));
    CU_ASSERT_FALSE(asked(&b, "start", "three"));
    CU_ASSERT_TRUE(asked(&b, "start", "two"));
    CU_ASSERT_TRUE(becomes(&b, "two", "state", "failed"));
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_TRUE(asked(&b, "stop", "one"));
        CU_ASSERT_TRUE(becomes(&b, "one", "state", "stopped"));
        CU_ASSERT_TRUE(asked(&b, "start", "one"));
        CU_ASSERT_TRUE(becomes(&b, "one", "state", "running"));
        CU_ASSERT_STRING_EQUAL(ps(&b, "one", "how"), "0"); /* nothing is said of former ends */
    }
    CU_ASSERT_TRUE(output_has(&b, "starting VM one, as asked"));
    stop(&b);
    CU_ASSERT_EQUAL(finish(&b), CMD_FAILED); /* as two did */
    bed_down(&b);
}

static void test_restart(void)
{
    struct bed b;
    char vm[16];

    bed_up(&b, SERVE, SERVE);
    go(&b, NULL);
    CU_ASSERT_TRUE(becomes(&b, NULL, "state", "running"));
    strcpy(vm, ps(&b, "one", "pid"));
    for (int i = 1; i <= 3; i++) {
        char count[16];

        kill(atoi(ps(&b, "iocored", "pid")), SIGKILL);
        snprintf(count, sizeof(count), "%d", i);
        CU_ASSERT_TRUE(becomes(&b, "iocored", "restarts", count));
        CU_ASSERT_TRUE(becomes(&b, "iocored", "state", "running"));
    }
    CU_ASSERT_STRING_EQUAL(ps(&b, "one", "pid"), vm);
    CU_ASSERT_TRUE(output_has(&b, "crashed: signal 9"));
    stop(&b);
    CU_ASSERT_EQUAL(finish(&b), CMD_OK);
    bed_down(&b);
}

static void test_gives_up(void)
{
    struct bed b;

    bed_up(&b, "echo ready >&3; kill -SEGV $$", SERVE);
    go(&b, NULL);
    CU_ASSERT_EQUAL(finish(&b), CMD_FAILED);
    CU_ASSERT_TRUE(output_has(&b, "died 5 times in 10 s"));
    bed_down(&b);
}

static void test_cannot_start(void)
{
    struct bed b;
    struct supervisor_opts quiet = {.quiet = true};

    bed_up(&b, "echo because; exit 1", SERVE);
    go(&b, &quiet);
    CU_ASSERT_EQUAL(finish(&b), CMD_FAILED);
    CU_ASSERT_TRUE(output_has(&b, "could not start: ended with status 1"));
    CU_ASSERT_TRUE(output_has(&b, "demo/logs/iocored.log"));
    CU_ASSERT_FALSE(output_has(&b, "because"));
    bed_down(&b);
}

/* One VM that crashes leaves the other alone. */
static void test_crash(void)
{
    struct bed b;

    bed_up(&b, SERVE, SERVE);
    go(&b, NULL);
    CU_ASSERT_TRUE(becomes(&b, NULL, "state", "running"));
    kill(atoi(ps(&b, "one", "pid")), SIGSEGV);
    CU_ASSERT_TRUE(becomes(&b, "one", "state", "failed"));
    CU_ASSERT_STRING_EQUAL(ps(&b, "one", "how"), "crashed: signal 11 (Segmentation fault)");
    CU_ASSERT_STRING_EQUAL(ps(&b, "two", "state"), "running");
    stop(&b);
    CU_ASSERT_EQUAL(finish(&b), CMD_FAILED);
    bed_down(&b);
}

static void test_stubborn(void)
{
    struct bed b;

    bed_up(&b, SERVE, "trap '' TERM; echo ready >&3; while :; do sleep 1; done");
    go(&b, NULL);
    CU_ASSERT_TRUE(becomes(&b, NULL, "state", "running"));
    stop(&b);
    CU_ASSERT_EQUAL(finish(&b), CMD_OK);
    CU_ASSERT_TRUE(output_has(&b, "VM one killed: it did not stop within 5 s"));
    CU_ASSERT_TRUE(output_has(&b, "waiting for one to stop"));
    bed_down(&b);
}

/* A second signal does not wait. */
static void test_impatient(void)
{
    struct bed b;

    bed_up(&b, SERVE, "trap '' TERM; echo ready >&3; while :; do sleep 1; done");
    go(&b, NULL);
    CU_ASSERT_TRUE(becomes(&b, NULL, "state", "running"));
    kill(b.pid, SIGINT);
    CU_ASSERT_TRUE(becomes(&b, NULL, "state", "stopping"));
    kill(b.pid, SIGINT); /* the same one, through another way */
    usleep(700000);
    CU_ASSERT_STRING_EQUAL(ps(&b, "one", "state"), "stopping");
    kill(b.pid, SIGINT);
    CU_ASSERT_EQUAL(finish(&b), CMD_OK);
    CU_ASSERT_FALSE(output_has(&b, "did not stop within"));
    bed_down(&b);
}

static void test_keep(void)
{
    struct bed b;
    struct supervisor_opts keep = {.keep = true};

    bed_up(&b, SERVE, "echo ready >&3; exit 0");
    go(&b, &keep);
    CU_ASSERT_TRUE(becomes(&b, "one", "state", "ended"));
    CU_ASSERT_TRUE(becomes(&b, "two", "state", "ended"));
    CU_ASSERT_STRING_EQUAL(ps(&b, "iocored", "state"), "running");
    stop(&b);
    CU_ASSERT_EQUAL(finish(&b), CMD_OK);
    bed_down(&b);
}

static void test_no_iocores(void)
{
    struct bed b;

    bed_up(&b, "exit 1", "echo ready >&3; exit 0");
    b.cfg.iocores_count = 0;
    go(&b, NULL);
    CU_ASSERT_EQUAL(finish(&b), CMD_OK);
    bed_down(&b);
}

static void test_reserved_name(void)
{
    struct bed b;

    bed_up(&b, SERVE, SERVE);
    b.vm[1].name = (char *)"iocored";
    go(&b, NULL);
    CU_ASSERT_EQUAL(finish(&b), CMD_CONFIG);
    CU_ASSERT_TRUE(output_has(&b, "a VM cannot be called iocored"));
    bed_down(&b);
}

static void test_twice(void)
{
    struct bed b, second;

    bed_up(&b, SERVE, SERVE);
    go(&b, NULL);
    CU_ASSERT_TRUE(becomes(&b, NULL, "state", "running"));
    second = b;
    go(&second, NULL);
    CU_ASSERT_EQUAL(finish(&second), CMD_FAILED);
    CU_ASSERT_TRUE(output_has(&b, "testbed demo is running already"));
    CU_ASSERT_STRING_EQUAL(ps(&b, NULL, "state"), "running");
    stop(&b);
    CU_ASSERT_EQUAL(finish(&b), CMD_OK);
    bed_down(&b);
}

/* The supervisor is killed: its children die, and the name can be used again. */
static void test_killed(void)
{
    struct bed b;
    pid_t vm;

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    bed_up(&b, SERVE, SERVE);
    go(&b, NULL);
    CU_ASSERT_TRUE(becomes(&b, NULL, "state", "running"));
    vm = atoi(ps(&b, "one", "pid"));
    CU_ASSERT_FATAL(vm > 1);
    kill(b.pid, SIGKILL);
    CU_ASSERT_EQUAL(finish(&b), 1000 + SIGKILL);
    CU_ASSERT_EQUAL(waitpid(vm, NULL, 0), vm);
    while (waitpid(-1, NULL, 0) > 0)
        ;
    close(b.ctl);
    b.ctl = -1;
    go(&b, NULL);
    CU_ASSERT_TRUE(becomes(&b, NULL, "state", "running"));
    stop(&b);
    CU_ASSERT_EQUAL(finish(&b), CMD_OK);
    bed_down(&b);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
}

const struct cu_test suite_tests[] = {
    {"ends with its guests", test_over},
    {"a guest's status", test_status},
    {"I/O cores first", test_order},
    {"ps and stop", test_ps_and_stop},
    {"stop one VM; requests that are wrong", test_stop_vm},
    {"a VM is started again", test_start_vm},
    {"killed I/O cores are started again", test_restart},
    {"I/O cores that keep dying", test_gives_up},
    {"I/O cores that cannot start", test_cannot_start},
    {"a VM that crashes", test_crash},
    {"a VM that does not stop", test_stubborn},
    {"the second Ctrl-C", test_impatient},
    {"--keep", test_keep},
    {"no I/O cores", test_no_iocores},
    {"a VM's name that is ours", test_reserved_name},
    {"the same testbed twice", test_twice},
    {"a killed supervisor", test_killed},
    {NULL, NULL},
};
