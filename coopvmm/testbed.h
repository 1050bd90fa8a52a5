/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A running testbed as the commands see it: found by name, asked over its control socket. Whatever
 * goes wrong is reported on standard error, with the command's name `cmd` before it, where a
 * function takes one.
 */
#ifndef COOPVMM_TESTBED_H
#define COOPVMM_TESTBED_H

#include <jansson.h>

#include "rundir.h"
#include "snapshot.h"

#define TESTBED_ASK_MS 3000

struct testbed {
    struct rundir_ref ref;
    int ctl; /* the control socket, connected */
};

/** Finds a testbed (name NULL: the only one) and connects. @return 0 or a negative errno, reported
 */
int testbed_open(struct testbed *t, const char *name, const char *cmd);
void testbed_close(struct testbed *t);
/** Asks; releases `request`. @return the answer, NULL: reported */
json_t *testbed_ask(struct testbed *t, json_t *request, const char *cmd);
/**
 * A snapshot of a testbed's I/O cores.
 * @param what SNAPSHOT_* bits
 * @param why receives, if there is none, what is wrong
 * @return NULL: the I/O-core process does not answer
 */
json_t *testbed_snapshot(const struct rundir_ref *ref, unsigned what, char why[RUNDIR_WHY]);
/** {"verb": verb} */
json_t *testbed_verb(const char *verb);
/** {"verb": verb, "vm": vm} */
json_t *testbed_vm_verb(const char *verb, const char *vm);
/**
 * Waits until a VM is in one of some states, as `ps` calls them; says now and then that it does.
 * @param states NULL-terminated
 * @param seconds how long
 * @return the state it is in; NULL: reported
 */
const char *testbed_wait_vm(struct testbed *t, const char *vm, const char *const *states,
                            unsigned seconds, const char *cmd);

#endif
