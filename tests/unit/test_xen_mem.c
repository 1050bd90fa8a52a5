/* SPDX-License-Identifier: BSD-3-Clause */
/* The cache of foreign mappings: what is mapped, for how long, and what is not there. */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <string.h>

#include "../../iocore/xen_mem.h"
#include "cu_main.h"
#include "test_eal.h"
#include "xen_rig.h"

#define CHUNK ((uint64_t)XEN_MEM_CHUNK_PAGES * XR_PAGE)

static struct xen_dm *dm;
static struct xen_mem *mem;
static struct guestmem gm;

/* Each byte of guest memory knows its own address. */
static uint8_t tag(uint64_t at)
{
    return (uint8_t)(at * 7 + (at >> 12) * 13 + (at >> 16));
}

static void set_up(void)
{
    const char *why = NULL;

    test_eal();
    xr_power_on(1, true);
    CU_ASSERT_EQUAL_FATAL(xen_dm_open(XR_DOMID, &dm, &why), 0);
    mem = xen_mem_new(dm);
    CU_ASSERT_PTR_NOT_NULL_FATAL(mem);
    gm = (struct guestmem){.far = xen_mem_at, .far_ctx = mem};
    for (uint64_t i = 0; i < 4 * CHUNK; i++)
        xr_mem[i] = tag(i);
}

static void tear_down(void)
{
    xen_mem_free(mem);
    CU_ASSERT_EQUAL(xr_windows(), 0);
    xen_dm_close(dm);
    CU_ASSERT_EQUAL(xr_power_off(), 0);
}

/* The byte at gpa by way of the cache; -1: not there. *run: as guestmem_at. */
static int byte_at(uint64_t gpa, uint64_t *run)
{
    uint64_t len = 1 << 20;
    const uint8_t *p = xen_mem_at(mem, gpa, &len);

    if (run)
        *run = p ? len : 0;
    return p ? *p : -1;
}

/* --- what is there --- */

static void translation(void)
{
    uint64_t run, len = 8;

    set_up();
    CU_ASSERT_EQUAL(byte_at(0, &run), tag(0));
    CU_ASSERT_EQUAL(run, CHUNK);
    CU_ASSERT_EQUAL(byte_at(XR_PAGE + 5, &run), tag(XR_PAGE + 5));
    CU_ASSERT_EQUAL(run, CHUNK - XR_PAGE - 5);
    CU_ASSERT_EQUAL(byte_at(2 * CHUNK - 1, &run), tag(2 * CHUNK - 1));
    CU_ASSERT_EQUAL(run, 1);
    CU_ASSERT_EQUAL(xen_mem_read(mem).maps, 2);
    CU_ASSERT_PTR_NOT_NULL(xen_mem_at(mem, 100, &len)); /* no more than what was wanted */
    CU_ASSERT_EQUAL(len, 8);
    tear_down();
}

/* What is written arrives in the guest, across chunks too; what is beside it stays. */
static void copies(void)
{
    uint8_t out[3 * XR_PAGE], in[3 * XR_PAGE];
    uint64_t at = CHUNK - XR_PAGE - 100;

    set_up();
    for (unsigned i = 0; i < sizeof(out); i++)
        out[i] = (uint8_t)(i / 5);
    CU_ASSERT_TRUE(guestmem_copy(&gm, at, out, sizeof(out), true));
    CU_ASSERT_EQUAL(memcmp(xr_mem + at, out, sizeof(out)), 0);
    CU_ASSERT_EQUAL(xr_mem[at - 1], tag(at - 1));
    CU_ASSERT_EQUAL(xr_mem[at + sizeof(out)], tag(at + sizeof(out)));
    CU_ASSERT_TRUE(guestmem_copy(&gm, at, in, sizeof(in), false));
    CU_ASSERT_EQUAL(memcmp(in, out, sizeof(in)), 0);
    CU_ASSERT_EQUAL(xen_mem_read(mem).maps, 2);
    tear_down();
}

/* --- what is not --- */

static void holes(void)
{
    uint8_t buf[2 * XR_PAGE];
    uint64_t run;

    set_up();
    xr_page(3, XR_HOLE);
    xr_page(16 + 0, XR_HOLE);
    xr_page(16 + 15, XR_HOLE);
    CU_ASSERT_EQUAL(byte_at(0, &run), tag(0));
    CU_ASSERT_EQUAL(run, 3 * XR_PAGE);
    CU_ASSERT_EQUAL(byte_at(3 * XR_PAGE, &run), -1);
    CU_ASSERT_EQUAL(byte_at(4 * XR_PAGE - 1, NULL), -1);
    CU_ASSERT_EQUAL(byte_at(4 * XR_PAGE, &run), tag(4 * XR_PAGE));
    CU_ASSERT_EQUAL(run, 12 * XR_PAGE);
    CU_ASSERT_EQUAL(byte_at(CHUNK, NULL), -1);
    CU_ASSERT_EQUAL(byte_at(CHUNK + XR_PAGE, &run), tag(CHUNK + XR_PAGE));
    CU_ASSERT_EQUAL(run, 14 * XR_PAGE);
    CU_ASSERT_FALSE(guestmem_copy(&gm, 2 * XR_PAGE, buf, sizeof(buf), false));
    CU_ASSERT_EQUAL(xen_mem_read(mem).failures, 4);
    tear_down();
}

static void nothing_there(void)
{
    static const uint64_t far[] = {(uint64_t)XR_PAGES * XR_PAGE, 1ull << 40,     1ull << 63,
                                   UINT64_MAX - 0xffff,          UINT64_MAX - 4, UINT64_MAX};
    uint8_t buf[16];

    set_up();
    for (unsigned i = 0; i < sizeof(far) / sizeof(far[0]); i++) {
        CU_ASSERT_EQUAL(byte_at(far[i], NULL), -1);
        CU_ASSERT_FALSE(guestmem_copy(&gm, far[i], buf, sizeof(buf), true));
    }
    CU_ASSERT_EQUAL(xen_mem_read(mem).chunks, 0);
    CU_ASSERT_EQUAL(xr_windows(), 0);
    CU_ASSERT_TRUE(xen_mem_read(mem).failures >= 12);
    tear_down();
}

/* The guest was given more memory: what was not there is found without anybody saying so. */
static void a_page_appears(void)
{
    set_up();
    xr_page(3, XR_HOLE);
    CU_ASSERT_EQUAL(byte_at(5, NULL), tag(5));
    CU_ASSERT_EQUAL(byte_at(3 * XR_PAGE, NULL), -1);
    xr_page(3, 3);
    CU_ASSERT_EQUAL(byte_at(3 * XR_PAGE, NULL), tag(3 * XR_PAGE));
    CU_ASSERT_EQUAL(byte_at(5, NULL), tag(5));
    for (unsigned i = 0; i < 16; i++)
        xr_page(16 + i, XR_HOLE);
    CU_ASSERT_EQUAL(byte_at(CHUNK, NULL), -1);
    xr_page(16, 16);
    CU_ASSERT_EQUAL(byte_at(CHUNK, NULL), tag(CHUNK));
    CU_ASSERT_EQUAL(byte_at(CHUNK + XR_PAGE, NULL), -1);
    CU_ASSERT_EQUAL(xr_windows(), 2);
    tear_down();
}

/* Xen or the kernel has no room at the moment. */
static void a_mapping_fails(void)
{
    set_up();
    xr_fail("xenforeignmemory_map", 1, ENOMEM);
    CU_ASSERT_EQUAL(byte_at(0, NULL), -1);
    CU_ASSERT_EQUAL(byte_at(0, NULL), tag(0));
    xr_page(3, XR_HOLE);
    xen_mem_flush(mem);
    CU_ASSERT_EQUAL(byte_at(0, NULL), tag(0));
    xr_fail("xenforeignmemory_map", 1, ENOMEM); /* while it looks once more */
    CU_ASSERT_EQUAL(byte_at(3 * XR_PAGE, NULL), -1);
    CU_ASSERT_EQUAL(byte_at(4 * XR_PAGE, NULL), tag(4 * XR_PAGE));
    CU_ASSERT_EQUAL(xr_windows(), 1);
    tear_down();
}

/* --- how much, and for how long --- */

/* A guest that touches all it has: mappings stay bounded, and each byte is right. */
static void the_bound(void)
{
    unsigned n = XEN_MEM_CHUNKS + 200;
    struct xen_mem_counters c;

    set_up();
    for (unsigned round = 0; round < 3; round++)
        for (unsigned i = 0; i < n; i++) {
            uint64_t at = i * CHUNK + (i % 16) * XR_PAGE;

            xr_mem[at] = (uint8_t)(i * 3 + round);
            if (byte_at(at, NULL) != (uint8_t)(i * 3 + round))
                CU_FAIL("the byte is another one, or not there");
            if (xr_windows() > XEN_MEM_CHUNKS)
                CU_FAIL("too many mappings");
        }
    c = xen_mem_read(mem);
    CU_ASSERT_EQUAL(c.chunks, XEN_MEM_CHUNKS);
    CU_ASSERT_EQUAL(xr_windows(), XEN_MEM_CHUNKS);
    CU_ASSERT_EQUAL(c.failures, 0);
    CU_ASSERT_EQUAL(c.maps, c.evictions + XEN_MEM_CHUNKS);
    CU_ASSERT_EQUAL(xr.maps, c.maps);
    CU_ASSERT_EQUAL(xr.unmaps, c.evictions);
    tear_down();
}

/* Second chance: what is used again and again stays, whatever else comes by. */
static void what_is_used_stays(void)
{
    uint64_t maps;

    set_up();
    for (unsigned i = 0; i < XEN_MEM_CHUNKS; i++)
        byte_at(i * CHUNK, NULL);
    byte_at((XEN_MEM_CHUNKS + 0) * CHUNK, NULL); /* all have lost their first chance */
    byte_at(100 * CHUNK, NULL);
    byte_at(200 * CHUNK, NULL);
    maps = xen_mem_read(mem).maps;
    for (unsigned i = 1; i < 150; i++) {
        byte_at((XEN_MEM_CHUNKS + i) * CHUNK, NULL);
        byte_at(100 * CHUNK, NULL);
    }
    CU_ASSERT_EQUAL(xen_mem_read(mem).maps, maps + 149);
    byte_at(200 * CHUNK, NULL);
    byte_at(100 * CHUNK, NULL);
    CU_ASSERT_EQUAL(xen_mem_read(mem).maps, maps + 149);
    byte_at(50 * CHUNK, NULL); /* not used since: gone */
    CU_ASSERT_EQUAL(xen_mem_read(mem).maps, maps + 150);
    tear_down();
}

/* The guest's memory map changed: the old page is nobody's business any more. */
static void flushing(void)
{
    set_up();
    byte_at(0, NULL);
    byte_at(CHUNK, NULL);
    xr_page(0, 40);
    CU_ASSERT_EQUAL(byte_at(0, NULL), tag(0)); /* nobody said so */
    xen_mem_flush(mem);
    CU_ASSERT_EQUAL(xr_windows(), 0);
    CU_ASSERT_EQUAL(xen_mem_read(mem).chunks, 0);
    CU_ASSERT_EQUAL(xen_mem_read(mem).flushes, 1);
    CU_ASSERT_EQUAL(byte_at(0, NULL), tag(40 * XR_PAGE));
    CU_ASSERT_EQUAL(byte_at(CHUNK, NULL), tag(CHUNK));
    tear_down();
}

const char *const suite_name = "xen_mem";
const struct cu_test suite_tests[] = {
    {"translation and its bounds", translation},
    {"copies across chunks", copies},
    {"holes", holes},
    {"addresses where nothing is", nothing_there},
    {"a page appears", a_page_appears},
    {"a mapping fails", a_mapping_fails},
    {"the bound on mappings", the_bound},
    {"what is used stays", what_is_used_stays},
    {"flushing", flushing},
    {NULL, NULL},
};
