/* SPDX-License-Identifier: BSD-3-Clause */
/* What only a domain can do to an I/O core: memory that changes behind its address. */
#include "access.h"

#define HOLE      0xc0000000u  /* no memory there: a small domain ends long before */
#define ALIAS     (1ull << 32) /* behind what start.S maps */
#define PRESENT   0x3          /* and writable */
#define PDPT_SLOT 4            /* of ALIAS */

static void send(const struct access_rig *r, const void *from, uint32_t len)
{
    struct rep p = {.count = len / 2, .src = (uintptr_t)from};

    dma(r, NIC_REMOTE_WRITE, 2, len);
    rep_outs(2, r->nic->port + NIC_DATA, &p);
}

static void fetch(const struct access_rig *r, void *to, uint32_t len)
{
    struct rep p = {.count = len / 2, .dst = (uintptr_t)to};

    dma(r, NIC_REMOTE_READ, 2, len);
    rep_ins(2, r->nic->port + NIC_DATA, &p);
}

/* The I/O core has seen the page, then it is another one. */
static void replaced_page(const struct access_rig *r)
{
    static uint8_t page[PAGE] __attribute__((aligned(PAGE)));

    for (unsigned i = 0; i < 3; i++) {
        access_fill(page, PAGE);
        send(r, page, PAGE);
        fetch(r, access_in, PAGE);
        expect_bytes("sent", page, access_in, PAGE);
        expect("page given back and taken", i, true, xen_replace_page(page));
        memset(page, 0, PAGE);
        fetch(r, page, PAGE);
        expect_bytes("received", access_in, page, PAGE);
    }
}

/* Two pages, in the address space one behind the other, in memory the other way round. */
static uint8_t *alias_reversed(uint8_t *pages)
{
    static uint64_t directory[512] __attribute__((aligned(PAGE)));
    static uint64_t table[512] __attribute__((aligned(PAGE)));
    extern uint64_t page_tables[];

    table[0] = ((uintptr_t)pages + PAGE) | PRESENT;
    table[1] = (uintptr_t)pages | PRESENT;
    directory[0] = (uintptr_t)table | PRESENT;
    page_tables[512 + PDPT_SLOT] = (uintptr_t)directory | PRESENT;
    __asm__ volatile("mov %%cr3, %%rax; mov %%rax, %%cr3" : : : "rax", "memory");
    return (uint8_t *)ALIAS;
}

static void scattered_pages(const struct access_rig *r)
{
    uint8_t *seen = alias_reversed(access_in);

    for (unsigned at = PAGE - 301; at < PAGE - 299; at++) { /* a word lies on both, then not */
        access_fill(access_out, 600);
        memcpy(seen + at, access_out, 600);
        send(r, seen + at, 600);
        memset(access_in, 0xa5, 2 * PAGE);
        fetch(r, seen + at, 600);
        expect_bytes("string", access_out, seen + at, 600);
        expect("before", at, 0xa5, seen[at - 1]);
        expect("behind", at, 0xa5, seen[at + 600]);
    }
}

/* Writes get lost, reads give all ones, the instruction goes on. */
static void no_memory(const struct access_rig *r)
{
    send(r, access_out, 600);
    fetch(r, (void *)(uintptr_t)HOLE, 600);
    expect_ones("hole", (const void *)(uintptr_t)HOLE, 600);
    send(r, (const void *)(uintptr_t)HOLE, 600);
    fetch(r, access_in, 600);
    expect_ones("sent from a hole", access_in, 600);
    send(r, (const void *)(uintptr_t)(HOLE - 1), 2); /* an element across two empty pages */
}

const struct access_kind xen_kinds[] = {
    {"xen_replaced_page", replaced_page, NEEDS_XEN},
    {"xen_scattered_pages", scattered_pages, NEEDS_XEN},
    {"xen_no_memory", no_memory, NEEDS_XEN},
    {NULL, NULL, 0},
};
