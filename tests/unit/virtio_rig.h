/* SPDX-License-Identifier: BSD-3-Clause */
/* A virtio-net device powered on, and a driver's steps on it, for its suites and fuzz target. */
#ifndef COOPVMM_TESTS_VIRTIO_RIG_H
#define COOPVMM_TESTS_VIRTIO_RIG_H

#include "../../nicmodels/virtio_net.h"
#include "nm_rig.h"
#include "virtq_rig.h"

#define VR_MEM_SIZE   0x400000u
#define VR_QUEUE_STEP 0x40000u              /* guest memory a queue's parts take */
#define VR_BUFS       (RIG_MEM + 0x300000u) /* free for buffers */

/* struct virtio_pci_common_cfg */
enum {
    C_DEVICE_FEATURE_SELECT = 0x00,
    C_DEVICE_FEATURE = 0x04,
    C_DRIVER_FEATURE_SELECT = 0x08,
    C_DRIVER_FEATURE = 0x0c,
    C_CONFIG_VECTOR = 0x10,
    C_NUM_QUEUES = 0x12,
    C_STATUS = 0x14,
    C_GENERATION = 0x15,
    C_QUEUE_SELECT = 0x16,
    C_QUEUE_SIZE = 0x18,
    C_QUEUE_VECTOR = 0x1a,
    C_QUEUE_ENABLE = 0x1c,
    C_QUEUE_NOTIFY_OFF = 0x1e,
    C_QUEUE_DESC = 0x20,
    C_QUEUE_DRIVER = 0x28,
    C_QUEUE_DEVICE = 0x30,
    C_QUEUE_RESET = 0x3a,
};

struct virtio_rig {
    struct rig g;
    struct drv_mem mem;
    struct drv q[VP_MAX_QUEUES];
};

static inline void *vr_at(void *ctx, uint64_t gpa, uint64_t *len, bool write)
{
    struct rig *g = ctx;

    return rig_dma(&g->d, gpa, len, write);
}

static inline struct virtio_net *vr_regs(struct virtio_rig *v)
{
    return v->g.d.regs;
}

/* Powered on and enabled on its bus. Memory is contiguous in pieces of 4 KiB. */
static inline void vr_open(struct virtio_rig *v, unsigned pairs)
{
    struct nm_params p = {.queues = (uint8_t)pairs};
    const char *why;

    memset(v, 0, sizeof(*v));
    memcpy(p.mac, rig_mac, 6);
    if (rig_init(&v->g, nm_model_find("virtio-net"), &p, &why))
        abort();
    rig_memory(&v->g, VR_MEM_SIZE, 4096);
    v->mem.m = (struct vq_mem){.at = vr_at, .ctx = &v->g};
    rig_write(&v->g, NM_REGION_CONFIG, PCI_COMMAND, 2,
              PCI_COMMAND_IO | PCI_COMMAND_MEM | PCI_COMMAND_MASTER);
}

static inline void vr_close(struct virtio_rig *v)
{
    rig_free(&v->g);
}

static inline void vr_put(struct virtio_rig *v, unsigned reg, unsigned size, uint64_t value)
{
    rig_write(&v->g, VP_BAR_MODERN, VP_COMMON + reg, size, value);
}

static inline uint64_t vr_get(struct virtio_rig *v, unsigned reg, unsigned size)
{
    return rig_read(&v->g, VP_BAR_MODERN, VP_COMMON + reg, size);
}

static inline uint64_t vr_offered(struct virtio_rig *v)
{
    uint64_t f;

    vr_put(v, C_DEVICE_FEATURE_SELECT, 4, 0);
    f = vr_get(v, C_DEVICE_FEATURE, 4);
    vr_put(v, C_DEVICE_FEATURE_SELECT, 4, 1);
    return f | vr_get(v, C_DEVICE_FEATURE, 4) << 32;
}

/* 3.1.1, up to FEATURES_OK. @return whether that stood */
static inline bool vr_negotiate(struct virtio_rig *v, uint64_t features)
{
    vr_put(v, C_STATUS, 1, 0);
    vr_put(v, C_STATUS, 1, VIRTIO_S_ACKNOWLEDGE | VIRTIO_S_DRIVER);
    for (unsigned i = 0; i < 2; i++) {
        vr_put(v, C_DRIVER_FEATURE_SELECT, 4, i);
        vr_put(v, C_DRIVER_FEATURE, 4, (uint32_t)(features >> 32 * i));
    }
    vr_put(v, C_STATUS, 1, VIRTIO_S_ACKNOWLEDGE | VIRTIO_S_DRIVER | VIRTIO_S_FEATURES_OK);
    return vr_get(v, C_STATUS, 1) & VIRTIO_S_FEATURES_OK;
}

static inline void vr_queue(struct virtio_rig *v, unsigned i, unsigned size, uint64_t features)
{
    struct drv *d = &v->q[i];

    drv_init(d, &v->mem, RIG_MEM + (uint64_t)i * VR_QUEUE_STEP, (uint16_t)size,
             features & VIRTIO_F_RING_PACKED);
    d->event_idx = features & VIRTIO_F_EVENT_IDX;
    vr_put(v, C_QUEUE_SELECT, 2, i);
    vr_put(v, C_QUEUE_SIZE, 2, size);
    vr_put(v, C_QUEUE_VECTOR, 2, i + 1);
    vr_put(v, C_QUEUE_DESC, 4, d->base + DRV_DESC);
    vr_put(v, C_QUEUE_DESC + 4, 4, 0);
    vr_put(v, C_QUEUE_DRIVER, 8, d->base + DRV_DRIVER);
    vr_put(v, C_QUEUE_DEVICE, 8, d->base + DRV_DEVICE);
    vr_put(v, C_QUEUE_ENABLE, 2, 1);
}

static inline void vr_msix(struct virtio_rig *v)
{
    for (unsigned i = 0; i < VP_VECTORS; i++) {
        rig_write(&v->g, VP_BAR_MSIX, 16 * i, 8, 0xfee00000u + 0x1000 * i);
        rig_write(&v->g, VP_BAR_MSIX, 16 * i + 8, 4, 0x40 + i);
        rig_write(&v->g, VP_BAR_MSIX, 16 * i + 12, 4, 0);
    }
    rig_write(&v->g, NM_REGION_CONFIG, PCI_CAP_BASE + 2, 2, MSIX_CTRL_ENABLE);
}

/* A driver that is up: `nqueues` queues of `size`, no MSI-X. */
static inline bool vr_start(struct virtio_rig *v, uint64_t features, unsigned nqueues,
                            unsigned size)
{
    if (!vr_negotiate(v, features | VIRTIO_F_VERSION_1))
        return false;
    for (unsigned i = 0; i < nqueues; i++)
        vr_queue(v, i, size, features);
    vr_put(v, C_CONFIG_VECTOR, 2, 0);
    vr_put(v, C_STATUS, 1,
           VIRTIO_S_ACKNOWLEDGE | VIRTIO_S_DRIVER | VIRTIO_S_FEATURES_OK | VIRTIO_S_DRIVER_OK);
    return true;
}

/* Offers header and frame for sending, in up to three buffers. @return chain's ID */
static inline int vr_send(struct virtio_rig *v, unsigned queue, const struct vnet_hdr *h,
                          unsigned hdr_len, const void *frame, uint32_t len)
{
    uint64_t at = VR_BUFS + 0x10000ull * queue;
    struct vq_buf b[3] = {{at, hdr_len}, {at + hdr_len, len / 3}, {0}};

    b[2] = (struct vq_buf){b[1].gpa + b[1].len, len - b[1].len};
    drv_put(&v->mem, at, h, hdr_len);
    drv_put(&v->mem, b[1].gpa, frame, len);
    return drv_add(&v->q[queue], b, 3, 3);
}

/* A command for the control queue. @return its answer; -1: it did not come */
static inline int vr_command(struct virtio_rig *v, unsigned queue, uint8_t class, uint8_t cmd,
                             const void *data, uint32_t len)
{
    uint64_t at = VR_BUFS + 0xf0000;
    struct vq_buf b[3] = {{at, 2}, {at + 2, len}, {at + 0x8000, 1}};
    uint8_t head[2] = {class, cmd}, ack = 0xff;
    uint32_t used;

    drv_put(&v->mem, at, head, 2);
    if (len)
        drv_put(&v->mem, at + 2, data, len);
    drv_put(&v->mem, b[2].gpa, &ack, 1);
    if (drv_add(&v->q[queue], b, 2, 3) < 0)
        return -1;
    rig_poll(&v->g);
    if (drv_take(&v->q[queue], &used) < 0 || used != 1)
        return -1;
    drv_get(&v->mem, b[2].gpa, &ack, 1);
    return ack;
}

#endif
