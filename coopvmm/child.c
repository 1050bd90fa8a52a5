/* SPDX-License-Identifier: BSD-3-Clause */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The pipes between supervisor and child; [0] is the supervisor's end. */
struct pipes {
    int out[2];
    int ready[2];
    int exec[2]; /* closed by a successful execve, else carries its errno */
};

static void close_pair(int pair[2])
{
    for (int i = 0; i < 2; i++)
        if (pair[i] >= 0)
            close(pair[i]);
    pair[0] = pair[1] = -1;
}

static void close_all(struct pipes *p)
{
    close_pair(p->out);
    close_pair(p->ready);
    close_pair(p->exec);
}

/* The pipes lie above the descriptors the child gets, so that dup2() there hits none of them. */
static int make_pipe(int pair[2], int read_flags)
{
    int raw[2];

    if (pipe2(raw, O_CLOEXEC) < 0)
        return -errno;
    for (int i = 0; i < 2; i++) {
        pair[i] = fcntl(raw[i], F_DUPFD_CLOEXEC, CHILD_READY_FD + 1);
        close(raw[i]);
    }
    if (pair[0] < 0 || pair[1] < 0 || fcntl(pair[0], F_SETFL, read_flags) < 0)
        return -EMFILE;
    return 0;
}

static int make_pipes(struct pipes *p)
{
    int err;

    *p = (struct pipes){{-1, -1}, {-1, -1}, {-1, -1}};
    err = make_pipe(p->out, O_NONBLOCK);
    if (!err)
        err = make_pipe(p->ready, O_NONBLOCK);
    if (!err)
        err = make_pipe(p->exec, 0);
    if (err)
        close_all(p);
    return err;
}

static void default_signals(void)
{
    sigset_t none;

    for (int sig = 1; sig < NSIG; sig++)
        signal(sig, SIG_DFL); /* fails for some numbers; those have no other disposition anyway */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Between fork and execve. */
static int become(const struct child_spec *spec, const struct pipes *p, pid_t parent)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

    setpgid(0, 0);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || null < 0)
        return errno;
    if (getppid() != parent) /* it died before the prctl */
        return ESRCH;
    if (spec->cpus)
        sched_setaffinity(0, sizeof(*spec->cpus), spec->cpus);
    if (dup2(null, 0) < 0 || dup2(p->out[1], 1) < 0 || dup2(p->out[1], 2) < 0 ||
        dup2(p->ready[1], CHILD_READY_FD) < 0)
        return errno;
    if (spec->env_name && setenv(spec->env_name, spec->env_value, 1) < 0)
        return errno;
    default_signals();
    execv(spec->argv[0], spec->argv);
    return errno;
}

/* What execve said. */
static int exec_result(int fd)
{
    int err = 0;
    ssize_t n;

    do
        n = read(fd, &err, sizeof(err));
    while (n < 0 && errno == EINTR);
    return n == sizeof(err) ? -err : 0;
}

static int start_failed(struct pipes *p, pid_t pid, int pidfd, int err)
{
    if (pid > 0) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    if (pidfd >= 0)
        close(pidfd);
    close_all(p);
    return err;
}

int child_start(const struct child_spec *spec, struct child *out)
{
    pid_t parent = getpid(), pid;
    struct pipes p;
    int err = make_pipes(&p), pidfd;

    if (err)
        return err;
    fflush(NULL);
    pid = fork();
    if (pid < 0)
        return start_failed(&p, -1, -1, -errno);
    if (pid == 0) {
        err = become(spec, &p, parent);
        _exit(write(p.exec[1], &err, sizeof(err)) == sizeof(err) ? 127 : 126);
    }
    setpgid(pid, pid); /* whoever comes first; the other one's call does nothing */
    close(p.exec[1]);
    p.exec[1] = -1;
    pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    err = pidfd < 0 ? -errno : exec_result(p.exec[0]);
    if (err)
        return start_failed(&p, pid, pidfd, err);
    *out = (struct child){.pid = pid, .pidfd = pidfd, .out_fd = p.out[0], .ready_fd = p.ready[0]};
    p.out[0] = p.ready[0] = -1;
    close_all(&p);
    return 0;
}

void child_signal(const struct child *c, int sig)
{
    if (c->pid > 0)
        kill(-c->pid, sig);
}

void child_kill(struct child *c)
{
    child_signal(c, SIGKILL);
    if (c->pid > 0)
        waitpid(c->pid, NULL, 0);
    c->pid = 0;
}

int child_reap(struct child *c, int *status)
{
    siginfo_t info = {0};

    if (c->pid <= 0 || waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
        return -ECHILD;
    if (info.si_pid == 0)
        return -EAGAIN;
    /* not reaped yet, so the group's number still is ours */
    kill(-c->pid, SIGKILL);
    if (waitpid(c->pid, status, 0) < 0)
        return -errno;
    c->pid = 0;
    return 0;
}

static int try_path(char *path, size_t size, const char *dir, size_t dir_len, const char *program)
{
    int n = snprintf(path, size, "%.*s/%s", (int)dir_len, dir, program);

    return n > 0 && (size_t)n < size && access(path, X_OK) == 0 ? 0 : -ENOENT;
}

static int find_in_path(const char *program, char *path, size_t size)
{
    const char *dir = getenv("PATH");

    while (dir && *dir) {
        size_t len = strcspn(dir, ":");

        if (len > 0 && try_path(path, size, dir, len, program) == 0)
            return 0;
        dir += len + (dir[len] == ':');
    }
    return -ENOENT;
}

int child_find(const char *program, char *path, size_t size)
{
    char dir[PATH_MAX], libexec[PATH_MAX + 32];
    ssize_t n = readlink("/proc/self/exe", dir, sizeof(dir) - 1);
    char *slash;

    if (n > 0) {
        dir[n] = '\0';
        slash = strrchr(dir, '/');
        *slash = '\0';
        if (try_path(path, size, dir, strlen(dir), program) == 0)
            return 0;
        snprintf(libexec, sizeof(libexec), "%s/../libexec/coopvmm", dir);
        if (try_path(path, size, libexec, strlen(libexec), program) == 0)
            return 0;
    }
    return find_in_path(program, path, size);
}
