/* SPDX-License-Identifier: BSD-3-Clause */
/* `coopvmm stat` as tables. */
#ifndef COOPVMM_STAT_PRINT_H
#define COOPVMM_STAT_PRINT_H

#include <jansson.h>

/** Prints what a snapshot holds; lists that are not in it are left out. @return 0 or -EIO */
int stat_print(const json_t *doc, const char *testbed);

#endif
