/* SPDX-License-Identifier: BSD-3-Clause */
/* Virtio over PCI as a driver sees it: capabilities, registers, interrupts, the legacy interface.
 */
#include <CUnit/CUnit.h>
#include <errno.h>

#include "cu_main.h"
#include "virtio_rig.h"

const char *const suite_name = "virtio_pci";

static uint64_t cfg(struct virtio_rig *v, unsigned offset, unsigned size)
{
    return rig_read(&v->g, NM_REGION_CONFIG, offset, size);
}

static void test_identity(void)
{
    struct nm_window w[NM_MAX_REGIONS];
    struct virtio_rig v;

    vr_open(&v, 1);
    CU_ASSERT_EQUAL(cfg(&v, PCI_VENDOR_ID, 4), 0x10001af4);
    CU_ASSERT_EQUAL(cfg(&v, PCI_SUBSYSTEM_VENDOR_ID, 4), 0x00011af4);
    CU_ASSERT_EQUAL(cfg(&v, PCI_REVISION_ID, 1), 0); /* 4.1.2.3: of transitional devices */
    CU_ASSERT_EQUAL(v.g.d.model->windows(&v.g.d, w, NM_MAX_REGIONS), 3);
    CU_ASSERT_EQUAL(nm_model_find("virtio-net")->multiqueue, true);
    vr_close(&v);
}

/* As a driver looks for them (4.1.4): each once, inside its BAR. */
static void test_capabilities(void)
{
    static const uint64_t where[6] = {0, VP_COMMON, VP_NOTIFY, VP_ISR, VP_DEVICE, 0};
    unsigned seen[6] = {0}, msix = 0, steps = 0;
    struct virtio_rig v;

    vr_open(&v, 8);
    CU_ASSERT_TRUE(cfg(&v, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST);
    for (unsigned at = (unsigned)cfg(&v, PCI_CAP_PTR, 1); at; at = (unsigned)cfg(&v, at + 1, 1)) {
        unsigned id = (unsigned)cfg(&v, at, 1), type = (unsigned)cfg(&v, at + 3, 1);

        CU_ASSERT_TRUE_FATAL(++steps < 20);
        if (id == 0x11) {
            msix++;
            CU_ASSERT_EQUAL((cfg(&v, at + 2, 2) & 0x7ff) + 1, VP_VECTORS);
            CU_ASSERT_EQUAL(cfg(&v, at + 4, 4), VP_BAR_MSIX);
            CU_ASSERT_EQUAL(cfg(&v, at + 8, 4), VP_BAR_MSIX | MSIX_PBA);
            continue;
        }
        CU_ASSERT_EQUAL_FATAL(id, 9);
        CU_ASSERT_TRUE_FATAL(type >= 1 && type <= 5);
        seen[type]++;
        if (type == 5)
            continue;
        CU_ASSERT_EQUAL(cfg(&v, at + 4, 1), VP_BAR_MODERN);
        CU_ASSERT_EQUAL(cfg(&v, at + 8, 4), where[type]);
        CU_ASSERT_TRUE(cfg(&v, at + 8, 4) + cfg(&v, at + 12, 4) <= VP_MODERN_SIZE);
        if (type == 2)
            CU_ASSERT_EQUAL(cfg(&v, at + 16, 4), 4);
    }
    CU_ASSERT_EQUAL(msix, 1);
    for (unsigned i = 1; i <= 5; i++)
        CU_ASSERT_EQUAL(seen[i], 1);
    vr_close(&v);
}

/* 4.1.4.9: the same registers through configuration space. */
static void test_window(void)
{
    unsigned at = 0x40 + 12 + 16 + 16 + 16 + 20;
    struct virtio_rig v;

    vr_open(&v, 2);
    CU_ASSERT_EQUAL_FATAL(cfg(&v, at + 3, 1), 5);
    rig_write(&v.g, NM_REGION_CONFIG, at + 4, 1, VP_BAR_MODERN);
    rig_write(&v.g, NM_REGION_CONFIG, at + 8, 4, VP_COMMON + C_NUM_QUEUES);
    rig_write(&v.g, NM_REGION_CONFIG, at + 12, 4, 2);
    CU_ASSERT_EQUAL(cfg(&v, at + 16, 2), 5);
    rig_write(&v.g, NM_REGION_CONFIG, at + 8, 4, VP_COMMON + C_QUEUE_SELECT);
    rig_write(&v.g, NM_REGION_CONFIG, at + 16, 2, 3);
    CU_ASSERT_EQUAL(vr_get(&v, C_QUEUE_SELECT, 2), 3);
    rig_write(&v.g, NM_REGION_CONFIG, at + 12, 4, 3); /* no size: nothing happens */
    rig_write(&v.g, NM_REGION_CONFIG, at + 16, 2, 1);
    rig_write(&v.g, NM_REGION_CONFIG, at + 12, 4, 0);
    rig_write(&v.g, NM_REGION_CONFIG, at + 16, 2, 1);
    rig_write(&v.g, NM_REGION_CONFIG, at + 12, 4, 0x10000002);
    rig_write(&v.g, NM_REGION_CONFIG, at + 16, 2, 1);
    CU_ASSERT_EQUAL(vr_get(&v, C_QUEUE_SELECT, 2), 3);
    rig_write(&v.g, NM_REGION_CONFIG, at + 12, 4, 2); /* no BAR: reads all ones */
    rig_write(&v.g, NM_REGION_CONFIG, at + 4, 1, 7);
    CU_ASSERT_EQUAL(cfg(&v, at + 16, 2), 0xffff);
    vr_close(&v);
}

static void test_decoding(void)
{
    struct virtio_rig v;

    vr_open(&v, 1);
    rig_write(&v.g, NM_REGION_CONFIG, PCI_COMMAND, 2, 0);
    CU_ASSERT_EQUAL(vr_get(&v, C_NUM_QUEUES, 2), ~0ull);
    CU_ASSERT_EQUAL(rig_read(&v.g, VP_BAR_LEGACY, 12, 2), ~0ull);
    CU_ASSERT_EQUAL(rig_read(&v.g, VP_BAR_MSIX, 12, 4), ~0ull);
    CU_ASSERT_EQUAL(rig_read(&v.g, 3, 0, 4), ~0ull);
    vr_close(&v);
}

static void test_features(void)
{
    struct virtio_rig v;
    uint64_t offered;

    vr_open(&v, 1);
    offered = vr_offered(&v);
    CU_ASSERT_NOT_EQUAL(offered & VIRTIO_F_VERSION_1, 0);
    CU_ASSERT_NOT_EQUAL(offered & VIRTIO_F_RING_PACKED, 0);
    CU_ASSERT_NOT_EQUAL(offered & VIRTIO_NET_F_HOST_USO, 0);
    CU_ASSERT_EQUAL(offered & VIRTIO_NET_F_MQ, 0); /* with one pair */
    vr_put(&v, C_DEVICE_FEATURE_SELECT, 4, 2);
    CU_ASSERT_EQUAL(vr_get(&v, C_DEVICE_FEATURE, 4), 0);
    CU_ASSERT_TRUE(vr_negotiate(&v, offered));
    CU_ASSERT_TRUE(vr_negotiate(&v, VIRTIO_F_VERSION_1));
    CU_ASSERT_FALSE(vr_negotiate(&v, 0));
    CU_ASSERT_FALSE(vr_negotiate(&v, offered & ~VIRTIO_F_VERSION_1));
    CU_ASSERT_FALSE(vr_negotiate(&v, offered | 1ull << 63));
    CU_ASSERT_FALSE(vr_negotiate(&v, offered | VIRTIO_NET_F_MQ));
    CU_ASSERT_FALSE(vr_negotiate(&v, VIRTIO_F_VERSION_1 | VIRTIO_NET_F_HOST_TSO4));
    CU_ASSERT_FALSE(vr_negotiate(&v, VIRTIO_F_VERSION_1 | VIRTIO_NET_F_CTRL_RX));
    CU_ASSERT_TRUE(vr_negotiate(&v, VIRTIO_F_VERSION_1));
    vr_put(&v, C_DRIVER_FEATURE_SELECT, 4, 0); /* too late */
    vr_put(&v, C_DRIVER_FEATURE, 4, 0xffffffff);
    CU_ASSERT_EQUAL(vr_get(&v, C_DRIVER_FEATURE, 4), 0);
    vr_close(&v);
    vr_open(&v, 8);
    CU_ASSERT_TRUE(vr_offered(&v) & VIRTIO_NET_F_MQ);
    CU_ASSERT_EQUAL(vr_get(&v, C_NUM_QUEUES, 2), 17);
    vr_close(&v);
}

static void test_queue_registers(void)
{
    struct virtio_rig v;

    vr_open(&v, 1);
    vr_put(&v, C_QUEUE_SELECT, 2, 3);
    CU_ASSERT_EQUAL(vr_get(&v, C_QUEUE_SIZE, 2), 0); /* there is none */
    vr_put(&v, C_QUEUE_SIZE, 2, 4);
    vr_put(&v, C_QUEUE_ENABLE, 2, 1);
    CU_ASSERT_EQUAL(vr_get(&v, C_QUEUE_ENABLE, 2), 0);
    CU_ASSERT_TRUE(vr_negotiate(&v, VIRTIO_F_VERSION_1 | VIRTIO_F_RING_RESET));
    vr_put(&v, C_QUEUE_SELECT, 2, 1);
    CU_ASSERT_EQUAL(vr_get(&v, C_QUEUE_SIZE, 2), VP_QUEUE_SIZE);
    CU_ASSERT_EQUAL(vr_get(&v, C_QUEUE_NOTIFY_OFF, 2), 1);
    CU_ASSERT_EQUAL(vr_get(&v, C_QUEUE_VECTOR, 2), VP_NO_VECTOR);
    vr_put(&v, C_QUEUE_VECTOR, 2, VP_VECTORS);
    CU_ASSERT_EQUAL(vr_get(&v, C_QUEUE_VECTOR, 2), VP_NO_VECTOR);
    vr_queue(&v, 1, 64, 0);
    CU_ASSERT_EQUAL(vr_get(&v, C_QUEUE_ENABLE, 2), 1);
    CU_ASSERT_EQUAL(vr_get(&v, C_QUEUE_DESC, 8), RIG_MEM + VR_QUEUE_STEP + DRV_DESC);
    vr_put(&v, C_QUEUE_SIZE, 2, 8); /* stands */
    vr_put(&v, C_QUEUE_DESC, 8, 0);
    CU_ASSERT_EQUAL(vr_get(&v, C_QUEUE_SIZE, 2), 64);
    CU_ASSERT_EQUAL(vr_get(&v, C_QUEUE_DESC, 8), RIG_MEM + VR_QUEUE_STEP + DRV_DESC);
    vr_put(&v, C_QUEUE_RESET, 2, 1);
    CU_ASSERT_EQUAL(vr_get(&v, C_QUEUE_ENABLE, 2), 0);
    CU_ASSERT_EQUAL(vr_get(&v, C_QUEUE_RESET, 2), 0);
    CU_ASSERT_EQUAL(vr_get(&v, C_QUEUE_SIZE, 2), VP_QUEUE_SIZE);
    vr_close(&v);
}

/* A queue that is none breaks the device, and a reset mends it. */
static void test_needs_reset(void)
{
    struct virtio_rig v;

    vr_open(&v, 1);
    CU_ASSERT_TRUE(vr_negotiate(&v, VIRTIO_F_VERSION_1));
    vr_put(&v, C_QUEUE_SELECT, 2, 0);
    vr_put(&v, C_QUEUE_SIZE, 2, 3); /* no power of two, and the ring is split */
    vr_put(&v, C_QUEUE_ENABLE, 2, 1);
    CU_ASSERT_TRUE(vr_get(&v, C_STATUS, 1) & VIRTIO_S_NEEDS_RESET);
    vr_put(&v, C_STATUS, 1, 0);
    CU_ASSERT_EQUAL(vr_get(&v, C_STATUS, 1), 0);
    CU_ASSERT_TRUE(vr_start(&v, 0, 2, 64));
    CU_ASSERT_EQUAL(vr_get(&v, C_STATUS, 1), 15);
    drv_put16(&v.mem, v.q[1].base + DRV_DRIVER + 2, 5000); /* more than the ring has */
    rig_poll(&v.g);
    CU_ASSERT_EQUAL(vr_get(&v, C_STATUS, 1), 15 | VIRTIO_S_NEEDS_RESET);
    CU_ASSERT_TRUE(v.g.level); /* configuration change */
    CU_ASSERT_EQUAL(rig_read(&v.g, VP_BAR_MODERN, VP_ISR, 1), VP_ISR_CONFIG);
    CU_ASSERT_FALSE(v.g.level);
    vr_put(&v, C_STATUS, 1, 15); /* the driver cannot take it away */
    CU_ASSERT_EQUAL(vr_get(&v, C_STATUS, 1), 15 | VIRTIO_S_NEEDS_RESET);
    vr_close(&v);
}

static void test_device_config(void)
{
    struct virtio_rig v;

    vr_open(&v, 4);
    for (unsigned i = 0; i < 6; i++)
        CU_ASSERT_EQUAL(rig_read(&v.g, VP_BAR_MODERN, VP_DEVICE + i, 1), rig_mac[i]);
    CU_ASSERT_EQUAL(rig_read(&v.g, VP_BAR_MODERN, VP_DEVICE + 6, 2), 1); /* the link is up */
    CU_ASSERT_EQUAL(rig_read(&v.g, VP_BAR_MODERN, VP_DEVICE + 8, 2), 4); /* pairs */
    CU_ASSERT_EQUAL(rig_read(&v.g, VP_BAR_MODERN, VP_DEVICE + 10, 2), 1500);
    CU_ASSERT_EQUAL(rig_read(&v.g, VP_BAR_MODERN, VP_DEVICE + 12, 4), 0);
    rig_write(&v.g, VP_BAR_MODERN, VP_DEVICE, 1, 0xaa); /* not by modern drivers */
    CU_ASSERT_EQUAL(rig_read(&v.g, VP_BAR_MODERN, VP_DEVICE, 1), rig_mac[0]);
    vr_close(&v);
}

/* --- interrupts --- */

static void test_isr(void)
{
    struct virtio_rig v;
    struct vp p;

    vr_open(&v, 1);
    CU_ASSERT_TRUE(vr_start(&v, 0, 2, 64));
    p = (struct vp){.d = &v.g.d, .r = v.g.d.regs};
    vp_interrupt(&p, 1);
    vp_interrupt(&p, 0);
    CU_ASSERT_TRUE(v.g.level);
    CU_ASSERT_TRUE(cfg(&v, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
    CU_ASSERT_EQUAL(v.g.d.model->lines(&v.g.d), 1);
    CU_ASSERT_EQUAL(rig_read(&v.g, VP_BAR_MODERN, VP_ISR, 1), VP_ISR_QUEUE);
    CU_ASSERT_FALSE(v.g.level);
    CU_ASSERT_EQUAL(rig_read(&v.g, VP_BAR_MODERN, VP_ISR, 1), 0);
    vp_interrupt(&p, 1);
    rig_write(&v.g, NM_REGION_CONFIG, PCI_COMMAND, 2, 7 | PCI_COMMAND_INTX_DISABLE);
    CU_ASSERT_FALSE(v.g.level);
    CU_ASSERT_EQUAL(v.g.d.model->lines(&v.g.d), 0);
    vr_close(&v);
}

static void test_msix(void)
{
    struct virtio_rig v;
    struct vp p;

    vr_open(&v, 1);
    CU_ASSERT_EQUAL(rig_read(&v.g, VP_BAR_MSIX, 12, 4), 1); /* masked after reset */
    vr_msix(&v);
    CU_ASSERT_TRUE(vr_start(&v, 0, 2, 64));
    p = (struct vp){.d = &v.g.d, .r = v.g.d.regs};
    vp_interrupt(&p, 1);
    CU_ASSERT_EQUAL(v.g.msis, 1);
    CU_ASSERT_EQUAL(v.g.msi_addr, 0xfee02000);
    CU_ASSERT_EQUAL(v.g.msi_data, 0x42);
    CU_ASSERT_FALSE(v.g.level);
    CU_ASSERT_EQUAL(rig_read(&v.g, VP_BAR_MODERN, VP_ISR, 1), 0);

    rig_write(&v.g, VP_BAR_MSIX, 16 * 2 + 12, 4, 1); /* masked: pending until it is not */
    vp_interrupt(&p, 1);
    vp_interrupt(&p, 1);
    CU_ASSERT_EQUAL(v.g.msis, 1);
    CU_ASSERT_EQUAL(rig_read(&v.g, VP_BAR_MSIX, MSIX_PBA, 8), 4);
    rig_write(&v.g, VP_BAR_MSIX, 16 * 2 + 12, 4, 0);
    CU_ASSERT_EQUAL(v.g.msis, 2);
    CU_ASSERT_EQUAL(rig_read(&v.g, VP_BAR_MSIX, MSIX_PBA, 8), 0);

    rig_write(&v.g, NM_REGION_CONFIG, PCI_CAP_BASE + 2, 2, MSIX_CTRL_ENABLE | MSIX_CTRL_MASK_ALL);
    vp_interrupt(&p, 0);
    CU_ASSERT_EQUAL(v.g.msis, 2);
    rig_write(&v.g, NM_REGION_CONFIG, PCI_CAP_BASE + 2, 2, MSIX_CTRL_ENABLE);
    CU_ASSERT_EQUAL(v.g.msis, 3);
    CU_ASSERT_EQUAL(v.g.msi_data, 0x41);

    rig_write(&v.g, VP_BAR_MSIX, MSIX_PBA, 8, ~0ull); /* read-only */
    CU_ASSERT_EQUAL(rig_read(&v.g, VP_BAR_MSIX, MSIX_PBA, 8), 0);
    CU_ASSERT_EQUAL(rig_read(&v.g, VP_BAR_MSIX, 16 * VP_VECTORS, 8), 0);
    vr_close(&v);
}

/* Linux in a Xen HVM domain: vector 0, and the mask bit stays set. */
static void test_msix_xen(void)
{
    struct virtio_rig v;
    struct vp p;

    vr_open(&v, 1);
    vr_msix(&v);
    rig_write(&v.g, VP_BAR_MSIX, 16 + 12, 4, 1);
    rig_write(&v.g, VP_BAR_MSIX, 16 + 8, 4, 0x4300);
    CU_ASSERT_TRUE(vr_start(&v, 0, 2, 64));
    p = (struct vp){.d = &v.g.d, .r = v.g.d.regs};
    vp_interrupt(&p, 0);
    CU_ASSERT_EQUAL(v.g.msis, 1);
    rig_write(&v.g, VP_BAR_MSIX, 16, 8, 0); /* nobody has written that entry yet */
    vp_interrupt(&p, 0);
    CU_ASSERT_EQUAL(v.g.msis, 1);
    vr_close(&v);
}

/* --- the legacy interface --- */

static void test_legacy(void)
{
    struct virtio_rig v;
    uint32_t f;

    vr_open(&v, 1);
    f = (uint32_t)rig_read(&v.g, VP_BAR_LEGACY, 0, 4);
    CU_ASSERT_TRUE(f & VIRTIO_F_ANY_LAYOUT);
    CU_ASSERT_TRUE(f & VIRTIO_NET_F_MAC);
    rig_write(&v.g, VP_BAR_LEGACY, 0x12, 1, VIRTIO_S_ACKNOWLEDGE | VIRTIO_S_DRIVER);
    rig_write(&v.g, VP_BAR_LEGACY, 4, 4, ~0u);
    CU_ASSERT_EQUAL(rig_read(&v.g, VP_BAR_LEGACY, 4, 4), f);
    CU_ASSERT_EQUAL(rig_read(&v.g, VP_BAR_LEGACY, 0x0c, 2), VP_QUEUE_SIZE);
    CU_ASSERT_EQUAL(rig_read(&v.g, VP_BAR_LEGACY, 8, 4), 0);
    rig_write(&v.g, VP_BAR_LEGACY, 8, 4, RIG_MEM >> 12);
    CU_ASSERT_EQUAL(rig_read(&v.g, VP_BAR_LEGACY, 8, 4), RIG_MEM >> 12);
    CU_ASSERT_EQUAL(vr_regs(&v)->v.q[0].vq.driver, RIG_MEM + 4096);
    CU_ASSERT_EQUAL(vr_regs(&v)->v.q[0].vq.device, RIG_MEM + 8192);
    rig_write(&v.g, VP_BAR_LEGACY, 8, 4, 0);
    CU_ASSERT_EQUAL(rig_read(&v.g, VP_BAR_LEGACY, 8, 4), 0);
    rig_write(&v.g, VP_BAR_LEGACY, 0x0e, 2, 9); /* no such queue */
    CU_ASSERT_EQUAL(rig_read(&v.g, VP_BAR_LEGACY, 0x0c, 2), 0);
    /* device-specific configuration, which moves when MSI-X comes */
    CU_ASSERT_EQUAL(rig_read(&v.g, VP_BAR_LEGACY, 0x14, 4), 0x12005452);
    rig_write(&v.g, VP_BAR_LEGACY, 0x14, 1, 0x02);
    CU_ASSERT_EQUAL(rig_read(&v.g, VP_BAR_LEGACY, 0x14, 1), 0x02);
    vr_msix(&v);
    CU_ASSERT_EQUAL(rig_read(&v.g, VP_BAR_LEGACY, 0x18, 1), 0x02);
    rig_write(&v.g, VP_BAR_LEGACY, 0x14, 2, 3);
    CU_ASSERT_EQUAL(rig_read(&v.g, VP_BAR_LEGACY, 0x14, 2), 3);
    rig_write(&v.g, VP_BAR_LEGACY, 0x16, 2, 3);
    CU_ASSERT_EQUAL(rig_read(&v.g, VP_BAR_LEGACY, 0x16, 2), VP_NO_VECTOR);
    rig_write(&v.g, VP_BAR_LEGACY, 0x12, 1, 0);
    CU_ASSERT_EQUAL(rig_read(&v.g, VP_BAR_LEGACY, 0x18, 1), rig_mac[0]);
    vr_close(&v);
}

/* --- states --- */

static void test_save_and_load(void)
{
    struct virtio_rig v, w;
    size_t size;
    uint8_t *image;
    const char *why;

    vr_open(&v, 2);
    vr_msix(&v);
    CU_ASSERT_TRUE(vr_start(&v, VIRTIO_F_RING_PACKED, 2, 64));
    size = nm_save_size(&v.g.d);
    image = malloc(size);
    CU_ASSERT_EQUAL(nm_save(&v.g.d, image, size), (long)size);
    vr_open(&w, 1);
    CU_ASSERT_EQUAL(nm_load(&w.g.d, image, size, &why), 0);
    CU_ASSERT_EQUAL(memcmp(v.g.d.regs, w.g.d.regs, sizeof(struct virtio_net)), 0);
    free(image);
    vr_close(&v);
    vr_close(&w);
}

static void test_validate(void)
{
    struct virtio_rig v;
    struct virtio_net ok, *r;
    const char *why;

    vr_open(&v, 2);
    CU_ASSERT_TRUE(vr_start(&v, 0, 2, 64));
    r = vr_regs(&v);
    ok = *r;
    CU_ASSERT_EQUAL(v.g.d.model->validate(&v.g.d, &why), 0);
#define BAD(change)                                                                                \
    do {                                                                                           \
        *r = ok;                                                                                   \
        change;                                                                                    \
        CU_ASSERT_EQUAL(v.g.d.model->validate(&v.g.d, &why), -EPROTO);                             \
    } while (0)
    BAD(r->pairs = 0);
    BAD(r->pairs = 3);
    BAD(r->max_pairs = 9);
    BAD(r->next_tx = 2);
    BAD(r->nuni = 65);
    BAD(r->ctrl_done = 2);
    BAD(r->v.q[0].vq.size = 512);
    BAD(r->v.q[0].vq.size = 63);
    BAD(r->v.q[0].vq.state = 3);
    BAD(r->v.q[0].vq.desc = 1);
    BAD(r->v.q[0].vector = VP_VECTORS);
    BAD(r->v.q[5].vq = r->v.q[0].vq);
    BAD(r->v.config_vector = VP_VECTORS);
    BAD(r->v.isr = 4);
    BAD(r->v.features |= 1ull << 60);
    BAD(r->v.msix.pending = 1ull << VP_VECTORS);
    BAD(r->v.msix.table[13] = 1);
    BAD(r->v.pci.cfg[0] = 0);
    vr_close(&v);
}

const struct cu_test suite_tests[] = {
    {"who it is", test_identity},
    {"capabilities", test_capabilities},
    {"registers through configuration space", test_window},
    {"decoding", test_decoding},
    {"features", test_features},
    {"queue registers", test_queue_registers},
    {"broken, and mended by a reset", test_needs_reset},
    {"device-specific configuration", test_device_config},
    {"INTx and ISR status", test_isr},
    {"MSI-X", test_msix},
    {"MSI-X as Linux uses it under Xen", test_msix_xen},
    {"the legacy interface", test_legacy},
    {"saved and loaded", test_save_and_load},
    {"states from outside", test_validate},
    {NULL, NULL},
};
