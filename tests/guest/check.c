/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mode=check: does every access return what it must? A round writes a pattern of its own to the
 * NIC's memory and reads it back, word by word and as strings, and reads registers whose value is
 * known. Runs between packets, for ever: the I/O core may be killed and restarted meanwhile.
 */
#include "guest.h"

#define REG_BNRY 0x03
#define REG_CURR 0x07
#define REPORT   (1ull << 31) /* cycles between reports: about a second */

static uint64_t rounds, errors, next_report;

static uint32_t next(void)
{
    static uint64_t state = 88172645463325252ull;

    return random32(&state);
}

static void complain(const char *what, uint32_t at, uint32_t want, uint32_t got)
{
    if (++errors <= 16)
        print("check error: %s at %x: %x, not %x (round %lu)\n", what, at, got, want, rounds);
}

static void check_strings(struct nic *n)
{
    static uint8_t out[NIC_CHECK_BYTES], in[NIC_CHECK_BYTES];
    uint32_t len = (next() % (NIC_CHECK_BYTES - 2) + 2) & ~1u;
    uint32_t at = (NIC_CHECK_PAGE << 8) + ((next() % (NIC_CHECK_BYTES - len + 1)) & ~1u);

    for (uint32_t i = 0; i < len; i++)
        out[i] = next();
    memset(in, 0xee, len);
    nic_write(n, at, out, len);
    nic_read(n, at, in, len);
    for (uint32_t i = 0; i < len; i++) {
        if (in[i] != out[i])
            complain("string", at + i, out[i], in[i]);
    }
}

static void check_words(struct nic *n)
{
    uint16_t out[8];

    for (unsigned i = 0; i < 8; i++)
        out[i] = next();
    nic_remote(n, NIC_REMOTE_WRITE, NIC_CHECK_PAGE << 8, sizeof(out));
    for (unsigned i = 0; i < 8; i++)
        outw(n->port + NIC_DATA, out[i]);
    nic_remote(n, NIC_REMOTE_READ, NIC_CHECK_PAGE << 8, sizeof(out));
    for (unsigned i = 0; i < 8; i++) {
        uint16_t got = inw(n->port + NIC_DATA);

        if (got != out[i])
            complain("word", i, out[i], got);
    }
}

/* Registers that keep what was written: on page 1 the multicast filter. */
static void check_registers(struct nic *n)
{
    uint8_t value = next();

    outb(n->port, 0x62); /* page 1, no DMA, started */
    outb(n->port + 0x0f, value);
    uint8_t got = inb(n->port + 0x0f);
    for (unsigned i = 0; i < 6; i++) {
        uint8_t mac = inb(n->port + 1 + i);

        if (mac != n->mac[i])
            complain("station address", i, n->mac[i], mac);
    }
    outb(n->port, 0x22);
    if (got != value)
        complain("MAR7", 0, value, got);
}

void check_round(struct nic *n)
{
    check_strings(n);
    check_words(n);
    check_registers(n);
    rounds++;
    if (ticks() >= next_report) {
        print("check rounds=%lu errors=%lu received=%u sent=%u nic_errors=%u\n", rounds, errors,
              n->received, n->sent, n->errors);
        next_report = ticks() + REPORT;
    }
}
