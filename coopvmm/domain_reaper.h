/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A domain outlives the process that made it. So a small process of its own holds the end of a
 * pipe, and when the VM's process is gone without having said that nothing is left, it destroys the
 * domain: that one, by its UUID, and no other. It tells syslog, since nobody else listens any more.
 */
#ifndef COOPVMM_DOMAIN_REAPER_H
#define COOPVMM_DOMAIN_REAPER_H

#include <sys/types.h>

struct reaper {
    pid_t pid;
    int fd; /* the pipe's other end; -1: there is no reaper */
};

/**
 * Starts it; before the domain is created, and before any thread.
 * @param name the domain's, for messages
 * @return 0 or a negative errno
 */
int reaper_start(struct reaper *r, const char *uuid, const char *name);
/** Nothing is left to be destroyed: it ends. */
void reaper_dismiss(struct reaper *r);
/** Something may be left: it does its work, and this process goes on without it. */
void reaper_let(struct reaper *r);

#endif
