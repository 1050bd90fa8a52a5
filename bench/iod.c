/* SPDX-License-Identifier: BSD-3-Clause */
#include "iod.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define READY_MS 15000
#define STOP_MS  2000

int iod_make_dir(char *path, size_t size)
{
    const char *tmp = getenv("TMPDIR");
    int n = snprintf(path, size, "%s/coopvmm-bench.XXXXXX", tmp && *tmp == '/' ? tmp : "/tmp");

    if (n < 0 || (size_t)n >= size) {
        path[0] = '\0';
        return -ENAMETOOLONG;
    }
    if (!mkdtemp(path)) {
        path[0] = '\0';
        return -errno;
    }
    return 0;
}

/* `fd` is taken over. A run directory is flat but for what libraries put there. */
static void empty_dir(int fd, unsigned depth)
{
    DIR *d = fdopendir(fd);
    struct dirent *e;

    if (!d) {
        close(fd);
        return;
    }
    while ((e = readdir(d))) {
        int sub;

        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            continue;
        if (unlinkat(dirfd(d), e->d_name, 0) == 0 || depth == 0)
            continue;
        sub = openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (sub >= 0)
            empty_dir(sub, depth - 1);
        unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR);
    }
    closedir(d);
}

void iod_remove_dir(const char *path)
{
    int fd = *path ? open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;

    if (fd < 0)
        return;
    empty_dir(fd, 4);
    rmdir(path);
}

static int write_config(const char *path, const struct iod_spec *s)
{
    FILE *f = fopen(path, "we");

    if (!f)
        return -errno;
    /* Ordinary scheduling: what is compared runs under the same. */
    fprintf(f,
            "name: bench\n"
            "daemon: {realtime: false, hugepages: false}\n"
            "iocores:\n"
            "  - {name: " IOD_CORE ", core: %d, idle: %s%s}\n",
            s->cpu, cfg_idle_name(s->idle), s->idle == CFG_IDLE_SLEEP ? ", idle_us: 50" : "");
    if (s->ports)
        fprintf(f, "ports:\n%s", s->ports);
    return fclose(f) ? -errno : 0;
}

static int launch(struct iod *d, const char *config, int cpu)
{
    char program[PATH_MAX], cores[16], ready[16];
    char *argv[] = {program,   "--config", (char *)config, "--rundir", d->dir,
                    "--cores", cores,      "--ready-fd",   ready,      NULL};
    struct child_spec spec = {.argv = argv, .env_name = "RUNTIME_DIRECTORY", .env_value = d->dir};
    int err = child_find("coopvmm-iocored", program, sizeof(program));

    if (err)
        return err;
    snprintf(cores, sizeof(cores), "%d", cpu);
    snprintf(ready, sizeof(ready), "%d", CHILD_READY_FD);
    err = child_start(&spec, &d->child);
    if (!err)
        guard_child(d->guard, &d->child);
    return err;
}

static int wait_ready(struct iod *d)
{
    struct pollfd p[] = {{.fd = d->child.ready_fd, .events = POLLIN},
                         {.fd = guard_fd(d->guard), .events = POLLIN}};
    char text[8];
    int n;

    do
        n = poll(p, 2, READY_MS);
    while (n < 0 && errno == EINTR);
    if (n == 0)
        return -ETIMEDOUT;
    if (guard_signal(d->guard))
        return -EINTR;
    /* no line: it closed the pipe by ending */
    return p[0].revents && read(d->child.ready_fd, text, sizeof(text)) > 0 ? 0 : -ECHILD;
}

int iod_start(struct iod *d, struct guard *g, const struct iod_spec *spec, FILE *err)
{
    char config[96] = "";
    int ret;

    *d = (struct iod){.guard = g, .child = {.pidfd = -1, .out_fd = -1, .ready_fd = -1}};
    ret = iod_make_dir(d->dir, sizeof(d->dir));
    if (!ret) {
        snprintf(config, sizeof(config), "%s/bench.yaml", d->dir);
        snprintf(d->sock, sizeof(d->sock), "%s/iotp.sock", d->dir);
        snprintf(d->telemetry, sizeof(d->telemetry), "%s/dpdk/coopvmm-bench/dpdk_telemetry.v2",
                 d->dir);
        ret = write_config(config, spec);
    }
    if (!ret)
        ret = launch(d, config, spec->cpu);
    if (!ret)
        ret = wait_ready(d);
    if (ret && ret != -EINTR)
        fprintf(err, "coopvmm-iocored: cannot start it: %s%s%s\n",
                ret == -ECHILD ? "it ended" : strerror(-ret), d->child.pid ? ":\n" : "",
                d->child.pid ? guard_output(g) : "");
    if (ret)
        iod_stop(d);
    return ret;
}

void iod_pause(struct iod *d)
{
    siginfo_t info;

    kill(d->child.pid, SIGSTOP);
    /* WNOWAIT: should it have ended instead, whoever stops it reaps it */
    waitid(P_PID, (id_t)d->child.pid, &info, WSTOPPED | WEXITED | WNOWAIT);
}

void iod_continue(struct iod *d)
{
    kill(d->child.pid, SIGCONT);
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Asked first, so that it leaves nothing behind; SIGKILL works whatever state it is in. */
static void end_child(struct child *c)
{
    struct pollfd p = {.fd = c->pidfd, .events = POLLIN};

    if (c->pid <= 0)
        return;
    child_signal(c, SIGCONT);
    child_signal(c, SIGTERM);
    poll(&p, 1, STOP_MS);
    child_kill(c);
}

void iod_stop(struct iod *d)
{
    if (!d->guard)
        return;
    guard_child(d->guard, NULL);
    end_child(&d->child);
    close_fd(&d->child.pidfd);
    close_fd(&d->child.out_fd);
    close_fd(&d->child.ready_fd);
    iod_remove_dir(d->dir);
    *d = (struct iod){0};
}
