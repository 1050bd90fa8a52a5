/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IOTP, the I/O core's side of an area: what a polling loop does.
 *
 * The other side is hostile: each field is read once into a private copy and checked there. Nothing
 * a VMM writes can make these functions touch memory outside the area.
 *
 * Threads: an iotp_ioc_area belongs to one I/O core. No function here allocates; only
 * iotp_ioc_complete may make a system call, and only for a VMM that sleeps.
 * The edges (S1, C1, ...) are named in iotp_vmm.h.
 */
#ifndef COOPVMM_IOTP_IOC_H
#define COOPVMM_IOTP_IOC_H

#include <stdbool.h>

#include "iotp.h"
#include "iotp_vmm.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One vCPU's end. */
struct iotp_ioc_vcpu {
    struct iotp_slot *slot;
    struct iotp_ring *ring;
    struct iotp_post *entries;
    uint8_t *bounce;
    uint32_t done_seq; /* last sequence number completed */
    uint32_t tail;     /* next posted entry to look at */
};

/* An attached area: pointers and private copies, never re-read from shared memory. */
struct iotp_ioc_area {
    uint8_t *base;
    struct iotp_layout lay;
    uint64_t features;
    struct iotp_summary *summary;
    struct iotp_shadow *shadow;  /* [lay.ndevices] */
    struct iotp_ioc_vcpu vcpu[]; /* [lay.nvcpus] */
};

/**
 * Checks the header of a mapped area and sets up the I/O core's end. A fresh area and one that a
 * former I/O core served are treated alike: done_seq and tail are taken from it.
 * @param size bytes mapped
 * @return 0 and *out (release with iotp_ioc_detach); -EPROTO: bad magic, version, counts, size or
 *         reserved field; -EINVAL: base is not on a cache line; -ENOMEM. Whether the features are
 *         those agreed on is the caller's to check.
 */
int iotp_ioc_attach(void *base, uint64_t size, struct iotp_ioc_area **out);
void iotp_ioc_detach(struct iotp_ioc_area *a);

/* Wakes a VMM that sleeps on this slot; not for direct use. */
void iotp_ioc_wake(struct iotp_slot *s);

/**
 * Is a request well formed? Region, size, operation bits, string count and bounce range; whether
 * there is such a device, and guest memory at `mem`, is the caller's to find out.
 * A request that is not gets IOTP_FAILED.
 */
static inline bool iotp_ioc_valid(const struct iotp_req *r)
{
    const unsigned all = IOTP_OP_WRITE | IOTP_OP_STRING | IOTP_OP_DOWN | IOTP_OP_BOUNCE;
    uint64_t first, last;

    if (r->region >= IOTP_REGIONS || r->size > IOTP_MAX_SIZE || !r->size ||
        (r->size & (r->size - 1)) || (r->op & ~all))
        return false;
    if (!(r->op & IOTP_OP_STRING))
        return !(r->op & (IOTP_OP_DOWN | IOTP_OP_BOUNCE));
    if (!r->count || r->count > IOTP_MAX_STRING)
        return false;
    if (!(r->op & IOTP_OP_BOUNCE))
        return true;
    /* first and last: the lowest byte and the one after the highest */
    first = r->mem;
    last = (uint64_t)(r->count - 1) * r->size;
    if (r->mem > IOTP_BOUNCE_SIZE)
        return false;
    if (r->op & IOTP_OP_DOWN)
        return last <= first && first + r->size <= IOTP_BOUNCE_SIZE;
    return first + last + r->size <= IOTP_BOUNCE_SIZE;
}

/** Is there a synchronous request? Cheap: one load of a line that is usually in this cache. */
static inline bool iotp_ioc_pending(const struct iotp_ioc_vcpu *v)
{
    return __atomic_load_n(&v->slot->req_seq, __ATOMIC_RELAXED) != v->done_seq;
}

/**
 * Takes a private copy of the synchronous request, if there is one.
 * A sequence number that is not the next one is a broken VMM: the request is taken all the same and
 * completed under the number found, so that nobody waits for ever.
 * @return true, *req, *seq to complete under, and *stamp.
 */
static inline bool iotp_ioc_peek(const struct iotp_ioc_vcpu *v, struct iotp_req *req, uint32_t *seq,
                                 uint64_t *stamp)
{
    const struct iotp_slot *s = v->slot;
    uint32_t q = __atomic_load_n(&s->req_seq, __ATOMIC_ACQUIRE); /* S1 */

    if (q == v->done_seq)
        return false;
    *seq = q;
    req->offset = __atomic_load_n(&s->offset, __ATOMIC_RELAXED);
    req->data = __atomic_load_n(&s->data, __ATOMIC_RELAXED);
    req->mem = __atomic_load_n(&s->mem, __ATOMIC_RELAXED);
    req->count = __atomic_load_n(&s->count, __ATOMIC_RELAXED);
    req->device = __atomic_load_n(&s->device, __ATOMIC_RELAXED);
    req->region = __atomic_load_n(&s->region, __ATOMIC_RELAXED);
    req->op = __atomic_load_n(&s->op, __ATOMIC_RELAXED);
    req->size = __atomic_load_n(&s->size, __ATOMIC_RELAXED);
    *stamp = __atomic_load_n(&s->stamp, __ATOMIC_RELAXED);
    return true;
}

/** Hands the result over and frees the slot. */
static inline void iotp_ioc_complete(struct iotp_ioc_vcpu *v, uint32_t seq,
                                     const struct iotp_resp *r)
{
    struct iotp_slot *s = v->slot;

    __atomic_store_n(&s->data, r->data, __ATOMIC_RELAXED);
    __atomic_store_n(&s->done_count, r->done_count, __ATOMIC_RELAXED);
    __atomic_store_n(&s->status, r->status, __ATOMIC_RELAXED);
    v->done_seq = seq;
    __atomic_store_n(&s->done, seq, __ATOMIC_RELEASE); /* C1: publishes the result */
    iotp_full_fence();                                 /* F1 */
    if (__builtin_expect(__atomic_load_n(&s->waiter, __ATOMIC_RELAXED) != 0, 0))
        iotp_ioc_wake(s);
}

/** Is there a posted write? Cheap, as iotp_ioc_pending. */
static inline bool iotp_ioc_posted(const struct iotp_ioc_vcpu *v, uint32_t mask)
{
    return __atomic_load_n(&v->entries[v->tail & mask].seq, __ATOMIC_RELAXED) == v->tail + 1;
}

/** Looks at the next posted write. @return true and a private copy in *out. */
static inline bool iotp_ioc_next_post(const struct iotp_ioc_vcpu *v, uint32_t mask,
                                      struct iotp_post *out)
{
    const struct iotp_post *e = &v->entries[v->tail & mask];

    if (__atomic_load_n(&e->seq, __ATOMIC_ACQUIRE) != v->tail + 1) /* P1 */
        return false;
    out->seq = v->tail + 1;
    out->device = __atomic_load_n(&e->device, __ATOMIC_RELAXED);
    out->region = __atomic_load_n(&e->region, __ATOMIC_RELAXED);
    out->size = __atomic_load_n(&e->size, __ATOMIC_RELAXED);
    out->offset = __atomic_load_n(&e->offset, __ATOMIC_RELAXED);
    out->data = __atomic_load_n(&e->data, __ATOMIC_RELAXED);
    out->stamp = __atomic_load_n(&e->stamp, __ATOMIC_RELAXED);
    return true;
}

/** The entry of iotp_ioc_next_post has been carried out (and its effect made durable). */
static inline void iotp_ioc_post_done(struct iotp_ioc_vcpu *v)
{
    v->tail++;
    __atomic_store_n(&v->ring->tail, v->tail, __ATOMIC_RELEASE); /* T1 */
}

/*
 * Publishing registers: edge H2. If several cells change, iotp_ioc_hide first, then
 * iotp_ioc_set_cell each, then iotp_ioc_show; a single cell may be set as it is. In any case
 * before the change can be known otherwise: before the completion, the interrupt, and the guest
 * memory the device writes.
 */
static inline void iotp_ioc_hide(struct iotp_shadow *sh)
{
    __atomic_store_n(&sh->valid, 0, __ATOMIC_RELAXED); /* ordered by the release of each cell */
}

static inline void iotp_ioc_set_cell(struct iotp_shadow *sh, unsigned cell, uint64_t value)
{
    __atomic_store_n(&sh->cell[cell], value, __ATOMIC_RELEASE);
}

static inline void iotp_ioc_show(struct iotp_shadow *sh, uint32_t valid)
{
    __atomic_store_n(&sh->valid, valid, __ATOMIC_RELEASE);
}

/** Publishes that `consumed` posted writes took effect, after the cells were stored. Edge H1. */
static inline void iotp_ioc_publish(struct iotp_shadow *sh, uint64_t consumed)
{
    __atomic_store_n(&sh->consumed, consumed, __ATOMIC_RELEASE);
}

/**
 * The I/O core stops looking at vCPU v each time round: edge W1.
 * The caller looks once more afterwards; if there is something, it watches again (iotp_ioc_watch).
 * The fence is for those looks: they are plain acquire loads, which may pass an atomic operation.
 */
static inline void iotp_ioc_unwatch(struct iotp_ioc_area *a, uint32_t v)
{
    __atomic_fetch_and(&a->summary->watch[v / 64], ~(1ull << (v % 64)), __ATOMIC_SEQ_CST);
    iotp_full_fence();
}

static inline void iotp_ioc_watch(struct iotp_ioc_area *a, uint32_t v)
{
    __atomic_fetch_or(&a->summary->watch[v / 64], 1ull << (v % 64), __ATOMIC_SEQ_CST);
}

/** About to sleep: edge A1 (the same pattern as W1). The caller looks at everything once more. */
static inline void iotp_ioc_arm(struct iotp_ioc_area *a)
{
    __atomic_exchange_n(&a->summary->armed, 1, __ATOMIC_SEQ_CST);
    iotp_full_fence();
}

static inline void iotp_ioc_disarm(struct iotp_ioc_area *a)
{
    __atomic_store_n(&a->summary->armed, 0, __ATOMIC_RELAXED);
}

#ifdef __cplusplus
}
#endif
#endif
