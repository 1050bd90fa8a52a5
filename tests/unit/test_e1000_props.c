/* SPDX-License-Identifier: BSD-3-Clause */
/* What holds for the e1000 whatever a guest and the network do: random sequences. */
#include <stdio.h>

#include "cu_main.h"
#include "e1000_rig.h"

const char *const suite_name = "e1000_props";

struct step {
    enum { STEP_ACCESS, STEP_FRAME, STEP_POLL, STEP_RESET, STEP_DESCRIPTORS } kind;
    struct nm_access a;
    uint64_t seed; /* of what the step makes up */
    uint8_t frame[NM_MAX_FRAME];
    size_t len;
};

static const uint32_t offsets[] = {
    E1000_TDT,  E1000_TDT,  E1000_TDT,   E1000_RDT,        E1000_RDT,  E1000_RDT,    E1000_ICR,
    E1000_IMS,  E1000_IMC,  E1000_ICS,   E1000_ITR,        E1000_TDH,  E1000_RDH,    E1000_RDLEN,
    E1000_RCTL, E1000_RCTL, E1000_TCTL,  E1000_CTRL,       E1000_RDTR, E1000_RADV,   E1000_TIDV,
    E1000_TADV, E1000_EECD, E1000_EECD,  E1000_EERD,       E1000_MDIC, E1000_RXCSUM, E1000_MTA,
    E1000_VFTA, E1000_RA,   E1000_STATS, E1000_STATS + 16, E1000_VET,  E1000_RSRPD,  E1000_TXDCTL,
};

/* Values that lead somewhere more often than chance would. Rings stay apart from buffers, and
 * buffers to send from those to receive into: what overlaps is the guest's own fault. */
static uint32_t random_value(uint64_t *s, uint32_t offset)
{
    uint64_t r = rig_random(s);
    uint32_t v = (uint32_t)(r >> 16);

    switch (offset) {
    case E1000_TDT:
    case E1000_RDT:
    case E1000_TDH:
    case E1000_RDH: return r % 8 ? v % E_RING : v % 300;
    case E1000_RDLEN: return r % 4 ? E_RING * 16 : v & 0xf80;
    case E1000_RCTL: return r % 4 ? (v & ~(uint32_t)RCTL_LBM) | RCTL_EN | RCTL_UPE : v;
    case E1000_TCTL: return r % 4 ? v | TCTL_EN | TCTL_PSP : v;
    case E1000_CTRL: return r % 16 ? v & ~(uint32_t)(CTRL_RST | CTRL_PHY_RST) : v;
    case E1000_EECD: return (v & 0xf) | EECD_REQ;
    case E1000_MDIC: return (v & 0x0c1fffff & ~(r % 16 ? 0x4c00u : 0)) | 1u << 21;
    case E1000_ITR:
    case E1000_RDTR:
    case E1000_RADV:
    case E1000_TIDV:
    case E1000_TADV: return r % 2 ? 0 : v % 64;
    default: return v;
    }
}

static void random_step(uint64_t *s, struct step *t)
{
    uint64_t r = rig_random(s);

    memset(t, 0, sizeof(*t));
    t->seed = rig_random(s) | 1;
    if (r % 8 == 0) {
        t->kind = STEP_FRAME;
        t->len = 14 + (r >> 8) % (NM_MAX_FRAME - 13);
        for (unsigned i = 0; i < t->len; i++)
            t->frame[i] = (uint8_t)rig_random(s);
        memcpy(t->frame, rig_mac, 6);
        return;
    }
    t->kind = r % 8 == 1 ? STEP_POLL : r % 8 == 2 ? STEP_DESCRIPTORS : STEP_ACCESS;
    if (r % 997 == 3)
        t->kind = STEP_RESET;
    t->a = (struct nm_access){.offset = offsets[(r >> 16) % (sizeof(offsets) / sizeof(*offsets))],
                              .count = 1,
                              .size = r % 61 == 3 ? 8 : 4,
                              .write = r >> 40 & 1};
    t->a.data = random_value(s, (uint32_t)t->a.offset);
}

/* The driver's part: rings full of descriptors of all kinds. Not part of a call. */
static void make_descriptors(struct rig *g, uint64_t seed)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint64_t r = rig_random(&seed), addr = E_RX_BUF + r % 0x80000;
        uint64_t cmd = (r >> 8) % 3 ? TXD_EOP | TXD_IFCS | TXD_RS : (r >> 12 & 0xff);
        uint64_t tx[2] = {E_TX_BUF + r % 0x8000, rig_random(&seed)};

        memcpy(guest(g, E_RX_RING + 16 * i), &addr, 8);
        tx[1] = (tx[1] & 0xffff0f0000ff0fffull) | cmd << 24;
        if (r >> 20 & 1)
            tx[1] |= (uint64_t)TXD_DEXT << 24 | (r >> 21 & 1) << 20;
        if (tx[1] >> 29 & 1 && !(tx[1] >> 20 & 1)) { /* a context that makes sense */
            tx[0] = 14 | 24ull << 8 | 33ull << 16 | 34ull << 32 | 50ull << 40;
            tx[1] |= (uint64_t)(TUCMD_TCP | TUCMD_IP) << 24;
            tx[1] = (tx[1] & 0x000000ffffffffffull) | 54ull << 40 | (r >> 24 & 0x3ff) << 48;
        }
        memcpy(guest(g, E_TX_RING + 16 * i), tx, 16);
    }
}

static void do_step(struct rig *g, struct step *t)
{
    switch (t->kind) {
    case STEP_FRAME: g->d.model->receive(&g->d, t->frame, t->len); break;
    case STEP_POLL: g->d.model->poll(&g->d); break;
    case STEP_RESET: g->d.model->reset(&g->d); break;
    case STEP_ACCESS: g->d.model->access(&g->d, &t->a); break;
    case STEP_DESCRIPTORS: break;
    }
    rig_commit(g);
}

/* What happens beside calls: time, the driver's writes to memory, a bus that is set up again. */
static void between(struct rig *g, const struct step *t)
{
    g->ns += t->seed % 20000;
    if (t->kind == STEP_DESCRIPTORS)
        make_descriptors(g, t->seed);
    if (t->kind == STEP_RESET) {
        rig_write(g, NM_REGION_CONFIG, PCI_COMMAND, 2, PCI_COMMAND_MEM | PCI_COMMAND_MASTER);
        set_rings(g);
    }
}

static void start(struct rig *g)
{
    bring_up(g, 4096);
    make_descriptors(g, 99);
}

static bool same_outcome(const struct rig *a, const struct rig *b)
{
    const struct nm_model *m = a->d.model;

    return !memcmp(a->d.regs, b->d.regs, m->regs_size) &&
           !memcmp(a->d.ram, b->d.ram, m->ram_size) && !memcmp(a->mem, b->mem, E_MEM_SIZE) &&
           a->level == b->level && a->sent == b->sent && !memcmp(a->len, b->len, sizeof(a->len)) &&
           !memcmp(a->frame, b->frame, sizeof(a->frame));
}

/* model.h's recovery rule: regs go back to the last commit, memory does not; the call is repeated.
 * @return frames sent */
static unsigned replay(uint64_t seed, unsigned steps)
{
    uint8_t before[NM_MAX_REGS];
    struct rig g, once;
    unsigned sent = 0;

    start(&g);
    start(&once);
    for (unsigned i = 0; i < steps; i++) {
        struct step a, b, c;
        bool level = g.level;

        random_step(&seed, &a);
        b = c = a;
        do_step(&once, &a);
        memcpy(before, g.d.regs, g.d.model->regs_size);
        sent = g.sent;
        g.killed = true;
        do_step(&g, &b);
        g.killed = false;
        memcpy(g.d.regs, before, g.d.model->regs_size);
        g.level = level;
        g.sent = sent;
        do_step(&g, &c);
        if ((i % 16 == 0 || i + 1 == steps) && !same_outcome(&g, &once))
            CU_FAIL_FATAL("a repeated call came out differently");
        if (a.a.data != c.a.data || g.level != once.level || g.sent != once.sent)
            CU_FAIL_FATAL("a repeated call gave another answer");
        between(&g, &a);
        between(&once, &a);
    }
    sent = g.sent;
    rig_free(&g);
    rig_free(&once);
    return sent;
}

static void test_replay(void)
{
    unsigned sent = 0;

    for (uint64_t seed = 1; seed <= 10; seed++)
        sent += replay(seed * 0x9e3779b97f4a7c15ull, 3000);
    CU_ASSERT_TRUE(sent > 1000);
}

/* Saved at any moment, loaded into another device: both go on alike. */
static void test_save_load(void)
{
    uint64_t seed = 77;
    struct rig g, other;
    const char *why = "";
    size_t size;
    void *image;

    start(&g);
    start(&other);
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
            memcpy(other.mem, g.mem, E_MEM_SIZE); /* the rest is the runner's part */
            memcpy(other.frame, g.frame, sizeof(g.frame));
            memcpy(other.len, g.len, sizeof(g.len));
            other.level = g.level;
            other.sent = g.sent;
        }
        random_step(&seed, &a);
        b = a;
        do_step(&g, &a);
        do_step(&other, &b);
        between(&g, &a);
        between(&other, &a);
        if (i >= 50 && i % 10 == 0 && !same_outcome(&g, &other))
            CU_FAIL_FATAL("a loaded device went another way");
    }
    free(image);
    rig_free(&g);
    rig_free(&other);
}

static bool is_posted(const struct nm_model *m, const struct nm_access *a)
{
    for (unsigned i = 0; i < m->nranges; i++)
        if (a->region == m->ranges[i].region && a->offset >= m->ranges[i].offset &&
            a->offset + a->size <= m->ranges[i].offset + m->ranges[i].length)
            return true;
    return false;
}

/* Cells are what reads give, and reading them has no effect. */
static void check_cells(struct rig *g)
{
    const struct nm_model *m = g->d.model;
    uint64_t cell[NM_MAX_CELLS];
    uint8_t before[NM_MAX_REGS];
    uint32_t valid = m->publish(&g->d, cell);

    memcpy(before, g->d.regs, m->regs_size);
    for (unsigned c = 0; c < m->ncells; c++) {
        uint64_t v = rig_read(g, m->cells[c].region, m->cells[c].offset, m->cells[c].size);

        if ((valid >> c & 1) && v != cell[c])
            CU_FAIL_FATAL("a cell is not what a read gives");
    }
    if (memcmp(before, g->d.regs, m->regs_size))
        CU_FAIL_FATAL("reading a cell's register had a side effect");
}

/* Without pending work poll has nothing to do, however late it is. */
static void check_idle(struct rig *g)
{
    const struct nm_model *m = g->d.model;
    uint8_t before[NM_MAX_REGS];
    uint64_t ns = g->ns;

    if (m->pending(&g->d))
        return;
    memcpy(before, g->d.regs, m->regs_size);
    g->ns += 1ull << 40;
    if (m->poll(&g->d) || memcmp(before, g->d.regs, m->regs_size))
        CU_FAIL_FATAL("there was work that nobody was told of");
    g->ns = ns;
}

static void test_promises(void)
{
    uint8_t before[NM_MAX_REGS];
    uint64_t seed = 4321;
    unsigned posted = 0, idle = 0;
    const char *why = "";
    struct rig g;

    start(&g);
    for (unsigned i = 0; i < 30000; i++) {
        const struct nm_model *m = g.d.model;
        unsigned falls = g.falls, sent = g.sent;
        struct step t;

        random_step(&seed, &t);
        memcpy(before, g.d.regs, m->regs_size);
        g.d.changed = false;
        do_step(&g, &t);
        if (!g.d.changed && memcmp(before, g.d.regs, m->regs_size))
            CU_FAIL_FATAL("regs changed and nobody was told");
        if (g.sent - sent > NM_TX_BURST)
            CU_FAIL_FATAL("more frames than a runner takes");
        if (t.kind == STEP_ACCESS && t.a.write && is_posted(m, &t.a)) {
            posted++;
            if (g.falls != falls)
                CU_FAIL_FATAL("a posted write lowered the interrupt line");
        }
        if (m->validate(&g.d, &why)) {
            fprintf(stderr, "%s\n", why);
            CU_FAIL_FATAL("a state of its own making is refused");
        }
        if (((m->lines(&g.d) & 1) != 0) != g.level)
            CU_FAIL_FATAL("the line is not what the device says");
        idle += !m->pending(&g.d);
        check_cells(&g);
        check_idle(&g);
        between(&g, &t);
    }
    CU_ASSERT_TRUE(posted > 1000);
    CU_ASSERT_TRUE(idle > 1000);
    CU_ASSERT_TRUE(g.sent > 100);
    rig_free(&g);
}

const struct cu_test suite_tests[] = {
    {"a repeated call comes out the same", test_replay},
    {"save and load", test_save_load},
    {"what the interface promises", test_promises},
    {NULL, NULL},
};
