/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers for eyes. Each function writes at most FORMAT_SIZE bytes and returns `out`. */
#ifndef COOPVMM_FORMAT_H
#define COOPVMM_FORMAT_H

#include <stdint.h>

#define FORMAT_SIZE 32

/** Seconds: "4.2 s", "3m12s", "5h04m", "2d07h". */
const char *format_duration(char out[FORMAT_SIZE], double seconds);
/** Nanoseconds: "830 ns", "12.4 us", "3.1 ms", "2.0 s". */
const char *format_ns(char out[FORMAT_SIZE], double ns);
/** A quantity with a decimal prefix: "0", "999", "12.3k", "4.56M". */
const char *format_si(char out[FORMAT_SIZE], double value);

#endif
