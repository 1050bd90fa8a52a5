/* SPDX-License-Identifier: BSD-3-Clause */
/* The testbed as a whole: set-up, the loop, the order in which things start and stop. */
#include "supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "netns.h"
#include "sdnotify.h"
#include "supervisor_int.h"

#define SAME_SIGNAL_MS 500

uint64_t sup_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

__attribute__((format(printf, 3, 0))) static void say(struct supervisor *s, bool show,
                                                      const char *fmt, va_list ap)
{
    char text[512], stamped[560];
    time_t now = time(NULL);
    struct tm tm;
    size_t n;

    vsnprintf(text, sizeof(text), fmt, ap);
    if (show)
        echo_line(&s->messages, "coopvmm: ", text, strlen(text));
    localtime_r(&now, &tm);
    n = strftime(stamped, sizeof(stamped), "%F %T ", &tm);
    n += (size_t)snprintf(stamped + n, sizeof(stamped) - n, "%s\n", text);
    childlog_write(&s->log, stamped, n);
}

void sup_note(struct supervisor *s, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say(s, !s->opts.quiet, fmt, ap);
    va_end(ap);
}

void sup_warn(struct supervisor *s, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say(s, true, fmt, ap);
    va_end(ap);
}

/* Are all VMs over? */
static bool vms_over(const struct supervisor *s)
{
    for (unsigned i = 0; i < s->cfg->vms_count; i++)
        if (s->vm[i].state != PROC_ENDED)
            return false;
    return true;
}

static bool vms_running(const struct supervisor *s)
{
    for (unsigned i = 0; i < s->cfg->vms_count; i++)
        if (s->vm[i].state < PROC_RUNNING)
            return false;
    return true;
}

static void start_vms(struct supervisor *s)
{
    s->vms_started = true;
    for (unsigned i = 0; i < s->cfg->vms_count; i++)
        if (s->vm[i].state == PROC_WAITING)
            proc_start(&s->vm[i]);
}

/* Everything runs: says so, once. */
static void announce(struct supervisor *s)
{
    s->announced = true;
    sup_note(s, "testbed %s runs (VMs: %u, I/O cores: %u); `coopvmm stop %s` or Ctrl-C ends it",
             s->cfg->name, s->cfg->vms_count, s->cfg->iocores_count, s->cfg->name);
    sd_notify_state("READY=1");
}

void sup_stop(struct supervisor *s)
{
    if (!s->stopping) {
        s->stopping = true;
        sd_notify_state("STOPPING=1");
    }
    for (unsigned i = 0; i < s->cfg->vms_count; i++)
        proc_stop(&s->vm[i]);
    sup_advance(s);
}

/* The second request to stop: no more waiting. */
static void kill_all(struct supervisor *s)
{
    sup_warn(s, "killing what is left");
    child_signal(&s->iocored.child, SIGKILL);
    for (unsigned i = 0; i < s->cfg->vms_count; i++)
        child_signal(&s->vm[i].child, SIGKILL);
}

void sup_advance(struct supervisor *s)
{
    struct proc *io = &s->iocored;
    bool over = vms_over(s);

    if (io->state == PROC_ENDED && io->failed && !s->stopping) {
        s->failed = true;
        sup_stop(s);
        return;
    }
    if (io->state == PROC_RUNNING && !s->vms_started && !s->stopping) {
        taphold_take(&s->taps, s->cfg);
        start_vms(s);
        over = vms_over(s);
    }
    if (s->vms_started && !s->announced && !s->stopping && vms_running(s) &&
        (!over || s->cfg->vms_count == 0))
        announce(s);
    /* The I/O cores go last: the VMs' last requests still are answered. */
    if (over && (s->stopping || (s->vms_started && s->cfg->vms_count > 0 && !s->opts.keep))) {
        s->stopping = true;
        proc_stop(io);
    }
}

static bool finished(const struct supervisor *s)
{
    return s->stopping && s->iocored.state == PROC_ENDED && vms_over(s);
}

static void on_signal(struct ev *e)
{
    struct supervisor *s = e->owner;
    struct signalfd_siginfo info;

    if (read(e->fd, &info, sizeof(info)) != sizeof(info) || info.ssi_signo == SIGPIPE)
        return;
    /* one Ctrl-C, or one timeout(1), can be two signals: to the process and to its group */
    if (s->signalled_ms && sup_now() - s->signalled_ms < SAME_SIGNAL_MS)
        return;
    s->signalled_ms = sup_now();
    if (s->stopping) {
        kill_all(s);
        return;
    }
    sup_note(s, "%s: stopping; once more kills", strsignal((int)info.ssi_signo));
    sup_stop(s);
}

static int open_signals(struct supervisor *s)
{
    sigset_t set;
    int fd;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGPIPE); /* a closed terminal must not take the guests with it */
    sigprocmask(SIG_BLOCK, &set, NULL);
    fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : evloop_add(s->loop, &s->signal_ev, fd, on_signal, s);
}

/* Keeps the supervisor off the testbed's cores, if it has any other: it pumps logs. */
static void leave_cores(struct supervisor *s)
{
    cpu_set_t rest = s->cpus;

    for (unsigned i = 0; i < s->cfg->iocores_count; i++)
        CPU_CLR((unsigned)s->cfg->iocores[i].core, &rest);
    for (unsigned i = 0; i < s->cfg->vms_count; i++)
        for (unsigned j = 0; cfg_runs_here(&s->cfg->vms[i]) && j < s->cfg->vms[i].cores_count; j++)
            CPU_CLR((unsigned)s->cfg->vms[i].cores[j], &rest);
    if (CPU_COUNT(&rest) > 0)
        sched_setaffinity(0, sizeof(rest), &rest);
}

/* Log files are named after VMs, and these two are ours. */
static int check_names(const struct cfg *c)
{
    for (unsigned i = 0; i < c->vms_count; i++)
        if (strcmp(c->vms[i].name, "iocored") == 0 || strcmp(c->vms[i].name, "coopvmm") == 0)
            return cmd_fail("run", "%s: a VM cannot be called %s; choose another name", c->path,
                            c->vms[i].name);
    return 0;
}

/* From here on everything can be closed, whatever was opened. */
static void init(struct supervisor *s, const struct cfg *cfg, const struct supervisor_opts *opts)
{
    s->cfg = cfg;
    s->opts = *opts;
    s->started_ms = sup_now();
    s->loop = -1;
    s->out.fd = opts->quiet ? -1 : STDOUT_FILENO;
    s->messages.fd = STDERR_FILENO;
    s->nowhere.fd = -1;
    s->signal_ev.fd = -1;
    childlog_open(&s->log, s->dir.ref.path, "coopvmm", &s->nowhere);
    sup_ctl_init(s);
    stat(cfg->path, &s->config_stat);
    proc_init(s, &s->iocored, "iocored", NULL);
    for (unsigned i = 0; i < s->cfg->vms_count; i++)
        proc_init(s, &s->vm[i], s->cfg->vms[i].name, &s->cfg->vms[i]);
}

static int open_all(struct supervisor *s)
{
    int err;

    s->loop = evloop_new();
    if (s->loop < 0)
        return s->loop;
    sched_getaffinity(0, sizeof(s->cpus), &s->cpus);
    leave_cores(s);
    err = open_signals(s);
    return err ? err : sup_ctl_open(s);
}

/* A config may have no I/O cores: every device runs on its vCPU's thread. */
static void start(struct supervisor *s)
{
    sup_note(s, "testbed %s: run directory %s", s->cfg->name, s->dir.ref.path);
    if (s->cfg->iocores_count > 0) {
        proc_start(&s->iocored);
    } else {
        s->iocored.state = PROC_ENDED;
        start_vms(s);
    }
    sup_advance(s);
}

/* Serves what is due. @return milliseconds until there is more, -1: nothing is planned */
static int tick(struct supervisor *s)
{
    uint64_t now = sup_now();
    int next = proc_tick(&s->iocored, now);

    for (unsigned i = 0; i < s->cfg->vms_count; i++) {
        int t = proc_tick(&s->vm[i], now);

        if (t >= 0 && (next < 0 || t < next))
            next = t;
    }
    return next;
}

static int loop(struct supervisor *s)
{
    while (!finished(s)) {
        int timeout = tick(s), err;

        if (finished(s))
            break;
        err = evloop_once(s->loop, timeout);
        if (err)
            return err;
    }
    return 0;
}

static bool any_failed(const struct supervisor *s)
{
    bool failed = s->failed;

    for (unsigned i = 0; i < s->cfg->vms_count; i++)
        failed = failed || s->vm[i].failed;
    return failed;
}

static void close_all(struct supervisor *s, bool failed)
{
    if (failed)
        sup_warn(s, "testbed %s failed; logs: %s/logs", s->cfg->name, s->dir.ref.path);
    else
        sup_note(s, "testbed %s is over", s->cfg->name);
    for (unsigned i = 0; i < s->cfg->vms_count; i++)
        proc_fini(&s->vm[i]);
    proc_fini(&s->iocored);
    taphold_release(&s->taps);
    childlog_close(&s->log);
    evloop_close(s->loop, &s->signal_ev);
    /* first the directory, then the connections: who waits for the end finds nothing left */
    rundir_remove(&s->dir, failed);
    sup_ctl_close(s);
    close(s->loop);
}

static int run(struct supervisor *s)
{
    char why[NETNS_WHY];
    int err = open_all(s);

    if (!err && s->opts.unshare && netns_unshare(why) < 0) {
        sup_warn(s, "%s", why);
        return CMD_FAILED;
    }
    if (err) {
        sup_warn(s, "cannot set up the supervisor: %s", strerror(-err));
        return CMD_FAILED;
    }
    start(s);
    err = loop(s);
    if (err)
        sup_warn(s, "the event loop failed: %s", strerror(-err));
    return err || any_failed(s) ? CMD_FAILED : CMD_OK;
}

/* For the children, which inherit it: each route of a device's messages is a descriptor, and the
 * usual soft limit of 1024 is for programs that use select(2). */
static void allow_descriptors(void)
{
    struct rlimit l;

    if (getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur < l.rlim_max) {
        l.rlim_cur = l.rlim_max;
        setrlimit(RLIMIT_NOFILE, &l);
    }
}

int supervisor_run(const struct cfg *cfg, const struct supervisor_opts *opts)
{
    struct supervisor *s = calloc(1, sizeof(*s));
    char why[RUNDIR_WHY];
    int rc = CMD_FAILED;

    allow_descriptors();
    if (check_names(cfg))
        rc = CMD_CONFIG;
    else if (!s || !(s->vm = calloc(cfg->vms_count + 1, sizeof(*s->vm))))
        cmd_fail("run", "out of memory");
    else if (rundir_create(cfg->name, &s->dir, why) < 0)
        cmd_fail("run", "%s", why);
    else {
        init(s, cfg, opts);
        rc = run(s);
        close_all(s, rc != CMD_OK);
    }
    free(s ? s->vm : NULL);
    free(s);
    return rc;
}
