/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The driver's side of a virtqueue, for tests: guest memory of exact allocations (so that
 * sanitizers see each step outside), and a driver that makes chains available and takes used ones.
 */
#ifndef COOPVMM_TESTS_VIRTQ_RIG_H
#define COOPVMM_TESTS_VIRTQ_RIG_H

#include <stdlib.h>
#include <string.h>

#include "../../nicmodels/virtq.h"

#define DRV_MEM_BASE 0x10000u  /* where guest memory begins */
#define DRV_MEM_SIZE 0x100000u /* bytes, in two pieces of the host's */
#define DRV_DESC     0x10000u  /* a queue's parts and its tables, relative to drv.base */
#define DRV_DRIVER   0x14000u
#define DRV_DEVICE   0x16000u
#define DRV_TABLES   0x18000u /* indirect tables: DRV_TABLE bytes a chain */
#define DRV_TABLE    512u
#define DRV_MAX_SIZE 256u

/* Guest memory in two allocations, so that what crosses the middle is not contiguous. */
struct drv_mem {
    uint8_t *half[2];
    struct vq_mem m;
    uint64_t writes; /* translations for writing */
    struct vq_piece piece[2];
};

/* Memory that stays where it is, from the next drv_mem_init on: set by tests that go through a
 * suite once more. */
static bool drv_still;

static inline void *drv_at(void *ctx, uint64_t gpa, uint64_t *len, bool write)
{
    struct drv_mem *g = ctx;
    uint64_t off = gpa - DRV_MEM_BASE, half = DRV_MEM_SIZE / 2, in_half;

    if (!*len)
        abort();
    if (off >= DRV_MEM_SIZE)
        return NULL;
    g->writes += write;
    in_half = half - off % half;
    if (*len > in_half)
        *len = in_half;
    return g->half[off / half] + off % half;
}

/* Memory that the test made, DRV_MEM_SIZE / 2 bytes each. */
static inline void drv_mem_of(struct drv_mem *g, void *low, void *high)
{
    *g = (struct drv_mem){.half = {low, high}, .m = {.at = drv_at, .ctx = g}};
    for (unsigned i = 0; i < 2; i++)
        g->piece[i] =
            (struct vq_piece){DRV_MEM_BASE + i * (DRV_MEM_SIZE / 2), DRV_MEM_SIZE / 2, g->half[i]};
    g->m.piece = g->piece;
    g->m.npieces = drv_still ? 2 : 0;
}

static inline void drv_mem_init(struct drv_mem *g)
{
    void *low = calloc(1, DRV_MEM_SIZE / 2), *high = calloc(1, DRV_MEM_SIZE / 2);

    if (!low || !high)
        abort();
    drv_mem_of(g, low, high);
}

static inline void drv_mem_free(struct drv_mem *g)
{
    free(g->half[0]);
    free(g->half[1]);
}

/* Fields of guest memory; the rig itself stays inside. */
static inline void drv_put(struct drv_mem *g, uint64_t gpa, const void *p, uint64_t len)
{
    if (!vq_copy(&g->m, gpa, (void *)(uintptr_t)p, len, true))
        abort();
}

static inline void drv_get(struct drv_mem *g, uint64_t gpa, void *p, uint64_t len)
{
    if (!vq_copy(&g->m, gpa, p, len, false))
        abort();
}

static inline void drv_put16(struct drv_mem *g, uint64_t gpa, uint16_t v)
{
    drv_put(g, gpa, &v, sizeof(v));
}

static inline uint16_t drv_get16(struct drv_mem *g, uint64_t gpa)
{
    uint16_t v;

    drv_get(g, gpa, &v, sizeof(v));
    return v;
}

struct drv {
    struct drv_mem *g;
    uint64_t base; /* of its parts, guest-physical */
    uint16_t size;
    bool packed, event_idx;
    uint16_t next, used; /* split: free-running; packed: slots */
    bool next_wrap, used_wrap;
    uint16_t slots_of[DRV_MAX_SIZE]; /* by ID: ring slots a chain took; 0: ID is free */
    uint16_t free;                   /* slots */
};

static inline void drv_init(struct drv *d, struct drv_mem *g, uint64_t base, uint16_t size,
                            bool packed)
{
    *d = (struct drv){.g = g,
                      .base = base,
                      .size = size,
                      .packed = packed,
                      .next_wrap = true,
                      .used_wrap = true,
                      .free = size};
}

/* The device's view of it. */
static inline void drv_queue(const struct drv *d, struct virtq *q)
{
    q->desc = d->base + DRV_DESC;
    q->driver = d->base + DRV_DRIVER;
    q->device = d->base + DRV_DEVICE;
    q->size = d->size;
    q->packed = d->packed;
    q->event_idx = d->event_idx;
    q->indirect = 1;
}

static inline void drv_desc(struct drv_mem *g, uint64_t at, uint64_t addr, uint32_t len,
                            uint16_t third, uint16_t fourth)
{
    drv_put(g, at, &addr, 8);
    drv_put(g, at + 8, &len, 4);
    drv_put16(g, at + 12, third);
    drv_put16(g, at + 14, fourth);
}

static inline int drv_free_id(const struct drv *d)
{
    for (unsigned i = 0; i < d->size; i++)
        if (!d->slots_of[i])
            return (int)i;
    return -1;
}

static inline uint16_t drv_packed_flags(bool wrap)
{
    return wrap ? 0x80 : 0x8000;
}

/* Split chains use descriptors id, id + 1, ... modulo size: fine as long as IDs are spread out. */
static inline void drv_add_split(struct drv *d, uint16_t id, const struct vq_buf *b, unsigned nout,
                                 unsigned n)
{
    uint64_t desc = d->base + DRV_DESC;

    for (unsigned i = 0; i < n; i++)
        drv_desc(d->g, desc + 16ull * ((id + i) % d->size), b[i].gpa, b[i].len,
                 (uint16_t)((i + 1 < n ? 1 : 0) | (i >= nout ? 2 : 0)),
                 (uint16_t)((id + i + 1) % d->size));
    drv_put16(d->g, d->base + DRV_DRIVER + 4 + 2ull * (d->next % d->size), id);
    drv_put16(d->g, d->base + DRV_DRIVER + 2, ++d->next);
}

static inline void drv_add_packed(struct drv *d, uint16_t id, const struct vq_buf *b, unsigned nout,
                                  unsigned n, uint16_t extra)
{
    uint64_t desc = d->base + DRV_DESC;
    uint16_t first = d->next, first_flags = 0;

    for (unsigned i = 0; i < n; i++) {
        uint16_t flags = (uint16_t)((i + 1 < n ? 1 : 0) | (i >= nout ? 2 : 0) | extra |
                                    drv_packed_flags(d->next_wrap));
        uint64_t at = desc + 16ull * d->next;

        if (i == 0)
            first_flags = flags;
        drv_desc(d->g, at, b[i].gpa, b[i].len, id, i ? flags : drv_get16(d->g, at + 14));
        if (++d->next == d->size) {
            d->next = 0;
            d->next_wrap = !d->next_wrap;
        }
    }
    drv_put16(d->g, desc + 16ull * first + 14, first_flags);
}

/* Makes a chain available, directly. @return its ID, -1: no room */
static inline int drv_add(struct drv *d, const struct vq_buf *b, unsigned nout, unsigned n)
{
    int id = drv_free_id(d);

    if (id < 0 || d->free < n)
        return -1;
    if (d->packed)
        drv_add_packed(d, (uint16_t)id, b, nout, n, 0);
    else
        drv_add_split(d, (uint16_t)id, b, nout, n);
    for (unsigned i = 0; i < (d->packed ? 1 : n); i++)
        d->slots_of[((unsigned)id + i) % d->size] = d->packed ? (uint16_t)n : 1;
    d->slots_of[id] = (uint16_t)n;
    d->free = (uint16_t)(d->free - n);
    return id;
}

/* The same through an indirect table. */
static inline int drv_add_indirect(struct drv *d, const struct vq_buf *b, unsigned nout, unsigned n)
{
    int id = drv_free_id(d);
    struct vq_buf table;

    if (id < 0 || !d->free || n > DRV_TABLE / 16)
        return -1;
    table = (struct vq_buf){d->base + DRV_TABLES + DRV_TABLE * (unsigned)id, 16 * n};
    for (unsigned i = 0; i < n; i++) {
        uint16_t flags = (uint16_t)((i >= nout ? 2 : 0) | (!d->packed && i + 1 < n ? 1 : 0));

        drv_desc(d->g, table.gpa + 16ull * i, b[i].gpa, b[i].len, d->packed ? 0 : flags,
                 d->packed ? flags : (uint16_t)(i + 1));
    }
    if (d->packed) {
        drv_add_packed(d, (uint16_t)id, &table, 1, 1, 4);
    } else {
        drv_add_split(d, (uint16_t)id, &table, 1, 1);
        drv_put16(d->g, d->base + DRV_DESC + 16ull * (unsigned)id + 12, 4);
    }
    d->slots_of[id] = 1;
    d->free--;
    return id;
}

static inline void drv_release(struct drv *d, uint16_t id)
{
    uint16_t n = d->slots_of[id];

    for (unsigned i = 0; i < (d->packed ? 1 : n); i++)
        d->slots_of[(id + i) % d->size] = 0;
    d->free = (uint16_t)(d->free + n);
}

static inline bool drv_used_split(struct drv *d, uint16_t *id, uint32_t *len)
{
    uint64_t device = d->base + DRV_DEVICE, elem = device + 4 + 8ull * (d->used % d->size);

    if (drv_get16(d->g, device + 2) == d->used)
        return false;
    *id = drv_get16(d->g, elem);
    drv_get(d->g, elem + 4, len, 4);
    d->used++;
    return true;
}

static inline bool drv_used_packed(struct drv *d, uint16_t *id, uint32_t *len)
{
    uint64_t at = d->base + DRV_DESC + 16ull * d->used;
    uint16_t flags = drv_get16(d->g, at + 14);
    unsigned next;

    if (!!(flags & 0x80) != d->used_wrap || !!(flags & 0x8000) != d->used_wrap)
        return false;
    drv_get(d->g, at + 8, len, 4);
    *id = drv_get16(d->g, at + 12);
    next = d->used + (*id < d->size ? d->slots_of[*id] : 1u);
    if (next >= d->size) {
        next -= d->size;
        d->used_wrap = !d->used_wrap;
    }
    d->used = (uint16_t)next;
    return true;
}

/* Takes a used chain. @return its ID; -1: none; -2: one that is not outstanding */
static inline int drv_take(struct drv *d, uint32_t *len)
{
    uint16_t id;

    if (!(d->packed ? drv_used_packed(d, &id, len) : drv_used_split(d, &id, len)))
        return -1;
    if (id >= d->size || !d->slots_of[id])
        return -2;
    drv_release(d, id);
    return id;
}

#endif
