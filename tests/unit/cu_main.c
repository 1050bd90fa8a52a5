/* SPDX-License-Identifier: BSD-3-Clause */
/* Runs one CUnit suite: the test file defines its name and its table of tests. */
#include "cu_main.h"

#include <CUnit/Basic.h>
#include <stdio.h>

int main(void)
{
    CU_pSuite suite;

    if (CU_initialize_registry() != CUE_SUCCESS)
        return 2;
    suite = CU_add_suite(suite_name, NULL, NULL);
    for (const struct cu_test *t = suite_tests; suite && t->name; t++)
        if (!CU_add_test(suite, t->name, t->run))
            suite = NULL;
    if (!suite) {
        fprintf(stderr, "%s: cannot set up the suite: %s\n", suite_name, CU_get_error_msg());
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned run = CU_get_number_of_tests_run();
    unsigned failed = CU_get_number_of_tests_failed() + (run == 0);
    printf("%s: %u passed, %u failed\n", suite_name, run - CU_get_number_of_tests_failed(), failed);
    CU_cleanup_registry();
    return failed ? 1 : 0;
}
