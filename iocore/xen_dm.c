/* SPDX-License-Identifier: BSD-3-Clause */
#define __XEN_TOOLS__ 1 /* xen/hvm/hvm_op.h: what only tool stacks and device models ask for */
#include "xen_dm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <xendevicemodel.h>
#include <xenevtchn.h>
#include <xenforeignmemory.h>

#include <xen/hvm/hvm_op.h>
#include <xen/hvm/ioreq.h>
#include <xen/memory.h>

/* Bit of handle_bufioreq: the vCPU spins for its answer (xen/patches). Stock Xen says EINVAL. */
#define IOREQSRV_SPIN 0x80

struct xen_dm {
    uint16_t domid;
    xendevicemodel_handle *dmod;
    xenforeignmemory_handle *fmem;
    xenevtchn_handle *evtchn;
    xenforeignmemory_resource_handle *requests;
};

/* The libraries say -1 and errno. */
static int result(int rc)
{
    return rc < 0 ? -(errno ? errno : EIO) : rc;
}

static int open_handles(struct xen_dm *m)
{
    int err;

    m->dmod = xendevicemodel_open(NULL, 0);
    if (m->dmod)
        m->fmem = xenforeignmemory_open(NULL, 0);
    if (m->fmem)
        m->evtchn = xenevtchn_open(NULL, 0);
    if (m->evtchn)
        return 0;
    err = errno ? errno : EIO;
    return err == ENOENT || err == ENXIO ? -ENODEV : -err;
}

static int restrict_handles(struct xen_dm *m)
{
    if (xendevicemodel_restrict(m->dmod, m->domid) ||
        xenforeignmemory_restrict(m->fmem, m->domid) || xenevtchn_restrict(m->evtchn, m->domid))
        return -(errno ? errno : EIO);
    return fcntl(xenevtchn_fd(m->evtchn), F_SETFL, O_NONBLOCK) ? -errno : 0;
}

static const char *why_not_open(int err)
{
    switch (err) {
    case -ENODEV:
        return "there is no Xen here: /dev/xen/privcmd is missing; is this dom0, and are the "
               "modules xen-privcmd and xen-evtchn loaded?";
    case -EACCES:
    case -EPERM:
        return "/dev/xen/privcmd or /dev/xen/evtchn may not be opened: run the I/O cores as root, "
               "or give daemon.user access to both";
    default: return "Xen's devices /dev/xen/privcmd and /dev/xen/evtchn cannot be opened";
    }
}

int xen_dm_open(uint16_t domid, struct xen_dm **out, const char **why)
{
    struct xen_dm *m = calloc(1, sizeof(*m));
    int err;

    if (!m)
        return -ENOMEM;
    m->domid = domid;
    err = open_handles(m);
    if (err) {
        *why = why_not_open(err);
    } else {
        err = restrict_handles(m);
        *why = "Xen's handles cannot be restricted to the domain: Linux 4.14 and Xen 4.11 can";
    }
    if (err) {
        xen_dm_close(m);
        return err;
    }
    *out = m;
    return 0;
}

void xen_dm_close(struct xen_dm *m)
{
    if (m->requests)
        xenforeignmemory_unmap_resource(m->fmem, m->requests);
    if (m->evtchn)
        xenevtchn_close(m->evtchn);
    if (m->fmem)
        xenforeignmemory_close(m->fmem);
    if (m->dmod)
        xendevicemodel_close(m->dmod);
    free(m);
}

int xen_dm_probe(const char **why)
{
    struct xen_dm *m = calloc(1, sizeof(*m));
    int err;

    if (!m)
        return -ENOMEM;
    err = open_handles(m);
    if (err)
        *why = why_not_open(err);
    xen_dm_close(m);
    return err;
}

int xen_dm_vcpus(struct xen_dm *m)
{
    unsigned n = 0;
    int err = result(xendevicemodel_nr_vcpus(m->dmod, m->domid, &n));

    return err ? err : (int)n;
}

/* --- the server --- */

static int create(struct xen_dm *m, int flags, uint16_t *id)
{
    ioservid_t got;
    int err = result(xendevicemodel_create_ioreq_server(m->dmod, m->domid,
                                                        HVM_IOREQSRV_BUFIOREQ_OFF | flags, &got));

    if (!err)
        *id = got;
    return err;
}

int xen_dm_create_server(struct xen_dm *m, bool *spin, uint16_t *id)
{
    int err = *spin ? create(m, IOREQSRV_SPIN, id) : -EINVAL;

    if (err != -EINVAL)
        return err;
    *spin = false;
    return create(m, 0, id);
}

int xen_dm_map_requests(struct xen_dm *m, uint16_t id, struct ioreq **page)
{
    void *at = NULL;

    m->requests = xenforeignmemory_map_resource(m->fmem, m->domid, XENMEM_resource_ioreq_server, id,
                                                XENMEM_resource_ioreq_server_frame_ioreq(0), 1, &at,
                                                PROT_READ | PROT_WRITE, 0);
    if (!m->requests)
        return -(errno ? errno : EIO);
    *page = at;
    return 0;
}

int xen_dm_enable(struct xen_dm *m, uint16_t id, bool enable)
{
    return result(xendevicemodel_set_ioreq_server_state(m->dmod, m->domid, id, enable));
}

int xen_dm_destroy_server(struct xen_dm *m, uint16_t id)
{
    return result(xendevicemodel_destroy_ioreq_server(m->dmod, m->domid, id));
}

/* Ends are inclusive. */
int xen_dm_range(struct xen_dm *m, uint16_t id, bool ports, uint64_t base, uint64_t size, bool map)
{
    if (map)
        return result(xendevicemodel_map_io_range_to_ioreq_server(m->dmod, m->domid, id, !ports,
                                                                  base, base + size - 1));
    return result(xendevicemodel_unmap_io_range_from_ioreq_server(m->dmod, m->domid, id, !ports,
                                                                  base, base + size - 1));
}

int xen_dm_config(struct xen_dm *m, uint16_t id, unsigned slot, bool map)
{
    if (map)
        return result(xendevicemodel_map_pcidev_to_ioreq_server(m->dmod, m->domid, id, 0, 0,
                                                                (uint8_t)slot, 0));
    return result(xendevicemodel_unmap_pcidev_from_ioreq_server(m->dmod, m->domid, id, 0, 0,
                                                                (uint8_t)slot, 0));
}

/* --- interrupts and events --- */

int xen_dm_intx(struct xen_dm *m, unsigned slot, bool level)
{
    return result(
        xendevicemodel_set_pci_intx_level(m->dmod, m->domid, 0, 0, (uint8_t)slot, 0, level));
}

int xen_dm_isa_irq(struct xen_dm *m, unsigned irq, bool level)
{
    return result(xendevicemodel_set_isa_irq_level(m->dmod, m->domid, (uint8_t)irq, level));
}

int xen_dm_msi(struct xen_dm *m, uint64_t addr, uint32_t data)
{
    return result(xendevicemodel_inject_msi(m->dmod, m->domid, addr, data));
}

int xen_dm_bind(struct xen_dm *m, uint32_t remote_port)
{
    return result(xenevtchn_bind_interdomain(m->evtchn, m->domid, remote_port));
}

void xen_dm_notify(struct xen_dm *m, int port)
{
    xenevtchn_notify(m->evtchn, (evtchn_port_t)port); /* fails only if the domain is gone */
}

int xen_dm_event_fd(const struct xen_dm *m)
{
    return xenevtchn_fd(m->evtchn);
}

int xen_dm_take_event(struct xen_dm *m)
{
    int port = xenevtchn_pending(m->evtchn);

    return port < 0 ? -EAGAIN : port;
}

void xen_dm_unmask(struct xen_dm *m, int port)
{
    xenevtchn_unmask(m->evtchn, (evtchn_port_t)port);
}

/* --- guest memory --- */

void *xen_dm_map_guest(struct xen_dm *m, uint64_t gfn, unsigned n, int *err)
{
    xen_pfn_t frame[64];

    if (n > sizeof(frame) / sizeof(*frame))
        return NULL;
    for (unsigned i = 0; i < n; i++)
        frame[i] = gfn + i;
    return xenforeignmemory_map(m->fmem, m->domid, PROT_READ | PROT_WRITE, n, frame, err);
}

void xen_dm_unmap_guest(struct xen_dm *m, void *at, unsigned n)
{
    xenforeignmemory_unmap(m->fmem, at, n);
}
