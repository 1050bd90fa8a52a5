/* SPDX-License-Identifier: BSD-3-Clause */
/* coopvmm start: starts a VM of a running testbed that is over, and waits until it runs. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "supervisor.h"
#include "testbed.h"

static const char help[] =
    "Usage: coopvmm start [options] [TESTBED] VM\n"
    "Starts a VM of a running testbed that was stopped or ended by itself, and waits until\n"
    "it runs. TESTBED may be left out if only one is running.\n\n"
    "  -n, --no-wait   do not wait\n"
    "  -h, --help      this text\n";

static int wait_vm(struct testbed *t, const char *vm)
{
    static const char *const settled[] = {"running", "stopped", "ended", "failed", NULL};
    const char *state = testbed_wait_vm(t, vm, settled, SUPERVISOR_DOMAIN_START_MS / 1000, "start");

    if (!state)
        return CMD_FAILED;
    if (strcmp(state, "failed") == 0)
        return cmd_fail("start", "VM %s failed; see its log in %s/logs", vm, t->ref.path);
    return CMD_OK;
}

static int start(struct testbed *t, const char *vm, bool wait)
{
    json_t *answer = testbed_ask(t, testbed_vm_verb("start", vm), "start");

    json_decref(answer);
    if (!answer)
        return CMD_FAILED;
    return wait ? wait_vm(t, vm) : CMD_OK;
}

int cmd_start(int argc, char **argv)
{
    struct testbed t;
    bool wait;
    int rc = cmd_wait_options(argc, argv, "start", help, &wait);

    if (rc >= 0)
        return rc;
    if (argc - optind != 1 && argc - optind != 2)
        return cmd_usage("start", "a VM is wanted, and at most a testbed before it");
    if (testbed_open(&t, argc - optind == 2 ? argv[optind] : NULL, "start") < 0)
        return CMD_FAILED;
    rc = start(&t, argv[argc - 1], wait);
    testbed_close(&t);
    return rc;
}
