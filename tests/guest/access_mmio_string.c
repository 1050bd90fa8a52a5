/* SPDX-License-Identifier: BSD-3-Clause */
/* String instructions with the card's window as source, destination or both. */
#include "access.h"

#define GUARD 0xa5

static uint8_t *reg(const struct access_rig *r, unsigned at)
{
    return (uint8_t *)(r->mmio + at);
}

/* Forwards and backwards end with the same memory: elements keep their places. */
static void movs(const struct access_rig *r, unsigned size, bool down)
{
    uint8_t *mem = access_in + PAGE - MARS / 2, v[MARS]; /* half of it on the next page */
    uint32_t count = MARS / size;
    struct rep p = {.count = count, .down = down};

    access_fill(v, sizeof(v));
    memcpy(mem, v, sizeof(v));
    page1(r);
    p.src = first_element(mem, size, count, down);
    p.dst = first_element(reg(r, MAR), size, count, down);
    rep_movs(size, &p);
    expect("RCX", size, 0, p.count);
    mar_expect(r, "to registers", v);

    memset(access_in, GUARD, 2 * PAGE);
    p = (struct rep){.count = count, .down = down};
    p.src = first_element(reg(r, MAR), size, count, down);
    p.dst = first_element(mem, size, count, down);
    rep_movs(size, &p);
    expect("RCX", size, 0, p.count);
    expect_bytes("from registers", v, mem, MARS);
    expect("before", size, GUARD, mem[-1]);
    expect("behind", size, GUARD, mem[MARS]);
}

static void movs_up(const struct access_rig *r)
{
    for (unsigned size = 1; size <= 8; size *= 2)
        movs(r, size, false);
}

static void movs_down(const struct access_rig *r)
{
    for (unsigned size = 1; size <= 8; size *= 2)
        movs(r, size, true);
}

/* One instruction that both reads and writes registers: MAR0-3 to MAR4-7. */
static void movs_within(const struct access_rig *r)
{
    for (unsigned size = 1; size <= 4; size *= 2) {
        uint8_t v[MARS];
        struct rep p = {
            .count = 4 / size, .src = (uintptr_t)reg(r, MAR), .dst = (uintptr_t)reg(r, MAR + 4)};

        access_fill(v, sizeof(v));
        page1(r);
        mar_write(r, v);
        rep_movs(size, &p);
        memcpy(v + 4, v, 4);
        mar_expect(r, "moved", v);
    }
}

/* The data port is eight bytes wide: a string over them is a stream. */
static void movs_data(const struct access_rig *r)
{
    uint8_t v[8];
    struct rep p = {.count = 2, .src = (uintptr_t)v, .dst = (uintptr_t)reg(r, NIC_DATA)};

    access_fill(v, sizeof(v));
    dma(r, NIC_REMOTE_WRITE, 2, sizeof(v));
    rep_movs(4, &p);
    dma(r, NIC_REMOTE_READ, 2, sizeof(v));
    p = (struct rep){.count = 4, .src = (uintptr_t)reg(r, NIC_DATA), .dst = (uintptr_t)access_in};
    rep_movs(2, &p);
    expect_bytes("stream", v, access_in, sizeof(v));
}

static void stos(const struct access_rig *r)
{
    for (unsigned i = 0; i < 8; i++) {
        unsigned size = 1u << i / 2;
        bool down = i & 1;
        uint64_t x = access_random64();
        uint8_t v[MARS];
        struct rep p = {.count = MARS / size, .down = down};

        page1(r);
        p.dst = first_element(reg(r, MAR), size, MARS / size, down);
        rep_stos(size, x, &p);
        for (unsigned at = 0; at < MARS; at += size)
            memcpy(v + at, &x, size);
        expect("RCX", size, 0, p.count);
        mar_expect(r, "stored", v);
    }
}

static void lods(const struct access_rig *r)
{
    uint8_t v[MARS];
    uint64_t count = MARS, value = 0;
    uintptr_t src = (uintptr_t)reg(r, MAR);

    access_fill(v, sizeof(v));
    page1(r);
    mar_write(r, v);
    __asm__ volatile("rep lodsb" : "+c"(count), "+S"(src), "+a"(value) : : "memory");
    expect("RCX", 0, 0, count);
    expect("the last one", MARS - 1, v[MARS - 1], value & 0xff);
    src = (uintptr_t)reg(r, MAR);
    __asm__ volatile("lodsq" : "+S"(src), "+a"(value) : : "memory");
    expect_bytes("lodsq", v, (const uint8_t *)&value, sizeof(v));
}

/* Equal up to one byte: how far do they come? */
static void cmps_scas(const struct access_rig *r)
{
    uint8_t v[MARS], at = access_random() % MARS;
    uint64_t count = MARS;
    uintptr_t src = (uintptr_t)v, dst = (uintptr_t)reg(r, MAR);

    memset(v, 0x3c, sizeof(v));
    page1(r);
    mar_write(r, v);
    v[at] ^= 1;
    __asm__ volatile("repe cmpsb" : "+c"(count), "+S"(src), "+D"(dst) : : "memory", "cc");
    expect("cmpsb", at, MARS - 1 - at, count);
    mar_write(r, v);
    count = MARS;
    dst = (uintptr_t)reg(r, MAR);
    __asm__ volatile("repe scasb" : "+c"(count), "+D"(dst) : "a"(0x3c) : "memory", "cc");
    expect("scasb", at, MARS - 1 - at, count);
}

/* Port instructions whose memory is the window: the data port to registers, and back. Page 1 is
 * selected with the DMA running, so that both can be reached. */
static void ins(const struct access_rig *r)
{
    uint8_t v[MARS];
    struct rep p = {.count = MARS, .src = (uintptr_t)v};

    access_fill(v, sizeof(v));
    dma(r, NIC_REMOTE_WRITE, 1, sizeof(v));
    rep_outs(1, r->nic->port + NIC_DATA, &p);
    dma(r, NIC_REMOTE_READ, 1, sizeof(v));
    outb(r->nic->port + REG_CR, PAGE1_STARTED | NIC_REMOTE_READ);
    p = (struct rep){.count = MARS, .dst = (uintptr_t)reg(r, MAR)};
    rep_ins(1, r->nic->port + NIC_DATA, &p);
    expect("RCX", 0, 0, p.count);
    mar_expect(r, "ins", v);
}

static void outs(const struct access_rig *r)
{
    uint8_t v[MARS];
    struct rep p = {.count = MARS, .src = (uintptr_t)reg(r, MAR)};

    access_fill(v, sizeof(v));
    page1(r);
    mar_write(r, v);
    dma(r, NIC_REMOTE_WRITE, 1, sizeof(v));
    outb(r->nic->port + REG_CR, PAGE1_STARTED | NIC_REMOTE_WRITE);
    rep_outs(1, r->nic->port + NIC_DATA, &p);
    expect("RCX", 0, 0, p.count);
    dma(r, NIC_REMOTE_READ, 1, sizeof(v));
    p = (struct rep){.count = MARS, .dst = (uintptr_t)access_in};
    rep_ins(1, r->nic->port + NIC_DATA, &p);
    expect_bytes("outs", v, access_in, sizeof(v));
}

/* Count 0 reads and writes nothing. */
static void count_0(const struct access_rig *r)
{
    uint8_t v[MARS];
    struct rep p = {.src = (uintptr_t)access_out, .dst = (uintptr_t)reg(r, MAR)};

    access_fill(v, sizeof(v));
    page1(r);
    mar_write(r, v);
    memset(access_out, 0, MARS);
    rep_movs(1, &p);
    rep_stos(8, 0, &p);
    expect("destination", 0, (uintptr_t)reg(r, MAR), p.dst);
    mar_expect(r, "untouched", v);
}

/* A string that leaves the window: what lies outside reads all ones; the rest is the registers' or
 * all ones, too. */
static void across_end(const struct access_rig *r)
{
    struct rep p = {.count = 64, .src = (uintptr_t)reg(r, WINDOW - 8), .dst = (uintptr_t)access_in};

    memset(access_in, GUARD, PAGE);
    rep_movs(1, &p);
    expect("RCX", 0, 0, p.count);
    expect_ones("reset port and beyond", access_in, 64);
    expect("behind", 64, GUARD, access_in[64]);
}

const struct access_kind mmio_string_kinds[] = {
    {"mmio_movs_up", movs_up, NEEDS_MMIO},
    {"mmio_movs_down", movs_down, NEEDS_MMIO},
    {"mmio_movs_within", movs_within, NEEDS_MMIO},
    {"mmio_movs_data", movs_data, NEEDS_MMIO},
    {"mmio_stos", stos, NEEDS_MMIO},
    {"mmio_lods", lods, NEEDS_MMIO},
    {"mmio_cmps_scas", cmps_scas, NEEDS_MMIO},
    {"mmio_ins", ins, NEEDS_MMIO | NOT_ON_XEN},
    {"mmio_outs", outs, NEEDS_MMIO},
    {"mmio_count0", count_0, NEEDS_MMIO},
    {"mmio_across_end", across_end, NEEDS_MMIO},
    {NULL, NULL, 0},
};
