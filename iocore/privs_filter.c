/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The system calls a daemon needs once it is set up, and why. Anything else kills it.
 *
 * Two filters, of whose verdicts the kernel takes the sterner. The *refuser* lets the needed calls
 * through, some only with certain arguments, and answers all others with EPERM. The *killer* knows
 * the needed ones and those that libraries try on the off chance, and ends the process at any
 * other. (One filter could not say "this ioctl, else EPERM": libseccomp lets a rule without
 * arguments replace those with.)
 *
 * What it must be able to do: poll rings and taps, take VMMs' connections and map the memory they
 * send, write eventfds, wake futexes, let DPDK's telemetry start a thread for each client, report
 * on standard error, end. What it must not: open or change files, make sockets, start programs,
 * look into other processes, map executable memory. A daemon that serves Xen's domains may also
 * open files (which Landlock then confines to Xen's) and make a few requests of Xen on them, but no
 * hypercall of its own choice.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <xen/xen.h>

#include <xen/sys/evtchn.h>
#include <xen/sys/privcmd.h>

#include "privs_priv.h"

#define CALLS(...) ((const int[]){__VA_ARGS__, -1})

/* Always allowed. */
static const int *const allowed[] = {
    /* descriptors that are open, or came with a message */
    CALLS(SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(pread64),
          SCMP_SYS(pwrite64), SCMP_SYS(close), SCMP_SYS(dup), SCMP_SYS(fstat), SCMP_SYS(newfstatat),
          SCMP_SYS(lseek)),
    /* the control socket, telemetry's, AF_PACKET and AF_XDP rings */
    CALLS(SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(recvmsg), SCMP_SYS(recvfrom),
          SCMP_SYS(recvmmsg), SCMP_SYS(sendmsg), SCMP_SYS(sendto), SCMP_SYS(sendmmsg),
          SCMP_SYS(shutdown), SCMP_SYS(getsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername)),
    /* waiting */
    CALLS(SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select), SCMP_SYS(pselect6),
          SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait),
          SCMP_SYS(eventfd2), SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime), SCMP_SYS(futex),
          SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep), SCMP_SYS(sched_yield),
          SCMP_SYS(restart_syscall)),
    /* memory; mmap and mprotect below; a new device's durable state */
    CALLS(SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(mlock),
          SCMP_SYS(munlock), SCMP_SYS(mbind), SCMP_SYS(get_mempolicy), SCMP_SYS(memfd_create),
          SCMP_SYS(ftruncate)),
    /* time, and who and where we are */
    CALLS(SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(gettimeofday), SCMP_SYS(time),
          SCMP_SYS(getpid), SCMP_SYS(getppid), SCMP_SYS(gettid), SCMP_SYS(getuid),
          SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(getcpu),
          SCMP_SYS(getrusage), SCMP_SYS(sysinfo), SCMP_SYS(uname), SCMP_SYS(getrandom),
          SCMP_SYS(sched_getaffinity), SCMP_SYS(sched_getscheduler), SCMP_SYS(sched_getparam)),
    /* threads and signals */
    CALLS(SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(set_tid_address),
          SCMP_SYS(sched_setaffinity), SCMP_SYS(membarrier), SCMP_SYS(rt_sigaction),
          SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
          SCMP_SYS(rt_sigtimedwait), SCMP_SYS(exit), SCMP_SYS(exit_group)),
};

/*
 * Refused with EPERM: libraries try these on the off chance and bear a no (libc's locale and time
 * zone files, syslog, libnuma's and DPDK's looks into /sys, sockets and files removed at the end).
 */
static const int *const refused[] = {
    CALLS(SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(access), SCMP_SYS(faccessat),
          SCMP_SYS(faccessat2), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(statx),
          SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getdents64), SCMP_SYS(unlink),
          SCMP_SYS(unlinkat), SCMP_SYS(rmdir), SCMP_SYS(socket), SCMP_SYS(connect), SCMP_SYS(flock),
          SCMP_SYS(setsockopt), SCMP_SYS(move_pages), SCMP_SYS(set_mempolicy),
          SCMP_SYS(sched_setscheduler), SCMP_SYS(prlimit64)),
    /* allowed with certain arguments */
    CALLS(SCMP_SYS(ioctl), SCMP_SYS(fcntl), SCMP_SYS(prctl)),
    /* to load the second filter, which refuses it from then on */
    CALLS(SCMP_SYS(seccomp)),
};

/* The leak sanitizer stops the process's threads with ptrace at the end, which the filter kills:
 * it is told to stay away from a process under a filter (which refuses even this question). */
#if defined(__SANITIZE_ADDRESS__)
#define WITH_LEAK_CHECK 1
#elif defined(__has_feature)
#define WITH_LEAK_CHECK __has_feature(address_sanitizer)
#else
#define WITH_LEAK_CHECK 0
#endif
#if WITH_LEAK_CHECK
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
    return prctl(PR_GET_SECCOMP) != 0;
}
#endif

static int add_all(scmp_filter_ctx f, uint32_t action, const int *const *lists, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (const int *c = lists[i]; *c != -1; c++) {
            int err = seccomp_rule_add(f, action, *c, 0);

            if (err)
                return err;
        }
    return 0;
}

/* Allows a call if argument `arg`, masked, is one of the values. */
static int allow_values(scmp_filter_ctx f, int call, unsigned arg, uint64_t mask,
                        const uint64_t *value, size_t n)
{
    int err = 0;

    for (size_t i = 0; i < n && !err; i++)
        err = seccomp_rule_add(f, SCMP_ACT_ALLOW, call, 1,
                               SCMP_CMP(arg, SCMP_CMP_MASKED_EQ, mask, value[i]));
    return err;
}

/* Memory is never executable: what an attacker writes stays data. */
static int add_memory_rules(scmp_filter_ctx f)
{
    const uint64_t no = 0;
    int err = allow_values(f, SCMP_SYS(mmap), 2, PROT_EXEC, &no, 1);

    return err ? err : allow_values(f, SCMP_SYS(mprotect), 2, PROT_EXEC, &no, 1);
}

/* Threads yes, processes no. clone3 hides its flags from filters, so it does not exist (glibc then
 * takes clone). */
static int add_thread_rules(scmp_filter_ctx f)
{
    const uint64_t thread = CLONE_THREAD | CLONE_VM | CLONE_SIGHAND, self = (uint64_t)getpid();
    int err = allow_values(f, SCMP_SYS(clone), 0, thread, &thread, 1);

    if (!err)
        err = seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    if (!err) /* raise, abort, pthread_kill */
        err = allow_values(f, SCMP_SYS(tgkill), 0, UINT32_MAX, &self, 1);
    return err;
}

/* A tap's link state and its end; VFIO interrupts of an assigned NIC (type ';'). */
static int add_descriptor_rules(scmp_filter_ctx f)
{
    static const uint64_t requests[] = {TUNSETPERSIST, SIOCGIFFLAGS, FIONREAD, FIONBIO},
                          vfio[] = {';' << 8},
                          commands[] = {F_GETFL,     F_SETFL,         F_GETFD,
                                        F_SETFD,     F_DUPFD_CLOEXEC, F_GET_SEALS,
                                        F_ADD_SEALS, F_GETSIG,        F_SETOWN_EX},
                          names[] = {PR_SET_NAME, PR_GET_NAME};
    int err = allow_values(f, SCMP_SYS(ioctl), 1, UINT32_MAX, requests,
                           sizeof(requests) / sizeof(*requests));

    if (!err)
        err = allow_values(f, SCMP_SYS(ioctl), 1, 0xffffff00u, vfio, 1);
    if (!err)
        err = allow_values(f, SCMP_SYS(fcntl), 1, UINT32_MAX, commands,
                           sizeof(commands) / sizeof(*commands));
    if (!err)
        err = allow_values(f, SCMP_SYS(prctl), 0, UINT32_MAX, names, 2);
    return err;
}

/* Device models' operations on one domain, its memory and its event channels. */
static int add_xen_rules(scmp_filter_ctx f)
{
    static const uint64_t requests[] = {IOCTL_PRIVCMD_DM_OP,         IOCTL_PRIVCMD_RESTRICT,
                                        IOCTL_PRIVCMD_MMAPBATCH_V2,  IOCTL_PRIVCMD_MMAP_RESOURCE,
                                        IOCTL_EVTCHN_RESTRICT_DOMID, IOCTL_EVTCHN_BIND_INTERDOMAIN,
                                        IOCTL_EVTCHN_UNBIND,         IOCTL_EVTCHN_NOTIFY};
    int err = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(openat), 0);

    return err ? err
               : allow_values(f, SCMP_SYS(ioctl), 1, UINT32_MAX, requests,
                              sizeof(requests) / sizeof(*requests));
}

/*
 * Options: all threads at once; no speculative-store-bypass mitigation (it would slow every load of
 * the polling loop to guard secrets of a process that has none from itself); a binary tree, since
 * eventfd writes are frequent.
 */
static int set_options(scmp_filter_ctx f)
{
    int err = seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1);

    if (!err)
        err = seccomp_attr_set(f, SCMP_FLTATR_CTL_SSB, 1);
    return err ? err : seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);
}

/* Calls whose arguments decide over life and death: the same in both filters. */
static int add_vital_rules(scmp_filter_ctx f)
{
    int err = add_all(f, SCMP_ACT_ALLOW, allowed, sizeof(allowed) / sizeof(*allowed));

    if (!err)
        err = add_memory_rules(f);
    return err ? err : add_thread_rules(f);
}

static int add_refuser_rules(scmp_filter_ctx f, bool xen)
{
    int err = add_vital_rules(f);

    if (!err)
        err = add_descriptor_rules(f);
    return err || !xen ? err : add_xen_rules(f);
}

static int add_killer_rules(scmp_filter_ctx f, bool xen)
{
    int err = add_vital_rules(f);

    (void)xen; /* what it may ask is for the refuser to tell */

    return err ? err : add_all(f, SCMP_ACT_ALLOW, refused, sizeof(refused) / sizeof(*refused));
}

static int load_filter(uint32_t otherwise, int (*add_rules)(scmp_filter_ctx f, bool xen), bool xen)
{
    scmp_filter_ctx f = seccomp_init(otherwise);
    int err = f ? set_options(f) : -ENOMEM;

    if (!err)
        err = add_rules(f, xen);
    if (!err)
        err = seccomp_load(f);
    if (f)
        seccomp_release(f);
    return err;
}

int privs_load_filter(bool refuse, bool xen, FILE *err)
{
    int e = refuse ? 0 : load_filter(SCMP_ACT_KILL_PROCESS, add_killer_rules, xen);

    if (!e)
        e = load_filter(SCMP_ACT_ERRNO(EPERM), add_refuser_rules, xen);
    if (e)
        fprintf(err,
                "the system-call filter cannot be loaded: %s; does the kernel have "
                "CONFIG_SECCOMP_FILTER? daemon.seccomp: false goes without\n",
                strerror(-e));
    return e;
}
