/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What child processes print: each one's output goes to a log file as it is, and line by line with
 * the child's name before it to the operator's terminal.
 *
 * What a guest prints is not trusted: a log is bounded (CHILDLOG_MAX bytes and one older file of
 * that size), control characters do not reach the terminal, and a terminal that does not take
 * output (stopped with Ctrl-S, a full pipe) loses lines rather than stopping the guests.
 *
 * Threads: one thread uses all of it.
 */
#ifndef COOPVMM_CHILDLOG_H
#define COOPVMM_CHILDLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHILDLOG_MAX  (8u << 20) /* bytes in a log file; then it becomes FILE.1 */
#define CHILDLOG_LINE 1000       /* bytes; longer lines are shown in pieces */

/* The operator's terminal, shared by all logs. */
struct echo {
    int fd;        /* -1: show nothing */
    unsigned lost; /* lines not shown since the last one that was */
};

struct childlog {
    struct echo *echo;
    int file;      /* -1: it could not be opened; reported once by whoever opened it */
    uint64_t size; /* bytes in the file */
    char path[160];
    char tag[40]; /* "[name] " */
    char line[CHILDLOG_LINE];
    size_t len; /* bytes of an unfinished line */
};

/** Opens DIR/logs/NAME.log to append to. @return 0 or a negative errno (it echoes all the same) */
int childlog_open(struct childlog *l, const char *dir, const char *name, struct echo *echo);
/** Takes bytes a child printed. */
void childlog_write(struct childlog *l, const char *data, size_t len);
/** Reads what there is in a non-blocking pipe. @return false: the other end was closed */
bool childlog_pump(struct childlog *l, int fd);
/** Shows an unfinished line: the child ended. */
void childlog_flush(struct childlog *l);
/** The same, and closes the file. */
void childlog_close(struct childlog *l);

/** Shows one line if the terminal takes it. @param line without newline, at most CHILDLOG_LINE */
void echo_line(struct echo *e, const char *tag, const char *line, size_t len);

#endif
