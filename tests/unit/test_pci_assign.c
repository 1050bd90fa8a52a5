/* SPDX-License-Identifier: BSD-3-Clause */
/* What firmware does with PCI functions: BARs, interrupt line, COMMAND. */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <string.h>

#include "../../nicmodels/pci.h"
#include "../../nicmodels/pci_assign.h"
#include "cu_main.h"

#define BARS 0x37 /* not the upper half of the 64-bit one */

static const struct pci_spec one_of_each = {
    .vendor_id = 0x1234,
    .command_writable = PCI_COMMAND_IO | PCI_COMMAND_MEM | PCI_COMMAND_MASTER,
    .bar = {{.kind = PCI_BAR_PIO, .size = 256},
            {.kind = PCI_BAR_MEM32, .size = 4096},
            {.kind = PCI_BAR_MEM64, .size = 1u << 20, .prefetchable = true},
            {.kind = PCI_BAR_NONE},
            {.kind = PCI_BAR_PIO, .size = 4},
            {.kind = PCI_BAR_MEM32, .size = 16}},
};

/* A function, and an access of it that fails. */
struct function {
    const struct pci_spec *spec;
    struct pci_func f;
    unsigned accesses, fails_at; /* 0: none */
};

static int access(void *ctx, bool write, unsigned reg, unsigned size, uint64_t *data)
{
    struct function *g = ctx;

    if (++g->accesses == g->fails_at)
        return -EIO;
    if (write)
        pci_write(g->spec, &g->f, reg, size, *data);
    else
        *data = pci_read(&g->f, reg, size);
    return 0;
}

static int assign(struct function *g, const struct pci_spec *s, unsigned bars,
                  struct pci_room *room)
{
    struct pci_config c = {.access = access, .ctx = g};

    g->spec = s;
    pci_reset(s, &g->f);
    return pci_assign(&c, bars, 11, room);
}

/* Where BAR i answers; 0: nowhere. */
static uint64_t where(const struct function *g, unsigned i)
{
    uint64_t base;

    return pci_decodes(g->spec, &g->f, i, &base) ? base : 0;
}

static void bars_are_aligned_and_apart(void)
{
    struct pci_room room = {.pio = 0xc010, .mmio = 0xf0000400};
    struct function a = {0}, b = {0};

    CU_ASSERT_EQUAL(assign(&a, &one_of_each, BARS, &room), 0);
    CU_ASSERT_EQUAL(where(&a, 0), 0xc100);
    CU_ASSERT_EQUAL(where(&a, 1), 0xf0001000);
    CU_ASSERT_EQUAL(where(&a, 2), 0xf0100000);
    CU_ASSERT_EQUAL(where(&a, 4), 0xc200);
    CU_ASSERT_EQUAL(where(&a, 5), 0xf0200000);
    CU_ASSERT_EQUAL(room.pio, 0xc204);
    CU_ASSERT_EQUAL(room.mmio, 0xf0200010);
    CU_ASSERT_EQUAL(pci_read(&a.f, PCI_INTERRUPT_LINE, 1), 11);
    CU_ASSERT_EQUAL(pci_read(&a.f, PCI_COMMAND, 2), 7);
    CU_ASSERT_EQUAL(assign(&b, &one_of_each, BARS, &room), 0); /* the next one after it */
    CU_ASSERT_EQUAL(where(&b, 0), 0xc300);
    CU_ASSERT_EQUAL(where(&b, 1), 0xf0201000);
    CU_ASSERT_EQUAL(where(&b, 2), 0xf0300000);
    CU_ASSERT_EQUAL(where(&b, 4), 0xc400);
    CU_ASSERT_EQUAL(where(&b, 5), 0xf0400000);
}

/* Those that are not there are left alone, even if they would answer. */
static void only_the_bars_that_are_there(void)
{
    struct pci_room room = {.pio = 0xc000, .mmio = 0xf0000000};
    struct function a = {0};

    CU_ASSERT_EQUAL(assign(&a, &one_of_each, 1u << 1, &room), 0);
    CU_ASSERT_EQUAL(where(&a, 1), 0xf0000000);
    CU_ASSERT_EQUAL(pci_read(&a.f, PCI_BAR0, 4), 1);
    CU_ASSERT_EQUAL(pci_read(&a.f, PCI_BAR0 + 8, 4), 0xc);
    CU_ASSERT_EQUAL(room.pio, 0xc000);
    CU_ASSERT_EQUAL(assign(&a, &one_of_each, 0, &room), 0);
    CU_ASSERT_EQUAL(pci_read(&a.f, PCI_COMMAND, 2), 7);
    CU_ASSERT_EQUAL(room.mmio, 0xf0001000);
}

static void the_room_ends(void)
{
    static const struct pci_spec ports = {.command_writable = 1,
                                          .bar = {{.kind = PCI_BAR_PIO, .size = 256}}},
                                 memory = {.command_writable = 2,
                                           .bar = {{.kind = PCI_BAR_MEM32, .size = 1u << 26}}},
                                 half = {.command_writable = 2,
                                         .bar = {{.kind = PCI_BAR_MEM32, .size = 1u << 31}}};
    struct pci_room room = {.pio = 0xfd01, .mmio = 0xf4000000};
    struct function a = {0};

    CU_ASSERT_EQUAL(assign(&a, &ports, 1, &room), 0);
    CU_ASSERT_EQUAL(where(&a, 0), 0xfe00);
    CU_ASSERT_EQUAL(assign(&a, &ports, 1, &room), 0);
    CU_ASSERT_EQUAL(where(&a, 0), 0xff00);
    CU_ASSERT_EQUAL(assign(&a, &ports, 1, &room), -ENOSPC);
    CU_ASSERT_EQUAL(assign(&a, &half, 1, &room), -ENOSPC);
    CU_ASSERT_EQUAL(assign(&a, &memory, 1, &room), 0);
    CU_ASSERT_EQUAL(where(&a, 0), 0xf4000000);
    CU_ASSERT_EQUAL(assign(&a, &memory, 1, &room), 0);
    CU_ASSERT_EQUAL(where(&a, 0), 0xf8000000);
    CU_ASSERT_EQUAL(assign(&a, &memory, 1, &room), -ENOSPC); /* its end would look like sizing */
    CU_ASSERT_EQUAL(where(&a, 0), 0);
}

/* What an access says is what comes back, and nothing is enabled before all is done. */
static void each_access_fails(void)
{
    unsigned n;
    struct pci_room room = {.pio = 0xc000, .mmio = 0xf0000000};
    struct function a = {0};

    CU_ASSERT_EQUAL(assign(&a, &one_of_each, BARS, &room), 0);
    n = a.accesses;
    CU_ASSERT_TRUE(n >= 3 * 5 + 2);
    for (unsigned i = 1; i <= n; i++) {
        a = (struct function){.fails_at = i};
        CU_ASSERT_EQUAL(assign(&a, &one_of_each, BARS, &room), -EIO);
        CU_ASSERT_EQUAL(pci_read(&a.f, PCI_COMMAND, 2), 0);
        CU_ASSERT_EQUAL(a.accesses, i);
    }
}

/* BARs as hardware may have them: what they read after all ones were written. */
static uint64_t answer;
static uint64_t written;

static int odd(void *ctx, bool write, unsigned reg, unsigned size, uint64_t *data)
{
    (void)ctx, (void)size;
    if (write && reg == PCI_BAR0)
        written = *data;
    if (!write)
        *data = answer;
    return 0;
}

static void odd_bars(void)
{
    static const struct {
        uint64_t answer, base;
    } bar[] = {
        {0x0000ffe1, 0xc000},                               /* ports, without the upper 16 bits */
        {0xffffffe1, 0xc000},                               /* with them */
        {0x00000001, 0xffffffff},                           /* no bit can be written: left alone */
        {0x00000008, 0xffffffff},                           /* the same of memory */
        {0x00000000, 0xffffffff},                           /* no BAR */
        {0xfffffff0, 0xf0000000}, {0xff000004, 0xf0000000}, /* 64 bits */
    };

    for (unsigned i = 0; i < sizeof(bar) / sizeof(bar[0]); i++) {
        struct pci_room room = {.pio = 0xc000, .mmio = 0xf0000000};
        struct pci_config c = {.access = odd};

        answer = bar[i].answer;
        CU_ASSERT_EQUAL(pci_assign(&c, 1, 0, &room), 0);
        CU_ASSERT_EQUAL(written, bar[i].base);
    }
}

const char *const suite_name = "pci_assign";
const struct cu_test suite_tests[] = {
    {"BARs are aligned and apart", bars_are_aligned_and_apart},
    {"only the BARs that are there", only_the_bars_that_are_there},
    {"the room ends", the_room_ends},
    {"each access fails once", each_access_fails},
    {"odd BARs", odd_bars},
    {NULL, NULL},
};
