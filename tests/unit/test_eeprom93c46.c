/* SPDX-License-Identifier: BSD-3-Clause */
/* The serial EEPROM, bit by bit as drivers drive it. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "../../nicmodels/eeprom93c46.h"
#include "cu_main.h"

const char *const suite_name = "eeprom93c46";

static struct eeprom93c46 e;
static uint16_t word[EE_WORDS];

static void power_on(void)
{
    ee93c46_reset(&e);
    for (unsigned i = 0; i < EE_WORDS; i++)
        word[i] = (uint16_t)(0x8129 + 0x111 * i);
}

static void select_chip(void)
{
    ee93c46_lines(&e, word, false, false, false);
    ee93c46_lines(&e, word, true, false, false);
}

static void put_bits(uint32_t bits, unsigned n)
{
    while (n--) {
        bool di = bits >> n & 1;

        ee93c46_lines(&e, word, true, false, di);
        ee93c46_lines(&e, word, true, true, di);
    }
    ee93c46_lines(&e, word, true, false, false);
}

static uint16_t get_word(void)
{
    uint16_t v = 0;

    for (unsigned i = 0; i < 16; i++) {
        ee93c46_lines(&e, word, true, true, false);
        v = (uint16_t)(v << 1 | e.data_out);
        ee93c46_lines(&e, word, true, false, false);
    }
    return v;
}

static void instruct(uint32_t bits, unsigned n)
{
    select_chip();
    put_bits(bits, n);
    ee93c46_lines(&e, word, false, false, false);
    CU_ASSERT_TRUE(ee93c46_valid(&e));
}

static void write_enable(bool on)
{
    instruct(0x100 | (on ? 0x30 : 0), 9);
}

static void test_read(void)
{
    power_on();
    for (unsigned i = 0; i < EE_WORDS; i++) {
        select_chip();
        CU_ASSERT_EQUAL(e.data_out, 1);
        put_bits(0x180 | i, 9);
        CU_ASSERT_EQUAL(e.data_out, 0); /* the dummy bit */
        CU_ASSERT_EQUAL(get_word(), word[i]);
        CU_ASSERT_EQUAL(get_word(), word[(i + 1) % EE_WORDS]);
        CU_ASSERT_TRUE(ee93c46_valid(&e));
    }
    /* Linux looks for a 93C56 first, which has eight bits of address: that must not succeed. */
    select_chip();
    put_bits(6 << 8, 11);
    CU_ASSERT_NOT_EQUAL(get_word(), 0x8129);
    /* zeroes before the start bit are not counted */
    select_chip();
    put_bits(0x180 | 5, 20);
    CU_ASSERT_EQUAL(get_word(), word[5]);
}

static void test_write(void)
{
    power_on();
    instruct((0x140 | 7) << 16 | 0x1234, 25);
    CU_ASSERT_EQUAL(word[7], 0x8129 + 0x111 * 7); /* not enabled */
    write_enable(true);
    select_chip();
    put_bits((0x140 | 7) << 16 | 0x1234, 25);
    CU_ASSERT_NOT_EQUAL(word[7], 0x1234); /* not before CS falls */
    put_bits(3, 2);                       /* more than there is room for is not taken */
    ee93c46_lines(&e, word, false, false, false);
    CU_ASSERT_EQUAL(word[7], 0x1234);
    select_chip();
    CU_ASSERT_EQUAL(e.data_out, 1); /* ready */
    instruct((0x140 | 7) << 15 | 0x2b2a, 24);
    CU_ASSERT_EQUAL(word[7], 0x1234); /* cut short: nothing */
    write_enable(false);
    instruct((0x140 | 7) << 16 | 0x4321, 25);
    CU_ASSERT_EQUAL(word[7], 0x1234);
    CU_ASSERT_EQUAL(word[6], 0x8129 + 0x111 * 6);
    CU_ASSERT_EQUAL(word[8], 0x8129 + 0x111 * 8);
}

static void test_erase(void)
{
    power_on();
    instruct(0x1c0 | 9, 9);
    CU_ASSERT_NOT_EQUAL(word[9], 0xffff);
    write_enable(true);
    instruct(0x1c0 | 9, 9);
    CU_ASSERT_EQUAL(word[9], 0xffff);
    CU_ASSERT_EQUAL(word[10], 0x8129 + 0x111 * 10);
    instruct(0x110u << 16 | 0xbeef, 25); /* WRAL */
    for (unsigned i = 0; i < EE_WORDS; i++)
        CU_ASSERT_EQUAL(word[i], 0xbeef);
    instruct(0x120, 9); /* ERAL */
    for (unsigned i = 0; i < EE_WORDS; i++)
        CU_ASSERT_EQUAL(word[i], 0xffff);
}

/* Without CS, and without rising edges, nothing happens. */
static void test_edges(void)
{
    struct eeprom93c46 before;

    power_on();
    ee93c46_lines(&e, word, false, false, false);
    before = e;
    for (unsigned i = 0; i < 100; i++) {
        ee93c46_lines(&e, word, false, true, i & 1);
        ee93c46_lines(&e, word, false, false, i & 1);
    }
    CU_ASSERT_EQUAL(memcmp(&e, &before, sizeof(e)), 0);
    select_chip();
    ee93c46_lines(&e, word, true, true, true);
    before = e;
    ee93c46_lines(&e, word, true, true, false);
    CU_ASSERT_EQUAL(memcmp(&e, &before, sizeof(e)), 0);
    CU_ASSERT_EQUAL(e.nin, 1);
}

static void test_refused_states(void)
{
    power_on();
    CU_ASSERT_TRUE(ee93c46_valid(&e));
    e.next = EE_WORDS;
    CU_ASSERT_FALSE(ee93c46_valid(&e));
    power_on();
    e.nout = 16;
    CU_ASSERT_FALSE(ee93c46_valid(&e));
    power_on();
    e.nin = EE_MAX_BITS + 1;
    CU_ASSERT_FALSE(ee93c46_valid(&e));
    power_on();
    e.cs = 2;
    CU_ASSERT_FALSE(ee93c46_valid(&e));
}

const struct cu_test suite_tests[] = {
    {"READ", test_read},
    {"EWEN, WRITE, EWDS", test_write},
    {"ERASE, WRAL, ERAL", test_erase},
    {"edges", test_edges},
    {"states that are refused", test_refused_states},
    {NULL, NULL},
};
