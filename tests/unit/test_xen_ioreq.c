/* SPDX-License-Identifier: BSD-3-Clause */
/* Xen's requests on real device models: ports, memory, strings, and what makes no sense. */
#include "cu_main.h"
#include "test_xen.h"

static uint8_t tag(uint64_t i)
{
    return (uint8_t)(i * 11 + (i >> 8) * 3 + 5);
}

/* What lies in the card's memory, byte by byte. */
static bool card_holds(unsigned base, unsigned addr, unsigned len, uint64_t tag_of_first, int step)
{
    xr_dma(&ioc, base, CR_STA | CR_RD0, addr, len);
    for (unsigned i = 0; i < len; i++)
        if (xr_inb(&ioc, base + DATA) != tag(tag_of_first + (uint64_t)((int64_t)step * (int)i)))
            return false;
    return true;
}

static void fill_guest(uint64_t gpa, unsigned len)
{
    for (unsigned i = 0; i < len; i++)
        xr_mem[gpa + i] = tag(gpa + i);
}

static bool guest_holds(uint64_t gpa, unsigned len, uint8_t byte)
{
    for (unsigned i = 0; i < len; i++)
        if (xr_mem[gpa + i] != byte)
            return false;
    return true;
}

/* rep outs (to the card) and rep ins at the data port. */
static void string(bool in, unsigned base, unsigned size, uint64_t gpa, uint32_t count, bool down)
{
    struct ioreq r = xr_rep(PIO, in, base + DATA, size, gpa, count);

    r.df = down;
    xr_access(&ioc, &r);
}

/* --- single accesses --- */

/* Written in pieces of one size, read in pieces of another: ports, memory window, PCI. */
static void each_size(void)
{
    static const struct {
        unsigned type, base, most;
    } way[] = {{PIO, ISA, 4}, {MMIO, ISA_MEM, 8}, {PIO, PCI, 4}};
    unsigned out, in;

    set_up();
    for (unsigned w = 0; w < 3; w++)
        for (out = 1; out <= way[w].most; out *= 2)
            for (in = 1; in <= way[w].most; in *= 2) {
                unsigned base = way[w].type == MMIO ? ISA : way[w].base;
                uint64_t seed = w * 100 + out * 10 + in;

                xr_dma(&ioc, base, CR_STA | CR_RD1, RAM, 16);
                for (unsigned i = 0; i < 16; i += out) {
                    uint64_t v = 0;

                    for (unsigned b = 0; b < out; b++)
                        v |= (uint64_t)tag(seed + i + b) << 8 * b;
                    xr_write(&ioc, way[w].type, way[w].base + DATA, out, v);
                }
                xr_dma(&ioc, base, CR_STA | CR_RD0, RAM, 16);
                for (unsigned i = 0; i < 16; i += in) {
                    uint64_t v = xr_read(&ioc, way[w].type, way[w].base + DATA, in);

                    for (unsigned b = 0; b < in; b++)
                        CU_ASSERT_EQUAL((uint8_t)(v >> 8 * b), tag(seed + i + b));
                }
            }
    tear_down();
}

/* Beside the state there are other bits in its byte, and a slot holds more than an answer. */
static void the_slot(void)
{
    struct ioreq r = xr_req(PIO, true, ISA, 1), before;

    set_up();
    for (unsigned bits = 0; bits < 16; bits++) {
        r.data = 0x1234;
        r.data_is_ptr = bits & 1;
        r.dir = bits >> 1 & 1;
        r.df = bits >> 2 & 1;
        r._pad1 = bits >> 3 & 1;
        xr_post(0, &r);
        before = xr_slot[0];
        CU_ASSERT_EQUAL(xr_poll(&ioc), 1);
        CU_ASSERT_EQUAL(xr_slot[0].state, STATE_IORESP_READY);
        before.state = STATE_IORESP_READY;
        if (r.dir == IOREQ_READ && !r.data_is_ptr)
            before.data = xr_slot[0].data;
        else
            CU_ASSERT_EQUAL(xr_slot[0].data, 0x1234);
        CU_ASSERT_EQUAL(memcmp(&before, &xr_slot[0], sizeof(before)), 0);
        xr_take(0);
    }
    tear_down();
}

static void each_answer_is_notified(void)
{
    struct ioreq r = xr_req(PIO, true, ISA + PG0R_BNRY, 1);
    unsigned before;

    set_up();
    xr_outb(&ioc, ISA + PG0W_BNRY, 0x42);
    before = xr.notified[0];
    for (unsigned i = 1; i <= 10; i++) {
        xr_post(0, &r);
        xr_post(1, &r);
        CU_ASSERT_EQUAL(xr_poll(&ioc), 2);
        CU_ASSERT_EQUAL(xr_poll(&ioc), 0);
        CU_ASSERT_EQUAL(xr.notified[0], before + i);
        CU_ASSERT_EQUAL(xr.notified[1], i);
        CU_ASSERT_EQUAL(xr_take(0), 0x42);
        CU_ASSERT_EQUAL(xr_take(1), 0x42);
    }
    CU_ASSERT_EQUAL(ioc.x->stats[1].requests, 10);
    CU_ASSERT_EQUAL(ioc.x->n.notifies, xr.notified[0] + xr.notified[1]);
    CU_ASSERT_EQUAL(ioc.x->n.unnotified, 0);
    tear_down();
}

/* Those that Xen does not own, or that wait for Xen, are left alone. */
static void other_states(void)
{
    struct ioreq r = xr_req(PIO, false, ISA + PG0W_BNRY, 1);

    set_up();
    for (unsigned state = 0; state < 16; state++) {
        if (state == STATE_IOREQ_READY)
            continue;
        xr_slot[1] = r;
        xr_slot[1].state = state;
        CU_ASSERT_FALSE(ioc.x->src.ops->peek(&ioc.x->src));
        CU_ASSERT_EQUAL(xr_poll(&ioc), 0);
        CU_ASSERT_EQUAL(xr_slot[1].state, state);
    }
    xr_slot[1].state = STATE_IOREQ_NONE;
    tear_down();
}

/* --- strings at a port --- */

static void strings_up(void)
{
    set_up();
    for (unsigned size = 1; size <= 4; size *= 2) {
        uint64_t gpa = CHUNK - 2 * XR_PAGE - 3; /* elements straddle pages and chunks */
        unsigned len = 3 * XR_PAGE;

        fill_guest(gpa, len);
        xr_dma(&ioc, PCI, CR_STA | CR_RD1, RAM, len);
        string(false, PCI, size, gpa, len / size, false);
        CU_ASSERT_TRUE(card_holds(PCI, RAM, len, gpa, 1));
        memset(xr_mem + 4 * CHUNK, 0, 2 * CHUNK);
        xr_dma(&ioc, PCI, CR_STA | CR_RD0, RAM, len);
        string(true, PCI, size, gpa + 4 * CHUNK, len / size, false);
        CU_ASSERT_EQUAL(memcmp(xr_mem + gpa + 4 * CHUNK, xr_mem + gpa, len), 0);
        CU_ASSERT_TRUE(guest_holds(gpa + 4 * CHUNK - 8, 8, 0));
        CU_ASSERT_TRUE(guest_holds(gpa + 4 * CHUNK + len, 8, 0));
    }
    tear_down();
}

/* The first element is the highest one. */
static void strings_down(void)
{
    uint64_t top = CHUNK + 2 * XR_PAGE + 1;
    unsigned len = 3 * XR_PAGE;

    set_up();
    fill_guest(0, 2 * CHUNK);
    xr_dma(&ioc, PCI, CR_STA | CR_RD1, RAM, len);
    string(false, PCI, 1, top, len, true);
    CU_ASSERT_TRUE(card_holds(PCI, RAM, len, top, -1));
    for (unsigned size = 2; size <= 4; size *= 2) {
        xr_dma(&ioc, PCI, CR_STA | CR_RD1, RAM, len);
        string(false, PCI, size, top, len / size, true);
        memset(xr_mem + 4 * CHUNK, 0, 2 * CHUNK);
        xr_dma(&ioc, PCI, CR_STA | CR_RD0, RAM, len);
        string(true, PCI, size, 4 * CHUNK + top, len / size, true);
        CU_ASSERT_EQUAL(
            memcmp(xr_mem + 4 * CHUNK + top - len + size, xr_mem + top - len + size, len), 0);
        CU_ASSERT_TRUE(guest_holds(4 * CHUNK + top - len + size - 8, 8, 0));
        CU_ASSERT_TRUE(guest_holds(4 * CHUNK + top + size, 8, 0));
        xr_dma(&ioc, PCI, CR_STA | CR_RD0, RAM, size);
        CU_ASSERT_EQUAL(xr_inb(&ioc, PCI + DATA), tag(top)); /* each element has its own order */
    }
    tear_down();
}

/* Longer than one step of the I/O core takes: 32 KiB, all the card has. */
static void long_strings(void)
{
    unsigned len = 0x8000;
    uint32_t seq;

    set_up();
    fill_guest(100, len);
    xr_dma(&ioc, PCI, CR_STA | CR_RD1, RAM, len);
    seq = ioc.x->note->vcpu[0].seq;
    string(false, PCI, 4, 100, len / 4, false);
    CU_ASSERT_EQUAL(ioc.x->note->vcpu[0].seq, seq + 2); /* two steps */
    xr_dma(&ioc, PCI, CR_STA | CR_RD0, RAM, len);
    string(true, PCI, 2, 5 * CHUNK + 1, len / 2, false);
    CU_ASSERT_EQUAL(memcmp(xr_mem + 5 * CHUNK + 1, xr_mem + 100, len), 0);
    xr_dma(&ioc, PCI, CR_STA | CR_RD0, RAM, len);
    string(true, PCI, 1, 7 * CHUNK + len - 1, len, true);
    for (unsigned i = 0; i < len; i++)
        if (xr_mem[7 * CHUNK + len - 1 - i] != xr_mem[100 + i])
            CU_FAIL("not the right byte");
    tear_down();
}

/* As far as there is memory; the device is not asked for more. */
static void strings_into_holes(void)
{
    set_up();
    fill_guest(0, CHUNK);
    xr_page(2, XR_HOLE);
    xr_page(5, XR_HOLE);
    xr_dma(&ioc, ISA, CR_STA | CR_RD1, RAM, 400);
    string(false, ISA, 1, 2 * XR_PAGE - 100, 400, false);
    CU_ASSERT_EQUAL(xr_inb(&ioc, ISA + PG0R_CRDA0), 100);
    CU_ASSERT_TRUE(card_holds(ISA, RAM, 100, 2 * XR_PAGE - 100, 1));
    xr_dma(&ioc, ISA, CR_STA | CR_RD1, RAM, 400);
    string(false, ISA, 2, 5 * XR_PAGE - 3, 4, false); /* the second one straddles the edge */
    CU_ASSERT_EQUAL(xr_inb(&ioc, ISA + PG0R_CRDA0), 2);
    xr_dma(&ioc, ISA, CR_STA | CR_RD0, RAM, 400);
    string(true, ISA, 1, 2 * XR_PAGE, 400, false);
    CU_ASSERT_EQUAL(xr_inb(&ioc, ISA + PG0R_CRDA0), 0);
    CU_ASSERT_EQUAL(xr_mem[2 * XR_PAGE], tag(2 * XR_PAGE));
    tear_down();
}

/* Downwards into a hole of the same chunk: the look for it must not cost what was found before. */
static void strings_down_into_holes(void)
{
    set_up();
    fill_guest(0, CHUNK);
    xr_page(0, XR_HOLE);
    for (unsigned n = 1; n < 300; n += 37) {
        xr_dma(&ioc, ISA, CR_STA | CR_RD1, RAM, 400);
        string(false, ISA, 1, XR_PAGE + n - 1, 400, true);
        xr_dma(&ioc, ISA, CR_STA | CR_RD0, RAM, n);
        CU_ASSERT_TRUE(card_holds(ISA, RAM, n, XR_PAGE + n - 1, -1));
        xr_dma(&ioc, ISA, CR_STA | CR_RD0, RAM, 400);
        string(true, ISA, 1, 9 * XR_PAGE + n - 1, 400, true);
        CU_ASSERT_EQUAL(xr_mem[9 * XR_PAGE + n - 1], tag(XR_PAGE + n - 1));
    }
    tear_down();
}

/* Over the edge of a chunk while the cache has no room left and everybody a second chance. */
static void strings_while_mappings_go(void)
{
    uint64_t len;

    set_up();
    fill_guest(0, 2 * CHUNK);
    for (unsigned i = 0; i < XEN_MEM_CHUNKS; i += 60) {
        for (unsigned k = 0; k < XEN_MEM_CHUNKS; k++) {
            len = 1;
            xen_mem_at(ioc.x->cache, (k + 200) * CHUNK, &len);
        }
        xen_mem_at(ioc.x->cache, CHUNK, &len);
        for (unsigned k = 0; k < i; k++)
            xen_mem_at(ioc.x->cache, (k + 200) * CHUNK, &len);
        xr_dma(&ioc, ISA, CR_STA | CR_RD1, RAM, 400);
        string(false, ISA, 2, CHUNK + 200, 200, true);
        xr_dma(&ioc, ISA, CR_STA | CR_RD0, RAM, 2);
        CU_ASSERT_EQUAL(xr_inb(&ioc, ISA + DATA), tag(CHUNK + 200));
        xr_dma(&ioc, ISA, CR_STA | CR_RD0, RAM + 398, 2);
        CU_ASSERT_EQUAL(xr_inb(&ioc, ISA + DATA), tag(CHUNK + 200 - 398));
    }
    tear_down();
}

/* --- memory accesses --- */

/* rep movs: both addresses move, up or down; ports of one window next to each other. */
static void copies_from_registers(void)
{
    struct ioreq r = xr_rep(MMIO, true, ISA_MEM + PG2R_PSTART, 1, 3 * XR_PAGE - 2, 4);

    set_up();
    for (unsigned i = 0; i < 4; i++)
        xr_outb(&ioc, ISA + PG0W_PSTART + i, (uint8_t)(0x41 + i)); /* PSTART PSTOP BNRY TPSR */
    xr_outb(&ioc, ISA, CR_RD2 | CR_STP | CR_PS1);
    xr_outb(&ioc, ISA + PG2_RNPP, 0x77);
    xr_access(&ioc, &r);
    CU_ASSERT_EQUAL(memcmp(xr_mem + 3 * XR_PAGE - 2, "\x41\x42\x77\x44", 4), 0);
    memset(xr_mem + 3 * XR_PAGE - 2, 0, 4);
    r.addr += 3;
    r.data += 3;
    r.df = 1;
    xr_access(&ioc, &r);
    CU_ASSERT_EQUAL(memcmp(xr_mem + 3 * XR_PAGE - 2, "\x41\x42\x77\x44", 4), 0);
    CU_ASSERT_EQUAL(xr_mem[3 * XR_PAGE + 2], 0);
    tear_down();
}

static void copies_to_registers(void)
{
    struct ioreq r = xr_rep(MMIO, false, ISA_MEM + PG0W_PSTART, 1, CHUNK - 1, 2);

    set_up();
    memcpy(xr_mem + CHUNK - 1, "\x46\x60", 2);
    xr_access(&ioc, &r);
    xr_outb(&ioc, ISA, CR_RD2 | CR_STP | CR_PS1);
    CU_ASSERT_EQUAL(xr_inb(&ioc, ISA + PG2R_PSTART), 0x46);
    CU_ASSERT_EQUAL(xr_inb(&ioc, ISA + PG2R_PSTOP), 0x60);
    xr_outb(&ioc, ISA, CR_RD2 | CR_STP);
    memcpy(xr_mem + CHUNK - 1, "\x48\x62", 2);
    r.df = 1;
    r.addr++;
    r.data++;
    xr_access(&ioc, &r);
    xr_outb(&ioc, ISA, CR_RD2 | CR_STP | CR_PS1);
    CU_ASSERT_EQUAL(xr_inb(&ioc, ISA + PG2R_PSTART), 0x48);
    CU_ASSERT_EQUAL(xr_inb(&ioc, ISA + PG2R_PSTOP), 0x62);
    tear_down();
}

/* Each size, at the eight bytes of the data port: to the card's memory and back. */
static void copies_of_each_size(void)
{
    set_up();
    fill_guest(0, XR_PAGE);
    for (unsigned size = 1; size <= 8; size *= 2) {
        struct ioreq out = xr_rep(MMIO, false, ISA_MEM + DATA, size, 50 + size, 8 / size),
                     in = xr_rep(MMIO, true, ISA_MEM + DATA, size, 2 * XR_PAGE - 3, 8 / size);

        xr_dma(&ioc, ISA, CR_STA | CR_RD1, RAM, 8);
        xr_access(&ioc, &out);
        CU_ASSERT_TRUE(card_holds(ISA, RAM, 8, 50 + size, 1));
        xr_dma(&ioc, ISA, CR_STA | CR_RD0, RAM, 8);
        xr_access(&ioc, &in);
        CU_ASSERT_EQUAL(memcmp(xr_mem + 2 * XR_PAGE - 3, xr_mem + 50 + size, 8), 0);
    }
    tear_down();
}

/* rep stos: the value itself, again and again; a read that repeats gives the last one. */
static void without_a_pointer(void)
{
    struct ioreq r = xr_req(MMIO, false, ISA_MEM + PG0W_RSAR0, 1);

    set_up();
    r.count = 2;
    r.data = 0x4c;
    xr_access(&ioc, &r);
    CU_ASSERT_EQUAL(xr_inb(&ioc, ISA + PG0R_CRDA0), 0x4c);
    CU_ASSERT_EQUAL(xr_inb(&ioc, ISA + PG0R_CRDA1), 0x4c);
    xr_outb(&ioc, ISA + PG0W_RSAR1, 0x4d);
    r.dir = IOREQ_READ;
    CU_ASSERT_EQUAL(xr_access(&ioc, &r), 0x4d);
    r.df = 1;
    r.addr++;
    CU_ASSERT_EQUAL(xr_access(&ioc, &r), 0x4c);
    r = xr_req(PIO, false, ISA + DATA, 2); /* at a port the register stays the same */
    r.count = 3;
    r.data = tag(1) << 8 | tag(0);
    xr_dma(&ioc, ISA, CR_STA | CR_RD1, RAM, 6);
    xr_access(&ioc, &r);
    for (unsigned i = 0; i < 6; i += 2)
        CU_ASSERT_TRUE(card_holds(ISA, RAM + i, 2, 0, 1));
    tear_down();
}

/* What was carried out before the hole was carried out. */
static void copies_into_holes(void)
{
    struct ioreq r = xr_rep(MMIO, false, ISA_MEM + PG0W_RSAR0, 1, 2 * XR_PAGE - 1, 2);

    set_up();
    xr_page(2, XR_HOLE);
    xr_outb(&ioc, ISA + PG0W_RSAR1, 0x11);
    xr_mem[2 * XR_PAGE - 1] = 0x33;
    xr_access(&ioc, &r);
    CU_ASSERT_EQUAL(xr_inb(&ioc, ISA + PG0R_CRDA0), 0x33);
    CU_ASSERT_EQUAL(xr_inb(&ioc, ISA + PG0R_CRDA1), 0x11);
    r.dir = IOREQ_READ;
    xr_access(&ioc, &r);
    CU_ASSERT_EQUAL(xr_mem[2 * XR_PAGE - 1], 0x33);
    tear_down();
}

/* --- nobody there --- */

/* A window moved while the request was on its way. */
static void reads_from_nowhere(void)
{
    struct ioreq r = xr_req(PIO, true, 0x5000, 4);

    set_up();
    xr_post(0, &r);
    CU_ASSERT_EQUAL(xr_poll(&ioc), 1);
    CU_ASSERT_EQUAL(xr_take(0), ~0ull);
    r = xr_rep(MMIO, true, 0x12345000, 4, 2 * XR_PAGE - 6, 3);
    memset(xr_mem + XR_PAGE, 0, 2 * XR_PAGE);
    xr_post(0, &r);
    xr_poll(&ioc);
    xr_take(0);
    CU_ASSERT_TRUE(guest_holds(2 * XR_PAGE - 6, 12, 0xff));
    CU_ASSERT_TRUE(guest_holds(2 * XR_PAGE - 10, 4, 0));
    CU_ASSERT_TRUE(guest_holds(2 * XR_PAGE + 6, 4, 0));
    r.dir = IOREQ_WRITE;
    r.data = XR_PAGE;
    xr_post(0, &r);
    xr_poll(&ioc);
    xr_take(0);
    CU_ASSERT_EQUAL(ioc.x->stats[0].unclaimed, 3);
    tear_down();
}

/* Xen tells that the guest gave pages back: answered, and nothing old is believed. */
static void invalidate(void)
{
    struct ioreq r = xr_req(IOREQ_TYPE_INVALIDATE, false, 0, 4);

    set_up();
    fill_guest(0, CHUNK);
    xr_dma(&ioc, ISA, CR_STA | CR_RD1, RAM, 100);
    string(false, ISA, 1, 0, 10, false);
    xr_page(0, 8);
    r.data = ~0ull;
    xr_post(1, &r);
    CU_ASSERT_EQUAL(xr_poll(&ioc), 1);
    xr_take(1);
    CU_ASSERT_EQUAL(xr_windows(), 0);
    CU_ASSERT_EQUAL(ioc.x->n.invalidates, 1);
    string(false, ISA, 1, 0, 10, false);
    CU_ASSERT_TRUE(card_holds(ISA, RAM, 10, 0, 1));
    CU_ASSERT_TRUE(card_holds(ISA, RAM + 10, 10, 8 * XR_PAGE, 1));
    tear_down();
}

/* --- hostile requests --- */

static const struct ioreq odd[] = {
    {.type = PIO, .addr = ISA, .size = 0, .count = 1, .dir = 1},
    {.type = PIO, .addr = ISA, .size = 3, .count = 1, .dir = 1},
    {.type = PIO, .addr = ISA, .size = 5, .count = 1},
    {.type = PIO, .addr = ISA, .size = 16, .count = 1, .dir = 1},
    {.type = PIO, .addr = ISA, .size = 1u << 31, .count = 1, .dir = 1},
    {.type = PIO, .addr = ISA, .size = UINT32_MAX, .count = 1},
    {.type = PIO, .addr = ISA + 0x1f, .size = 8, .count = 1, .dir = 1},
    {.type = PIO, .addr = ISA, .size = 1, .count = 0, .dir = 1},
    {.type = PIO, .addr = ISA, .size = 1, .count = UINT32_MAX, .dir = 1},
    {.type = PIO, .addr = UINT64_MAX, .size = 4, .count = 1, .dir = 1},
    {.type = PIO, .addr = 1ull << 32 | ISA, .size = 4, .count = 1, .dir = 1},
    {.type = MMIO, .addr = ISA_MEM, .size = 16, .count = 1},
    {.type = MMIO, .addr = ISA_MEM, .size = 8, .count = UINT32_MAX, .dir = 1},
    {.type = MMIO, .addr = ISA_MEM, .size = UINT32_MAX, .count = UINT32_MAX, .dir = 1},
    {.type = MMIO, .addr = ISA_MEM, .size = 8, .count = UINT32_MAX, .df = 1},
    {.type = MMIO, .addr = UINT64_MAX, .size = 8, .count = 2, .df = 1},
    {.type = CONFIG, .addr = UINT64_MAX, .size = 4, .count = 1},
    {.type = CONFIG, .addr = (uint64_t)SLOT << 35, .size = UINT32_MAX, .count = 1, .dir = 1},
    {.type = CONFIG, .addr = (uint64_t)SLOT << 35, .size = 4, .count = UINT32_MAX, .dir = 1},
    {.type = CONFIG, .addr = (uint64_t)SLOT << 35 | 4, .size = 0, .count = 7},
    {.type = 3, .addr = ISA, .size = 1, .count = 1, .dir = 1},
    {.type = IOREQ_TYPE_TIMEOFFSET, .addr = ISA, .size = 8, .count = 1},
    {.type = IOREQ_TYPE_INVALIDATE, .addr = UINT64_MAX, .size = 99, .count = 0, .dir = 1},
    {.type = 255, .addr = UINT64_MAX, .size = UINT32_MAX, .count = UINT32_MAX},
};

/* Each of them as it is, by pointer, up and down, from all corners of memory: it is answered, and
 * the devices go on. */
static void hostile_requests(void)
{
    static const uint64_t pointer[] = {
        0, 1, CHUNK - 1, (uint64_t)XR_PAGES * XR_PAGE - 3, 1ull << 63, UINT64_MAX};

    set_up();
    for (unsigned i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
        for (unsigned bits = 0; bits < 8; bits++)
            for (unsigned p = 0; p < sizeof(pointer) / sizeof(pointer[0]); p++) {
                struct ioreq r = odd[i];

                r.data = pointer[p];
                r.data_is_ptr = bits & 1;
                r.dir ^= bits >> 1 & 1;
                r.df ^= bits >> 2 & 1;
                xr_post(1, &r);
                CU_ASSERT_EQUAL(xr_poll(&ioc), 1);
                CU_ASSERT_TRUE(xr_is_answered(1));
                xr_take(1);
            }
    for (unsigned n = 0; n < 2; n++) {
        unsigned base = n ? PCI : ISA;

        set_config(SLOT, PCI_BAR0, 4, PCI);
        set_config(SLOT, PCI_COMMAND, 2, PCI_COMMAND_IO);
        xr_outb(&ioc, base + PG0W_DCR, DCR_LS);
        xr_dma(&ioc, base, CR_STA | CR_RD1, RAM, 2);
        xr_write(&ioc, PIO, base + DATA, 2, tag(8) << 8 | tag(7));
        CU_ASSERT_TRUE(card_holds(base, RAM, 2, 7, 1));
    }
    tear_down();
}

/* What a hostile hypervisor could read back: nothing but ones. */
static void odd_sizes_read_ones(void)
{
    static const uint32_t size[] = {0, 3, 5, 16, 1u << 31, UINT32_MAX};

    set_up();
    for (unsigned i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
        struct ioreq r = xr_req(PIO, true, ISA, size[i]);

        xr_post(0, &r);
        xr_poll(&ioc);
        CU_ASSERT_EQUAL(xr_take(0), ~0ull);
    }
    CU_ASSERT_EQUAL(ioc.x->stats[0].failed + ioc.x->stats[0].unclaimed, 6);
    tear_down();
}

const char *const suite_name = "xen_ioreq";
const struct cu_test suite_tests[] = {
    {"single accesses of each size", each_size},
    {"what a slot keeps", the_slot},
    {"each answer is notified", each_answer_is_notified},
    {"slots that are not ready", other_states},
    {"strings across pages and chunks", strings_up},
    {"strings downwards", strings_down},
    {"strings longer than a step", long_strings},
    {"strings into holes", strings_into_holes},
    {"strings downwards into holes", strings_down_into_holes},
    {"strings while mappings go", strings_while_mappings_go},
    {"copies from registers", copies_from_registers},
    {"copies to registers", copies_to_registers},
    {"copies of each size", copies_of_each_size},
    {"repeated, without a pointer", without_a_pointer},
    {"copies into holes", copies_into_holes},
    {"reads from nowhere", reads_from_nowhere},
    {"invalidate", invalidate},
    {"hostile requests", hostile_requests},
    {"odd sizes read all ones", odd_sizes_read_ones},
    {NULL, NULL},
};
