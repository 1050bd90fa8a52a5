/* SPDX-License-Identifier: BSD-3-Clause */
/* Virtio over PCI, the legacy interface (VIRTIO 1.2, 4.1.4.10; rings: 2.7.2). */
#include "virtio_pci_common.h"

enum {
    DEVICE_FEATURES = 0x00,
    DRIVER_FEATURES = 0x04,
    QUEUE_ADDRESS = 0x08,
    QUEUE_SIZE = 0x0c,
    QUEUE_SELECT = 0x0e,
    QUEUE_NOTIFY = VP_LEGACY_NOTIFY,
    DEVICE_STATUS = 0x12,
    ISR_STATUS = 0x13,
    CONFIG_MSIX_VECTOR = 0x14, /* these two with MSI-X only */
    QUEUE_MSIX_VECTOR = 0x16,
};
#define PAGE_SHIFT 12 /* queue addresses, and what the used ring is aligned to */

/* Where the device-specific configuration begins. */
static unsigned config_at(const struct vp *p)
{
    return vp_msix_on(p) ? 0x18 : 0x14;
}

static uint64_t read_queue(const struct vp *p, unsigned offset)
{
    const struct vp_queue *q = vp_selected(p);

    if (!q)
        return offset == QUEUE_MSIX_VECTOR ? VP_NO_VECTOR : 0;
    switch (offset) {
    case QUEUE_ADDRESS: return q->vq.state == VQ_OFF ? 0 : (uint32_t)(q->vq.desc >> PAGE_SHIFT);
    case QUEUE_SIZE: return VP_QUEUE_SIZE;
    default: return q->vector;
    }
}

static uint64_t read_config(const struct vp *p, unsigned at, unsigned size)
{
    uint8_t cfg[VP_CONFIG_MAX] = {0};

    return vp_bytes(cfg, p->c->config(p, cfg), at, size);
}

static uint64_t read_register(const struct vp *p, unsigned offset, unsigned size)
{
    switch (offset) {
    case DEVICE_FEATURES: return (uint32_t)p->c->features(p, true);
    case DRIVER_FEATURES: return (uint32_t)p->r->features;
    case QUEUE_ADDRESS:
    case QUEUE_SIZE: return read_queue(p, offset);
    case QUEUE_SELECT: return p->r->queue_select;
    case DEVICE_STATUS: return p->r->status;
    case ISR_STATUS: return vp_read_isr(p);
    }
    if (offset >= config_at(p))
        return read_config(p, offset - config_at(p), size);
    if (offset == CONFIG_MSIX_VECTOR)
        return p->r->config_vector;
    return offset == QUEUE_MSIX_VECTOR ? read_queue(p, offset) : 0;
}

/* The ring's parts follow one another; 0 takes the queue away. */
static void write_address(const struct vp *p, uint32_t page)
{
    struct vp_queue *q = vp_selected(p);
    uint64_t end;

    if (!q)
        return;
    if (!page) {
        q->vq.state = VQ_OFF;
        return;
    }
    if (q->vq.state != VQ_OFF)
        return;
    q->vq.size = VP_QUEUE_SIZE;
    q->vq.desc = (uint64_t)page << PAGE_SHIFT;
    q->vq.driver = q->vq.desc + 16ull * VP_QUEUE_SIZE;
    end = q->vq.driver + 6 + 2ull * VP_QUEUE_SIZE;
    q->vq.device = (end + (1u << PAGE_SHIFT) - 1) >> PAGE_SHIFT << PAGE_SHIFT;
    vp_start_queue(p, p->r->queue_select);
}

static void write_config(const struct vp *p, unsigned at, const struct nm_access *a)
{
    for (unsigned i = 0; i < a->size; i++)
        p->c->write_config(p, at + i, (uint8_t)(a->data >> 8 * i));
}

static void write_register(const struct vp *p, const struct nm_access *a)
{
    struct virtio_pci *r = p->r;
    unsigned offset = (unsigned)a->offset;

    switch (offset) {
    case DRIVER_FEATURES: r->features = (uint32_t)(a->data & p->c->features(p, true)); return;
    case QUEUE_ADDRESS: write_address(p, (uint32_t)a->data); return;
    case QUEUE_SELECT: r->queue_select = (uint16_t)a->data; return;
    case DEVICE_STATUS: vp_write_status(p, (uint8_t)a->data); return;
    }
    if (offset >= config_at(p))
        write_config(p, offset - config_at(p), a);
    else if (offset == CONFIG_MSIX_VECTOR)
        vp_set_vector(&r->config_vector, (uint16_t)a->data);
    else if (offset == QUEUE_MSIX_VECTOR && vp_selected(p))
        vp_set_vector(&vp_selected(p)->vector, (uint16_t)a->data);
}

enum nm_status vp_legacy_access(const struct vp *p, struct nm_access *a)
{
    if (!a->write) {
        a->data = read_register(p, (unsigned)a->offset, a->size);
    } else if (a->offset != QUEUE_NOTIFY) {
        p->d->changed = true;
        write_register(p, a);
    }
    return NM_DONE;
}
