/* SPDX-License-Identifier: BSD-3-Clause */
/* Port accesses: single ones, and what no device answers. */
#include "access.h"

uint32_t port_read(unsigned size, uint16_t port)
{
    switch (size) {
    case 1: return inb(port);
    case 2: return inw(port);
    default: return inl(port);
    }
}

void port_write(unsigned size, uint16_t port, uint32_t v)
{
    switch (size) {
    case 1: outb(port, v); break;
    case 2: outw(port, v); break;
    default: outl(port, v); break;
    }
}

/* Registers at each alignment, written by one access, read by one, and byte by byte. */
static void registers(const struct access_rig *r, unsigned size)
{
    uint8_t v[MARS];

    access_fill(v, sizeof(v));
    page1(r);
    mar_write(r, v);
    for (unsigned at = 0; at + size <= MARS; at++) {
        uint32_t x = low(access_random(), size);

        memcpy(v + at, &x, size);
        port_write(size, r->nic->port + MAR + at, x);
        expect("read", MAR + at, x, port_read(size, r->nic->port + MAR + at));
        mar_expect(r, "written", v);
    }
}

static void registers1(const struct access_rig *r)
{
    registers(r, 1);
}
static void registers2(const struct access_rig *r)
{
    registers(r, 2);
}
static void registers4(const struct access_rig *r)
{
    registers(r, 4);
}

#define ELEMENTS 24

static void data(const struct access_rig *r, unsigned size)
{
    uint32_t v[ELEMENTS];

    dma(r, NIC_REMOTE_WRITE, size, ELEMENTS * size);
    for (unsigned i = 0; i < ELEMENTS; i++) {
        v[i] = low(access_random(), size);
        port_write(size, r->nic->port + NIC_DATA, v[i]);
    }
    dma(r, NIC_REMOTE_READ, size, ELEMENTS * size);
    for (unsigned i = 0; i < ELEMENTS; i++)
        expect("element", i, v[i], port_read(size, r->nic->port + NIC_DATA));
}

static void data1(const struct access_rig *r)
{
    data(r, 1);
}
static void data2(const struct access_rig *r)
{
    data(r, 2);
}
static void data4(const struct access_rig *r)
{
    data(r, 4);
}

/* The immediate form of IN and OUT reaches ports below 0x100, where nothing of ours is. */
static void unclaimed(const struct access_rig *r)
{
    (void)r;
    for (unsigned size = 1; size <= 4; size *= 2) {
        uint32_t ones = low(~0u, size);

        port_write(size, PORT_NOTHING, 0x12345678);
        expect("read", size, ones, port_read(size, PORT_NOTHING));
    }
    expect("immediate", 0xf8, 0xff, inb(0xf8));
}

/*
 * Across a window's ends: bytes outside read all ones; those inside are the register's or all ones,
 * too (Xen gives nobody an access that is not within one range). The last registers are the reset
 * port, which reads as all ones.
 */
static void ends(const struct access_rig *r)
{
    uint16_t port = r->nic->port;
    uint16_t start = inw(port - 1);

    expect("below", 0, 0xff, start & 0xff);
    if (start >> 8 != 0xff)
        expect("CR", 0, inb(port), start >> 8);
    expect("inl across the end", WINDOW - 2, ~0u, inl(port + WINDOW - 2));
    expect("inw across the end", WINDOW - 1, 0xffff, inw(port + WINDOW - 1));
    outl(port + WINDOW - 2, 0);
    expect("behind", WINDOW, 0xff, inb(port + WINDOW));
}

const struct access_kind pio_kinds[] = {
    {"pio_1", registers1, 0},    {"pio_2", registers2, 0}, {"pio_4", registers4, 0},
    {"data_1", data1, 0},        {"data_2", data2, 0},     {"data_4", data4, 0},
    {"unclaimed", unclaimed, 0}, {"ends", ends, 0},        {NULL, NULL, 0},
};
