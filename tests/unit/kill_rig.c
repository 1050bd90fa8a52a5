/* SPDX-License-Identifier: BSD-3-Clause */
#include "kill_rig.h"

#include <CUnit/CUnit.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct rig_vmm kill_vmm;
static bool over;

bool kill_is_over(void)
{
    return __atomic_load_n(&over, __ATOMIC_RELAXED);
}

uint32_t kill_random(void)
{
    static uint32_t state = 12345;

    state = state * 1103515245u + 12345u;
    return state >> 8;
}

static pid_t start_io_core(const char *model)
{
    pid_t pid = fork();

    if (pid == 0) {
        struct rig_ioc ioc;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (!rig_ioc_open(&ioc, &kill_vmm, model))
            _exit(1);
        for (;;)
            rig_ioc_poll(&ioc);
    }
    return pid;
}

static void nap_us(unsigned us)
{
    struct timespec t = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000L};

    nanosleep(&t, NULL);
}

/* The state memfd must be known to the parent before the first child is killed. */
static bool make_state(const char *model)
{
    struct rig_ioc ioc;

    if (!rig_ioc_open(&ioc, &kill_vmm, model))
        return false;
    rig_ioc_close(&ioc);
    return true;
}

static bool was_killed(pid_t pid)
{
    int status;

    kill(pid, SIGKILL);
    return waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

static void *guest_thread(void *guest)
{
    (*(void (**)(void))guest)();
    return NULL;
}

void kill_run(const char *model, void (*guest)(void))
{
    unsigned seed = 7, crashed = 0;
    pthread_t thread;

    CU_ASSERT_TRUE_FATAL(rig_vmm_open(&kill_vmm, 1));
    CU_ASSERT_TRUE_FATAL(make_state(model));
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, guest_thread, &guest), 0);
    for (unsigned i = 0; i <= KILLS; i++) {
        pid_t pid = start_io_core(model);

        nap_us(2000 + (unsigned)rand_r(&seed) % 4000);
        if (i == KILLS) {
            __atomic_store_n(&over, true, __ATOMIC_RELAXED);
            pthread_join(thread, NULL);
        }
        crashed += !was_killed(pid);
    }
    CU_ASSERT_EQUAL(crashed, 0);
    rig_vmm_close(&kill_vmm);
}
