/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * National Semiconductor DP8390D/NS32490D Network Interface Controller.
 *
 * Sources: data sheet DP8390D/NS32490D (July 1995; "DS" below, by section), application notes
 * AN-475 (introduction) and AN-937 (loopback diagnostics). Names are the data sheet's.
 *
 * The chip is a core that boards are built around (ne2000_isa.c, rtl8029.c): a board says what
 * hangs on the chip's local bus and how clones differ (struct dp8390_board), and hands accesses in.
 *
 * What is simplified, and why nobody can tell: a transmission takes no time, so TXP reads 0 again
 * at once, there are no collisions (NCR 0) and the FIFO never runs over or under. The local DMA of
 * a received frame is done in one piece.
 *
 * Recovery (model.h): only remote writes and received frames change ram, both at places and with
 * contents that follow from the registers before the call and the call's arguments. A looped-back
 * frame never reaches ram: as on the chip it is seen in the FIFO only.
 */
#ifndef COOPVMM_NICMODELS_DP8390_H
#define COOPVMM_NICMODELS_DP8390_H

#include "model.h"

#define DP8390_PAGE 256 /* bytes in a buffer page: the ring's unit */
#define DP8390_REGS 16  /* registers in a page */

/* Registers by page. PG0R is what page 0 reads, PG0W what it writes (DS 10.2). */
enum { DP8390_CR = 0x00 };
enum {
    PG0R_CLDA0 = 0x01,
    PG0R_CLDA1 = 0x02,
    PG0R_BNRY = 0x03,
    PG0R_TSR = 0x04,
    PG0R_NCR = 0x05,
    PG0R_FIFO = 0x06,
    PG0R_ISR = 0x07,
    PG0R_CRDA0 = 0x08,
    PG0R_CRDA1 = 0x09,
    PG0R_RSR = 0x0c,
    PG0R_CNTR0 = 0x0d,
    PG0R_CNTR1 = 0x0e,
    PG0R_CNTR2 = 0x0f,
};
enum {
    PG0W_PSTART = 0x01,
    PG0W_PSTOP = 0x02,
    PG0W_BNRY = 0x03,
    PG0W_TPSR = 0x04,
    PG0W_TBCR0 = 0x05,
    PG0W_TBCR1 = 0x06,
    PG0W_ISR = 0x07,
    PG0W_RSAR0 = 0x08,
    PG0W_RSAR1 = 0x09,
    PG0W_RBCR0 = 0x0a,
    PG0W_RBCR1 = 0x0b,
    PG0W_RCR = 0x0c,
    PG0W_TCR = 0x0d,
    PG0W_DCR = 0x0e,
    PG0W_IMR = 0x0f,
};
enum { PG1_PAR0 = 0x01, PG1_PAR5 = 0x06, PG1_CURR = 0x07, PG1_MAR0 = 0x08, PG1_MAR7 = 0x0f };
enum {
    PG2R_PSTART = 0x01,
    PG2R_PSTOP = 0x02,
    PG2_RNPP = 0x03,
    PG2R_TPSR = 0x04,
    PG2_LNPP = 0x05,
    PG2_AC1 = 0x06,
    PG2_AC0 = 0x07,
    PG2R_RCR = 0x0c,
    PG2R_TCR = 0x0d,
    PG2R_DCR = 0x0e,
    PG2R_IMR = 0x0f,
    PG2W_CLDA0 = 0x01,
    PG2W_CLDA1 = 0x02,
};

enum {
    CR_STP = 0x01,
    CR_STA = 0x02,
    CR_TXP = 0x04,
    CR_RD0 = 0x08,
    CR_RD1 = 0x10,
    CR_RD2 = 0x20,
    CR_PS0 = 0x40,
    CR_PS1 = 0x80,
};
enum {
    ISR_PRX = 0x01,
    ISR_PTX = 0x02,
    ISR_RXE = 0x04,
    ISR_TXE = 0x08,
    ISR_OVW = 0x10,
    ISR_CNT = 0x20,
    ISR_RDC = 0x40,
    ISR_RST = 0x80,
};
enum { DCR_WTS = 0x01, DCR_BOS = 0x02, DCR_LAS = 0x04, DCR_LS = 0x08, DCR_ARM = 0x10 };
enum { TCR_CRC = 0x01, TCR_LB0 = 0x02, TCR_LB1 = 0x04, TCR_ATD = 0x08, TCR_OFST = 0x10 };
enum { TSR_PTX = 0x01, TSR_CRS = 0x10, TSR_CDH = 0x40 };
enum {
    RCR_SEP = 0x01,
    RCR_AR = 0x02,
    RCR_AB = 0x04,
    RCR_AM = 0x08,
    RCR_PRO = 0x10,
    RCR_MON = 0x20
};
enum {
    RSR_PRX = 0x01,
    RSR_CRC = 0x02,
    RSR_FAE = 0x04,
    RSR_MPA = 0x10,
    RSR_PHY = 0x20,
    RSR_DIS = 0x40
};

/* What the remote DMA channel is doing. */
enum dp8390_rdma { RDMA_IDLE = 0, RDMA_READ, RDMA_WRITE, RDMA_SEND };

/* The registers. Goes first in a board's regs, which a runner copies as they are. */
struct dp8390 {
    uint8_t cr, isr, imr, dcr, tcr, rcr, tsr, rsr;
    uint8_t ncr, pstart, pstop, bnry, curr, tpsr;
    uint8_t rnpp;      /* remote next packet pointer: where "send packet" takes BNRY to */
    uint8_t lnpp;      /* local next packet pointer */
    uint8_t par[6];    /* physical address */
    uint8_t mar[8];    /* multicast hash */
    uint8_t cntr[3];   /* tally: frame alignment errors, CRC errors, frames missed; at most 192 */
    uint8_t fifo[8];   /* the receive half, as loopback leaves it */
    uint8_t fifo_next; /* 0 to 7: the location the next read of FIFO gives */
    uint8_t rdma;      /* enum dp8390_rdma */
    uint8_t running;   /* 1: started (STA); 0: in reset state (STP) */
    uint8_t tx_off;    /* 1: transmitter disabled by a multicast (TCR.ATD); TXP may be pending */
    uint16_t tbcr;     /* transmit byte count */
    uint16_t clda;     /* current local DMA address */
    uint16_t crda;     /* current remote DMA address; RSAR writes it */
    uint16_t rbcr;     /* remote byte count, counting down */
    uint16_t ac;       /* address counter (page 2) */
};
_Static_assert(sizeof(struct dp8390) == 56, "no padding: states are compared and saved as bytes");

/* A piece of memory on the chip's local bus. Addresses nothing answers read all ones. */
struct dp8390_map {
    uint16_t base;  /* local address */
    uint16_t flags; /* DP8390_MAP_* */
    uint32_t size;  /* bytes */
    uint32_t at;    /* where it begins in nm_dev.ram */
};
#define DP8390_MAP_ROM 1 /* writes are ignored */

struct dp8390_chip;

/* A board: constant. Maps are in ascending order and do not overlap. */
struct dp8390_board {
    struct dp8390_map map[2];
    /* Reserved bits that read as ones, by register. */
    uint8_t tsr_ones, rcr_ones, tcr_ones, dcr_ones, imr_ones;
    /** Registers the DP8390 has not: page 0 (0x0a, 0x0b) and page 3; all ones if not filled in.
     * NULL: there are none. */
    void (*extra_view)(const struct dp8390_chip *c, unsigned page, uint8_t value[DP8390_REGS]);
    void (*extra_write)(const struct dp8390_chip *c, unsigned page, unsigned reg, uint8_t value);
    /** The INT pin. NULL: env->irq, line 0. Called with every change, and sometimes without. */
    void (*interrupt)(const struct dp8390_chip *c, bool level);
};

/* A chip on its board, put together for one call. */
struct dp8390_chip {
    struct nm_dev *dev;
    struct dp8390 *regs;
    const struct dp8390_board *board;
};

/* For functions that only look (publish, can_receive) the device is const; so is what they do. */
static inline struct dp8390_chip dp8390_of(const struct nm_dev *d, const struct dp8390_board *b)
{
    return (struct dp8390_chip){.dev = (struct nm_dev *)d, .regs = d->regs, .board = b};
}

/** The RESET pin (DS 11.1). */
void dp8390_reset(const struct dp8390_chip *c);

/** Reads register 0x00 to 0x0f of the page CR selects. */
uint8_t dp8390_read(const struct dp8390_chip *c, unsigned reg);
/** What dp8390_read would give of each register of that page, without its side effects. */
void dp8390_view(const struct dp8390_chip *c, uint8_t value[DP8390_REGS]);
void dp8390_write(const struct dp8390_chip *c, unsigned reg, uint8_t value);

/** Does the INT pin ask for service? */
bool dp8390_interrupting(const struct dp8390 *r);

/**
 * The data port: the host moves `len` bytes from (write) or to `buf`. In word mode (DCR.WTS) len is
 * even. Equal to moving the bytes or words one at a time. What the channel is not set up for reads
 * all ones, or is dropped (the chip would hold the bus for ever).
 */
void dp8390_remote(const struct dp8390_chip *c, uint8_t *buf, size_t len, bool write);

/** nm_model.can_receive. */
bool dp8390_can_receive(const struct dp8390_chip *c, size_t len);
/** nm_model.waiting. */
void dp8390_waiting(const struct dp8390_chip *c);
/** nm_model.receive: a good frame, padded to the minimum as its sender's MAC would have. */
void dp8390_receive(const struct dp8390_chip *c, const void *frame, size_t len);

/* What happened to a frame on the wire. */
enum { DP8390_WIRE_GOOD = 0, DP8390_WIRE_CRC = 1, DP8390_WIRE_ALIGN = 2 };
/**
 * A frame as it comes off the wire, runts and damaged ones too.
 * @param len bytes without FCS, at most NM_MAX_FRAME
 * @param damage DP8390_WIRE_*, or-ed
 */
void dp8390_receive_wire(const struct dp8390_chip *c, const uint8_t *frame, size_t len,
                         unsigned damage);

/** Fits nm_model.validate: registers from outside. @return 0, or -EPROTO and *why. */
int dp8390_validate(const struct dp8390 *r, const char **why);

#endif
