/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Run directories: where a running testbed keeps its sockets and logs, and how it is found again.
 *
 *   BASE/                     /run/coopvmm for root, else $XDG_RUNTIME_DIR/coopvmm, else
 *                             /tmp/coopvmm-UID; with $COOPVMM_RUNDIR only there
 *   BASE/.rt/dpdk/coopvmm-NAME/   DPDK's runtime directory of the testbed (telemetry socket)
 *   BASE/NAME/                mode 0700
 *     lock                    holds a write lock as long as the supervisor lives; contains its pid
 *     ctl.sock                the supervisor's control socket (supctl.h)
 *     iotp.sock               where coopvmm-iocored accepts VMMs (protocol/iotp_ctl.h)
 *     logs/NAME.log           one a child process
 *
 * A directory whose lock is free is left over from a testbed that was killed: it is cleaned when
 * the name is used again, and listed by nobody. The lock is an open-file-description lock
 * (fcntl(2), F_OFD_SETLK): looking at it does not take it, so `ps` never gets in the way of `run`.
 *
 * Threads: no shared state; functions may be called from any thread.
 */
#ifndef COOPVMM_RUNDIR_H
#define COOPVMM_RUNDIR_H

#include <stdbool.h>
#include <sys/types.h>

#define RUNDIR_PATH      108 /* bytes of a path; each socket's path fits in sun_path */
#define RUNDIR_NAME      32  /* bytes of a testbed's name with its NUL */
#define RUNDIR_WHY       256
#define RUNDIR_MAX_BASES 2

/* A testbed's directory as a client sees it. */
struct rundir_ref {
    char name[RUNDIR_NAME];
    char path[RUNDIR_PATH];      /* BASE/NAME */
    char telemetry[RUNDIR_PATH]; /* the telemetry socket of its I/O cores */
};

/* A directory that this process made and has locked. */
struct rundir {
    struct rundir_ref ref;
    char runtime[RUNDIR_PATH]; /* BASE/.rt: RUNTIME_DIRECTORY for DPDK */
    int lock_fd;
};

/**
 * Makes, locks and empties the directory of testbed `name`.
 * @param why receives, on error, what is wrong and what to do
 * @return 0; -EINVAL: not a name; -EBUSY: a testbed of that name is running; -ENAMETOOLONG: a
 *         socket's path would be too long; -EPERM: the base belongs to somebody else; another
 *         negative errno
 */
int rundir_create(const char *name, struct rundir *out, char why[RUNDIR_WHY]);
/** Removes the directory and what is in it, then releases the lock. Logs stay if keep_logs. */
void rundir_remove(struct rundir *r, bool keep_logs);

/**
 * Calls fn for each testbed of this user that is alive, in no particular order, until fn returns
 * other than 0. @return what fn returned last, 0 if there was none
 */
int rundir_each(int (*fn)(const struct rundir_ref *ref, void *arg), void *arg);
/**
 * Finds a live testbed; name NULL: the only one.
 * @param why receives, on error, what is wrong and what to do
 * @return 0; -ENOENT: none; -ENOTUNIQ: several, and no name was given
 */
int rundir_find(const char *name, struct rundir_ref *out, char why[RUNDIR_WHY]);

/** A name as in the config: 1 to 31 of [A-Za-z0-9_.-], the first one a letter or digit. */
bool rundir_name_ok(const char *name);
/** The pid of whoever holds the directory's lock. @return it, 0 if nobody does */
pid_t rundir_owner(const char *path);

#endif
