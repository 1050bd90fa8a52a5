/* SPDX-License-Identifier: BSD-3-Clause */
/* The virtio network device's control queue: filters, VLANs, queue pairs; and its restart. */
#include <CUnit/CUnit.h>

#include "cu_main.h"
#include "net_frames.h"
#include "virtio_rig.h"

const char *const suite_name = "virtio_net_ctrl";

#define CTRL                                                                                       \
    (VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_CTRL_RX | VIRTIO_NET_F_CTRL_RX_EXTRA |                    \
     VIRTIO_NET_F_CTRL_MAC_ADDR | VIRTIO_NET_F_GUEST_CSUM | VIRTIO_NET_F_CTRL_GUEST_OFFLOADS)
enum { RX = 0, MAC = 1, VLAN = 2, MQ = 4, OFFLOADS = 5 };
enum { PROMISC = 0, ALLMULTI, ALLUNI, NOMULTI, NOUNI, NOBCAST };
#define OK  0
#define ERR 1

static struct virtio_rig v;

/* A driver that is up with one pair, and promiscuous no longer. */
static void open_filtered(uint64_t features)
{
    uint8_t off = 0;

    vr_open(&v, 1);
    CU_ASSERT_TRUE(vr_start(&v, CTRL | features, 3, 64));
    CU_ASSERT_EQUAL(vr_command(&v, 2, RX, PROMISC, &off, 1), OK);
    for (unsigned i = 0; i < 32; i++) {
        struct vq_buf b = {VR_BUFS + 0x800 * i, 1530};

        drv_add(&v.q[0], &b, 0, 1);
    }
}

/* Does a frame to this address, with this VLAN tag (0: none), arrive? */
static bool arrives(const char *to, uint16_t tci)
{
    uint8_t frame[100] = {0};
    size_t len = 60;
    uint32_t used;
    bool came;

    memcpy(frame, to, 6);
    if (tci)
        len = nm_vlan_insert(frame, len, NM_ETH_VLAN, tci);
    rig_receive(&v.g, frame, len);
    came = drv_take(&v.q[0], &used) >= 0;
    if (came) {
        struct vq_buf b = {VR_BUFS, 1530};

        drv_add(&v.q[0], &b, 0, 1);
    }
    return came;
}

#define MINE      "\x52\x54\x00\x12\x34\x56"
#define OTHER     "\x52\x54\x00\x99\x99\x99"
#define GROUP     "\x01\x00\x5e\x00\x00\x05"
#define BROADCAST "\xff\xff\xff\xff\xff\xff"

static int rx(uint8_t cmd, uint8_t on)
{
    return vr_command(&v, 2, RX, cmd, &on, 1);
}

static void test_rx_modes(void)
{
    open_filtered(0);
    CU_ASSERT_TRUE(arrives(MINE, 0));
    CU_ASSERT_TRUE(arrives(BROADCAST, 0));
    CU_ASSERT_FALSE(arrives(OTHER, 0));
    CU_ASSERT_FALSE(arrives(GROUP, 0));
    CU_ASSERT_EQUAL(rx(ALLMULTI, 1), OK);
    CU_ASSERT_TRUE(arrives(GROUP, 0));
    CU_ASSERT_EQUAL(rx(NOMULTI, 1), OK);
    CU_ASSERT_FALSE(arrives(GROUP, 0));
    CU_ASSERT_TRUE(arrives(BROADCAST, 0));
    CU_ASSERT_EQUAL(rx(NOBCAST, 1), OK);
    CU_ASSERT_FALSE(arrives(BROADCAST, 0));
    CU_ASSERT_EQUAL(rx(ALLUNI, 1), OK);
    CU_ASSERT_TRUE(arrives(OTHER, 0));
    CU_ASSERT_EQUAL(rx(NOUNI, 1), OK);
    CU_ASSERT_FALSE(arrives(MINE, 0));
    CU_ASSERT_EQUAL(rx(PROMISC, 1), OK);
    CU_ASSERT_TRUE(arrives(OTHER, 0));
    CU_ASSERT_EQUAL(rx(6, 1), ERR);
    vr_close(&v);
}

/* Two lists: le32 count, addresses. */
static uint32_t mac_list(uint8_t *at, uint32_t n, uint8_t first)
{
    memcpy(at, &n, 4);
    for (uint32_t i = 0; i < n; i++) {
        uint8_t mac[6] = {first, 0, 0, 0, (uint8_t)(i >> 8), (uint8_t)i};

        memcpy(at + 4 + 6 * i, mac, 6);
    }
    return 4 + 6 * n;
}

static int set_macs(uint32_t uni, uint32_t multi)
{
    uint8_t data[8192];
    uint32_t len = mac_list(data, uni, 2);

    len += mac_list(data + len, multi, 3);
    return vr_command(&v, 2, MAC, 0, data, len);
}

static void test_mac_table(void)
{
    uint8_t huge[10] = {0xff, 0xff, 0xff, 0xff};

    open_filtered(0);
    CU_ASSERT_EQUAL(set_macs(3, 2), OK);
    CU_ASSERT_TRUE(arrives("\x02\0\0\0\0\x02", 0));
    CU_ASSERT_FALSE(arrives("\x02\0\0\0\0\x03", 0));
    CU_ASSERT_TRUE(arrives("\x03\0\0\0\0\x01", 0));
    CU_ASSERT_FALSE(arrives("\x03\0\0\0\0\x02", 0));
    CU_ASSERT_TRUE(arrives(MINE, 0));
    CU_ASSERT_EQUAL(set_macs(64, 0), OK);
    CU_ASSERT_TRUE(arrives("\x02\0\0\0\0\x3f", 0));
    CU_ASSERT_FALSE(arrives(OTHER, 0));
    CU_ASSERT_EQUAL(set_macs(64, 1), OK); /* no room for the second list: all of its kind */
    CU_ASSERT_TRUE(arrives(GROUP, 0));
    CU_ASSERT_FALSE(arrives(OTHER, 0));
    CU_ASSERT_EQUAL(set_macs(65, 1), OK);
    CU_ASSERT_TRUE(arrives(OTHER, 0));
    CU_ASSERT_FALSE(arrives(GROUP, 0));
    CU_ASSERT_EQUAL(set_macs(0, 0), OK);
    CU_ASSERT_FALSE(arrives(OTHER, 0));
    CU_ASSERT_EQUAL(vr_command(&v, 2, MAC, 0, huge, 10), ERR); /* more than there are bytes */
    CU_ASSERT_EQUAL(vr_command(&v, 2, MAC, 0, huge, 3), ERR);
    CU_ASSERT_EQUAL(vr_command(&v, 2, MAC, 1, OTHER, 6), OK);
    CU_ASSERT_TRUE(arrives(OTHER, 0));
    CU_ASSERT_FALSE(arrives(MINE, 0));
    CU_ASSERT_EQUAL(rig_read(&v.g, VP_BAR_MODERN, VP_DEVICE + 5, 1), 0x99);
    CU_ASSERT_EQUAL(vr_command(&v, 2, MAC, 1, OTHER, 5), ERR);
    CU_ASSERT_EQUAL(vr_command(&v, 2, MAC, 2, OTHER, 6), ERR);
    vr_close(&v);
}

static void test_vlan(void)
{
    uint16_t id = 5;

    open_filtered(VIRTIO_NET_F_CTRL_VLAN);
    CU_ASSERT_FALSE(arrives(MINE, 5));
    CU_ASSERT_TRUE(arrives(MINE, 0));
    CU_ASSERT_EQUAL(vr_command(&v, 2, VLAN, 0, &id, 2), OK);
    CU_ASSERT_TRUE(arrives(MINE, 5));
    CU_ASSERT_TRUE(arrives(MINE, 0xe005)); /* priority is no matter */
    CU_ASSERT_FALSE(arrives(MINE, 6));
    CU_ASSERT_EQUAL(vr_command(&v, 2, VLAN, 1, &id, 2), OK);
    CU_ASSERT_FALSE(arrives(MINE, 5));
    id = 0x1000;
    CU_ASSERT_EQUAL(vr_command(&v, 2, VLAN, 0, &id, 2), ERR);
    CU_ASSERT_EQUAL(vr_command(&v, 2, VLAN, 2, &id, 2), ERR);
    vr_close(&v);
    open_filtered(0); /* not negotiated: tags are no matter */
    CU_ASSERT_TRUE(arrives(MINE, 5));
    id = 5;
    CU_ASSERT_EQUAL(vr_command(&v, 2, VLAN, 0, &id, 2), ERR);
    vr_close(&v);
}

static void test_offloads(void)
{
    uint64_t f = 0;

    open_filtered(0);
    CU_ASSERT_EQUAL(vr_command(&v, 2, OFFLOADS, 0, &f, 8), OK);
    CU_ASSERT_EQUAL(vr_regs(&v)->offloads & VN_OFFLOAD_CSUM, 0);
    f = VIRTIO_NET_F_GUEST_CSUM;
    CU_ASSERT_EQUAL(vr_command(&v, 2, OFFLOADS, 0, &f, 8), OK);
    CU_ASSERT_EQUAL(vr_regs(&v)->offloads & VN_OFFLOAD_CSUM, VN_OFFLOAD_CSUM);
    f = VIRTIO_NET_F_GUEST_TSO4;
    CU_ASSERT_EQUAL(vr_command(&v, 2, OFFLOADS, 0, &f, 8), ERR);
    CU_ASSERT_EQUAL(vr_command(&v, 2, 77, 0, &f, 8), ERR);
    vr_close(&v);
}

/* Commands that are none, and chains without an answer's place. */
static void test_nonsense(void)
{
    struct vq_buf one = {VR_BUFS, 1}, head = {VR_BUFS, 2};
    uint32_t used;

    open_filtered(0);
    drv_add(&v.q[2], &one, 1, 1);
    drv_add(&v.q[2], &head, 1, 1);
    drv_add(&v.q[2], &one, 0, 1);
    rig_poll(&v.g);
    for (unsigned i = 0; i < 3; i++) {
        CU_ASSERT_TRUE(drv_take(&v.q[2], &used) >= 0);
        CU_ASSERT_EQUAL(used, i == 2);
    }
    CU_ASSERT_EQUAL(rx(ALLMULTI, 1), OK);
    vr_close(&v);
}

/* A reset forgets all of it. */
static void test_reset(void)
{
    open_filtered(0);
    CU_ASSERT_EQUAL(vr_command(&v, 2, MAC, 1, OTHER, 6), OK);
    vr_put(&v, C_STATUS, 1, 0);
    CU_ASSERT_EQUAL(memcmp(vr_regs(&v)->mac, rig_mac, 6), 0);
    CU_ASSERT_EQUAL(vr_regs(&v)->rx_mode, VN_RX_PROMISC);
    vr_close(&v);
}

/* --- several pairs --- */

static void flow_frame(uint8_t *f, unsigned port, bool back)
{
    struct frame_shape s = {.payload = 10};

    frame_build(f, &s);
    memcpy(f, rig_mac, 6);
    nm_put_be16(f + frame_l4(&s) + (back ? 2 : 0), (uint16_t)(5000 + port));
    nm_put_be16(f + frame_l4(&s) + (back ? 0 : 2), 80);
    if (back) {
        uint8_t t[4];

        memcpy(t, f + 26, 4);
        memcpy(f + 26, f + 30, 4);
        memcpy(f + 30, t, 4);
    }
}

static unsigned receives_on(const uint8_t *f, size_t len)
{
    uint32_t used;

    rig_receive(&v.g, f, len);
    for (unsigned i = 0; i < 4; i++)
        if (drv_take(&v.q[2 * i], &used) >= 0)
            return i;
    return 99;
}

static void open_pairs(void)
{
    uint16_t n = 4;

    vr_open(&v, 4);
    CU_ASSERT_TRUE(vr_start(&v, CTRL | VIRTIO_NET_F_MQ, 9, 64));
    for (unsigned i = 0; i < 4; i++)
        for (unsigned k = 0; k < 60; k++) {
            struct vq_buf b = {VR_BUFS + 0x800 * k, 1530};

            drv_add(&v.q[2 * i], &b, 0, 1);
        }
    CU_ASSERT_EQUAL(vr_command(&v, 8, MQ, 0, &n, 2), OK);
}

/* What comes back of a flow comes where it was sent from. */
static void test_flows(void)
{
    struct vnet_hdr h = {0};
    uint8_t f[200];
    size_t len = 14 + 20 + 20 + 10;

    open_pairs();
    for (unsigned port = 0; port < 16; port++) {
        flow_frame(f, port, false);
        vr_send(&v, 2 * (port % 4) + 1, &h, 12, f, (uint32_t)len);
        rig_poll(&v.g);
        flow_frame(f, port, true);
        CU_ASSERT_EQUAL(receives_on(f, len), port % 4);
    }
    vr_close(&v);
}

static void test_pairs(void)
{
    uint16_t n;
    uint8_t f[200];

    open_pairs();
    n = 0;
    CU_ASSERT_EQUAL(vr_command(&v, 8, MQ, 0, &n, 2), ERR);
    n = 5;
    CU_ASSERT_EQUAL(vr_command(&v, 8, MQ, 0, &n, 2), ERR);
    n = 1;
    CU_ASSERT_EQUAL(vr_command(&v, 8, MQ, 0, &n, 2), OK);
    for (unsigned port = 0; port < 8; port++) {
        flow_frame(f, port, true);
        CU_ASSERT_EQUAL(receives_on(f, 64), 0);
    }
    vr_close(&v);
}

/* All pairs get their share of the frames one call may send. */
static void test_fairness(void)
{
    struct vnet_hdr h = {0};
    uint32_t used, got[4] = {0};
    uint8_t f[200];

    open_pairs();
    flow_frame(f, 0, false);
    for (unsigned i = 0; i < 4; i++)
        for (unsigned k = 0; k < 20; k++)
            vr_send(&v, 2 * i + 1, &h, 12, f, 64);
    for (unsigned calls = 0; calls < 3; calls++)
        v.g.d.model->poll(&v.g.d);
    for (unsigned i = 0; i < 4; i++)
        while (drv_take(&v.q[2 * i + 1], &used) >= 0)
            got[i]++;
    CU_ASSERT_EQUAL(got[0] + got[1] + got[2] + got[3], 80);
    vr_close(&v);
}

/* --- killed --- */

/* A driver that was answered is not forgotten, and is not answered twice. */
static void test_restart(void)
{
    uint8_t head[3] = {RX, PROMISC, 0}, ack = 0xff;
    struct vq_buf b[2] = {{VR_BUFS, 3}, {VR_BUFS + 64, 1}};
    struct virtio_net committed;
    uint32_t used;

    for (unsigned die = 0; die < 4; die++) {
        vr_open(&v, 1);
        CU_ASSERT_TRUE(vr_start(&v, CTRL, 3, 64));
        drv_put(&v.mem, b[0].gpa, head, 3);
        drv_put(&v.mem, b[1].gpa, &ack, 1);
        drv_add(&v.q[2], b, 1, 2);
        committed = *vr_regs(&v);
        v.g.d.model->poll(&v.g.d); /* carries it out */
        if (die >= 1)
            committed = *vr_regs(&v);
        CU_ASSERT_EQUAL(drv_take(&v.q[2], &used), -1);
        if (die >= 2)
            v.g.d.model->poll(&v.g.d); /* answers */
        if (die >= 3)
            committed = *vr_regs(&v);
        *vr_regs(&v) = committed;
        v.g.d.model->resume(&v.g.d);
        rig_poll(&v.g);
        CU_ASSERT_EQUAL(vr_regs(&v)->rx_mode & VN_RX_PROMISC, 0);
        CU_ASSERT_TRUE(drv_take(&v.q[2], &used) >= 0);
        CU_ASSERT_EQUAL(drv_take(&v.q[2], &used), -1);
        CU_ASSERT_EQUAL(rx(ALLMULTI, 1), OK);
        vr_close(&v);
    }
}

const struct cu_test suite_tests[] = {
    {"what is received", test_rx_modes},
    {"the table of MAC addresses", test_mac_table},
    {"VLANs", test_vlan},
    {"offloads", test_offloads},
    {"commands that are none", test_nonsense},
    {"a reset", test_reset},
    {"flows keep to their pair", test_flows},
    {"the number of pairs", test_pairs},
    {"pairs take turns", test_fairness},
    {"a command is carried out and answered once", test_restart},
    {NULL, NULL},
};
