/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mode=abuse: a bounded number of meaningless accesses to every register, with whatever DMA
 * settings come out of that. Nothing is expected of the device but that it survives.
 */
#include "guest.h"

#define REGISTERS      0x20
#define DEFAULT_ROUNDS 20000

static uint64_t state;
static uint8_t scratch[8192];

static uint32_t next(void)
{
    return random32(&state);
}

static void port_access(uint16_t port)
{
    switch (next() % 6) {
    case 0: inb(port); break;
    case 1: inw(port); break;
    case 2: inl(port); break;
    case 3: outb(port, next()); break;
    case 4: outw(port, next()); break;
    case 5: outl(port, next()); break;
    }
}

static void string_access(uint16_t port)
{
    uint64_t words = next() % (sizeof(scratch) / 2) + 1;

    if (next() & 1)
        insw(port, scratch, words);
    else
        outsw(port, scratch, words);
}

static void mmio_access(uintptr_t at)
{
    switch (next() % 4) {
    case 0: (void)*(volatile uint8_t *)at; break;
    case 1: *(volatile uint8_t *)at = next(); break;
    case 2: (void)*(volatile uint64_t *)at; break; /* unaligned, across the window's end */
    case 3: *(volatile uint64_t *)at = next(); break;
    }
}

static void one(const struct nic *n, const struct options *o)
{
    uint32_t reg = next() % REGISTERS;

    if (next() % 64 == 0)
        string_access(n->port + reg);
    else if (o->mmio && (next() & 1))
        mmio_access(o->mmio + reg);
    else
        port_access(n->port + reg);
    if (next() % 16 == 0)
        outb(n->port, 0x22 | (next() & 0xdc)); /* started, so that something happens */
}

void run_abuse(struct nic *n, const struct options *o)
{
    uint32_t i, rounds = o->rounds ? o->rounds : DEFAULT_ROUNDS;

    cli();
    state = o->seed * 0x9e3779b97f4a7c15ull + 1;
    for (i = 0; i < rounds; i++)
        one(n, o);
    /* Does it still work? */
    if (!nic_init(n, n->port, n->irq)) {
        print("abuse rounds=%u: the card does not come back\n", i);
        guest_exit(1);
    }
    print("abuse rounds=%u done\n", i);
    guest_exit(0);
}
