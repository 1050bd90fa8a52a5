/* SPDX-License-Identifier: BSD-3-Clause */
#include "domain_reaper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "domain.h"
#include "xl.h"

#define DESTROY_MS 60000
#define TRIES      20
#define QUIET      3 /* looks without finding it, a second apart, before it is believed */
#define DISMISSED  'd'

static int destroy(int domid)
{
    char id[16];
    const char *const args[] = {"destroy", id, NULL};

    snprintf(id, sizeof(id), "%d", domid);
    return xl_run(args, DESTROY_MS, -1, NULL);
}

/* An xl that was creating it when its parent died may still be at work for a moment. */
static void reap(const char *uuid, const char *name)
{
    struct timespec second = {.tv_sec = 1};
    unsigned quiet = 0;

    for (unsigned i = 0; i < TRIES && quiet < QUIET; i++) {
        int domid, ret = domain_find(uuid, &domid);

        if (!ret && !destroy(domid))
            syslog(LOG_WARNING, "domain %s (%d) destroyed: its VM process is gone", name, domid);
        quiet = ret == -ENOENT ? quiet + 1 : 0;
        nanosleep(&second, NULL);
    }
    if (quiet < QUIET)
        syslog(LOG_ERR, "domain %s may be left, its VM process is gone: look with xl list", name);
}

/* Away from everything that may be killed or closed with the parent. */
static void stand_alone(int pipe)
{
    int null = open("/dev/null", O_RDWR);

    setsid();
    prctl(PR_SET_NAME, "coopvmm-reaper");
    for (int sig = 1; sig < NSIG; sig++)
        signal(sig, sig == SIGCHLD ? SIG_DFL : SIG_IGN);
    for (int fd = 0; fd < 3; fd++)
        dup2(null, fd);
    dup2(pipe, 3);
    syscall(SYS_close_range, 4u, ~0u, 0u);
    if (chdir("/") < 0)
        syslog(LOG_DEBUG, "chdir: %m");
}

static _Noreturn void be_reaper(int pipe, const char *uuid, const char *name)
{
    char said = 0;
    ssize_t n;

    stand_alone(pipe);
    do
        n = read(3, &said, 1);
    while (n < 0 && errno == EINTR);
    if (said != DISMISSED) {
        openlog("coopvmm", 0, LOG_DAEMON);
        reap(uuid, name);
    }
    _exit(0);
}

int reaper_start(struct reaper *r, const char *uuid, const char *name)
{
    int ends[2], err = 0;

    *r = (struct reaper){0, -1};
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    fflush(NULL);
    r->pid = fork();
    if (r->pid == 0)
        be_reaper(ends[0], uuid, name);
    if (r->pid < 0)
        err = -errno;
    close(ends[0]);
    if (err)
        close(ends[1]);
    else
        r->fd = ends[1];
    return err;
}

void reaper_dismiss(struct reaper *r)
{
    const char word = DISMISSED;

    if (r->fd < 0)
        return;
    if (write(r->fd, &word, 1) < 0) {
        /* it is gone, then it need not be told */
    }
    close(r->fd);
    waitpid(r->pid, NULL, 0);
    *r = (struct reaper){0, -1};
}

void reaper_let(struct reaper *r)
{
    if (r->fd >= 0)
        close(r->fd);
    *r = (struct reaper){0, -1};
}
