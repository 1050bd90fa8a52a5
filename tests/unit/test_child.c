/* SPDX-License-Identifier: BSD-3-Clause */
/* Child processes of the supervisor: start, end, output, and when to start one again. */
#include "../../coopvmm/child.h"

#include <CUnit/CUnit.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../coopvmm/childlog.h"
#include "../../coopvmm/restart.h"
#include "cu_main.h"

const char *const suite_name = "child";

static int start(struct child *c, const char *script)
{
    char *argv[] = {"/bin/sh", "-c", (char *)script, NULL};
    struct child_spec spec = {.argv = argv, .env_name = "GIVEN", .env_value = "yes"};

    return child_start(&spec, c);
}

static void wait_fd(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    CU_ASSERT_EQUAL(poll(&p, 1, 10000), 1);
}

static int reap(struct child *c)
{
    int status = -1;

    wait_fd(c->pidfd);
    CU_ASSERT_EQUAL(child_reap(c, &status), 0);
    close(c->pidfd);
    close(c->out_fd);
    close(c->ready_fd);
    return status;
}

/* All there is to read until the other end is closed. */
static size_t read_all(int fd, char *buf, size_t size)
{
    size_t len = 0;
    ssize_t n;

    do {
        wait_fd(fd);
        n = read(fd, buf + len, size - 1 - len);
        len += n > 0 ? (size_t)n : 0;
    } while (n > 0);
    buf[len] = '\0';
    return len;
}

static void test_start(void)
{
    struct child c;
    char text[256];
    int status;

    CU_ASSERT_EQUAL_FATAL(start(&c, "echo out $GIVEN; echo err >&2; read x || echo no input;"
                                    "echo ready >&3; exit 7"),
                          0);
    CU_ASSERT_EQUAL(getpgid(c.pid), c.pid);
    read_all(c.ready_fd, text, sizeof(text));
    CU_ASSERT_STRING_EQUAL(text, "ready\n");
    read_all(c.out_fd, text, sizeof(text));
    CU_ASSERT_STRING_EQUAL(text, "out yes\nerr\nno input\n");
    status = reap(&c);
    CU_ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    CU_ASSERT_EQUAL(child_reap(&c, &status), -ECHILD);
    child_signal(&c, SIGKILL); /* must hit nobody: pid 0 would be our own group */
}

static void test_no_program(void)
{
    char *argv[] = {"/nonexistent/program", NULL};
    char *dir[] = {"/tmp", NULL};
    struct child_spec spec = {.argv = argv};
    struct child c;

    CU_ASSERT_EQUAL(child_start(&spec, &c), -ENOENT);
    spec.argv = dir;
    CU_ASSERT_EQUAL(child_start(&spec, &c), -EACCES);
    CU_ASSERT_EQUAL(waitpid(-1, NULL, WNOHANG), -1); /* nothing is left of them */
}

/* Signals of a line of /proc/PID/status, but for 32 and 33: those are libc's own, which no program
 * can reset, and make ignores them for its children. */
static uint64_t signals(const char *text, const char *key)
{
    const char *at = strstr(text, key);

    return at ? strtoull(at + strlen(key), NULL, 16) & ~(3ull << 31) : ~0ull;
}

/* Nothing but its own four descriptors, and no signal blocked or ignored. */
static void test_clean(void)
{
    sigset_t block, old;
    struct child c;
    char text[512];
    int rc;

    sigfillset(&block);
    sigprocmask(SIG_BLOCK, &block, &old);
    signal(SIGPIPE, SIG_IGN);
    rc = start(&c, "cd /proc/self/fd; for i in *; do [ $i -gt 9 ] || echo $i; done;"
                   "grep -E 'SigBlk|SigIgn' /proc/self/status");
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &old, NULL);
    CU_ASSERT_EQUAL_FATAL(rc, 0); /* not before: it leaves the function */
    read_all(c.out_fd, text, sizeof(text));
    /* descriptor 4 may be the shell's own, of the directory it lists */
    CU_ASSERT_EQUAL(strncmp(text, "0\n1\n2\n3\n", 8), 0);
    CU_ASSERT_PTR_NULL(strstr(text, "\n5\n"));
    CU_ASSERT_EQUAL(signals(text, "SigBlk:"), 0);
    CU_ASSERT_EQUAL(signals(text, "SigIgn:"), 0);
    CU_ASSERT_EQUAL(reap(&c), 0);
}

static bool gone(pid_t pid)
{
    for (int i = 0; i < 500; i++) {
        /* an orphan that became ours is reaped here */
        waitpid(pid, NULL, WNOHANG);
        if (kill(pid, 0) < 0 && errno == ESRCH)
            return true;
        usleep(10000);
    }
    return false;
}

/* The whole group ends: what a child started, too. */
static void test_group(void)
{
    struct child c;
    char text[64];
    pid_t grandchild;
    int status;

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    CU_ASSERT_EQUAL_FATAL(start(&c, "sleep 1000 & echo $! >&3; exit 0"), 0);
    wait_fd(c.ready_fd);
    CU_ASSERT_TRUE(read(c.ready_fd, text, sizeof(text)) > 0);
    grandchild = atoi(text);
    CU_ASSERT_FATAL(grandchild > 1);
    status = reap(&c);
    CU_ASSERT_EQUAL(status, 0);
    CU_ASSERT_TRUE(gone(grandchild));
    prctl(PR_SET_CHILD_SUBREAPER, 0);
}

static void test_still_running(void)
{
    struct child c;
    int status;

    CU_ASSERT_EQUAL_FATAL(start(&c, "exec sleep 1000"), 0);
    CU_ASSERT_EQUAL(child_reap(&c, &status), -EAGAIN);
    child_signal(&c, SIGTERM);
    status = reap(&c);
    CU_ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

/* Children do not outlive a supervisor that is killed. */
static void test_parent_dies(void)
{
    int report[2], status;
    pid_t supervisor, child = 0;

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    CU_ASSERT_EQUAL_FATAL(pipe(report), 0);
    supervisor = fork();
    if (supervisor == 0) {
        struct child c;

        if (start(&c, "exec sleep 1000") == 0 && write(report[1], &c.pid, sizeof(c.pid)) > 0)
            raise(SIGKILL);
        _exit(1);
    }
    close(report[1]);
    CU_ASSERT_EQUAL(read(report[0], &child, sizeof(child)), sizeof(child));
    CU_ASSERT_EQUAL(waitpid(supervisor, &status, 0), supervisor);
    CU_ASSERT_TRUE(WIFSIGNALED(status));
    CU_ASSERT_FATAL(child > 1);
    CU_ASSERT_TRUE(gone(child));
    close(report[0]);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
}

static void test_find(void)
{
    char path[4096], save[4096];

    snprintf(save, sizeof(save), "%s", getenv("PATH"));
    CU_ASSERT_EQUAL(child_find("test_child", path, sizeof(path)), 0); /* beside ourselves */
    setenv("PATH", "/nonexistent::/bin", 1);
    CU_ASSERT_EQUAL(child_find("sh", path, sizeof(path)), 0);
    CU_ASSERT_STRING_EQUAL(path, "/bin/sh");
    CU_ASSERT_EQUAL(child_find("no-such-program", path, sizeof(path)), -ENOENT);
    CU_ASSERT_EQUAL(child_find("sh", path, 4), -ENOENT);
    unsetenv("PATH");
    CU_ASSERT_EQUAL(child_find("no-such-program", path, sizeof(path)), -ENOENT);
    setenv("PATH", save, 1);
}

static void test_restart(void)
{
    struct restart r = {0};

    CU_ASSERT_EQUAL(restart_after(&r, 1000, 0), 0);
    CU_ASSERT_EQUAL(restart_after(&r, 1100, 0), RESTART_FIRST_MS);
    CU_ASSERT_EQUAL(restart_after(&r, 1300, 0), 2 * RESTART_FIRST_MS);
    CU_ASSERT_EQUAL(restart_after(&r, 1700, RESTART_SERVED_MS - 1), 4 * RESTART_FIRST_MS);
    CU_ASSERT_EQUAL(restart_after(&r, 2600, 0), -1);
}

/* Quick deaths that are far apart are no reason to give up, nor are those after real service. */
static void test_restart_goes_on(void)
{
    struct restart r = {0};

    for (uint64_t t = 0; t < 100; t++)
        CU_ASSERT_NOT_EQUAL(restart_after(&r, t * (RESTART_WINDOW_MS / 4), 0), -1);
    memset(&r, 0, sizeof(r));
    for (uint64_t t = 0; t < 100; t++)
        CU_ASSERT_EQUAL(restart_after(&r, t * 500, RESTART_SERVED_MS), 0);
    for (int i = 0; i < RESTART_MAX - 1; i++)
        CU_ASSERT_NOT_EQUAL(restart_after(&r, 60000, 0), -1);
    CU_ASSERT_EQUAL(restart_after(&r, 60000, RESTART_SERVED_MS), 0);
    CU_ASSERT_EQUAL(restart_after(&r, 60000, 0), 0);
}

/* A log over a pipe as terminal. */
struct bed {
    char dir[64];
    int terminal[2];
    struct echo echo;
    struct childlog log;
};

static void bed_up(struct bed *b)
{
    char logs[80];

    memset(b, 0, sizeof(*b));
    strcpy(b->dir, "/tmp/child-test-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(b->dir));
    snprintf(logs, sizeof(logs), "%s/logs", b->dir);
    CU_ASSERT_EQUAL(mkdir(logs, 0700), 0);
    CU_ASSERT_EQUAL_FATAL(pipe2(b->terminal, O_NONBLOCK), 0);
    b->echo.fd = b->terminal[1];
    CU_ASSERT_EQUAL(childlog_open(&b->log, b->dir, "probe", &b->echo), 0);
}

static const char *shown(struct bed *b)
{
    static char text[131072];
    ssize_t n = read(b->terminal[0], text, sizeof(text) - 1);

    text[n > 0 ? n : 0] = '\0';
    return text;
}

static long log_size(struct bed *b, const char *suffix)
{
    char path[128];
    struct stat st;

    snprintf(path, sizeof(path), "%s/logs/probe.log%s", b->dir, suffix);
    return stat(path, &st) == 0 ? (long)st.st_size : -1;
}

static void bed_down(struct bed *b)
{
    char command[96];

    childlog_close(&b->log);
    close(b->terminal[0]);
    close(b->terminal[1]);
    snprintf(command, sizeof(command), "rm -r %s", b->dir);
    CU_ASSERT_EQUAL(system(command), 0);
}

static void put(struct bed *b, const char *text)
{
    childlog_write(&b->log, text, strlen(text));
}

static void test_lines(void)
{
    struct bed b;

    bed_up(&b);
    put(&b, "one\ntw");
    CU_ASSERT_STRING_EQUAL(shown(&b), "[probe] one\n");
    put(&b, "o\n\nunfinished");
    CU_ASSERT_STRING_EQUAL(shown(&b), "[probe] two\n[probe] \n");
    childlog_flush(&b.log);
    CU_ASSERT_STRING_EQUAL(shown(&b), "[probe] unfinished\n");
    CU_ASSERT_EQUAL(log_size(&b, ""), 19);
    bed_down(&b);
}

static void test_escapes(void)
{
    struct bed b;

    bed_up(&b);
    put(&b, "\x1b[2J\x07 \t caf\xc3\xa9 \x7f\r\n");
    CU_ASSERT_STRING_EQUAL(shown(&b), "[probe] \\x1b[2J\\x07 \t caf\xc3\xa9 \\x7f\n");
    CU_ASSERT_EQUAL(log_size(&b, ""), 17); /* the file has what was written */
    bed_down(&b);
}

static void test_long_line(void)
{
    static char line[3 * CHILDLOG_LINE];
    struct bed b;
    const char *text;

    bed_up(&b);
    memset(line, 1, sizeof(line)); /* each becomes four characters */
    childlog_write(&b.log, line, sizeof(line));
    text = shown(&b);
    CU_ASSERT_EQUAL(strlen(text), 3 * (8 + 4 * CHILDLOG_LINE + 1));
    CU_ASSERT_EQUAL(b.log.len, 0);
    bed_down(&b);
}

/* A terminal that takes nothing costs lines, not time; and says so when it takes some again. */
static void test_stuck_terminal(void)
{
    struct bed b;
    char want[80];
    unsigned n = 0;

    bed_up(&b);
    fcntl(b.terminal[1], F_SETFL, 0); /* a blocking one, as terminals are */
    while (b.echo.lost < 5 && n++ < 100000)
        put(&b, "some line that nobody reads\n");
    CU_ASSERT_EQUAL(b.echo.lost, 5);
    shown(&b);
    put(&b, "back\n");
    snprintf(want, sizeof(want), "[5 lines not shown; the logs have them]\n[probe] back\n");
    CU_ASSERT_STRING_EQUAL(shown(&b), want);
    CU_ASSERT_EQUAL(log_size(&b, ""), 28 * n + 5);
    bed_down(&b);
}

static void test_no_terminal(void)
{
    struct bed b;
    struct sigaction ignore = {.sa_handler = SIG_IGN}, old;

    sigaction(SIGPIPE, &ignore, &old);
    bed_up(&b);
    close(b.terminal[0]);
    put(&b, "nobody\n");
    CU_ASSERT_EQUAL(b.echo.fd, -1);
    put(&b, "looks\n");
    CU_ASSERT_EQUAL(log_size(&b, ""), 13);
    b.terminal[0] = dup(1);
    bed_down(&b);
    sigaction(SIGPIPE, &old, NULL);
}

/* A guest that prints for ever fills no disk. */
static void test_bounded(void)
{
    static char chunk[65536];
    struct bed b;

    bed_up(&b);
    b.echo.fd = -1;
    memset(chunk, 'x', sizeof(chunk));
    for (unsigned i = 0; i < 3 * CHILDLOG_MAX / sizeof(chunk); i++)
        childlog_write(&b.log, chunk, sizeof(chunk));
    CU_ASSERT_TRUE(log_size(&b, "") < (long)CHILDLOG_MAX);
    CU_ASSERT_TRUE(log_size(&b, ".1") <= (long)(CHILDLOG_MAX + sizeof(chunk)));
    CU_ASSERT_EQUAL(log_size(&b, ".1.1"), -1);
    bed_down(&b);
}

const struct cu_test suite_tests[] = {
    {"start, output, ready, end", test_start},
    {"a program that is not there", test_no_program},
    {"what a child inherits", test_clean},
    {"its process group goes with it", test_group},
    {"still running", test_still_running},
    {"it dies with the supervisor", test_parent_dies},
    {"where programs are found", test_find},
    {"restart: at once, later, no more", test_restart},
    {"restart: for ever, if it served", test_restart_goes_on},
    {"log: lines", test_lines},
    {"log: control characters", test_escapes},
    {"log: a line without end", test_long_line},
    {"log: a terminal that takes nothing", test_stuck_terminal},
    {"log: a terminal that is gone", test_no_terminal},
    {"log: bounded", test_bounded},
    {NULL, NULL},
};
