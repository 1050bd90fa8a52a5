/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A small device model on Xen's own libraries: ioreq servers of one domain with one vCPU, polled or
 * slept on. It is here to test and measure the hypervisor, so it can be slow or wrong on purpose.
 *
 * One thread. Errors end the process: there is nothing to go on with.
 */
#ifndef COOPVMM_XEN_TESTS_DM_H
#define COOPVMM_XEN_TESTS_DM_H

#include <stdbool.h>
#include <stdint.h>

#include <xendevicemodel.h>
#include <xenevtchn.h>
#include <xenforeignmemory.h>

#include <xen/hvm/ioreq.h>

#define IOREQSRV_SPIN 0x80 /* of handle_bufioreq; see xen/patches */

struct dm {
    domid_t domid;
    xendevicemodel_handle *dmod;
    xenforeignmemory_handle *fmem;
    xenevtchn_handle *evtchn;
};

struct server {
    struct dm *dm;
    ioservid_t id;
    bool spin;
    ioreq_t *slot; /* of vCPU 0 */
    int port;      /* of the event channel, this side's */

    uint64_t requests;
    uint64_t notified;   /* answers that Xen was told of by an event */
    uint64_t unnotified; /* answers that the vCPU was polling for */

    /**
     * Carries a request out.
     * @param r a copy of the slot
     * @return what a read gives
     */
    uint64_t (*serve)(struct server *s, const ioreq_t *r);
    uint8_t answer_state; /* 0: IORESP_READY as it should be; else this, once */
};

void dm_open(struct dm *dm, domid_t domid);

/**
 * Creates a server, maps its page, enables it.
 * @return 0; -EINVAL: this Xen does not know `spin`
 */
int dm_add_server(struct dm *dm, struct server *s, bool spin);
void dm_add_ports(struct server *s, uint64_t first, uint64_t count);
void dm_add_memory(struct server *s, uint64_t first, uint64_t bytes);

/** Serves at most one request. @return whether there was one */
bool dm_poll(struct server *s);
/** Waits for an event of any server; at most so long. */
void dm_sleep(struct dm *dm, unsigned milliseconds);

/** Copies from or to guest memory, which is mapped for it and unmapped again. */
void dm_copy(struct dm *dm, uint64_t gpa, void *data, uint32_t len, bool to_guest);

uint64_t dm_now(void); /* nanoseconds */
void dm_fail(const char *what) __attribute__((noreturn));

#endif
