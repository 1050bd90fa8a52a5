/* SPDX-License-Identifier: BSD-3-Clause */
#include "testbed.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "supctl.h"

int testbed_open(struct testbed *t, const char *name, const char *cmd)
{
    char why[RUNDIR_WHY];
    int err = rundir_find(name, &t->ref, why);

    t->ctl = -1;
    if (err) {
        cmd_fail(cmd, "%s", why);
        return err;
    }
    t->ctl = supctl_connect(t->ref.path);
    if (t->ctl >= 0)
        return 0;
    cmd_fail(cmd, "testbed %s does not answer on %s/ctl.sock: %s", t->ref.name, t->ref.path,
             strerror(-t->ctl));
    return t->ctl;
}

void testbed_close(struct testbed *t)
{
    if (t->ctl >= 0)
        close(t->ctl);
    t->ctl = -1;
}

json_t *testbed_snapshot(const struct rundir_ref *ref, unsigned what, char why[RUNDIR_WHY])
{
    struct telclient t;
    json_t *doc = NULL;
    int err = telclient_open(&t, ref->telemetry, TESTBED_ASK_MS);

    if (!err) {
        err = snapshot_take(&t, what, &doc);
        telclient_close(&t);
    }
    if (err == -ENOENT || err == -ECONNREFUSED || err == -ENOTCONN)
        snprintf(why, RUNDIR_WHY,
                 "testbed %s has no I/O cores that answer (%s); `coopvmm ps` shows their state",
                 ref->name, ref->telemetry);
    else if (err)
        snprintf(why, RUNDIR_WHY, "testbed %s: %s: %s", ref->name, ref->telemetry,
                 err == -EBUSY ? "too many telemetry clients" : strerror(-err));
    return doc;
}

json_t *testbed_verb(const char *verb)
{
    return json_pack("{s:s}", "verb", verb);
}

json_t *testbed_vm_verb(const char *verb, const char *vm)
{
    return json_pack("{s:s, s:s}", "verb", verb, "vm", vm);
}

json_t *testbed_ask(struct testbed *t, json_t *request, const char *cmd)
{
    json_t *answer;
    int err = supctl_ask(t->ctl, request, TESTBED_ASK_MS, &answer);
    const char *text;

    if (!err)
        return answer;
    text = json_string_value(json_object_get(answer, "error"));
    if (err == -EREMOTEIO && text)
        cmd_fail(cmd, "%s", text);
    else if (err == -ENOTCONN)
        cmd_fail(cmd, "testbed %s ended", t->ref.name);
    else
        cmd_fail(cmd, "testbed %s: %s", t->ref.name, strerror(-err));
    json_decref(answer);
    return NULL;
}

/* The VM's state, if it is one of those; NULL: none, and *err if it is not known. */
static const char *state_among(struct testbed *t, const char *vm, const char *const *states,
                               const char *cmd, bool *err)
{
    json_t *ps = testbed_ask(t, testbed_verb("ps"), cmd), *v;
    const char *found = NULL;
    size_t i;

    *err = !ps;
    json_array_foreach(json_object_get(ps, "vms"), i, v)
    {
        const char *name = json_string_value(json_object_get(v, "name"));
        const char *state = json_string_value(json_object_get(v, "state"));

        for (unsigned k = 0; name && state && !strcmp(name, vm) && states[k]; k++)
            if (strcmp(state, states[k]) == 0)
                found = states[k];
    }
    json_decref(ps);
    return found;
}

const char *testbed_wait_vm(struct testbed *t, const char *vm, const char *const *states,
                            unsigned seconds, const char *cmd)
{
    struct timespec pause = {.tv_nsec = 100 * 1000000};

    for (unsigned tenths = 0; tenths < seconds * 10; tenths++) {
        bool err;
        const char *state = state_among(t, vm, states, cmd, &err);

        if (state || err)
            return state;
        if (tenths % 20 == 10)
            fprintf(stderr, "coopvmm %s: waiting for VM %s\n", cmd, vm);
        nanosleep(&pause, NULL);
    }
    cmd_fail(cmd, "VM %s is not %s after %u s", vm, states[0], seconds);
    return NULL;
}
