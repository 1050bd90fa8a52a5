/* SPDX-License-Identifier: BSD-3-Clause */
/* What holds for NE2000 and RTL8029 whatever a guest and the network do: random sequences. */
#include <stdio.h>

#include "cu_main.h"
#include "ne2000_rig.h"

const char *const suite_name = "ne2000_props";

static const char *const names[] = {"ne2000", "rtl8029"};

struct step {
    enum { STEP_ACCESS, STEP_STRING, STEP_FRAME, STEP_RESET } kind;
    struct nm_access a;
    uint8_t mem[512];
    size_t len; /* frame, in mem */
};

static uint8_t random_port(uint64_t *s)
{
    uint64_t r = rig_random(s);

    if (r % 4 == 0)
        return (uint8_t)(DATA + (r >> 8) % 8);
    if (r % 61 == 1)
        return (uint8_t)(0x18 + (r >> 8) % 8);
    return (uint8_t)((r >> 8) % 16);
}

/* Values that lead somewhere more often than chance would. */
static uint64_t random_value(uint64_t *s, unsigned port)
{
    static const uint8_t commands[] = {0x22, 0x0a, 0x12, 0x1a, 0x26, 0x62, 0xa2, 0xe2, 0x22, 0x21};
    uint64_t r = rig_random(s);

    if (r % 8 == 0)
        return rig_random(s);
    switch (port) {
    case 0: return commands[(r >> 8) % sizeof(commands)];
    case PG0W_PSTART:
    case PG0W_BNRY: return 0x40 + (r >> 8) % 0x40;
    case PG0W_PSTOP: return 0x50 + (r >> 8) % 0x31;
    case PG0W_TBCR1:
    case PG0W_RBCR1: return (r >> 8) % 6;
    case PG0W_TPSR:
    case PG0W_RSAR1: return 0x40 + (r >> 8) % 0x40;
    case PG0W_RCR: return (r >> 8) % 64 & ~(r % 5 ? RCR_MON : 0u);
    case PG0W_TCR: return r % 3 ? 0 : (r >> 8) & 0x1f;
    default: return r >> 8;
    }
}

static void random_access(uint64_t *s, struct step *t, bool pci)
{
    static const uint8_t sizes[] = {1, 1, 1, 2, 2, 4, 8};
    uint64_t r = rig_random(s);

    t->a = (struct nm_access){.offset = random_port(s), .count = 1};
    t->a.size = sizes[r % sizeof(sizes)];
    t->a.write = r >> 8 & 1;
    t->a.data = random_value(s, (unsigned)t->a.offset);
    if (t->a.size < 8)
        t->a.data &= (1ull << 8 * t->a.size) - 1;
    if (pci && r % 97 == 0) {
        t->a.region = NM_REGION_CONFIG;
        t->a.offset = r >> 16 & 0xff;
        if (t->a.offset - PCI_COMMAND < 2)
            t->a.data |= PCI_COMMAND_IO; /* or the rest would be silence */
    }
}

static void random_step(uint64_t *s, struct step *t, bool pci)
{
    uint64_t r = rig_random(s);

    memset(t, 0, sizeof(*t));
    for (unsigned i = 0; i < sizeof(t->mem); i += 8) {
        uint64_t v = rig_random(s);

        memcpy(t->mem + i, &v, 8);
    }
    if (r % 16 == 0) {
        t->kind = STEP_FRAME;
        t->len = 14 + (r >> 8) % (sizeof(t->mem) - 14);
        memset(t->mem, r >> 32 & 1 ? 0xff : 0x02, 6);
    } else if (r % 499 == 1) {
        t->kind = STEP_RESET;
    } else {
        t->kind = r % 16 < 3 ? STEP_STRING : STEP_ACCESS;
        random_access(s, t, pci);
        t->a.count = (uint32_t)(1 + (r >> 8) % (sizeof(t->mem) / t->a.size));
        t->a.down = r >> 40 & 1;
    }
}

/* Carries a step out; mem is the step's memory, changed by string reads. */
static enum nm_status do_step(struct rig *g, struct step *t)
{
    switch (t->kind) {
    case STEP_FRAME: g->d.model->receive(&g->d, t->mem, t->len); return NM_DONE;
    case STEP_RESET:
        g->d.model->reset(&g->d);
        enable_ports(g);
        return NM_DONE;
    case STEP_STRING:
        t->a.mem = t->a.down ? t->mem + (t->a.count - 1) * t->a.size : t->mem;
        return g->d.model->access(&g->d, &t->a);
    default: t->a.count = 1; return g->d.model->access(&g->d, &t->a);
    }
}

static bool same_outcome(const struct rig *a, const struct rig *b)
{
    const struct nm_model *m = a->d.model;

    return !memcmp(a->d.regs, b->d.regs, m->regs_size) &&
           !memcmp(a->d.ram, b->d.ram, m->ram_size) && a->level == b->level && a->sent == b->sent &&
           !memcmp(a->frame, b->frame, sizeof(a->frame));
}

static bool same_step(const struct step *a, const struct step *b)
{
    return a->a.data == b->a.data && a->a.done_count == b->a.done_count &&
           !memcmp(a->mem, b->mem, sizeof(a->mem));
}

static void copy_state(struct rig *to, const struct rig *from)
{
    memcpy(to->d.regs, from->d.regs, from->d.model->regs_size);
    memcpy(to->d.ram, from->d.ram, from->d.model->ram_size);
    to->level = from->level;
    to->sent = from->sent;
    memcpy(to->len, from->len, sizeof(to->len));
    memcpy(to->frame, from->frame, sizeof(to->frame));
}

/* model.h's recovery rule: regs go back to the last commit, ram does not; the call is repeated. */
static void replay(const char *name, uint64_t seed, unsigned steps)
{
    uint8_t before[NM_MAX_REGS];
    struct rig g, once;

    board_up(&g, name);
    board_up(&once, name);
    driver_start(&g);
    driver_start(&once);
    for (unsigned i = 0; i < steps; i++) {
        struct step a, b;
        bool level = g.level;
        unsigned sent = g.sent;
        uint64_t data;

        random_step(&seed, &a, g.d.model->pci);
        b = a;
        data = a.a.data;
        do_step(&once, &a);
        memcpy(before, g.d.regs, g.d.model->regs_size);
        do_step(&g, &b); /* killed before the commit */
        memcpy(g.d.regs, before, g.d.model->regs_size);
        g.level = level;
        g.sent = sent;
        b.a.data = data;
        do_step(&g, &b); /* string reads find the first answer in the guest's memory already */
        if (!same_outcome(&g, &once) || !same_step(&a, &b)) {
            fprintf(stderr, "%s: step %u of seed differs when repeated\n", name, i);
            CU_FAIL_FATAL("a repeated call came out differently");
        }
    }
    rig_free(&g);
    rig_free(&once);
}

static void test_replay(void)
{
    for (unsigned m = 0; m < 2; m++)
        for (uint64_t seed = 1; seed <= 20; seed++)
            replay(names[m], seed * 0x9e3779b97f4a7c15ull, 3000);
}

/* Saved at any moment, loaded into another device: both go on alike. */
static void test_save_load(void)
{
    for (unsigned m = 0; m < 2; m++) {
        uint64_t seed = 77 + m;
        struct rig g, other;
        const char *why = "";
        size_t size;
        void *image;

        board_up(&g, names[m]);
        board_up(&other, names[m]);
        driver_start(&g);
        size = nm_save_size(&g.d);
        image = malloc(size);
        for (unsigned i = 0; i < 4000; i++) {
            struct step a, b;

            if (i % 100 == 50) {
                CU_ASSERT_EQUAL_FATAL(nm_save(&g.d, image, size), (long)size);
                memset(other.d.regs, 0xa5, g.d.model->regs_size);
                CU_ASSERT_EQUAL_FATAL(nm_load(&other.d, image, size, &why), 0);
                CU_ASSERT_TRUE(other.d.changed);
                CU_ASSERT_EQUAL(g.d.model->lines(&other.d), g.level);
                copy_state(&other, &g); /* lines and frames, the runner's part */
            }
            random_step(&seed, &a, g.d.model->pci);
            b = a;
            do_step(&g, &a);
            do_step(&other, &b);
            if (i >= 50 && (!same_outcome(&g, &other) || !same_step(&a, &b)))
                CU_FAIL_FATAL("a loaded device went another way");
        }
        free(image);
        rig_free(&g);
        rig_free(&other);
    }
}

/* One string request is what its elements would be one by one. */
static void test_string_equals_elements(void)
{
    for (unsigned m = 0; m < 2; m++) {
        uint64_t seed = 1234 + m;
        struct rig g, one;

        board_up(&g, names[m]);
        board_up(&one, names[m]);
        driver_start(&g);
        driver_start(&one);
        for (unsigned i = 0; i < 20000; i++) {
            struct step a, b;

            random_step(&seed, &a, false);
            b = a;
            do_step(&g, &a);
            if (b.kind == STEP_STRING) {
                for (uint32_t k = 0; k < b.a.count; k++) {
                    uint32_t at = (b.a.down ? b.a.count - 1 - k : k) * b.a.size;
                    struct nm_access e = b.a;

                    e.mem = NULL;
                    e.data = 0;
                    memcpy(&e.data, b.mem + at, e.size);
                    one.d.model->access(&one.d, &e);
                    if (!e.write)
                        memcpy(b.mem + at, &e.data, e.size);
                }
                CU_ASSERT_EQUAL(a.a.done_count, b.a.count);
            } else {
                do_step(&one, &b);
            }
            if (!same_outcome(&g, &one) || memcmp(a.mem, b.mem, sizeof(a.mem)))
                CU_FAIL_FATAL("a string differs from its elements");
        }
        rig_free(&g);
        rig_free(&one);
    }
}

static bool is_posted(const struct nm_model *m, const struct nm_access *a)
{
    for (unsigned i = 0; i < m->nranges; i++)
        if (a->region == m->ranges[i].region && a->offset >= m->ranges[i].offset &&
            a->offset + a->size <= m->ranges[i].offset + m->ranges[i].length &&
            (m->ranges[i].flags & NM_REG_POSTED))
            return true;
    return false;
}

/* What ne2000.h promises of posted writes and shadow cells, and nm_dev.changed. */
static void test_posted_and_cells(void)
{
    for (unsigned m = 0; m < 2; m++) {
        uint64_t seed = 4321 + m, cell[NM_MAX_CELLS], again[NM_MAX_CELLS];
        uint8_t before[NM_MAX_REGS];
        unsigned posted = 0;
        struct rig g;

        board_up(&g, names[m]);
        driver_start(&g);
        for (unsigned i = 0; i < 20000; i++) {
            const struct nm_model *mod = g.d.model;
            struct step t;
            unsigned falls = g.falls;
            uint32_t valid;

            random_step(&seed, &t, mod->pci);
            memcpy(before, g.d.regs, mod->regs_size);
            g.d.changed = false;
            do_step(&g, &t);
            if (!g.d.changed && memcmp(before, g.d.regs, mod->regs_size))
                CU_FAIL_FATAL("regs changed and nobody was told");
            if (t.kind == STEP_ACCESS && t.a.write && is_posted(mod, &t.a)) {
                posted++;
                if (g.falls != falls)
                    CU_FAIL_FATAL("a posted write lowered the interrupt line");
            }
            memcpy(before, g.d.regs, mod->regs_size);
            valid = mod->publish(&g.d, cell);
            for (unsigned c = 0; c < mod->ncells; c++) {
                again[c] =
                    rig_read(&g, mod->cells[c].region, mod->cells[c].offset, mod->cells[c].size);
                if ((valid >> c & 1) && again[c] != cell[c])
                    CU_FAIL_FATAL("a cell is not what a read gives");
            }
            if (memcmp(before, g.d.regs, mod->regs_size))
                CU_FAIL_FATAL("reading a cell's register had a side effect");
        }
        CU_ASSERT_TRUE(posted > 1000);
        rig_free(&g);
    }
}

/* Whatever came before, validate accepts what the device itself is in. */
static void test_own_states_are_valid(void)
{
    for (unsigned m = 0; m < 2; m++) {
        uint64_t seed = 99 + m;
        const char *why = "";
        struct rig g;

        board_up(&g, names[m]);
        for (unsigned i = 0; i < 20000; i++) {
            struct step t;

            random_step(&seed, &t, g.d.model->pci);
            do_step(&g, &t);
            if (g.d.model->validate(&g.d, &why)) {
                fprintf(stderr, "%s: %s\n", names[m], why);
                CU_FAIL_FATAL("a state of its own making is refused");
            }
        }
        rig_free(&g);
    }
}

const struct cu_test suite_tests[] = {
    {"a repeated call comes out the same", test_replay},
    {"a loaded device goes on the same", test_save_load},
    {"a string equals its elements", test_string_equals_elements},
    {"posted ranges, cells, changed", test_posted_and_cells},
    {"own states are valid", test_own_states_are_valid},
    {NULL, NULL},
};
