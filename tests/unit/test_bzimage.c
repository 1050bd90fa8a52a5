/* SPDX-License-Identifier: BSD-3-Clause */
/* Loading of Linux kernels: one made here, then each of its numbers broken. */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../coopvmm/bzimage.h"
#include "cu_main.h"

const char *const suite_name = "bzimage";

#define MEMORY (4u << 20)
#define LOAD   0x200000u
#define SETUP  (5 * 512u) /* the setup sectors and the one before them */
#define KERNEL 0x1000u    /* bytes of the kernel proper */

static uint8_t file[SETUP + KERNEL], params[BOOT_PARAMS_SIZE], *mem;
static const char *why;

static void set(unsigned at, unsigned size, uint64_t v)
{
    memcpy(file + at, &v, size);
}

static uint64_t param(unsigned at, unsigned size)
{
    uint64_t v = 0;

    memcpy(&v, params + at, size);
    return v;
}

static void make(void)
{
    memset(file, 0, sizeof(file));
    memset(file + SETUP, 0xc3, KERNEL);
    set(0x1f1, 1, 4);
    set(0x1fe, 2, 0xaa55);
    set(0x200, 2, 0x66eb); /* jmp: the header ends at 0x268 */
    set(0x202, 4, 0x53726448);
    set(0x206, 2, 0x020f);
    set(0x211, 1, 1);
    set(0x22c, 4, 0x7fffffff);
    set(0x236, 2, 0x3f);
    set(0x238, 4, 2047);
    set(0x258, 8, LOAD);
    set(0x260, 4, 0x100000);
}

static int load(size_t size, struct bzimage *img)
{
    uint8_t *copy = malloc(size); /* exactly: sanitizers guard its end */
    int err;

    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    memcpy(copy, file, size);
    free(mem);
    mem = calloc(1, MEMORY);
    err = bzimage_load(copy, size, mem, MEMORY, params, img, &why);
    free(copy);
    return err;
}

static void test_load(void)
{
    struct bzimage img;

    make();
    CU_ASSERT_EQUAL_FATAL(load(sizeof(file), &img), 0);
    CU_ASSERT_EQUAL(img.load, LOAD);
    CU_ASSERT_EQUAL(img.entry, LOAD + 0x200);
    CU_ASSERT_EQUAL(img.end, LOAD + 0x100000);
    CU_ASSERT_EQUAL(img.initrd_max, 0x7fffffff);
    CU_ASSERT_EQUAL(img.cmdline_max, 2047);
    CU_ASSERT_EQUAL(memcmp(mem + LOAD, file + SETUP, KERNEL), 0);
    CU_ASSERT_EQUAL(mem[LOAD - 1], 0);
    CU_ASSERT_EQUAL(mem[LOAD + KERNEL], 0);
}

static void test_params(void)
{
    struct bzimage img;

    make();
    CU_ASSERT_EQUAL_FATAL(load(sizeof(file), &img), 0);
    CU_ASSERT_EQUAL(param(0x202, 4), 0x53726448);
    CU_ASSERT_EQUAL(param(0x210, 1), 0xff);
    CU_ASSERT_EQUAL(param(0x1e8, 1), 0);
    bzimage_set_cmdline(params, 0x11000);
    bzimage_set_initrd(params, 0x300000, 77);
    bzimage_set_rsdp(params, 0xe0000);
    bzimage_add_e820(params, 0, 0xa0000, E820_RAM);
    bzimage_add_e820(params, 0x100000000, 0x40000000, E820_RAM);
    bzimage_add_e820(params, 5, 0, E820_RESERVED); /* nothing */
    CU_ASSERT_EQUAL(param(0x228, 4), 0x11000);
    CU_ASSERT_EQUAL(param(0x218, 4), 0x300000);
    CU_ASSERT_EQUAL(param(0x21c, 4), 77);
    CU_ASSERT_EQUAL(param(0x070, 8), 0xe0000);
    CU_ASSERT_EQUAL(param(0x1e8, 1), 2);
    CU_ASSERT_EQUAL(param(0x2d0 + 20, 8), 0x100000000);
    CU_ASSERT_EQUAL(param(0x2d0 + 28, 8), 0x40000000);
    CU_ASSERT_EQUAL(param(0x2d0 + 36, 4), E820_RAM);
    for (unsigned i = 0; i < 300; i++)
        bzimage_add_e820(params, i, 1, E820_RAM);
    CU_ASSERT_EQUAL(param(0x1e8, 1), 128);
    CU_ASSERT_EQUAL(param(0x2d0 + 20 * 128, 8), 0);
}

static const struct {
    unsigned at, size;
    uint64_t value;
    int err;
    const char *why;
} mistakes[] = {
    {0x1fe, 2, 0, -ENOEXEC, "no Linux kernel"},
    {0x202, 4, 0, -ENOEXEC, "no Linux kernel"},
    {0x206, 2, 0x020b, -ENOEXEC, "older than boot protocol 2.12"},
    {0x211, 1, 0, -ENOEXEC, "no 64-bit entry"},
    {0x236, 2, 2, -ENOEXEC, "no 64-bit entry"},
    {0x1f1, 1, 12, -ENOEXEC, "ends before"},
    {0x1f1, 1, 255, -ENOEXEC, "ends before"},
    {0x258, 8, 0xfffff, -ERANGE, "does not fit"},
    {0x258, 8, MEMORY, -ERANGE, "does not fit"},
    {0x258, 8, ~0ull, -ERANGE, "does not fit"},
    {0x258, 8, MEMORY - KERNEL + 1, -ERANGE, "does not fit"},
    {0x260, 4, MEMORY, -ERANGE, "does not fit"},
};

static void test_refused(void)
{
    struct bzimage img;

    for (unsigned i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        make();
        set(mistakes[i].at, mistakes[i].size, mistakes[i].value);
        CU_ASSERT_EQUAL(load(sizeof(file), &img), mistakes[i].err);
        CU_ASSERT_PTR_NOT_NULL(strstr(why, mistakes[i].why));
    }
}

/* Cut off anywhere; without a number of sectors there are four. */
static void test_short_files(void)
{
    struct bzimage img;

    make();
    set(0x1f1, 1, 0);
    CU_ASSERT_EQUAL(load(sizeof(file), &img), 0);
    for (size_t n = 1; n <= SETUP + 0x200; n += n < 0x300 ? 1 : 97)
        CU_ASSERT_EQUAL(load(n, &img), -ENOEXEC);
    set(0x201, 1, 0xff); /* a header as long as can be said */
    CU_ASSERT_EQUAL(load(sizeof(file), &img), 0);
    free(mem);
    mem = NULL;
}

const struct cu_test suite_tests[] = {
    {"a kernel is where it wants to be", test_load},
    {"boot_params", test_params},
    {"what is refused, and why", test_refused},
    {"files that are cut off", test_short_files},
    {NULL, NULL},
};
