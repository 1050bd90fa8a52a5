/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The e1000 under any sequence of accesses, frames, polls, resets and loaded states, with rings
 * anywhere and any descriptors. regs, ram and guest memory are allocations of their exact size, so
 * AddressSanitizer sees each step outside. Checked beside: a device's own state is always valid,
 * cells match reads, the line the runner saw is the one the device has, nothing goes on for ever.
 */
#include "../../nicmodels/e1000.h"
#include "nm_fuzz.h"

#define MEM_SIZE 0x8000

static const uint32_t offsets[] = {
    E1000_CTRL,   E1000_EECD,   E1000_EERD,  E1000_CTRL_EXT, E1000_MDIC,   E1000_VET,  E1000_ICR,
    E1000_ITR,    E1000_ICS,    E1000_IMS,   E1000_IMC,      E1000_RCTL,   E1000_TCTL, E1000_RDBAL,
    E1000_RDBAH,  E1000_RDLEN,  E1000_RDH,   E1000_RDT,      E1000_RDTR,   E1000_RADV, E1000_RSRPD,
    E1000_TDBAL,  E1000_TDBAH,  E1000_TDLEN, E1000_TDH,      E1000_TDT,    E1000_TIDV, E1000_TADV,
    E1000_TXDCTL, E1000_RXCSUM, E1000_MTA,   E1000_RA,       E1000_RA + 4, E1000_VFTA, E1000_STATS,
};

static void do_access(struct rig *g, struct input *in, uint8_t op)
{
    struct nm_access a = {.size = 4, .count = 1, .write = op & 8};
    uint8_t which = take(in, 1);

    if (which < 0xf0) {
        a.offset = offsets[which % (sizeof(offsets) / sizeof(*offsets))];
    } else {
        a.region = (uint8_t[]){0, 0, 1, NM_REGION_CONFIG}[which & 3];
        a.offset = take(in, a.region ? 1 : 3);
        a.size = (uint8_t)(1u << (op >> 4 & 3));
    }
    if (a.write)
        a.data = op & 0x80 ? take(in, 1) : take(in, a.size);
    if (a.write && (a.offset == E1000_TDBAL || a.offset == E1000_RDBAL) && op & 0x40)
        a.data = RIG_MEM + a.data % MEM_SIZE;
    g->d.model->access(&g->d, &a);
    rig_commit(g);
}

static void do_string(struct rig *g, struct input *in)
{
    uint32_t words[16];
    struct nm_access a = {.size = 4, .count = 1 + take(in, 1) % 16, .write = true};

    for (unsigned i = 0; i < a.count; i++)
        words[i] = (uint32_t)take(in, 2);
    a.offset = offsets[take(in, 1) % (sizeof(offsets) / sizeof(*offsets))];
    a.mem = (uint8_t *)words;
    CHECK(g->d.model->access(&g->d, &a) != NM_DONE || fuzz_went_on(g, &a));
    rig_commit(g);
}

static void do_memory(struct rig *g, struct input *in)
{
    uint64_t at = take(in, 2) % MEM_SIZE;

    for (unsigned n = take(in, 1) % 64; n && at < MEM_SIZE; n--, at++)
        g->mem[at] = take(in, 1);
}

/* Left alone, it comes to rest: a ring has at most 64 K descriptors, a packet 16 MB. */
static void come_to_rest(struct rig *g)
{
    g->ns += 1ull << 40;
    for (unsigned i = 0; i < 2000000 && g->d.model->pending(&g->d); i++) {
        g->d.model->poll(&g->d);
        rig_commit(g);
    }
    CHECK(!g->d.model->pending(&g->d));
    CHECK(!g->d.model->poll(&g->d));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint64_t pieces[] = {4096, 100, 16, 1};
    struct input in = {data, size};
    const char *why;
    struct rig g;

    CHECK(rig_init(&g, nm_model_find("e1000"), NULL, &why) == 0);
    rig_memory(&g, MEM_SIZE, pieces[take(&in, 1) & 3]);
    rig_write(&g, NM_REGION_CONFIG, PCI_COMMAND, 2,
              PCI_COMMAND_IO | PCI_COMMAND_MEM | PCI_COMMAND_MASTER);
    rig_write(&g, 0, E1000_RDBAL, 4, RIG_MEM);
    rig_write(&g, 0, E1000_RDLEN, 4, 256);
    rig_write(&g, 0, E1000_TDBAL, 4, RIG_MEM + 256);
    rig_write(&g, 0, E1000_TDLEN, 4, 256);
    rig_write(&g, 0, E1000_RCTL, 4, RCTL_EN | RCTL_UPE);
    rig_write(&g, 0, E1000_TCTL, 4, TCTL_EN | TCTL_PSP);
    while (in.left) {
        uint8_t op = take(&in, 1);

        switch (op & 7) {
        case 0:
            fuzz_frame(&g, &in, 60);
            rig_commit(&g);
            break;
        case 1: do_memory(&g, &in); break;
        case 2:
            if (op & 8) {
                fuzz_load(&g, &in);
                rig_commit(&g);
            } else if (op & 16) {
                g.d.model->reset(&g.d);
            } else {
                do_string(&g, &in);
            }
            break;
        case 3:
            g.ns += take(&in, 2);
            g.d.model->poll(&g.d);
            rig_commit(&g);
            fuzz_check(&g);
            break;
        default: do_access(&g, &in, op); break;
        }
    }
    fuzz_check(&g);
    come_to_rest(&g);
    rig_free(&g);
    return 0;
}
