/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Realtek RTL8139C and RTL8139C+: 10/100 Mb/s Ethernet controllers with bus-master DMA.
 *
 * Sources: data sheets RTL8139C(L) (rev 1.1) and RTL8139C+ (1.6; "DS" below); what
 * drivers rely on beyond them is said where it is done. Names are the data sheets'.
 *
 * Two models of one chip, since drivers tell them apart by the revision: rtl8139 is an RTL8139C
 * (revision 0x10: 8139too and most others), rtl8139cp an RTL8139C+ (0x20: 8139cp), which has
 * descriptor rings, checksum offloads, large send, VLAN tags and tally counters besides.
 *
 *   rtl8139.c        the model: PCI, accesses, what is published
 *   rtl8139_regs.c   the register file: what can be written, and what writing does
 *   rtl8139_tx.c     transmission by the four descriptor registers; the wire's near end, loopback
 *   rtl8139_rx.c     address filter; reception into the ring buffer
 *   rtl8139_ring.c   C+ rings: what is common; rtl8139_cptx.c transmit, rtl8139_cprx.c receive
 *
 * What is simplified, and why nobody can tell: a transmission takes no time, there are no
 * collisions and the FIFOs never run over or under, so early transmit and receive thresholds are
 * kept and have no effect. The link is up, at 100 Mb/s full duplex. Wake-up frames and PHY
 * parameters are kept; there is nothing behind them. There is no boot ROM, flash or CardBus. The
 * power-management capability is there whatever CONFIG1.PMEn says, and knows D0 and D3hot.
 *
 * Recovery (model.h): the ring buffer of the C mode is written where CBR, a register, points, so
 * that is repeatable. Descriptors of the C+ rings are only read at first; which ones go back to
 * the guest, and as what, is noted (struct rtl8139_notes). They are given back once the notes are
 * durable, and ram tells how far that has come, so that it is not done twice. Between giving one
 * back and saying so in ram lie a few instructions: a process killed just there repeats it, and a
 * guest that had taken it and given it out again meanwhile sees one packet that is none.
 *
 * Posted writes and shadow cells: see rtl8139.c.
 */
#ifndef COOPVMM_NICMODELS_RTL8139_H
#define COOPVMM_NICMODELS_RTL8139_H

#include "eeprom93c46.h"
#include "model.h"
#include "models.h"
#include "pci.h"

#define RTL8139_BAR_IO   0
#define RTL8139_BAR_MEM  1
#define RTL8139_SIZE     256 /* bytes of registers */
#define RTL8139_NTX      4
#define RTL8139_RING     64 /* descriptors a C+ ring may have at most */
#define RTL8139_RX_NOTES 32
#define RTL8139_BURST    16 /* frames one call sends at most */

/* The registers, as the host sees them (DS, register table). What lies at 0x10 to 0x2f depends on
 * the mode. */
union rtl8139_file {
    uint8_t byte[RTL8139_SIZE];
    uint32_t dword[RTL8139_SIZE / 4];
    struct {
        uint8_t idr[8];
        uint8_t mar[8];
        union {
            uint32_t tsd[RTL8139_NTX]; /* 0x10 */
            uint64_t dtccr;
        };
        union {
            uint32_t tsad[RTL8139_NTX]; /* 0x20 */
            uint64_t txds[2];           /* TNPDS, THPDS: in the order of enum rtl8139_queue */
        };
        uint32_t rbstart; /* 0x30 */
        uint16_t erbcr;
        uint8_t ersr, cr;
        uint16_t capr, cbr, imr, isr;
        uint32_t tcr, rcr, tctr, mpc; /* 0x40; tctr is computed when read */
        uint8_t cr9346, config0, config1, reserved_53;
        uint32_t timer_int;
        uint8_t msr, config3, config4, hltclk;
        uint16_t mulint;
        uint8_t rerid, reserved_5f;
        uint16_t tsad_all, bmcr, bmsr, anar, anlpar, aner, dis, fcsc; /* 0x60 */
        uint16_t nwaytr, rec, cscr, reserved_76;                      /* 0x70 */
        uint32_t phy[3];
        uint8_t wakeup[0xd8 - 0x84];
        uint8_t config5, tppoll; /* 0xd8 */
        uint8_t reserved_da[6];
        uint16_t cpcr, intmit; /* 0xe0 */
        uint32_t rdsar[2];
        uint8_t etthr;
        uint8_t reserved_ed[19];
    };
};
_Static_assert(sizeof(union rtl8139_file) == RTL8139_SIZE, "the register file has its shape");

enum { RTL_CR_BUFE = 0x01, RTL_CR_TE = 0x04, RTL_CR_RE = 0x08, RTL_CR_RST = 0x10 };
enum {
    RTL_ISR_ROK = 0x0001,
    RTL_ISR_RER = 0x0002,
    RTL_ISR_TOK = 0x0004,
    RTL_ISR_TER = 0x0008,
    RTL_ISR_RXOVW = 0x0010, /* C mode: ring buffer full; C+ mode: RDU, no receive descriptor */
    RTL_ISR_LINKCHG = 0x0020,
    RTL_ISR_FOVW = 0x0040,
    RTL_ISR_TDU = 0x0080,
    RTL_ISR_SWINT = 0x0100,
    RTL_ISR_TIMEOUT = 0x4000,
    RTL_ISR_SERR = 0x8000,
    RTL_ISR_ALL = 0xe1ff,
};
enum {
    RTL_TSD_SIZE = 0x1fff,
    RTL_TSD_OWN = 0x2000,
    RTL_TSD_TUN = 0x4000,
    RTL_TSD_TOK = 0x8000,
    RTL_TSD_ERTXTH = 0x3f0000,
    RTL_TSD_TABT = 0x40000000,
};
enum { RTL_TCR_CRC = 0x10000, RTL_TCR_LBK = 0x60000 };
enum {
    RTL_RCR_AAP = 0x01,
    RTL_RCR_APM = 0x02,
    RTL_RCR_AM = 0x04,
    RTL_RCR_AB = 0x08,
    RTL_RCR_WRAP = 0x80, /* set: a packet is not wrapped, but written on behind the ring's end */
    RTL_RCR_RBLEN = 0x1800,
};
enum { RTL_RSR_ROK = 0x0001, RTL_RSR_BAR = 0x2000, RTL_RSR_PAM = 0x4000, RTL_RSR_MAR = 0x8000 };
enum {
    RTL_9346_EEDO = 0x01,
    RTL_9346_EEDI = 0x02,
    RTL_9346_EESK = 0x04,
    RTL_9346_EECS = 0x08,
    RTL_9346_EEM = 0xc0,
    RTL_EEM_AUTOLOAD = 0x40,
    RTL_EEM_PROGRAM = 0x80,
    RTL_EEM_CONFIG = 0xc0,
};
enum { RTL_DTCCR_CMD = 0x08 };
enum { RTL_TPPOLL_FSWINT = 0x01, RTL_TPPOLL_NPQ = 0x40, RTL_TPPOLL_HPQ = 0x80 };
enum {
    RTL_CPCR_TXEN = 0x01,
    RTL_CPCR_RXEN = 0x02,
    RTL_CPCR_RXCHKSUM = 0x20,
    RTL_CPCR_RXVLAN = 0x40,
};

/* Tally counters, as DTCCR dumps them (DS, DTCCR). */
struct rtl8139_tally {
    uint64_t tx_ok, rx_ok, tx_err;
    uint32_t rx_err;
    uint16_t miss_pkt, fae;
    uint32_t tx_1col, tx_mcol;
    uint64_t rx_ok_phy, rx_ok_brd;
    uint32_t rx_ok_mul;
    uint16_t tx_abt, tx_undrn;
};
_Static_assert(sizeof(struct rtl8139_tally) == 64, "as it lies in the host's memory");

/* A C+ descriptor, as it lies there too (DS, descriptors). */
struct rtl8139_desc {
    uint32_t opts1, opts2;
    uint64_t addr;
};
enum {
    RTL_DESC_LEN_TX = 0xffff,
    RTL_DESC_LEN_RX = 0x1fff,
    RTL_DESC_LS = 1 << 28,
    RTL_DESC_FS = 1 << 29,
    RTL_DESC_EOR = 1 << 30,
};
#define RTL_DESC_OWN 0x80000000u

/* Transmit rings by priority. */
enum rtl8139_queue { RTL_QUEUE_NORMAL = 0, RTL_QUEUE_HIGH = 1, RTL_NQUEUES };

/* Descriptors that go back to the guest once this is durable: `count` of them, from `first` on. */
struct rtl8139_notes {
    uint32_t epoch; /* which notes these are, 24 bits; ram says of which epoch how many are back */
    uint8_t first;  /* index */
    uint8_t count;
    uint8_t reserved[2];
};

struct rtl8139_txring {
    struct rtl8139_notes notes;
    uint32_t sent; /* large send: segments of the packet at `next` that were sent */
    uint8_t next;  /* descriptor the chip looks at next */
    uint8_t reserved[3];
};

struct rtl8139_rxring {
    struct rtl8139_notes notes;
    uint8_t next;
    uint8_t reserved[7];
    struct {
        uint32_t opts1, opts2;
    } note[RTL8139_RX_NOTES]; /* what they become */
};

/* nm_dev.ram. */
struct rtl8139_ram {
    uint16_t eeprom[EE_WORDS];
    /* Of the transmit rings and the receive ring: epoch << 8 | how many of its notes are done. */
    uint32_t done[RTL_NQUEUES + 1];
};

struct rtl8139_regs {
    union rtl8139_file file;
    struct pci_func pci;
    struct rtl8139_tally tally;
    struct eeprom93c46 ee;
    uint64_t tctr_zero; /* nm_env.now when TCTR was 0 */
    uint64_t timer_at;  /* nm_env.now when TCTR will be TimerInt; means nothing if that is 0 */
    struct rtl8139_txring tx[RTL_NQUEUES];
    struct rtl8139_rxring rx;
    uint8_t tx_next; /* C mode: the TSD that is next */
    uint8_t reserved[7];
};
_Static_assert(sizeof(struct rtl8139_regs) == 256 + 256 + 64 + 16 + 16 + 2 * 16 + 272 + 8,
               "no padding: states are compared and saved as bytes");

static inline struct rtl8139_ram *rtl8139_ram_of(const struct nm_dev *d)
{
    return (struct rtl8139_ram *)(void *)d->ram;
}

static inline bool rtl8139_has_cplus(const struct nm_dev *d)
{
    return d->model == &nm_rtl8139cp;
}

/** Is it in D0? */
bool rtl8139_awake(const struct rtl8139_regs *r);
/* May it be master of the bus, that is, reach memory? */
static inline bool rtl8139_master(const struct rtl8139_regs *r)
{
    return (r->pci.cfg[PCI_COMMAND] & PCI_COMMAND_MASTER) && rtl8139_awake(r);
}
static inline bool rtl8139_tx_on(const struct rtl8139_regs *r)
{
    return (r->file.cr & RTL_CR_TE) && rtl8139_master(r);
}
static inline bool rtl8139_rx_on(const struct rtl8139_regs *r)
{
    return (r->file.cr & RTL_CR_RE) && rtl8139_master(r);
}

/* --- rtl8139.c --- */

/** Drives INTA#. */
void rtl8139_update(struct nm_dev *d);
/** Sets interrupt status bits and drives INTA#. */
void rtl8139_raise(struct nm_dev *d, uint16_t isr_bits);
/** A DMA met no memory: a master abort (PCI Local Bus 3.0), and SERR in ISR. */
void rtl8139_abort(struct nm_dev *d);

/* --- rtl8139_regs.c --- */

/** RST#: everything, and what the EEPROM says. */
void rtl8139_power_on(struct nm_dev *d);
/** Reads 1 to 8 bytes, without side effects; past the end all ones. */
uint64_t rtl8139_read(const struct nm_dev *d, unsigned offset, unsigned size);
void rtl8139_write(struct nm_dev *d, unsigned offset, unsigned size, uint64_t value);
/** Raises the timer's interrupt if it is time. @return whether it was */
bool rtl8139_timer(struct nm_dev *d);
/** For nm_model.validate: are there bits that the register file cannot have? */
bool rtl8139_file_valid(const struct nm_dev *d);

/* --- rtl8139_tx.c --- */

/** C mode: sends what the TSDs have. */
void rtl8139_transmit(struct nm_dev *d);
/** A frame leaves, or comes back in loopback mode. @param len at most NM_MAX_FRAME */
void rtl8139_send(struct nm_dev *d, const uint8_t *frame, size_t len);

/* --- rtl8139_rx.c --- */

/* A frame that passed the filter. */
struct rtl8139_frame {
    const uint8_t *data;
    size_t len;      /* without FCS */
    uint16_t status; /* RTL_RSR_* of the address */
};
/** nm_model.can_receive, receive, waiting. */
bool rtl8139_can_receive(const struct nm_dev *d, size_t len);
void rtl8139_receive(struct nm_dev *d, const void *frame, size_t len);
void rtl8139_waiting(struct nm_dev *d);
/** C mode: the ring buffer is empty, from its start on. */
void rtl8139_empty_ring(struct rtl8139_regs *r);
/** Is the ring buffer empty? */
bool rtl8139_ring_is_empty(const struct rtl8139_regs *r);

/* --- rtl8139_ring.c: what the C+ rings have in common --- */

/** Where descriptor i of a ring is; a ring begins at a multiple of 256. */
static inline uint64_t rtl8139_desc_at(uint64_t ring, unsigned i)
{
    return (ring & ~0xffull) + i * sizeof(struct rtl8139_desc);
}
/** The descriptor behind descriptor i. */
static inline uint8_t rtl8139_desc_next(unsigned i, uint32_t opts1)
{
    return opts1 & RTL_DESC_EOR || i + 1 == RTL8139_RING ? 0 : (uint8_t)(i + 1);
}
/** Reads a descriptor: opts1 first. @return false: there is no memory */
bool rtl8139_desc_read(struct nm_dev *d, uint64_t at, struct rtl8139_desc *desc);

/** Notes that are not done; `done` is what ram says of them. */
static inline unsigned rtl8139_notes_done(const struct rtl8139_notes *n, uint32_t done)
{
    return done >> 8 == n->epoch ? (uint8_t)done : 0;
}
static inline bool rtl8139_notes_open(const struct rtl8139_notes *n, uint32_t done)
{
    return rtl8139_notes_done(n, done) < n->count;
}
/** `k` of them are done now. Stored behind what was done: a killed process leaves them in order. */
static inline void rtl8139_notes_did(const struct rtl8139_notes *n, unsigned k, uint32_t *done)
{
    __atomic_store_n(done, n->epoch << 8 | k, __ATOMIC_RELEASE);
}
/** Begins new notes, at descriptor `next`, if the old ones are done. */
void rtl8139_notes_begin(struct rtl8139_notes *n, uint32_t done, uint8_t next);

/* --- rtl8139_cptx.c, rtl8139_cprx.c --- */

static inline bool rtl8139_cp_tx_mode(const struct rtl8139_regs *r)
{
    return r->file.cpcr & RTL_CPCR_TXEN;
}
static inline bool rtl8139_cp_rx_mode(const struct rtl8139_regs *r)
{
    return r->file.cpcr & RTL_CPCR_RXEN;
}

/** Sends what the rings have that TPPoll asked for, RTL8139_BURST frames at most. @return frames */
unsigned rtl8139_cp_transmit(struct nm_dev *d);
/** Gives descriptors back as noted. */
void rtl8139_cp_tx_give_back(struct nm_dev *d);

bool rtl8139_cp_has_room(const struct nm_dev *d, size_t len);
/** @return false: there was no room */
bool rtl8139_cp_receive(struct nm_dev *d, const struct rtl8139_frame *f);
void rtl8139_cp_rx_give_back(struct nm_dev *d);

#endif
