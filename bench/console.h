/* SPDX-License-Identifier: BSD-3-Clause */
/* What a child process prints, a line at a time; its end is kept for messages. */
#ifndef COOPVMM_BENCH_CONSOLE_H
#define COOPVMM_BENCH_CONSOLE_H

#include <stddef.h>

#define CONSOLE_KEPT 8192 /* bytes; a line is shorter */

/* Zeroed: nothing was printed. */
struct console {
    char text[CONSOLE_KEPT]; /* NUL-terminated */
    size_t used, parsed;
};

/**
 * Reads what is there and gives whole lines, without their ends, to `line`.
 * @param fd non-blocking
 */
void console_take(struct console *c, int fd, void (*line)(void *ctx, const char *text), void *ctx);

#endif
