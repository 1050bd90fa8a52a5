/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Xen as a device model meets it: the functions of Xen's libraries that iocore/xen_dm.c calls, over
 * a small simulated hypervisor with one domain (xen_rig.c), and the I/O core's side of such a
 * domain with real device models (xen_ioc.c). Everything runs in the caller's thread.
 *
 * What would take the host down, or must never be asked, ends the test program: enabling a server
 * whose page is not mapped, a line of a domain that has none, a handle that was not restricted.
 * Foreign mappings are mappings: what was unmapped faults, and so do pages that are not there and
 * whatever lies beside a mapping.
 */
#ifndef COOPVMM_TESTS_XEN_RIG_H
#define COOPVMM_TESTS_XEN_RIG_H

#include <stdbool.h>
#include <stdint.h>

#include <xen/hvm/ioreq.h>

#include "../../iocore/xen_domain.h"

#define XR_DOMID      7
#define XR_VCPUS      4     /* at most */
#define XR_PAGES      20480 /* of guest memory, from frame 0 on */
#define XR_PAGE       4096u
#define XR_MAX_RANGES 256 /* a server, as Xen */
#define XR_MAX_EVENTS 512
#define XR_MAX_DEVS   4

/* Something that happened, and how far vCPU 0's request was by then. */
struct xr_event {
    char kind; /* 'M' map, 'U' unmap, 'N' notify, 'R' raise, 'L' lower, 'I' MSI */
    uint8_t state;
    uint64_t at; /* first address; vCPU; line; address */
};

struct xr_range {
    bool ports;
    uint64_t first, last;
};

/* The hypervisor. All of it outlives an I/O-core process; a copy is a snapshot. */
struct xr {
    unsigned nvcpus;
    bool lines;       /* an HVM domain: it has interrupt lines */
    bool patched;     /* Xen lets vCPUs spin */
    bool gone;        /* the domain was destroyed */
    unsigned servers; /* that others have made, of eight */
    /* the server */
    bool made, enabled, spin;
    uint16_t id;
    uint32_t slots; /* bit i: 00:i.0 */
    unsigned nranges;
    struct xr_range range[XR_MAX_RANGES];
    /* what the guest sees */
    bool woken[XR_VCPUS]; /* it was told of its answer */
    bool intx[32], isa[16];
    unsigned nmsi;
    uint64_t msi_addr;
    uint32_t msi_data;
    /* what happened */
    unsigned created, destroyed, maps, unmaps, notified[XR_VCPUS];
    unsigned nevents;
    struct xr_event event[XR_MAX_EVENTS];
};
extern struct xr xr;
extern struct ioreq *xr_slot; /* the page of requests, as Xen sees it */
extern uint8_t *xr_mem;       /* guest memory, by XR_PAGE * where a frame is (xr_page) */

/** A new domain, with all of its memory and no server. Ends the program if that cannot be. */
void xr_power_on(unsigned nvcpus, bool lines);
/** Everything goes. @return mappings and handles of the I/O core's that were left open */
unsigned xr_power_off(void);

/* --- the guest's memory --- */
#define XR_HOLE UINT32_MAX
/** Frame gfn becomes page `page` of xr_mem, or a hole. What is mapped already stays as it is. */
void xr_page(uint64_t gfn, uint32_t page);
/** Foreign mappings that exist now. */
unsigned xr_windows(void);
/** The lowest address and the length of the n-th of them. */
void *xr_window(unsigned n, uint64_t *len);

/* --- the guest's requests --- */
/** Would Xen send this request to the server? */
bool xr_is_ours(const struct ioreq *r);
/** vCPU v asks. It must not be waiting for an answer already. */
void xr_post(unsigned v, const struct ioreq *r);
/** Xen gives up spinning for vCPU v: from now on it must be notified. */
void xr_stop_spinning(unsigned v);
/** Would the vCPU go on? The answer is there, and it was woken or sees it by itself. */
bool xr_is_answered(unsigned v);
/** It goes on. @return what a read gave */
uint64_t xr_take(unsigned v);
/** An event without a request: somebody rings vCPU v's port. */
void xr_ring(unsigned v);

/* --- making trouble --- */
/** The n-th call from now on (1: the next one) of the library function with this name fails. */
void xr_fail(const char *name, unsigned n, int err);
/** Called before and after each call to a library: may not return (death of a process). */
extern void (*xr_hook)(void);
/** Calls of a dead process do nothing, from here to xr_reap. */
void xr_kill(void);
/** What the kernel does after a process: closes its handles, unmaps its mappings. */
void xr_reap(void);

/* --- the I/O core's side (xen_ioc.c) --- */

/* A process; what it leaves behind is in xr_note_fd and xr_state_fd. */
struct xr_ioc {
    struct ioc_core core;
    struct xen_domain *x;
    struct ioc_dev *dev[XR_MAX_DEVS]; /* NULL: none */
};
extern int xr_note_fd;               /* the notebook */
extern int xr_state_fd[XR_MAX_DEVS]; /* a device's state; -1: none yet */

/** Opens the domain. @return what xen_domain_open said */
int xr_open(struct xr_ioc *i, uint32_t flags, const char **why);
/** Adds device n, with the state it left behind if it was there before, as ctl_request.c does. */
int xr_add(struct xr_ioc *i, unsigned n, const struct iotp_device *q, const char **why);
/** Enables the server if it is not; the core takes the domain. */
int xr_start(struct xr_ioc *i, const char **why);
/** The core lets it go again. */
void xr_quiesce(struct xr_ioc *i);
unsigned xr_poll(struct xr_ioc *i);
/** In good order. */
void xr_close(struct xr_ioc *i);
/** The process is gone, whatever it was doing; the memory it had here is freed. */
void xr_die(struct xr_ioc *i);

/* Devices as a configuration would have them. */
struct iotp_device xr_ne2000(uint16_t io_base, uint64_t mmio_base, uint8_t irq);
struct iotp_device xr_rtl8029(uint8_t slot);

/** Posts a request of vCPU 0's and polls once, if Xen would send it. @return what a read gives;
 * reads that are not sent give all ones */
uint64_t xr_access(struct xr_ioc *i, const struct ioreq *r);

/* Requests. */
static inline struct ioreq xr_req(unsigned type, bool read, uint64_t addr, unsigned size)
{
    return (struct ioreq){.addr = addr,
                          .count = 1,
                          .size = size,
                          .dir = read ? IOREQ_READ : IOREQ_WRITE,
                          .type = (uint8_t)type};
}
/** `count` elements between a register and memory at gpa, as Xen packs rep ins and the like. */
static inline struct ioreq xr_rep(unsigned type, bool read, uint64_t addr, unsigned size,
                                  uint64_t gpa, uint32_t count)
{
    struct ioreq r = xr_req(type, read, addr, size);

    r.data = gpa;
    r.count = count;
    r.data_is_ptr = 1;
    return r;
}
static inline uint64_t xr_read(struct xr_ioc *i, unsigned type, uint64_t addr, unsigned size)
{
    struct ioreq r = xr_req(type, true, addr, size);

    return xr_access(i, &r);
}
static inline void xr_write(struct xr_ioc *i, unsigned type, uint64_t addr, unsigned size,
                            uint64_t value)
{
    struct ioreq r = xr_req(type, false, addr, size);

    r.data = value;
    xr_access(i, &r);
}
static inline uint8_t xr_inb(struct xr_ioc *i, unsigned port)
{
    return (uint8_t)xr_read(i, IOREQ_TYPE_PIO, port, 1);
}
static inline void xr_outb(struct xr_ioc *i, unsigned port, uint8_t value)
{
    xr_write(i, IOREQ_TYPE_PIO, port, 1, value);
}
/** The address of a register of 00:slot.0's configuration space. */
static inline uint64_t xr_bdf(unsigned slot, unsigned reg)
{
    return (uint64_t)slot << 35 | reg;
}

/** Remote DMA of an NE2000 at `base`: CR command 0x12 writes, 0x0a reads. */
void xr_dma(struct xr_ioc *i, unsigned base, uint8_t command, unsigned addr, unsigned len);

#endif
