/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IOTP, the VMM's side of an area: what a vCPU thread does.
 *
 * Threads: a struct iotp_vcpu belongs to one thread at a time; different vCPUs need no lock.
 * No function here allocates; iotp_call and iotp_post make no system call unless the I/O core
 * sleeps (then one write to the kick eventfd) or the spin budget runs out (then futex).
 * Both may be called from a signal handler.
 *
 * Memory-order edges, by the names SPEC.md uses:
 *   S1  request fields  -> req_seq      release here, acquire in iotp_ioc_peek
 *   C1  result fields   -> done         release in iotp_ioc_complete, acquire here
 *   P1  entry fields    -> post.seq     release here, acquire in iotp_ioc_next_post
 *   T1  entry consumed  -> ring.tail    release in iotp_ioc_post_done, acquire here
 *   W1  S1 or P1, full fence, read of `watch`; the I/O core clears a bit of `watch`, full fence,
 *       looks again: one of the two sees the other (store-buffer pattern, both sides fenced)
 *   A1  the same with `armed`
 *   F1  `waiter` set, full fence, last look at `done` (by the kernel, in futex); the I/O core: C1,
 *       full fence, read of `waiter`
 *   H1  cells, irq_level -> consumed    release in iotp_ioc_publish, acquire in iotp_shadow_read
 *   H2  valid = 0 -> cells -> valid     release in iotp_ioc_hide/set_cell/show, acquire here
 *
 * S1, C1 and P1 are plain release stores and the fences stand apart. An atomic exchange would do
 * for both on some machines, but it is slower (the line can be snatched away by the polling side
 * between the fields' stores and the exchange: a round trip took half as long again) and on others
 * it is no full fence (arm64 without LSE lets a later load pass its store).
 */
#ifndef COOPVMM_IOTP_VMM_H
#define COOPVMM_IOTP_VMM_H

#include <stdbool.h>

#include "iotp.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Tells the core that this is a spin-wait loop; without it the polling reads themselves slow the
 * line's way back. */
static inline void iotp_pause(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield" ::: "memory");
#endif
}

/*
 * A full fence: orders earlier stores before later loads. On x86 a locked no-op on the stack, which
 * is faster than mfence and orders all that write-back memory needs.
 * ThreadSanitizer does not model it; nothing here needs it to be free of data races, since all that
 * it orders is atomic.
 */
static inline void iotp_full_fence(void)
{
#if defined(__x86_64__)
    __asm__ volatile("lock; addl $0, -4(%%rsp)" ::: "memory", "cc");
#else
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

/* The time stamp counter, unserialised: statistics only. */
static inline uint64_t iotp_ticks(void)
{
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    uint64_t t;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(t));
    return t;
#else
    return 0;
#endif
}

/* An answer comes within a fraction of a microsecond if it comes from a polling I/O core: the first
 * polls of a wait do without the pause, which takes a good part of that. Some 5 cycles each. */
#define IOTP_EAGER_POLLS 200

/* Of so many requests, and of so many posted writes, one is stamped: reading the clock each time
 * would cost a tenth of a round trip. The first one is. */
#define IOTP_STAMP_EVERY 16

/* One request, as the VMM decoded it. */
struct iotp_req {
    uint64_t offset; /* within the region, bytes */
    uint64_t data;   /* value to write */
    uint64_t mem;    /* string I/O: guest-physical address or bounce offset */
    uint32_t count;  /* string I/O: elements; else ignored */
    uint16_t device;
    uint8_t region; /* enum iotp_region */
    uint8_t op;     /* enum iotp_op bits */
    uint8_t size;   /* 1, 2, 4, 8 */
};

struct iotp_resp {
    uint64_t data;       /* value read, zero-extended from `size` bytes; all ones if unclaimed */
    uint32_t done_count; /* string elements transferred; fewer than asked: ask for the rest */
    uint8_t status;      /* enum iotp_status */
};

/* One vCPU's end of an area. */
struct iotp_vcpu {
    struct iotp_slot *slot;
    struct iotp_summary *summary;
    struct iotp_ring *ring;
    struct iotp_post *entries;
    uint8_t *bounce;    /* IOTP_BOUNCE_SIZE bytes */
    uint64_t watch_bit; /* this vCPU's bit in *watch */
    uint64_t *watch;    /* its word of the summary line */
    uint32_t seq;       /* of the last request submitted; never read back from shared memory */
    uint32_t mask;      /* posted_entries - 1 */
    uint32_t head;      /* free-running index of the next entry to fill */
    uint32_t tail_seen; /* the I/O core's tail when last read */
    uint32_t eager;     /* polls of a wait before the first pause */
    uint32_t spin;      /* polls with a pause after those, before sleeping */
    int kick_fd;        /* eventfd, written when the I/O core is armed; -1: it never sleeps */
    bool stamp;         /* IOTP_F_STAMP was agreed on */
    const bool *cancel; /* may be NULL; set by iotp_cancel's caller: give up waiting */
    uint64_t sleeps;    /* statistics: times the spin budget ran out */
    uint64_t kicks;     /* statistics: times the I/O core had to be woken */
    uint64_t full;      /* statistics: posts refused because the ring was full */
};

/**
 * Sets up one vCPU's end. `area` is mapped, of lay->size bytes. In an area that was used before, it
 * goes on where the former user of this end left off: entries posted but not consumed stay, and a
 * request in flight may be collected.
 * @param spin pauses in a wait before sleeping (some 10 to 60 ns each, see iotp_pause_ns); 0: sleep
 *        at once. The polls before the first pause (`eager`) are IOTP_EAGER_POLLS, and may be set
 *        afterwards
 * @return 0; -EINVAL if vcpu is out of range.
 */
int iotp_vcpu_init(struct iotp_vcpu *v, void *area, const struct iotp_layout *lay, uint32_t vcpu,
                   uint32_t spin, int kick_fd);

/** Writes the header of a fresh, zeroed area. @return 0 or -EINVAL. */
int iotp_area_format(void *area, const struct iotp_layout *lay, uint64_t features);

/* The part of waiting that makes system calls; not for direct use.
 * @return 0 when completed, -ECANCELED. */
int iotp_wait_slow(struct iotp_vcpu *v, uint32_t seq);
/* Sets this vCPU's bit in `watch`; not for direct use. */
void iotp_watch_slow(struct iotp_vcpu *v);
/* Wakes a sleeping I/O core; not for direct use. */
void iotp_kick_slow(struct iotp_vcpu *v);

/**
 * What a pause costs here, in nanoseconds, measured (that takes a while). On a CPU of one's own 3
 * to 50; a hypervisor that takes the CPU away from who pauses, or an emulator, makes it hundreds:
 * more than a request takes. From IOTP_PAUSE_DEAR on, who polls should not pause.
 */
uint32_t iotp_pause_ns(void);
#define IOTP_PAUSE_DEAR 200
/** Makes a vCPU that waits in iotp_call look at *cancel. Any thread. */
void iotp_cancel(struct iotp_vcpu *v);

/* After a request was published: makes sure that the I/O core looks. */
static inline void iotp_announce(struct iotp_vcpu *v)
{
    iotp_full_fence(); /* W1, A1 */
    if (__builtin_expect(!(__atomic_load_n(v->watch, __ATOMIC_RELAXED) & v->watch_bit), 0))
        iotp_watch_slow(v);
    if (__builtin_expect(__atomic_load_n(&v->summary->armed, __ATOMIC_RELAXED) != 0, 0))
        iotp_kick_slow(v);
}

/**
 * Posts a synchronous request. The request must be collected with iotp_collect before the next.
 */
static inline void iotp_submit(struct iotp_vcpu *v, const struct iotp_req *r)
{
    struct iotp_slot *s = v->slot;

    s->offset = r->offset;
    s->data = r->data;
    s->mem = r->mem;
    s->count = r->count;
    s->device = r->device;
    s->region = r->region;
    s->op = r->op;
    s->size = r->size;
    s->stamp = v->stamp && v->seq % IOTP_STAMP_EVERY == 0 ? iotp_ticks() : 0;
    __atomic_store_n(&s->req_seq, ++v->seq, __ATOMIC_RELEASE); /* S1: publishes the fields above */
    iotp_announce(v);
}

/**
 * Waits for the request of iotp_submit: spins for the budget, then sleeps.
 * @return 0 and *resp; -ECANCELED if *cancel was set: the request is still in flight, it may be
 *         collected again but no other may be submitted before
 */
static inline int iotp_collect(struct iotp_vcpu *v, struct iotp_resp *resp)
{
    struct iotp_slot *s = v->slot;
    uint32_t seq = v->seq;

    /* C1: pairs with the release in iotp_ioc_complete */
    for (uint32_t i = 0; __atomic_load_n(&s->done, __ATOMIC_ACQUIRE) != seq; i++) {
        if (i < v->eager)
            continue;
        if (__builtin_expect(i - v->eager >= v->spin, 0)) {
            int err = iotp_wait_slow(v, seq);

            if (err)
                return err;
            break;
        }
        iotp_pause();
    }
    resp->data = __atomic_load_n(&s->data, __ATOMIC_RELAXED);
    resp->done_count = __atomic_load_n(&s->done_count, __ATOMIC_RELAXED);
    resp->status = __atomic_load_n(&s->status, __ATOMIC_RELAXED);
    return 0;
}

/** A whole synchronous request. @return as iotp_collect. */
static inline int iotp_call(struct iotp_vcpu *v, const struct iotp_req *r, struct iotp_resp *resp)
{
    iotp_submit(v, r);
    return iotp_collect(v, resp);
}

/**
 * Posts a write that nobody waits for. Ordered before every later request of this vCPU, but not
 * against other vCPUs' posted writes: a VM with several vCPUs uses iotp_post_ordered.
 * @return true if posted; false if the ring is full: make it a synchronous request instead.
 */
static inline bool iotp_post(struct iotp_vcpu *v, uint16_t device, uint8_t region, uint64_t offset,
                             uint8_t size, uint64_t data)
{
    uint32_t head = v->head;
    struct iotp_post *e = &v->entries[head & v->mask];

    if (__builtin_expect(head - v->tail_seen > v->mask, 0)) {
        /* T1: pairs with the release in iotp_ioc_post_done */
        v->tail_seen = __atomic_load_n(&v->ring->tail, __ATOMIC_ACQUIRE);
        if (head - v->tail_seen > v->mask) {
            v->full++;
            return false;
        }
    }
    e->device = device;
    e->region = region;
    e->size = size;
    e->offset = offset;
    e->data = data;
    e->stamp = v->stamp && head % IOTP_STAMP_EVERY == 0 ? iotp_ticks() : 0;
    __atomic_store_n(&e->seq, head + 1, __ATOMIC_RELEASE); /* P1: publishes the entry */
    v->head = head + 1;
    iotp_announce(v);
    return true;
}

/**
 * Posts a write to a device that several vCPUs may post to (SPEC.md, rule O3). Guests rely on
 * writes made under a lock to reach the device in the order of the lock's holders, whichever CPU
 * they come from; rings know nothing of each other. So a vCPU posts only if all writes of others to
 * this device were carried out already; if not, it makes a synchronous request, which finds them
 * carried out.
 *
 * It counts the write too, before posting it: counted afterwards, another vCPU's write could be
 * consumed in its stead, and this vCPU would read a shadow that does not know of its own write yet.
 *
 * @param posted writes posted to the device so far, all vCPUs; the VMM's own memory, starts at 0
 * @param mark   this vCPU's own for this device; starts at 0
 * @param sh     the device's shadow, for `consumed`
 * @return true if posted; false: make it a synchronous request instead.
 */
static inline bool iotp_post_ordered(struct iotp_vcpu *v, uint64_t *posted, uint64_t *mark,
                                     const struct iotp_shadow *sh, uint16_t device, uint8_t region,
                                     uint64_t offset, uint8_t size, uint64_t data)
{
    uint64_t n = __atomic_load_n(posted, __ATOMIC_RELAXED);

    /* Ours was the last one, or (H1) none is on its way. */
    if (n != *mark && __atomic_load_n(&sh->consumed, __ATOMIC_ACQUIRE) != n)
        return false;
    /* Relaxed: vCPUs that are ordered at all are so by the guest's own lock. */
    if (!__atomic_compare_exchange_n(posted, &n, n + 1, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        return false;
    *mark = n + 1;
    if (__builtin_expect(iotp_post(v, device, region, offset, size, data), 1))
        return true;
    /* Nobody can have counted on from n + 1: that takes its mark, or its being consumed. */
    __atomic_store_n(posted, n, __ATOMIC_RELAXED);
    *mark = n;
    return false;
}

/**
 * Answers a read from the shadow, if it is current.
 * @param posted how many writes this VMM posted to the device so far, see iotp_post_ordered
 * @return true and *value (zero-extended), or false: ask the I/O core.
 */
static inline bool iotp_shadow_read(const struct iotp_shadow *sh, unsigned cell, uint64_t posted,
                                    uint64_t *value)
{
    /* H1: pairs with the release of `consumed` in iotp_ioc_publish */
    if (__atomic_load_n(&sh->consumed, __ATOMIC_ACQUIRE) != posted)
        return false;
    /* H2: whoever saw a new cell sees `valid` cleared, or all the other cells new too */
    if (!(__atomic_load_n(&sh->valid, __ATOMIC_ACQUIRE) & (1u << cell)))
        return false;
    *value = __atomic_load_n(&sh->cell[cell], __ATOMIC_ACQUIRE);
    return true;
}

#ifdef __cplusplus
}
#endif
#endif
