/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the daemon may do once it is set up: real-time scheduling and locked memory taken, then
 * everything else given away.
 *
 * Order: ports are open, sockets listen, threads exist (EAL, telemetry); then privs_realtime() for
 * each I/O core, privs_lock_memory(), and last privs_drop().
 */
#ifndef COOPVMM_IOCORE_PRIVS_H
#define COOPVMM_IOCORE_PRIVS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "../config/config.h"

/* SCHED_FIFO: above all ordinary threads, below everything else that is real-time */
#define PRIVS_RT_PRIORITY 1

/**
 * May I/O core i run with SCHED_FIFO? A polling FIFO thread never gives its CPU up, so only if
 * no vCPU, no other I/O core and no inline or blocking device shares the CPU, and if at least
 * one CPU is left that neither I/O cores nor vCPUs keep busy: for the control thread, the host's
 * network stack and whatever talks to the guests. On two CPUs the guests' peers would otherwise
 * have to share the vCPU's, and wait for it tens of milliseconds.
 * @param cpus CPUs of the machine
 * @param why set to one line when the answer is no
 */
bool privs_may_realtime(const struct cfg *c, unsigned iocore, unsigned cpus, const char **why);

/**
 * Makes a thread SCHED_FIFO at PRIVS_RT_PRIORITY, unless the kernel would throttle it
 * (/proc/sys/kernel/sched_rt_runtime_us, before Linux 6.12) or does not allow it; says so then.
 * @param name of the I/O core, for messages
 * @return 0; -EPERM (said in err, with what to do): it goes on as an ordinary thread
 */
int privs_realtime(pthread_t thread, const char *name, FILE *err);

/** mlockall() of what is and will be mapped. @return 0; negative errno, said in err */
int privs_lock_memory(FILE *err);

struct privs_drop {
    const char *user; /* setgroups, setgid, setuid to it; NULL: stay */
    bool seccomp;
    /* Domains of Xen's will come: its device files may be opened later, and no others. */
    bool xen;
    /* Test only: a forbidden system call fails with EPERM instead of killing the process. */
    bool refuse;
};

/**
 * Gives everything away, for all threads: user (if any), capabilities (bounding set, permitted,
 * effective, inheritable, ambient), no_new_privs, then the seccomp filter.
 *
 * The filter lets through what serving VMs needs (list and reasons in privs.c). Anything else kills
 * the process (SECCOMP_RET_KILL_PROCESS; the kernel logs the call's number under audit type 1326):
 * a polling daemon that is attacked must not go on, and a supervisor restarts it without the
 * guests noticing more than a pause. The exceptions are calls that libraries make on the off chance
 * and bear to be refused: they get EPERM.
 * @return 0; negative errno, said in err: the process must then end, it is in between
 */
int privs_drop(const struct privs_drop *d, FILE *err);

/**
 * Shows that filter and capabilities hold: the calling process, which has called privs_drop() with
 * `refuse`, tries to open a file for writing, execve, fork, ptrace, socket(AF_INET), mount,
 * setuid(0), to raise a capability, ...
 * @return number of attempts that were not refused, each named in err
 */
int privs_verify(FILE *err);

#endif
