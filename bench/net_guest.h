/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of part "guests" of coopvmm bench net know of each other.
 *   net_guest.c        the part: models, systems, rounds, figures
 *   net_guest_run.c    a Linux guest with one NIC, on coopvmm or on QEMU
 *   net_guest_load.c   what it is put through, and the time that takes
 *   net_guest_count.c  what the machine did for it: CPU time, exits
 *
 * The guest is a stock kernel with an initramfs of stock tools whose init takes `net=DRIVER,...`
 * and `addr=A/LEN` and runs what it is sent on TCP port 7000 (tests/testbed/guest-init).
 *
 * Threads: one.
 */
#ifndef COOPVMM_BENCH_NET_GUEST_H
#define COOPVMM_BENCH_NET_GUEST_H

#include <stdint.h>
#include <stdio.h>

#include "bed.h"
#include "net.h"

/* Who emulates the NIC, and where. */
enum net_system {
    NET_QEMU,       /* QEMU's model, on its main thread */
    NET_QEMU_VHOST, /* virtio-net in the host's kernel: the best QEMU has */
    NET_IOCORE,     /* ours, on an I/O core */
    NET_INLINE,     /* ours, on the vCPU's thread */
    NET_BLOCKING,   /* ours, on a thread that is woken */
    NET_SYSTEMS
};

struct net_model {
    const char *name;    /* ours */
    const char *qemu;    /* QEMU's name of the same NIC */
    const char *modules; /* the guest's drivers, in the order of loading */
};

/* Three CPUs, if there are as many; the machine's own work shares the vCPU's if not. */
struct net_cpus {
    int vcpu, io, rest;
};

/* --- a guest --- */

#define NET_GUEST_PORT 7000

struct net_guest {
    enum net_system system;
    const struct net_model *model;
    struct bed bed;
    char dir[64];     /* of its files */
    char tap[16];     /* the host's side */
    uint32_t address; /* the guest's, in host byte order */
};

/**
 * Starts it and waits until its init is ready.
 * @param number of the guest, 0 to 200: no two have the same network
 * @return 0; a negative errno (said on `err`, with what it printed), -EINTR: the guard stopped
 */
int net_guest_start(struct guard *g, const struct net_options *o, const struct net_cpus *cpus,
                    unsigned number, struct net_guest *n, FILE *err);
/** Ends it; harmless if it was not started. Nothing is left. */
void net_guest_end(struct net_guest *n);

/* --- loads --- */

struct net_pings {
    double p50_us, p99_us;
};

/** Round trips of pings, each sent when the last one was answered. @return 0; a negative errno */
int net_load_ping(const struct net_guest *n, unsigned count, struct net_pings *out);
/** One byte there and back through one TCP connection, again and again. @param per_s a second */
int net_load_rr(const struct net_guest *n, double seconds, uint64_t *count, double *per_s);
/** A TCP connection as fast as it goes. @param bytes how many, in `took` seconds */
int net_load_to(const struct net_guest *n, double seconds, uint64_t *bytes, double *took);
int net_load_from(const struct net_guest *n, double seconds, uint64_t *bytes, double *took);
/** The guest sends frames of 60 bytes from its kernel (pktgen). @return -ENOTSUP: it has none */
int net_load_tx(const struct net_guest *n, double seconds, uint64_t *frames, double *per_s);

/* --- counters --- */

struct net_count {
    double cpu_s; /* of the VM, its I/O core, QEMU, vhost's kernel threads; user and system */
    /* KVM's; 0 if it does not tell (debugfs) */
    uint64_t exits;    /* of all kinds: timers, interrupts, HLT, accesses */
    uint64_t accesses; /* of them accesses to ports and device memory, but for ioeventfds */
};

/** What the guest's processes have used so far. */
void net_count_read(const struct net_guest *n, struct net_count *out);
/** Does KVM tell how many exits there were? */
bool net_count_exits(void);
/** Calls fn for the process and all it started, and kernel threads that work for them. */
void net_count_family(pid_t pid, void (*fn)(pid_t pid, void *ctx), void *ctx);

#endif
