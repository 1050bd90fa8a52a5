/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * coopvmm's endpoints on DPDK's telemetry socket (see eal_telemetry_path(); try them with
 * dpdk-telemetry.py -f coopvmm-<name>).
 *
 *   /coopvmm/info                   name, version, pid, tsc_hz, hugepages, realtime, seccomp, ...
 *   /coopvmm/cores[,FIRST]          I/O cores: CPU, idle strategy, busy, idle and sleeping time
 *   /coopvmm/vms[,FIRST]            attached VMs
 *   /coopvmm/slots,VM[,FIRST]       a VM's vCPUs: requests, posted writes, service times
 *   /coopvmm/slot,VM,VCPU           one vCPU with the buckets of its histograms
 *   /coopvmm/devices,VM[,FIRST]     a VM's devices: accesses by outcome, frames, interrupts
 *   /coopvmm/domains,VM[,FIRST]     a VM that Xen runs: its ioreq servers, one an I/O core;
 *                                   null of any other VM
 *   /coopvmm/ports[,FIRST]          ports of the switch: counters of struct sw_counters
 *   /coopvmm/vhosts[,FIRST]         ports of type vhost-user: front end, queues, frames, errors
 *   /coopvmm/macs[,FIRST]           the MAC table
 *
 * Lists: { "total": N, "first": F, "count": C, "items": { "F": {...}, "F+1": {...}, ... } }: a
 * reply holds at most 16 KiB (rte_telemetry), so it holds at most TEL_PAGE items; ask again with
 * FIRST = F + C until F + C = N. VM is the VM's name or its number in /coopvmm/vms. A wrong or
 * missing parameter is answered with null, as everywhere in DPDK.
 *
 * Times are nanoseconds. Of a histogram H ("wait", "service", "notify"), H_low_ns and H_n are
 * arrays of the same length: the lower bound and the number of values of each bucket that is not
 * empty; and H_p50_ns, H_p99_ns, H_p999_ns, H_max_ns, H_mean_ns are what one would guess.
 *
 * Threads: DPDK calls the endpoints from threads of its own, several at once. The source's
 * functions must allow that.
 */
#ifndef COOPVMM_IOCORE_TELEMETRY_H
#define COOPVMM_IOCORE_TELEMETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "hist.h"
#include "idle.h"
#include "switch.h"

#define TEL_NAME 64
#define TEL_PAGE 16

struct tel_info {
    char name[TEL_NAME]; /* of the testbed */
    uint64_t tsc_hz;
    uint64_t uptime_ms;
    uint32_t pid;
    uint32_t cores, vms, ports;
    bool hugepages, realtime, memory_locked, seccomp;
    int numa_nodes;
};

struct tel_core {
    char name[TEL_NAME];
    int cpu;
    int node;
    enum cfg_idle idle;
    struct idle_counters c;
    uint32_t areas, devices, ports; /* served by it */
};

struct tel_vm {
    char name[TEL_NAME];
    uint32_t pid;
    uint32_t vcpus, areas, devices;
    bool running;         /* between START and QUIESCE */
    uint64_t attached_ms; /* ago */
};

/* One vCPU in one area (a VM that uses two I/O cores has each vCPU twice). */
struct tel_slot {
    uint32_t vcpu;
    char core[TEL_NAME];
    uint64_t requests; /* synchronous ones completed */
    uint64_t posted;   /* posted writes carried out */
    uint64_t unclaimed, failed;
    /* TSC ticks; copies made with hist_read(). `wait`: from the VMM's stamp to when the I/O core
     * picked the request up; `service`: from then to the completion. */
    struct hist wait, service;
};

struct tel_device {
    char name[TEL_NAME];
    char model[TEL_NAME];
    char core[TEL_NAME];
    int sw_port; /* -1: not connected */
    uint64_t reads, writes, posted, strings, unclaimed, failed;
    uint64_t tx_frames, tx_bytes, tx_drops; /* guest to network */
    uint64_t rx_frames, rx_bytes, rx_drops;
    uint64_t tx_large, rx_large; /* of the frames: those still to be segmented */
    uint64_t irqs;               /* rising edges, and messages */
    uint64_t commits;
};

/* An ioreq server of Xen's. */
struct tel_domain {
    char core[TEL_NAME];
    uint32_t domid, server;
    bool spins;           /* Xen lets its vCPUs spin for answers */
    uint64_t notifies;    /* answers that took an event-channel notification */
    uint64_t unnotified;  /* answers a vCPU was spinning for */
    uint64_t upcalls;     /* event-channel interrupts taken */
    uint64_t invalidates; /* times Xen said that guest memory moved */
    uint64_t refused;     /* windows that Xen refused */
    /* foreign mappings of guest memory: see xen_mem.h */
    uint64_t mem_chunks, mem_maps, mem_evictions, mem_failures, mem_flushes;
    struct hist notify; /* TSC ticks a notification takes; a copy */
};

/* A port of type vhost-user. Its frames from the switch's point of view are among the ports. */
struct tel_vhost {
    char name[TEL_NAME];
    char core[TEL_NAME];
    int sw_port;
    uint32_t pid;                /* of the front end; 0: none is connected, or it cannot be told */
    uint64_t features, protocol; /* what the front end chose; bits as in VIRTIO and vhost-user */
    uint32_t max_pairs, pairs;   /* queue pairs: of the port, in use */
    uint32_t queues, broken;     /* that run; that broke: the driver did what none may */
    uint64_t tx_frames;          /* guest to network */
    uint64_t rx_frames, rx_drops;
    uint64_t kicks; /* times the driver woke the core, or kept it from sleeping */
    uint64_t calls; /* interrupts */
    uint64_t connects;
    /* errors: one too many connected; messages that are none; that ask for what cannot be; front
     * ends sent away for what could not be done or answered */
    uint64_t turned_away, malformed, refused, failed;
};

/*
 * Where the figures come from. Each function fills *out for the i-th object and returns 0, or
 * -ENOENT past the end; *total is set in both cases. `vm` is what the asker gave.
 */
struct tel_source {
    void *ctx;
    void (*info)(void *ctx, struct tel_info *out);
    int (*core)(void *ctx, unsigned i, struct tel_core *out, unsigned *total);
    int (*vm)(void *ctx, unsigned i, struct tel_vm *out, unsigned *total);
    int (*slot)(void *ctx, const char *vm, unsigned i, struct tel_slot *out, unsigned *total);
    int (*device)(void *ctx, const char *vm, unsigned i, struct tel_device *out, unsigned *total);
    int (*domain)(void *ctx, const char *vm, unsigned i, struct tel_domain *out, unsigned *total);
    int (*vhost)(void *ctx, unsigned i, struct tel_vhost *out, unsigned *total);
    struct sw *sw; /* ports and macs; NULL: none */
};

/**
 * Registers the endpoints. DPDK cannot take them back, so the source (not copied) must live as
 * long as EAL does; a second call changes the source (NULL: all answers are null).
 * @return 0; -ENOMEM, -EINVAL
 */
int telemetry_register(const struct tel_source *s);

#endif
