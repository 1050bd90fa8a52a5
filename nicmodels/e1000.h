/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Intel 82540EM Gigabit Ethernet Controller: registers, descriptors, state.
 *
 * Source: Intel, PCI/PCI-X Family of Gigabit Ethernet Controllers Software Developer's Manual
 * (317453; "SDM" below, by chapter); for the transceiver, Marvell 88E1011S. Names are the manual's.
 *
 * What is simplified, and why nobody can tell (or who can):
 *   - A packet is transmitted when all its descriptors are there, in no time. TDH moves by packets;
 * a driver that hands over half a packet and waits for its descriptors to come back would wait for
 *     the rest of it, too. A packet of more than E1000_MAX_SEGS descriptors is dropped.
 *   - Descriptors are read when they are needed and written back at once: prefetch and write-back
 *     thresholds are kept and have no effect, as the manual allows.
 *   - The link is up at 1000 Mb/s, full duplex, as soon as the transceiver is powered; there are no
 *     errors and no flow control frames on this wire. Flow control registers are kept.
 *   - Frames the guest has no descriptors for wait with the runner, which is the receive FIFO;
 *     what is lost there the missed-packets counter does not know.
 *   - Wake-up, management, the TX/RX FIFOs' diagnostic registers and flash are not there: storage,
 * or zero.
 *
 * Recovery (model.h): descriptors are written back by nm_model.committed, from a queue in ram
 * (struct e1000_ram). Frames in guest buffers whose descriptors were not written back do not count.
 */
#ifndef COOPVMM_NICMODELS_E1000_H
#define COOPVMM_NICMODELS_E1000_H

#include "eeprom93c46.h"
#include "model.h"
#include "pci.h"

enum { E1000_BAR_MEM = 0, E1000_BAR_IO = 1 };
#define E1000_MEM_SIZE 0x20000
#define E1000_IO_SIZE  64

/* Registers (SDM 13.4): offsets in the memory BAR. */
enum {
    E1000_CTRL = 0x0000,
    E1000_STATUS = 0x0008,
    E1000_EECD = 0x0010,
    E1000_EERD = 0x0014,
    E1000_CTRL_EXT = 0x0018,
    E1000_MDIC = 0x0020,
    E1000_FCAL = 0x0028,
    E1000_FCAH = 0x002c,
    E1000_FCT = 0x0030,
    E1000_VET = 0x0038,
    E1000_ICR = 0x00c0,
    E1000_ITR = 0x00c4,
    E1000_ICS = 0x00c8,
    E1000_IMS = 0x00d0,
    E1000_IMC = 0x00d8,
    E1000_RCTL = 0x0100,
    E1000_FCTTV = 0x0170,
    E1000_TXCW = 0x0178,
    E1000_TCTL = 0x0400,
    E1000_TIPG = 0x0410,
    E1000_AIT = 0x0458,
    E1000_LEDCTL = 0x0e00,
    E1000_PBA = 0x1000,
    E1000_FCRTL = 0x2160,
    E1000_FCRTH = 0x2168,
    E1000_RDBAL = 0x2800,
    E1000_RDBAH = 0x2804,
    E1000_RDLEN = 0x2808,
    E1000_RDH = 0x2810,
    E1000_RDT = 0x2818,
    E1000_RDTR = 0x2820,
    E1000_RXDCTL = 0x2828,
    E1000_RADV = 0x282c,
    E1000_RSRPD = 0x2c00,
    E1000_TXDMAC = 0x3000,
    E1000_TDBAL = 0x3800,
    E1000_TDBAH = 0x3804,
    E1000_TDLEN = 0x3808,
    E1000_TDH = 0x3810,
    E1000_TDT = 0x3818,
    E1000_TIDV = 0x3820,
    E1000_TXDCTL = 0x3828,
    E1000_TADV = 0x382c,
    E1000_TSPMT = 0x3830,
    E1000_STATS = 0x4000, /* 64 counters (e1000_stats.c) */
    E1000_RXCSUM = 0x5000,
    E1000_MTA = 0x5200,
    E1000_RA = 0x5400, /* RAL0, RAH0, RAL1, ... */
    E1000_VFTA = 0x5600,
    E1000_WUC = 0x5800,
    E1000_WUFC = 0x5808,
    E1000_WUS = 0x5810,
    E1000_MANC = 0x5820,
    E1000_IPAV = 0x5838,
    E1000_WUPL = 0x5900,
};
#define E1000_NSTATS 64
#define E1000_NMTA   128
#define E1000_NRA    16 /* pairs */
#define E1000_NVFTA  128

/* The I/O BAR (SDM 13.2.2). */
enum { E1000_IOADDR = 0, E1000_IODATA = 4 };

enum {
    CTRL_FD = 1u << 0,
    CTRL_ASDE = 1u << 5,
    CTRL_SLU = 1u << 6,
    CTRL_SPEED_1000 = 2u << 8,
    CTRL_RST = 1u << 26,
    CTRL_VME = 1u << 30,
};
#define CTRL_PHY_RST (1u << 31)
enum {
    STATUS_FD = 1u << 0,
    STATUS_LU = 1u << 1,
    STATUS_SPEED_1000 = 2u << 6,
    STATUS_ASDV_1000 = 2u << 8,
};
enum {
    EECD_SK = 1u << 0,
    EECD_CS = 1u << 1,
    EECD_DI = 1u << 2,
    EECD_DO = 1u << 3,
    EECD_REQ = 1u << 6,
    EECD_GNT = 1u << 7,
    EECD_PRES = 1u << 8,
};
enum { EERD_START = 1u << 0, EERD_DONE = 1u << 4 };
enum { CTRL_EXT_EE_RST = 1u << 13 };
enum {
    MDIC_OP_WRITE = 1u << 26,
    MDIC_OP_READ = 2u << 26,
    MDIC_OP = 3u << 26,
    MDIC_R = 1u << 28,
    MDIC_I = 1u << 29,
    MDIC_E = 1u << 30,
};
enum {
    ICR_TXDW = 1u << 0,
    ICR_TXQE = 1u << 1,
    ICR_LSC = 1u << 2,
    ICR_RXSEQ = 1u << 3,
    ICR_RXDMT0 = 1u << 4,
    ICR_RXO = 1u << 6,
    ICR_RXT0 = 1u << 7,
    ICR_MDAC = 1u << 9,
    ICR_TXD_LOW = 1u << 15,
    ICR_SRPD = 1u << 16,
};
/* Bits the registers have; some of the reserved ones too, which drivers' self-tests set by ICS. */
#define ICR_CAUSES 0x1ffffu
enum {
    RCTL_EN = 1u << 1,
    RCTL_UPE = 1u << 3,
    RCTL_MPE = 1u << 4,
    RCTL_LPE = 1u << 5,
    RCTL_LBM = 3u << 6,
    RCTL_BAM = 1u << 15,
    RCTL_VFE = 1u << 18,
    RCTL_CFIEN = 1u << 19,
    RCTL_CFI = 1u << 20,
    RCTL_BSEX = 1u << 25,
    RCTL_SECRC = 1u << 26,
    RCTL_RDMTS_SHIFT = 8,
    RCTL_MO_SHIFT = 12,
    RCTL_BSIZE_SHIFT = 16,
};
enum { TCTL_EN = 1u << 1, TCTL_PSP = 1u << 3 };
enum { TXDCTL_LWTHRESH_SHIFT = 25 };
enum { RXCSUM_IPOFLD = 1u << 8, RXCSUM_TUOFLD = 1u << 9 };
#define RDTR_FPD  (1u << 31) /* flush partial descriptor block: the timer is over */
#define TIDV_FPD  (1u << 31)
#define RAH_AV    (1u << 31)
#define RAH_AS    (3u << 16) /* 0: compares destinations */
#define TUCMD_TSE 0x04

/* Descriptors (SDM 3.2.3, 3.3). */
#define E1000_DESC 16 /* bytes */
struct e1000_rx_desc {
    uint64_t addr;
    uint16_t length, csum;
    uint8_t status, errors;
    uint16_t special;
};
enum {
    RXD_DD = 0x01,
    RXD_EOP = 0x02,
    RXD_IXSM = 0x04,
    RXD_VP = 0x08,
    RXD_TCPCS = 0x20,
    RXD_IPCS = 0x40,
    RXD_PIF = 0x80,
};
enum { RXD_ERR_TCPE = 0x20, RXD_ERR_IPE = 0x40 };
/* Legacy, context and data descriptors share DCMD (bits 24 to 31 of the upper half). */
enum {
    TXD_EOP = 0x01,
    TXD_IFCS = 0x02,
    TXD_IC = 0x04,  /* legacy: insert checksum */
    TXD_TSE = 0x04, /* context, data */
    TXD_RS = 0x08,
    TXD_DEXT = 0x20,
    TXD_VLE = 0x40,
    TXD_IDE = 0x80,
};
enum { TXD_POPTS_IXSM = 0x01, TXD_POPTS_TXSM = 0x02 };
enum { TUCMD_TCP = 0x01, TUCMD_IP = 0x02 };
enum { TXD_DD = 0x01 };

#define E1000_MAX_SEGS 256 /* descriptors of a packet */
#define E1000_WB       512 /* descriptors that wait for being written back, at most */

/* A context (SDM 3.3.6); one for checksums, one for segmentation. */
struct e1000_context {
    uint8_t ipcss, ipcso, tucss, tucso;
    uint16_t ipcse, tucse;
    uint16_t mss;
    uint8_t hdrlen;
    uint8_t tucmd;
};

/* The transceiver and what it has (IEEE 802.3 clause 22, and Marvell's). */
#define E1000_PHY_REGS 32

/* Registers as they are, or would be read. Times are env->now's; 0: the timer does not run. */
struct e1000_regs {
    struct pci_func pci;
    uint64_t rdtr_at, radv_at, tidv_at, tadv_at; /* when the delay timers end */
    uint64_t itr_ready;                          /* INTA# may be asserted again from then on */
    uint32_t ctrl, status, eecd, eerd, ctrl_ext, mdic, fcal, fcah, fct, vet;
    uint32_t icr, itr, ims;
    uint32_t rctl, fcttv, txcw, tctl, tipg, ait, ledctl, pba, fcrtl, fcrth;
    uint32_t rdbal, rdbah, rdlen, rdh, rdt, rdtr, rxdctl, radv, rsrpd;
    uint32_t txdmac, tdbal, tdbah, tdlen, tdh, tdt, tidv, txdctl, tadv, tspmt;
    uint32_t rxcsum, wuc, wufc, wus, manc, ipav, wupl;
    uint32_t ioaddr;
    uint32_t stats[E1000_NSTATS];
    uint32_t ra[2 * E1000_NRA];
    uint16_t phy[E1000_PHY_REGS];
    struct eeprom93c46 eeprom;
    struct e1000_context ctx[2]; /* [1]: segmentation */
    uint32_t tso_next;           /* segments of the packet at TDH that were sent */
    uint32_t wb_head;            /* e1000_ram.wb: how many there ever were */
    uint16_t tx_held;            /* reports of TXDW that are delayed */
    uint8_t level;               /* INTA# is asserted, as far as the MAC is concerned */
    uint8_t tx_more;             /* poll has descriptors to go on with */
    uint8_t tx_skip;             /* up to the next EOP descriptors are dropped */
    uint8_t reserved[3];
};
_Static_assert(sizeof(struct e1000_regs) <= NM_MAX_REGS, "fits");

/* A descriptor that is to be written back, in whole or part: `value`, `size` bytes, at `gpa`. */
struct e1000_wb {
    uint64_t gpa;
    uint64_t value;
    uint32_t size;
    uint32_t reserved;
};

/* What outlives a process in place. Written back was everything up to wb_tail; a successor goes on
 * from there to the registers' wb_head. */
struct e1000_ram {
    uint32_t wb_tail;
    uint32_t reserved;
    uint32_t mta[E1000_NMTA];
    uint32_t vfta[E1000_NVFTA];
    uint16_t eeprom[EE_WORDS];
    struct e1000_wb wb[E1000_WB];
};

#endif
