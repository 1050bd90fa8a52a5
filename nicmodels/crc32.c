/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Eight bytes a step: table k says, for each byte, what it does to the register k + 1 bytes later.
 * A CRC is linear, so an entry is the exclusive or of what the byte's single bits do, and those are
 * successive states of the shift register; the compiler builds the tables from that chain.
 */
#include "crc32.h"

#include <endian.h>
#include <string.h>

#define POLYNOMIAL 0xedb88320u
#define SHIFT(c)   (((c) >> 1) ^ (POLYNOMIAL & (0u - ((c)&1u))))
#define SHIFT8(n, from)                                                                            \
    P##n##0 = SHIFT(from), P##n##1 = SHIFT(P##n##0), P##n##2 = SHIFT(P##n##1),                     \
    P##n##3 = SHIFT(P##n##2), P##n##4 = SHIFT(P##n##3), P##n##5 = SHIFT(P##n##4),                  \
    P##n##6 = SHIFT(P##n##5), P##n##7 = SHIFT(P##n##6)

/* Pkj: what bit 7 - j of a byte has become k + 1 bytes later. */
enum {
    SHIFT8(0, 1u),
    SHIFT8(1, P07),
    SHIFT8(2, P17),
    SHIFT8(3, P27),
    SHIFT8(4, P37),
    SHIFT8(5, P47),
    SHIFT8(6, P57),
    SHIFT8(7, P67),
};

#define BIT(b, j, k) (((b) >> (j)&1) ? 0u + (k) : 0u)
#define ENTRY(n, b)                                                                                \
    (BIT(b, 7, P##n##0) ^ BIT(b, 6, P##n##1) ^ BIT(b, 5, P##n##2) ^ BIT(b, 4, P##n##3) ^           \
     BIT(b, 3, P##n##4) ^ BIT(b, 2, P##n##5) ^ BIT(b, 1, P##n##6) ^ BIT(b, 0, P##n##7))
#define ENTRY4(n, b)  ENTRY(n, b), ENTRY(n, b + 1), ENTRY(n, b + 2), ENTRY(n, b + 3)
#define ENTRY16(n, b) ENTRY4(n, b), ENTRY4(n, b + 4), ENTRY4(n, b + 8), ENTRY4(n, b + 12)
#define ENTRY64(n, b) ENTRY16(n, b), ENTRY16(n, b + 16), ENTRY16(n, b + 32), ENTRY16(n, b + 48)
#define ENTRY256(n)   ENTRY64(n, 0), ENTRY64(n, 64), ENTRY64(n, 128), ENTRY64(n, 192)

static const uint32_t table[8][256] = {{ENTRY256(0)}, {ENTRY256(1)}, {ENTRY256(2)}, {ENTRY256(3)},
                                       {ENTRY256(4)}, {ENTRY256(5)}, {ENTRY256(6)}, {ENTRY256(7)}};

/* What the four bytes of w do, `behind` bytes before the end of a step. */
static inline uint32_t four(uint32_t w, unsigned behind)
{
    return table[behind + 3][w & 0xff] ^ table[behind + 2][w >> 8 & 0xff] ^
           table[behind + 1][w >> 16 & 0xff] ^ table[behind][w >> 24];
}

uint32_t nm_crc32(uint32_t crc, const void *data, size_t len)
{
    const uint8_t *p = data;

    crc = ~crc;
    for (; len >= 8; len -= 8, p += 8) {
        uint32_t w[2];

        memcpy(w, p, 8);
        crc = four(crc ^ le32toh(w[0]), 4) ^ four(le32toh(w[1]), 0);
    }
    for (; len; len--, p++)
        crc = table[0][(crc ^ *p) & 0xff] ^ crc >> 8;
    return ~crc;
}

unsigned nm_multicast_hash(const uint8_t addr[6])
{
    uint32_t low = ~nm_crc32(0, addr, 6);
    unsigned hash = 0;

    /* The register of the other bit order is this one reversed: its upper bits are these. */
    for (unsigned i = 0; i < 6; i++)
        hash |= (low >> i & 1) << (5 - i);
    return hash;
}
