/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Giving privileges away. What is given away does not come back, so each test runs in a child; its
 * exit status says whether all was as expected.
 */
#ifndef COOPVMM_TESTS_TEST_PRIVS_H
#define COOPVMM_TESTS_TEST_PRIVS_H

#include <CUnit/CUnit.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Ends a child whose expectation does not hold, with the line as its status. */
#define EXPECT(cond)                                                                               \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            fprintf(stderr, "%s:%d: %s (%s)\n", __FILE__, __LINE__, #cond, strerror(errno));       \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

/* Runs fn in a child. @return its wait status */
static inline int in_child(void (*fn)(void))
{
    int status = -1;
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        fn();
        fflush(NULL);
        _exit(0);
    }
    CU_ASSERT_FATAL(pid > 0);
    CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
    return status;
}

static inline void expect_success(void (*fn)(void))
{
    int status = in_child(fn);

    CU_ASSERT_TRUE(WIFEXITED(status));
    CU_ASSERT_EQUAL(WEXITSTATUS(status), 0);
}

static inline void expect_killed(void (*fn)(void))
{
    int status = in_child(fn);

    CU_ASSERT_TRUE(WIFSIGNALED(status));
    CU_ASSERT_EQUAL(WTERMSIG(status), SIGSYS);
}

#endif
