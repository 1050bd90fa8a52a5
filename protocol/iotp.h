/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IOTP v1: the shared-memory layout between a VMM and an I/O core.
 *
 * One *area* is one piece of shared memory for one (VM, I/O core) pair. The VMM allocates it (a
 * memfd sealed against shrinking), zeroed, and passes it over the control channel (iotp_ctl.h).
 * Zeroed memory means: every slot free, every ring empty, nothing watched.
 *
 *   offset 0        struct iotp_area_hdr        written by the VMM before the area is passed on
 *   IOTP_OFF_...    struct iotp_summary         one line; which vCPUs want to be looked at
 *   then            struct iotp_slot[nvcpus]    one line a vCPU; the synchronous request
 *   then            struct iotp_ring[nvcpus]    posted writes: consumer line, entries
 *   then            struct iotp_shadow[ndevs]   registers the VMM may answer by itself
 *   then            uint8_t bounce[nvcpus][IOTP_BOUNCE_SIZE]
 *
 * The offsets follow from (nvcpus, ndevices, posted_entries) alone: iotp_layout_of() computes them
 * on each side, so that no offset is ever read back from memory the other side can write.
 *
 * All fields are little-endian. Nothing here is trusted by either side: an I/O core bounds-checks
 * whatever it reads, once, into a private copy.
 *
 * Needs nothing but libc; usable from C and C++. SPEC.md is the normative text.
 */
#ifndef COOPVMM_IOTP_H
#define COOPVMM_IOTP_H

#include <stddef.h>
#include <stdint.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "IOTP areas are accessed in place: a big-endian machine would have to swap every field"
#endif

#ifdef __cplusplus
#define IOTP_STATIC_ASSERT(cond, text) static_assert(cond, text)
extern "C" {
#else
#define IOTP_STATIC_ASSERT(cond, text) _Static_assert(cond, text)
#endif

#define IOTP_MAGIC   0x50544f49u /* "IOTP" */
#define IOTP_VERSION 1

#define IOTP_LINE           64   /* bytes in a cache line */
#define IOTP_PAGE           4096 /* bytes; header and bounce pages are this large */
#define IOTP_MAX_VCPUS      256  /* per area */
#define IOTP_MAX_DEVICES    64   /* per area */
#define IOTP_MIN_POSTED     16   /* posted_entries is a power of two in [MIN, MAX] */
#define IOTP_MAX_POSTED     4096
#define IOTP_DEFAULT_POSTED 256
#define IOTP_BOUNCE_SIZE    4096  /* bytes of bounce buffer a vCPU has for string I/O */
#define IOTP_MAX_STRING     65536 /* elements in one string request */
#define IOTP_SHADOW_CELLS   30    /* shadowed registers a device may have */
#define IOTP_MAX_SIZE       8     /* bytes in one access: 1, 2, 4 or 8 */

/*
 * Regions of a device, as its model numbers them. 0 to 5 are a PCI function's BARs (an ISA device
 * uses 0 for its port window), 6 its expansion ROM, 7 its configuration space.
 */
enum iotp_region {
    IOTP_REGION_BAR0 = 0,
    IOTP_REGION_ROM = 6,
    IOTP_REGION_CONFIG = 7,
    IOTP_REGIONS = 8,
};

/* iotp_slot.op and iotp_post.op */
enum iotp_op {
    IOTP_OP_READ = 0,
    IOTP_OP_WRITE = 1 << 0,
    IOTP_OP_STRING = 1 << 1, /* `count` elements between the register and memory at `mem` */
    IOTP_OP_DOWN = 1 << 2,   /* string: addresses descend; `mem` is the *first* element's address */
    IOTP_OP_BOUNCE = 1 << 3, /* string: `mem` is an offset into this vCPU's bounce buffer */
};

/* iotp_slot.status, valid once the request is completed */
enum iotp_status {
    IOTP_DONE = 0,
    IOTP_UNCLAIMED = 1, /* no such device, region or register: reads are all ones */
    IOTP_FAILED = 2,    /* malformed request, or guest memory that is not there; see done_count */
};

/*
 * The synchronous slot: request, completion and sequence number in one line, so that a round trip
 * moves one line there and one back.
 *
 * Free or completed when req_seq equals `done`; in flight when req_seq is one more.
 * The VMM owns every byte but `done` while it is free; the I/O core owns every byte but req_seq and
 * `waiter` while it is in flight.
 */
struct iotp_slot {
    uint32_t req_seq;    /*  0: VMM; the store that publishes a request (edge S1) */
    uint32_t done_count; /*  4: I/O core; string elements transferred */
    uint32_t done;       /*  8: I/O core; the store that publishes a completion (edge C1) */
    uint32_t waiter;     /* 12: VMM; 1: it sleeps in futex(FUTEX_WAIT) on `done` (edge F1) */
    uint64_t offset;     /* 16: within the region, bytes */
    uint64_t data;       /* 24: value written, or value read; low `size` bytes count */
    uint64_t mem;        /* 32: string I/O: guest-physical address, or bounce offset */
    uint32_t count;      /* 40: string I/O: elements, 1 to IOTP_MAX_STRING */
    uint16_t device;     /* 44: device index in this area */
    uint8_t region;      /* 46: enum iotp_region */
    uint8_t op;          /* 47: enum iotp_op bits */
    uint8_t size;        /* 48: bytes an element: 1, 2, 4, 8 */
    uint8_t status;      /* 49: I/O core; enum iotp_status */
    uint16_t reserved0;  /* 50: zero */
    uint32_t reserved1;  /* 52: zero */
    uint64_t stamp;      /* 56: VMM's TSC when it published; 0: not stamped. Statistics only */
};

/*
 * One posted write. `seq` is the entry's free-running index plus one, stored last (edge P1): the
 * consumer looks at the entry itself, no producer index crosses between the cores.
 */
struct iotp_post {
    uint32_t seq;    /*  0 */
    uint16_t device; /*  4 */
    uint8_t region;  /*  6 */
    uint8_t size;    /*  7 */
    uint64_t offset; /*  8 */
    uint64_t data;   /* 16 */
    uint64_t stamp;  /* 24: TSC when posted, 0: not stamped. Statistics only */
};

/*
 * A vCPU's ring of posted writes: this line, then posted_entries of struct iotp_post. `tail` is the
 * free-running index of the next entry to consume; only the I/O core stores it (edge T1), and the
 * VMM reads it only when its private copy says "full".
 */
struct iotp_ring {
    uint32_t tail; /* 0 */
    uint32_t reserved[15];
};

/*
 * The summary line. Bit v of `watch` set: the I/O core looks at vCPU v's slot and ring each time
 * round. The VMM sets a clear bit after it published a request (edge W1); the I/O core clears it
 * when the vCPU has been quiet for long, and then looks once more.
 * `armed` is non-zero while the I/O core sleeps or is about to: the VMM that exchanges it to zero
 * writes 8 bytes to the kick eventfd (edge A1).
 */
struct iotp_summary {
    uint64_t watch[IOTP_MAX_VCPUS / 64]; /*  0 */
    uint32_t armed;                      /* 32 */
    uint32_t reserved[7];
};

/*
 * What the VMM may read without asking, for one device. `consumed` counts posted writes carried out
 * on this device (edge H1): cells are current only if it equals the number the VMM posted.
 * It is kept up to date whenever IOTP_F_POSTED or IOTP_F_SHADOW was agreed on.
 * Bit i of `valid` says cell[i] may be used; which register it is came with IOTP_DEVICE_INFO.
 * While several cells change `valid` is zero, so that no mix of old and new is seen (edge H2).
 */
struct iotp_shadow {
    uint64_t consumed;                /*  0 */
    uint32_t valid;                   /*  8 */
    uint32_t irq_level;               /* 12: bit n: interrupt line n of the device is asserted */
    uint64_t cell[IOTP_SHADOW_CELLS]; /* 16 */
};

/* The first page of an area; written once by the VMM, copied once by the I/O core. */
struct iotp_area_hdr {
    uint32_t magic;          /*  0: IOTP_MAGIC */
    uint16_t version;        /*  4: IOTP_VERSION */
    uint16_t hdr_size;       /*  6: sizeof(struct iotp_area_hdr) */
    uint32_t nvcpus;         /*  8: 1 to IOTP_MAX_VCPUS */
    uint32_t ndevices;       /* 12: 1 to IOTP_MAX_DEVICES */
    uint32_t posted_entries; /* 16: power of two, IOTP_MIN_POSTED to IOTP_MAX_POSTED */
    uint32_t reserved0;      /* 20 */
    uint64_t size;           /* 24: bytes; equals iotp_layout.size */
    uint64_t features;       /* 32: IOTP_F_* both sides agreed on */
    uint64_t reserved1[3];   /* 40 */
};

/* Features, negotiated by HELLO (SPEC.md, section "Features"). */
#define IOTP_F_POSTED (1ull << 0) /* posted-write rings are used */
#define IOTP_F_SHADOW (1ull << 1) /* shadow cells are published */
#define IOTP_F_STAMP  (1ull << 2) /* the VMM stamps requests with its TSC */
#define IOTP_F_BOUNCE (1ull << 3) /* string I/O may use the bounce buffer */
#define IOTP_F_MSI    (1ull << 4) /* devices' messages are carried: IOTP_MSG_MSI */
#define IOTP_F_KICK   (1ull << 5) /* the kick eventfd may stand for a write: IOTP_RANGE_KICK */
#define IOTP_F_ALL                                                                                 \
    (IOTP_F_POSTED | IOTP_F_SHADOW | IOTP_F_STAMP | IOTP_F_BOUNCE | IOTP_F_MSI | IOTP_F_KICK)

#define IOTP_OFF_SUMMARY 4096u
#define IOTP_OFF_SLOTS   (IOTP_OFF_SUMMARY + 64u)

/* Where things lie in an area: byte offsets from its start. */
struct iotp_layout {
    uint32_t nvcpus, ndevices, posted_entries;
    uint64_t off_slots, off_rings, off_shadow, off_bounce;
    uint64_t ring_stride; /* bytes from one vCPU's ring to the next */
    uint64_t size;        /* bytes; a multiple of IOTP_PAGE */
};

/**
 * Computes the layout.
 * @return 0; -EINVAL if a count is outside its range (nothing is written then).
 */
int iotp_layout_of(uint32_t nvcpus, uint32_t ndevices, uint32_t posted_entries,
                   struct iotp_layout *out);

#define IOTP_OFFSET(type, field, at)                                                               \
    IOTP_STATIC_ASSERT(offsetof(struct type, field) == (at), #type "." #field " moved")
#define IOTP_SIZE(type, bytes) IOTP_STATIC_ASSERT(sizeof(struct type) == (bytes), #type " resized")

IOTP_SIZE(iotp_slot, 64);
IOTP_OFFSET(iotp_slot, req_seq, 0);
IOTP_OFFSET(iotp_slot, done_count, 4);
IOTP_OFFSET(iotp_slot, done, 8);
IOTP_OFFSET(iotp_slot, waiter, 12);
IOTP_OFFSET(iotp_slot, offset, 16);
IOTP_OFFSET(iotp_slot, data, 24);
IOTP_OFFSET(iotp_slot, mem, 32);
IOTP_OFFSET(iotp_slot, count, 40);
IOTP_OFFSET(iotp_slot, device, 44);
IOTP_OFFSET(iotp_slot, region, 46);
IOTP_OFFSET(iotp_slot, op, 47);
IOTP_OFFSET(iotp_slot, size, 48);
IOTP_OFFSET(iotp_slot, status, 49);
IOTP_OFFSET(iotp_slot, stamp, 56);
IOTP_SIZE(iotp_post, 32);
IOTP_OFFSET(iotp_post, seq, 0);
IOTP_OFFSET(iotp_post, device, 4);
IOTP_OFFSET(iotp_post, region, 6);
IOTP_OFFSET(iotp_post, size, 7);
IOTP_OFFSET(iotp_post, offset, 8);
IOTP_OFFSET(iotp_post, data, 16);
IOTP_OFFSET(iotp_post, stamp, 24);
IOTP_SIZE(iotp_ring, 64);
IOTP_OFFSET(iotp_ring, tail, 0);
IOTP_SIZE(iotp_summary, 64);
IOTP_OFFSET(iotp_summary, watch, 0);
IOTP_OFFSET(iotp_summary, armed, 32);
IOTP_SIZE(iotp_shadow, 256);
IOTP_OFFSET(iotp_shadow, consumed, 0);
IOTP_OFFSET(iotp_shadow, valid, 8);
IOTP_OFFSET(iotp_shadow, irq_level, 12);
IOTP_OFFSET(iotp_shadow, cell, 16);
IOTP_SIZE(iotp_area_hdr, 64);
IOTP_OFFSET(iotp_area_hdr, magic, 0);
IOTP_OFFSET(iotp_area_hdr, version, 4);
IOTP_OFFSET(iotp_area_hdr, hdr_size, 6);
IOTP_OFFSET(iotp_area_hdr, nvcpus, 8);
IOTP_OFFSET(iotp_area_hdr, ndevices, 12);
IOTP_OFFSET(iotp_area_hdr, posted_entries, 16);
IOTP_OFFSET(iotp_area_hdr, size, 24);
IOTP_OFFSET(iotp_area_hdr, features, 32);

#ifdef __cplusplus
}
#endif
#endif
