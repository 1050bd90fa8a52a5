/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What each kind of access costs the guest, from one rdtsc to the next. The NIC is at rest
 * meanwhile: stopped, interrupts masked. Ports first, then (mmio=) the register window in memory.
 */
#include "guest.h"

/* Registers by how an I/O core serves them: see the model's tables of posted and shadowed ones. */
#define REG_CR   0x00
#define REG_BNRY 0x03 /* shadowed when read */
#define REG_FIFO 0x06 /* read: never shadowed */
#define REG_RSAR 0x08 /* written: posted */
#define REG_DCR  0x0e

#define CR_STOPPED 0x21 /* STP, no remote DMA: written synchronously */
#define AT         (NIC_CHECK_PAGE << 8)
#define STRING     1500 /* bytes */
#define SLICE      100  /* samples of a kind, then it is the next one's turn */
#define WARM_UP    8

struct target {
    struct nic *n;
    uintptr_t mmio;
    uint32_t gap; /* cycles to leave before a sample */
};

uint32_t samples[MAX_SAMPLES];
static uint8_t buffer[2048];

/* A single access, given the card; `before` sets the scene outside the measured time. */
struct kind {
    const char *name;
    void (*before)(const struct target *t);
    void (*access)(const struct target *t);
};

static void nothing(const struct target *t)
{
    (void)t;
}

static void stop_dma(const struct target *t)
{
    outb(t->n->port + REG_CR, CR_STOPPED);
    inb(t->n->port + REG_FIFO); /* and whatever was posted is done */
}

static void settle(const struct target *t)
{
    inb(t->n->port + REG_FIFO);
}

static void remote_read(const struct target *t)
{
    nic_remote(t->n, NIC_REMOTE_READ, AT, NIC_CHECK_BYTES);
    inb(t->n->port + REG_FIFO);
}

static void remote_write(const struct target *t)
{
    nic_remote(t->n, NIC_REMOTE_WRITE, AT, NIC_CHECK_BYTES);
    inb(t->n->port + REG_FIFO);
}

static void do_null(const struct target *t)
{
    (void)t;
    inb(PORT_NOTHING);
}
static void do_inb_reg(const struct target *t)
{
    inb(t->n->port + REG_FIFO);
}
static void do_inb_shadow(const struct target *t)
{
    inb(t->n->port + REG_BNRY);
}
static void do_outb_sync(const struct target *t)
{
    outb(t->n->port + REG_CR, CR_STOPPED);
}
static void do_outb_posted(const struct target *t)
{
    outb(t->n->port + REG_RSAR, 0);
}
static void do_inw_data(const struct target *t)
{
    inw(t->n->port + NIC_DATA);
}
static void do_inl_data(const struct target *t)
{
    inl(t->n->port + NIC_DATA);
}
static void do_outw_data(const struct target *t)
{
    outw(t->n->port + NIC_DATA, 0x5aa5);
}
static void do_insw(const struct target *t)
{
    insw(t->n->port + NIC_DATA, buffer, STRING / 2);
}
static void do_outsw(const struct target *t)
{
    outsw(t->n->port + NIC_DATA, buffer, STRING / 2);
}

#define MMIO_READ(bits)                                                                            \
    static void do_mmio_read##bits(const struct target *t)                                         \
    {                                                                                              \
        (void)*(volatile uint##bits##_t *)(t->mmio + REG_FIFO / (bits / 8) * (bits / 8));          \
    }
MMIO_READ(8)
MMIO_READ(16)
MMIO_READ(32)
MMIO_READ(64)

static void do_mmio_write8(const struct target *t)
{
    *(volatile uint8_t *)(t->mmio + REG_RSAR) = 0;
}
static void do_mmio_sync(const struct target *t)
{
    *(volatile uint8_t *)(t->mmio + REG_CR) = CR_STOPPED;
}
static void do_mmio_rmw(const struct target *t)
{
    __asm__ volatile("orb $0, (%0)" : : "r"(t->mmio + REG_BNRY) : "memory", "cc");
}

static const struct kind port_kinds[] = {
    {"rdtsc", nothing, nothing},
    {"null_trap", nothing, do_null},
    {"inb_reg", nothing, do_inb_reg},
    {"inb_shadow", settle, do_inb_shadow},
    {"outb_sync", nothing, do_outb_sync},
    {"outb_posted", nothing, do_outb_posted},
    {"inw_data", remote_read, do_inw_data},
    {"inl_data", remote_read, do_inl_data},
    {"outw_data", remote_write, do_outw_data},
    {"insw_1500", remote_read, do_insw},
    {"outsw_1500", remote_write, do_outsw},
};

static const struct kind mmio_kinds[] = {
    {"mmio_read1", nothing, do_mmio_read8},  {"mmio_read2", nothing, do_mmio_read16},
    {"mmio_read4", nothing, do_mmio_read32}, {"mmio_read8", nothing, do_mmio_read64},
    {"mmio_sync1", nothing, do_mmio_sync},   {"mmio_posted1", nothing, do_mmio_write8},
    {"mmio_rmw1", settle, do_mmio_rmw},
};

#define PORT_KINDS (sizeof(port_kinds) / sizeof(port_kinds[0]))
#define MMIO_KINDS (sizeof(mmio_kinds) / sizeof(mmio_kinds[0]))
#define MAX_KINDS  (PORT_KINDS + MMIO_KINDS)

/* Shell sort: in place, no recursion, fast enough. */
void sort(uint32_t *v, uint32_t n)
{
    for (uint32_t gap = n / 2; gap; gap = gap == 2 ? 1 : gap * 5 / 11) {
        for (uint32_t i = gap; i < n; i++) {
            uint32_t x = v[i], k = i;

            for (; k >= gap && v[k - gap] > x; k -= gap)
                v[k] = v[k - gap];
            v[k] = x;
        }
    }
}

static uint32_t per_mille(const uint32_t *sorted, uint32_t n, uint32_t p)
{
    return sorted[(uint64_t)(n - 1) * p / 1000];
}

void report(const char *name, uint32_t *v, uint32_t n)
{
    sort(v, n);
    print("lat name=%s n=%u min=%u p50=%u p99=%u p999=%u max=%u unit=cycles\n", name, n, v[0],
          per_mille(v, n, 500), per_mille(v, n, 990), per_mille(v, n, 999), v[n - 1]);
}

static void leave_gap(uint32_t cycles)
{
    uint64_t start = ticks();

    while (cycles && ticks() - start < cycles)
        ;
}

/* n samples of a kind; what went before has left caches and the card as it liked. */
static void measure(const struct kind *k, const struct target *t, uint32_t *to, uint32_t n)
{
    stop_dma(t);
    for (unsigned warm = 0; warm < WARM_UP; warm++) {
        k->before(t);
        k->access(t);
    }
    for (uint32_t i = 0; i < n; i++) {
        uint64_t start, took;

        k->before(t);
        leave_gap(t->gap);
        start = ticks();
        k->access(t);
        took = ticks() - start;
        to[i] = took < UINT32_MAX ? took : UINT32_MAX;
    }
}

static unsigned choose(const struct kind *from, unsigned kinds, const struct options *o,
                       const struct kind *chosen[MAX_KINDS], unsigned n)
{
    for (unsigned i = 0; i < kinds; i++) {
        if (in_list(o->kinds, from[i].name))
            chosen[n++] = &from[i];
    }
    return n;
}

/* In turn, a slice of each, so that what disturbs the machine disturbs all kinds. */
static void measure_all(const struct kind *const chosen[], unsigned kinds, const struct target *t,
                        uint32_t n)
{
    for (uint32_t at = 0; at < n; at += SLICE) {
        for (unsigned k = 0; k < kinds; k++)
            measure(chosen[k], t, samples + k * n + at, n - at < SLICE ? n - at : SLICE);
    }
    for (unsigned k = 0; k < kinds; k++)
        report(chosen[k]->name, samples + k * n, n);
}

void run_lat(struct nic *n, const struct options *o)
{
    const struct target t = {.n = n, .mmio = o->mmio, .gap = o->gap};
    const struct kind *chosen[MAX_KINDS];
    unsigned kinds = choose(port_kinds, PORT_KINDS, o, chosen, 0);
    uint32_t room;

    if (o->mmio)
        kinds = choose(mmio_kinds, MMIO_KINDS, o, chosen, kinds);
    room = MAX_SAMPLES / (kinds ? kinds : 1);
    print("lat begin\n");
    measure_all(chosen, kinds, &t, o->n < room ? o->n : room);
    print("lat end\n");
}
