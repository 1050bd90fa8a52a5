/* SPDX-License-Identifier: BSD-3-Clause */
/* RTL8139s, powered on and driven as Linux's 8139too and 8139cp do, for their suites. */
#ifndef COOPVMM_TESTS_RTL8139_RIG_H
#define COOPVMM_TESTS_RTL8139_RIG_H

#include <CUnit/CUnit.h>

#include "../../nicmodels/rtl8139.h"
#include "nm_rig.h"

/* Where things lie in the guest's memory. */
#define MEM_SIZE 0x60000u
#define MEM_TX   (RIG_MEM + 0x1000)  /* four buffers, 2 KB apart */
#define MEM_RING (RIG_MEM + 0x4000)  /* receive ring buffer */
#define MEM_RXD  (RIG_MEM + 0x20000) /* C+ rings */
#define MEM_TXD  (RIG_MEM + 0x20400)
#define MEM_HTXD (RIG_MEM + 0x20800)
#define MEM_DUMP (RIG_MEM + 0x20c00)
#define MEM_RXB  (RIG_MEM + 0x21000) /* receive buffers, 2 KB apart, of up to 64 descriptors */
#define MEM_TXB  (RIG_MEM + 0x48000)

#define RXCONFIG (RTL_RCR_APM | RTL_RCR_AM | RTL_RCR_AB)
#define OWN      RTL_DESC_OWN

static inline struct rtl8139_regs *regs(struct rig *g)
{
    return g->d.regs;
}

static inline uint8_t *mem_at(struct rig *g, uint64_t gpa)
{
    return g->mem + (gpa - RIG_MEM);
}

/* A write is a request of its own: the runner committed what was before. */
static inline void wr(struct rig *g, unsigned offset, unsigned size, uint64_t v)
{
    g->d.changed = false;
    rig_write(g, RTL8139_BAR_MEM, offset, size, v);
}

static inline uint64_t rd(struct rig *g, unsigned offset, unsigned size)
{
    return rig_read(g, RTL8139_BAR_MEM, offset, size);
}

/* A powered-on device with its BARs enabled, and memory in pieces of an odd size. */
static inline void board_up(struct rig *g, const char *name)
{
    const char *why = NULL;

    CU_ASSERT_EQUAL_FATAL(rig_init(g, nm_model_find(name), NULL, &why), 0);
    rig_memory(g, MEM_SIZE, 1000);
    rig_write(g, NM_REGION_CONFIG, PCI_COMMAND, 2,
              PCI_COMMAND_IO | PCI_COMMAND_MEM | PCI_COMMAND_MASTER);
}

/* As 8139too opens its interface, but for the ring's size and wrapping. */
static inline void start_too(struct rig *g, uint32_t rcr)
{
    wr(g, 0x37, 1, RTL_CR_RST);
    CU_ASSERT_EQUAL(rd(g, 0x37, 1) & RTL_CR_RST, 0);
    wr(g, 0x50, 1, RTL_EEM_CONFIG);
    wr(g, 0x30, 4, MEM_RING);
    wr(g, 0x37, 1, RTL_CR_RE | RTL_CR_TE);
    wr(g, 0x44, 4, rcr);
    wr(g, 0x40, 4, 0x03000600);
    wr(g, 0x50, 1, 0);
    for (unsigned i = 0; i < RTL8139_NTX; i++)
        wr(g, 0x20 + 4 * i, 4, MEM_TX + 2048 * i);
    wr(g, 0x4c, 4, 0);
    wr(g, 0x3c, 2, RTL_ISR_ALL);
}

static inline void put_desc(struct rig *g, uint64_t at, uint32_t opts1, uint32_t opts2,
                            uint64_t addr)
{
    struct rtl8139_desc desc = {.opts1 = opts1, .opts2 = opts2, .addr = addr};

    memcpy(mem_at(g, at), &desc, sizeof(desc));
}

static inline struct rtl8139_desc get_desc(struct rig *g, uint64_t at)
{
    struct rtl8139_desc desc;

    memcpy(&desc, mem_at(g, at), sizeof(desc));
    return desc;
}

static inline uint64_t rxd(unsigned i)
{
    return MEM_RXD + 16 * i;
}

static inline uint64_t txd(unsigned i)
{
    return MEM_TXD + 16 * i;
}

/* As 8139cp opens its interface, with `nrx` receive descriptors of `size` bytes. */
static inline void start_cp(struct rig *g, uint32_t rcr, unsigned nrx, unsigned size)
{
    for (unsigned i = 0; i < nrx; i++)
        put_desc(g, rxd(i), OWN | (i + 1 == nrx ? RTL_DESC_EOR : 0) | size, 0, MEM_RXB + 2048 * i);
    wr(g, 0x37, 1, RTL_CR_RST);
    wr(g, 0xe0, 2, RTL_CPCR_TXEN | RTL_CPCR_RXEN | RTL_CPCR_RXCHKSUM);
    wr(g, 0x28, 4, (uint32_t)MEM_HTXD);
    wr(g, 0x2c, 4, 0);
    wr(g, 0xe4, 4, (uint32_t)MEM_RXD);
    wr(g, 0xe8, 4, 0);
    wr(g, 0x20, 4, (uint32_t)MEM_TXD);
    wr(g, 0x24, 4, 0);
    wr(g, 0x37, 1, RTL_CR_RE | RTL_CR_TE);
    wr(g, 0xec, 1, 6);
    wr(g, 0x44, 4, rcr);
    wr(g, 0x40, 4, 0x03000600);
    wr(g, 0x3c, 2, RTL_ISR_ALL);
}

static inline void make_frame(uint8_t *f, size_t len, const uint8_t dst[6])
{
    for (size_t i = 0; i < len; i++)
        f[i] = (uint8_t)(i * 7 + len);
    memcpy(f, dst, 6);
}

/* The last frame that was sent. */
static inline const uint8_t *last_frame(const struct rig *g, size_t *len)
{
    unsigned i = (g->sent - 1) % RIG_FRAMES;

    *len = g->len[i];
    return g->frame[i];
}

#endif
