/* SPDX-License-Identifier: BSD-3-Clause */
#include "xen_root.h"

#include <string.h>

#include <xen/hvm/ioreq.h>

#include "../nicmodels/pci.h"

/* Intel 82441FX, as every PC emulator has it: Linux knows it and leaves it alone. */
static const struct pci_spec bridge = {
    .vendor_id = 0x8086, .device_id = 0x1237, .class_code = 0x060000, .revision_id = 2};

static bool is_ours(const struct xen_domain *x)
{
    return (x->flags & IOTP_DOMAIN_PCI_ROOT) != 0;
}

/* Only whole double words reach the latch (PCI Local Bus 3.0, 3.2.2.3.2). */
bool xen_root_port(struct xen_domain *x, const struct ioreq *r, uint64_t *data)
{
    if (!is_ours(x) || r->addr - XEN_ROOT_PORT >= XEN_ROOT_PORTS)
        return false;
    *data = ~0ull;
    if (r->addr != XEN_ROOT_PORT || r->size != 4 || r->data_is_ptr)
        return true;
    if (r->dir == IOREQ_WRITE)
        x->note->config_address = (uint32_t)r->data;
    else
        *data = x->note->config_address;
    return true;
}

bool xen_root_config(const struct xen_domain *x, const struct ioreq *r, uint64_t *data)
{
    struct pci_func f;

    if (!is_ours(x))
        return false;
    pci_reset(&bridge, &f);
    *data = ~0ull;
    if (r->dir == IOREQ_READ && r->size <= 8 && (uint32_t)r->addr < PCI_CFG_SIZE)
        *data = pci_read(&f, (uint32_t)r->addr, r->size);
    return true;
}
