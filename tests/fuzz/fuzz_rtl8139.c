/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RTL8139 and RTL8139C+ under any sequence of accesses, strings, guest memory, frames, polls,
 * resets and loaded states. regs, ram and guest memory are allocations of their exact size, so
 * AddressSanitizer sees each step outside. Checked beside: a device's own state is always valid and
 * saves and loads again; cells match reads; the interrupt line the runner saw is the one the device
 * has; no call sends more than a runner keeps; polling comes to an end.
 */
#include "../../nicmodels/rtl8139.h"
#include "nm_fuzz.h"

#define MEM_SIZE  0x12000u
#define MEM_PIECE 3000 /* contiguous bytes */

static uint8_t take_region(uint8_t op)
{
    return op & 0x80 ? (op & 0x40 ? NM_REGION_CONFIG : op & 7) : RTL8139_BAR_MEM;
}

static void do_access(struct rig *g, struct input *in, uint8_t op)
{
    unsigned size = 1u << (op >> 4 & 3);
    struct nm_access a = {.offset = take(in, 1), .size = (uint8_t)size, .count = 1};

    a.region = take_region(op);
    a.write = op & 8;
    if (a.write)
        a.data = take(in, size);
    g->d.model->access(&g->d, &a);
}

static void do_string(struct rig *g, struct input *in, uint8_t op)
{
    struct nm_access a = {.region = take_region(op), .offset = take(in, 1)};

    if (fuzz_string(g, in, op, 256, &a))
        CHECK(fuzz_went_on(g, &a));
}

static void do_frame(struct rig *g, struct input *in)
{
    size_t len = take(in, 2) % (NM_MAX_FRAME + 3);
    uint8_t *frame = calloc(1, len ? len : 1);
    unsigned head = take(in, 1) % 64;

    CHECK(frame);
    memset(frame, head & 1 ? 0xff : 0x52, len < 6 ? len : 6);
    for (size_t i = 0; i < head && 6 + i < len; i++)
        frame[6 + i] = take(in, 1);
    fuzz_receive(g, frame, len);
    free(frame);
}

/* The guest writes some bytes of its memory, or a descriptor. */
static void do_memory(struct rig *g, struct input *in, uint8_t op)
{
    struct rtl8139_desc desc;
    uint64_t at = take(in, 2) % (MEM_SIZE - sizeof(desc));

    if (op & 8) {
        for (unsigned n = op >> 4; n--;)
            g->mem[at + n] = take(in, 1);
        return;
    }
    /* the rings that start() sets up */
    at = (op & 0x10 ? 0x400 : 0) + at % 64 * sizeof(desc);
    desc.opts1 = (uint32_t)take(in, 4);
    desc.opts2 = (uint32_t)take(in, 3);
    desc.addr = op & 0x20 ? take(in, 5) : RIG_MEM + take(in, 2);
    memcpy(g->mem + at, &desc, sizeof(desc));
}

/* A packet where the chip looks next, of TCP over IPv4 in the beginning, or nearly so; and TPPoll.
 */
static void do_send(struct rig *g, struct input *in, uint8_t op)
{
    static const uint8_t head[54] = {0xff, 0xff,        0xff,        0xff,     0xff,
                                     0xff, [12] = 0x08, [14] = 0x45, [23] = 6, [46] = 0x50};
    const struct rtl8139_regs *r = g->d.regs;
    unsigned q = op >> 3 & 1, n = op >> 4 & 3;
    uint8_t *data = g->mem + 0x3000 + take(in, 1);

    memcpy(data, head, sizeof(head));
    data[take(in, 1) % sizeof(head)] = take(in, 1);
    for (unsigned i = 0; i <= n; i++) {
        struct rtl8139_desc desc = {.opts1 = (uint32_t)take(in, 4) | RTL_DESC_OWN,
                                    .opts2 = (uint32_t)take(in, 3)};
        uint64_t at = 0x400 + ((r->tx[q].next + i) % RTL8139_RING) * sizeof(desc);

        desc.opts1 |= i == n ? RTL_DESC_LS : 0;
        desc.addr = RIG_MEM + (uint64_t)(data - g->mem) + (i ? take(in, 1) : 0);
        memcpy(g->mem + at, &desc, sizeof(desc));
    }
    rig_write(g, RTL8139_BAR_MEM, 0xd9, 1, q ? RTL_TPPOLL_HPQ : RTL_TPPOLL_NPQ);
}

static void do_poll(struct rig *g, struct input *in)
{
    g->ns += take(in, 4) << (take(in, 1) & 31);
    g->d.model->poll(&g->d);
}

static void set(struct rig *g, unsigned offset, unsigned size, uint64_t v)
{
    rig_write(g, RTL8139_BAR_MEM, offset, size, v);
}

/* As a driver leaves it, so that frames get somewhere from the first step on. */
static void start(struct rig *g, struct input *in)
{
    set(g, 0xe0, 2, 0x63);
    set(g, 0x20, 8, RIG_MEM + 0x400);
    set(g, 0x28, 8, RIG_MEM + 0x400);
    set(g, 0xe4, 8, RIG_MEM);
    set(g, 0x30, 4, RIG_MEM + 0x800);
    set(g, 0x37, 1, 0x0c);
    set(g, 0x44, 4, 0x0f | (uint32_t)(take(in, 1) & 0x18) << 8 | (take(in, 1) & 0x80));
    set(g, 0x3c, 2, 0xffff);
}

static void step(struct rig *g, struct input *in)
{
    uint8_t op = take(in, 1);

    switch (op & 7) {
    case 0: do_string(g, in, op); break;
    case 1: do_frame(g, in); break;
    case 2:
        if (op & 8)
            g->d.model->reset(&g->d);
        else
            fuzz_load(g, in);
        break;
    case 3: do_poll(g, in); break;
    case 4: do_memory(g, in, op); break;
    case 5: do_send(g, in, op); break;
    default: do_access(g, in, op); break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    const char *why;
    uint8_t kind;
    struct rig g;

    kind = take(&in, 1);
    CHECK(rig_init(&g, nm_model_find(kind & 1 ? "rtl8139" : "rtl8139cp"), NULL, &why) == 0);
    rig_memory(&g, MEM_SIZE, MEM_PIECE);
    rig_write(&g, NM_REGION_CONFIG, PCI_COMMAND, 2, 7);
    if (!(kind & 2))
        start(&g, &in);
    while (in.left) {
        unsigned sent = g.sent;

        g.d.changed = false;
        step(&g, &in);
        CHECK(g.sent - sent <= NM_TX_BURST);
        rig_commit(&g);
        if (kind & 4)
            fuzz_check(&g);
    }
    fuzz_check(&g);
    /* 64 packets of 64 KB in segments of a byte: long, but not for ever */
    for (unsigned n = 0; n < 1000 && g.d.model->poll(&g.d); n++)
        rig_commit(&g);
    fuzz_check(&g);
    rig_free(&g);
    return 0;
}
