/* SPDX-License-Identifier: BSD-3-Clause */
/* Laying out, formatting and attaching an area. Both sides compute the layout for themselves. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "iotp.h"
#include "iotp_ioc.h"
#include "iotp_vmm.h"

static bool power_of_two(uint32_t n)
{
    return n && !(n & (n - 1));
}

static uint64_t align_up(uint64_t n, uint64_t to)
{
    return (n + to - 1) / to * to;
}

int iotp_layout_of(uint32_t nvcpus, uint32_t ndevices, uint32_t posted_entries,
                   struct iotp_layout *out)
{
    struct iotp_layout l = {
        .nvcpus = nvcpus, .ndevices = ndevices, .posted_entries = posted_entries};

    if (nvcpus < 1 || nvcpus > IOTP_MAX_VCPUS || ndevices < 1 || ndevices > IOTP_MAX_DEVICES)
        return -EINVAL;
    if (!power_of_two(posted_entries) || posted_entries < IOTP_MIN_POSTED ||
        posted_entries > IOTP_MAX_POSTED)
        return -EINVAL;
    l.ring_stride = sizeof(struct iotp_ring) + posted_entries * sizeof(struct iotp_post);
    l.off_slots = IOTP_OFF_SLOTS;
    l.off_rings = l.off_slots + nvcpus * sizeof(struct iotp_slot);
    l.off_shadow = l.off_rings + nvcpus * l.ring_stride;
    l.off_bounce = align_up(l.off_shadow + ndevices * sizeof(struct iotp_shadow), IOTP_PAGE);
    l.size = l.off_bounce + (uint64_t)nvcpus * IOTP_BOUNCE_SIZE;
    *out = l;
    return 0;
}

int iotp_area_format(void *area, const struct iotp_layout *lay, uint64_t features)
{
    struct iotp_area_hdr *h = (struct iotp_area_hdr *)area;

    if (features & ~IOTP_F_ALL)
        return -EINVAL;
    *h = (struct iotp_area_hdr){
        .magic = IOTP_MAGIC,
        .version = IOTP_VERSION,
        .hdr_size = sizeof(*h),
        .nvcpus = lay->nvcpus,
        .ndevices = lay->ndevices,
        .posted_entries = lay->posted_entries,
        .size = lay->size,
        .features = features,
    };
    return 0;
}

/* Where vCPU v's ring starts: the consumer's line, then the entries. */
static struct iotp_ring *ring_of(uint8_t *base, const struct iotp_layout *lay, uint32_t v)
{
    return (struct iotp_ring *)(base + lay->off_rings + v * lay->ring_stride);
}

/* The next entry to fill: after those that were posted and are not consumed yet. */
static uint32_t end_of_posted(const struct iotp_vcpu *v)
{
    uint32_t head = v->tail_seen;

    while (head - v->tail_seen <= v->mask &&
           __atomic_load_n(&v->entries[head & v->mask].seq, __ATOMIC_RELAXED) == head + 1)
        head++;
    return head;
}

int iotp_vcpu_init(struct iotp_vcpu *v, void *area, const struct iotp_layout *lay, uint32_t vcpu,
                   uint32_t spin, int kick_fd)
{
    uint8_t *base = (uint8_t *)area;
    const struct iotp_area_hdr *h = (const struct iotp_area_hdr *)area;

    if (vcpu >= lay->nvcpus)
        return -EINVAL;
    *v = (struct iotp_vcpu){
        .slot = (struct iotp_slot *)(base + lay->off_slots) + vcpu,
        .summary = (struct iotp_summary *)(base + IOTP_OFF_SUMMARY),
        .ring = ring_of(base, lay, vcpu),
        .bounce = base + lay->off_bounce + (uint64_t)vcpu * IOTP_BOUNCE_SIZE,
        .watch_bit = 1ull << (vcpu % 64),
        .mask = lay->posted_entries - 1,
        .eager = spin ? IOTP_EAGER_POLLS : 0,
        .spin = spin,
        .kick_fd = kick_fd,
        .stamp = (h->features & IOTP_F_STAMP) != 0,
    };
    v->entries = (struct iotp_post *)(v->ring + 1);
    v->watch = &v->summary->watch[vcpu / 64];
    v->seq = __atomic_load_n(&v->slot->req_seq, __ATOMIC_RELAXED);
    v->tail_seen = __atomic_load_n(&v->ring->tail, __ATOMIC_ACQUIRE);
    v->head = end_of_posted(v);
    return 0;
}

/* Checks a private copy of the header; on success *lay says where everything is. */
static int check_header(const struct iotp_area_hdr *h, uint64_t size, struct iotp_layout *lay)
{
    if (h->magic != IOTP_MAGIC || h->version != IOTP_VERSION || h->hdr_size != sizeof(*h))
        return -EPROTO;
    if (h->reserved0 || h->reserved1[0] || h->reserved1[1] || h->reserved1[2])
        return -EPROTO;
    if (iotp_layout_of(h->nvcpus, h->ndevices, h->posted_entries, lay))
        return -EPROTO;
    if (h->size != lay->size || size < lay->size || (h->features & ~IOTP_F_ALL))
        return -EPROTO;
    return 0;
}

int iotp_ioc_attach(void *base, uint64_t size, struct iotp_ioc_area **out)
{
    struct iotp_area_hdr h;
    struct iotp_layout lay;
    struct iotp_ioc_area *a;
    uint8_t *p = (uint8_t *)base;

    if ((uintptr_t)base % IOTP_LINE)
        return -EINVAL;
    if (size < sizeof(h))
        return -EPROTO;
    memcpy(&h, base, sizeof(h));
    /* From here on it is the copy that counts: the compiler must not read the original again. */
    __asm__ volatile("" : : "r"(&h) : "memory");
    if (check_header(&h, size, &lay))
        return -EPROTO;
    a = (struct iotp_ioc_area *)calloc(1, sizeof(*a) + lay.nvcpus * sizeof(a->vcpu[0]));
    if (!a)
        return -ENOMEM;
    a->base = p;
    a->lay = lay;
    a->features = h.features;
    a->summary = (struct iotp_summary *)(p + IOTP_OFF_SUMMARY);
    a->shadow = (struct iotp_shadow *)(p + lay.off_shadow);
    for (uint32_t i = 0; i < lay.nvcpus; i++) {
        struct iotp_ioc_vcpu *v = &a->vcpu[i];

        v->slot = (struct iotp_slot *)(p + lay.off_slots) + i;
        v->ring = ring_of(p, &lay, i);
        v->entries = (struct iotp_post *)(v->ring + 1);
        v->bounce = p + lay.off_bounce + (uint64_t)i * IOTP_BOUNCE_SIZE;
        v->done_seq = __atomic_load_n(&v->slot->done, __ATOMIC_ACQUIRE);
        v->tail = __atomic_load_n(&v->ring->tail, __ATOMIC_ACQUIRE);
    }
    *out = a;
    return 0;
}

void iotp_ioc_detach(struct iotp_ioc_area *a)
{
    free(a);
}
