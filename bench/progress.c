/* SPDX-License-Identifier: BSD-3-Clause */
#include "progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

void progress_show(const char *name, const char *fmt, ...)
{
    int terminal = isatty(STDERR_FILENO);
    va_list ap;

    fprintf(stderr, "%s%s: ", terminal ? "\r" : "", name);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputs(terminal ? "\033[K" : "\n", stderr);
}

void progress_end(void)
{
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
}
