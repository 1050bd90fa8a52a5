/* SPDX-License-Identifier: BSD-3-Clause */
/* The port window of NE2000 boards. */
#include "ne2000.h"

#include <string.h>

#include "access.h"

const struct nm_reg_range ne2000_ranges[NE2000_NRANGES] = {
    {.flags = NM_REG_POSTED, .offset = 0x00, .length = 7},
    {.flags = NM_REG_POSTED, .offset = 0x08, .length = 7},
    {.flags = NM_REG_POSTED, .offset = NE2000_DATAPORT, .length = 8},
};

const struct nm_reg_cell ne2000_cells[NE2000_NCELLS] = {
    {.size = 1, .offset = 0x00}, {.size = 1, .offset = 0x01}, {.size = 1, .offset = 0x02},
    {.size = 1, .offset = 0x03}, {.size = 1, .offset = 0x04}, {.size = 1, .offset = 0x05},
    {.size = 1, .offset = 0x07}, {.size = 1, .offset = 0x08}, {.size = 1, .offset = 0x09},
    {.size = 1, .offset = 0x0a}, {.size = 1, .offset = 0x0b}, {.size = 1, .offset = 0x0c},
};

static bool word_mode(const struct dp8390_chip *c)
{
    return c->regs->dcr & DCR_WTS;
}

static bool in_data_port(uint64_t offset)
{
    return offset >= NE2000_DATAPORT && offset < NE2000_RESET;
}

/* A byte at the data port: in word mode the low half of a word. */
static uint8_t data_byte(const struct dp8390_chip *c, uint8_t value, bool write)
{
    uint8_t word[2] = {value, 0};

    dp8390_remote(c, word, word_mode(c) ? 2 : 1, write);
    return word[0];
}

static uint8_t port_byte(const struct dp8390_chip *c, unsigned port, uint8_t value, bool write)
{
    if (port >= NE2000_PORTS)
        return 0xff;
    if (in_data_port(port))
        return data_byte(c, value, write);
    if (port >= NE2000_RESET) {
        dp8390_reset(c);
        return 0xff;
    }
    if (!write)
        return dp8390_read(c, port);
    dp8390_write(c, port, value);
    return value;
}

/* Is an element moved whole by the remote DMA, so that elements are one stream of bytes? */
static bool streams(const struct dp8390_chip *c, uint64_t offset, unsigned size)
{
    if (!in_data_port(offset) || offset + size > NE2000_RESET)
        return false;
    return !word_mode(c) || (size >= 2 && !(offset & 1));
}

/* One element in the bus's steps. Little-endian in `bytes`, replaced by what is read. */
static void element(const struct dp8390_chip *c, uint64_t offset, unsigned size, uint8_t *bytes,
                    bool write)
{
    unsigned step;

    for (unsigned i = 0; i < size; i += step) {
        step = size - i >= 2 && streams(c, offset + i, 2) && word_mode(c) ? 2 : 1;
        if (step == 2)
            dp8390_remote(c, bytes + i, 2, write);
        else
            bytes[i] = port_byte(c, (unsigned)offset + i, bytes[i], write);
    }
}

static enum nm_status single(const struct dp8390_chip *c, struct nm_access *a)
{
    uint8_t bytes[8];

    if (a->size == 1 && a->offset < NE2000_DATAPORT) {
        a->data = port_byte(c, (unsigned)a->offset, (uint8_t)a->data, a->write);
        return NM_DONE;
    }
    nm_put_le(bytes, a->data, sizeof(bytes));
    if (streams(c, a->offset, a->size))
        dp8390_remote(c, bytes, a->size, a->write);
    else
        element(c, a->offset, a->size, bytes, a->write);
    if (!a->write)
        a->data = nm_get_le(bytes, a->size);
    return NM_DONE;
}

/* Each element at the command register may send a frame: no more of them than there is room for
 * until the next commit. */
static uint32_t how_many(const struct dp8390_chip *c, const struct nm_access *a)
{
    if (!a->write || a->offset > DP8390_CR)
        return a->count;
    if (c->dev->changed)
        return 0;
    return a->count < NM_TX_BURST ? a->count : NM_TX_BURST;
}

static enum nm_status string(const struct dp8390_chip *c, struct nm_access *a)
{
    uint8_t bytes[8];

    a->done_count = how_many(c, a);
    if (!a->down && streams(c, a->offset, a->size)) {
        dp8390_remote(c, a->mem, (size_t)a->count * a->size, a->write);
        return NM_DONE;
    }
    for (uint32_t i = 0; i < a->done_count; i++) {
        uint8_t *at = nm_element(a, i);

        memcpy(bytes, at, a->size);
        element(c, a->offset, a->size, bytes, a->write);
        if (!a->write)
            memcpy(at, bytes, a->size);
    }
    return NM_DONE;
}

enum nm_status ne2000_access(const struct dp8390_chip *c, struct nm_access *a)
{
    if (a->offset >= NE2000_PORTS)
        return NM_UNCLAIMED;
    return a->mem ? string(c, a) : single(c, a);
}

uint32_t ne2000_publish(const struct dp8390_chip *c, uint64_t *cell)
{
    uint8_t view[DP8390_REGS];

    dp8390_view(c, view);
    for (unsigned i = 0; i < NE2000_NCELLS; i++)
        cell[i] = view[ne2000_cells[i].offset];
    return (1u << NE2000_NCELLS) - 1;
}

void ne2000_prom(uint8_t prom[NE2000_PROM_SIZE], const uint8_t mac[6])
{
    uint8_t once[NE2000_PROM_SIZE / 2] = {0};

    memcpy(once, mac, 6);
    once[14] = once[15] = 0x57;
    for (unsigned i = 0; i < NE2000_PROM_SIZE; i++)
        prom[i] = once[i / 2];
}
