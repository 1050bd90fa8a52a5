/* SPDX-License-Identifier: BSD-3-Clause */
/* libxenevtchn: an event channel a vCPU. */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <xenevtchn.h>

#include "xen_rig_priv.h"

struct xenevtchn_handle {
    struct xr_handle h;
};
struct port {
    bool bound, masked, pending;
};
static struct xenevtchn_handle evtchn;
static struct port port[XR_VCPUS];
static int local_port = 1000; /* of vCPU 0; no two processes have the same */
static int event_fd = -1;

unsigned xr_left_events(void)
{
    return evtchn.h.open;
}

void xr_reap_events(void)
{
    evtchn.h.open = false;
    if (event_fd >= 0)
        close(event_fd);
    event_fd = -1;
    memset(port, 0, sizeof(port));
    local_port += XR_VCPUS;
}

/* The descriptor is readable while a port that is not masked was signalled. */
static void update_event_fd(void)
{
    uint64_t n = 0;

    if (event_fd < 0 || (read(event_fd, &n, sizeof(n)) < 0 && errno != EAGAIN))
        return;
    n = 0;
    for (unsigned v = 0; v < XR_VCPUS; v++)
        n += port[v].bound && port[v].pending && !port[v].masked;
    if (n && write(event_fd, &n, sizeof(n)) < 0)
        xr_host_down("rig: event: %s", strerror(errno));
}

void xr_ring(unsigned v)
{
    port[v].pending = true;
    update_event_fd();
}

xenevtchn_handle *xenevtchn_open(struct xentoollog_logger *logger, unsigned flags)
{
    (void)logger, (void)flags;
    if (!xr_open_handle("xenevtchn_open", &evtchn.h))
        return NULL;
    event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return &evtchn;
}

int xenevtchn_close(xenevtchn_handle *e)
{
    (void)e;
    xr_reap_events();
    return 0;
}

int xenevtchn_restrict(xenevtchn_handle *e, domid_t domid)
{
    return xr_restrict_handle("xenevtchn_restrict", &e->h, domid);
}

int xenevtchn_fd(xenevtchn_handle *e)
{
    (void)e;
    return event_fd;
}

xenevtchn_port_or_error_t xenevtchn_bind_interdomain(xenevtchn_handle *e, uint32_t domid,
                                                     evtchn_port_t remote)
{
    unsigned v = remote - XR_REMOTE_PORT;

    if (!xr_operate("xenevtchn_bind_interdomain", &e->h, domid))
        return -1;
    if (!xr.enabled || v >= xr.nvcpus || port[v].bound)
        return xr_refuse(EINVAL);
    port[v] = (struct port){.bound = true, .pending = true}; /* a new one is signalled once */
    update_event_fd();
    return xr_leave(local_port + (int)v);
}

static struct port *port_at(evtchn_port_t local, unsigned *v)
{
    *v = local - (unsigned)local_port;
    if (*v >= XR_VCPUS || !port[*v].bound)
        xr_host_down("event channel %u is not bound", local);
    return &port[*v];
}

/* A vCPU that is woken without an answer goes to sleep again. */
int xenevtchn_notify(xenevtchn_handle *e, evtchn_port_t local)
{
    unsigned v;

    if (!xr_operate("xenevtchn_notify", &e->h, XR_DOMID))
        return -1;
    port_at(local, &v);
    xr.notified[v]++;
    xr.woken[v] |= xr_slot[v].state == STATE_IORESP_READY;
    xr_happened('N', v);
    return xr_leave(0);
}

xenevtchn_port_or_error_t xenevtchn_pending(xenevtchn_handle *e)
{
    if (!xr_operate("xenevtchn_pending", &e->h, XR_DOMID))
        return -1;
    for (unsigned v = 0; v < XR_VCPUS; v++)
        if (port[v].bound && port[v].pending && !port[v].masked) {
            port[v].pending = false;
            port[v].masked = true;
            update_event_fd();
            return xr_leave(local_port + (int)v);
        }
    return xr_refuse(EAGAIN);
}

int xenevtchn_unmask(xenevtchn_handle *e, evtchn_port_t local)
{
    unsigned v;

    if (!xr_operate("xenevtchn_unmask", &e->h, XR_DOMID))
        return -1;
    port_at(local, &v)->masked = false;
    update_event_fd();
    return xr_leave(0);
}
