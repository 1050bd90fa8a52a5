/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The I/O core's side of an area whose VMM writes whatever it likes, whenever it likes.
 *
 * Input: 64 bytes of header (used as they are if the first byte is odd, else a good one is put
 * there), then commands of 11 bytes: an offset in the area (u16, scaled), a length, 8 bytes to
 * write there; after each the I/O core makes a round. AddressSanitizer watches the area's ends.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../protocol/iotp_ioc.h"
#include "../../protocol/iotp_vmm.h"

#define VCPUS   3
#define DEVICES 2
#define POSTED  16
#define BURST   64 /* as in a real poll loop: a round is bounded, whatever the ring says */

static void require(int good)
{
    if (!good)
        abort();
}

/* What a valid request lets the I/O core touch: the bounce buffer, from end to end. */
static uint64_t transfer(const struct iotp_ioc_vcpu *c, const struct iotp_req *r)
{
    uint64_t sum = 0;

    if (!(r->op & IOTP_OP_BOUNCE))
        return 0;
    for (uint32_t i = 0; i < r->count; i++) {
        uint64_t step = (uint64_t)i * r->size;
        uint8_t *p = c->bounce + (r->op & IOTP_OP_DOWN ? r->mem - step : r->mem + step);

        for (unsigned b = 0; b < r->size; b++)
            sum += r->op & IOTP_OP_WRITE ? p[b] : (p[b] = (uint8_t)i);
    }
    return sum;
}

static void drain(struct iotp_ioc_area *a, unsigned v, uint64_t consumed[DEVICES])
{
    struct iotp_ioc_vcpu *c = &a->vcpu[v];
    struct iotp_post p;

    for (unsigned n = 0; n < BURST && iotp_ioc_next_post(c, a->lay.posted_entries - 1, &p); n++) {
        struct iotp_req r = {
            .offset = p.offset, .region = p.region, .op = IOTP_OP_WRITE, .size = p.size};

        if (p.device < a->lay.ndevices && p.device < DEVICES && iotp_ioc_valid(&r))
            iotp_ioc_publish(&a->shadow[p.device], ++consumed[p.device]);
        iotp_ioc_post_done(c);
    }
}

static void serve(struct iotp_ioc_area *a, unsigned v)
{
    struct iotp_ioc_vcpu *c = &a->vcpu[v];
    struct iotp_resp out = {.status = IOTP_FAILED};
    struct iotp_req r;
    uint64_t stamp;
    uint32_t seq;

    if (!iotp_ioc_peek(c, &r, &seq, &stamp))
        return;
    if (iotp_ioc_valid(&r)) {
        out.status = r.device < a->lay.ndevices ? IOTP_DONE : IOTP_UNCLAIMED;
        out.data = transfer(c, &r);
        out.done_count = r.count;
    }
    iotp_ioc_complete(c, seq, &out);
    require(c->done_seq == seq && !iotp_ioc_pending(c));
}

static void round_of(struct iotp_ioc_area *a, uint64_t consumed[DEVICES])
{
    for (unsigned v = 0; v < a->lay.nvcpus; v++) {
        drain(a, v, consumed);
        serve(a, v);
        if (v & 1)
            iotp_ioc_unwatch(a, v);
        else
            iotp_ioc_watch(a, v);
    }
    iotp_ioc_arm(a);
    iotp_ioc_disarm(a);
}

static void play(struct iotp_ioc_area *a, const uint8_t *data, size_t size)
{
    uint64_t consumed[DEVICES] = {0};

    for (; size >= 11; data += 11, size -= 11) {
        /* 8-byte steps over everything but the bounce buffers, which are as good as any memory */
        uint64_t at = (data[0] | (uint64_t)data[1] << 8) * 8 % a->lay.off_bounce;
        unsigned n = data[2] % 9;

        memcpy(a->base + at, data + 3, n);
        round_of(a, consumed);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct iotp_ioc_area *a;
    struct iotp_layout lay;
    uint8_t *base;
    int err;

    if (size < sizeof(struct iotp_area_hdr))
        return 0;
    require(!iotp_layout_of(VCPUS, DEVICES, POSTED, &lay));
    base = aligned_alloc(IOTP_PAGE, lay.size);
    require(base != NULL);
    memset(base, 0, lay.size);
    require(!iotp_area_format(base, &lay, IOTP_F_ALL));
    if (data[0] & 1)
        memcpy(base, data, sizeof(struct iotp_area_hdr));
    err = iotp_ioc_attach(base, lay.size, &a);
    require(err == 0 || err == -EPROTO);
    if (!err) {
        play(a, data + sizeof(struct iotp_area_hdr), size - sizeof(struct iotp_area_hdr));
        iotp_ioc_detach(a);
    }
    free(base);
    return 0;
}
