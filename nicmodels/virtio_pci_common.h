/* SPDX-License-Identifier: BSD-3-Clause */
/* What the parts of the virtio PCI transport know of each other. */
#ifndef COOPVMM_NICMODELS_VIRTIO_PCI_COMMON_H
#define COOPVMM_NICMODELS_VIRTIO_PCI_COMMON_H

#include "virtio_pci.h"

#define VP_COMMON_SIZE   0x3c /* struct virtio_pci_common_cfg, as of 1.2 */
#define VP_LEGACY_NOTIFY 0x10

/* `size` bytes of a structure of `len`, from `at` on; beyond its end they are zeroes. */
static inline uint64_t vp_bytes(const uint8_t *v, unsigned len, uint64_t at, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size && at + i < len; i++)
        value |= (uint64_t)v[at + i] << 8 * i;
    return value;
}

/* virtio_pci_modern.c: an access of one element to the memory BAR. */
enum nm_status vp_modern_access(const struct vp *p, struct nm_access *a);
/* virtio_pci_legacy.c: the same to the I/O BAR. */
enum nm_status vp_legacy_access(const struct vp *p, struct nm_access *a);

/* virtio_pci.c: */
bool vp_msix_on(const struct vp *p);
void vp_start_queue(const struct vp *p, unsigned i);
void vp_write_status(const struct vp *p, uint8_t value);
uint8_t vp_read_isr(const struct vp *p);
void vp_set_vector(uint16_t *vector, uint16_t value);
/* The selected queue; NULL: there is none. */
struct vp_queue *vp_selected(const struct vp *p);

#endif
