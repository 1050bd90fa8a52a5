/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables for eyes: widths, sides, unfinished rows. */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <stdlib.h>

#include "coopvmm/table.h"
#include "cu_main.h"

const char *const suite_name = "table";

static const char *const head[] = {"NAME", "N", "WHAT"};

static void expect(struct table *t, const char *text)
{
    char *out = NULL;
    size_t len;
    FILE *f = open_memstream(&out, &len);

    CU_ASSERT_EQUAL(table_print(t, f), 0);
    fclose(f);
    CU_ASSERT_STRING_EQUAL(out, text);
    free(out);
    table_free(t);
}

static void test_empty(void)
{
    expect(table_new(head, 3), "NAME  N  WHAT\n");
}

static void test_aligned(void)
{
    struct table *t = table_new(head, 3);

    table_cell(t, "%s", "a");
    table_cell(t, "%d", 5);
    table_cell(t, "%s", "x");
    table_cell(t, "%s", "longer-é"); /* eight wide, nine bytes */
    table_cell(t, "%d", -100);
    table_cell(t, "%s", "");
    CU_ASSERT_EQUAL(table_rows(t), 2);
    expect(t, "NAME         N  WHAT\n"
              "a            5  x\n"
              "longer-é  -100\n");
}

/* One word in a column of numbers sets it flush left; "-" does not. */
static void test_sides(void)
{
    struct table *t = table_new(head, 2);

    table_cell(t, "1");
    table_cell(t, "-");
    table_cell(t, "any");
    table_cell(t, "100.5%%");
    expect(t, "NAME       N\n"
              "1          -\n"
              "any   100.5%\n");
}

static void test_unfinished(void)
{
    struct table *t = table_new(head, 3);

    table_end_row(t); /* nothing is begun: nothing happens */
    table_cell(t, "a");
    table_end_row(t);
    table_cell(t, "b");
    CU_ASSERT_EQUAL(table_rows(t), 2);
    expect(t, "NAME  N  WHAT\n"
              "a\n"
              "b\n");
}

static void test_refused(void)
{
    CU_ASSERT_PTR_NULL(table_new(head, 0));
    CU_ASSERT_PTR_NULL(table_new(head, 33));
    table_cell(NULL, "x");
    table_end_row(NULL);
    table_free(NULL);
    CU_ASSERT_EQUAL(table_rows(NULL), 0);
    CU_ASSERT_EQUAL(table_print(NULL, stdout), -ENOMEM);
}

const struct cu_test suite_tests[] = {
    {"no rows", test_empty},
    {"columns are aligned", test_aligned},
    {"numbers are flush right", test_sides},
    {"unfinished rows", test_unfinished},
    {"bad arguments", test_refused},
    {NULL, NULL},
};
