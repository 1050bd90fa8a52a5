/* SPDX-License-Identifier: BSD-3-Clause */
#include <CUnit/CUnit.h>
#include <errno.h>

#include "../../coopvmm/x2apic.h"
#include "cu_main.h"

static void write_ok(struct x2apic *a, uint32_t msr, uint64_t v)
{
    struct x2apic_ipi ipi;

    CU_ASSERT_EQUAL(x2apic_write(a, msr, v, &ipi), 0);
}

static uint64_t read_ok(const struct x2apic *a, uint32_t msr)
{
    uint64_t v = 0;

    CU_ASSERT_EQUAL(x2apic_read(a, msr, &v), 0);
    return v;
}

/* A vector in service holds back its own class and below, not what is above. */
static void test_priorities(void)
{
    struct x2apic a;

    x2apic_init(&a, 0);
    CU_ASSERT_EQUAL(x2apic_pending(&a), -1);
    x2apic_raise(&a, 0x35);
    x2apic_raise(&a, 0x31);
    CU_ASSERT_EQUAL(x2apic_pending(&a), 0x35);
    x2apic_accept(&a, 0x35);
    CU_ASSERT_EQUAL(x2apic_pending(&a), -1);
    CU_ASSERT_EQUAL(read_ok(&a, X2APIC_PPR), 0x30);
    x2apic_raise(&a, 0x40);
    CU_ASSERT_EQUAL(x2apic_pending(&a), 0x40);
    x2apic_accept(&a, 0x40);
    write_ok(&a, X2APIC_EOI, 0); /* ends 0x40, the higher one */
    CU_ASSERT_EQUAL(x2apic_pending(&a), -1);
    write_ok(&a, X2APIC_EOI, 0);
    CU_ASSERT_EQUAL(x2apic_pending(&a), 0x31);
}

static void test_edges(void)
{
    struct x2apic a;

    x2apic_init(&a, 0);
    for (unsigned v = 0; v < 16; v++)
        x2apic_raise(&a, v);
    CU_ASSERT_EQUAL(x2apic_pending(&a), -1);
    for (unsigned v = 16; v < 256; v++) {
        x2apic_raise(&a, v);
        x2apic_raise(&a, v); /* an edge that waits already */
        CU_ASSERT_EQUAL(x2apic_pending(&a), (int)v);
        CU_ASSERT_EQUAL(read_ok(&a, X2APIC_IRR0 + v / 32), 1ull << (v % 32));
        x2apic_accept(&a, v);
        CU_ASSERT_EQUAL(read_ok(&a, X2APIC_IRR0 + v / 32), 0);
        CU_ASSERT_EQUAL(read_ok(&a, X2APIC_ISR0 + v / 32), 1ull << (v % 32));
        write_ok(&a, X2APIC_EOI, 0);
        CU_ASSERT_EQUAL(x2apic_pending(&a), -1);
    }
}

static void test_task_priority(void)
{
    struct x2apic a;

    x2apic_init(&a, 0);
    x2apic_raise(&a, 0x35);
    write_ok(&a, X2APIC_TPR, 0x30);
    CU_ASSERT_EQUAL(x2apic_pending(&a), -1);
    write_ok(&a, X2APIC_TPR, 0x2f);
    CU_ASSERT_EQUAL(x2apic_pending(&a), 0x35);
    write_ok(&a, X2APIC_SIVR, 0xff); /* software-disabled */
    CU_ASSERT_EQUAL(x2apic_pending(&a), -1);
}

static void test_refused(void)
{
    static const struct {
        uint32_t msr;
        uint64_t value;
    } bad[] = {{X2APIC_ID, 0},
               {X2APIC_EOI, 1},
               {X2APIC_TPR, 0x100},
               {X2APIC_TPR, 1ull << 32},
               {X2APIC_SIVR, 0x10000},
               {X2APIC_SELF_IPI, 0x100},
               {X2APIC_TIMER_INIT, 1},
               {X2APIC_ICR, 1ull << 12},
               {0x800, 0},
               {0x80e, 0},
               {X2APIC_LVT_TIMER, 1u << 31},
               {X2APIC_ESR, 1}};
    static const uint32_t unreadable[] = {0x800, 0x80b, 0x80e, 0x831, X2APIC_SELF_IPI};
    struct x2apic_ipi ipi;
    struct x2apic a;
    uint64_t v;

    x2apic_init(&a, 3);
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CU_ASSERT_EQUAL(x2apic_write(&a, bad[i].msr, bad[i].value, &ipi), -EINVAL);
    for (unsigned i = 0; i < sizeof(unreadable) / sizeof(unreadable[0]); i++)
        CU_ASSERT_EQUAL(x2apic_read(&a, unreadable[i], &v), -EINVAL);
    CU_ASSERT_EQUAL(read_ok(&a, X2APIC_ID), 3);
    CU_ASSERT_EQUAL(read_ok(&a, X2APIC_LDR), 8);
}

static unsigned targets(uint64_t icr, uint32_t from)
{
    struct x2apic_ipi ipi;
    struct x2apic a;
    unsigned set = 0;

    x2apic_init(&a, from);
    CU_ASSERT_EQUAL(x2apic_write(&a, X2APIC_ICR, icr, &ipi), 0);
    CU_ASSERT_TRUE(ipi.wanted);
    CU_ASSERT_EQUAL(ipi.vector, icr & 0xff);
    for (unsigned id = 0; id < 4; id++)
        set |= (unsigned)x2apic_is_target(&ipi, from, id) << id;
    return set;
}

static void test_ipi(void)
{
    CU_ASSERT_EQUAL(targets(2ull << 32 | 0xf0, 0), 1 << 2);
    CU_ASSERT_EQUAL(targets(0xffffffffull << 32 | 0xf0, 1), 0xf);
    CU_ASSERT_EQUAL(targets(1u << 18 | 0xf0, 1), 1 << 1);               /* self */
    CU_ASSERT_EQUAL(targets(2u << 18 | 0xf0, 1), 0xf);                  /* all */
    CU_ASSERT_EQUAL(targets(3u << 18 | 0xf0, 1), 0xf & ~(1 << 1));      /* all but self */
    CU_ASSERT_EQUAL(targets(0x5ull << 32 | 1u << 11 | 0xf0, 1), 0x5);   /* logical 0 and 2 */
    CU_ASSERT_EQUAL(targets(0x10005ull << 32 | 1u << 11 | 0xf0, 1), 0); /* another cluster */
}

const char *const suite_name = "x2apic";
const struct cu_test suite_tests[] = {
    {"priorities and EOI", test_priorities}, {"every vector", test_edges},
    {"task priority", test_task_priority},   {"what hardware refuses", test_refused},
    {"who gets an IPI", test_ipi},           {NULL, NULL},
};
