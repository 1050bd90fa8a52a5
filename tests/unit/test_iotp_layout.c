/* SPDX-License-Identifier: BSD-3-Clause */
/* IOTP areas: where things lie, and which headers are refused. */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../protocol/iotp_ioc.h"
#include "../../protocol/iotp_vmm.h"
#include "cu_main.h"

static void counts_have_limits(void)
{
    struct iotp_layout l, before;

    memset(&l, 0x5a, sizeof(l));
    before = l;
    CU_ASSERT_EQUAL(iotp_layout_of(0, 1, 16, &l), -EINVAL);
    CU_ASSERT_EQUAL(iotp_layout_of(IOTP_MAX_VCPUS + 1, 1, 16, &l), -EINVAL);
    CU_ASSERT_EQUAL(iotp_layout_of(1, 0, 16, &l), -EINVAL);
    CU_ASSERT_EQUAL(iotp_layout_of(1, IOTP_MAX_DEVICES + 1, 16, &l), -EINVAL);
    CU_ASSERT_EQUAL(iotp_layout_of(1, 1, IOTP_MIN_POSTED / 2, &l), -EINVAL);
    CU_ASSERT_EQUAL(iotp_layout_of(1, 1, IOTP_MAX_POSTED * 2, &l), -EINVAL);
    CU_ASSERT_EQUAL(iotp_layout_of(1, 1, 24, &l), -EINVAL);
    CU_ASSERT_EQUAL(iotp_layout_of(1, 1, 0, &l), -EINVAL);
    CU_ASSERT_EQUAL(memcmp(&l, &before, sizeof(l)), 0);
    CU_ASSERT_EQUAL(iotp_layout_of(1, 1, IOTP_MIN_POSTED, &l), 0);
    CU_ASSERT_EQUAL(iotp_layout_of(IOTP_MAX_VCPUS, IOTP_MAX_DEVICES, IOTP_MAX_POSTED, &l), 0);
}

static unsigned misplaced(const struct iotp_layout *l)
{
    unsigned bad = 0;

    bad += l->off_slots % IOTP_LINE || l->off_slots < IOTP_OFF_SUMMARY + 64;
    bad += l->off_rings % IOTP_LINE || l->off_rings != l->off_slots + l->nvcpus * 64ull;
    bad += l->ring_stride % IOTP_LINE || l->ring_stride != 64 + l->posted_entries * 32ull;
    bad += l->off_shadow % IOTP_LINE || l->off_shadow != l->off_rings + l->nvcpus * l->ring_stride;
    bad += l->off_bounce % IOTP_PAGE || l->off_bounce < l->off_shadow + l->ndevices * 256ull;
    bad += l->size % IOTP_PAGE || l->size != l->off_bounce + l->nvcpus * 4096ull;
    return bad;
}

/* Each slot, ring and shadow begins on a line of its own, and nothing overlaps, for all counts. */
static void everything_is_aligned(void)
{
    unsigned bad = 0;

    for (uint32_t v = 1; v <= IOTP_MAX_VCPUS; v++)
        for (uint32_t d = 1; d <= IOTP_MAX_DEVICES; d += 7)
            for (uint32_t p = IOTP_MIN_POSTED; p <= IOTP_MAX_POSTED; p *= 2) {
                struct iotp_layout l;

                bad += iotp_layout_of(v, d, p, &l) != 0 || misplaced(&l);
            }
    CU_ASSERT_EQUAL(bad, 0);
}

struct area {
    uint8_t *base;
    struct iotp_layout lay;
};

static void make_area(struct area *a, uint64_t features)
{
    CU_ASSERT_EQUAL_FATAL(iotp_layout_of(2, 3, 32, &a->lay), 0);
    a->base = aligned_alloc(IOTP_PAGE, a->lay.size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(a->base);
    memset(a->base, 0, a->lay.size);
    CU_ASSERT_EQUAL_FATAL(iotp_area_format(a->base, &a->lay, features), 0);
}

static void both_sides_agree(void)
{
    struct area a;
    struct iotp_ioc_area *ioc;
    struct iotp_vcpu v;

    make_area(&a, IOTP_F_ALL);
    CU_ASSERT_EQUAL_FATAL(iotp_ioc_attach(a.base, a.lay.size, &ioc), 0);
    CU_ASSERT_EQUAL(ioc->lay.size, a.lay.size);
    CU_ASSERT_PTR_EQUAL(ioc->shadow, a.base + a.lay.off_shadow);
    CU_ASSERT_EQUAL(ioc->features, IOTP_F_ALL);
    for (uint32_t i = 0; i < a.lay.nvcpus; i++) {
        CU_ASSERT_EQUAL(iotp_vcpu_init(&v, a.base, &a.lay, i, 0, -1), 0);
        CU_ASSERT_PTR_EQUAL(v.slot, ioc->vcpu[i].slot);
        CU_ASSERT_PTR_EQUAL(v.ring, ioc->vcpu[i].ring);
        CU_ASSERT_PTR_EQUAL(v.entries, ioc->vcpu[i].entries);
        CU_ASSERT_PTR_EQUAL(v.bounce, ioc->vcpu[i].bounce);
        CU_ASSERT_PTR_EQUAL(v.summary, ioc->summary);
        CU_ASSERT_TRUE(v.stamp);
    }
    CU_ASSERT_PTR_EQUAL(ioc->vcpu[1].bounce + IOTP_BOUNCE_SIZE, a.base + a.lay.size);
    CU_ASSERT_EQUAL(v.eager, 0); /* who does not spin does not poll */
    CU_ASSERT_EQUAL(iotp_vcpu_init(&v, a.base, &a.lay, 0, 7, -1), 0);
    CU_ASSERT_EQUAL(v.eager, IOTP_EAGER_POLLS);
    CU_ASSERT_EQUAL(v.spin, 7);
    CU_ASSERT_EQUAL(iotp_vcpu_init(&v, a.base, &a.lay, a.lay.nvcpus, 0, -1), -EINVAL);
    iotp_ioc_detach(ioc);
    free(a.base);
}

static void unknown_features_are_refused(void)
{
    struct area a;

    make_area(&a, 0);
    CU_ASSERT_EQUAL(iotp_area_format(a.base, &a.lay, IOTP_F_ALL + 1), -EINVAL);
    CU_ASSERT_EQUAL(iotp_area_format(a.base, &a.lay, 1ull << 63), -EINVAL);
    free(a.base);
}

/*
 * A header with a bit flipped may still be right: known features, and a number of devices that
 * fills the same pages. Then it describes another area, of the same size.
 */
static bool still_right(const struct iotp_area_hdr *h, unsigned bit)
{
    unsigned features = offsetof(struct iotp_area_hdr, features) * 8;
    unsigned ndevices = offsetof(struct iotp_area_hdr, ndevices) * 8;
    struct iotp_layout l;

    if (bit >= features && bit < features + 64)
        return IOTP_F_ALL >> (bit - features) & 1;
    return bit >= ndevices && bit < ndevices + 32 &&
           !iotp_layout_of(h->nvcpus, h->ndevices, h->posted_entries, &l) && l.size == h->size;
}

static void each_corrupted_bit_is_noticed(void)
{
    struct area a;
    unsigned wrong = 0;

    make_area(&a, 0);
    for (unsigned bit = 0; bit < sizeof(struct iotp_area_hdr) * 8; bit++) {
        struct iotp_ioc_area *ioc = NULL;
        int err;

        a.base[bit / 8] ^= (uint8_t)(1u << bit % 8);
        err = iotp_ioc_attach(a.base, a.lay.size, &ioc);
        wrong += err != (still_right((struct iotp_area_hdr *)a.base, bit) ? 0 : -EPROTO);
        if (!err)
            iotp_ioc_detach(ioc);
        a.base[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    free(a.base);
}

/* A header that is right in itself, but describes more than was mapped. */
static void more_than_is_mapped(void)
{
    struct area a;
    struct iotp_layout big;
    struct iotp_ioc_area *ioc;

    make_area(&a, 0);
    CU_ASSERT_EQUAL(iotp_ioc_attach(a.base, a.lay.size - 1, &ioc), -EPROTO);
    CU_ASSERT_EQUAL(iotp_ioc_attach(a.base, sizeof(struct iotp_area_hdr) - 1, &ioc), -EPROTO);
    CU_ASSERT_EQUAL(iotp_ioc_attach(a.base, 0, &ioc), -EPROTO);
    CU_ASSERT_EQUAL(iotp_ioc_attach(a.base + 4, a.lay.size - 4, &ioc), -EINVAL);
    CU_ASSERT_EQUAL(iotp_layout_of(256, 64, 4096, &big), 0);
    CU_ASSERT_EQUAL(iotp_area_format(a.base, &big, 0), 0);
    CU_ASSERT_EQUAL(iotp_ioc_attach(a.base, a.lay.size, &ioc), -EPROTO);
    free(a.base);
}

const char *const suite_name = "iotp_layout";
const struct cu_test suite_tests[] = {
    {"counts have limits", counts_have_limits},
    {"everything is aligned", everything_is_aligned},
    {"both sides agree", both_sides_agree},
    {"unknown features are refused", unknown_features_are_refused},
    {"each corrupted bit is noticed", each_corrupted_bit_is_noticed},
    {"more than is mapped", more_than_is_mapped},
    {NULL, NULL},
};
