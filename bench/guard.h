/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What lets a benchmark end early in good order: a thread of its own that takes SIGINT, SIGTERM and
 * SIGHUP, watches the one child process that matters (the I/O-core process) and collects what it
 * prints. When a signal comes or the child ends, guard_stopped() becomes true and every watched VM
 * is cancelled, so that whoever waits for an answer in it gets -ECANCELED and unwinds.
 *
 * Threads: all functions are called by the benchmark's thread.
 */
#ifndef COOPVMM_BENCH_GUARD_H
#define COOPVMM_BENCH_GUARD_H

#include <stdbool.h>

#include "../coopvmm/child.h"
#include "../coopvmm/engine.h"

struct guard;

/** Blocks the signals for this thread and all made later. @return 0 and *out; a negative errno */
int guard_create(struct guard **out);
/** Ends the thread and restores the signal mask. NULL is accepted. */
void guard_free(struct guard *g);

bool guard_stopped(const struct guard *g);
/** Which signal stopped it; 0: none did. */
int guard_signal(const struct guard *g);
/** A descriptor that is readable once it stopped. */
int guard_fd(const struct guard *g);

/** Watches a child, or none (NULL). What a former one printed is forgotten. */
void guard_child(struct guard *g, const struct child *c);
/** The end of what the child printed: NUL-terminated; valid until the next guard_child. Call it
 * when the child has ended. */
const char *guard_output(struct guard *g);

/** Cancels this VM, too, when it stops. @return 0, -ENOSPC */
int guard_add_vm(struct guard *g, struct vm *vm);
void guard_remove_vm(struct guard *g, struct vm *vm);

#endif
