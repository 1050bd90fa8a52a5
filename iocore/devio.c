/* SPDX-License-Identifier: BSD-3-Clause */
#include "devio.h"

#include <string.h>

#include "../protocol/iotp_ioc.h"

static uint64_t all_ones(unsigned size)
{
    return size >= 8 ? ~0ull : (1ull << (8 * size)) - 1;
}

/* One string request on its way. */
struct string_io {
    struct nm_dev *d;
    const struct guestmem *gm;
    uint8_t *bounce; /* NULL: addresses are guest-physical */
    const struct iotp_req *r;
    uint32_t done;  /* elements so far */
    uint32_t count; /* elements to do */
};

static bool going_down(const struct string_io *s)
{
    return (s->r->op & IOTP_OP_DOWN) != 0;
}

/* The address of the next element. */
static uint64_t next_address(const struct string_io *s)
{
    uint64_t step = (uint64_t)s->done * s->r->size;

    return going_down(s) ? s->r->mem - step : s->r->mem + step;
}

/* Memory at `addr`: *len as guestmem_at. */
static void *memory_at(const struct string_io *s, uint64_t addr, uint64_t *len)
{
    if (!s->bounce)
        return guestmem_at(s->gm, addr, len);
    if (addr >= IOTP_BOUNCE_SIZE)
        return NULL;
    if (*len > IOTP_BOUNCE_SIZE - addr)
        *len = IOTP_BOUNCE_SIZE - addr;
    return s->bounce + addr;
}

/* Downwards: as far as the range below is the same piece of memory. No pointer is kept from one
 * look to the next: it may be gone by then. */
static uint32_t contiguous_down(const struct string_io *s, uint8_t **first)
{
    uint64_t addr = next_address(s), size = s->r->size, len = size;

    if (!memory_at(s, addr, &len) || len < size)
        return 0;
    for (uint32_t want = s->count - s->done; want; want /= 2) {
        uint64_t below = (want - 1) * size;
        uint8_t *low;

        len = below + size;
        low = below <= addr ? memory_at(s, addr - below, &len) : NULL;
        if (low && len == below + size) {
            *first = low + below;
            return want;
        }
    }
    return 0;
}

/* How many whole elements from the next one on are contiguous, and where the first lies. */
static uint32_t contiguous(const struct string_io *s, uint8_t **first)
{
    uint64_t size = s->r->size, len = (s->count - s->done) * size;

    if (going_down(s))
        return contiguous_down(s, first);
    *first = memory_at(s, next_address(s), &len);
    return *first ? (uint32_t)(len / size) : 0;
}

static enum nm_status access_elements(struct string_io *s, uint8_t *mem, uint32_t n, uint32_t *done)
{
    struct nm_access a = {
        .offset = s->r->offset,
        .count = n,
        .region = s->r->region,
        .size = s->r->size,
        .write = (s->r->op & IOTP_OP_WRITE) != 0,
        .mem = mem,
        .down = going_down(s),
    };
    enum nm_status st = s->d->model->access(s->d, &a);

    *done = a.done_count <= n ? a.done_count : n;
    return st;
}

/* An element that straddles two pieces of memory goes through a buffer. */
static enum nm_status straddling_element(struct string_io *s, uint32_t *done)
{
    uint8_t buf[IOTP_MAX_SIZE] = {0};
    bool write = (s->r->op & IOTP_OP_WRITE) != 0;
    uint64_t addr = next_address(s);
    enum nm_status st;

    *done = 0;
    /* Both ways first: the element must be there before the device is touched. */
    if (s->bounce || !guestmem_copy(s->gm, addr, buf, s->r->size, false))
        return NM_FAILED;
    st = access_elements(s, buf, 1, done);
    if (!write && st == NM_DONE)
        guestmem_copy(s->gm, addr, buf, s->r->size, true);
    return st;
}

static void string_request(struct string_io *s, struct iotp_resp *out)
{
    enum nm_status st = NM_DONE;

    while (s->done < s->count && st == NM_DONE) {
        uint8_t *mem;
        uint32_t n = contiguous(s, &mem), done = 0;

        st = n ? access_elements(s, mem, n, &done) : straddling_element(s, &done);
        s->done += done;
        if (!done)
            break;
    }
    out->done_count = s->done;
    /* What was transferred was transferred: the asker goes on from there and meets the reason. A
     * device that transfers nothing would be asked for ever. */
    out->status = s->done ? IOTP_DONE : st == NM_DONE ? IOTP_FAILED : (uint8_t)st;
}

/* Reads from nowhere give all ones, strings too. */
static void string_unclaimed(struct string_io *s, struct iotp_resp *out)
{
    uint64_t ones = ~0ull;

    out->status = IOTP_UNCLAIMED;
    for (; s->done < s->count; s->done++) {
        uint64_t len = s->r->size;
        void *p = memory_at(s, next_address(s), &len);

        if (!p || len < s->r->size)
            break;
        if (!(s->r->op & IOTP_OP_WRITE))
            memcpy(p, &ones, s->r->size);
    }
    out->done_count = s->done;
}

static void do_string(struct nm_dev *d, const struct guestmem *gm, uint8_t *bounce,
                      const struct iotp_req *r, struct iotp_resp *out)
{
    uint32_t most = DEVIO_MAX_STRING_BYTES / r->size;
    struct string_io s = {
        .d = d,
        .gm = gm,
        .bounce = (r->op & IOTP_OP_BOUNCE) ? bounce : NULL,
        .r = r,
        .count = r->count < most ? r->count : most,
    };

    if ((r->op & IOTP_OP_BOUNCE) && !bounce) {
        out->status = IOTP_FAILED;
        return;
    }
    string_request(&s, out);
    if (out->status == IOTP_UNCLAIMED)
        string_unclaimed(&s, out);
}

static void do_single(struct nm_dev *d, const struct iotp_req *r, struct iotp_resp *out)
{
    struct nm_access a = {
        .offset = r->offset,
        .data = r->data & all_ones(r->size),
        .count = 1,
        .region = r->region,
        .size = r->size,
        .write = (r->op & IOTP_OP_WRITE) != 0,
    };
    enum nm_status st = d->model->access(d, &a);

    out->status = (uint8_t)st;
    out->done_count = st == NM_DONE;
    out->data = (st == NM_DONE ? a.data : ~0ull) & all_ones(r->size);
}

void devio_request(struct nm_dev *d, const struct guestmem *gm, uint8_t *bounce,
                   const struct iotp_req *r, struct iotp_resp *out)
{
    *out = (struct iotp_resp){.data = ~0ull, .status = IOTP_FAILED};
    if (!iotp_ioc_valid(r))
        return;
    if (r->op & IOTP_OP_STRING)
        do_string(d, gm, bounce, r, out);
    else
        do_single(d, r, out);
}

void devio_describe(const struct nm_dev *d, struct iotp_device_info *out)
{
    const struct nm_model *m = d->model;
    struct nm_window w[IOTP_MAX_WINDOWS];

    memset(out, 0, sizeof(*out));
    out->pci = m->pci;
    out->nwindows = (uint8_t)m->windows(d, w, IOTP_MAX_WINDOWS);
    for (unsigned i = 0; i < out->nwindows; i++)
        out->window[i] = (struct iotp_window){
            .region = w[i].region, .space = w[i].space, .size = w[i].size, .base = w[i].base};
    for (unsigned i = 0; i < m->nranges && i < IOTP_MAX_RANGES; i++, out->nranges++)
        out->range[i] = (struct iotp_range){.region = m->ranges[i].region,
                                            .flags = m->ranges[i].flags,
                                            .length = m->ranges[i].length,
                                            .offset = m->ranges[i].offset};
    for (unsigned i = 0; i < m->ncells && i < IOTP_SHADOW_CELLS; i++, out->ncells++)
        out->cell[i] = (struct iotp_cell){
            .region = m->cells[i].region, .size = m->cells[i].size, .offset = m->cells[i].offset};
}
