/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A runner for device models in tests: exact allocations (so that sanitizers see each step
 * outside), the interrupt line and the frames the device sent; guest memory in pieces, so that what
 * is contiguous to the guest is not to the device; a clock that stands until the test moves it.
 */
#ifndef COOPVMM_TESTS_NM_RIG_H
#define COOPVMM_TESTS_NM_RIG_H

#include <stdlib.h>
#include <string.h>

#include "../../nicmodels/model.h"

#define RIG_FRAMES 8 /* the last ones are kept */

struct rig {
    struct nm_dev d;
    bool level; /* line 0 */
    unsigned irq_calls, falls;
    unsigned msis; /* messages, and the last one */
    uint64_t msi_addr;
    uint32_t msi_data;
    unsigned sent;
    size_t len[RIG_FRAMES]; /* frame i is at i % RIG_FRAMES */
    uint8_t frame[RIG_FRAMES][NM_MAX_FRAME];
    bool full; /* tx is refused */
    /* Guest memory, if a test wants it (rig_memory): guest-physical RIG_MEM to RIG_MEM + mem_size.
     */
    uint8_t *mem;
    uint64_t mem_size;
    uint64_t mem_piece; /* bytes that are contiguous, at multiples of it */
    uint64_t ns;        /* the clock */
    bool killed;        /* committed is not called: the runner died before the commit */
};

#define RIG_MEM 0x100000u

static inline void rig_irq(struct nm_dev *d, unsigned line, bool level)
{
    struct rig *g = d->runner;

    if (line != 0)
        abort();
    g->irq_calls++;
    g->falls += g->level && !level;
    g->level = level;
}

static inline bool rig_tx(struct nm_dev *d, const void *frame, size_t len)
{
    struct rig *g = d->runner;
    unsigned i = g->sent % RIG_FRAMES;

    if (!len || len > NM_MAX_FRAME)
        abort();
    if (g->full)
        return false;
    memcpy(g->frame[i], frame, len);
    g->len[i] = len;
    g->sent++;
    return true;
}

static inline void *rig_dma(struct nm_dev *d, uint64_t gpa, uint64_t *len, bool write)
{
    struct rig *g = d->runner;
    uint64_t at = gpa - RIG_MEM, left;

    (void)write;
    if (!*len)
        abort();
    if (at >= g->mem_size)
        return NULL;
    left = g->mem_piece - at % g->mem_piece;
    if (left > g->mem_size - at)
        left = g->mem_size - at;
    if (*len > left)
        *len = left;
    return g->mem + at;
}

static inline uint64_t rig_now(struct nm_dev *d)
{
    struct rig *g = d->runner;

    return g->ns;
}

static inline void rig_msi(struct nm_dev *d, uint64_t addr, uint32_t data)
{
    struct rig *g = d->runner;

    g->msis++;
    g->msi_addr = addr;
    g->msi_data = data;
}

static const struct nm_env rig_env = {
    .dma = rig_dma, .irq = rig_irq, .msi = rig_msi, .tx = rig_tx, .now = rig_now};

static const uint8_t rig_mac[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};

static inline void rig_alloc(struct rig *g, size_t regs_size, size_t ram_size)
{
    memset(g, 0, sizeof(*g));
    g->d.regs = calloc(1, regs_size);
    g->d.ram = calloc(1, ram_size);
    g->d.env = &rig_env;
    g->d.runner = g;
    if (!g->d.regs || !g->d.ram)
        abort();
}

/* A device of a model, powered on. @return what init said */
static inline int rig_init(struct rig *g, const struct nm_model *m, const struct nm_params *p,
                           const char **why)
{
    struct nm_params def = {0};

    memcpy(def.mac, rig_mac, 6);
    rig_alloc(g, m->regs_size, m->ram_size);
    g->d.model = m;
    return m->init(&g->d, p ? p : &def, why);
}

static inline void rig_free(struct rig *g)
{
    free(g->d.regs);
    free(g->d.ram);
    free(g->mem);
}

/* Gives the guest zeroed memory. */
static inline void rig_memory(struct rig *g, uint64_t size, uint64_t piece)
{
    g->mem = calloc(1, size);
    g->mem_size = size;
    g->mem_piece = piece;
    if (!g->mem)
        abort();
}

/* What a runner does after each call. */
static inline void rig_commit(struct rig *g)
{
    if (!g->killed && g->d.model->committed)
        g->d.model->committed(&g->d);
}

/* Polls the model until it says that it did nothing. @return the calls that did something */
static inline unsigned rig_poll(struct rig *g)
{
    unsigned n = 0;

    while (g->d.model->poll(&g->d)) {
        rig_commit(g);
        n++;
    }
    rig_commit(g);
    return n;
}

/* A frame from the network. */
static inline void rig_receive(struct rig *g, const void *frame, size_t len)
{
    g->d.model->receive(&g->d, frame, len);
    rig_commit(g);
}

static inline enum nm_status rig_write(struct rig *g, unsigned region, uint64_t offset,
                                       unsigned size, uint64_t data)
{
    struct nm_access a = {.offset = offset,
                          .data = data,
                          .count = 1,
                          .region = (uint8_t)region,
                          .size = (uint8_t)size,
                          .write = true};
    enum nm_status st = g->d.model->access(&g->d, &a);

    rig_commit(g);
    return st;
}

/* ~0 if unclaimed. */
static inline uint64_t rig_read(struct rig *g, unsigned region, uint64_t offset, unsigned size)
{
    struct nm_access a = {
        .offset = offset, .count = 1, .region = (uint8_t)region, .size = (uint8_t)size};
    enum nm_status st = g->d.model->access(&g->d, &a);

    rig_commit(g);
    return st == NM_DONE ? a.data : ~0ull;
}

/* A string access on region 0. @return elements done */
static inline uint32_t rig_string(struct rig *g, uint64_t offset, unsigned size, uint32_t count,
                                  void *mem, bool write, bool down)
{
    struct nm_access a = {.offset = offset,
                          .count = count,
                          .size = (uint8_t)size,
                          .write = write,
                          .mem = mem,
                          .down = down};

    return g->d.model->access(&g->d, &a) == NM_DONE ? a.done_count : 0;
}

static inline void outb(struct rig *g, unsigned port, uint8_t v)
{
    rig_write(g, 0, port, 1, v);
}

static inline uint8_t inb(struct rig *g, unsigned port)
{
    return (uint8_t)rig_read(g, 0, port, 1);
}

/* Repeatable pseudo-random numbers (xorshift64*). */
static inline uint64_t rig_random(uint64_t *s)
{
    *s ^= *s >> 12;
    *s ^= *s << 25;
    *s ^= *s >> 27;
    return *s * 0x2545f4914f6cdd1dull;
}

#endif
