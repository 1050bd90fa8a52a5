/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A PC's serial port as a stream socket in the run directory, DIR/NAME.console, for `coopvmm
 * console`. Who connects gets the last of what the guest sent, then all it sends; what he sends the
 * guest receives as fast as it takes it. One at a time: who comes later takes over. A peer that
 * does not read loses output; the guest never waits.
 *
 * Threads: opened, attached and closed by the VM's main thread; one of its own.
 */
#ifndef COOPVMM_PC_CONSOLE_H
#define COOPVMM_PC_CONSOLE_H

#include <stddef.h>
#include <stdio.h>

#include "pc.h"

#define PC_CONSOLE_RECENT 4096 /* bytes */

struct pc_console;

/** The socket's path. @return 0, -ENAMETOOLONG: no socket can have it */
int pc_console_path(const char *rundir, const char *vm, char *path, size_t size);

/** Listens, mode 0600. @return NULL: it cannot, which is said on `err`; the VM runs without */
struct pc_console *pc_console_open(const char *rundir, const char *vm, FILE *err);
/** Connects it to a machine that is about to run; NULL: that one is about to go. Both may be NULL.
 */
void pc_console_attach(struct pc_console *c, struct pc *pc);
void pc_console_close(struct pc_console *c);

#endif
