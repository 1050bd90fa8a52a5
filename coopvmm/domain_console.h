/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A domain's console: the terminal xenconsoled or QEMU made for it, read into the VM's log. Whoever
 * attaches `xl console` meanwhile takes part of the output away from the log.
 *
 * Threads: one.
 */
#ifndef COOPVMM_DOMAIN_CONSOLE_H
#define COOPVMM_DOMAIN_CONSOLE_H

#include "console.h"

struct domain_console {
    int fd; /* -1: not open */
    struct vm_console lines;
};

/** Opens the terminal, raw and non-blocking. @return 0 or a negative errno */
int domain_console_open(struct domain_console *c, const char *path);
/** Takes what there is, a few KiB at most, and closes it if its other end is gone. */
void domain_console_pump(struct domain_console *c);
/**
 * The guest ended: waits a moment, one second at most, for what it printed last and takes it. To be
 * called before the domain is destroyed, for that throws away what was not read.
 */
void domain_console_drain(struct domain_console *c);
/** Takes what there is and closes it. Harmless if it is not open. */
void domain_console_close(struct domain_console *c);

#endif
