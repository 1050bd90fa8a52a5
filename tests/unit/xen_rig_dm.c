/* SPDX-License-Identifier: BSD-3-Clause */
/* libxendevicemodel: the ioreq server, its ranges, interrupts. */
#define __XEN_TOOLS__ 1
#include <errno.h>
#include <string.h>

#include <xendevicemodel.h>

#include <xen/hvm/hvm_op.h>

#include "xen_rig_priv.h"

#define MAX_SERVERS 8
#define SPIN        0x80 /* HVM_IOREQSRV_SPIN of xen/patches */

struct xendevicemodel_handle {
    struct xr_handle h;
};
static struct xendevicemodel_handle dmod;

unsigned xr_left_dm(void)
{
    return dmod.h.open;
}

void xr_reap_dm(void)
{
    dmod.h.open = false;
}

xendevicemodel_handle *xendevicemodel_open(struct xentoollog_logger *logger, unsigned flags)
{
    (void)logger, (void)flags;
    return xr_open_handle("xendevicemodel_open", &dmod.h) ? &dmod : NULL;
}

int xendevicemodel_close(xendevicemodel_handle *d)
{
    d->h.open = false;
    return 0;
}

int xendevicemodel_restrict(xendevicemodel_handle *d, domid_t domid)
{
    return xr_restrict_handle("xendevicemodel_restrict", &d->h, domid);
}

int xendevicemodel_nr_vcpus(xendevicemodel_handle *d, domid_t domid, unsigned *vcpus)
{
    if (!xr_operate("xendevicemodel_nr_vcpus", &d->h, domid))
        return -1;
    *vcpus = xr.nvcpus;
    return xr_leave(0);
}

int xendevicemodel_create_ioreq_server(xendevicemodel_handle *d, domid_t domid, int bufioreq,
                                       ioservid_t *id)
{
    bool spin = bufioreq & SPIN && xr.patched;

    if (!xr_operate("xendevicemodel_create_ioreq_server", &d->h, domid))
        return -1;
    if ((spin ? bufioreq & ~SPIN : bufioreq) != HVM_IOREQSRV_BUFIOREQ_OFF)
        return xr_refuse(EINVAL);
    if (xr.servers + xr.made == MAX_SERVERS)
        return xr_refuse(ENOSPC);
    xr.servers += xr.made; /* nobody knows the former one any more */
    xr.slots = xr.nranges = 0;
    xr.made = true;
    xr.spin = spin;
    xr.id = (uint16_t)(xr.servers + ++xr.created);
    *id = xr.id;
    return xr_leave(0);
}

static bool operate_server(const char *name, const xendevicemodel_handle *d, domid_t domid,
                           ioservid_t id)
{
    if (!xr_operate(name, &d->h, domid))
        return false;
    return xr.made && id == xr.id ? true : !xr_refuse(ENOENT);
}

int xendevicemodel_set_ioreq_server_state(xendevicemodel_handle *d, domid_t domid, ioservid_t id,
                                          int enabled)
{
    if (!operate_server("xendevicemodel_set_ioreq_server_state", d, domid, id))
        return -1;
    if (enabled && !xr_page_is_mapped)
        xr_host_down("a server is enabled whose page is not mapped");
    xr.enabled = enabled;
    for (unsigned v = 0; v < xr.nvcpus && enabled; v++)
        xr_slot[v].vp_eport = XR_REMOTE_PORT + v;
    return xr_leave(0);
}

int xendevicemodel_destroy_ioreq_server(xendevicemodel_handle *d, domid_t domid, ioservid_t id)
{
    if (!operate_server("xendevicemodel_destroy_ioreq_server", d, domid, id))
        return -1;
    xr.made = xr.enabled = xr.spin = false;
    xr.slots = xr.nranges = 0;
    xr.destroyed++;
    memset(xr_slot, 0, XR_PAGE);
    return xr_leave(0);
}

static bool overlaps(const struct xr_range *r, bool ports, uint64_t first, uint64_t last)
{
    return r->ports == ports && r->first <= last && first <= r->last;
}

int xendevicemodel_map_io_range_to_ioreq_server(xendevicemodel_handle *d, domid_t domid,
                                                ioservid_t id, int is_mmio, uint64_t start,
                                                uint64_t end)
{
    if (!operate_server("xendevicemodel_map_io_range_to_ioreq_server", d, domid, id))
        return -1;
    if (start > end)
        return xr_refuse(EINVAL);
    for (unsigned i = 0; i < xr.nranges; i++)
        if (overlaps(&xr.range[i], !is_mmio, start, end))
            return xr_refuse(EEXIST);
    if (xr.nranges == XR_MAX_RANGES)
        return xr_refuse(ENOSPC);
    xr.range[xr.nranges++] = (struct xr_range){.ports = !is_mmio, .first = start, .last = end};
    xr_happened('M', start);
    return xr_leave(0);
}

int xendevicemodel_unmap_io_range_from_ioreq_server(xendevicemodel_handle *d, domid_t domid,
                                                    ioservid_t id, int is_mmio, uint64_t start,
                                                    uint64_t end)
{
    if (!operate_server("xendevicemodel_unmap_io_range_from_ioreq_server", d, domid, id))
        return -1;
    for (unsigned i = 0; i < xr.nranges; i++) {
        const struct xr_range *r = &xr.range[i];

        if (r->ports != !is_mmio || r->first != start || r->last != end)
            continue;
        xr.range[i] = xr.range[--xr.nranges];
        xr_happened('U', start);
        return xr_leave(0);
    }
    return xr_refuse(ENOENT);
}

static int config_space(const char *name, const xendevicemodel_handle *d, domid_t domid,
                        ioservid_t id, uint64_t elsewhere, uint8_t device, bool map)
{
    uint32_t bit = 1u << (device & 31);

    if (!operate_server(name, d, domid, id))
        return -1;
    if (elsewhere || device > 31)
        xr_host_down("%s: not on bus 0, or another function than 0", name);
    if (map && (xr.slots & bit))
        return xr_refuse(EEXIST);
    if (!map && !(xr.slots & bit))
        return xr_refuse(ENOENT);
    xr.slots ^= bit;
    return xr_leave(0);
}

int xendevicemodel_map_pcidev_to_ioreq_server(xendevicemodel_handle *d, domid_t domid,
                                              ioservid_t id, uint16_t segment, uint8_t bus,
                                              uint8_t device, uint8_t function)
{
    return config_space("xendevicemodel_map_pcidev_to_ioreq_server", d, domid, id,
                        segment | bus | function, device, true);
}

int xendevicemodel_unmap_pcidev_from_ioreq_server(xendevicemodel_handle *d, domid_t domid,
                                                  ioservid_t id, uint16_t segment, uint8_t bus,
                                                  uint8_t device, uint8_t function)
{
    return config_space("xendevicemodel_unmap_pcidev_from_ioreq_server", d, domid, id,
                        segment | bus | function, device, false);
}

static int set_line(const char *name, const xendevicemodel_handle *d, domid_t domid, bool *line,
                    uint64_t number, unsigned level)
{
    if (!xr_operate(name, &d->h, domid))
        return -1;
    if (!xr.lines)
        xr_host_down("%s: this domain has no lines: stock Xen goes down", name);
    *line = level;
    xr_happened(level ? 'R' : 'L', number);
    return xr_leave(0);
}

int xendevicemodel_set_pci_intx_level(xendevicemodel_handle *d, domid_t domid, uint16_t segment,
                                      uint8_t bus, uint8_t device, uint8_t intx, unsigned int level)
{
    if (segment || bus || device > 31 || intx)
        xr_host_down("an INTx# line of no device of ours");
    return set_line("xendevicemodel_set_pci_intx_level", d, domid, &xr.intx[device], device, level);
}

int xendevicemodel_set_isa_irq_level(xendevicemodel_handle *d, domid_t domid, uint8_t irq,
                                     unsigned int level)
{
    if (irq > 15)
        xr_host_down("ISA line %u", irq);
    return set_line("xendevicemodel_set_isa_irq_level", d, domid, &xr.isa[irq], irq, level);
}

int xendevicemodel_inject_msi(xendevicemodel_handle *d, domid_t domid, uint64_t msi_addr,
                              uint32_t msi_data)
{
    if (!xr_operate("xendevicemodel_inject_msi", &d->h, domid))
        return -1;
    xr.nmsi++;
    xr.msi_addr = msi_addr;
    xr.msi_data = msi_data;
    xr_happened('I', msi_addr);
    return xr_leave(0);
}
