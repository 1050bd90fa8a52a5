/* SPDX-License-Identifier: BSD-3-Clause */
/* What holds for both RTL8139s whatever a guest and the network do: random sequences. */
#include <stdio.h>

#include "cu_main.h"
#include "rtl8139_rig.h"

const char *const suite_name = "rtl8139_props";

static const char *const names[] = {"rtl8139", "rtl8139cp"};

enum kind { STEP_ACCESS, STEP_FRAME, STEP_DESC, STEP_POLL, STEP_RESET };
struct step {
    enum kind kind;
    struct nm_access a;
    uint8_t frame[NM_MAX_FRAME];
    size_t len;
    uint64_t at; /* STEP_DESC: the guest writes a descriptor there */
    struct rtl8139_desc desc;
};

static uint64_t below(uint64_t *s, uint64_t n)
{
    return (rig_random(s) >> 11) % n;
}

/* Values that lead somewhere more often than chance would. */
static void random_write(uint64_t *s, struct nm_access *a, const struct rtl8139_regs *r)
{
    static const uint8_t ports[] = {0x10, 0x14, 0x18, 0x1c, 0x20, 0x24, 0x30, 0x37, 0x37,
                                    0x38, 0x3c, 0x3e, 0x40, 0x44, 0x48, 0x50, 0x50, 0x54,
                                    0x62, 0xd9, 0xd9, 0xd9, 0xe0, 0xe4, 0xe8};

    a->offset = ports[below(s, sizeof(ports))];
    a->size = 4;
    a->data = rig_random(s);
    switch (a->offset) {
    case 0x10 ... 0x1c:
        a->offset = below(s, 4) ? 0x10 + 4u * r->tx_next : a->offset;
        a->data = below(s, 1800) | (below(s, 8) ? 0 : RTL_TSD_OWN);
        break;
    case 0x20: a->data = below(s, 2) ? MEM_TXD : MEM_TXB + below(s, 4096); break;
    case 0x24:
    case 0xe8: a->data = 0; break;
    case 0x30: a->data = MEM_RING; break;
    case 0x37: a->size = 1, a->data = below(s, 20) ? 0x0c : rig_random(s) & 0x1f; break;
    case 0x38: a->size = 2, a->data = (a->data & 0xfffc); break;
    case 0x3c:
    case 0x3e: a->size = 2; break;
    case 0x40: a->data = below(s, 4) ? 0x03000600 : 0x03060600; break;
    case 0x44: a->data = (a->data & 0x1880) | 0x0f; break;
    case 0x50: a->size = 1; break;
    case 0x54: a->data = below(s, 2) ? 0 : below(s, 100000); break;
    case 0x62: a->size = 2; break;
    case 0xd9: a->size = 1, a->data = below(s, 4) ? RTL_TPPOLL_NPQ : rig_random(s); break;
    case 0xe0: a->size = 2, a->data = below(s, 4) ? 0x63 : rig_random(s) & 3; break;
    case 0xe4: a->data = MEM_RXD; break;
    default: break;
    }
}

static void random_access(uint64_t *s, struct step *t, const struct rtl8139_regs *r)
{
    static const uint8_t sizes[] = {1, 2, 4, 8};

    t->a = (struct nm_access){.count = 1, .region = (uint8_t)below(s, 2), .write = true};
    if (below(s, 8)) {
        random_write(s, &t->a, r);
        return;
    }
    t->a.offset = below(s, 256);
    t->a.size = sizes[below(s, 4)];
    t->a.write = below(s, 2);
    t->a.data = rig_random(s);
    if (!below(s, 40)) {
        t->a.region = NM_REGION_CONFIG;
        if (t->a.offset - PCI_COMMAND < 2)
            t->a.data |= 7; /* or the rest would be silence */
        if (t->a.offset <= 0x44 && t->a.offset + t->a.size > 0x44)
            t->a.write = false;
    }
}

static void random_desc(uint64_t *s, struct step *t, const struct rtl8139_regs *r)
{
    bool tx = below(s, 2);
    unsigned i = below(s, 4) ? (tx ? r->tx[0].next : r->rx.next) % 8 : (unsigned)below(s, 8);

    t->at = tx ? txd(i) : rxd(i);
    t->desc.opts1 = (uint32_t)rig_random(s) & (tx ? 0x7fff0fffu : 0x40000fffu);
    t->desc.opts1 |= below(s, 8) ? OWN : 0;
    t->desc.opts1 |= i == 7 ? RTL_DESC_EOR : 0;
    t->desc.opts1 |= tx && below(s, 4) ? RTL_DESC_LS : 0;
    if (tx && below(s, 4))
        t->desc.opts1 &= ~(1u << 27);
    t->desc.opts2 = (uint32_t)rig_random(s) & 0x3ffff;
    t->desc.addr = tx ? MEM_TXB + below(s, 8192) : MEM_RXB + 4096 * i;
    if (!below(s, 50))
        t->desc.addr = rig_random(s);
}

/* `now`: where the device is, so that the guest often does what is next. */
static void random_step(uint64_t *s, struct step *t, const struct rtl8139_regs *now)
{
    uint64_t r = below(s, 400);

    memset(t, 0, sizeof(*t));
    if (r < 100) {
        t->kind = STEP_FRAME;
        t->len = 14 + below(s, NM_MAX_FRAME - 13);
        for (size_t i = 0; i < t->len; i++)
            t->frame[i] = (uint8_t)(i * r);
        memset(t->frame, r & 1 ? 0xff : 0x02, 6);
    } else if (r < 200) {
        t->kind = STEP_DESC;
        random_desc(s, t, now);
    } else if (r < 240) {
        t->kind = STEP_POLL;
        t->len = below(s, 1000000);
    } else if (r < 243) {
        t->kind = STEP_RESET;
    } else {
        t->kind = STEP_ACCESS;
        random_access(s, t, now);
    }
}

/* The call alone, without a commit. */
static void call(struct rig *g, struct step *t)
{
    g->d.changed = false;
    switch (t->kind) {
    case STEP_ACCESS: g->d.model->access(&g->d, &t->a); break;
    case STEP_FRAME:
        if (!g->d.model->can_receive(&g->d, t->len))
            g->d.model->waiting(&g->d);
        g->d.model->receive(&g->d, t->frame, t->len);
        break;
    case STEP_POLL: g->d.model->poll(&g->d); break;
    case STEP_RESET: g->d.model->reset(&g->d); break;
    case STEP_DESC: memcpy(mem_at(g, t->at), &t->desc, sizeof(t->desc)); break;
    }
}

static void driver_start(struct rig *g)
{
    rig_write(g, NM_REGION_CONFIG, PCI_COMMAND, 2, 7);
    if (rtl8139_has_cplus(&g->d))
        start_cp(g, RXCONFIG | RTL_RCR_AAP, 8, 1536);
    else
        start_too(g, RXCONFIG | RTL_RCR_AAP);
}

/* Time passes; a driver starts again what was reset. */
static void around(struct rig *g, const struct step *t)
{
    if (t->kind == STEP_POLL)
        g->ns += t->len;
    if (t->kind == STEP_RESET)
        driver_start(g);
}

static void start(struct rig *g, const char *name)
{
    board_up(g, name);
    driver_start(g);
}

static void do_step(struct rig *g, struct step *t)
{
    call(g, t);
    rig_commit(g);
    around(g, t);
}

static bool same(const struct rig *a, const struct rig *b)
{
    const struct nm_model *m = a->d.model;

    return !memcmp(a->d.regs, b->d.regs, m->regs_size) &&
           !memcmp(a->d.ram, b->d.ram, m->ram_size) && !memcmp(a->mem, b->mem, a->mem_size) &&
           a->level == b->level && a->sent == b->sent &&
           !memcmp(a->frame, b->frame, sizeof(a->frame));
}

/* model.h's recovery rule: regs go back to the last commit, ram and the guest's memory do not; the
 * call is repeated. And killed behind the commit: `committed` comes twice. */
static void replay(const char *name, uint64_t seed, unsigned steps)
{
    uint8_t before[NM_MAX_REGS];
    struct rig g, once;

    start(&g, name);
    start(&once, name);
    for (unsigned i = 0; i < steps; i++) {
        struct step a, b;
        bool level = g.level;
        unsigned sent = g.sent;

        random_step(&seed, &a, regs(&g));
        b = a;
        do_step(&once, &a);
        memcpy(before, g.d.regs, g.d.model->regs_size);
        call(&g, &b); /* killed before the commit */
        memcpy(g.d.regs, before, g.d.model->regs_size);
        g.level = level;
        g.sent = sent;
        b.a = (struct nm_access){0};
        b = a;
        b.a.data = a.a.write ? a.a.data : 0;
        call(&g, &b);
        rig_commit(&g);
        rig_commit(&g);
        around(&g, &b);
        if (!same(&g, &once) || (b.kind == STEP_ACCESS && b.a.data != a.a.data)) {
            fprintf(stderr, "%s: step %u differs when repeated\n", name, i);
            CU_FAIL_FATAL("a repeated call came out differently");
        }
    }
    CU_ASSERT_TRUE(g.sent > 50);
    rig_free(&g);
    rig_free(&once);
}

static void test_replay(void)
{
    for (unsigned m = 0; m < 2; m++)
        for (uint64_t seed = 1; seed <= 6; seed++)
            replay(names[m], seed * 0x9e3779b97f4a7c15ull, 5000);
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

        start(&g, names[m]);
        start(&other, names[m]);
        size = nm_save_size(&g.d);
        image = malloc(size);
        for (unsigned i = 0; i < 2000; i++) {
            struct step a, b;

            if (i % 100 == 50) {
                CU_ASSERT_EQUAL_FATAL(nm_save(&g.d, image, size), (long)size);
                memset(other.d.regs, 0xa5, g.d.model->regs_size);
                CU_ASSERT_EQUAL_FATAL(nm_load(&other.d, image, size, &why), 0);
                CU_ASSERT_EQUAL(g.d.model->lines(&other.d), g.level);
                rig_commit(&other);
                memcpy(other.mem, g.mem, g.mem_size);
                memcpy(other.frame, g.frame, sizeof(g.frame));
                other.level = g.level;
                other.sent = g.sent;
                other.ns = g.ns;
            }
            random_step(&seed, &a, regs(&g));
            b = a;
            do_step(&g, &a);
            do_step(&other, &b);
            if (i >= 50 && !same(&g, &other))
                CU_FAIL_FATAL("a loaded device went another way");
        }
        free(image);
        rig_free(&g);
        rig_free(&other);
    }
}

static bool is_posted(const struct nm_model *m, const struct nm_access *a)
{
    for (unsigned i = 0; i < m->nranges; i++)
        if (a->write && a->region == m->ranges[i].region && a->offset >= m->ranges[i].offset &&
            a->offset + a->size <= m->ranges[i].offset + m->ranges[i].length &&
            (m->ranges[i].flags & NM_REG_POSTED))
            return true;
    return false;
}

/* What rtl8139.c promises of posted writes and cells; nm_dev.changed; frames a call sends. */
static void test_promises(void)
{
    for (unsigned m = 0; m < 2; m++) {
        uint64_t seed = 4321 + m, cell[NM_MAX_CELLS];
        uint8_t before[NM_MAX_REGS];
        unsigned posted = 0, valid_cells = 0;
        const char *why = "";
        struct rig g;

        start(&g, names[m]);
        for (unsigned i = 0; i < 10000; i++) {
            const struct nm_model *mod = g.d.model;
            unsigned falls = g.falls, sent = g.sent;
            struct step t;
            uint32_t valid;

            random_step(&seed, &t, regs(&g));
            memcpy(before, g.d.regs, mod->regs_size);
            call(&g, &t);
            if (!g.d.changed && memcmp(before, g.d.regs, mod->regs_size))
                CU_FAIL_FATAL("regs changed and nobody was told");
            if (g.sent - sent > NM_TX_BURST)
                CU_FAIL_FATAL("one call sent more than a runner keeps");
            if (t.kind == STEP_ACCESS && is_posted(mod, &t.a)) {
                posted++;
                if (g.falls != falls)
                    CU_FAIL_FATAL("a posted write lowered the interrupt line");
            }
            memcpy(before, g.d.regs, mod->regs_size);
            rig_commit(&g);
            valid = mod->publish(&g.d, cell);
            for (unsigned c = 0; c < mod->ncells; c++) {
                const struct nm_reg_cell *k = &mod->cells[c];

                valid_cells += valid >> c & 1;
                if ((valid >> c & 1) && rig_read(&g, k->region, k->offset, k->size) != cell[c])
                    CU_FAIL_FATAL("a cell is not what a read gives");
            }
            if (memcmp(before, g.d.regs, mod->regs_size))
                CU_FAIL_FATAL("reading had a side effect");
            if (mod->validate(&g.d, &why)) {
                fprintf(stderr, "%s: %s\n", names[m], why);
                CU_FAIL_FATAL("a state of its own making is refused");
            }
            CU_ASSERT_EQUAL_FATAL(mod->lines(&g.d) & 1, g.level);
            around(&g, &t);
        }
        CU_ASSERT_TRUE(posted > 500);
        CU_ASSERT_TRUE(valid_cells > 10000);
        rig_free(&g);
    }
}

const struct cu_test suite_tests[] = {
    {"a repeated call comes out the same", test_replay},
    {"a loaded device goes on the same", test_save_load},
    {"posted ranges, cells, changed, own states", test_promises},
    {NULL, NULL},
};
