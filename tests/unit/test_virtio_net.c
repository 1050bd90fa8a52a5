/* SPDX-License-Identifier: BSD-3-Clause */
/* The virtio network device: frames both ways, in all layouts of rings and headers. */
#include <CUnit/CUnit.h>

#include "cu_main.h"
#include "net_frames.h"
#include "virtio_rig.h"

const char *const suite_name = "virtio_net";

static const uint64_t layouts[] = {
    0,
    VIRTIO_F_EVENT_IDX,
    VIRTIO_F_RING_PACKED,
    VIRTIO_F_RING_PACKED | VIRTIO_F_EVENT_IDX,
};
#define NLAYOUTS (sizeof(layouts) / sizeof(layouts[0]))

static const struct vnet_hdr plain = {0};

static void fill(uint8_t *frame, size_t len)
{
    for (size_t i = 0; i < len; i++)
        frame[i] = (uint8_t)(i * 7 + 1);
    memcpy(frame, rig_mac, 6);
    frame[6] = 2;
}

/* --- to the network --- */

static void test_send(void)
{
    static const uint32_t lens[] = {14, 60, 61, 1000, 1514, 1518};
    uint8_t frame[NM_MAX_FRAME];

    fill(frame, sizeof(frame));
    for (unsigned k = 0; k < NLAYOUTS; k++) {
        struct virtio_rig v;
        uint32_t used;

        vr_open(&v, 1);
        CU_ASSERT_TRUE(vr_start(&v, layouts[k], 2, 64));
        for (unsigned i = 0; i < 600; i++) {
            uint32_t len = lens[i % 6];
            int id = vr_send(&v, 1, &plain, 12, frame, len);

            CU_ASSERT_TRUE_FATAL(id >= 0);
            CU_ASSERT_TRUE(v.g.d.model->pending(&v.g.d));
            rig_poll(&v.g);
            CU_ASSERT_EQUAL(v.g.sent, i + 1);
            CU_ASSERT_EQUAL(v.g.len[i % RIG_FRAMES], len);
            CU_ASSERT_EQUAL(memcmp(v.g.frame[i % RIG_FRAMES], frame, len), 0);
            CU_ASSERT_EQUAL(drv_take(&v.q[1], &used), id);
            CU_ASSERT_EQUAL(used, 0);
            CU_ASSERT_FALSE(v.g.d.model->pending(&v.g.d));
        }
        vr_close(&v);
    }
}

/* What cannot be a frame is done with, and sent nowhere. */
static void test_send_nonsense(void)
{
    struct vnet_hdr csum = {.flags = VNET_HDR_F_NEEDS_CSUM, .csum_start = 60};
    struct vnet_hdr gso = {.flags = VNET_HDR_F_NEEDS_CSUM, .gso_type = VNET_GSO_TCPV4};
    uint8_t frame[2000];
    struct virtio_rig v;
    struct vq_buf b = {VR_BUFS, 11};
    uint32_t used;

    fill(frame, sizeof(frame));
    vr_open(&v, 1);
    CU_ASSERT_TRUE(vr_start(&v, 0, 2, 64));
    vr_send(&v, 1, &plain, 12, frame, 13);
    vr_send(&v, 1, &plain, 12, frame, 1519);
    vr_send(&v, 1, &csum, 12, frame, 60);
    csum.csum_start = 14;
    csum.csum_offset = 45;
    vr_send(&v, 1, &csum, 12, frame, 60);
    csum.csum_offset = 0xffff;
    vr_send(&v, 1, &csum, 12, frame, 60);
    vr_send(&v, 1, &gso, 12, frame, 2000); /* gso_size 0 */
    gso.gso_size = 1000;
    vr_send(&v, 1, &gso, 12, frame, 2000); /* no TCP */
    gso.gso_type = 3;
    vr_send(&v, 1, &gso, 12, frame, 2000); /* UFO was not offered */
    drv_add(&v.q[1], &b, 1, 1);            /* no whole header */
    b.gpa = 0x10;
    drv_add(&v.q[1], &b, 1, 1); /* no memory */
    drv_add(&v.q[1], &b, 0, 1); /* nothing to send */
    rig_poll(&v.g);
    CU_ASSERT_EQUAL(v.g.sent, 0);
    for (unsigned i = 0; i < 11; i++)
        CU_ASSERT_TRUE(drv_take(&v.q[1], &used) >= 0);
    CU_ASSERT_EQUAL(vr_regs(&v)->v.q[1].vq.state, VQ_ON);
    vr_close(&v);
}

/* The driver leaves the pseudo-header's sum, as Linux does. */
static void test_checksum(void)
{
    for (unsigned k = 0; k < 4; k++) {
        struct frame_shape s = {.ipv6 = k & 1, .udp = k & 2, .payload = 333};
        uint8_t frame[NM_MAX_FRAME], want[NM_MAX_FRAME], *ip = frame + frame_l3(&s);
        size_t len, l4 = frame_l4(&s), at = l4 + (s.udp ? 6 : 16);
        struct vnet_hdr h = {.flags = VNET_HDR_F_NEEDS_CSUM,
                             .csum_start = (uint16_t)l4,
                             .csum_offset = (uint16_t)(at - l4)};
        struct virtio_rig v;
        struct nm_layout l;

        len = frame_build(want, &s);
        nm_layout_of(want, len, &l);
        memcpy(frame, want, len);
        nm_put_be16(frame + at, slow_sum(l.proto + (uint32_t)(len - l4), ip + (s.ipv6 ? 8 : 12),
                                         s.ipv6 ? 32 : 8));
        vr_open(&v, 1);
        CU_ASSERT_TRUE(vr_start(&v, VIRTIO_NET_F_CSUM, 2, 64));
        vr_send(&v, 1, &h, 12, frame, (uint32_t)len);
        rig_poll(&v.g);
        CU_ASSERT_EQUAL(v.g.sent, 1);
        CU_ASSERT_EQUAL(v.g.len[0], len);
        CU_ASSERT_EQUAL(memcmp(v.g.frame[0], want, len), 0);
        vr_close(&v);
    }
}

/* Every segment, in order, however many calls it takes. */
static struct {
    unsigned n, payload;
    bool good;
} segs;

static bool take_segment(struct nm_dev *d, const void *frame, size_t len)
{
    struct nm_layout l;
    const uint8_t *f = frame;

    (void)d;
    nm_layout_of(f, len, &l);
    segs.good &= l.proto && nm_ip_csum_good(f, &l) && nm_l4_csum_good(f, &l) && len <= 1514;
    segs.payload +=
        (unsigned)(l.end - l.l4 - (l.proto == NM_PROTO_UDP ? 8 : (f[l.l4 + 12] >> 4) * 4));
    segs.n++;
    return true;
}

static void segment(bool ipv6, bool udp, uint64_t layout)
{
    static uint8_t frame[65536];
    struct frame_shape s = {.ipv6 = ipv6, .udp = udp, .payload = 60000};
    size_t len = frame_build(frame, &s);
    uint8_t type = udp ? VNET_GSO_UDP_L4 : ipv6 ? VNET_GSO_TCPV6 : VNET_GSO_TCPV4;
    struct vnet_hdr h = {.flags = VNET_HDR_F_NEEDS_CSUM, .gso_type = type, .gso_size = 1400};
    struct nm_env env = rig_env;
    struct virtio_rig v;
    unsigned calls = 0;
    uint32_t used;

    vr_open(&v, 1);
    CU_ASSERT_TRUE(vr_start(&v, layout | VIRTIO_NET_F_CSUM | VIRTIO_NET_F_HOST_USO, 2, 64));
    env.tx = take_segment;
    v.g.d.env = &env;
    segs.n = segs.payload = 0;
    segs.good = true;
    CU_ASSERT_TRUE(vr_send(&v, 1, &h, 12, frame, (uint32_t)len) >= 0);
    while (v.g.d.model->pending(&v.g.d)) {
        unsigned before = segs.n;

        CU_ASSERT_EQUAL(drv_take(&v.q[1], &used), -1);
        v.g.d.model->poll(&v.g.d);
        CU_ASSERT_TRUE(segs.n - before <= NM_TX_BURST);
        CU_ASSERT_TRUE_FATAL(++calls < 10);
    }
    CU_ASSERT_EQUAL(calls, 2);
    CU_ASSERT_EQUAL(segs.n, 43);
    CU_ASSERT_EQUAL(segs.payload, 60000);
    CU_ASSERT_TRUE(segs.good);
    CU_ASSERT_TRUE(drv_take(&v.q[1], &used) >= 0);
    vr_close(&v);
}

static void test_segmentation(void)
{
    for (unsigned k = 0; k < 8; k++)
        segment(k & 1, k & 2, layouts[k & 2]);
}

/* The first call ends in the middle of a frame, and the process with it: the successor sends all of
 * it, and gives the chain back once. */
static void test_segmentation_restart(void)
{
    static uint8_t frame[65536];
    struct frame_shape s = {.payload = 60000};
    size_t len = frame_build(frame, &s);
    struct vnet_hdr h = {
        .flags = VNET_HDR_F_NEEDS_CSUM, .gso_type = VNET_GSO_TCPV4, .gso_size = 1400};
    struct virtio_net before;
    struct virtio_rig v;
    uint32_t used;

    vr_open(&v, 1);
    CU_ASSERT_TRUE(vr_start(&v, 0, 2, 64));
    before = *vr_regs(&v);
    vr_send(&v, 1, &h, 12, frame, (uint32_t)len);
    v.g.d.model->poll(&v.g.d);
    CU_ASSERT_EQUAL(v.g.sent, NM_TX_BURST);
    *vr_regs(&v) = before;
    v.g.d.model->resume(&v.g.d);
    rig_poll(&v.g);
    CU_ASSERT_EQUAL(v.g.sent, NM_TX_BURST + 43);
    CU_ASSERT_TRUE(drv_take(&v.q[1], &used) >= 0);
    CU_ASSERT_EQUAL(drv_take(&v.q[1], &used), -1);
    vr_close(&v);
}

/* Whole, where the runner takes it: TCP whose checksum the driver began. All else in segments. */
static struct {
    unsigned n;
    struct nm_tso t;
    uint8_t frame[65536];
} larges;

static bool take_large(struct nm_dev *d, const struct nm_tso *t, nm_read_fn read, const void *from)
{
    (void)d;
    larges.n++;
    larges.t = *t;
    CU_ASSERT_FALSE(read(from, t->hdr_len + t->payload, larges.frame, 1));
    return read(from, 0, larges.frame, t->hdr_len + t->payload);
}

static void send_large(struct vnet_hdr h, bool udp, unsigned whole, unsigned segments)
{
    static uint8_t frame[65536];
    struct frame_shape s = {.udp = udp, .payload = 20000};
    size_t len = frame_build(frame, &s);
    struct nm_env env = rig_env;
    struct virtio_rig v;
    uint32_t used;

    h.csum_start = h.csum_start ? h.csum_start : (uint16_t)frame_l4(&s);
    vr_open(&v, 1);
    CU_ASSERT_TRUE(vr_start(&v, VIRTIO_NET_F_CSUM | VIRTIO_NET_F_HOST_USO, 2, 64));
    env.tx_large = take_large;
    v.g.d.env = &env;
    larges.n = 0;
    vr_send(&v, 1, &h, 12, frame, (uint32_t)len);
    rig_poll(&v.g);
    CU_ASSERT_EQUAL(larges.n, whole);
    CU_ASSERT_EQUAL(v.g.sent, segments);
    CU_ASSERT_TRUE(drv_take(&v.q[1], &used) >= 0);
    if (whole) {
        CU_ASSERT_EQUAL(larges.t.mss, h.gso_size);
        CU_ASSERT_EQUAL(larges.t.payload, 20000);
        CU_ASSERT_EQUAL(memcmp(larges.frame, frame, len), 0);
    }
    vr_close(&v);
}

static void test_send_large(void)
{
    struct vnet_hdr h = {
        .flags = VNET_HDR_F_NEEDS_CSUM, .gso_type = VNET_GSO_TCPV4, .gso_size = 1000};
    struct vnet_hdr no_csum = h, ecn = h, elsewhere = h, uso = h;

    send_large(h, false, 1, 0);
    no_csum.flags = 0;
    send_large(no_csum, false, 0, 20);
    ecn.gso_type |= VNET_GSO_ECN;
    send_large(ecn, false, 0, 20);
    elsewhere.csum_start = 14;
    send_large(elsewhere, false, 0, 20);
    uso.gso_type = VNET_GSO_UDP_L4;
    send_large(uso, true, 0, 20);
}

/* --- from the network --- */

static void offer(struct virtio_rig *v, unsigned queue, unsigned n, uint32_t size)
{
    for (unsigned i = 0; i < n; i++) {
        struct vq_buf b = {VR_BUFS + 0x10000ull * queue + 0x800 * i, size};

        CU_ASSERT_TRUE_FATAL(drv_add(&v->q[queue], &b, 0, 1) >= 0);
    }
}

/* Takes a received frame, as a driver with mergeable buffers does. @return its length, -1: none */
static int get_frame(struct virtio_rig *v, unsigned queue, uint8_t *frame, struct vnet_hdr *h)
{
    unsigned left = 1, n = 0;
    int total = 0;

    for (; left; left--, n++) {
        uint64_t at = VR_BUFS + 0x10000ull * queue;
        uint32_t used;
        int got = drv_take(&v->q[queue], &used);
        unsigned skip = n ? 0 : 12;

        if (got < 0)
            return -1;
        at += 0x800ull * (unsigned)got;
        if (!n) {
            drv_get(&v->mem, at, h, 12);
            left = h->num_buffers;
        }
        drv_get(&v->mem, at + skip, frame + total, used - skip);
        total += (int)(used - skip);
    }
    return total;
}

static void test_receive(void)
{
    uint8_t frame[NM_MAX_FRAME], got[NM_MAX_FRAME + 100];
    static const uint32_t sizes[] = {1530, 256, 60};

    fill(frame, sizeof(frame));
    for (unsigned k = 0; k < NLAYOUTS * 3; k++) {
        struct virtio_rig v;
        struct vnet_hdr h;

        vr_open(&v, 1);
        CU_ASSERT_TRUE(vr_start(&v, layouts[k / 3] | VIRTIO_NET_F_MRG_RXBUF, 2, 32));
        CU_ASSERT_FALSE(v.g.d.model->can_receive(&v.g.d, 60));
        for (unsigned i = 0; i < 50; i++) {
            size_t len = i & 1 ? NM_MAX_FRAME : 60 + i;

            offer(&v, 0, 32, sizes[k % 3]);
            CU_ASSERT_TRUE(v.g.d.model->can_receive(&v.g.d, len));
            rig_receive(&v.g, frame, len);
            CU_ASSERT_EQUAL(get_frame(&v, 0, got, &h), (int)len);
            CU_ASSERT_EQUAL(memcmp(frame, got, len), 0);
            CU_ASSERT_EQUAL(h.flags, 0);
            CU_ASSERT_EQUAL(h.gso_type, 0);
            while (v.q[0].free != 32) { /* the rest goes back with short frames */
                rig_receive(&v.g, frame, 14);
                CU_ASSERT_EQUAL_FATAL(get_frame(&v, 0, got, &h), 14);
            }
        }
        vr_close(&v);
    }
}

/* Without mergeable buffers a frame is in one chain, or nowhere. */
static void test_receive_single(void)
{
    struct vq_buf b[2] = {{VR_BUFS, 12}, {VR_BUFS + 0x100, 1518}}, small = {VR_BUFS + 0x1000, 100};
    uint8_t frame[NM_MAX_FRAME], got[NM_MAX_FRAME];
    struct virtio_rig v;
    uint32_t used;

    fill(frame, sizeof(frame));
    vr_open(&v, 1);
    CU_ASSERT_TRUE(vr_start(&v, 0, 2, 32));
    drv_add(&v.q[0], &small, 0, 1);
    CU_ASSERT_TRUE(v.g.d.model->can_receive(&v.g.d, 1000)); /* and is lost */
    rig_receive(&v.g, frame, 1000);
    CU_ASSERT_EQUAL(drv_take(&v.q[0], &used), -1);
    rig_receive(&v.g, frame, 80);
    CU_ASSERT_TRUE(drv_take(&v.q[0], &used) >= 0);
    CU_ASSERT_EQUAL(used, 92);
    drv_add(&v.q[0], b, 0, 2);
    rig_receive(&v.g, frame, 1518);
    CU_ASSERT_TRUE(drv_take(&v.q[0], &used) >= 0);
    CU_ASSERT_EQUAL(used, 1530);
    CU_ASSERT_EQUAL(drv_get16(&v.mem, VR_BUFS + 10), 1); /* num_buffers */
    drv_get(&v.mem, VR_BUFS + 0x100, got, 1518);
    CU_ASSERT_EQUAL(memcmp(got, frame, 1518), 0);
    vr_close(&v);
}

static void test_data_valid(void)
{
    struct frame_shape s = {.payload = 100};
    uint8_t frame[NM_MAX_FRAME], got[NM_MAX_FRAME];
    size_t len = frame_build(frame, &s);
    struct virtio_rig v;
    struct vnet_hdr h;

    vr_open(&v, 1);
    CU_ASSERT_TRUE(vr_start(&v, VIRTIO_NET_F_GUEST_CSUM | VIRTIO_NET_F_MRG_RXBUF, 2, 32));
    offer(&v, 0, 3, 1530);
    rig_receive(&v.g, frame, len);
    CU_ASSERT_EQUAL(get_frame(&v, 0, got, &h), (int)len);
    CU_ASSERT_EQUAL(h.flags, VNET_HDR_F_DATA_VALID);
    frame[len - 1] ^= 1;
    rig_receive(&v.g, frame, len);
    CU_ASSERT_EQUAL(get_frame(&v, 0, got, &h), (int)len);
    CU_ASSERT_EQUAL(h.flags, 0);
    vr_close(&v);
}

/* A large frame is for a driver that has agreed to it, and has mergeable buffers. */
static void test_receive_large(void)
{
    static uint8_t frame[65536], got[65536 + 100];
    struct frame_shape s = {.payload = 30000};
    size_t len = frame_build(frame, &s);
    uint64_t csum = VIRTIO_NET_F_GUEST_CSUM, tso = csum | VIRTIO_NET_F_GUEST_TSO4;
    const struct nm_model *m;
    struct virtio_rig v;
    struct vnet_hdr h;
    struct nm_tso t;

    CU_ASSERT_TRUE(nm_tso_of(frame, 256, 1400, (uint32_t)len, &t));
    vr_open(&v, 1);
    m = v.g.d.model;
    CU_ASSERT_FALSE(m->takes_large(&v.g.d, false)); /* no driver */
    CU_ASSERT_TRUE(vr_start(&v, csum | VIRTIO_NET_F_MRG_RXBUF, 2, 64));
    CU_ASSERT_FALSE(m->takes_large(&v.g.d, false));
    CU_ASSERT_TRUE(vr_start(&v, tso, 2, 64));
    CU_ASSERT_FALSE(m->takes_large(&v.g.d, false));
    CU_ASSERT_FALSE(vr_negotiate(&v, VIRTIO_F_VERSION_1 | VIRTIO_NET_F_GUEST_TSO4));
    CU_ASSERT_TRUE(vr_start(&v, tso | VIRTIO_NET_F_MRG_RXBUF, 2, 64));
    CU_ASSERT_TRUE(m->takes_large(&v.g.d, false));
    CU_ASSERT_FALSE(m->takes_large(&v.g.d, true));
    offer(&v, 0, 19, 0x600);
    CU_ASSERT_FALSE(m->can_receive(&v.g.d, len));
    CU_ASSERT_TRUE(vr_start(&v, tso | VIRTIO_NET_F_MRG_RXBUF, 2, 64));
    offer(&v, 0, 32, 0x600);
    CU_ASSERT_TRUE(m->can_receive(&v.g.d, len));
    m->receive_large(&v.g.d, &t, frame);
    CU_ASSERT_EQUAL(get_frame(&v, 0, got, &h), (int)len);
    CU_ASSERT_EQUAL(memcmp(frame, got, len), 0);
    CU_ASSERT_EQUAL(h.flags, VNET_HDR_F_NEEDS_CSUM);
    CU_ASSERT_EQUAL(h.gso_type, VNET_GSO_TCPV4);
    CU_ASSERT_EQUAL(h.gso_size, 1400);
    CU_ASSERT_EQUAL(h.hdr_len, t.hdr_len);
    CU_ASSERT_EQUAL(h.csum_start, t.l4);
    CU_ASSERT_EQUAL(h.csum_offset, 16);
    vr_close(&v);
}

/* While the device is polled, the driver is told of what was sent once it has been quiet for a
 * while, not if it looked away meanwhile, and before the device goes to sleep. */
static void test_held_interrupt(void)
{
    const struct nm_model *m;
    uint8_t frame[60];
    struct virtio_rig v;

    fill(frame, sizeof(frame));
    vr_open(&v, 1);
    m = v.g.d.model;
    m->disarm(&v.g.d);
    vr_msix(&v);
    CU_ASSERT_TRUE(vr_start(&v, 0, 2, 64));
    v.g.ns = 1000000;
    for (unsigned i = 0; i < 10; i++) {
        vr_send(&v, 1, &plain, 12, frame, 60);
        m->poll(&v.g.d);
        v.g.ns += 10000;
    }
    CU_ASSERT_EQUAL(v.g.sent, 10);
    CU_ASSERT_EQUAL(v.g.msis, 0);
    v.g.ns += 1000000;
    m->poll(&v.g.d);
    CU_ASSERT_EQUAL(v.g.msis, 1);
    CU_ASSERT_EQUAL(v.g.msi_data, 0x42);
    v.g.ns += 1000000;
    m->poll(&v.g.d);
    CU_ASSERT_EQUAL(v.g.msis, 1);
    vr_send(&v, 1, &plain, 12, frame, 60);
    m->poll(&v.g.d);
    drv_put16(&v.mem, v.q[1].base + DRV_DRIVER, 1); /* NO_INTERRUPT */
    v.g.ns += 1000000;
    m->poll(&v.g.d);
    CU_ASSERT_EQUAL(v.g.msis, 1);
    drv_put16(&v.mem, v.q[1].base + DRV_DRIVER, 0);
    vr_send(&v, 1, &plain, 12, frame, 60);
    m->poll(&v.g.d);
    CU_ASSERT_EQUAL(v.g.msis, 1);
    m->arm(&v.g.d);
    CU_ASSERT_EQUAL(v.g.msis, 2);
    vr_close(&v);
}

/* --- the legacy interface --- */

static void test_legacy(void)
{
    static const uint32_t plain_features[2] = {0, VIRTIO_NET_F_MRG_RXBUF};
    uint8_t frame[100], got[100];

    fill(frame, sizeof(frame));
    for (unsigned k = 0; k < 2; k++) {
        uint32_t hdr = k ? 12 : 10, used;
        struct vq_buf b = {VR_BUFS, 1530};
        struct virtio_rig v;

        vr_open(&v, 1);
        rig_write(&v.g, VP_BAR_LEGACY, 0x12, 1, 3);
        rig_write(&v.g, VP_BAR_LEGACY, 4, 4, plain_features[k]);
        for (unsigned i = 0; i < 2; i++) {
            /* the parts follow one another: no place of drv's choice */
            drv_init(&v.q[i], &v.mem, RIG_MEM + i * VR_QUEUE_STEP, VP_QUEUE_SIZE, false);
            rig_write(&v.g, VP_BAR_LEGACY, 0x0e, 2, i);
            rig_write(&v.g, VP_BAR_LEGACY, 8, 4, (v.q[i].base + DRV_DESC) >> 12);
            vr_regs(&v)->v.q[i].vq.driver = v.q[i].base + DRV_DRIVER;
            vr_regs(&v)->v.q[i].vq.device = v.q[i].base + DRV_DEVICE;
        }
        rig_write(&v.g, VP_BAR_LEGACY, 0x12, 1, 7);
        vr_send(&v, 1, &plain, hdr, frame, 100);
        rig_write(&v.g, VP_BAR_LEGACY, 0x10, 2, 1);
        rig_poll(&v.g);
        CU_ASSERT_EQUAL(v.g.sent, 1);
        CU_ASSERT_EQUAL(v.g.len[0], 100);
        CU_ASSERT_EQUAL(memcmp(v.g.frame[0], frame, 100), 0);
        CU_ASSERT_TRUE(v.g.level);
        CU_ASSERT_EQUAL(rig_read(&v.g, VP_BAR_LEGACY, 0x13, 1), VP_ISR_QUEUE);
        CU_ASSERT_FALSE(v.g.level);
        drv_add(&v.q[0], &b, 0, 1);
        rig_receive(&v.g, frame, 100);
        CU_ASSERT_TRUE(drv_take(&v.q[0], &used) >= 0);
        CU_ASSERT_EQUAL(used, 100 + hdr);
        drv_get(&v.mem, VR_BUFS + hdr, got, 100);
        CU_ASSERT_EQUAL(memcmp(got, frame, 100), 0);
        vr_close(&v);
    }
}

/* --- notifications, interrupts, states --- */

/* While it is polled the driver never has a reason to notify; asleep it has. */
static void test_polled(void)
{
    uint8_t frame[60];

    fill(frame, sizeof(frame));
    for (unsigned k = 0; k < NLAYOUTS; k++) {
        const struct nm_model *m;
        struct virtio_rig v;
        uint64_t where;
        bool packed = layouts[k] & VIRTIO_F_RING_PACKED, event = layouts[k] & VIRTIO_F_EVENT_IDX;
        uint32_t used;

        vr_open(&v, 1);
        m = v.g.d.model;
        m->disarm(&v.g.d);
        CU_ASSERT_TRUE(vr_start(&v, layouts[k], 2, 64));
        where = v.q[1].base + DRV_DEVICE;
        for (unsigned i = 0; i < 70000; i++) {
            vr_send(&v, 1, &plain, 12, frame, 60);
            if (packed)
                CU_ASSERT_EQUAL(drv_get16(&v.mem, where + 2), 1);
            if (!packed && event)
                CU_ASSERT_NOT_EQUAL(drv_get16(&v.mem, where + 4 + 8 * 64),
                                    (uint16_t)(v.q[1].next - 1));
            if (!packed && !event)
                CU_ASSERT_EQUAL(drv_get16(&v.mem, where), 1);
            m->poll(&v.g.d);
            CU_ASSERT_TRUE_FATAL(drv_take(&v.q[1], &used) >= 0);
        }
        CU_ASSERT_TRUE(m->pending(&v.g.d)); /* go on polling */
        CU_ASSERT_TRUE(m->arm(&v.g.d));
        CU_ASSERT_FALSE(m->pending(&v.g.d));
        vr_send(&v, 1, &plain, 12, frame, 60);
        CU_ASSERT_TRUE(m->pending(&v.g.d));
        CU_ASSERT_FALSE(m->arm(&v.g.d));
        if (packed)
            CU_ASSERT_EQUAL(drv_get16(&v.mem, where + 2), 0);
        if (!packed && event)
            CU_ASSERT_EQUAL(drv_get16(&v.mem, where + 4 + 8 * 64), (uint16_t)(v.q[1].next - 1));
        if (!packed && !event)
            CU_ASSERT_EQUAL(drv_get16(&v.mem, where), 0);
        m->disarm(&v.g.d);
        vr_close(&v);
    }
}

static void test_not_live(void)
{
    uint8_t frame[60];
    struct virtio_rig v;

    fill(frame, sizeof(frame));
    vr_open(&v, 1);
    v.g.d.model->disarm(&v.g.d);
    CU_ASSERT_FALSE(v.g.d.model->pending(&v.g.d));
    CU_ASSERT_TRUE(v.g.d.model->can_receive(&v.g.d, 60));
    rig_receive(&v.g, frame, 60);
    CU_ASSERT_TRUE(vr_start(&v, 0, 2, 64));
    CU_ASSERT_TRUE(v.g.d.model->pending(&v.g.d));
    vr_send(&v, 1, &plain, 12, frame, 60);
    rig_write(&v.g, NM_REGION_CONFIG, PCI_COMMAND, 2, PCI_COMMAND_MEM); /* no bus master */
    rig_poll(&v.g);
    CU_ASSERT_EQUAL(v.g.sent, 0);
    v.g.d.model->reset(&v.g.d);
    CU_ASSERT_FALSE(v.g.d.model->pending(&v.g.d));
    vr_close(&v);
}

static void test_interrupts(void)
{
    uint8_t frame[60];
    struct virtio_rig v;

    fill(frame, sizeof(frame));
    vr_open(&v, 1);
    vr_msix(&v);
    CU_ASSERT_TRUE(vr_start(&v, 0, 2, 64));
    vr_send(&v, 1, &plain, 12, frame, 60);
    rig_poll(&v.g);
    CU_ASSERT_EQUAL(v.g.msis, 1);
    CU_ASSERT_EQUAL(v.g.msi_data, 0x42);
    offer(&v, 0, 4, 1530);
    rig_receive(&v.g, frame, 60);
    CU_ASSERT_EQUAL(v.g.msis, 2);
    CU_ASSERT_EQUAL(v.g.msi_data, 0x41);
    drv_put16(&v.mem, v.q[0].base + DRV_DRIVER, 1); /* NO_INTERRUPT */
    rig_receive(&v.g, frame, 60);
    CU_ASSERT_EQUAL(v.g.msis, 2);
    vr_close(&v);
}

/* After a restart everything is signalled once more, and the neighbours are to be told. */
static void test_resume(void)
{
    uint64_t features = VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_GUEST_ANNOUNCE | VIRTIO_NET_F_STATUS;
    struct virtio_rig v;

    vr_open(&v, 1);
    vr_msix(&v);
    CU_ASSERT_TRUE(vr_start(&v, features, 3, 64));
    v.g.d.model->resume(&v.g.d);
    CU_ASSERT_EQUAL(v.g.msis, 4);
    CU_ASSERT_EQUAL(v.g.msi_data, 0x40);
    CU_ASSERT_EQUAL(rig_read(&v.g, VP_BAR_MODERN, VP_DEVICE + 6, 2), 3);
    CU_ASSERT_EQUAL(vr_command(&v, 2, 3, 0, NULL, 0), 0);
    CU_ASSERT_EQUAL(rig_read(&v.g, VP_BAR_MODERN, VP_DEVICE + 6, 2), 1);
    CU_ASSERT_EQUAL(vr_command(&v, 2, 3, 0, NULL, 0), 1); /* nothing to acknowledge */
    vr_close(&v);
}

const struct cu_test suite_tests[] = {
    {"frames are sent", test_send},
    {"what is no frame is not", test_send_nonsense},
    {"checksums", test_checksum},
    {"segmentation", test_segmentation},
    {"segmentation, killed in the middle", test_segmentation_restart},
    {"large frames are sent whole", test_send_large},
    {"large frames are received whole", test_receive_large},
    {"frames are received, in mergeable buffers", test_receive},
    {"frames are received, in single ones", test_receive_single},
    {"checksums looked at for the driver", test_data_valid},
    {"interrupts for what was sent, held back", test_held_interrupt},
    {"a legacy driver", test_legacy},
    {"polled without any notification", test_polled},
    {"no driver, no frames", test_not_live},
    {"interrupts", test_interrupts},
    {"taken over from a former process", test_resume},
    {NULL, NULL},
};
