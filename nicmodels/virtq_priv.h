/* SPDX-License-Identifier: BSD-3-Clause */
/* What the two ring formats and what they share (virtq.c) know of each other. */
#ifndef COOPVMM_NICMODELS_VIRTQ_PRIV_H
#define COOPVMM_NICMODELS_VIRTQ_PRIV_H

#include <endian.h>
#include <stddef.h>

#include "virtq.h"

enum { VIRTQ_DESC_F_NEXT = 1, VIRTQ_DESC_F_WRITE = 2, VIRTQ_DESC_F_INDIRECT = 4 };
#define VQ_DESC_SIZE 16 /* bytes, in both formats */

/* A 16-bit field of a ring, which guest memory holds little-endian. @return false: not there */
bool vq_load16(const struct vq_mem *m, uint64_t gpa, uint16_t *value); /* acquire */
bool vq_store16(const struct vq_mem *m, uint64_t gpa, uint16_t value); /* release */
/* The same of a field that is known to be there, at an even address. */
static inline uint16_t vq_load_le16(const uint8_t *p) /* acquire */
{
    return le16toh(__atomic_load_n((const uint16_t *)(const void *)p, __ATOMIC_ACQUIRE));
}
/* Appends a buffer. @return 0, -EPROTO */
int vq_add_buf(struct vq_chain *c, uint64_t gpa, uint32_t len, bool writable);
/* Does moving from `old` to `now` pass `event`? (2.6.7.2) */
static inline bool vq_need_event(uint16_t event, uint16_t now, uint16_t old)
{
    return (uint16_t)(now - event - 1) < (uint16_t)(now - old);
}

/* A chain of one buffer. */
static inline void vq_one_buf(struct vq_chain *c, uint64_t gpa, uint32_t len, bool writable)
{
    c->slots = c->nbufs = 1;
    c->nout = !writable;
    c->out_len = writable ? 0 : len;
    c->in_len = writable ? len : 0;
    c->buf[0] = (struct vq_buf){gpa, len};
}

static inline void vq_no_bufs(struct vq_chain *c)
{
    c->nout = c->nbufs = 0;
    c->out_len = c->in_len = 0;
}

/* A ring format. Functions that fail on memory that is not there return -EPROTO or false. */
struct vq_format {
    bool (*fits)(const struct virtq *q); /* size and alignment */
    /* The ring's parts, if each lies in one piece of memory that stays, and is aligned there. */
    bool (*view)(const struct virtq *q, const struct vq_mem *m, struct vq_view *out);
    /* Is there an entry, or no memory where it would be? */
    bool (*available)(const struct virtq *q, const struct vq_mem *m);
    /* Writes the batch's used descriptors into the ring, so that the driver sees all or none. */
    bool (*put)(const struct virtq *q, const struct vq_mem *m, const struct vq_batch *b);
    /* Was what began at `from` shown to the driver? */
    bool (*shown)(const struct virtq *q, const struct vq_mem *m, struct vq_pos from);
    bool (*interrupts)(const struct virtq *q, const struct vq_mem *m, struct vq_pos from,
                       struct vq_pos to);
    void (*quiet)(struct virtq *q, const struct vq_mem *m);
    void (*arm)(struct virtq *q, const struct vq_mem *m);
};
extern const struct vq_format vq_split, vq_packed;

/* For each chain, and so by name: as vq_next and vq_take_plain. */
int vq_split_next(const struct virtq *q, const struct vq_mem *m, struct vq_batch *b,
                  struct vq_chain *c);
int vq_packed_next(const struct virtq *q, const struct vq_mem *m, const struct vq_batch *b,
                   struct vq_chain *c);
unsigned vq_split_take_plain(const struct virtq *q, const struct vq_mem *m, struct vq_batch *b,
                             uint16_t writable, struct vq_plain *out, unsigned most);
unsigned vq_packed_take_plain(const struct virtq *q, const struct vq_mem *m, struct vq_batch *b,
                              uint16_t writable, struct vq_plain *out, unsigned most);

/* One buffer, of the asked kind, in memory that stays: a packed ring has
 * other flags besides. @return its address, or NULL */
static inline uint8_t *vq_plain_at(const struct vq_mem *m, uint64_t addr, uint32_t len,
                                   uint16_t flags, uint16_t writable)
{
    const uint16_t all = VIRTQ_DESC_F_NEXT | VIRTQ_DESC_F_WRITE | VIRTQ_DESC_F_INDIRECT;

    return (le16toh(flags) & all) == writable ? vq_still(m, le64toh(addr), le32toh(len)) : NULL;
}

#endif
