/* SPDX-License-Identifier: BSD-3-Clause */
/* What holds for NE2000 and RTL8029 whatever a guest and the network do: random sequences. */
#include "cu_main.h"
#include "ne2000_rig.h"
#include "props_rig.h"

const char *const suite_name = "ne2000_props";

#define STRING_SIZE 512 /* bytes, at the most */

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

static void random_access(uint64_t *s, struct props_step *t, bool pci)
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

static void random_step(uint64_t *s, struct props_step *t, struct rig *now)
{
    uint64_t r = rig_random(s);

    for (unsigned i = 0; i < STRING_SIZE; i += 8) {
        uint64_t v = rig_random(s);

        memcpy(t->bytes + i, &v, 8);
    }
    if (r % 16 == 0) {
        t->kind = PROPS_FRAME;
        t->len = 14 + (r >> 8) % (STRING_SIZE - 14);
        memset(t->bytes, r >> 32 & 1 ? 0xff : 0x02, 6);
    } else if (r % 499 == 1) {
        t->kind = PROPS_RESET;
    } else {
        t->kind = r % 16 < 3 ? PROPS_STRING : PROPS_ACCESS;
        random_access(s, t, now->d.model->pci);
        if (t->kind == PROPS_STRING)
            t->a.count = (uint32_t)(1 + (r >> 8) % (STRING_SIZE / t->a.size));
        t->a.down = r >> 40 & 1;
    }
}

static void start(struct rig *g, const char *name)
{
    board_up(g, name);
    driver_start(g);
}

static void start_isa(struct rig *g)
{
    start(g, "ne2000");
}

static void start_pci(struct rig *g)
{
    start(g, "rtl8029");
}

static void beside(struct rig *g, const struct props_step *t)
{
    if (t->kind == PROPS_RESET)
        enable_ports(g);
}

static const struct props boards[] = {
    {"ne2000", start_isa, random_step, beside, 1},
    {"rtl8029", start_pci, random_step, beside, 1},
};

static void test_replay(void)
{
    for (unsigned m = 0; m < 2; m++)
        for (uint64_t seed = 1; seed <= 20; seed++)
            props_replay(&boards[m], seed * 0x9e3779b97f4a7c15ull, 3000);
}

static void test_save_load(void)
{
    for (unsigned m = 0; m < 2; m++)
        props_save_load(&boards[m], 77 + m, 4000);
}

/* A string's first n elements, one access each. */
static void do_elements(struct rig *g, struct props_step *t, uint32_t n)
{
    for (uint32_t k = 0; k < n; k++) {
        uint32_t at = (t->a.down ? t->a.count - 1 - k : k) * t->a.size;
        struct nm_access e = t->a;

        e.mem = NULL;
        e.data = 0;
        memcpy(&e.data, t->bytes + at, e.size);
        g->d.model->access(&g->d, &e);
        if (!e.write)
            memcpy(t->bytes + at, &e.data, e.size);
    }
}

/* All, but of what may send frames no more than a runner has room for. */
static uint32_t expected_count(const struct nm_access *a)
{
    bool may_send = a->write && a->offset == DP8390_CR && a->region == 0;

    return may_send && a->count > NM_TX_BURST ? NM_TX_BURST : a->count;
}

/* One string request is what its elements would be one by one. */
static void test_string_equals_elements(void)
{
    for (unsigned m = 0; m < 2; m++) {
        uint64_t seed = 1234 + m;
        struct rig g, one;

        boards[m].start(&g);
        boards[m].start(&one);
        for (unsigned i = 0; i < 20000; i++) {
            struct props_step a = {0}, b;

            random_step(&seed, &a, &g);
            b = a;
            props_do(&boards[m], &g, &a);
            if (b.kind == PROPS_STRING) {
                do_elements(&one, &b, a.a.done_count);
                CU_ASSERT_EQUAL(a.a.done_count, expected_count(&b.a));
            } else {
                props_do(&boards[m], &one, &b);
            }
            if (!props_same(&g, &one, true) || memcmp(a.bytes, b.bytes, sizeof(a.bytes)))
                CU_FAIL_FATAL("a string differs from its elements");
        }
        rig_free(&g);
        rig_free(&one);
    }
}

/* What ne2000.h promises of posted writes and shadow cells, and what every model does. */
static void test_posted_and_cells(void)
{
    for (unsigned m = 0; m < 2; m++)
        CU_ASSERT_TRUE(props_promises(&boards[m], 4321 + m, 20000).posted > 1000);
}

static void no_driver_isa(struct rig *g)
{
    board_up(g, "ne2000");
}

static void no_driver_pci(struct rig *g)
{
    board_up(g, "rtl8029");
}

/* What no driver has set up keeps the promises, too. */
static void test_own_states_are_valid(void)
{
    static const struct props bare[] = {
        {"ne2000", no_driver_isa, random_step, beside, 1},
        {"rtl8029", no_driver_pci, random_step, beside, 1},
    };

    for (unsigned m = 0; m < 2; m++)
        props_promises(&bare[m], 99 + m, 20000);
}

const struct cu_test suite_tests[] = {
    {"a repeated call comes out the same", test_replay},
    {"a loaded device goes on the same", test_save_load},
    {"a string equals its elements", test_string_equals_elements},
    {"posted ranges, cells, changed", test_posted_and_cells},
    {"own states are valid", test_own_states_are_valid},
    {NULL, NULL},
};
