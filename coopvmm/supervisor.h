/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The supervisor: what `coopvmm run` is. It starts the I/O-core process and, once that serves, the
 * VMs; keeps their output; starts a killed I/O-core process again; reports VMs that end; answers
 * the control socket; and stops everything in order.
 *
 *   coopvmm-iocored --config FILE --rundir DIR --cores 1,2 --ready-fd 3
 *   coopvmm-vm --config FILE --rundir DIR --vm NAME --cores 0,3 --node 0 --ready-fd 3
 *
 * --cores are the planned CPUs, in the order of the config's I/O cores or of the VM's vCPUs. A
 * child writes "ready\n" to the ready descriptor when it serves, or when its guest runs.
 *
 * Threads: one, and it must live as long as the children shall (see child.h).
 */
#ifndef COOPVMM_SUPERVISOR_H
#define COOPVMM_SUPERVISOR_H

#include <stdbool.h>

#include "../config/config.h"

#define SUPERVISOR_STOP_MS  5000  /* from SIGTERM to SIGKILL */
#define SUPERVISOR_START_MS 60000 /* a child that is not ready by then has failed */
/* The same for a VM of engine xen: xl makes one domain at a time, and ends QEMU in its own time. */
#define SUPERVISOR_DOMAIN_STOP_MS  30000
#define SUPERVISOR_DOMAIN_START_MS 600000

struct supervisor_opts {
    bool keep;    /* go on when all VMs are over */
    bool quiet;   /* do not show what children print, nor progress */
    bool unshare; /* in a network namespace of its own (netns.h) */
};

/**
 * Runs a testbed until it is over. The config is planned (no CFG_ANY left) and outlives the call.
 * Takes over the process: SIGINT, SIGTERM, SIGHUP and SIGPIPE, the CPU affinity, and with `unshare`
 * its namespaces.
 * @return CMD_OK: each guest ended with status 0 or was stopped; CMD_FAILED; CMD_CONFIG
 */
int supervisor_run(const struct cfg *cfg, const struct supervisor_opts *opts);

#endif
