/* SPDX-License-Identifier: BSD-3-Clause */
/* What the two ring formats and what they share (virtq.c) know of each other. */
#ifndef COOPVMM_NICMODELS_VIRTQ_PRIV_H
#define COOPVMM_NICMODELS_VIRTQ_PRIV_H

#include <stddef.h>

#include "virtq.h"

enum { VIRTQ_DESC_F_NEXT = 1, VIRTQ_DESC_F_WRITE = 2, VIRTQ_DESC_F_INDIRECT = 4 };
#define VQ_DESC_SIZE 16 /* bytes, in both formats */

/* A 16-bit field of a ring, which guest memory holds little-endian. @return false: not there */
bool vq_load16(const struct vq_mem *m, uint64_t gpa, uint16_t *value); /* acquire */
bool vq_store16(const struct vq_mem *m, uint64_t gpa, uint16_t value); /* release */
/* Appends a buffer. @return 0, -EPROTO */
int vq_add_buf(struct vq_chain *c, uint64_t gpa, uint32_t len, bool writable);
/* Does moving from `old` to `now` pass `event`? (2.6.7.2) */
static inline bool vq_need_event(uint16_t event, uint16_t now, uint16_t old)
{
    return (uint16_t)(now - event - 1) < (uint16_t)(now - old);
}

/* A ring format. Functions that fail on memory that is not there return -EPROTO or false. */
struct vq_format {
    bool (*fits)(const struct virtq *q); /* size and alignment */
    int (*next)(const struct virtq *q, const struct vq_mem *m, struct vq_pos pos,
                struct vq_chain *c);
    /* Writes used[0..n) into the ring, from `from` on, so that the driver sees all or none. */
    bool (*put)(const struct virtq *q, const struct vq_mem *m, struct vq_pos from, struct vq_pos to,
                const struct vq_used *used, unsigned n);
    /* Was what began at `from` shown to the driver? */
    bool (*shown)(const struct virtq *q, const struct vq_mem *m, struct vq_pos from);
    bool (*interrupts)(const struct virtq *q, const struct vq_mem *m, struct vq_pos from,
                       struct vq_pos to);
    void (*quiet)(struct virtq *q, const struct vq_mem *m);
    void (*arm)(struct virtq *q, const struct vq_mem *m);
};
extern const struct vq_format vq_split, vq_packed;

#endif
