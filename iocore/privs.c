/* SPDX-License-Identifier: BSD-3-Clause */
#include "privs.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "numa.h"
#include "privs_priv.h"

/* --- real time --- */

/* A domain's vCPUs are Xen's to schedule, on CPUs that Xen numbers: none of ours. */
static bool runs_here(const struct cfg_vm *vm)
{
    return vm->engine != CFG_ENGINE_XEN;
}

/* CPUs that I/O cores and vCPUs keep busy. A vCPU whose CPU is not known here (the planner chose
 * it) counts as having one of its own. */
static unsigned busy_cpus(const struct cfg *c)
{
    cpu_set_t known;
    unsigned unknown = 0;

    CPU_ZERO(&known);
    for (unsigned i = 0; i < c->iocores_count; i++)
        CPU_SET((unsigned)c->iocores[i].core, &known);
    for (unsigned v = 0; v < c->vms_count; v++)
        for (unsigned i = 0; runs_here(&c->vms[v]) && i < c->vms[v].cores_count; i++) {
            if (c->vms[v].cores[i] >= 0)
                CPU_SET((unsigned)c->vms[v].cores[i], &known);
            else
                unknown++;
        }
    return (unsigned)CPU_COUNT(&known) + unknown;
}

static bool vcpu_on(const struct cfg *c, int cpu)
{
    for (unsigned v = 0; v < c->vms_count; v++)
        for (unsigned i = 0; runs_here(&c->vms[v]) && i < c->vms[v].cores_count; i++)
            if (c->vms[v].cores[i] == cpu)
                return true;
    return false;
}

static bool other_core_on(const struct cfg *c, unsigned iocore)
{
    for (unsigned i = 0; i < c->iocores_count; i++)
        if (i != iocore && c->iocores[i].core == c->iocores[iocore].core)
            return true;
    return false;
}

bool privs_may_realtime(const struct cfg *c, unsigned iocore, unsigned cpus, const char **why)
{
    if (vcpu_on(c, c->iocores[iocore].core))
        *why = "a vCPU shares its CPU and would never run";
    else if (other_core_on(c, iocore))
        *why = "another I/O core shares its CPU and would never run";
    else if (busy_cpus(c) >= cpus)
        *why = "no CPU would be left for anything but I/O cores and vCPUs";
    else
        return true;
    return false;
}

/* sched(7): what real-time threads may use of each period. */
static long rt_number(const char *path)
{
    FILE *f = fopen(path, "re");
    long v = -1;

    if (f) {
        if (fscanf(f, "%ld", &v) != 1)
            v = -1;
        fclose(f);
    }
    return v;
}

/*
 * Throttling takes a polling FIFO thread's CPU away for the rest of each period, whether anybody
 * else wants it or not: worse than no real time at all. Linux 6.12 replaced it by a server that
 * runs ordinary threads only where they starve, which do not exist on a CPU of one's own.
 */
static bool throttled(long *runtime, long *period)
{
    struct utsname u;
    unsigned major = 0, minor = 0;

    *runtime = rt_number("/proc/sys/kernel/sched_rt_runtime_us");
    *period = rt_number("/proc/sys/kernel/sched_rt_period_us");
    if (*runtime < 0 || *runtime >= *period)
        return false;
    return uname(&u) || sscanf(u.release, "%u.%u", &major, &minor) != 2 || major < 6 ||
           (major == 6 && minor < 12);
}

int privs_realtime(pthread_t thread, const char *name, FILE *err)
{
    struct sched_param p = {.sched_priority = PRIVS_RT_PRIORITY};
    long runtime, period;
    int e;

    if (throttled(&runtime, &period)) {
        fprintf(err,
                "%s: not SCHED_FIFO: this kernel would stop it for %ld ms of each %ld ms; "
                "sysctl kernel.sched_rt_runtime_us=-1 allows it\n",
                name, (period - runtime) / 1000, period / 1000);
        return -EPERM;
    }
    e = pthread_setschedparam(thread, SCHED_FIFO, &p);
    if (e) {
        fprintf(err,
                "%s: not SCHED_FIFO (%s): other programs may delay it; allow it with "
                "CAP_SYS_NICE or LimitRTPRIO=\n",
                name, strerror(e));
        return -e;
    }
    return 0;
}

/* Without this a guest's memory, mapped later without capabilities, would be over the limit. */
static bool raise_memlock(void)
{
    struct rlimit all = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY}, now;

    if (setrlimit(RLIMIT_MEMLOCK, &all) == 0)
        return true;
    return getrlimit(RLIMIT_MEMLOCK, &now) == 0 && now.rlim_cur == RLIM_INFINITY;
}

/*
 * What is mapped now is brought in and locked; what comes later (guests' memory) is locked page by
 * page as it is used, so that attaching a VM does not allocate all of its memory.
 */
int privs_lock_memory(FILE *err)
{
    bool later = raise_memlock();
    int e = mlockall(MCL_CURRENT) ? -errno : 0;

    if (!e && later && mlockall(MCL_FUTURE | MCL_ONFAULT))
        e = -errno;
    if (e)
        fprintf(err,
                "memory is not locked (%s): page faults may delay I/O cores; allow it with "
                "CAP_IPC_LOCK or LimitMEMLOCK=infinity\n",
                strerror(-e));
    else if (!later)
        fprintf(err, "only memory that is mapped now is locked: RLIMIT_MEMLOCK would not allow "
                     "guests' memory; LimitMEMLOCK=infinity would\n");
    return e;
}

/* --- giving away --- */

static int become(const char *user, FILE *err)
{
    const struct passwd *pw;
    int e = 0;

    errno = 0;
    pw = getpwnam(user);
    if (!pw) {
        e = errno ? -errno : -ENOENT;
        fprintf(err, "daemon.user: there is no user %s\n", user);
        return e;
    }
    if (setgroups(0, NULL) || setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) ||
        setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid)) {
        e = -errno;
        fprintf(err, "daemon.user: cannot become %s: %s\n", user, strerror(-e));
    }
    return e;
}

int privs_drop(const struct privs_drop *d, FILE *err)
{
    int e;

    nl_prepare();
    e = d->user ? become(d->user, err) : 0;
    if (!e)
        e = privs_drop_caps(err);
    if (!e && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
        e = -errno;
        fprintf(err, "no_new_privs: %s\n", strerror(-e));
    }
    if (!e && d->xen)
        e = privs_confine_files(err);
    if (!e && d->seccomp)
        e = privs_load_filter(d->refuse, d->xen, err);
    return e;
}
