/* SPDX-License-Identifier: BSD-3-Clause */
/* What holds for both RTL8139s whatever a guest and the network do: random sequences. */
#include "cu_main.h"
#include "props_rig.h"
#include "rtl8139_rig.h"

const char *const suite_name = "rtl8139_props";

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

static void random_access(uint64_t *s, struct props_step *t, const struct rtl8139_regs *r)
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

/* The guest writes a descriptor: t->bytes, to t->arg. */
static void random_desc(uint64_t *s, struct props_step *t, const struct rtl8139_regs *r)
{
    bool tx = below(s, 2);
    unsigned i = below(s, 4) ? (tx ? r->tx[0].next : r->rx.next) % 8 : (unsigned)below(s, 8);
    struct rtl8139_desc desc;

    desc.opts1 = (uint32_t)rig_random(s) & (tx ? 0x7fff0fffu : 0x40000fffu);
    desc.opts1 |= below(s, 8) ? OWN : 0;
    desc.opts1 |= i == 7 ? RTL_DESC_EOR : 0;
    desc.opts1 |= tx && below(s, 4) ? RTL_DESC_LS : 0;
    if (tx && below(s, 4))
        desc.opts1 &= ~(1u << 27);
    desc.opts2 = (uint32_t)rig_random(s) & 0x3ffff;
    desc.addr = tx ? MEM_TXB + below(s, 8192) : MEM_RXB + 4096 * i;
    if (!below(s, 50))
        desc.addr = rig_random(s);
    t->arg = tx ? txd(i) : rxd(i);
    memcpy(t->bytes, &desc, sizeof(desc));
}

/* `now`: where the device is, so that the guest often does what is next. */
static void random_step(uint64_t *s, struct props_step *t, struct rig *now)
{
    uint64_t r = below(s, 400);

    if (r < 100) {
        t->kind = PROPS_FRAME;
        t->len = 14 + below(s, NM_MAX_FRAME - 13);
        for (size_t i = 0; i < t->len; i++)
            t->bytes[i] = (uint8_t)(i * r);
        memset(t->bytes, r & 1 ? 0xff : 0x02, 6);
    } else if (r < 200) {
        t->kind = PROPS_GUEST;
        random_desc(s, t, regs(now));
    } else if (r < 240) {
        t->kind = PROPS_POLL;
        t->ns = below(s, 1000000);
    } else if (r < 243) {
        t->kind = PROPS_RESET;
    } else {
        t->kind = PROPS_ACCESS;
        random_access(s, t, regs(now));
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

static void start_rtl8139(struct rig *g)
{
    board_up(g, "rtl8139");
    driver_start(g);
}

static void start_rtl8139cp(struct rig *g)
{
    board_up(g, "rtl8139cp");
    driver_start(g);
}

/* A driver starts again what was reset. */
static void beside(struct rig *g, const struct props_step *t)
{
    if (t->kind == PROPS_GUEST)
        memcpy(mem_at(g, t->arg), t->bytes, sizeof(struct rtl8139_desc));
    if (t->kind == PROPS_RESET)
        driver_start(g);
}

static const struct props chips[] = {
    {"rtl8139", start_rtl8139, random_step, beside, 1},
    {"rtl8139cp", start_rtl8139cp, random_step, beside, 1},
};

static void test_replay(void)
{
    for (unsigned m = 0; m < 2; m++)
        for (uint64_t seed = 1; seed <= 6; seed++)
            CU_ASSERT_TRUE(props_replay(&chips[m], seed * 0x9e3779b97f4a7c15ull, 5000) > 50);
}

static void test_save_load(void)
{
    for (unsigned m = 0; m < 2; m++)
        props_save_load(&chips[m], 77 + m, 2000);
}

/* What rtl8139.c promises of posted writes and cells, and what every model does. */
static void test_promises(void)
{
    for (unsigned m = 0; m < 2; m++) {
        struct props_seen seen = props_promises(&chips[m], 4321 + m, 10000);

        CU_ASSERT_TRUE(seen.posted > 500);
        CU_ASSERT_TRUE(seen.cells > 10000);
    }
}

const struct cu_test suite_tests[] = {
    {"a repeated call comes out the same", test_replay},
    {"a loaded device goes on the same", test_save_load},
    {"posted ranges, cells, changed, own states", test_promises},
    {NULL, NULL},
};
