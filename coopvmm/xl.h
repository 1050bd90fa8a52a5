/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Xen's program xl, run as a child: what needs Xen's unstable interfaces is asked of it. No shell
 * is involved; what it prints is kept; it is killed when it takes too long or is no longer wanted.
 *
 * Threads: each caller its own calls; the thread must outlive the child (see child.h).
 */
#ifndef COOPVMM_XL_H
#define COOPVMM_XL_H

#include <stddef.h>
#include <stdio.h>

#define XL_MAX_ARGS 16
#define XL_MAX_TEXT (4u << 20) /* bytes of output that are kept */

/* What xl printed on both its outputs. Zeroed: nothing. */
struct xl_text {
    char *text; /* NUL-terminated; NULL: nothing */
    size_t len;
};

/**
 * Runs xl.
 * @param args its arguments, NULL-terminated, at most XL_MAX_ARGS - 2
 * @param timeout_ms then it is killed
 * @param stop_fd if this becomes readable, it is killed, too; -1: nothing does that
 * @param out receives what it printed (release with xl_text_clear); NULL: not wanted
 * @return 0; its exit status, if that is not 0; -ENOENT: there is no xl; -ETIMEDOUT; -ECANCELED;
 *         -EINTR: a signal ended it; another negative errno
 */
int xl_run(const char *const args[], unsigned timeout_ms, int stop_fd, struct xl_text *out);
void xl_text_clear(struct xl_text *t);

/**
 * Says on `err` that xl failed: the end of what it printed, a line each after `prefix`, and what to
 * do about it, where that is known.
 * @param what was to be done, for instance "creating the domain"
 * @param ret as xl_run returned it, not 0
 */
void xl_explain(const char *prefix, const char *what, int ret, const struct xl_text *t, FILE *err);

/** What to do about a failure, judged by xl's words. @return NULL: nothing is known */
const char *xl_hint(const char *text);

#endif
