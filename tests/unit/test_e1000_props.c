/* SPDX-License-Identifier: BSD-3-Clause */
/* What holds for the e1000 whatever a guest and the network do: random sequences. */
#include "cu_main.h"
#include "e1000_rig.h"
#include "props_rig.h"

const char *const suite_name = "e1000_props";

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

static void random_step(uint64_t *s, struct props_step *t, struct rig *now)
{
    uint64_t r = rig_random(s);

    (void)now;
    t->arg = rig_random(s) | 1;
    t->ns = t->arg % 20000;
    if (r % 8 == 0) {
        t->kind = PROPS_FRAME;
        t->len = 14 + (r >> 8) % (NM_MAX_FRAME - 13);
        for (unsigned i = 0; i < t->len; i++)
            t->bytes[i] = (uint8_t)rig_random(s);
        memcpy(t->bytes, rig_mac, 6);
        return;
    }
    t->kind = r % 8 == 1 ? PROPS_POLL : r % 8 == 2 ? PROPS_GUEST : PROPS_ACCESS;
    if (r % 997 == 3)
        t->kind = PROPS_RESET;
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

/* The driver writes to memory, and sets a bus up again that was reset. */
static void beside(struct rig *g, const struct props_step *t)
{
    if (t->kind == PROPS_GUEST)
        make_descriptors(g, t->arg);
    if (t->kind == PROPS_RESET) {
        rig_write(g, NM_REGION_CONFIG, PCI_COMMAND, 2, PCI_COMMAND_MEM | PCI_COMMAND_MASTER);
        set_rings(g);
    }
}

static void start(struct rig *g)
{
    bring_up(g, 4096);
    make_descriptors(g, 99);
}

static const struct props e1000 = {"e1000", start, random_step, beside, 10};

static void test_replay(void)
{
    unsigned sent = 0;

    for (uint64_t seed = 1; seed <= 10; seed++)
        sent += props_replay(&e1000, seed * 0x9e3779b97f4a7c15ull, 3000);
    CU_ASSERT_TRUE(sent > 1000);
}

static void test_save_load(void)
{
    props_save_load(&e1000, 77, 4000);
}

static void test_promises(void)
{
    struct props_seen seen = props_promises(&e1000, 4321, 30000);

    CU_ASSERT_TRUE(seen.posted > 1000);
    CU_ASSERT_TRUE(seen.idle > 1000);
    CU_ASSERT_TRUE(seen.sent > 100);
}

const struct cu_test suite_tests[] = {
    {"a repeated call comes out the same", test_replay},
    {"save and load", test_save_load},
    {"what the interface promises", test_promises},
    {NULL, NULL},
};
