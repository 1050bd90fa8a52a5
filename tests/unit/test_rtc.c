/* SPDX-License-Identifier: BSD-3-Clause */
#include <CUnit/CUnit.h>

#include "../../coopvmm/rtc.h"
#include "cu_main.h"

const char *const suite_name = "rtc";

#define NOW 1709211909 /* Thursday, 2024-02-29 13:05:09 UTC */

static uint8_t at(struct rtc *r, uint8_t index)
{
    rtc_write(r, 0, index);
    return rtc_read(r, 1, NOW);
}

static void put(struct rtc *r, uint8_t index, uint8_t value)
{
    rtc_write(r, 0, index);
    rtc_write(r, 1, value);
}

static const struct {
    uint8_t index, bcd, binary;
} fields[] = {{0, 0x09, 9},  {2, 0x05, 5}, {4, 0x13, 13}, {6, 5, 5},
              {7, 0x29, 29}, {8, 0x02, 2}, {9, 0x24, 24}, {0x32, 0x20, 20}};

static void test_time(void)
{
    struct rtc r;

    rtc_reset(&r);
    for (unsigned i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        CU_ASSERT_EQUAL(at(&r, fields[i].index), fields[i].bcd);
    put(&r, 11, 0x06);
    for (unsigned i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        CU_ASSERT_EQUAL(at(&r, fields[i].index), fields[i].binary);
    put(&r, 11, 0x00); /* 12 hours, BCD: 1 p.m. */
    CU_ASSERT_EQUAL(at(&r, 4), 0x81);
    put(&r, 4, 0x01); /* the clock is the host's */
    CU_ASSERT_EQUAL(at(&r, 4), 0x81);
}

static void test_status(void)
{
    struct rtc r;

    rtc_reset(&r);
    CU_ASSERT_EQUAL(at(&r, 10), 0x26); /* never in the middle of an update */
    CU_ASSERT_EQUAL(at(&r, 11), 0x02);
    CU_ASSERT_EQUAL(at(&r, 12), 0);
    CU_ASSERT_EQUAL(at(&r, 13), 0x80);
    put(&r, 11, 0xf2); /* no interrupts here, and time never stands still */
    CU_ASSERT_EQUAL(at(&r, 11), 0x02);
    put(&r, 13, 0);
    CU_ASSERT_EQUAL(at(&r, 13), 0x80);
}

static void test_memory(void)
{
    struct rtc r;

    rtc_reset(&r);
    put(&r, 0x0f, 0x0a);
    CU_ASSERT_EQUAL(at(&r, 0x0f), 0x0a);
    put(&r, 0xff, 0x77); /* bit 7 is the NMI's */
    CU_ASSERT_EQUAL(at(&r, 0x7f), 0x77);
    CU_ASSERT_EQUAL(rtc_read(&r, 0, NOW), 0xff);
}

const struct cu_test suite_tests[] = {
    {"the time, in each form", test_time},
    {"status registers", test_status},
    {"battery-backed memory", test_memory},
    {NULL, NULL},
};
