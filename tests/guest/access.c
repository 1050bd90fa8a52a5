/* SPDX-License-Identifier: BSD-3-Clause */
#include "access.h"

#define DEFAULT_ROUNDS 4
#define COMPLAINTS     8 /* a kind */

#define REG_RCR          0x0c
#define RCR_MONITOR      0x20 /* nothing is received */
#define CR_STOPPED       0x21
#define CR_STOPPED_PAGE1 0x61
#define DCR_BYTE         0x48
#define DCR_WORD         0x49

uint8_t access_out[AREA_SIZE] __attribute__((aligned(PAGE)));
uint8_t access_in[AREA_SIZE] __attribute__((aligned(PAGE)));

static const struct access_kind *kind;
static uint64_t checks, errors, kind_errors, seed;

void expect(const char *what, uint64_t at, uint64_t want, uint64_t got)
{
    checks++;
    if (got == want)
        return;
    if (++kind_errors <= COMPLAINTS)
        print("access error: %s, %s at %lx: %lx, not %lx\n", kind->name, what, at, got, want);
}

void expect_bytes(const char *what, const uint8_t *want, const uint8_t *got, uint32_t n)
{
    uint32_t i;

    for (i = 0; i < n && want[i] == got[i]; i++)
        ;
    expect(what, i, i < n ? want[i] : 0, i < n ? got[i] : 0);
}

void expect_ones(const char *what, const void *got, uint32_t n)
{
    const uint8_t *p = got;
    uint32_t i;

    for (i = 0; i < n && p[i] == 0xff; i++)
        ;
    expect(what, i, 0xff, i < n ? p[i] : 0xff);
}

uint32_t access_random(void)
{
    return random32(&seed);
}

uint64_t access_random64(void)
{
    uint64_t high = access_random();

    return high << 32 | access_random();
}

void access_fill(void *to, uint32_t n)
{
    uint8_t *p = to;

    for (uint32_t i = 0; i < n; i++)
        p[i] = access_random();
}

void page1(const struct access_rig *r)
{
    outb(r->nic->port + REG_CR, CR_STOPPED_PAGE1);
}

void page0(const struct access_rig *r)
{
    outb(r->nic->port + REG_CR, CR_STOPPED);
}

void mar_write(const struct access_rig *r, const uint8_t v[MARS])
{
    for (unsigned i = 0; i < MARS; i++)
        outb(r->nic->port + MAR + i, v[i]);
}

void mar_expect(const struct access_rig *r, const char *what, const uint8_t want[MARS])
{
    for (unsigned i = 0; i < MARS; i++)
        expect(what, MAR + i, want[i], inb(r->nic->port + MAR + i));
}

void dma(const struct access_rig *r, uint8_t command, unsigned size, uint32_t len)
{
    page0(r);
    outb(r->nic->port + REG_DCR, size > 1 ? DCR_WORD : DCR_BYTE);
    nic_remote(r->nic, command, BUFFER_AT, len);
}

/* The card as each kind expects it. */
static void at_rest(struct access_rig *r)
{
    uint16_t port = r->nic->port;

    if (!nic_init(r->nic, port, r->nic->irq))
        expect("the card answers", port, 1, 0);
    page0(r);
    outb(port + REG_RCR, RCR_MONITOR);
}

static const char *missing(const struct access_rig *r, const struct access_kind *k)
{
    if ((k->needs & NEEDS_MMIO) && !r->mmio)
        return "mmio=";
    if ((k->needs & NEEDS_PCI) && r->pci_slot < 0)
        return "an RTL8029";
    if ((k->needs & NEEDS_XEN) && !on_xen())
        return "Xen";
    if ((k->needs & NOT_ON_XEN) && on_xen())
        return "another hypervisor than Xen";
    return NULL;
}

static void run_kind(struct access_rig *r, const struct access_kind *k, uint32_t rounds)
{
    uint64_t before = checks;

    kind = k;
    kind_errors = 0;
    for (uint32_t i = 0; i < rounds; i++) {
        at_rest(r);
        k->run(r);
    }
    errors += kind_errors;
    print("access name=%s checks=%lu errors=%lu\n", k->name, checks - before, kind_errors);
}

/* @return how many of the table's kinds could not be run */
static uint32_t run_table(struct access_rig *r, const struct access_kind *k,
                          const struct options *o, uint32_t rounds)
{
    uint32_t skipped = 0;

    for (; k->name; k++) {
        const char *needs = missing(r, k);

        if (!in_list(o->kinds, k->name))
            continue;
        if (needs)
            print("access name=%s skipped: needs %s\n", k->name, needs);
        else
            run_kind(r, k, rounds);
        skipped += needs != NULL;
    }
    return skipped;
}

void run_access(struct nic *n, const struct options *o)
{
    static const struct access_kind *const tables[] = {pio_kinds,         string_kinds, mmio_kinds,
                                                       mmio_string_kinds, pci_kinds,    xen_kinds};
    struct access_rig r = {.nic = n, .mmio = o->mmio, .pci_slot = pci_find_rtl8029()};
    uint32_t skipped = 0, rounds = o->rounds ? o->rounds : DEFAULT_ROUNDS;

    cli();
    seed = o->seed * 0x9e3779b97f4a7c15ull + 1;
    for (unsigned i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        skipped += run_table(&r, tables[i], o, rounds);
    print("access end rounds=%u checks=%lu errors=%lu skipped=%u\n", rounds, checks, errors,
          skipped);
    guest_exit(errors != 0);
}
