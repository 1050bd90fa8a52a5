/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All of an I/O-core process's figures at one time, as one JSON document of the shape
 *
 *   {"at_ns": T, "info": {...}, "cores": [...], "ports": [...], "vhosts": [...], "macs": [...],
 *    "vms": [{..., "slots": [...], "devices": [...]}, ...]}
 *
 * where the objects are those of the telemetry endpoints (iocore/telemetry.h): counters since the
 * process started, times in nanoseconds. at_ns is CLOCK_MONOTONIC.
 */
#ifndef COOPVMM_SNAPSHOT_H
#define COOPVMM_SNAPSHOT_H

#include <jansson.h>

#include "telclient.h"

#define SNAPSHOT_MACS    1u /* the switch's addresses too; else "macs" is left out */
#define SNAPSHOT_BUCKETS 2u /* slots with the buckets of their histograms */

/**
 * Takes one over an open connection. A VM that detaches meanwhile is left out.
 * @return 0 and *out; errors as telclient_ask
 */
int snapshot_take(struct telclient *t, unsigned what, json_t **out);

#endif
