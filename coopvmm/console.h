/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest's console, a line at a time, on standard output. What a hostile guest prints is made
 * harmless: control characters must not reach the operator's terminal.
 *
 * Threads: any, between console_lock and console_unlock; async-signal-safe.
 */
#ifndef COOPVMM_CONSOLE_H
#define COOPVMM_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>

#define CONSOLE_LINE 256 /* bytes; longer lines are cut in pieces */

/* Zeroed: nothing was printed yet. */
struct vm_console {
    bool lock;
    unsigned used;
    char line[CONSOLE_LINE];
};

void console_lock(struct vm_console *c);
void console_unlock(struct vm_console *c);
/** Takes a byte; a whole line is written. */
void console_put(struct vm_console *c, uint8_t ch);
/** Writes an unfinished line. */
void console_flush(struct vm_console *c);

#endif
