/* SPDX-License-Identifier: BSD-3-Clause */
/* Virtio over PCI: life of the device, interrupts, configuration space. */
#include "virtio_pci.h"

#include <errno.h>
#include <string.h>

#include "access.h"
#include "virtio_pci_common.h"

/* --- capabilities (4.1.4) --- */

enum {
    VIRTIO_PCI_CAP_COMMON_CFG = 1,
    VIRTIO_PCI_CAP_NOTIFY_CFG = 2,
    VIRTIO_PCI_CAP_ISR_CFG = 3,
    VIRTIO_PCI_CAP_DEVICE_CFG = 4,
    VIRTIO_PCI_CAP_PCI_CFG = 5,
};

/* struct virtio_pci_cap: vendor ID, next, length, type, BAR, id and padding, offset, length. All
 * parts begin at whole pages and are at most one long. */
#define CAP(len, type, offset, size)                                                               \
    0x09, 0, (len), (type), VP_BAR_MODERN, 0, 0, 0, 0, (offset) >> 8, 0, 0, (size)&0xff,           \
        (size) >> 8, 0, 0

static const uint8_t msix_cap[MSIX_CAP_LEN] = MSIX_CAP_RESET(VP_VECTORS, VP_BAR_MSIX);
static const uint8_t msix_writable[MSIX_CAP_LEN] = MSIX_CAP_WRITABLE;
static const uint8_t common_cap[] = {CAP(16, VIRTIO_PCI_CAP_COMMON_CFG, VP_COMMON, VP_COMMON_SIZE)};
static const uint8_t isr_cap[] = {CAP(16, VIRTIO_PCI_CAP_ISR_CFG, VP_ISR, 1)};
static const uint8_t device_cap[] = {CAP(16, VIRTIO_PCI_CAP_DEVICE_CFG, VP_DEVICE, VP_CONFIG_MAX)};
static const uint8_t notify_cap[] = {
    CAP(20, VIRTIO_PCI_CAP_NOTIFY_CFG, VP_NOTIFY, 4 * VP_MAX_QUEUES), 4, 0, 0, 0};
/* A window on the BARs for whoever cannot map them: BAR, offset, length and data are written. */
#define PCI_CFG_LEN 20
static const uint8_t window_cap[PCI_CFG_LEN] = {0x09, 0, PCI_CFG_LEN, VIRTIO_PCI_CAP_PCI_CFG};
static const uint8_t window_writable[PCI_CFG_LEN] = {
    [4] = 0xff,  [8] = 0xff,  [9] = 0xff,  [10] = 0xff, [11] = 0xff, [12] = 0xff, [13] = 0xff,
    [14] = 0xff, [15] = 0xff, [16] = 0xff, [17] = 0xff, [18] = 0xff, [19] = 0xff};

const struct pci_cap vp_caps[VP_NCAPS] = {
    {.len = MSIX_CAP_LEN, .reset = msix_cap, .writable = msix_writable},
    {.len = sizeof(common_cap), .reset = common_cap},
    {.len = sizeof(isr_cap), .reset = isr_cap},
    {.len = sizeof(device_cap), .reset = device_cap},
    {.len = sizeof(notify_cap), .reset = notify_cap},
    {.len = PCI_CFG_LEN, .reset = window_cap, .writable = window_writable},
};
#define MSIX_AT   PCI_CAP_BASE
#define WINDOW_AT (PCI_CAP_BASE + MSIX_CAP_LEN + 16 + 16 + 16 + 20)

const struct nm_reg_range vp_ranges[VP_NRANGES] = {
    {.region = VP_BAR_MODERN,
     .flags = NM_REG_POSTED | NM_REG_KICK,
     .length = 4 * VP_MAX_QUEUES,
     .offset = VP_NOTIFY},
    {.region = VP_BAR_LEGACY,
     .flags = NM_REG_POSTED | NM_REG_KICK,
     .length = 2,
     .offset = VP_LEGACY_NOTIFY},
};

/* --- interrupts --- */

static uint16_t msix_ctrl(const struct vp *p)
{
    return (uint16_t)pci_read(&p->r->pci, MSIX_AT + 2, 2);
}

bool vp_msix_on(const struct vp *p)
{
    return msix_ctrl(p) & MSIX_CTRL_ENABLE;
}

/* INTx# follows ISR status (4.1.5.1.4); with MSI-X it is quiet. */
static void update_line(const struct vp *p)
{
    bool level = p->r->isr && !vp_msix_on(p);

    p->d->env->irq(p->d, 0, pci_set_interrupt(&p->r->pci, level));
}

uint32_t vp_lines(const struct vp *p)
{
    return p->r->isr && !vp_msix_on(p) &&
           !(pci_read(&p->r->pci, PCI_COMMAND, 2) & PCI_COMMAND_INTX_DISABLE);
}

static void interrupt(const struct vp *p, uint8_t isr, uint16_t vector)
{
    if (vp_msix_on(p)) {
        msix_signal(p->d, &p->r->msix, VP_VECTORS, msix_ctrl(p), vector);
    } else if ((p->r->isr & isr) != isr) {
        p->r->isr |= isr;
        p->d->changed = true;
        update_line(p);
    }
}

void vp_interrupt(const struct vp *p, unsigned queue)
{
    interrupt(p, VP_ISR_QUEUE, p->r->q[queue].vector);
}

void vp_config_changed(const struct vp *p)
{
    p->r->generation++;
    p->d->changed = true;
    interrupt(p, VP_ISR_CONFIG, p->r->config_vector);
}

uint8_t vp_read_isr(const struct vp *p)
{
    uint8_t isr = p->r->isr;

    if (isr) {
        p->r->isr = 0;
        p->d->changed = true;
        update_line(p);
    }
    return isr;
}

void vp_set_vector(uint16_t *vector, uint16_t value)
{
    *vector = value < VP_VECTORS ? value : VP_NO_VECTOR; /* 4.1.5.1.2.1 */
}

/* --- queues --- */

static void *dma(void *ctx, uint64_t gpa, uint64_t *len, bool write)
{
    struct nm_dev *d = ctx;

    return d->env->dma(d, gpa, len, write);
}

struct vq_mem vp_mem(const struct vp *p)
{
    return (struct vq_mem){.at = dma, .ctx = p->d};
}

struct vp_queue *vp_selected(const struct vp *p)
{
    return p->r->queue_select < p->c->nqueues(p) ? &p->r->q[p->r->queue_select] : NULL;
}

bool vp_live(const struct vp *p)
{
    const struct virtio_pci *r = p->r;

    /* 3.1.1: queues are the device's from DRIVER_OK on; and without bus mastering there is no DMA.
     */
    return (r->status & VIRTIO_S_DRIVER_OK) && (r->pci.cfg[PCI_COMMAND] & PCI_COMMAND_MASTER);
}

static void needs_reset(const struct vp *p)
{
    if (p->r->status & VIRTIO_S_NEEDS_RESET)
        return;
    p->r->status |= VIRTIO_S_NEEDS_RESET;
    p->d->changed = true;
    if (p->r->status & VIRTIO_S_DRIVER_OK)
        vp_config_changed(p);
}

void vp_check_broken(const struct vp *p, unsigned queue)
{
    if (p->r->q[queue].vq.state == VQ_BROKEN)
        needs_reset(p);
}

void vp_start_queue(const struct vp *p, unsigned i)
{
    struct virtq *q = &p->r->q[i].vq;
    struct vq_mem m = vp_mem(p);

    if (q->state != VQ_OFF)
        return;
    q->packed = vp_has(p, VIRTIO_F_RING_PACKED);
    q->event_idx = vp_has(p, VIRTIO_F_EVENT_IDX);
    q->indirect = vp_has(p, VIRTIO_F_INDIRECT_DESC);
    vq_start(q, &m, vq_first(q->packed), p->r->polled || !p->c->awaits(p, i));
    vp_check_broken(p, i);
}

bool vp_arm(const struct vp *p)
{
    struct vq_mem m = vp_mem(p);
    bool quiet = true;

    p->r->polled = 0;
    for (unsigned i = 0; i < p->c->nqueues(p); i++)
        if (p->c->awaits(p, i))
            quiet &= vq_arm(&p->r->q[i].vq, &m);
    return quiet || !vp_live(p);
}

void vp_disarm(const struct vp *p)
{
    struct vq_mem m = vp_mem(p);

    p->r->polled = 1;
    for (unsigned i = 0; i < p->c->nqueues(p); i++)
        vq_quiet(&p->r->q[i].vq, &m);
}

/* An interrupt may have died with the former process; one too many does no harm. */
void vp_resume(const struct vp *p)
{
    struct vq_mem m = vp_mem(p);

    for (unsigned i = 0; i < p->c->nqueues(p); i++) {
        vq_resume(&p->r->q[i].vq, &m, p->c->journal(p, i));
        if (p->r->q[i].vq.state == VQ_ON && vp_live(p))
            vp_interrupt(p, i);
    }
}

/* --- status --- */

static void forget_driver(const struct vp *p)
{
    struct virtio_pci *r = p->r;

    r->features = 0;
    r->device_feature_select = r->driver_feature_select = 0;
    r->queue_select = 0;
    r->config_vector = VP_NO_VECTOR;
    r->status = r->isr = 0;
    for (unsigned i = 0; i < VP_MAX_QUEUES; i++)
        r->q[i] = (struct vp_queue){.vq = {.size = VP_QUEUE_SIZE, .epoch = r->q[i].vq.epoch},
                                    .vector = VP_NO_VECTOR};
    p->c->reset(p);
    p->d->changed = true;
    update_line(p);
}

/* 2.2.2 and 3.1.1: what was not offered, or a modern interface without VERSION_1, is refused by
 * not setting FEATURES_OK. Legacy drivers do not ask. */
static bool features_ok(const struct vp *p)
{
    uint64_t f = p->r->features;

    return (f & VIRTIO_F_VERSION_1) && !(f & ~p->c->features(p, false)) &&
           (!p->c->accepts || p->c->accepts(f));
}

void vp_write_status(const struct vp *p, uint8_t value)
{
    uint8_t known = VIRTIO_S_ACKNOWLEDGE | VIRTIO_S_DRIVER | VIRTIO_S_DRIVER_OK |
                    VIRTIO_S_FEATURES_OK | VIRTIO_S_FAILED;

    if (!value) {
        forget_driver(p);
        return;
    }
    value = (uint8_t)((value & known) | (p->r->status & VIRTIO_S_NEEDS_RESET));
    if ((value & ~p->r->status & VIRTIO_S_FEATURES_OK) && !features_ok(p))
        value &= (uint8_t)~VIRTIO_S_FEATURES_OK;
    p->r->status = value;
    p->d->changed = true;
}

void vp_reset(const struct vp *p)
{
    pci_reset(p->c->spec, &p->r->pci);
    msix_reset(&p->r->msix);
    p->r->generation = 0;
    forget_driver(p);
}

/* --- accesses --- */

static bool decodes(const struct vp *p, unsigned region)
{
    uint8_t command = p->r->pci.cfg[PCI_COMMAND];

    if (region == VP_BAR_LEGACY)
        return command & PCI_COMMAND_IO;
    return (region == VP_BAR_MSIX || region == VP_BAR_MODERN) && (command & PCI_COMMAND_MEM);
}

/* One element, whether the BAR decodes or not. */
static enum nm_status bar_access(const struct vp *p, struct nm_access *a)
{
    switch (a->region) {
    case VP_BAR_LEGACY: return vp_legacy_access(p, a);
    case VP_BAR_MSIX: return msix_access(p->d, &p->r->msix, VP_VECTORS, msix_ctrl(p), a);
    case VP_BAR_MODERN: return vp_modern_access(p, a);
    default: return NM_UNCLAIMED;
    }
}

/* 4.1.4.9: reading or writing the window's data is an access to the BAR it names. */
static void window_access(const struct vp *p, bool write)
{
    const struct pci_func *f = &p->r->pci;
    struct nm_access a = {.region = f->cfg[WINDOW_AT + 4],
                          .offset = pci_read(f, WINDOW_AT + 8, 4),
                          .size = (uint8_t)pci_read(f, WINDOW_AT + 12, 4),
                          .data = pci_read(f, WINDOW_AT + 16, 4),
                          .count = 1,
                          .write = write};
    uint32_t size = (uint32_t)pci_read(f, WINDOW_AT + 12, 4);

    if ((size != 1 && size != 2 && size != 4) || a.offset % size)
        return;
    if (!write)
        a.data = 0xffffffff;
    bar_access(p, &a);
    if (!write) {
        pci_write(p->c->spec, &p->r->pci, WINDOW_AT + 16, size, a.data);
        p->d->changed = true;
    }
}

static enum nm_status config_access(const struct vp *p, struct nm_access *a)
{
    bool window = a->offset + a->size > WINDOW_AT + 16 && a->offset < WINDOW_AT + 20;
    enum nm_status st;

    if (window && !a->write)
        window_access(p, false);
    st = pci_config_access(p->c->spec, &p->r->pci, a);
    if (st != NM_DONE || !a->write)
        return st;
    p->d->changed = true;
    if (window)
        window_access(p, true);
    msix_update(p->d, &p->r->msix, VP_VECTORS, msix_ctrl(p));
    update_line(p);
    return st;
}

enum nm_status vp_access(const struct vp *p, struct nm_access *a)
{
    enum nm_status st = NM_UNCLAIMED;
    uint32_t n = a->mem ? a->count : 1;

    if (a->region == NM_REGION_CONFIG)
        return config_access(p, a);
    if (!decodes(p, a->region))
        return NM_UNCLAIMED;
    for (uint32_t i = 0; i < n; i++) {
        uint8_t *at = a->mem ? nm_element(a, i) : NULL;

        if (at && a->write)
            a->data = nm_get_le(at, a->size);
        st = bar_access(p, a);
        if (at && !a->write && st == NM_DONE)
            nm_put_le(at, a->data, a->size);
    }
    a->done_count = n;
    return st;
}

/* --- states from outside --- */

static const char *wrong_queue(const struct vp *p, unsigned i)
{
    const struct vp_queue *q = &p->r->q[i];

    if (vq_validate(&q->vq) || q->vq.size > VP_QUEUE_SIZE || q->reserved[0] || q->reserved[1] ||
        q->reserved[2])
        return "a virtqueue is none";
    if (q->vector >= VP_VECTORS && q->vector != VP_NO_VECTOR)
        return "a virtqueue has an MSI-X vector there is not";
    if (i >= p->c->nqueues(p) && q->vq.state != VQ_OFF)
        return "a virtqueue is in use that the device has not";
    return NULL;
}

int vp_validate(const struct vp *p, const char **why)
{
    const struct virtio_pci *r = p->r;

    if (pci_validate(p->c->spec, &r->pci, why) || msix_validate(&r->msix, VP_VECTORS, why))
        return -EPROTO;
    *why = NULL;
    if (r->polled > 1 || (r->isr & ~(VP_ISR_QUEUE | VP_ISR_CONFIG)) ||
        (r->config_vector >= VP_VECTORS && r->config_vector != VP_NO_VECTOR))
        *why = "a register of the virtio device is out of range";
    else if ((r->status & VIRTIO_S_FEATURES_OK) &&
             r->features & ~(p->c->features(p, false) | p->c->features(p, true)))
        *why = "the virtio driver has features that are not offered";
    for (unsigned i = 0; i < VP_MAX_QUEUES && !*why; i++)
        *why = wrong_queue(p, i);
    return *why ? -EPROTO : 0;
}
