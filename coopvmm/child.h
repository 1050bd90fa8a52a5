/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One child process of the supervisor: started in a process group of its own, killed by the kernel
 * when the supervisor dies, its output and its "ready" line read through pipes.
 *
 * Threads: the supervisor's only. PR_SET_PDEATHSIG looks at the *thread* that forked, so whoever
 * starts children must live as long as they shall.
 */
#ifndef COOPVMM_CHILD_H
#define COOPVMM_CHILD_H

#include <sched.h>
#include <stddef.h>
#include <sys/types.h>

struct child {
    pid_t pid;
    int pidfd;    /* readable when it ended */
    int out_fd;   /* its standard output and error; non-blocking */
    int ready_fd; /* what it writes to CHILD_READY_FD; non-blocking */
};

/* The number the child knows the ready pipe by: its option --ready-fd. */
#define CHILD_READY_FD 3

struct child_spec {
    char *const *argv;    /* argv[0] is the program's path */
    const char *env_name; /* one variable to set, or NULL */
    const char *env_value;
    const cpu_set_t *cpus; /* CPUs it may use, or NULL: the caller's */
};

/**
 * Starts a program. Its standard input is /dev/null, all signals are unblocked and default.
 * @return 0 and *out; a negative errno (that of execve too)
 */
int child_start(const struct child_spec *spec, struct child *out);
/** Signals the child's whole process group. Harmless once it was reaped. */
void child_signal(const struct child *c, int sig);
/** Kills it and waits for its end. Harmless if there is none. Closes no descriptor. */
void child_kill(struct child *c);
/**
 * Reaps a child that ended, and kills what is left of its process group.
 * @return 0 and its wait status (wait(2)); -EAGAIN: it is still running; -ECHILD: there is none
 */
int child_reap(struct child *c, int *status);

/**
 * Finds a program of coopvmm's: beside the running executable, then in ../libexec/coopvmm, then in
 * PATH. @return 0 and its path; -ENOENT
 */
int child_find(const char *program, char *path, size_t size);

#endif
