/* SPDX-License-Identifier: BSD-3-Clause */
/* What the e1000's parts know of each other. All functions are called with the device's thread. */
#ifndef COOPVMM_NICMODELS_E1000_PRIV_H
#define COOPVMM_NICMODELS_E1000_PRIV_H

#include "e1000.h"

static inline struct e1000_regs *e1000_regs(const struct nm_dev *d)
{
    return d->regs;
}
static inline struct e1000_ram *e1000_ram(const struct nm_dev *d)
{
    return (struct e1000_ram *)d->ram;
}
static inline bool e1000_masters(const struct e1000_regs *r)
{
    return r->pci.cfg[PCI_COMMAND] & PCI_COMMAND_MASTER;
}

/* --- e1000_regs.c: the register file --- */

/** A double word of the memory BAR; offset is a multiple of 4. Nothing there: 0, ignored. */
uint32_t e1000_read_reg(struct nm_dev *d, uint32_t offset);
void e1000_write_reg(struct nm_dev *d, uint32_t offset, uint32_t value);
/** What software reset (CTRL.RST) and power-on leave: registers, not transceiver or EEPROM. */
void e1000_reset_mac(struct nm_dev *d);
/** For validate. @return does some register have bits it cannot have? */
bool e1000_bad_regs(const struct e1000_regs *r);

/* --- e1000_irq.c: causes, mask, moderation, timers --- */

/** Sets causes and drives INTA#. */
void e1000_raise(struct nm_dev *d, uint32_t causes);
/** Drives INTA#: asserted if an enabled cause is pending, not sooner than ITR allows. */
void e1000_update_irq(struct nm_dev *d);
/** A frame was stored; a descriptor with RS was done: at once, or when the delays say so. */
void e1000_received(struct nm_dev *d, size_t len);
void e1000_transmitted(struct nm_dev *d, bool delay);
/** The moment the timers start over. */
void e1000_flush_rx_timers(struct nm_dev *d);
void e1000_flush_tx_timers(struct nm_dev *d);
/** The driver asks for causes: what it would be told of later is among them. */
void e1000_take_held(struct nm_dev *d);
/** Looks at all timers. @return how many were over */
unsigned e1000_run_timers(struct nm_dev *d);
/** Is a timer running, or an interrupt held back? */
bool e1000_timers_run(const struct e1000_regs *r);

/* --- e1000_phy.c, EEPROM too --- */

void e1000_reset_phy(struct e1000_regs *r);
bool e1000_link(const struct e1000_regs *r);
bool e1000_phy_loopback(const struct e1000_regs *r);
/** MDIC was written. */
void e1000_mdic(struct nm_dev *d);
/** What the EEPROM holds when new. */
void e1000_fill_eeprom(uint16_t word[EE_WORDS], const uint8_t mac[6]);
/** EECD, EERD were written. */
void e1000_eecd(struct nm_dev *d);
void e1000_eerd(struct nm_dev *d);
/** The station address as the EEPROM has it, to RAL0 and RAH0. */
void e1000_load_address(struct nm_dev *d);
/** Tells about a link that changed: STATUS.LU, ICR.LSC. */
void e1000_check_link(struct nm_dev *d);

/* --- e1000_stats.c --- */

/** Statistics registers, numbers of double words from E1000_STATS on (SDM 13.7). */
enum {
    STAT_MPC = 4,
    STAT_PRC64 = 23,
    STAT_GPRC = 29,
    STAT_BPRC = 30,
    STAT_MPRC = 31,
    STAT_GPTC = 32,
    STAT_GORCL = 34,
    STAT_GOTCL = 36,
    STAT_RNBC = 40,
    STAT_ROC = 43,
    STAT_TORL = 48,
    STAT_TOTL = 50,
    STAT_TPR = 52,
    STAT_TPT = 53,
    STAT_PTC64 = 54,
    STAT_MPTC = 60,
    STAT_BPTC = 61,
    STAT_TSCTC = 62,
    STAT_TSCTFC = 63,
};
void e1000_count(struct e1000_regs *r, unsigned stat);
/** A good frame, `len` bytes without FCS. */
void e1000_count_tx(struct e1000_regs *r, const uint8_t *frame, size_t len);
void e1000_count_rx(struct e1000_regs *r, const uint8_t *frame, size_t len);
/** A frame that came, whether it is for us or not. */
void e1000_count_seen(struct e1000_regs *r, size_t len);
/** Reads and clears. */
uint32_t e1000_read_stat(struct nm_dev *d, unsigned stat);

/* --- descriptors, e1000_wb.c --- */

struct e1000_ring {
    uint64_t base;
    uint32_t n; /* descriptors; 0: head or tail lie outside, or there is no ring */
    uint32_t head, tail;
};
struct e1000_ring e1000_rx_ring(const struct e1000_regs *r);
struct e1000_ring e1000_tx_ring(const struct e1000_regs *r);
/** Descriptors from head on that are the hardware's. */
static inline uint32_t e1000_ring_owned(const struct e1000_ring *g)
{
    return g->tail >= g->head ? g->tail - g->head : g->n - g->head + g->tail;
}
static inline uint64_t e1000_ring_at(const struct e1000_ring *g, uint32_t i)
{
    return g->base + (uint64_t)((g->head + i) % g->n) * E1000_DESC;
}

/** How many more write-backs the queue holds. */
uint32_t e1000_wb_room(const struct nm_dev *d);
/** Queues one; there is room. */
void e1000_wb_add(struct nm_dev *d, uint64_t gpa, uint64_t value, unsigned size);
/** nm_model.committed. */
void e1000_committed(struct nm_dev *d);

/* --- e1000_tx.c --- */

/** Takes up what is between TDH and TDT, as far as one call may go. @return descriptors taken */
unsigned e1000_transmit(struct nm_dev *d);

/* --- e1000_rx.c --- */

bool e1000_can_receive(const struct nm_dev *d, size_t len);
/** A frame from the wire. */
void e1000_receive(struct nm_dev *d, const void *frame, size_t len);
/** A frame of our own that comes back: no longer than NM_MAX_FRAME. */
void e1000_receive_looped(struct nm_dev *d, const uint8_t *frame, size_t len);

#endif
