/* SPDX-License-Identifier: BSD-3-Clause */
#include "xen_ioreq.h"

#include <string.h>

#include <xen/hvm/ioreq.h>

#include "../nicmodels/pci.h"
#include "xen_root.h"

#define PCI_CONFIG_SLOT(addr) ((unsigned)((addr) >> 35 & 0x1f))
#define PCI_CONFIG_ELSE(addr) ((addr)&0xffffff0700000000ull) /* segment, bus, function */
#define PCI_CONFIG_REG(addr)  ((uint32_t)(addr))

/* One request on its way: a register of a device, and what is to happen to it. */
struct transfer {
    struct xen_domain *x;
    unsigned v;
    const struct ioreq *r;
    uint32_t count; /* elements */
    struct xen_dev *to;
    uint8_t region;
    uint64_t offset; /* of the first element */
    uint64_t window; /* bytes of the region */
};

static struct xen_step *step_of(const struct transfer *t)
{
    return &t->x->note->vcpu[t->v];
}

/* The elements so far are done for good; what follows is a step of its own. */
static void next_step(const struct transfer *t, uint32_t done)
{
    struct xen_step s = {.seq = step_of(t)->seq + 1, .done = done};
    uint64_t word;

    memcpy(&word, &s, sizeof(word));
    __atomic_store_n((uint64_t *)step_of(t), word, __ATOMIC_RELEASE);
}

/* A former process may have carried the step out and died before it answered. */
static void carry_out(const struct transfer *t, const struct iotp_req *q, struct iotp_resp *out)
{
    struct xen_domain *x = t->x;
    uint32_t seq = step_of(t)->seq;
    bool was_done = x->resuming && dev_was_done(t->to->dev, t->v, seq, out);

    x->resuming = false;
    if (!was_done)
        dev_request(t->to->dev, t->v, seq, NULL, q, out);
}

static struct iotp_req request_of(const struct transfer *t, uint64_t offset)
{
    return (struct iotp_req){.offset = offset,
                             .count = 1,
                             .region = t->region,
                             .op = t->r->dir == IOREQ_READ ? IOTP_OP_READ : IOTP_OP_WRITE,
                             .size = (uint8_t)(t->r->size > IOTP_MAX_SIZE ? 0 : t->r->size)};
}

/* rep ins, rep outs: one register, many elements; the model takes them in one go. */
static enum iotp_status string_of_port(const struct transfer *t)
{
    struct iotp_resp out = {.status = IOTP_DONE};
    uint32_t done = step_of(t)->done;

    while (done < t->count) {
        struct iotp_req q = request_of(t, t->offset);
        uint64_t step = (uint64_t)done * t->r->size;

        q.op |= IOTP_OP_STRING | (t->r->df ? IOTP_OP_DOWN : 0);
        q.mem = t->r->df ? t->r->data - step : t->r->data + step;
        q.count = t->count - done;
        carry_out(t, &q, &out);
        if (!out.done_count || out.done_count >= t->count - done)
            break;
        done += out.done_count;
        next_step(t, done);
    }
    return out.status;
}

/* The register at element i: memory moves along, a port does not. */
static uint64_t offset_at(const struct transfer *t, uint32_t i)
{
    uint64_t step = t->r->type == IOREQ_TYPE_COPY ? (uint64_t)i * t->r->size : 0;

    return t->r->df ? t->offset - step : t->offset + step;
}

static uint64_t memory_at(const struct transfer *t, uint32_t i)
{
    uint64_t step = (uint64_t)i * t->r->size;

    return t->r->df ? t->r->data - step : t->r->data + step;
}

/* One element. @return false if the rest makes no sense any more */
static bool element(const struct transfer *t, uint32_t i, struct iotp_resp *out)
{
    const struct ioreq *r = t->r;
    struct iotp_req q = request_of(t, offset_at(t, i));
    const struct guestmem *mem = &t->x->mem;

    *out = (struct iotp_resp){.data = ~0ull, .status = IOTP_UNCLAIMED};
    q.data = r->data;
    if (q.offset >= t->window || r->size > t->window - q.offset)
        return false;
    if (r->data_is_ptr && r->dir == IOREQ_WRITE &&
        !guestmem_copy(mem, memory_at(t, i), &q.data, q.size, false))
        return false;
    carry_out(t, &q, out);
    return !r->data_is_ptr || r->dir == IOREQ_WRITE ||
           guestmem_copy(mem, memory_at(t, i), &out->data, q.size, true);
}

static enum iotp_status elements(const struct transfer *t, uint64_t *data)
{
    struct iotp_resp out = {.data = ~0ull, .status = IOTP_UNCLAIMED};
    uint32_t i = step_of(t)->done;

    while (i < t->count && element(t, i, &out) && ++i < t->count)
        next_step(t, i);
    *data = out.data;
    return out.status;
}

static enum iotp_status transfer(const struct transfer *t, uint64_t *data)
{
    t->x->after = t->to->dev;
    if (t->r->type == IOREQ_TYPE_PIO && t->r->data_is_ptr)
        return string_of_port(t);
    return elements(t, data);
}

/* The device that has this address; Xen sends nothing that no range of ours holds whole. */
static bool route(struct transfer *t)
{
    bool ports = t->r->type == IOREQ_TYPE_PIO;

    for (unsigned i = 0; i < t->x->ndevs; i++) {
        struct xen_dev *d = t->x->xdev[i];

        for (unsigned k = 0; d && k < d->nranges; k++) {
            const struct xen_range *w = &d->range[k];

            if (!w->mapped || w->ports != ports || t->r->addr - w->base >= w->size)
                continue;
            t->to = d;
            t->region = w->region;
            t->offset = t->r->addr - w->base;
            t->window = w->size;
            return true;
        }
    }
    return false;
}

/* Nobody is there any more (a window moved while the request was on its way), or the PCI root,
 * which takes no strings. */
static void read_ones(const struct transfer *t)
{
    const uint64_t ones = ~0ull;

    if (!t->r->data_is_ptr || t->r->dir != IOREQ_READ || t->r->size > sizeof(ones))
        return;
    for (uint32_t i = 0; i < t->count; i++)
        if (!guestmem_copy(&t->x->mem, memory_at(t, i), (void *)&ones, t->r->size, true))
            return;
}

static enum iotp_status access_window(struct transfer *t, uint64_t *data)
{
    if (t->r->type == IOREQ_TYPE_PIO && xen_root_port(t->x, t->r, data))
        return IOTP_DONE;
    return route(t) ? transfer(t, data) : IOTP_UNCLAIMED;
}

static struct xen_dev *in_slot(const struct xen_domain *x, unsigned slot)
{
    for (unsigned i = 0; i < x->ndevs; i++)
        if (x->xdev[i] && x->xdev[i]->slot == slot)
            return x->xdev[i];
    return NULL;
}

/* Does a write to these registers move windows? */
static bool moves_windows(uint64_t reg, uint32_t size)
{
    return reg < PCI_ROM_BAR + 4 && reg + size > PCI_COMMAND;
}

static enum iotp_status access_config(struct transfer *t, uint64_t *data)
{
    unsigned slot = PCI_CONFIG_SLOT(t->r->addr);
    enum iotp_status status;

    if (PCI_CONFIG_ELSE(t->r->addr))
        return IOTP_UNCLAIMED;
    if (!slot && xen_root_config(t->x, t->r, data))
        return IOTP_DONE;
    t->to = slot ? in_slot(t->x, slot) : NULL;
    if (!t->to)
        return IOTP_UNCLAIMED;
    t->region = IOTP_REGION_CONFIG;
    t->offset = PCI_CONFIG_REG(t->r->addr);
    t->window = PCI_CFG_SIZE;
    status = transfer(t, data);
    if (t->r->dir == IOREQ_WRITE && moves_windows(t->offset, t->r->size))
        xen_domain_follow(t->x, t->to);
    return status;
}

static enum iotp_status carry_access(struct transfer *t, uint64_t *data)
{
    enum iotp_status status =
        t->r->type == IOREQ_TYPE_PCI_CONFIG ? access_config(t, data) : access_window(t, data);

    if (!t->to)
        read_ones(t);
    return status;
}

uint64_t xen_ioreq_carry_out(struct xen_domain *x, unsigned v, const struct ioreq *r)
{
    /* Xen splits what is longer than a few pages; more than that is no request of Xen's */
    struct transfer t = {
        .x = x, .v = v, .r = r, .count = r->count < IOTP_MAX_STRING ? r->count : IOTP_MAX_STRING};
    enum iotp_status status = IOTP_DONE;
    uint64_t data = ~0ull;

    x->after = NULL;
    switch (r->type) {
    case IOREQ_TYPE_PIO:
    case IOREQ_TYPE_COPY:
    case IOREQ_TYPE_PCI_CONFIG: status = carry_access(&t, &data); break;
    case IOREQ_TYPE_INVALIDATE:
        xen_mem_flush(x->cache);
        hist_store(&x->n.invalidates, x->n.invalidates + 1);
        break;
    default: status = IOTP_UNCLAIMED; /* a time offset, or what a later Xen may say */
    }
    x->resuming = false;
    src_account(&x->stats[v], status);
    return data;
}
