/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mode=access: what each kind of access an instruction can make brings back. The NIC is stopped and
 * receives nothing meanwhile. As memory that only these tests touch they use
 *   MAR0 to MAR7, the multicast filter: eight neighbouring byte registers that keep what is
 * written; the card's buffer, through the data port and remote DMA.
 */
#ifndef COOPVMM_TESTS_GUEST_ACCESS_H
#define COOPVMM_TESTS_GUEST_ACCESS_H

#include "guest.h"

#define REG_CR  0x00
#define REG_DCR 0x0e
#define MAR     0x08 /* on page 1 */
#define MARS    8
#define WINDOW  0x20 /* bytes of the card's window */

/* CR: page 1 while remote DMA (one of NIC_REMOTE_*) goes on, so that MAR and data port are there.
 */
#define PAGE1_STARTED 0x42

#define BUFFER_AT   0x4000 /* the card's memory */
#define BUFFER_SIZE 0x3000 /* bytes of it used here: below any PSTOP */
#define PAGE        4096
#define AREA_SIZE   (4 * PAGE)

struct access_rig {
    struct nic *nic;
    uintptr_t mmio; /* 0: no window in memory */
    int pci_slot;   /* of an RTL8029, -1: none */
};

/* A kind; what it needs beyond ports is NEEDS_*. */
struct access_kind {
    const char *name; /* NULL: the end of a table */
    void (*run)(const struct access_rig *r);
    uint8_t needs;
};
#define NEEDS_MMIO 1
#define NEEDS_PCI  2
#define NEEDS_XEN  4
/* An instruction that reads a port and writes a device's memory: Xen re-executes it after the first
 * answer, does not recognise its own request any more, and crashes the domain (4.17). */
#define NOT_ON_XEN 8

extern const struct access_kind pio_kinds[], string_kinds[], mmio_kinds[], mmio_string_kinds[],
    pci_kinds[], xen_kinds[];

/* Memory for strings, page-aligned: what goes out and what comes in. */
extern uint8_t access_out[AREA_SIZE], access_in[AREA_SIZE];

/* access.c */
/** One check, counted; the first wrong ones of a kind are printed. */
void expect(const char *what, uint64_t at, uint64_t want, uint64_t got);
void expect_bytes(const char *what, const uint8_t *want, const uint8_t *got, uint32_t n);
/** Bytes that must be all ones. */
void expect_ones(const char *what, const void *got, uint32_t n);
uint32_t access_random(void);
uint64_t access_random64(void);
void access_fill(void *to, uint32_t n);
/** The low `size` bytes. */
static inline uint64_t low(uint64_t v, unsigned size)
{
    return size >= 8 ? v : v & ((1ull << 8 * size) - 1);
}

/** Selects register page 1, where MAR is, or page 0. */
void page1(const struct access_rig *r);
void page0(const struct access_rig *r);
/** By single byte accesses to ports. */
void mar_write(const struct access_rig *r, const uint8_t v[MARS]);
void mar_expect(const struct access_rig *r, const char *what, const uint8_t want[MARS]);
/** Starts remote DMA from the buffer's beginning, in elements of 1 byte or (size > 1) words. */
void dma(const struct access_rig *r, uint8_t command, unsigned size, uint32_t len);
/** Port accesses of 1, 2 or 4 bytes. */
uint32_t port_read(unsigned size, uint16_t port);
void port_write(unsigned size, uint16_t port, uint32_t v);

/* A repeated string instruction's registers: before and after. */
struct rep {
    uint64_t count; /* RCX */
    uintptr_t src, dst;
    bool down;
};
void rep_ins(unsigned size, uint16_t port, struct rep *p);
void rep_outs(unsigned size, uint16_t port, struct rep *p);
void rep_movs(unsigned size, struct rep *p);
void rep_stos(unsigned size, uint64_t value, struct rep *p);
/** Address of the element a string of `count` begins with. */
static inline uintptr_t first_element(const void *low_end, unsigned size, uint32_t count, bool down)
{
    return (uintptr_t)low_end + (down && count ? (uintptr_t)(count - 1) * size : 0);
}

#endif
