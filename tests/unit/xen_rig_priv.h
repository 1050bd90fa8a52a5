/* SPDX-License-Identifier: BSD-3-Clause */
/* Between the parts of the simulated hypervisor (xen_rig.h). */
#ifndef COOPVMM_TESTS_XEN_RIG_PRIV_H
#define COOPVMM_TESTS_XEN_RIG_PRIV_H

#include "xen_rig.h"

#define XR_REMOTE_PORT 100 /* Xen's side of vCPU 0's event channel */

/* A library's handle; there is one of each kind. */
struct xr_handle {
    bool open;
    int domid; /* -1: not restricted */
};

/** Ends the program: what the I/O core did would take a host down, or the rig cannot go on. */
__attribute__((noreturn, format(printf, 1, 2))) void xr_host_down(const char *fmt, ...);

/** Sets errno. @return -1 */
int xr_refuse(int err);
/** Begins a call of a library. @return false: it fails, errno is set */
bool xr_enter(const char *name);
/** The same for an operation on a domain. */
bool xr_operate(const char *name, const struct xr_handle *h, unsigned domid);
/** Ends it. @return result */
int xr_leave(int result);
bool xr_open_handle(const char *name, struct xr_handle *h);
int xr_restrict_handle(const char *name, struct xr_handle *h, unsigned domid);
/** Is the process dead whose destructors run? */
bool xr_is_dead(void);

void xr_happened(char kind, uint64_t at);
void *xr_map_all(int fd, size_t size);

/* xen_rig_mem.c; is the page of requests mapped? */
extern int xr_page_fd;
extern bool xr_page_is_mapped;
void xr_memory_on(void);
void xr_memory_off(void);

/* What each part has of the process: how much, and away with it. */
unsigned xr_left_dm(void);
unsigned xr_left_events(void);
unsigned xr_left_memory(void);
void xr_reap_dm(void);
void xr_reap_events(void);
void xr_reap_memory(void);

#endif
