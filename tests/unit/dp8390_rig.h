/* SPDX-License-Identifier: BSD-3-Clause */
/* A bare DP8390 with 16 KB of memory at 0x4000 and a PROM at 0, for its suites. */
#ifndef COOPVMM_TESTS_DP8390_RIG_H
#define COOPVMM_TESTS_DP8390_RIG_H

#include "../../nicmodels/crc32.h"
#include "../../nicmodels/dp8390.h"
#include "nm_rig.h"

#define RAM_BASE 0x4000
#define RAM_SIZE 0x4000
#define PSTART   0x46
#define PSTOP    0x80
#define NODMA    (CR_RD2)
#define START    (CR_STA | NODMA)
#define STOP     (CR_STP | NODMA)

static const struct dp8390_board board = {
    .map = {{.base = 0, .size = 32, .at = RAM_SIZE, .flags = DP8390_MAP_ROM},
            {.base = RAM_BASE, .size = RAM_SIZE}},
};

struct chip_rig {
    struct rig g;
    struct dp8390_chip c;
};

static inline void power_on(struct chip_rig *t)
{
    rig_alloc(&t->g, sizeof(struct dp8390), RAM_SIZE + 32);
    t->c = dp8390_of(&t->g.d, &board);
    dp8390_reset(&t->c);
}

static inline void power_off(struct chip_rig *t)
{
    rig_free(&t->g);
}

static inline void wr(struct chip_rig *t, unsigned reg, uint8_t v)
{
    dp8390_write(&t->c, reg, v);
}

static inline uint8_t rd(struct chip_rig *t, unsigned reg)
{
    return dp8390_read(&t->c, reg);
}

static inline uint8_t *ram_at(struct chip_rig *t, unsigned local)
{
    return t->g.d.ram + local - RAM_BASE;
}

/* Page of `page`, running or not as it is. */
static inline void page(struct chip_rig *t, unsigned p)
{
    wr(t, DP8390_CR, (uint8_t)(p << 6 | NODMA | (t->c.regs->running ? CR_STA : CR_STP)));
}

/* As DS 11.2 and the usual drivers do it: stop, configure, rings, address, start. */
static inline void bring_up(struct chip_rig *t, uint8_t rcr)
{
    wr(t, DP8390_CR, STOP);
    wr(t, PG0W_DCR, DCR_WTS | DCR_LS | 0x40);
    wr(t, PG0W_RBCR0, 0);
    wr(t, PG0W_RBCR1, 0);
    wr(t, PG0W_RCR, RCR_MON);
    wr(t, PG0W_TCR, TCR_LB0);
    wr(t, PG0W_TPSR, 0x40);
    wr(t, PG0W_PSTART, PSTART);
    wr(t, PG0W_BNRY, PSTOP - 1);
    wr(t, PG0W_PSTOP, PSTOP);
    wr(t, PG0W_ISR, 0xff);
    wr(t, PG0W_IMR, 0);
    page(t, 1);
    for (unsigned i = 0; i < 6; i++)
        wr(t, PG1_PAR0 + i, rig_mac[i]);
    wr(t, PG1_CURR, PSTART);
    page(t, 0);
    wr(t, DP8390_CR, START);
    wr(t, PG0W_TCR, 0);
    wr(t, PG0W_RCR, rcr);
}

static inline void make_frame(uint8_t *f, size_t len, const uint8_t dst[6])
{
    for (size_t i = 0; i < len; i++)
        f[i] = (uint8_t)(i * 7 + len);
    memcpy(f, dst, 6);
}

static inline uint8_t curr(struct chip_rig *t)
{
    return t->c.regs->curr;
}

static inline void remote_setup(struct chip_rig *t, uint16_t addr, uint16_t count, uint8_t rd_bits)
{
    wr(t, PG0W_RSAR0, (uint8_t)addr);
    wr(t, PG0W_RSAR1, (uint8_t)(addr >> 8));
    wr(t, PG0W_RBCR0, (uint8_t)count);
    wr(t, PG0W_RBCR1, (uint8_t)(count >> 8));
    wr(t, DP8390_CR, CR_STA | rd_bits);
}

static inline void transmit(struct chip_rig *t, uint8_t tpsr, uint16_t len)
{
    wr(t, PG0W_TPSR, tpsr);
    wr(t, PG0W_TBCR0, (uint8_t)len);
    wr(t, PG0W_TBCR1, (uint8_t)(len >> 8));
    wr(t, DP8390_CR, START | CR_TXP);
}

#endif
