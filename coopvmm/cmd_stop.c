/* SPDX-License-Identifier: BSD-3-Clause */
/* coopvmm stop: ends a testbed, or one VM of it, and waits until that is done. */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

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

static const struct option options[] = {
    {"no-wait", no_argument, NULL, 'n'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};

/* Is the VM over? @return 1, 0, or -1 (reported) */
static int vm_over(struct testbed *t, const char *vm)
{
    json_t *ps = testbed_ask(t, testbed_verb("ps"), "stop"), *v;
    int over = ps ? 1 : -1;
    size_t i;

    json_array_foreach(json_object_get(ps, "vms"), i, v)
    {
        const char *name = json_string_value(json_object_get(v, "name"));
        const char *state = json_string_value(json_object_get(v, "state"));

        if (name && state && strcmp(name, vm) == 0)
            over = !strcmp(state, "ended") || !strcmp(state, "stopped") || !strcmp(state, "failed");
    }
    json_decref(ps);
    return over;
}

static int wait_vm(struct testbed *t, const char *vm)
{
    struct timespec pause = {.tv_nsec = 100 * 1000000};

    for (int tenths = 0; tenths < STOP_TIMEOUT_S * 10; tenths++) {
        int over = vm_over(t, vm);

        if (over)
            return over > 0 ? CMD_OK : CMD_FAILED;
        if (tenths % 20 == 10)
            fprintf(stderr, "coopvmm stop: waiting for VM %s\n", vm);
        nanosleep(&pause, NULL);
    }
    return cmd_fail("stop", "VM %s does not end", vm);
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
    json_t *request = testbed_verb("stop"), *answer;

    if (vm)
        json_object_set_new(request, "vm", json_string(vm));
    answer = testbed_ask(t, request, "stop");
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
    bool wait = true;
    int c, rc;

    while ((c = getopt_long(argc, argv, "nh", options, NULL)) != -1) {
        if (c == 'h') {
            fputs(help, stdout);
            return CMD_OK;
        }
        if (c != 'n')
            return cmd_usage("stop", NULL);
        wait = false;
    }
    if (argc - optind > 2)
        return cmd_usage("stop", "at most a testbed and a VM are wanted");
    if (testbed_open(&t, optind < argc ? argv[optind] : NULL, "stop") < 0)
        return CMD_FAILED;
    rc = stop(&t, argc - optind == 2 ? argv[optind + 1] : NULL, wait);
    testbed_close(&t);
    return rc;
}
