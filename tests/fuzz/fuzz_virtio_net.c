/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The virtio network device under any sequence of accesses, rings, commands, frames and loaded
 * states. regs, ram and guest memory are allocations of their exact size. Checked beside: a
 * device's own state is always valid; its interrupt line is the one the runner saw; a call sends no
 * more than it may.
 */
#include "../unit/virtio_rig.h"
#include "nm_fuzz.h"

static const uint8_t regions[8] = {VP_BAR_MODERN, VP_BAR_MODERN,    VP_BAR_LEGACY, VP_BAR_MSIX,
                                   VP_BAR_MODERN, NM_REGION_CONFIG, VP_BAR_LEGACY, 3};

static void do_access(struct virtio_rig *v, struct input *in, uint8_t op)
{
    uint8_t how = (uint8_t)take(in, 1);
    unsigned size = 1u << (how >> 4 & 3);
    uint64_t offset = take(in, 1);

    if (regions[op >> 4 & 7] == VP_BAR_MODERN)
        offset = (offset & 0x3f) | (how & 3u) << 12;
    if (how & 8)
        rig_write(&v->g, regions[op >> 4 & 7], offset, size, take(in, size));
    else
        rig_read(&v->g, regions[op >> 4 & 7], offset, size);
}

/* The input into a queue's parts, or into buffers. */
static void scribble(struct virtio_rig *v, struct input *in)
{
    static const uint32_t parts[4] = {DRV_DESC, DRV_DRIVER, DRV_DEVICE, DRV_TABLES};
    uint8_t how = (uint8_t)take(in, 1);
    uint64_t at = how & 0x80
                      ? VR_BUFS + take(in, 2)
                      : RIG_MEM + (how >> 2 & 7) * VR_QUEUE_STEP + parts[how & 3] + take(in, 1);

    for (unsigned n = (unsigned)take(in, 1) % 40; n && in->left; n--, at++) {
        uint8_t byte = (uint8_t)take(in, 1);

        drv_put(&v->mem, at, &byte, 1);
    }
}

static void do_send(struct virtio_rig *v, struct input *in)
{
    static uint8_t frame[4096];
    unsigned queue = (unsigned)take(in, 1) % 5;
    struct vnet_hdr h = {.flags = (uint8_t)take(in, 1), .gso_type = (uint8_t)take(in, 1)};
    uint32_t len = (uint32_t)take(in, 2) % sizeof(frame);

    h.gso_size = (uint16_t)take(in, 2);
    h.csum_start = (uint16_t)take(in, 1);
    h.csum_offset = (uint16_t)take(in, 1);
    for (unsigned i = 0; i < 60; i++)
        frame[i] = (uint8_t)take(in, 1);
    if (v->q[queue].size)
        vr_send(v, queue, &h, 12, frame, len);
}

static void do_command(struct virtio_rig *v, struct input *in, unsigned queue)
{
    uint8_t class = (uint8_t)take(in, 1), cmd = (uint8_t)take(in, 1), data[300] = {0};
    uint32_t len = (uint32_t)take(in, 1);

    for (uint32_t i = 0; i < len && i < 40; i++)
        data[i] = (uint8_t)take(in, 1);
    if (v->q[queue].size)
        vr_command(v, queue, class, cmd, data, len);
}

static void do_receive(struct virtio_rig *v, struct input *in)
{
    uint8_t frame[NM_MAX_FRAME] = {0};
    size_t len = take(in, 2) % (sizeof(frame) + 1);
    struct vq_buf b = {VR_BUFS + 0x1000, (uint32_t)take(in, 2)};
    unsigned queue = (unsigned)take(in, 1) % 5;

    for (unsigned i = 0; i < 40; i++)
        frame[i] = (uint8_t)take(in, 1);
    if (v->q[queue].size)
        drv_add(&v->q[queue], &b, 0, 1);
    v->g.d.model->can_receive(&v->g.d, len);
    rig_receive(&v->g, frame, len);
}

static void poll_some(struct virtio_rig *v, unsigned n)
{
    while (n--) {
        unsigned before = v->g.sent;

        v->g.d.model->poll(&v->g.d);
        CHECK(v->g.sent - before <= NM_TX_BURST);
    }
}

static void begin(struct virtio_rig *v, struct input *in)
{
    uint8_t how = (uint8_t)take(in, 1);
    uint64_t features = vr_offered(v);

    if (!(how & 1))
        features &= ~VIRTIO_F_RING_PACKED;
    if (!(how & 2))
        features &= ~VIRTIO_F_EVENT_IDX;
    if (how & 4)
        features &= ~VIRTIO_NET_F_MRG_RXBUF;
    if (how & 8)
        vr_msix(v);
    if (how & 16)
        v->g.d.model->disarm(&v->g.d);
    CHECK(vr_start(v, features, 5, 16));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    struct virtio_rig v;
    uint8_t kind = (uint8_t)take(&in, 1);

    vr_open(&v, 2);
    if (kind & 1)
        begin(&v, &in);
    while (in.left) {
        uint8_t op = (uint8_t)take(&in, 1);

        switch (op & 15) {
        case 0:
        case 1: scribble(&v, &in); break;
        case 2:
        case 3: do_send(&v, &in); break;
        case 4: do_command(&v, &in, 4); break;
        case 5: do_receive(&v, &in); break;
        case 6: fuzz_load(&v.g, &in); break;
        case 7: poll_some(&v, 1 + (op >> 4)); break;
        case 8:
            if (op & 16)
                v.g.d.model->arm(&v.g.d);
            else
                v.g.d.model->disarm(&v.g.d);
            break;
        case 9: v.g.d.model->pending(&v.g.d); break;
        case 10:
            if (op == 10)
                v.g.d.model->reset(&v.g.d);
            break;
        default: do_access(&v, &in, op); break;
        }
        fuzz_check(&v.g);
    }
    vr_close(&v);
    return 0;
}
