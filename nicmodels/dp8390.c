/* SPDX-License-Identifier: BSD-3-Clause */
/* DP8390: registers, command, status and interrupt (DS 10, 11). */
#include "dp8390.h"

#include <errno.h>
#include <string.h>

#include "dp8390_priv.h"

#define OPEN_BUS 0xff /* what registers read that are not there */

bool dp8390_interrupting(const struct dp8390 *r)
{
    /* RST has no mask bit: it never interrupts. */
    return (r->isr & r->imr & ~ISR_RST) != 0;
}

void dp8390_update(const struct dp8390_chip *c)
{
    bool level = dp8390_interrupting(c->regs);

    if (c->board->interrupt)
        c->board->interrupt(c, level);
    else
        c->dev->env->irq(c->dev, 0, level);
}

void dp8390_raise(const struct dp8390_chip *c, uint8_t isr_bits)
{
    c->regs->isr |= isr_bits;
    dp8390_update(c);
}

void dp8390_tally(struct dp8390 *r, unsigned counter)
{
    if (r->cntr[counter] < DP8390_TALLY_MAX)
        r->cntr[counter]++;
    if (r->cntr[counter] & 0x80)
        r->isr |= ISR_CNT;
}

/* DS 10.3, ISR: RST is also set when the ring overflows, until packets are removed. */
void dp8390_set_boundary(struct dp8390 *r, uint8_t page)
{
    r->bnry = page;
    if (r->running)
        r->isr &= ~ISR_RST;
}

/* DS 11.1, table of what RESET sets and clears. */
void dp8390_reset(const struct dp8390_chip *c)
{
    struct dp8390 *r = c->regs;

    r->cr = CR_STP | CR_RD2;
    r->isr = ISR_RST;
    r->imr = 0;
    r->dcr |= DCR_LAS;
    r->tcr &= ~TCR_LB;
    r->rdma = RDMA_IDLE;
    r->running = 0;
    r->tx_off = 0;
    c->dev->changed = true;
    dp8390_update(c);
}

static void command_state(struct dp8390 *r, uint8_t value)
{
    if (value & CR_STP) {
        r->running = 0;
        r->isr |= ISR_RST;
        r->cr &= ~CR_TXP;
    } else if (value & CR_STA) {
        r->running = 1;
        r->isr &= ~ISR_RST;
    }
}

static void command_remote(const struct dp8390_chip *c, uint8_t value)
{
    if (value & CR_RD2)
        c->regs->rdma = RDMA_IDLE; /* abort; address and count stay as they are */
    else if (value & (CR_RD1 | CR_RD0))
        dp8390_start_remote(c, (enum dp8390_rdma)(value >> 3 & 3));
}

static void command(const struct dp8390_chip *c, uint8_t value)
{
    struct dp8390 *r = c->regs;

    /* Writing TXP as 0 has no effect: only the end of the transmission clears it. */
    r->cr = value | (r->cr & CR_TXP);
    command_state(r, value);
    command_remote(c, value);
    if (r->running)
        dp8390_transmit_pending(c);
    else
        r->cr &= ~CR_TXP;
}

static void set_low(uint16_t *reg, uint8_t value)
{
    *reg = (uint16_t)((*reg & 0xff00) | value);
}

static void set_high(uint16_t *reg, uint8_t value)
{
    *reg = (uint16_t)((*reg & 0xff) | value << 8);
}

static void write_tcr(const struct dp8390_chip *c, uint8_t value)
{
    c->regs->tcr = value;
    if (!(value & TCR_ATD)) {
        c->regs->tx_off = 0;
        dp8390_transmit_pending(c);
    }
}

static void write_page0(const struct dp8390_chip *c, unsigned reg, uint8_t v)
{
    struct dp8390 *r = c->regs;

    switch (reg) {
    case PG0W_PSTART: r->pstart = v; break;
    case PG0W_PSTOP: r->pstop = v; break;
    case PG0W_BNRY: dp8390_set_boundary(r, v); break;
    case PG0W_TPSR: r->tpsr = v; break;
    case PG0W_TBCR0: set_low(&r->tbcr, v); break;
    case PG0W_TBCR1: set_high(&r->tbcr, v); break;
    case PG0W_ISR:
        r->isr &= ~v | ISR_RST; /* RST is a state, not an event: it cannot be acknowledged */
        dp8390_update(c);
        break;
    case PG0W_RSAR0: set_low(&r->crda, v); break;
    case PG0W_RSAR1: set_high(&r->crda, v); break;
    case PG0W_RBCR0: set_low(&r->rbcr, v); break;
    case PG0W_RBCR1: set_high(&r->rbcr, v); break;
    case PG0W_RCR: r->rcr = v; break;
    case PG0W_TCR: write_tcr(c, v); break;
    case PG0W_DCR: r->dcr = v; break;
    case PG0W_IMR:
        r->imr = v;
        dp8390_update(c);
        break;
    }
}

static void write_page1(struct dp8390 *r, unsigned reg, uint8_t v)
{
    if (reg <= PG1_PAR5)
        r->par[reg - PG1_PAR0] = v;
    else if (reg == PG1_CURR)
        r->curr = v;
    else
        r->mar[reg - PG1_MAR0] = v;
}

/* DS 10.2: page 2 is for diagnostics; only the chip's own pointers can be written. */
static void write_page2(struct dp8390 *r, unsigned reg, uint8_t v)
{
    switch (reg) {
    case PG2W_CLDA0: set_low(&r->clda, v); break;
    case PG2W_CLDA1: set_high(&r->clda, v); break;
    case PG2_RNPP: r->rnpp = v; break;
    case PG2_LNPP: r->lnpp = v; break;
    case PG2_AC1: set_high(&r->ac, v); break;
    case PG2_AC0: set_low(&r->ac, v); break;
    }
}

void dp8390_write(const struct dp8390_chip *c, unsigned reg, uint8_t value)
{
    unsigned page = c->regs->cr >> 6;

    c->dev->changed = true;
    if (reg == DP8390_CR)
        command(c, value);
    else if (page == 0)
        write_page0(c, reg, value);
    else if (page == 1)
        write_page1(c->regs, reg, value);
    else if (page == 2)
        write_page2(c->regs, reg, value);
    else if (c->board->extra_write)
        c->board->extra_write(c, page, reg, value);
}

/* DIS says that the receiver is in monitor mode now, whatever the last frame's status was. */
static uint8_t rsr_now(const struct dp8390 *r)
{
    return (uint8_t)((r->rsr & ~RSR_DIS) | (r->rcr & RCR_MON ? RSR_DIS : 0));
}

static void view_page0(const struct dp8390_chip *c, uint8_t value[DP8390_REGS])
{
    const struct dp8390 *r = c->regs;

    value[PG0R_CLDA0] = (uint8_t)r->clda;
    value[PG0R_CLDA1] = (uint8_t)(r->clda >> 8);
    value[PG0R_BNRY] = r->bnry;
    value[PG0R_TSR] = r->tsr | c->board->tsr_ones;
    value[PG0R_NCR] = r->ncr;
    /* Outside loopback the FIFO is the DMA's; the chip would not even acknowledge. */
    value[PG0R_FIFO] = r->tcr & TCR_LB ? r->fifo[r->fifo_next & 7] : OPEN_BUS;
    value[PG0R_ISR] = r->isr;
    value[PG0R_CRDA0] = (uint8_t)r->crda;
    value[PG0R_CRDA1] = (uint8_t)(r->crda >> 8);
    value[PG0R_RSR] = rsr_now(r);
    memcpy(value + PG0R_CNTR0, r->cntr, sizeof(r->cntr));
}

static void view_page1(const struct dp8390 *r, uint8_t value[DP8390_REGS])
{
    memcpy(value + PG1_PAR0, r->par, sizeof(r->par));
    value[PG1_CURR] = r->curr;
    memcpy(value + PG1_MAR0, r->mar, sizeof(r->mar));
}

static void view_page2(const struct dp8390_chip *c, uint8_t value[DP8390_REGS])
{
    const struct dp8390 *r = c->regs;

    value[PG2R_PSTART] = r->pstart;
    value[PG2R_PSTOP] = r->pstop;
    value[PG2_RNPP] = r->rnpp;
    value[PG2R_TPSR] = r->tpsr;
    value[PG2_LNPP] = r->lnpp;
    value[PG2_AC1] = (uint8_t)(r->ac >> 8);
    value[PG2_AC0] = (uint8_t)r->ac;
    value[PG2R_RCR] = r->rcr | c->board->rcr_ones;
    value[PG2R_TCR] = r->tcr | c->board->tcr_ones;
    value[PG2R_DCR] = r->dcr | c->board->dcr_ones;
    value[PG2R_IMR] = r->imr | c->board->imr_ones;
}

void dp8390_view(const struct dp8390_chip *c, uint8_t value[DP8390_REGS])
{
    unsigned page = c->regs->cr >> 6;

    memset(value, OPEN_BUS, DP8390_REGS);
    value[DP8390_CR] = c->regs->cr;
    if (page == 0)
        view_page0(c, value);
    else if (page == 1)
        view_page1(c->regs, value);
    else if (page == 2)
        view_page2(c, value);
    if (c->board->extra_view)
        c->board->extra_view(c, page, value);
}

uint8_t dp8390_read(const struct dp8390_chip *c, unsigned reg)
{
    struct dp8390 *r = c->regs;
    uint8_t view[DP8390_REGS], value;

    dp8390_view(c, view);
    value = view[reg];
    if (r->cr >> 6 != 0)
        return value;
    if (reg == PG0R_FIFO && (r->tcr & TCR_LB)) {
        r->fifo_next = (r->fifo_next + 1) & 7;
        c->dev->changed = true;
    } else if (reg >= PG0R_CNTR0 && value) {
        r->cntr[reg - PG0R_CNTR0] = 0; /* DS 10.3: cleared by reading */
        c->dev->changed = true;
    }
    return value;
}

int dp8390_validate(const struct dp8390 *r, const char **why)
{
    *why = NULL;
    if (r->running > 1 || r->tx_off > 1 || r->fifo_next > 7 || r->rdma > RDMA_SEND)
        *why = "a state variable of the DP8390 is out of range";
    else if (r->cntr[0] > DP8390_TALLY_MAX || r->cntr[1] > DP8390_TALLY_MAX ||
             r->cntr[2] > DP8390_TALLY_MAX)
        *why = "a tally counter of the DP8390 is above its maximum";
    else if (r->running && (r->cr & CR_STP))
        *why = "the DP8390 is both started and stopped";
    else if ((r->cr & CR_TXP) && !(r->running && r->tx_off))
        *why = "the DP8390 has a transmission pending that nothing holds back";
    return *why ? -EPROTO : 0;
}
