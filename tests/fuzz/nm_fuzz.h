/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the fuzz targets of device models have in common: steps that any model takes, and what must
 * hold between them. The device is a struct rig (nm_rig.h), whose regs, ram and guest memory are
 * allocations of their exact size.
 */
#ifndef COOPVMM_FUZZ_NM_FUZZ_H
#define COOPVMM_FUZZ_NM_FUZZ_H

#include "../unit/nm_rig.h"
#include "input.h"

#define NM_IMAGE_HEADER 56u /* bytes before the regs in a saved state */

/* A string at a's region and offset, of up to max elements. @return was it carried out? */
static inline bool fuzz_string(struct rig *g, struct input *in, uint8_t op, unsigned max,
                               struct nm_access *a)
{
    unsigned size = 1u << (op >> 4 & 3);
    enum nm_status status;
    uint8_t *mem;

    a->size = (uint8_t)size;
    a->count = (uint32_t)(1 + take(in, 2) % max);
    a->write = op & 8;
    a->down = take(in, 1) & 1;
    mem = calloc(a->count, size);
    CHECK(mem);
    for (unsigned i = 0; i < 16 && i < a->count * size; i++)
        mem[i] = (uint8_t)take(in, 1);
    a->mem = a->down ? mem + (size_t)(a->count - 1) * size : mem;
    status = g->d.model->access(&g->d, a);
    free(mem);
    return status == NM_DONE;
}

/* A string may end early, but moves on: by elements, or by the commit that it waits for. */
static inline bool fuzz_went_on(const struct rig *g, const struct nm_access *a)
{
    return a->done_count <= a->count && (a->done_count || g->d.changed);
}

/* As a runner offers a frame, which here does not wait any longer. */
static inline void fuzz_receive(struct rig *g, const uint8_t *frame, size_t len)
{
    const struct nm_model *m = g->d.model;

    if (!m->can_receive(&g->d, len) && m->waiting)
        m->waiting(&g->d);
    m->receive(&g->d, frame, len);
}

/* A frame of any length, of which the input gives the first n bytes. */
static inline void fuzz_frame(struct rig *g, struct input *in, size_t n)
{
    size_t len = take(in, 2) % (NM_MAX_FRAME + 3);
    uint8_t *frame = calloc(1, len ? len : 1);

    CHECK(frame);
    for (size_t i = 0; i < n && i < len; i++)
        frame[i] = (uint8_t)take(in, 1);
    fuzz_receive(g, frame, len);
    free(frame);
}

/* Registers and memory as a stranger made them: refused, or as good as any. */
static inline void fuzz_load(struct rig *g, struct input *in)
{
    size_t size = nm_save_size(&g->d);
    uint8_t *image = malloc(size);
    const char *why = NULL;
    unsigned changes = take(in, 1) % 16;

    CHECK(image && nm_save(&g->d, image, size) == (long)size);
    while (changes--) {
        size_t at = take(in, 2) % size;

        if (take(in, 1) & 1)
            at %= NM_IMAGE_HEADER + g->d.model->regs_size;
        image[at] = (uint8_t)take(in, 1);
    }
    if (nm_load(&g->d, image, size, &why) == 0) {
        g->level = g->d.model->lines(&g->d) & 1;
        if (g->d.model->resume)
            g->d.model->resume(&g->d);
    } else {
        CHECK(why);
    }
    free(image);
}

/* The device's own state is always valid, its line the one the runner saw, its cells what reads
 * give. */
static inline void fuzz_check(struct rig *g)
{
    uint64_t cell[NM_MAX_CELLS];
    struct nm_window w[NM_MAX_REGIONS];
    const struct nm_model *m = g->d.model;
    const char *why;
    uint32_t valid = m->publish ? m->publish(&g->d, cell) : 0;

    CHECK(m->validate(&g->d, &why) == 0);
    CHECK(m->windows(&g->d, w, NM_MAX_REGIONS) <= NM_MAX_REGIONS);
    CHECK((m->lines(&g->d) & 1) == g->level);
    for (unsigned i = 0; i < m->ncells; i++)
        if (valid >> i & 1)
            CHECK(rig_read(g, m->cells[i].region, m->cells[i].offset, m->cells[i].size) == cell[i]);
}

#endif
