/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a device model may ask Xen for, about one domain: ioreq servers, ranges, interrupts, event
 * channels, guest memory. A thin layer over Xen's libraries, with negative errno for errors.
 *
 * The handles are restricted to their domain as soon as they are open (xendevicemodel_restrict and
 * its sisters): whoever gets hold of this process may molest the domains it serves, no others.
 *
 * Traps that Xen 4.17 sets (all of them seen): a server must not be enabled before its page is
 * mapped, nor an ISA line be set in a PVH domain: the *host* goes down. get_ioreq_server_info is
 * never used: after it the page can no longer be mapped as a resource.
 *
 * Threads: one at a time per domain.
 */
#ifndef COOPVMM_IOCORE_XEN_DM_H
#define COOPVMM_IOCORE_XEN_DM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ioreq;  /* xen/hvm/ioreq.h */
struct xen_dm; /* one domain */

#define XEN_DM_PAGE 4096u

/**
 * Opens the handles and restricts them.
 * @param why what cannot be done and what to do
 * @return 0; -ENODEV: this is no dom0, -EACCES, -EPERM, another negative errno
 */
int xen_dm_open(uint16_t domid, struct xen_dm **out, const char **why);
void xen_dm_close(struct xen_dm *m);
/** Opens and closes the handles of no domain: brings the libraries' lazy parts in while files may
 * be opened. @return as xen_dm_open */
int xen_dm_probe(const char **why);

/** vCPUs the domain has at most. @return negative errno: there is no such domain */
int xen_dm_vcpus(struct xen_dm *m);

/**
 * Makes an ioreq server without buffered requests.
 * @param spin in: ask for completions without a wake-up; out: Xen can (xen/patches)
 */
int xen_dm_create_server(struct xen_dm *m, bool *spin, uint16_t *id);
/** Maps its page of requests, one a vCPU. Released by xen_dm_close. */
int xen_dm_map_requests(struct xen_dm *m, uint16_t id, struct ioreq **page);
int xen_dm_enable(struct xen_dm *m, uint16_t id, bool enable);
int xen_dm_destroy_server(struct xen_dm *m, uint16_t id);

/**
 * A range of ports or addresses that is (no longer) the server's.
 * @return 0; -EEXIST: this server has some of it; -ENOSPC; another negative errno
 */
int xen_dm_range(struct xen_dm *m, uint16_t id, bool ports, uint64_t base, uint64_t size, bool map);
/** The configuration space of device `slot` on bus 0. */
int xen_dm_config(struct xen_dm *m, uint16_t id, unsigned slot, bool map);

/** INTA# of device `slot` on bus 0. Only of an HVM domain. */
int xen_dm_intx(struct xen_dm *m, unsigned slot, bool level);
/** An ISA line. Only of an HVM domain. */
int xen_dm_isa_irq(struct xen_dm *m, unsigned irq, bool level);
int xen_dm_msi(struct xen_dm *m, uint64_t addr, uint32_t data);

/** @return this side's port, which signals once, then is masked until xen_dm_unmask; or -errno */
int xen_dm_bind(struct xen_dm *m, uint32_t remote_port);
void xen_dm_notify(struct xen_dm *m, int port);
/** Readable when an unmasked port was signalled. */
int xen_dm_event_fd(const struct xen_dm *m);
/** Takes one signalled port, which is masked from then on. @return it; -EAGAIN: none */
int xen_dm_take_event(struct xen_dm *m);
void xen_dm_unmask(struct xen_dm *m, int port);

/**
 * Maps n pages of the guest, from frame gfn on, one after another.
 * @param err per page: 0, or why it is not there (it must not be touched then)
 * @return NULL: none of it can be mapped
 */
void *xen_dm_map_guest(struct xen_dm *m, uint64_t gfn, unsigned n, int *err);
void xen_dm_unmap_guest(struct xen_dm *m, void *at, unsigned n);

#endif
