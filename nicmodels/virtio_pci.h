/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Virtio over PCI (Virtual I/O Device (VIRTIO) 1.2, 4.1; names as there): what every virtio device
 * has, whatever it does with its queues. Modern (capabilities, one memory BAR, MSI-X) and, for
 * drivers from before 1.0, the legacy interface in an I/O BAR (4.1.4.10): a transitional device.
 *
 * A device of a kind (network, ...) fills in struct virtio_class, and puts struct virtio_pci first
 * into its regs.
 *
 * BARs: 0 ports, legacy; 1 MSI-X; 4 memory, modern: common configuration, ISR status,
 * device-specific configuration, notifications, a page each.
 *
 * Notifications. Whoever runs the device says whether it polls (vp_disarm) or wants to be notified
 * (vp_arm), which is how it begins. A notification itself does nothing: it is an access, after
 * which the device is asked whether it has work (nm_model.pending).
 *
 * Threads: as nm_dev.
 */
#ifndef COOPVMM_NICMODELS_VIRTIO_PCI_H
#define COOPVMM_NICMODELS_VIRTIO_PCI_H

#include "model.h"
#include "msix.h"
#include "pci.h"
#include "virtq.h"

#define VP_MAX_QUEUES 17  /* 8 pairs and a control queue */
#define VP_QUEUE_SIZE 256 /* descriptors, at most; of legacy drivers' rings exactly */
#define VP_VECTORS    (VP_MAX_QUEUES + 1)
#define VP_CONFIG_MAX 64 /* bytes of device-specific configuration */

#define VP_BAR_LEGACY  0
#define VP_BAR_MSIX    1
#define VP_BAR_MODERN  4
#define VP_LEGACY_SIZE 64
#define VP_MODERN_SIZE 0x4000
/* In the modern BAR. */
#define VP_COMMON 0x0000
#define VP_ISR    0x1000
#define VP_DEVICE 0x2000
#define VP_NOTIFY 0x3000 /* + 4 * queue */

#define VP_NO_VECTOR 0xffff /* VIRTIO_MSI_NO_VECTOR */

/* Device status (2.1). */
enum {
    VIRTIO_S_ACKNOWLEDGE = 1,
    VIRTIO_S_DRIVER = 2,
    VIRTIO_S_DRIVER_OK = 4,
    VIRTIO_S_FEATURES_OK = 8,
    VIRTIO_S_NEEDS_RESET = 64,
    VIRTIO_S_FAILED = 128,
};

/* Feature bits that belong to no kind of device (6). */
#define VIRTIO_F_ANY_LAYOUT    (1ull << 27) /* legacy */
#define VIRTIO_F_INDIRECT_DESC (1ull << 28)
#define VIRTIO_F_EVENT_IDX     (1ull << 29)
#define VIRTIO_F_VERSION_1     (1ull << 32)
#define VIRTIO_F_RING_PACKED   (1ull << 34)
#define VIRTIO_F_IN_ORDER      (1ull << 35)
#define VIRTIO_F_RING_RESET    (1ull << 40)
/* What this transport does. */
#define VP_FEATURES                                                                                \
    (VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_F_VERSION_1 | VIRTIO_F_RING_PACKED |     \
     VIRTIO_F_RING_RESET)
#define VP_FEATURES_LEGACY (VIRTIO_F_ANY_LAYOUT)

struct vp_queue {
    struct virtq vq;
    uint16_t vector;
    uint16_t reserved[3];
};

struct virtio_pci {
    struct pci_func pci;
    struct msix msix;
    uint64_t features; /* the driver's choice */
    uint32_t device_feature_select, driver_feature_select;
    uint16_t config_vector, queue_select;
    uint8_t status;     /* VIRTIO_S_* */
    uint8_t isr;        /* VP_ISR_* */
    uint8_t generation; /* config_generation */
    uint8_t polled;     /* 1: the runner polls */
    struct vp_queue q[VP_MAX_QUEUES];
};
enum { VP_ISR_QUEUE = 1, VP_ISR_CONFIG = 2 };

/* A device on this transport, put together for one call. */
struct vp {
    struct nm_dev *d;
    struct virtio_pci *r;
    const struct virtio_class *c;
};

/* A kind of device. */
struct virtio_class {
    const struct pci_spec *spec; /* with vp_caps */
    /** Offered: VP_FEATURES (VP_FEATURES_LEGACY) and the kind's. */
    uint64_t (*features)(const struct vp *p, bool legacy);
    /** Does a driver's choice among them hold together? May be NULL: any does. */
    bool (*accepts)(uint64_t features);
    unsigned (*nqueues)(const struct vp *p);
    /** Device-specific configuration. @return bytes there are */
    unsigned (*config)(const struct vp *p, uint8_t cfg[VP_CONFIG_MAX]);
    /** A byte of it is written by a legacy driver; others cannot. */
    void (*write_config)(const struct vp *p, unsigned offset, uint8_t value);
    /** Back to what it was before any driver. */
    void (*reset)(const struct vp *p);
    /** Does the device ever wait for the driver to notify of this queue? Not of one whose buffers
     * it takes when it has something to put in. */
    bool (*awaits)(const struct vp *p, unsigned queue);
    /** The queue's durable piece. */
    struct vq_journal *(*journal)(const struct vp *p, unsigned queue);
};

/* PCI capabilities (4.1.4) of all kinds, for pci_spec, with BARs as above. */
#define VP_NCAPS 6
extern const struct pci_cap vp_caps[VP_NCAPS];
/* The same for its BARs. */
#define VP_BARS                                                                                    \
    {                                                                                              \
        [VP_BAR_LEGACY] = {.kind = PCI_BAR_PIO, .size = VP_LEGACY_SIZE},                           \
        [VP_BAR_MSIX] = {.kind = PCI_BAR_MEM32, .size = MSIX_BAR_SIZE},                            \
        [VP_BAR_MODERN] = {.kind = PCI_BAR_MEM32, .size = VP_MODERN_SIZE},                         \
    }
/* Registers whose writes need no answer: notifications. For nm_model.ranges. */
#define VP_NRANGES 2
extern const struct nm_reg_range vp_ranges[VP_NRANGES];

/** nm_model.reset and power-on. */
void vp_reset(const struct vp *p);
/** nm_model.access. */
enum nm_status vp_access(const struct vp *p, struct nm_access *a);
/** nm_model.validate. */
int vp_validate(const struct vp *p, const char **why);
/** nm_model.lines. */
uint32_t vp_lines(const struct vp *p);

/** nm_model.resume: positions from the journals; all interrupts once more. */
void vp_resume(const struct vp *p);
/** nm_model.arm and disarm. */
bool vp_arm(const struct vp *p);
void vp_disarm(const struct vp *p);

/** Guest memory as the device's queues see it. */
struct vq_mem vp_mem(const struct vp *p);
/** May the device look at its queues? */
bool vp_live(const struct vp *p);
static inline bool vp_has(const struct vp *p, uint64_t feature)
{
    return (p->r->features & feature) != 0;
}
/** Buffers of a queue were used, and the driver wants to know. */
void vp_interrupt(const struct vp *p, unsigned queue);
/** The configuration changed. */
void vp_config_changed(const struct vp *p);
/** A queue that broke: only a reset gets the device out of that (2.1.2). */
void vp_check_broken(const struct vp *p, unsigned queue);

#endif
