/* SPDX-License-Identifier: BSD-3-Clause */
/* Routing: which device answers an address, and whether a request has to be waited for. */
#include "bus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bus_priv.h"
#include "pc.h"
#include "ports.h"

struct vm_bus *bus_new(struct vm *vm)
{
    struct vm_bus *b = calloc(1, sizeof(*b));

    if (!b)
        return NULL;
    b->vm = vm;
    pthread_mutex_init(&b->kick_lock, NULL);
    return b;
}

void bus_free(struct vm_bus *b)
{
    for (unsigned i = 0; i < b->ndevs; i++)
        if (b->devs[i]->place->remove)
            b->devs[i]->place->remove(b->devs[i]);
    pthread_mutex_destroy(&b->kick_lock);
    free(b);
}

unsigned bus_count(const struct vm_bus *b)
{
    return b->ndevs;
}

struct bus_dev *bus_at(struct vm_bus *b, unsigned i)
{
    return b->devs[i];
}

/* The windows are few, change rarely and are read at each access: a sequence lock. */
static void windows_write_begin(struct vm_bus *b)
{
    while (__atomic_exchange_n(&b->win_lock, true, __ATOMIC_ACQUIRE))
        iotp_pause();
    __atomic_store_n(&b->win_seq, b->win_seq + 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
}

static void windows_write_end(struct vm_bus *b)
{
    __atomic_store_n(&b->win_seq, b->win_seq + 1, __ATOMIC_RELEASE);
    __atomic_store_n(&b->win_lock, false, __ATOMIC_RELEASE);
}

static bool windows_changed(const struct vm_bus *b, uint32_t seq)
{
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return (seq & 1) || __atomic_load_n(&b->win_seq, __ATOMIC_RELAXED) != seq;
}

static uint8_t iotp_space(enum vm_space s)
{
    return s == VM_PIO ? NM_SPACE_PIO : NM_SPACE_MMIO;
}

/* The last one added wins, as a later chip select would. */
bool bus_find_window(const struct vm_bus *b, uint8_t space, uint64_t addr, struct bus_window *out)
{
    bool found;
    uint32_t seq;

    do {
        seq = __atomic_load_n(&b->win_seq, __ATOMIC_ACQUIRE);
        found = false;
        for (unsigned i = b->nwins; i-- > 0 && !found;) {
            const struct bus_window *w = &b->win[i];

            if (w->space == space && addr - w->base < w->size) {
                *out = *w;
                found = true;
            }
        }
    } while (windows_changed(b, seq));
    return found;
}

static bool window_taken(const struct vm_bus *b, const struct iotp_window *w)
{
    for (unsigned i = 0; i < b->nwins; i++)
        if (w->space != NM_SPACE_NONE && b->win[i].space == w->space &&
            w->base < b->win[i].base + b->win[i].size && b->win[i].base < w->base + w->size)
            return true;
    return false;
}

static void index_cells(struct bus_dev *d)
{
    memset(d->near_cell, 0, sizeof(d->near_cell));
    for (unsigned i = 0; i < d->info.ncells && i < IOTP_SHADOW_CELLS; i++) {
        const struct iotp_cell *c = &d->info.cell[i];

        if (c->region < IOTP_REGIONS && c->offset < BUS_NEAR)
            d->near_cell[c->region][c->offset] = (uint8_t)(i + 1);
    }
}

int bus_add(struct vm_bus *b, struct bus_dev *d)
{
    if (b->ndevs == BUS_MAX_DEVICES || b->nwins + d->info.nwindows > BUS_MAX_WINDOWS)
        return -ENOSPC;
    for (unsigned i = 0; i < d->info.nwindows; i++)
        if (window_taken(b, &d->info.window[i]))
            return -EEXIST;
    if (d->info.pci && !d->pci_slot)
        d->pci_slot = ++b->last_slot;
    windows_write_begin(b);
    for (unsigned i = 0; i < d->info.nwindows; i++) {
        const struct iotp_window *w = &d->info.window[i];

        b->win[b->nwins++] = (struct bus_window){
            .dev = d, .base = w->base, .size = w->size, .space = w->space, .region = w->region};
    }
    windows_write_end(b);
    index_cells(d);
    b->devs[b->ndevs++] = d;
    return 0;
}

void bus_move_window(struct vm_bus *b, const struct bus_dev *d, uint8_t region, uint8_t space,
                     uint64_t base)
{
    windows_write_begin(b);
    for (unsigned i = 0; i < b->nwins; i++)
        if (b->win[i].dev == d && b->win[i].region == region) {
            b->win[i].space = space;
            b->win[i].base = base;
        }
    windows_write_end(b);
    bus_kick_forget(b, d, region);
}

bool bus_in_range(const struct bus_dev *d, const struct iotp_req *r, uint8_t flag)
{
    for (unsigned i = 0; i < d->info.nranges; i++) {
        const struct iotp_range *g = &d->info.range[i];

        if ((g->flags & flag) && g->region == r->region && r->offset >= g->offset &&
            r->offset + r->size <= g->offset + g->length)
            return true;
    }
    return false;
}

static int shadow_cell(const struct bus_dev *d, const struct iotp_req *r)
{
    if (r->offset < BUS_NEAR && r->region < IOTP_REGIONS && !d->near_cell[r->region][r->offset])
        return -1;
    for (unsigned i = 0; i < d->info.ncells; i++) {
        const struct iotp_cell *c = &d->info.cell[i];

        if (c->offset == r->offset && c->size == r->size && c->region == r->region)
            return (int)i;
    }
    return -1;
}

int bus_access(struct bus_dev *d, unsigned vcpu, const struct iotp_req *r, struct iotp_resp *out)
{
    const struct placement *p = d->place;

    if (r->op == IOTP_OP_WRITE && p->post && bus_in_range(d, r, IOTP_RANGE_POSTED) &&
        p->post(d, vcpu, r)) {
        *out = (struct iotp_resp){.status = IOTP_DONE, .done_count = 1};
        return 0;
    }
    if (r->op == IOTP_OP_READ && p->shadow) {
        int cell = shadow_cell(d, r);

        if (cell >= 0 && p->shadow(d, (unsigned)cell, &out->data)) {
            out->status = IOTP_DONE;
            out->done_count = 1;
            return 0;
        }
    }
    return p->call(d, vcpu, r, out);
}

static struct iotp_req request_of(const struct bus_window *w, const struct vm_io *io)
{
    return (struct iotp_req){
        .offset = io->addr - w->base,
        .data = io->data,
        .mem = io->mem,
        .count = io->string ? io->count : 1,
        .device = w->dev->index,
        .region = w->region,
        .op = (uint8_t)((io->write ? IOTP_OP_WRITE : 0) | (io->string ? IOTP_OP_STRING : 0) |
                        (io->down ? IOTP_OP_DOWN : 0) | (io->bounce ? IOTP_OP_BOUNCE : 0)),
        .size = io->size,
    };
}

static uint64_t ones(unsigned size)
{
    return size >= 8 ? ~0ull : (1ull << (8 * size)) - 1;
}

/* A string on a device: asked for again until it is all there or nothing moves any more. */
static int string_access(const struct bus_window *w, unsigned vcpu, struct vm_io *io)
{
    struct iotp_req r = request_of(w, io);
    struct iotp_resp resp;
    int err;

    io->done_count = 0;
    while (io->done_count < io->count) {
        r.count = io->count - io->done_count;
        if (r.count > IOTP_MAX_STRING)
            r.count = IOTP_MAX_STRING;
        err = bus_access(w->dev, vcpu, &r, &resp);
        if (err)
            return err;
        if (!resp.done_count || resp.done_count > r.count)
            break;
        io->done_count += resp.done_count;
        r.mem += (io->down ? -1ull : 1ull) * resp.done_count * io->size;
    }
    return 0;
}

static int window_access(struct vm_bus *b, const struct bus_window *w, unsigned vcpu,
                         struct vm_io *io)
{
    struct iotp_req r;
    struct iotp_resp resp;
    int err;

    if (io->string)
        return string_access(w, vcpu, io);
    r = request_of(w, io);
    err = bus_access(w->dev, vcpu, &r, &resp);
    io->done_count = 1;
    io->data = resp.data & ones(io->size);
    if (io->write && !err)
        bus_kick_learn(b, w, &r);
    return err;
}

/* An access that crosses a window's end goes byte by byte, each to whoever answers there. */
static int split_access(struct vm_bus *b, unsigned vcpu, struct vm_io *io)
{
    uint64_t value = 0;
    int err = 0;

    for (unsigned i = 0; i < io->size && !err; i++) {
        struct vm_io one = *io;

        one.size = 1;
        one.addr = io->addr + i;
        one.data = io->data >> (8 * i) & 0xff;
        err = vm_io(b->vm, vcpu, &one);
        value |= (one.data & 0xff) << (8 * i);
    }
    io->data = value;
    io->done_count = 1;
    return err;
}

/* Nothing there: reads give all ones, strings too. */
static int unclaimed(struct vm *vm, unsigned vcpu, struct vm_io *io)
{
    io->data = ones(io->size);
    io->done_count = io->string ? io->count : 1;
    if (io->string && !io->write)
        return ports_fill_string(vm, vcpu, io, 0xff);
    return 0;
}

int vm_io(struct vm *vm, unsigned vcpu, struct vm_io *io)
{
    struct vm_bus *b = vm->bus;
    struct bus_window w;
    int err = 0;

    if (__atomic_load_n(&vm->stopping, __ATOMIC_RELAXED))
        return -ECANCELED;
    if (bus_find_window(b, iotp_space(io->space), io->addr, &w)) {
        if (io->addr - w.base + io->size > w.size && !io->string)
            return split_access(b, vcpu, io);
        return window_access(b, &w, vcpu, io);
    }
    if (io->space == VM_PIO && (ports_access(vm, vcpu, io, &err) || pc_port(vm, vcpu, io, &err) ||
                                pci_root_port(b, vcpu, io, &err)))
        return err;
    if (io->space == VM_MMIO && pci_root_ecam(b, vcpu, io, &err))
        return err;
    return unclaimed(vm, vcpu, io);
}
