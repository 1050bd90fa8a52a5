/* SPDX-License-Identifier: BSD-3-Clause */
/* The machine a benchmark ran on, and which two of its CPUs it uses. */
#ifndef COOPVMM_BENCH_HOST_H
#define COOPVMM_BENCH_HOST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define HOST_TEXT 128

struct host {
    char cpu[HOST_TEXT];    /* "AMD EPYC" */
    char kernel[HOST_TEXT]; /* "Linux 6.1.0-56-amd64" */
    bool virtualised;
    char hypervisor[16]; /* CPUID's signature, "KVMKVMKVM"; empty if not virtualised */
    unsigned cpus;       /* online */
};

void host_read(struct host *h);
/** "AMD EPYC, 2 CPUs, Linux 6.1.0, virtualised (KVMKVMKVM)" */
void host_line(const struct host *h, char *text, size_t size);

/** Time of all CPUs in clock ticks since boot, from /proc/stat: `stolen` was given by the
 * hypervisor to others while a CPU of ours wanted to run. */
struct host_time {
    uint64_t total, stolen;
};
void host_time_read(struct host_time *t);
/** Which part of the time between the two was stolen: 0 to 1. */
double host_stolen(const struct host_time *before, const struct host_time *after);

/* Two CPUs and how they lie to each other. */
struct host_pair {
    int cpu, iocpu;
    bool same_llc, siblings;
};

/**
 * Chooses what is left open (-1): two CPUs that share a last-level cache and no core, isolated ones
 * first, as an operator would place a vCPU and its I/O core.
 * @return 0; -EINVAL: a CPU is not there, or there are not two (said on `err`)
 */
int host_choose(int cpu, int iocpu, struct host_pair *out, FILE *err);

/** Pins the calling thread. @return 0 or a negative errno */
int host_pin(int cpu);

#endif
