/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * `coopvmm bench echo`: UDP echo against a guest, at a given rate or in search of the highest rate
 * without loss. One thread; sends on a schedule, receives in between, and sleeps for the rest, so
 * that it takes little time from vCPUs it may share a CPU with.
 */
#ifndef COOPVMM_BENCH_ECHO_H
#define COOPVMM_BENCH_ECHO_H

#include <stdint.h>

#define ECHO_MAX_SIZE 1472 /* bytes of UDP payload in an unfragmented frame of 1500 */
#define ECHO_MIN_SIZE 16   /* sequence number and time stamp */

/* One run. */
struct echo_run {
    uint32_t rate;   /* frames a second */
    uint32_t size;   /* bytes of UDP payload */
    uint64_t frames; /* to send */
    uint64_t sent, received, duplicates;
    uint64_t min_ns, p50_ns, p99_ns, p999_ns, max_ns; /* round trips */
};

/**
 * Runs it on a connected UDP socket. Waits up to 500 ms for stragglers.
 * @param progress a line on standard error each second
 * @return 0; a negative errno
 */
int echo_run(int sock, struct echo_run *r, int progress);

/** The subcommand: argv[0] is "echo". @return enum cmd_exit */
int bench_echo(int argc, char **argv);

#endif
