/* SPDX-License-Identifier: BSD-3-Clause */
/* Virtio over PCI, the modern BAR: common configuration (4.1.4.3), ISR status, device-specific
 * configuration, notifications. */
#include <string.h>

#include "access.h"
#include "virtio_pci_common.h"

/* struct virtio_pci_common_cfg */
enum {
    DEVICE_FEATURE_SELECT = 0x00,
    DEVICE_FEATURE = 0x04,
    DRIVER_FEATURE_SELECT = 0x08,
    DRIVER_FEATURE = 0x0c,
    CONFIG_MSIX_VECTOR = 0x10,
    NUM_QUEUES = 0x12,
    DEVICE_STATUS = 0x14,
    CONFIG_GENERATION = 0x15,
    QUEUE_SELECT = 0x16,
    QUEUE_SIZE = 0x18,
    QUEUE_MSIX_VECTOR = 0x1a,
    QUEUE_ENABLE = 0x1c,
    QUEUE_NOTIFY_OFF = 0x1e,
    QUEUE_DESC = 0x20,
    QUEUE_DRIVER = 0x28,
    QUEUE_DEVICE = 0x30,
    QUEUE_NOTIFY_DATA = 0x38,
    QUEUE_RESET = 0x3a,
};

static uint32_t half(uint64_t features, uint32_t select)
{
    return select < 2 ? (uint32_t)(features >> 32 * select) : 0;
}

static void view_queue(const struct vp *p, uint8_t *v)
{
    const struct vp_queue *q = vp_selected(p);

    if (!q)
        return; /* 4.1.4.3.1: queue_size 0 says so */
    nm_put_le(v + QUEUE_SIZE, q->vq.size, 2);
    nm_put_le(v + QUEUE_MSIX_VECTOR, q->vector, 2);
    nm_put_le(v + QUEUE_ENABLE, q->vq.state != VQ_OFF, 2);
    nm_put_le(v + QUEUE_NOTIFY_OFF, p->r->queue_select, 2);
    nm_put_le(v + QUEUE_DESC, q->vq.desc, 8);
    nm_put_le(v + QUEUE_DRIVER, q->vq.driver, 8);
    nm_put_le(v + QUEUE_DEVICE, q->vq.device, 8);
    nm_put_le(v + QUEUE_NOTIFY_DATA, p->r->queue_select, 2);
}

/* What the registers read. */
static void view(const struct vp *p, uint8_t v[VP_COMMON_SIZE])
{
    const struct virtio_pci *r = p->r;

    memset(v, 0, VP_COMMON_SIZE);
    nm_put_le(v + DEVICE_FEATURE_SELECT, r->device_feature_select, 4);
    nm_put_le(v + DEVICE_FEATURE, half(p->c->features(p, false), r->device_feature_select), 4);
    nm_put_le(v + DRIVER_FEATURE_SELECT, r->driver_feature_select, 4);
    nm_put_le(v + DRIVER_FEATURE, half(r->features, r->driver_feature_select), 4);
    nm_put_le(v + CONFIG_MSIX_VECTOR, r->config_vector, 2);
    nm_put_le(v + NUM_QUEUES, p->c->nqueues(p), 2);
    v[DEVICE_STATUS] = r->status;
    v[CONFIG_GENERATION] = r->generation;
    nm_put_le(v + QUEUE_SELECT, r->queue_select, 2);
    view_queue(p, v);
}

/* 2.2: what the driver chose stands once FEATURES_OK does. */
static void write_features(const struct vp *p, uint32_t value)
{
    struct virtio_pci *r = p->r;
    unsigned shift = 32 * r->driver_feature_select;

    if (r->driver_feature_select < 2 && !(r->status & VIRTIO_S_FEATURES_OK))
        r->features = (r->features & ~(0xffffffffull << shift)) | (uint64_t)value << shift;
}

/* 2.6.1: the queue is as after the device's reset; only VIRTIO_F_RING_RESET has the register. */
static void reset_queue(const struct vp *p, struct vp_queue *q)
{
    if (vp_has(p, VIRTIO_F_RING_RESET))
        *q = (struct vp_queue){.vq = {.size = VP_QUEUE_SIZE, .epoch = q->vq.epoch},
                               .vector = VP_NO_VECTOR};
}

/* An address is written whole, or by halves. */
static void write_address(uint64_t *reg, unsigned half_at, const struct nm_access *a)
{
    if (a->size == 8 && !half_at)
        *reg = a->data;
    else if (a->size == 4)
        *reg = (*reg & ~(0xffffffffull << 8 * half_at)) | (a->data & 0xffffffff) << 8 * half_at;
}

/* A queue's registers: its size and place stand once it is enabled. */
static void write_queue(const struct vp *p, struct vp_queue *q, const struct nm_access *a)
{
    uint16_t value = (uint16_t)a->data;

    switch (a->offset) {
    case QUEUE_MSIX_VECTOR: vp_set_vector(&q->vector, value); return;
    case QUEUE_RESET:
        if (value == 1)
            reset_queue(p, q);
        return;
    case QUEUE_ENABLE:
        if (value == 1)
            vp_start_queue(p, p->r->queue_select);
        return;
    }
    if (q->vq.state != VQ_OFF)
        return;
    if (a->offset == QUEUE_SIZE)
        q->vq.size = value <= VP_QUEUE_SIZE ? value : VP_QUEUE_SIZE;
    else if ((a->offset & ~4ull) == QUEUE_DESC)
        write_address(&q->vq.desc, a->offset & 4, a);
    else if ((a->offset & ~4ull) == QUEUE_DRIVER)
        write_address(&q->vq.driver, a->offset & 4, a);
    else if ((a->offset & ~4ull) == QUEUE_DEVICE)
        write_address(&q->vq.device, a->offset & 4, a);
}

static void write_common(const struct vp *p, const struct nm_access *a)
{
    struct virtio_pci *r = p->r;

    p->d->changed = true;
    switch (a->offset) {
    case DEVICE_FEATURE_SELECT: r->device_feature_select = (uint32_t)a->data; break;
    case DRIVER_FEATURE_SELECT: r->driver_feature_select = (uint32_t)a->data; break;
    case DRIVER_FEATURE: write_features(p, (uint32_t)a->data); break;
    case CONFIG_MSIX_VECTOR: vp_set_vector(&r->config_vector, (uint16_t)a->data); break;
    case DEVICE_STATUS: vp_write_status(p, (uint8_t)a->data); break;
    case QUEUE_SELECT: r->queue_select = (uint16_t)a->data; break;
    default:
        if (a->offset >= QUEUE_SIZE && vp_selected(p))
            write_queue(p, vp_selected(p), a);
    }
}

static uint64_t read_device(const struct vp *p, uint64_t at, unsigned size)
{
    uint8_t cfg[VP_CONFIG_MAX] = {0};

    return vp_bytes(cfg, p->c->config(p, cfg), at, size);
}

static uint64_t read_common(const struct vp *p, uint64_t at, unsigned size)
{
    uint8_t v[VP_COMMON_SIZE];

    view(p, v);
    return vp_bytes(v, sizeof(v), at, size);
}

enum nm_status vp_modern_access(const struct vp *p, struct nm_access *a)
{
    uint64_t page = a->offset & ~0xfffull, at = a->offset & 0xfff;

    if (a->write) {
        if (page == VP_COMMON)
            write_common(p, a);
    } else if (page == VP_COMMON) {
        a->data = read_common(p, at, a->size);
    } else if (page == VP_ISR) {
        a->data = at ? 0 : vp_read_isr(p);
    } else {
        a->data = page == VP_DEVICE ? read_device(p, at, a->size) : 0;
    }
    return NM_DONE;
}
