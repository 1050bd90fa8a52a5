/* SPDX-License-Identifier: BSD-3-Clause */
/* Repeated port instructions: sizes, directions, places relative to pages, counts. */
#include "access.h"

#define GUARD 0xa5 /* what memory holds where nothing may be written */

#define REG_CRDA0 0x08
#define REG_CRDA1 0x09

/* DF is set for the instruction alone: compilers rely on it being clear. */
#define REP(insn, p, in)                                                                           \
    do {                                                                                           \
        if ((p)->down)                                                                             \
            __asm__ volatile("std; rep " insn "; cld"                                              \
                             : "+c"((p)->count), "+S"((p)->src), "+D"((p)->dst)                    \
                             : in                                                                  \
                             : "memory", "cc");                                                    \
        else                                                                                       \
            __asm__ volatile("rep " insn                                                           \
                             : "+c"((p)->count), "+S"((p)->src), "+D"((p)->dst)                    \
                             : in                                                                  \
                             : "memory", "cc");                                                    \
    } while (0)

void rep_ins(unsigned size, uint16_t port, struct rep *p)
{
    switch (size) {
    case 1: REP("insb", p, "d"(port)); break;
    case 2: REP("insw", p, "d"(port)); break;
    default: REP("insl", p, "d"(port)); break;
    }
}

void rep_outs(unsigned size, uint16_t port, struct rep *p)
{
    switch (size) {
    case 1: REP("outsb", p, "d"(port)); break;
    case 2: REP("outsw", p, "d"(port)); break;
    default: REP("outsl", p, "d"(port)); break;
    }
}

void rep_movs(unsigned size, struct rep *p)
{
    switch (size) {
    case 1: REP("movsb", p, "d"(0)); break;
    case 2: REP("movsw", p, "d"(0)); break;
    case 4: REP("movsl", p, "d"(0)); break;
    default: REP("movsq", p, "d"(0)); break;
    }
}

void rep_stos(unsigned size, uint64_t value, struct rep *p)
{
    switch (size) {
    case 1: REP("stosb", p, "a"(value)); break;
    case 2: REP("stosw", p, "a"(value)); break;
    case 4: REP("stosl", p, "a"(value)); break;
    default: REP("stosq", p, "a"(value)); break;
    }
}

/* RCX and the index register an instruction leaves. */
static void expect_registers(const struct rep *p, uintptr_t was, uintptr_t is, uint64_t bytes)
{
    expect("RCX", 0, 0, p->count);
    expect("index register", was, p->down ? was - bytes : was + bytes, is);
}

static void outs(const struct access_rig *r, unsigned size, const void *from, uint32_t count,
                 bool down)
{
    uintptr_t first = first_element(from, size, count, down);
    struct rep p = {.count = count, .src = first, .down = down};

    dma(r, NIC_REMOTE_WRITE, size, size * count);
    rep_outs(size, r->nic->port + NIC_DATA, &p);
    expect_registers(&p, first, p.src, (uint64_t)size * count);
}

/* Into access_in at an offset; the rest of it is GUARD. */
static void ins(const struct access_rig *r, unsigned size, uint32_t at, uint32_t count, bool down)
{
    uintptr_t first = first_element(access_in + at, size, count, down);
    struct rep p = {.count = count, .dst = first, .down = down};

    memset(access_in, GUARD, sizeof(access_in));
    dma(r, NIC_REMOTE_READ, size, size * count);
    rep_ins(size, r->nic->port + NIC_DATA, &p);
    expect_registers(&p, first, p.dst, (uint64_t)size * count);
}

static void expect_guards(uint32_t at, uint32_t len)
{
    uint32_t stray = 0;

    for (uint32_t i = 0; i < sizeof(access_in); i++)
        stray += (i < at || i >= at + len) && access_in[i] != GUARD;
    expect("bytes beside the string", at, 0, stray);
}

/* There and back in one direction gives the same memory, and forwards the elements in the order in
 * which they went. */
static void there_and_back(const struct access_rig *r, unsigned size, uint32_t at, uint32_t count,
                           bool down)
{
    uint32_t len = size * count;

    access_fill(access_out + at, len);
    outs(r, size, access_out + at, count, down);
    ins(r, size, at, count, down);
    expect_bytes("string", access_out + at, access_in + at, len);
    expect_guards(at, len);
    ins(r, size, at, count, false);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t k = down ? count - 1 - i : i;

        if (memcmp(access_out + at + k * size, access_in + at + i * size, size) != 0) {
            expect("element", i, k, ~0u);
            break;
        }
    }
}

/* Within a page, ending at its end, across one with a whole element and with half an element on
 * each side, and over several pages. */
static void strings(const struct access_rig *r, unsigned size, bool down)
{
    there_and_back(r, size, 64, 1, down);
    there_and_back(r, size, 64, 100, down);
    there_and_back(r, size, PAGE - 16 * size, 16, down);
    there_and_back(r, size, PAGE - 8 * size, 16, down);
    there_and_back(r, size, PAGE - 8 * size - size / 2, 16, down);
    there_and_back(r, size, PAGE - 100 - size / 2, (BUFFER_SIZE - 64) / size, down);
}

#define STRINGS(size)                                                                              \
    static void strings_up##size(const struct access_rig *r)                                       \
    {                                                                                              \
        strings(r, size, false);                                                                   \
    }                                                                                              \
    static void strings_down##size(const struct access_rig *r)                                     \
    {                                                                                              \
        strings(r, size, true);                                                                    \
    }
STRINGS(1)
STRINGS(2)
STRINGS(4)

static uint16_t remote_address(const struct access_rig *r)
{
    uint16_t low_byte = inb(r->nic->port + REG_CRDA0);

    return low_byte | inb(r->nic->port + REG_CRDA1) << 8;
}

static void count_0(const struct access_rig *r)
{
    for (unsigned size = 1; size <= 4; size *= 2) {
        dma(r, NIC_REMOTE_READ, size, 64);
        uint16_t before = remote_address(r);
        struct rep p = {.dst = (uintptr_t)access_in, .src = (uintptr_t)access_out};

        memset(access_in, GUARD, sizeof(access_in));
        rep_ins(size, r->nic->port + NIC_DATA, &p);
        expect_registers(&p, (uintptr_t)access_in, p.dst, 0);
        expect_guards(0, 0);
        rep_outs(size, r->nic->port + NIC_DATA, &p);
        expect_registers(&p, (uintptr_t)access_out, p.src, 0);
        expect("remote address", size, before, remote_address(r));
    }
}

static void unclaimed(const struct access_rig *r)
{
    (void)r;
    for (unsigned size = 1; size <= 4; size *= 2) {
        struct rep p = {.count = 700, .dst = (uintptr_t)access_in + 3001};

        memset(access_in, GUARD, sizeof(access_in));
        rep_ins(size, PORT_NOTHING, &p);
        expect("RCX", size, 0, p.count);
        expect_ones("string", access_in + 3001, 700 * size);
        expect_guards(3001, 700 * size);
        p = (struct rep){.count = 700, .src = (uintptr_t)access_out + 3001};
        rep_outs(size, PORT_NOTHING, &p);
        expect_registers(&p, (uintptr_t)access_out + 3001, p.src, 700 * size);
    }
}

/* Registers have no stream: each element is the register's next value. */
static void of_register(const struct access_rig *r)
{
    static const uint8_t last[5] = {1, 2, 3, 4, 0x77};
    struct rep p = {.count = sizeof(last), .src = (uintptr_t)last};

    page1(r);
    rep_outs(1, r->nic->port + MAR, &p);
    expect("last one written", MAR, last[4], inb(r->nic->port + MAR));
    p = (struct rep){.count = 9, .dst = (uintptr_t)access_in};
    memset(access_in, GUARD, sizeof(access_in));
    rep_ins(1, r->nic->port + MAR, &p);
    for (unsigned i = 0; i < 9; i++)
        expect("read", i, last[4], access_in[i]);
    expect_guards(0, 9);
}

const struct access_kind string_kinds[] = {
    {"string_up1", strings_up1, 0},      {"string_up2", strings_up2, 0},
    {"string_up4", strings_up4, 0},      {"string_down1", strings_down1, 0},
    {"string_down2", strings_down2, 0},  {"string_down4", strings_down4, 0},
    {"string_count0", count_0, 0},       {"string_unclaimed", unclaimed, 0},
    {"string_register", of_register, 0}, {NULL, NULL, 0},
};
