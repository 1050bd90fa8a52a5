/* SPDX-License-Identifier: BSD-3-Clause */
/* Guest memory, requests on a model (a real NE2000), and its durable state. */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../iocore/devio.h"
#include "../../iocore/state.h"
#include "../../protocol/iotp_ctl.h"
#include "cu_main.h"

#define PAGE 4096u
#define DATA 16 /* NE2000's data port */

/* --- guest memory: two regions with a hole, the second not contiguous with the first --- */

static struct guestmem gm;
static uint8_t *low, *high;

static void map_two(void)
{
    int fd = iotp_memfd("gm", 3 * PAGE);

    memset(&gm, 0, sizeof(gm));
    CU_ASSERT_EQUAL_FATAL(guestmem_map(&gm, 0, PAGE, fd, 0), 0);
    CU_ASSERT_EQUAL_FATAL(guestmem_map(&gm, PAGE, PAGE, fd, 2 * PAGE), 0);
    close(fd);
    low = gm.region[0].host;
    high = gm.region[1].host;
}

static void translation(void)
{
    uint64_t len = 100;

    map_two();
    CU_ASSERT_PTR_EQUAL(guestmem_at(&gm, 0, &len), low);
    CU_ASSERT_EQUAL(len, 100);
    CU_ASSERT_PTR_EQUAL(guestmem_at(&gm, PAGE - 4, &len), low + PAGE - 4);
    CU_ASSERT_EQUAL(len, 4);
    len = 1;
    CU_ASSERT_PTR_EQUAL(guestmem_at(&gm, 2 * PAGE - 1, &len), high + PAGE - 1);
    CU_ASSERT_PTR_NULL(guestmem_at(&gm, 2 * PAGE, &len));
    CU_ASSERT_PTR_NULL(guestmem_at(&gm, ~0ull, &len));
    len = ~0ull;
    CU_ASSERT_PTR_NOT_NULL(guestmem_at(&gm, 1, &len));
    CU_ASSERT_EQUAL(len, PAGE - 1);
    guestmem_unmap(&gm);
}

static void refusals(void)
{
    int fd = iotp_memfd("gm", 8 * PAGE);

    memset(&gm, 0, sizeof(gm));
    CU_ASSERT_EQUAL(guestmem_map(&gm, PAGE, 2 * PAGE, fd, 0), 0);
    CU_ASSERT_EQUAL(guestmem_map(&gm, 2 * PAGE, PAGE, fd, 0), -EINVAL);
    CU_ASSERT_EQUAL(guestmem_map(&gm, 0, 2 * PAGE, fd, 0), -EINVAL);
    CU_ASSERT_EQUAL(guestmem_map(&gm, ~0ull - PAGE + 1, 2 * PAGE, fd, 0), -EINVAL);
    CU_ASSERT_EQUAL(guestmem_add(&gm, 0, 0, &gm), -EINVAL);
    for (unsigned i = 1; i < GUESTMEM_MAX_REGIONS; i++)
        CU_ASSERT_EQUAL(guestmem_map(&gm, (10ull + i) * PAGE, PAGE, fd, 0), 0);
    CU_ASSERT_EQUAL(guestmem_map(&gm, 100 * PAGE, PAGE, fd, 0), -ENOSPC);
    guestmem_unmap(&gm);
    close(fd);
}

static void copies(void)
{
    uint8_t out[64], in[64];

    map_two();
    for (unsigned i = 0; i < sizeof(out); i++)
        out[i] = (uint8_t)(i * 7 + 1);
    CU_ASSERT_TRUE(guestmem_copy(&gm, PAGE - 32, out, sizeof(out), true));
    CU_ASSERT_EQUAL(memcmp(low + PAGE - 32, out, 32), 0);
    CU_ASSERT_EQUAL(memcmp(high, out + 32, 32), 0);
    CU_ASSERT_TRUE(guestmem_copy(&gm, PAGE - 32, in, sizeof(in), false));
    CU_ASSERT_EQUAL(memcmp(in, out, sizeof(in)), 0);
    CU_ASSERT_FALSE(guestmem_copy(&gm, 2 * PAGE - 32, in, sizeof(in), false));
    guestmem_unmap(&gm);
}

/* --- requests --- */

static uint64_t regs[NM_MAX_REGS / 8];
static bool no_tx(struct nm_dev *d, const void *frame, size_t len)
{
    (void)d;
    (void)frame;
    (void)len;
    return true;
}
static void no_irq(struct nm_dev *d, unsigned line, bool level)
{
    (void)d;
    (void)line;
    (void)level;
}
static const struct nm_env env = {.irq = no_irq, .tx = no_tx};
static struct nm_dev nic;

static void power_on(void)
{
    struct nm_params p = {.mac = {0x52, 0x54, 0, 1, 2, 3}};
    const char *why = "";

    free(nic.ram);
    memset(regs, 0, sizeof(regs));
    nic = (struct nm_dev){.model = nm_model_find("ne2000"), .regs = regs, .env = &env};
    CU_ASSERT_PTR_NOT_NULL_FATAL(nic.model);
    nic.ram = calloc(1, nic.model->ram_size);
    CU_ASSERT_EQUAL_FATAL(nic.model->init(&nic, &p, &why), 0);
}

static struct iotp_resp request(struct iotp_req r, uint8_t *bounce)
{
    struct iotp_resp resp;

    devio_request(&nic, &gm, bounce, &r, &resp);
    return resp;
}

static void out8(unsigned reg, uint8_t value)
{
    request((struct iotp_req){.offset = reg, .data = value, .count = 1, .op = 1, .size = 1}, NULL);
}

static uint64_t in8(unsigned reg)
{
    return request((struct iotp_req){.offset = reg, .count = 1, .size = 1}, NULL).data;
}

/* Remote DMA of `len` bytes at `addr` of the card's memory: CR command 0x12 writes, 0x0a reads. */
static void dma(uint8_t command, unsigned addr, unsigned len)
{
    out8(0, 0x21);
    out8(14, 0x08);
    out8(8, addr & 0xff);
    out8(9, (uint8_t)(addr >> 8));
    out8(10, len & 0xff);
    out8(11, (uint8_t)(len >> 8));
    out8(0, command);
}

static struct iotp_resp string(uint8_t op, uint64_t mem, uint32_t count, uint8_t size, uint8_t *b)
{
    return request(
        (struct iotp_req){
            .offset = DATA, .mem = mem, .count = count, .op = op | IOTP_OP_STRING, .size = size},
        b);
}

static void malformed_requests(void)
{
    static const uint8_t sizes[] = {0, 3, 5, 9, 16, 255};

    map_two();
    power_on();
    for (unsigned i = 0; i < sizeof(sizes); i++) {
        struct iotp_req r = {.offset = 0, .count = 1, .size = sizes[i]};

        CU_ASSERT_EQUAL(request(r, NULL).status, IOTP_FAILED);
    }
    CU_ASSERT_EQUAL(request((struct iotp_req){.size = 1, .region = 200}, NULL).status, IOTP_FAILED);
    CU_ASSERT_EQUAL(request((struct iotp_req){.size = 1, .region = 3}, NULL).status,
                    IOTP_UNCLAIMED);
    CU_ASSERT_EQUAL(request((struct iotp_req){.size = 2, .region = 3}, NULL).data, 0xffff);
    CU_ASSERT_EQUAL(string(0, 0, 0, 1, NULL).status, IOTP_FAILED);
    CU_ASSERT_EQUAL(string(0, 0, IOTP_MAX_STRING + 1, 1, NULL).status, IOTP_FAILED);
    CU_ASSERT_EQUAL(string(IOTP_OP_BOUNCE, 0, 1, 1, NULL).status, IOTP_FAILED);
    guestmem_unmap(&gm);
}

/* What was written through one string must be read back by single accesses, and the reverse. */
static void strings_across_regions(void)
{
    map_two();
    power_on();
    for (unsigned size = 1; size <= 4; size *= 2) {
        unsigned count = 200 / size, start = PAGE - 101; /* elements straddle the regions' seam */

        for (unsigned i = 0; i < 200; i++) {
            uint8_t byte = (uint8_t)(i + size);

            guestmem_copy(&gm, start + i, &byte, 1, true);
        }
        dma(0x12, 0x4000, 200);
        CU_ASSERT_EQUAL(string(IOTP_OP_WRITE, start, count, (uint8_t)size, NULL).done_count, count);
        dma(0x0a, 0x4000, 200);
        for (unsigned i = 0; i < 200; i++)
            CU_ASSERT_EQUAL(in8(DATA), (uint8_t)(i + size));
        dma(0x0a, 0x4000, 200);
        CU_ASSERT_EQUAL(string(0, start - 500, count, (uint8_t)size, NULL).done_count, count);
        CU_ASSERT_EQUAL(low[start - 500], (uint8_t)size);
    }
    guestmem_unmap(&gm);
}

static void strings_downwards(void)
{
    map_two();
    power_on();
    for (unsigned i = 0; i < 100; i++)
        low[1000 - i] = (uint8_t)i;
    dma(0x12, 0x4000, 100);
    CU_ASSERT_EQUAL(string(IOTP_OP_WRITE | IOTP_OP_DOWN, 1000, 100, 1, NULL).done_count, 100);
    dma(0x0a, 0x4000, 100);
    for (unsigned i = 0; i < 100; i++)
        CU_ASSERT_EQUAL(in8(DATA), i);
    /* from the second region down into the first, and on below address 0 */
    for (unsigned i = 0; i < 64; i++)
        guestmem_copy(&gm, PAGE + 31 - i, &(uint8_t){(uint8_t)(i ^ 0x5a)}, 1, true);
    dma(0x12, 0x4000, 64);
    CU_ASSERT_EQUAL(string(IOTP_OP_WRITE | IOTP_OP_DOWN, PAGE + 31, 64, 1, NULL).done_count, 64);
    dma(0x0a, 0x4000, 64);
    for (unsigned i = 0; i < 64; i++)
        CU_ASSERT_EQUAL(in8(DATA), i ^ 0x5a);
    dma(0x12, 0x4000, 64);
    CU_ASSERT_EQUAL(string(IOTP_OP_WRITE | IOTP_OP_DOWN, 9, 64, 1, NULL).done_count, 10);
    guestmem_unmap(&gm);
}

static void strings_where_memory_ends(void)
{
    struct iotp_resp r;

    map_two();
    power_on();
    dma(0x12, 0x4000, 100);
    r = string(IOTP_OP_WRITE, 2 * PAGE - 10, 100, 1, NULL);
    CU_ASSERT_EQUAL(r.status, IOTP_DONE);
    CU_ASSERT_EQUAL(r.done_count, 10);
    r = string(IOTP_OP_WRITE, 2 * PAGE, 90, 1, NULL);
    CU_ASSERT_EQUAL(r.status, IOTP_FAILED);
    CU_ASSERT_EQUAL(r.done_count, 0);
    r = string(IOTP_OP_WRITE, ~0ull - 5, 90, 4, NULL);
    CU_ASSERT_EQUAL(r.status, IOTP_FAILED);
    r = string(IOTP_OP_WRITE, 2 * PAGE - 1, 4, 2, NULL); /* half an element is there */
    CU_ASSERT_EQUAL(r.status, IOTP_FAILED);
    CU_ASSERT_EQUAL(r.done_count, 0);
    guestmem_unmap(&gm);
}

static void strings_by_bounce(void)
{
    static uint8_t bounce[IOTP_BOUNCE_SIZE];
    struct iotp_resp r;

    map_two();
    power_on();
    for (unsigned i = 0; i < sizeof(bounce); i++)
        bounce[i] = (uint8_t)(i / 3);
    dma(0x12, 0x4000, 4096);
    r = string(IOTP_OP_WRITE | IOTP_OP_BOUNCE, 4000, 96, 1, bounce);
    CU_ASSERT_EQUAL(r.done_count, 96);
    CU_ASSERT_EQUAL(string(IOTP_OP_WRITE | IOTP_OP_BOUNCE, 4000, 97, 1, bounce).status,
                    IOTP_FAILED);
    CU_ASSERT_EQUAL(string(IOTP_OP_WRITE | IOTP_OP_BOUNCE, 4096, 1, 1, bounce).status, IOTP_FAILED);
    CU_ASSERT_EQUAL(string(IOTP_OP_WRITE | IOTP_OP_BOUNCE, 4095, 1, 2, bounce).status, IOTP_FAILED);
    dma(0x0a, 0x4000, 96);
    for (unsigned i = 0; i < 96; i++)
        CU_ASSERT_EQUAL(in8(DATA), (uint8_t)((4000 + i) / 3));
    guestmem_unmap(&gm);
}

static void long_strings_are_cut(void)
{
    int fd = iotp_memfd("gm", 64 * PAGE);

    memset(&gm, 0, sizeof(gm));
    guestmem_map(&gm, 0, 64 * PAGE, fd, 0);
    close(fd);
    power_on();
    dma(0x0a, 0x4000, 0xffff);
    CU_ASSERT_EQUAL(string(0, 0, 40000, 1, NULL).done_count, DEVIO_MAX_STRING_BYTES);
    guestmem_unmap(&gm);
}

static void reads_from_nowhere(void)
{
    struct iotp_req r = {.offset = DATA, .mem = 100, .count = 50, .op = IOTP_OP_STRING, .size = 2};
    struct iotp_resp resp;

    map_two();
    power_on();
    r.region = 3;
    resp = request(r, NULL);
    CU_ASSERT_EQUAL(resp.status, IOTP_UNCLAIMED);
    CU_ASSERT_EQUAL(resp.done_count, 50);
    for (unsigned i = 0; i < 100; i++)
        CU_ASSERT_EQUAL(low[100 + i], 0xff);
    CU_ASSERT_EQUAL(low[200], 0);
    guestmem_unmap(&gm);
}

/* --- durable state --- */

static void state_survives(void)
{
    const struct nm_model *m = nm_model_find("ne2000");
    int fd = iotp_memfd("state", state_size(m));
    struct state_record rec = {.kind = STATE_SYNC, .vcpu = 3, .seq = 77, .data = 0x1234}, got;
    struct state *s;
    const char *why;
    uint8_t a[NM_MAX_REGS], b[NM_MAX_REGS];

    memset(a, 0x5a, sizeof(a));
    CU_ASSERT_EQUAL_FATAL(state_map(fd, m, true, &s, &why), 0);
    CU_ASSERT_FALSE(state_load(s, b, &got));
    state_commit(s, a, &rec);
    state_ram(s)[5] = 99;
    a[0] = 1;
    rec.seq = 78;
    state_commit(s, a, &rec);
    state_unmap(s);
    CU_ASSERT_EQUAL_FATAL(state_map(fd, m, false, &s, &why), 0);
    CU_ASSERT_TRUE(state_load(s, b, &got));
    CU_ASSERT_EQUAL(memcmp(a, b, m->regs_size), 0);
    CU_ASSERT_EQUAL(memcmp(&rec, &got, sizeof(rec)), 0);
    CU_ASSERT_EQUAL(state_ram(s)[5], 99);
    state_unmap(s);
    close(fd);
}

static void foreign_states_are_refused(void)
{
    const struct nm_model *m = nm_model_find("ne2000"), *other = nm_model_find("rtl8029");
    int fd = iotp_memfd("state", state_size(other));
    struct state *s;
    const char *why = NULL;
    uint32_t *words;

    CU_ASSERT_EQUAL_FATAL(state_map(fd, other, true, &s, &why), 0);
    state_unmap(s);
    CU_ASSERT_EQUAL(state_map(fd, m, false, &s, &why), -EPROTO);
    CU_ASSERT_PTR_NOT_NULL(why);
    /* each word of the header, corrupted */
    words = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    for (unsigned i = 0; i < 14; i++) {
        words[i] ^= 0x80000001;
        CU_ASSERT_EQUAL(state_map(fd, other, false, &s, &why), -EPROTO);
        words[i] ^= 0x80000001;
    }
    CU_ASSERT_EQUAL(state_map(fd, other, false, &s, &why), 0);
    state_unmap(s);
    munmap(words, PAGE);
    close(fd);
}

const char *const suite_name = "devio";
const struct cu_test suite_tests[] = {
    {"guest memory: translation and its bounds", translation},
    {"guest memory: regions that are refused", refusals},
    {"guest memory: copies across regions", copies},
    {"malformed requests", malformed_requests},
    {"strings across memory regions", strings_across_regions},
    {"strings downwards", strings_downwards},
    {"strings where memory ends", strings_where_memory_ends},
    {"strings by the bounce buffer", strings_by_bounce},
    {"long strings are cut", long_strings_are_cut},
    {"strings from a region that is not there", reads_from_nowhere},
    {"durable state survives", state_survives},
    {"states of other models are refused", foreign_states_are_refused},
    {NULL, NULL},
};
