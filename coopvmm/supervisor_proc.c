/* SPDX-License-Identifier: BSD-3-Clause */
/* One process of a testbed, from its start to its end. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor_int.h"
#include "vm_run.h"

#define FIRST_NOTICE_MS 1000
#define NOTICE_MS       2000
#define DRAIN_READS     64 /* of what a dead child left in its pipe */

const char *proc_state_name(const struct proc *p)
{
    switch (p->state) {
    case PROC_WAITING: return p->restarts ? "restarting" : "waiting";
    case PROC_STARTING: return "starting";
    case PROC_RUNNING: return "running";
    case PROC_STOPPING: return "stopping";
    case PROC_ENDED: break;
    }
    return p->failed ? "failed" : p->stopped ? "stopped" : "ended";
}

static bool is_domain(const struct proc *p)
{
    return p->vm && p->vm->engine == CFG_ENGINE_XEN;
}

static unsigned stop_ms(const struct proc *p)
{
    return is_domain(p) ? SUPERVISOR_DOMAIN_STOP_MS : SUPERVISOR_STOP_MS;
}

static unsigned start_ms(const struct proc *p)
{
    return is_domain(p) ? SUPERVISOR_DOMAIN_START_MS : SUPERVISOR_START_MS;
}

void proc_init(struct supervisor *s, struct proc *p, const char *name, const struct cfg_vm *vm)
{
    memset(p, 0, sizeof(*p));
    p->sup = s;
    p->name = name;
    p->vm = vm;
    p->exit_ev.fd = p->out_ev.fd = p->ready_ev.fd = -1;
    if (childlog_open(&p->log, s->dir.ref.path, name, &s->out) < 0)
        sup_warn(s, "cannot open %s; what %s prints is shown, but not kept", p->log.path, name);
}

static const char *program_name(const struct proc *p)
{
    return p->vm ? "coopvmm-vm" : "coopvmm-iocored";
}

static void ended(struct proc *p, bool failed)
{
    p->state = PROC_ENDED;
    p->failed = failed;
    p->ended_ms = sup_now();
    p->deadline_ms = p->notice_ms = 0;
}

static void close_events(struct proc *p)
{
    int loop = p->sup->loop;

    evloop_close(loop, &p->exit_ev);
    evloop_close(loop, &p->out_ev);
    evloop_close(loop, &p->ready_ev);
}

void proc_fini(struct proc *p)
{
    close_events(p);
    childlog_close(&p->log);
}

static void on_output(struct ev *e)
{
    struct proc *p = e->owner;

    if (!childlog_pump(&p->log, e->fd))
        evloop_close(p->sup->loop, e);
}

/* Ready, or a closed pipe: then the child's end tells more. */
static void on_ready(struct ev *e)
{
    struct proc *p = e->owner;
    char text[16];
    bool ready = read(e->fd, text, sizeof(text)) >= 5 && memcmp(text, "ready", 5) == 0;

    evloop_close(p->sup->loop, e);
    if (!ready || p->state != PROC_STARTING)
        return;
    p->state = PROC_RUNNING;
    p->ready_ms = sup_now();
    p->deadline_ms = p->notice_ms = 0;
    if (p->restarts)
        sup_warn(p->sup, "%s serves again, %lu ms after its end", program_name(p),
                 (unsigned long)(p->ready_ms - p->ended_ms));
    sup_advance(p->sup);
}

/* How a child ended, in words. @return whether that is a failure */
static bool describe(struct proc *p, int status)
{
    if (p->killed)
        snprintf(p->how, sizeof(p->how), "killed: it did not stop within %u s", stop_ms(p) / 1000);
    else if (p->stopped)
        snprintf(p->how, sizeof(p->how), "stopped");
    else if (p->late)
        snprintf(p->how, sizeof(p->how), "was not ready after %u s", start_ms(p) / 1000);
    else if (WIFSIGNALED(status))
        snprintf(p->how, sizeof(p->how), "crashed: signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(p->how, sizeof(p->how), "ended with status %d", WEXITSTATUS(status));
    return !p->stopped && status != 0;
}

/* Nobody saw what it printed: the end of it says why it failed. */
static void show_tail(struct proc *p)
{
    if (p->sup->opts.quiet)
        sup_warn(p->sup, "what %s printed is in %s", p->name, p->log.path);
}

static void vm_ended(struct proc *p, int status)
{
    bool failed = describe(p, status);

    if (failed && WIFEXITED(status) && WEXITSTATUS(status) == VM_EXIT_CANNOT_START)
        snprintf(p->how, sizeof(p->how), "could not start");
    else if (failed && WIFEXITED(status) && WEXITSTATUS(status) == VM_EXIT_CRASHED)
        snprintf(p->how, sizeof(p->how), "crashed: the guest did what it cannot go on from");
    ended(p, failed);
    if (failed) {
        sup_warn(p->sup, "VM %s %s", p->name, p->how);
        show_tail(p);
    } else {
        sup_note(p->sup, "VM %s %s", p->name, p->how);
    }
}

static void give_up(struct proc *p)
{
    ended(p, true);
    if (p->policy.n)
        sup_warn(p->sup, "%s could not start: %s", program_name(p), p->how);
    else
        sup_warn(p->sup, "%s died %d times in %d s, last: %s; giving up", program_name(p),
                 RESTART_MAX, RESTART_WINDOW_MS / 1000, p->how);
    show_tail(p);
}

/* The config may have been edited since: the child reads it anew, the VMs do not. */
static void check_config_file(struct supervisor *s)
{
    struct stat now;

    if (stat(s->cfg->path, &now) < 0 || now.st_ino != s->config_stat.st_ino ||
        now.st_mtim.tv_sec != s->config_stat.st_mtim.tv_sec ||
        now.st_mtim.tv_nsec != s->config_stat.st_mtim.tv_nsec)
        sup_warn(s, "%s was changed since the testbed started; the I/O cores read it anew",
                 s->cfg->path);
}

/* The I/O-core process ended: it is started again, unless it never could start. */
static void iocored_ended(struct proc *p, int status)
{
    uint64_t now = sup_now(), served = p->ready_ms ? now - p->ready_ms : 0;
    bool never = p->late || (p->ready_ms == 0 && p->restarts == 0 && WIFEXITED(status));
    int pause;

    describe(p, status);
    if (p->stopped || p->sup->stopping) {
        ended(p, false);
        return;
    }
    pause = restart_after(&p->policy, now, served);
    if (never || pause < 0) {
        give_up(p);
        return;
    }
    sup_warn(p->sup, "%s %s; starting it again", program_name(p), p->how);
    check_config_file(p->sup);
    p->state = PROC_WAITING;
    p->ended_ms = now;
    p->deadline_ms = now + (uint64_t)pause;
    p->restarts++;
}

static void on_exit_of(struct ev *e)
{
    struct proc *p = e->owner;
    int status = 0;

    if (child_reap(&p->child, &status) < 0)
        return;
    for (int i = 0; i < DRAIN_READS && p->out_ev.fd >= 0; i++)
        on_output(&p->out_ev);
    childlog_flush(&p->log);
    close_events(p);
    if (p->vm)
        vm_ended(p, status);
    else
        iocored_ended(p, status);
    sup_advance(p->sup);
}

static int watch(struct proc *p)
{
    int loop = p->sup->loop;
    int err = evloop_add(loop, &p->exit_ev, p->child.pidfd, on_exit_of, p);

    if (!err)
        err = evloop_add(loop, &p->out_ev, p->child.out_fd, on_output, p);
    if (!err)
        err = evloop_add(loop, &p->ready_ev, p->child.ready_fd, on_ready, p);
    return err;
}

static int spawn(struct proc *p)
{
    struct child_spec spec = {
        .env_name = "RUNTIME_DIRECTORY", /* where DPDK puts its telemetry socket */
        .env_value = p->sup->dir.runtime,
        .cpus = &p->sup->cpus,
    };
    char program[PATH_MAX], **argv;
    int err;

    p->child.pid = 0;
    err = child_find(program_name(p), program, sizeof(program));

    if (err)
        return err;
    argv = proc_argv(p, program);
    if (!argv)
        return -ENOMEM;
    spec.argv = argv;
    err = child_start(&spec, &p->child);
    free(argv);
    return err;
}

void proc_start(struct proc *p)
{
    uint64_t now = sup_now();
    int err = spawn(p);

    if (!err)
        err = watch(p);
    if (err) {
        snprintf(p->how, sizeof(p->how), "could not be started: %s", strerror(-err));
        sup_warn(p->sup, "%s %s", program_name(p), p->how);
        child_kill(&p->child);
        close_events(p);
        ended(p, true);
        return;
    }
    p->state = PROC_STARTING;
    p->started_ms = now;
    p->ready_ms = 0;
    p->deadline_ms = now + start_ms(p);
    p->notice_ms = now + FIRST_NOTICE_MS;
}

void proc_start_again(struct proc *p)
{
    p->stopped = p->killed = p->late = p->failed = false;
    p->ended_ms = 0;
    p->how[0] = '\0';
    proc_start(p);
}

void proc_stop(struct proc *p)
{
    if (p->state == PROC_ENDED || p->state == PROC_STOPPING)
        return;
    p->stopped = true;
    if (p->child.pid == 0) {
        snprintf(p->how, sizeof(p->how), "stopped");
        ended(p, false);
        return;
    }
    p->state = PROC_STOPPING;
    p->deadline_ms = sup_now() + stop_ms(p);
    p->notice_ms = sup_now() + FIRST_NOTICE_MS;
    child_signal(&p->child, SIGTERM);
}

static void deadline(struct proc *p)
{
    p->deadline_ms = 0;
    if (p->state == PROC_WAITING) {
        proc_start(p);
        sup_advance(p->sup);
        return;
    }
    p->late = p->state == PROC_STARTING;
    p->killed = p->state == PROC_STOPPING;
    child_signal(&p->child, SIGKILL);
}

static void notice(struct proc *p, uint64_t now)
{
    const char *what = p->state == PROC_STOPPING ? "stop" : "be ready";
    uint64_t began = p->state == PROC_STOPPING ? p->deadline_ms - stop_ms(p) : p->started_ms;

    if (p->deadline_ms)
        sup_note(p->sup, "waiting for %s to %s (%lu s)", p->name, what,
                 (unsigned long)(now - began) / 1000);
    p->notice_ms = now + NOTICE_MS;
}

static int sooner(int best, uint64_t at, uint64_t now)
{
    int left = at > now ? (int)(at - now) : 0;

    if (at == 0)
        return best;
    return best < 0 || left < best ? left : best;
}

int proc_tick(struct proc *p, uint64_t now)
{
    if (p->notice_ms && now >= p->notice_ms)
        notice(p, now);
    if (p->deadline_ms && now >= p->deadline_ms)
        deadline(p);
    return sooner(sooner(-1, p->deadline_ms, now), p->notice_ms, now);
}
