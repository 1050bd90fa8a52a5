/* SPDX-License-Identifier: BSD-3-Clause */
/* PCI configuration space, on a function with one of everything. */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <string.h>

#include "../../nicmodels/pci.h"
#include "cu_main.h"

const char *const suite_name = "pci";

static const uint8_t pm_cap[8] = {0x01, 0, 0x03, 0, 0x08};
static const uint8_t pm_writable[8] = {0, 0, 0, 0, 0x03};
static const uint8_t msi_cap[14] = {0x05, 0, 0x80};
static const uint8_t msi_writable[14] = {0,    0,    0x71, 0,    0xfc, 0xff, 0xff,
                                         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const uint8_t odd_cap[5] = {0x09, 0, 5, 0x11,
                                   0x22}; /* the next begins aligned all the same */
static const struct pci_cap caps[] = {{sizeof(pm_cap), pm_cap, pm_writable},
                                      {sizeof(odd_cap), odd_cap, NULL},
                                      {sizeof(msi_cap), msi_cap, msi_writable}};

static const struct pci_spec spec = {
    .vendor_id = 0x1234,
    .device_id = 0x5678,
    .subsystem_vendor_id = 0x1af4,
    .subsystem_id = 0x1100,
    .class_code = 0x020000,
    .revision_id = 0x10,
    .interrupt_pin = 1,
    .min_gnt = 0x20,
    .max_lat = 0x40,
    .command_writable = PCI_COMMAND_IO | PCI_COMMAND_MEM | PCI_COMMAND_MASTER |
                        PCI_COMMAND_INTX_DISABLE | PCI_COMMAND_SERR,
    .status = PCI_STATUS_DEVSEL_MEDIUM,
    .bar = {{.kind = PCI_BAR_PIO, .size = 256},
            {.kind = PCI_BAR_MEM32, .size = 4096},
            {.kind = PCI_BAR_MEM64, .size = 1ull << 33, .prefetchable = true},
            {.kind = PCI_BAR_NONE},
            {.kind = PCI_BAR_MEM32, .size = 16, .prefetchable = true}},
    .rom_size = 65536,
    .caps = caps,
    .ncaps = 3,
};

static void wr(struct pci_func *f, unsigned offset, unsigned size, uint64_t v)
{
    pci_write(&spec, f, offset, size, v);
}

static uint64_t rd(const struct pci_func *f, unsigned offset, unsigned size)
{
    return pci_read(f, offset, size);
}

/* Register by register: reset value, then what all ones and all zeroes leave. */
static const struct {
    uint8_t offset, size;
    uint32_t reset, ones, zeroes;
} registers[] = {
    {PCI_VENDOR_ID, 2, 0x1234, 0x1234, 0x1234},
    {PCI_DEVICE_ID, 2, 0x5678, 0x5678, 0x5678},
    {PCI_COMMAND, 2, 0, 0x0507, 0},
    {PCI_STATUS, 2, 0x0210, 0x0210, 0x0210},
    {PCI_REVISION_ID, 1, 0x10, 0x10, 0x10},
    {PCI_CLASS_CODE, 1, 0, 0, 0},
    {PCI_CLASS_CODE + 1, 2, 0x0200, 0x0200, 0x0200},
    {PCI_CACHE_LINE_SIZE, 1, 0, 0xff, 0},
    {PCI_LATENCY_TIMER, 1, 0, 0xff, 0},
    {PCI_HEADER_TYPE, 1, 0, 0, 0},
    {PCI_BIST, 1, 0, 0, 0},
    {PCI_BAR0, 4, 0x1, 0xffffff01, 0x1},
    {PCI_BAR0 + 4, 4, 0, 0xfffff000, 0},
    {PCI_BAR0 + 8, 4, 0xc, 0xc, 0xc},
    {PCI_BAR0 + 12, 4, 0, 0xfffffffe, 0},
    {PCI_BAR0 + 16, 4, 8, 0xfffffff8, 8},
    {PCI_BAR0 + 20, 4, 0, 0, 0},
    {0x28, 4, 0, 0, 0},
    {PCI_SUBSYSTEM_VENDOR_ID, 2, 0x1af4, 0x1af4, 0x1af4},
    {PCI_SUBSYSTEM_ID, 2, 0x1100, 0x1100, 0x1100},
    {PCI_ROM_BAR, 4, 0, 0xffff0001, 0},
    {PCI_CAP_PTR, 1, 0x40, 0x40, 0x40},
    {0x38, 4, 0, 0, 0},
    {PCI_INTERRUPT_LINE, 1, 0, 0xff, 0},
    {PCI_INTERRUPT_PIN, 1, 1, 1, 1},
    {PCI_MIN_GNT, 1, 0x20, 0x20, 0x20},
    {PCI_MAX_LAT, 1, 0x40, 0x40, 0x40},
    {0x40, 4, 0x00034801, 0x00034801, 0x00034801},
    {0x44, 4, 0x8, 0xb, 0x8},
    {0x48, 4, 0x11055009, 0x11055009, 0x11055009},
    {0x4c, 4, 0x22, 0x22, 0x22},
    {0x50, 4, 0x00800005, 0x00f10005, 0x00800005},
    {0x54, 4, 0, 0xfffffffc, 0},
    {0x58, 4, 0, 0xffffffff, 0},
    {0x5c, 4, 0, 0x0000ffff, 0},
    {0x60, 4, 0, 0, 0},
    {0xfc, 4, 0, 0, 0},
};

static void test_registers(void)
{
    const char *why;
    struct pci_func f;

    for (unsigned i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
        unsigned o = registers[i].offset, n = registers[i].size;

        pci_reset(&spec, &f);
        CU_ASSERT_EQUAL(rd(&f, o, n), registers[i].reset);
        wr(&f, o, n, ~0ull);
        CU_ASSERT_EQUAL(rd(&f, o, n), registers[i].ones);
        CU_ASSERT_EQUAL(pci_validate(&spec, &f, &why), 0);
        wr(&f, o, n, 0);
        CU_ASSERT_EQUAL(rd(&f, o, n), registers[i].zeroes);
    }
}

/* Bytes, words and double words reach the same bits. */
static void test_access_sizes(void)
{
    struct pci_func a, b, c;

    pci_reset(&spec, &a);
    pci_reset(&spec, &b);
    pci_reset(&spec, &c);
    for (unsigned o = 0; o < PCI_CFG_SIZE; o += 8) {
        wr(&a, o, 8, 0xa55a3cc3f00f9669);
        for (unsigned i = 0; i < 8; i++)
            wr(&b, o + i, 1, 0xa55a3cc3f00f9669 >> 8 * i);
        wr(&c, o, 4, 0xf00f9669);
        wr(&c, o + 4, 2, 0x3cc3);
        wr(&c, o + 6, 2, 0xa55a);
    }
    CU_ASSERT_EQUAL(memcmp(&a, &b, sizeof(a)), 0);
    CU_ASSERT_EQUAL(memcmp(&a, &c, sizeof(a)), 0);
    CU_ASSERT_EQUAL(rd(&a, 0xfe, 4), 0xffff0000);
    wr(&a, 0xfe, 8, ~0ull); /* past the end: nowhere */
}

static void test_status(void)
{
    struct pci_func f;

    pci_reset(&spec, &f);
    f.cfg[PCI_STATUS + 1] |= 0xf9; /* as a model would set errors */
    wr(&f, PCI_STATUS, 2, 0);
    CU_ASSERT_EQUAL(rd(&f, PCI_STATUS, 2), 0xfb10);
    wr(&f, PCI_STATUS, 2, 0x2800);
    CU_ASSERT_EQUAL(rd(&f, PCI_STATUS, 2), 0xd310);
    wr(&f, PCI_STATUS, 2, 0xffff);
    CU_ASSERT_EQUAL(rd(&f, PCI_STATUS, 2), 0x0210);
}

static void test_interrupt(void)
{
    struct pci_func f;

    pci_reset(&spec, &f);
    CU_ASSERT_TRUE(pci_set_interrupt(&f, true));
    CU_ASSERT_EQUAL(rd(&f, PCI_STATUS, 1), 0x18);
    wr(&f, PCI_COMMAND, 2, PCI_COMMAND_INTX_DISABLE);
    CU_ASSERT_FALSE(pci_set_interrupt(&f, true));
    CU_ASSERT_EQUAL(rd(&f, PCI_STATUS, 1), 0x18); /* asked for, only not delivered */
    CU_ASSERT_FALSE(pci_set_interrupt(&f, false));
    CU_ASSERT_EQUAL(rd(&f, PCI_STATUS, 1), 0x10);
}

static uint64_t where(const struct pci_func *f, unsigned i)
{
    uint64_t base;

    return pci_decodes(&spec, f, i, &base) ? base : ~0ull;
}

static void test_decode(void)
{
    struct pci_func f;

    pci_reset(&spec, &f);
    wr(&f, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEM);
    for (unsigned i = 0; i <= PCI_NBARS; i++)
        CU_ASSERT_EQUAL(where(&f, i), ~0ull); /* no address yet */
    wr(&f, PCI_BAR0, 4, 0xc123);
    wr(&f, PCI_BAR0 + 4, 4, 0xfebf1234);
    wr(&f, PCI_BAR0 + 8, 8, 0x1234567890ull | 8ull << 32);
    wr(&f, PCI_BAR0 + 16, 4, 0xfffffff0); /* ends at 4 GiB: what sizing leaves */
    wr(&f, PCI_ROM_BAR, 4, 0xfec12345);
    CU_ASSERT_EQUAL(where(&f, 0), 0xc100);
    CU_ASSERT_EQUAL(where(&f, 1), 0xfebf1000);
    CU_ASSERT_EQUAL(where(&f, 2), 0x1a00000000ull);
    CU_ASSERT_EQUAL(where(&f, 3), ~0ull);
    CU_ASSERT_EQUAL(where(&f, 4), ~0ull);
    CU_ASSERT_EQUAL(where(&f, 5), ~0ull);
    CU_ASSERT_EQUAL(where(&f, PCI_NBARS), 0xfec10000);
    wr(&f, PCI_ROM_BAR, 4, 0xfec10000); /* ROM's own enable */
    CU_ASSERT_EQUAL(where(&f, PCI_NBARS), ~0ull);
    wr(&f, PCI_COMMAND, 2, PCI_COMMAND_IO);
    CU_ASSERT_EQUAL(where(&f, 0), 0xc100);
    CU_ASSERT_EQUAL(where(&f, 1), ~0ull);
    CU_ASSERT_EQUAL(where(&f, 2), ~0ull);
    wr(&f, PCI_COMMAND, 2, PCI_COMMAND_MEM);
    CU_ASSERT_EQUAL(where(&f, 0), ~0ull);
    CU_ASSERT_EQUAL(where(&f, 1), 0xfebf1000);
    wr(&f, PCI_BAR0 + 8, 8, ~0ull);
    CU_ASSERT_EQUAL(where(&f, 2), ~0ull);
    wr(&f, PCI_COMMAND, 2, PCI_COMMAND_IO);
    wr(&f, PCI_BAR0, 4, 0xffffffff);
    CU_ASSERT_EQUAL(where(&f, 0), ~0ull);
    wr(&f, PCI_BAR0, 4, 0x1c000); /* above the 64 K ports there are */
    CU_ASSERT_EQUAL(where(&f, 0), ~0ull);
    wr(&f, PCI_BAR0, 4, 0xff00); /* the last ports are ports */
    CU_ASSERT_EQUAL(where(&f, 0), 0xff00);
}

static void test_windows(void)
{
    static const uint64_t sizes[] = {256, 4096, 1ull << 33, 16, 65536};
    static const uint8_t regions[] = {0, 1, 2, 4, NM_REGION_ROM};
    struct nm_window w[NM_MAX_REGIONS];
    struct pci_func f;

    pci_reset(&spec, &f);
    CU_ASSERT_EQUAL(pci_windows(&spec, &f, w, NM_MAX_REGIONS), 5);
    for (unsigned i = 0; i < 5; i++) {
        CU_ASSERT_EQUAL(w[i].space, NM_SPACE_NONE);
        CU_ASSERT_EQUAL(w[i].size, sizes[i]);
        CU_ASSERT_EQUAL(w[i].region, regions[i]);
        CU_ASSERT_EQUAL(w[i].base, 0);
    }
    CU_ASSERT_EQUAL(pci_windows(&spec, &f, w, 2), 2);
    wr(&f, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEM);
    wr(&f, PCI_BAR0, 4, 0xd000);
    wr(&f, PCI_ROM_BAR, 4, 0xe0000001);
    CU_ASSERT_EQUAL(pci_windows(&spec, &f, w, NM_MAX_REGIONS), 5);
    CU_ASSERT_EQUAL(w[0].space, NM_SPACE_PIO);
    CU_ASSERT_EQUAL(w[0].base, 0xd000);
    CU_ASSERT_EQUAL(w[4].space, NM_SPACE_MMIO);
    CU_ASSERT_EQUAL(w[4].base, 0xe0000000);
}

static void test_validate(void)
{
    const char *why = NULL;
    struct pci_func f;
    unsigned refused = 0;

    /* A flipped bit is accepted if the guest could have flipped it, or it is the device's. */
    for (unsigned o = 0; o < PCI_CFG_SIZE; o++)
        for (unsigned b = 0; b < 8; b++) {
            struct pci_func g;
            bool guest;

            pci_reset(&spec, &f);
            g = f;
            wr(&g, o, 1, ~0ull);
            guest = (g.cfg[o] ^ f.cfg[o]) >> b & 1;
            if (o == PCI_STATUS)
                guest = b == 3;
            if (o == PCI_STATUS + 1)
                guest = 0xf9 >> b & 1;
            if (!guest && (f.cfg[o] >> b & 1)) { /* set at reset: can it be cleared? */
                g = f;
                wr(&g, o, 1, 0);
                guest = (g.cfg[o] ^ f.cfg[o]) >> b & 1;
            }
            f.cfg[o] ^= (uint8_t)(1 << b);
            CU_ASSERT_EQUAL(pci_validate(&spec, &f, &why), guest ? 0 : -EPROTO);
            refused += !guest;
        }
    CU_ASSERT_TRUE(refused > 1500);
    CU_ASSERT_PTR_NOT_NULL(why);
}

static void test_config_access(void)
{
    uint8_t mem[16];
    struct nm_access a = {.offset = PCI_INTERRUPT_LINE, .size = 1, .count = 4, .mem = mem};
    struct pci_func f;

    pci_reset(&spec, &f);
    memcpy(mem, "\1\2\3\4", 4);
    a.write = true;
    CU_ASSERT_EQUAL(pci_config_access(&spec, &f, &a), NM_DONE);
    CU_ASSERT_EQUAL(a.done_count, 4);
    CU_ASSERT_EQUAL(rd(&f, PCI_INTERRUPT_LINE, 1), 4);
    a = (struct nm_access){.offset = 0, .size = 4, .count = 4, .mem = mem + 12, .down = true};
    CU_ASSERT_EQUAL(pci_config_access(&spec, &f, &a), NM_DONE);
    for (unsigned i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(memcmp(mem + 4 * i, "\x34\x12\x78\x56", 4), 0);
    a = (struct nm_access){.offset = PCI_CFG_SIZE, .size = 4, .count = 1};
    CU_ASSERT_EQUAL(pci_config_access(&spec, &f, &a), NM_UNCLAIMED);
    a.offset = ~0ull;
    CU_ASSERT_EQUAL(pci_config_access(&spec, &f, &a), NM_UNCLAIMED);
    a = (struct nm_access){.offset = 0, .size = 4, .count = 1};
    CU_ASSERT_EQUAL(pci_config_access(&spec, &f, &a), NM_DONE);
    CU_ASSERT_EQUAL(a.data, 0x56781234);
}

/* A function that is never a master, without ROM, capabilities or interrupt. */
static void test_bare_function(void)
{
    static const struct pci_spec bare = {.vendor_id = 1, .command_writable = PCI_COMMAND_MEM};
    struct nm_window w[NM_MAX_REGIONS];
    struct pci_func f;

    pci_reset(&bare, &f);
    for (unsigned o = 0; o < PCI_CFG_SIZE; o += 4)
        pci_write(&bare, &f, o, 4, ~0ull);
    for (unsigned o = 0; o < PCI_CFG_SIZE; o += 4)
        CU_ASSERT_EQUAL(rd(&f, o, 4), o == 0                    ? 1
                                      : o == PCI_COMMAND        ? 2
                                      : o == PCI_INTERRUPT_LINE ? 0xff
                                                                : 0);
    CU_ASSERT_EQUAL(pci_windows(&bare, &f, w, NM_MAX_REGIONS), 0);
}

const struct cu_test suite_tests[] = {
    {"register by register", test_registers},
    {"access sizes", test_access_sizes},
    {"STATUS: written 1 to clear", test_status},
    {"INTx and its disable bit", test_interrupt},
    {"decoding", test_decode},
    {"windows", test_windows},
    {"states from outside", test_validate},
    {"accesses, single and string", test_config_access},
    {"a bare function", test_bare_function},
    {NULL, NULL},
};
