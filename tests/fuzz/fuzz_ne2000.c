/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * NE2000 and RTL8029 under any sequence of accesses, strings, frames, resets and loaded states.
 * regs and ram are allocations of their exact size, so AddressSanitizer sees each step outside.
 * Checked beside: a device's own state is always valid and saves and loads again; cells match
 * reads; the interrupt line the runner saw is the one the device has.
 */
#include "../../nicmodels/pci.h"
#include "nm_fuzz.h"

static uint8_t take_region(uint8_t op)
{
    return op & 0x80 ? (op & 0x40 ? NM_REGION_CONFIG : op & 7) : 0;
}

static void do_access(struct rig *g, struct input *in, uint8_t op)
{
    unsigned size = 1u << (op >> 4 & 3);
    struct nm_access a = {.offset = take(in, 1), .size = (uint8_t)size, .count = 1};

    a.region = take_region(op);
    a.write = op & 8;
    if (a.region != NM_REGION_CONFIG)
        a.offset &= 0x3f;
    if (a.write)
        a.data = take(in, size);
    g->d.model->access(&g->d, &a);
}

static void do_string(struct rig *g, struct input *in, uint8_t op)
{
    struct nm_access a = {.region = take_region(op), .offset = take(in, 1) & 0x3f};

    if (fuzz_string(g, in, op, 1024, &a))
        CHECK(fuzz_went_on(g, &a));
}

/* As a driver leaves it, so that frames get somewhere from the first step on. */
static void start(struct rig *g, struct input *in)
{
    static const uint8_t script[][2] = {
        {0x00, 0x21}, {0x0e, 0x49}, {0x04, 0x40}, {0x01, 0x4c}, {0x02, 0x60}, {0x03, 0x5f},
        {0x00, 0x61}, {0x07, 0x4c}, {0x00, 0x22}, {0x07, 0xff}, {0x0f, 0x3f}, {0x0c, 0x1f},
    };

    for (unsigned i = 0; i < sizeof(script) / sizeof(script[0]); i++)
        outb(g, script[i][0], script[i][1]);
    outb(g, 0x0d, take(in, 1)); /* TCR */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    const char *why;
    uint8_t kind;
    struct rig g;

    kind = take(&in, 1);
    CHECK(rig_init(&g, nm_model_at(kind & 1), NULL, &why) == 0);
    if (g.d.model->pci)
        rig_write(&g, NM_REGION_CONFIG, PCI_COMMAND, 2, PCI_COMMAND_IO);
    if (kind & 2)
        start(&g, &in);
    while (in.left) {
        uint8_t op = take(&in, 1);

        switch (op & 7) {
        case 0: do_string(&g, &in, op); break;
        case 1: fuzz_frame(&g, &in, 8); break;
        case 2:
            if (op & 8)
                g.d.model->reset(&g.d);
            else
                fuzz_load(&g, &in);
            break;
        case 3: fuzz_check(&g); break;
        default: do_access(&g, &in, op); break;
        }
    }
    fuzz_check(&g);
    rig_free(&g);
    return 0;
}
