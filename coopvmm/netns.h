/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A network namespace of the testbed's own, so that taps can be made without privileges and without
 * touching the host's network (user_namespaces(7), network_namespaces(7)).
 *
 * Threads: both functions want a process with one thread (unshare and setns of a user namespace
 * do).
 */
#ifndef COOPVMM_NETNS_H
#define COOPVMM_NETNS_H

#include <sys/types.h>

#define NETNS_WHY 320

/**
 * Moves this process into a new network namespace with its loopback up. Without the privilege to do
 * so also into a new user namespace, in which it is root.
 * @param why receives, on error, what is wrong and what to do
 * @return 0 or a negative errno
 */
int netns_unshare(char why[NETNS_WHY]);
/**
 * Joins the user and network namespaces of process `pid`, where they are others than one's own.
 * @return as above
 */
int netns_enter(pid_t pid, char why[NETNS_WHY]);

#endif
