/* SPDX-License-Identifier: BSD-3-Clause */
/* What a suite tests/unit/test_X.c defines. */
#ifndef COOPVMM_TESTS_CU_MAIN_H
#define COOPVMM_TESTS_CU_MAIN_H

struct cu_test {
    const char *name;
    void (*run)(void);
};

extern const char *const suite_name;
extern const struct cu_test suite_tests[]; /* ends with { NULL, NULL } */

#endif
