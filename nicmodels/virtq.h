/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Virtqueues, the device's side: split and packed rings, indirect descriptors, event index
 * (Virtual I/O Device (VIRTIO) 1.2, 2.6 to 2.8; names as there).
 *
 * The ring code knows guest memory by a translation function only; PCI, vhost-user and device
 * models are its callers' business. A device takes chains of buffers in the driver's order and
 * gives them back in that order, in batches:
 *
 *     vq_begin(q, m, &b);
 *     while (...vq_next(q, m, &b, &chain) == 1) {
 *         ...vq_copy() out of and into chain.buf...
 *         vq_done(q, &b, &chain, bytes_written);
 *     }
 *     if (vq_publish(q, m, journal, &b))
 *         ...interrupt the driver...
 *
 * Nothing is visible to the driver before vq_publish, which shows the whole batch at once; a batch
 * that is not published never was.
 *
 * Where guest memory stays where it is (vq_mem.piece), a batch looks its ring's parts up once,
 * reads the available index once for all chains it finds, and vq_fetch has later chains' buffers
 * come into the cache while earlier ones are worked on: on a busy ring that takes most of the time.
 *
 * Hostile rings. Every address is translated and bounds-checked at each use, everything is read
 * once, chains are bounded. What no driver may do (2.6.5.3.1 and others) breaks the queue: it is
 * not looked at again until it is started anew.
 *
 * Killed at any instruction. A batch's used descriptors go into the journal, a piece of durable
 * memory, before they go into the ring; vq_resume finishes what was begun. So a chain is completed
 * once, however the process dies; what the device did with it (sent a frame) may happen twice.
 *
 * Memory-order edges; the driver's half is in its own ring code:
 *   V1  available: the driver's release of avail->idx or a descriptor's flags; the acquire in
 *       vq_next. What the chain says is visible.
 *   V2  used: the release in vq_publish; the driver's acquire of used->idx or flags.
 *   V3  notifications: vq_arm asks for them, full fence, looks once more; the driver makes
 *       available, full fence, looks whether it is to notify.
 *   V4  interrupts: vq_publish shows, full fence, looks whether the driver wants one; the driver
 *       asks for one, full fence, looks once more.
 *
 * Threads: a queue belongs to one thread. No allocation, no system call.
 */
#ifndef COOPVMM_NICMODELS_VIRTQ_H
#define COOPVMM_NICMODELS_VIRTQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VQ_MAX_SIZE  32768 /* descriptors a ring may have (2.6) */
#define VQ_MAX_CHAIN 256   /* buffers of one chain; a longer one breaks the queue */
#define VQ_BATCH     48    /* chains a batch may complete: a large frame takes some 45 */

/* Guest memory that is mapped as long as the queue is used. */
struct vq_piece {
    uint64_t gpa, size;
    uint8_t *host;
};

/* Guest memory. */
struct vq_mem {
    /**
     * @param len in: bytes wanted, not 0; out: how many are contiguous from there
     * @return host address, good until the next call; NULL: there is no memory at gpa
     */
    void *(*at)(void *ctx, uint64_t gpa, uint64_t *len, bool write);
    void *ctx;
    /* What of it stays where it is from vq_begin until the batch is published, and need not be told
     * of writes: what lies in one of these is not asked `at` for. None: all is. */
    const struct vq_piece *piece;
    unsigned npieces;
};

/** Host address of bytes that lie in one piece. @return NULL: they do not, and are vq_copy's */
static inline uint8_t *vq_still(const struct vq_mem *m, uint64_t gpa, uint64_t len)
{
    for (unsigned i = 0; i < m->npieces; i++) {
        const struct vq_piece *p = &m->piece[i];
        uint64_t off = gpa - p->gpa; /* wraps to something huge if gpa is below */

        if (off < p->size && len <= p->size - off)
            return p->host + off;
    }
    return NULL;
}

/** Copies out of (write: into) guest memory. @return false if some byte is not there. */
bool vq_copy(const struct vq_mem *m, uint64_t gpa, void *buf, uint64_t len, bool write);

/* A place in the ring. Split: `index` runs freely modulo 2^16, `wrap` is 0. Packed: `index` is
 * below the ring's size, `wrap` is the wrap counter, 1 in the first lap. */
struct vq_pos {
    uint16_t index;
    uint16_t wrap;
};

enum vq_state { VQ_OFF = 0, VQ_ON, VQ_BROKEN };

/* A queue. Plain data without pointers: it may be part of a model's registers. */
struct virtq {
    uint64_t desc;                       /* guest-physical: descriptor table, or the packed ring */
    uint64_t driver;                     /* available ring, or driver event suppression */
    uint64_t device;                     /* used ring, or device event suppression */
    uint16_t size;                       /* descriptors; split: a power of two */
    uint8_t packed, event_idx, indirect; /* 1: negotiated */
    uint8_t state;                       /* enum vq_state */
    uint8_t polled;                      /* 1: the driver is told not to notify */
    uint8_t reserved;
    uint16_t quiet_at; /* split with event_idx: avail_event as vq_quiet left it */
    uint16_t epoch;    /* counts starts: a journal of an earlier one says nothing */
    struct vq_pos pos; /* next chain to take, and next to give back: always the same one */
};
_Static_assert(sizeof(struct virtq) == 40, "no padding");

struct vq_buf {
    uint64_t gpa;
    uint32_t len; /* bytes, may be 0 */
};

/* A chain of buffers: nout to be read by the device, then those it may write. */
struct vq_chain {
    uint16_t id;              /* split: head; packed: buffer ID */
    uint16_t slots;           /* ring entries it takes */
    uint16_t nout;            /* device-readable buffers */
    uint16_t nbufs;           /* all */
    uint32_t out_len, in_len; /* bytes of either kind */
    struct vq_buf buf[VQ_MAX_CHAIN];
};

/* A used descriptor to be. */
struct vq_used {
    uint16_t slot; /* packed: where; split: not used */
    uint16_t id;
    uint32_t len;
};

/* Where a ring's parts are, as virtq names them; NULL: each access is translated. */
struct vq_view {
    uint8_t *desc, *driver, *device;
};

struct vq_batch {
    struct vq_pos from, to;
    unsigned n;    /* below or equal VQ_BATCH */
    uint16_t seen; /* split: the available index as it was read last */
    struct vq_view view;
    struct vq_used used[VQ_BATCH];
};

/* What is durable of a queue. `word` is stored and loaded whole. Zeroed memory is fine. */
struct vq_journal {
    struct vq_word {
        uint16_t from, to; /* indexes */
        uint8_t wraps;     /* bit 0: from.wrap, bit 1: to.wrap */
        uint8_t n;         /* used[0..n) are on their way into the ring; 0: they are there */
        uint16_t epoch;
    } word;
    struct vq_used used[VQ_BATCH];
};
_Static_assert(sizeof(struct vq_journal) == 8 + 8 * VQ_BATCH, "durable layout");

/**
 * Starts a queue whose addresses, size and features are filled in, at pos.
 * @param polled the device looks by itself: the driver is told not to notify
 * @return 0; -EINVAL: size or alignment are not a ring's (2.6, 2.7): state is VQ_BROKEN
 */
int vq_start(struct virtq *q, const struct vq_mem *m, struct vq_pos pos, bool polled);
/** Where a fresh ring begins. */
static inline struct vq_pos vq_first(bool packed)
{
    return (struct vq_pos){0, packed};
}
/** Checks a queue from outside (a saved state). @return 0 or -EPROTO */
int vq_validate(const struct virtq *q);
/** Takes the position from the journal, and finishes a batch that was being published. */
void vq_resume(struct virtq *q, const struct vq_mem *m, struct vq_journal *j);

/** Is there a chain to be taken? Of a queue that is on. */
bool vq_available(const struct virtq *q, const struct vq_mem *m);

/** An empty batch at the queue's position. */
void vq_begin(const struct virtq *q, const struct vq_mem *m, struct vq_batch *b);
/**
 * The next chain after those the batch has; it stays available until it is published.
 * @return 1; 0: there is none, or the batch is full; -EPROTO: the ring is broken, and the queue now
 */
int vq_next(struct virtq *q, const struct vq_mem *m, struct vq_batch *b, struct vq_chain *c);
/** The chain is done with: `len` bytes of it were written. */
static inline void vq_done(const struct virtq *q, struct vq_batch *b, const struct vq_chain *c,
                           uint32_t len)
{
    uint32_t next = (uint32_t)b->to.index + c->slots;

    b->used[b->n++] = (struct vq_used){b->to.index, c->id, len};
    if (q->packed && next >= q->size) {
        next -= q->size;
        b->to.wrap ^= 1;
    }
    b->to.index = (uint16_t)next;
}
/* A chain of one buffer in memory that stays. */
struct vq_plain {
    uint8_t *p;
    uint32_t len; /* bytes, may be 0 */
};

/**
 * The next chains, as long as they are plain ones, and done with: vq_next and vq_done at once for
 * what most of a busy ring consists of, each with 0 bytes written; b->used[] is the caller's to be
 * corrected. Never fails: what is not plain is left to vq_next.
 * @param writable of the buffers
 * @return how many, at most `most`
 */
unsigned vq_take_plain(const struct virtq *q, const struct vq_mem *m, struct vq_batch *b,
                       bool writable, struct vq_plain *out, unsigned most);
/** The batch is without its last n chains, all plain ones, again. */
void vq_untake_plain(const struct virtq *q, struct vq_batch *b, unsigned n);
/**
 * Gives the batch's chains back to the driver.
 * @return true: the driver wants an interrupt
 */
bool vq_publish(struct virtq *q, const struct vq_mem *m, struct vq_journal *j,
                const struct vq_batch *b);

/**
 * Does the driver want an interrupt for what was given back since `from`? As vq_publish said, or
 * not any more: it may have seen it without. For who holds interrupts back.
 */
bool vq_wants_interrupt(const struct virtq *q, const struct vq_mem *m, struct vq_pos from);

/** Reads (write: writes) bytes of a chain's device-readable (device-writable) part, from `at` on.
 * @return false if they are not all there */
bool vq_chain_copy(const struct vq_mem *m, const struct vq_chain *c, uint32_t at, void *buf,
                   uint32_t len, bool write);

/** The device polls from now on: tells the driver not to notify. */
void vq_quiet(struct virtq *q, const struct vq_mem *m);
/** The device will not look any more: asks the driver to notify.
 * @return true if there is nothing to take: it may sleep (edge V3) */
bool vq_arm(struct virtq *q, const struct vq_mem *m);

#endif
