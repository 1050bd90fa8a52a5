/* SPDX-License-Identifier: BSD-3-Clause */
/* The ACPI tables, read as an operating system does: from the RSDP on, sums and lengths checked. */
#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#include "../../coopvmm/acpi.h"
#include "../../coopvmm/pc.h"
#include "cu_main.h"

const char *const suite_name = "acpi";

static uint8_t *mem; /* what lies at ACPI_TABLES */
static uint32_t used;

static uint64_t get(const uint8_t *p, unsigned at, unsigned size)
{
    uint64_t v = 0;

    memcpy(&v, p + at, size);
    return v;
}

static uint8_t sum(const uint8_t *p, uint32_t n)
{
    uint8_t s = 0;

    while (n--)
        s = (uint8_t)(s + *p++);
    return s;
}

static const uint8_t *at(uint64_t gpa)
{
    CU_ASSERT_FATAL(gpa >= ACPI_TABLES && gpa < ACPI_TABLES + used);
    return mem + (gpa - ACPI_TABLES);
}

/* A table, sound in itself. */
static const uint8_t *table(uint64_t gpa, const char *signature)
{
    const uint8_t *t = at(gpa);
    uint32_t length = (uint32_t)get(t, 4, 4);

    CU_ASSERT_EQUAL(memcmp(t, signature, 4), 0);
    CU_ASSERT_FATAL(gpa + length <= ACPI_TABLES + used);
    CU_ASSERT_EQUAL(sum(t, length), 0);
    return t;
}

static void make(unsigned nvcpus)
{
    free(mem);
    mem = calloc(1, ACPI_TABLES_SIZE); /* exactly: sanitizers guard its end */
    CU_ASSERT_PTR_NOT_NULL_FATAL(mem);
    used = acpi_write(mem, nvcpus);
    CU_ASSERT_FATAL(used > 0 && used <= ACPI_TABLES_SIZE);
}

static const uint8_t *listed(const char *signature)
{
    const uint8_t *xsdt = table(get(mem, 24, 8), "XSDT");
    unsigned n = ((unsigned)get(xsdt, 4, 4) - 36) / 8;

    for (unsigned i = 0; i < n; i++) {
        uint64_t gpa = get(xsdt, 36 + 8 * i, 8);

        if (memcmp(at(gpa), signature, 4) == 0)
            return table(gpa, signature);
    }
    return NULL;
}

static void test_root(void)
{
    make(1);
    CU_ASSERT_EQUAL(memcmp(mem, "RSD PTR ", 8), 0);
    CU_ASSERT_EQUAL(sum(mem, 20), 0);
    CU_ASSERT_EQUAL(sum(mem, 36), 0);
    CU_ASSERT_EQUAL(mem[15], 2);
    CU_ASSERT_PTR_NOT_NULL(listed("FACP"));
    CU_ASSERT_PTR_NOT_NULL(listed("APIC"));
    CU_ASSERT_PTR_NOT_NULL(listed("MCFG"));
    CU_ASSERT_PTR_NULL(listed("SRAT"));
}

static void test_fadt(void)
{
    const uint8_t *f;

    make(1);
    f = listed("FACP");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT_EQUAL(memcmp(at(get(f, 36, 4)), "FACS", 4), 0);
    CU_ASSERT_EQUAL(get(f, 36, 4) % 64, 0);
    table(get(f, 40, 4), "DSDT");
    CU_ASSERT_EQUAL(get(f, 40, 4), get(f, 140, 8)); /* X_DSDT */
    CU_ASSERT_EQUAL(get(f, 46, 2), PC_SCI);
    CU_ASSERT_EQUAL(get(f, 56, 4), PC_PM1_EVT);
    CU_ASSERT_EQUAL(get(f, 64, 4), PC_PM1_CNT);
    CU_ASSERT_EQUAL(f[88], 4);
    CU_ASSERT_EQUAL(f[89], 2);
    CU_ASSERT_EQUAL(f[108], 0x32);
    CU_ASSERT_EQUAL(get(f, 120, 8), PC_RESET); /* RESET_REG's address */
    CU_ASSERT_EQUAL(f[116], 1);
    CU_ASSERT_EQUAL(f[128], PC_RESET_ALL);
    CU_ASSERT_TRUE(get(f, 112, 4) & 1 << 10);
    CU_ASSERT_FALSE(get(f, 112, 4) & 1 << 20); /* not hardware-reduced */
    CU_ASSERT_EQUAL(get(f, 109, 2) & 2, 0);    /* no keyboard controller to probe */
}

/* One entry a CPU, the I/O APIC, nothing malformed. */
static void check_madt(unsigned nvcpus)
{
    const uint8_t *m;
    unsigned end, cpus = 0, ioapics = 0;

    make(nvcpus);
    m = listed("APIC");
    CU_ASSERT_PTR_NOT_NULL_FATAL(m);
    CU_ASSERT_EQUAL(get(m, 36, 4), PC_LAPIC);
    end = (unsigned)get(m, 4, 4);
    for (unsigned i = 44; i < end; i += m[i + 1]) {
        CU_ASSERT_FATAL(m[i + 1] >= 2 && i + m[i + 1] <= end);
        if (m[i] == 0) {
            CU_ASSERT(m[i + 3] == cpus && get(m, i + 4, 4) == 1);
            cpus++;
        } else if (m[i] == 1) {
            CU_ASSERT(get(m, i + 4, 4) == PC_IOAPIC && get(m, i + 8, 4) == 0);
            ioapics++;
        }
    }
    CU_ASSERT_EQUAL(cpus, nvcpus);
    CU_ASSERT_EQUAL(ioapics, 1);
}

static void test_madt(void)
{
    check_madt(1);
    check_madt(2);
    check_madt(64);
    check_madt(255);
    CU_ASSERT_EQUAL(acpi_write(mem, 0), 0);
    CU_ASSERT_EQUAL(acpi_write(mem, 256), 0);
}

static void test_mcfg(void)
{
    const uint8_t *m;

    make(1);
    m = listed("MCFG");
    CU_ASSERT_PTR_NOT_NULL_FATAL(m);
    CU_ASSERT_EQUAL(get(m, 44, 8), PC_ECAM);
    CU_ASSERT(m[54] == 0 && m[55] == 0); /* bus 0 alone */
    free(mem);
    mem = NULL;
}

const struct cu_test suite_tests[] = {
    {"RSDP and XSDT", test_root},
    {"FADT, FACS, DSDT", test_fadt},
    {"MADT", test_madt},
    {"MCFG", test_mcfg},
    {NULL, NULL},
};
