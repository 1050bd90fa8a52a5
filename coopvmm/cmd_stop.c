/* SPDX-License-Identifier: BSD-3-Clause */
/* coopvmm stop: ends a testbed, or one VM of it, and waits until that is done. */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

#include "cmd.h"
#include "supctl.h"
#include "supervisor.h"
#include "testbed.h"

#define STOP_TIMEOUT_S 30

static const char help[] =
    "Usage: coopvmm stop [options] [TESTBED [VM]]\n"
    "Stops a testbed, or one VM of it, and waits until it is over. TESTBED may be left\n"
    "out if only one is running. What does not stop within 5 seconds is killed.\n\n"
    "  -n, --no-wait   do not wait\n"
    "  -h, --help      this text\n";

static int wait_vm(struct testbed *t, const char *vm)
{
    static const char *const over[] = {"stopped", "ended", "failed", NULL};

    return testbed_wait_vm(t, vm, over, STOP_TIMEOUT_S, "stop") ? CMD_OK : CMD_FAILED;
}

/* The supervisor closes the connection when everything is cleaned up. */
static int wait_testbed(struct testbed *t)
{
    for (int s = 0; s < STOP_TIMEOUT_S; s++) {
        if (supctl_wait_end(t->ctl, 1000) != -ETIMEDOUT)
            return CMD_OK;
        fprintf(stderr, "coopvmm stop: waiting for testbed %s (%d s)\n", t->ref.name, s + 1);
    }
    return cmd_fail("stop", "testbed %s does not end; its supervisor is process %d", t->ref.name,
                    (int)rundir_owner(t->ref.path));
}

static int stop(struct testbed *t, const char *vm, bool wait)
{
    json_t *request = vm ? testbed_vm_verb("stop", vm) : testbed_verb("stop");
    json_t *answer = testbed_ask(t, request, "stop");

    json_decref(answer);
    if (!answer)
        return CMD_FAILED;
    if (!wait)
        return CMD_OK;
    return vm ? wait_vm(t, vm) : wait_testbed(t);
}

int cmd_stop(int argc, char **argv)
{
    struct testbed t;
    bool wait;
    int rc = cmd_wait_options(argc, argv, "stop", help, &wait);

    if (rc >= 0)
        return rc;
    if (argc - optind > 2)
        return cmd_usage("stop", "at most a testbed and a VM are wanted");
    if (testbed_open(&t, optind < argc ? argv[optind] : NULL, "stop") < 0)
        return CMD_FAILED;
    rc = stop(&t, argc - optind == 2 ? argv[optind + 1] : NULL, wait);
    testbed_close(&t);
    return rc;
}
