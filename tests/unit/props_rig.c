/* SPDX-License-Identifier: BSD-3-Clause */
#include "props_rig.h"

#include <CUnit/CUnit.h>
#include <stdio.h>

/* The call alone, without a commit. */
static void call(struct rig *g, struct props_step *t)
{
    const struct nm_model *m = g->d.model;

    g->d.changed = false;
    switch (t->kind) {
    case PROPS_ACCESS: m->access(&g->d, &t->a); break;
    case PROPS_STRING:
        t->a.mem = t->bytes + (t->a.down ? (t->a.count - 1) * t->a.size : 0);
        m->access(&g->d, &t->a);
        break;
    case PROPS_FRAME:
        if (m->waiting && !m->can_receive(&g->d, t->len))
            m->waiting(&g->d);
        m->receive(&g->d, t->bytes, t->len);
        break;
    case PROPS_POLL: m->poll(&g->d); break;
    case PROPS_RESET: m->reset(&g->d); break;
    case PROPS_GUEST: break;
    }
}

static void beside(const struct props *p, struct rig *g, const struct props_step *t)
{
    g->ns += t->ns;
    p->beside(g, t);
}

void props_do(const struct props *p, struct rig *g, struct props_step *t)
{
    call(g, t);
    rig_commit(g);
    beside(p, g, t);
}

static void make_step(const struct props *p, uint64_t *seed, struct props_step *t, struct rig *now)
{
    memset(t, 0, sizeof(*t));
    p->step(seed, t, now);
}

bool props_same(const struct rig *a, const struct rig *b, bool all)
{
    const struct nm_model *m = a->d.model;

    return !memcmp(a->d.regs, b->d.regs, m->regs_size) &&
           !memcmp(a->d.ram, b->d.ram, m->ram_size) && a->level == b->level && a->sent == b->sent &&
           !memcmp(a->len, b->len, sizeof(a->len)) &&
           !memcmp(a->frame, b->frame, sizeof(a->frame)) &&
           (!all || !a->mem || !memcmp(a->mem, b->mem, a->mem_size));
}

static bool same_answer(const struct props_step *a, const struct props_step *b)
{
    return a->a.data == b->a.data && a->a.done_count == b->a.done_count &&
           !memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static bool is_due(const struct props *p, unsigned i, unsigned steps)
{
    return i % p->stride == 0 || i + 1 == steps;
}

/* The runner dies in mid-call: the line and the frames die with it. */
static void die_in(struct rig *g, struct props_step *t)
{
    uint8_t before[NM_MAX_REGS];
    bool level = g->level;
    unsigned sent = g->sent;

    memcpy(before, g->d.regs, g->d.model->regs_size);
    call(g, t);
    memcpy(g->d.regs, before, g->d.model->regs_size);
    g->level = level;
    g->sent = sent;
}

unsigned props_replay(const struct props *p, uint64_t seed, unsigned steps)
{
    struct rig g, once;
    unsigned sent;

    p->start(&g);
    p->start(&once);
    for (unsigned i = 0; i < steps; i++) {
        struct props_step first, a, b;

        make_step(p, &seed, &first, &g);
        a = b = first;
        props_do(p, &once, &a);
        die_in(&g, &b);
        b.a = first.a; /* strings that are read find the first answer in `bytes` already */
        call(&g, &b);
        rig_commit(&g);
        rig_commit(&g);
        beside(p, &g, &b);
        if (!props_same(&g, &once, is_due(p, i, steps)) || !same_answer(&a, &b)) {
            fprintf(stderr, "%s: step %u differs when repeated\n", p->model, i);
            CU_FAIL_FATAL("a repeated call came out differently");
        }
    }
    sent = g.sent;
    rig_free(&g);
    rig_free(&once);
    return sent;
}

/* Saves g and loads it into `to`, whose registers were anything; what is the runner's is copied. */
static void move_over(struct rig *to, const struct rig *g)
{
    size_t size = nm_save_size(&g->d);
    void *image = malloc(size);
    const char *why = "";

    CU_ASSERT_EQUAL_FATAL(nm_save(&g->d, image, size), (long)size);
    memset(to->d.regs, 0xa5, g->d.model->regs_size);
    to->d.changed = false;
    CU_ASSERT_EQUAL_FATAL(nm_load(&to->d, image, size, &why), 0);
    free(image);
    CU_ASSERT_TRUE(to->d.changed);
    CU_ASSERT_EQUAL(g->d.model->lines(&to->d), g->level);
    rig_commit(to);
    if (g->mem)
        memcpy(to->mem, g->mem, g->mem_size);
    memcpy(to->frame, g->frame, sizeof(g->frame));
    memcpy(to->len, g->len, sizeof(g->len));
    to->level = g->level;
    to->sent = g->sent;
    to->ns = g->ns;
}

void props_save_load(const struct props *p, uint64_t seed, unsigned steps)
{
    struct rig g, other;

    p->start(&g);
    p->start(&other);
    for (unsigned i = 0; i < steps; i++) {
        struct props_step a, b;

        if (i % 100 == 50)
            move_over(&other, &g);
        make_step(p, &seed, &a, &g);
        b = a;
        props_do(p, &g, &a);
        props_do(p, &other, &b);
        if (i >= 50 && (!props_same(&g, &other, is_due(p, i, steps)) || !same_answer(&a, &b)))
            CU_FAIL_FATAL("a loaded device went another way");
    }
    rig_free(&g);
    rig_free(&other);
}

static bool is_posted(const struct nm_model *m, const struct props_step *t)
{
    const struct nm_access *a = &t->a;

    for (unsigned i = 0; i < m->nranges && t->kind == PROPS_ACCESS && a->write; i++)
        if (a->region == m->ranges[i].region && a->offset >= m->ranges[i].offset &&
            a->offset + a->size <= m->ranges[i].offset + m->ranges[i].length &&
            (m->ranges[i].flags & NM_REG_POSTED))
            return true;
    return false;
}

/* @return valid cells */
static unsigned check_cells(struct rig *g)
{
    const struct nm_model *m = g->d.model;
    uint64_t cell[NM_MAX_CELLS];
    uint32_t valid = m->publish(&g->d, cell);
    uint8_t before[NM_MAX_REGS];

    memcpy(before, g->d.regs, m->regs_size);
    for (unsigned c = 0; c < m->ncells; c++) {
        uint64_t v = rig_read(g, m->cells[c].region, m->cells[c].offset, m->cells[c].size);

        if ((valid >> c & 1) && v != cell[c])
            CU_FAIL_FATAL("a cell is not what a read gives");
    }
    if (memcmp(before, g->d.regs, m->regs_size))
        CU_FAIL_FATAL("reading a cell's register had a side effect");
    return (unsigned)__builtin_popcount(valid);
}

/* Without pending work poll has nothing to do, however late it is. */
static bool check_idle(struct rig *g)
{
    const struct nm_model *m = g->d.model;
    uint8_t before[NM_MAX_REGS];
    uint64_t ns = g->ns;

    if (!m->poll || m->pending(&g->d))
        return false;
    memcpy(before, g->d.regs, m->regs_size);
    g->ns += 1ull << 40;
    if (m->poll(&g->d) || memcmp(before, g->d.regs, m->regs_size))
        CU_FAIL_FATAL("there was work that nobody was told of");
    g->ns = ns;
    return true;
}

/* What the call itself may and may not do; not yet committed. */
static void check_call(struct rig *g, struct props_step *t, struct props_seen *seen)
{
    const struct nm_model *m = g->d.model;
    unsigned falls = g->falls, sent = g->sent;
    bool posted = is_posted(m, t);
    uint8_t before[NM_MAX_REGS];

    memcpy(before, g->d.regs, m->regs_size);
    call(g, t);
    if (!g->d.changed && memcmp(before, g->d.regs, m->regs_size))
        CU_FAIL_FATAL("regs changed and nobody was told");
    if (g->sent - sent > NM_TX_BURST)
        CU_FAIL_FATAL("one call sent more than a runner keeps");
    if (posted && g->falls != falls)
        CU_FAIL_FATAL("a posted write lowered the interrupt line");
    seen->posted += posted;
}

static void check_commit(struct rig *g)
{
    const struct nm_model *m = g->d.model;
    uint8_t before[NM_MAX_REGS];

    memcpy(before, g->d.regs, m->regs_size);
    rig_commit(g);
    if (memcmp(before, g->d.regs, m->regs_size))
        CU_FAIL_FATAL("a commit changed what was committed");
}

static void check_state(struct rig *g)
{
    const struct nm_model *m = g->d.model;
    const char *why = "";

    if (m->validate(&g->d, &why)) {
        fprintf(stderr, "%s: %s\n", m->name, why);
        CU_FAIL_FATAL("a state of its own making is refused");
    }
    if ((m->lines(&g->d) & 1) != g->level)
        CU_FAIL_FATAL("the line is not what the device says");
}

struct props_seen props_promises(const struct props *p, uint64_t seed, unsigned steps)
{
    struct props_seen seen = {0};
    struct rig g;

    p->start(&g);
    for (unsigned i = 0; i < steps; i++) {
        struct props_step t;

        make_step(p, &seed, &t, &g);
        check_call(&g, &t, &seen);
        check_commit(&g);
        check_state(&g);
        seen.cells += check_cells(&g);
        seen.idle += check_idle(&g);
        beside(p, &g, &t);
    }
    seen.sent = g.sent;
    rig_free(&g);
    return seen;
}
