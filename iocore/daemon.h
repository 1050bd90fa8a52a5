/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The I/O-core process as a whole: its cores, ports, switch, and the VMs attached to it.
 *
 * Threads: everything here belongs to the control thread (the main lcore). `lock` is held while a
 * list or a VM's insides change, so that telemetry's threads can read them.
 */
#ifndef COOPVMM_IOCORE_DAEMON_H
#define COOPVMM_IOCORE_DAEMON_H

#include <pthread.h>
#include <stdio.h>

#include "../protocol/iotp_ctl.h"
#include "core.h"
#include "device.h"
#include "guestmem.h"
#include "port.h"
#include "source_iotp.h"
#include "source_vhost.h"
#include "source_xen.h"
#include "telemetry.h"

#define DAEMON_MAX_CORES 128
#define DAEMON_MAX_PORTS 64
#define DAEMON_MAX_VMS   1024
#define DAEMON_PORTS_MS  1000 /* how long ports wait for VMs */

/* One area of a VM: a source on one core, with its devices. */
struct vm_area {
    bool used;
    bool joined; /* its core serves it */
    struct ioc_core *core;
    struct ioc_source *src;
    unsigned nvcpus, ndevices;
    struct ioc_dev **dev;    /* [ndevices], the source's; NULL: no such device */
    struct src_stats *stats; /* [nvcpus], the source's */
    /* rings of IOTP's ... */
    uint8_t *base;
    uint64_t size;
    int kick_fd;
    struct iotp_ioc_area *iotp;
    struct src_iotp *rings;
    /* ... or an ioreq server of Xen's */
    struct xen_domain *xen;
};

struct vm_device {
    struct ioc_dev *dev;
    unsigned area;
    bool connected;
    uint8_t mac[6];
};

/* One connection, one VM. */
struct attached_vm {
    int sock;
    char name[IOTP_NAME_SIZE];
    uint32_t pid;
    uint64_t features;
    uint64_t since; /* TSC */
    bool greeted, running;
    struct guestmem mem;
    struct vm_area area[IOTP_MAX_AREAS];
    unsigned ndevs;
    struct vm_device dev[IOTP_MAX_DEVICES];
};

struct daemon {
    const struct cfg *cfg;
    uint64_t tsc_hz, started;
    struct sw *sw;
    struct rte_mempool *pool;
    unsigned ncores, nports;
    struct ioc_core *core[DAEMON_MAX_CORES];
    struct port *port[DAEMON_MAX_PORTS];
    struct ioc_core *port_core[DAEMON_MAX_PORTS]; /* whose it is */
    bool ports_polled;                            /* see ctl_loop */
    unsigned nvhosts;
    struct vhost_port *vhost[DAEMON_MAX_PORTS];
    int listen_fd, epfd;
    pthread_mutex_t lock;
    unsigned nvms;
    struct attached_vm *vm[DAEMON_MAX_VMS];
    int numa_nodes;
    bool hugepages, realtime, memory_locked, seccomp;
    struct tel_source tel;
};

/**
 * Serves control connections until stop_fd becomes readable.
 * The ports are polled only once all VMs of the configuration are attached, or after
 * DAEMON_PORTS_MS: until then frames wait in the ports' own queues. So after a restart no frame is
 * flooded into a switch that has no guests yet (an ARP request lost so is repeated a second later).
 * @return 0 or a negative errno
 */
int ctl_loop(struct daemon *d, int stop_fd);

/** One request of a VM's, already checked for form: carries it out and answers. @return 0, or a
 * negative errno if the connection is of no use any more */
int ctl_request(struct daemon *d, struct attached_vm *vm, struct iotp_msg *m);

/* What makes areas and gives them devices; ctl_area.c, ctl_domain.c. m is the VMM's message. */
int area_create(struct daemon *d, struct attached_vm *vm, struct iotp_msg *m);
int domain_create(struct daemon *d, struct attached_vm *vm, struct iotp_msg *m);
/** Takes descriptor i out of a message. */
int take_fd(struct iotp_msg *m, unsigned i);
/** Answers OK. */
int answer_ok(struct attached_vm *vm, uint32_t serial);
/** Before a VM's devices go, and after they went. */
void area_stop(struct vm_area *a);
void area_release(struct vm_area *a);

/** Lets the cores poll the ports from now on. Idempotent. */
void daemon_poll_ports(struct daemon *d);

/** Takes a VM's sources and devices off their cores. Idempotent. */
void vm_quiesce(struct daemon *d, struct attached_vm *vm);
/** Releases everything of a VM that is quiet. The struct stays the caller's. */
void vm_release(struct attached_vm *vm);

/** Fills d->tel and registers the endpoints. @return 0 or a negative errno */
int daemon_telemetry(struct daemon *d);

#endif
