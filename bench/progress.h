/* SPDX-License-Identifier: BSD-3-Clause */
/* How far a long benchmark is, on standard error: one line that is written over on a terminal, a
 * line a step elsewhere. */
#ifndef COOPVMM_BENCH_PROGRESS_H
#define COOPVMM_BENCH_PROGRESS_H

/** "NAME: text". */
void progress_show(const char *name, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** Takes the line away again. */
void progress_end(void);

#endif
