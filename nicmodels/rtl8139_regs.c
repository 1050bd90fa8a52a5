/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RTL8139: the register file (DS, register descriptions). It is read and written by double words
 * with byte enables, as the bus does it. Most registers are nothing but bits that can be written,
 * and one table says which; writing the others does something.
 */
#include "rtl8139.h"

#include <string.h>

#include "dma.h"

#define HWVERID_C     0x74000000u /* TCR */
#define HWVERID_CPLUS 0x74800000u
#define BMCR_DEFAULT  0x3100 /* 100 Mb/s, negotiated, full duplex */
#define ANLPAR_VALUE  0x45e1 /* the partner knows all of it, and acknowledges */
#define MPC_MAX       0xffffffu
#define MHZ           33 /* of the PCI clock, which TCTR counts */

enum { BMCR_RESET = 0x8000, BMCR_SPD_SET = 0x2000, BMCR_ANE = 0x1000, BMCR_WRITABLE = 0x3100 };
enum { MSR_SPEED_10 = 0x08 };
enum { CR9346_WRITABLE = 0xce };

/* A double word of the file: its value after RST#, what the host can write into it, which of that
 * only while 9346CR allows it, and what else can change in it. */
struct bits {
    uint32_t reset, writable, locked, other;
};
#define RW(mask)                                                                                   \
    {                                                                                              \
        .writable = (mask)                                                                         \
    }
static const struct bits bits_of[RTL8139_SIZE / 4] = {
    [0x00 / 4] = {.writable = 0xffffffff, .locked = 0xffffffff}, /* IDR */
    [0x04 / 4] = {.writable = 0x0000ffff, .locked = 0xffffffff},
    [0x08 / 4] = RW(0xffffffff), /* MAR */
    [0x0c / 4] = RW(0xffffffff),
    [0x10 / 4] = {.reset = RTL_TSD_OWN, .other = 0xffffffff}, /* TSD; DTCCR */
    [0x14 / 4] = {.reset = RTL_TSD_OWN, .other = 0xffffffff},
    [0x18 / 4] = {.reset = RTL_TSD_OWN, .other = 0xffffffff},
    [0x1c / 4] = {.reset = RTL_TSD_OWN, .other = 0xffffffff},
    [0x20 / 4] = RW(0xffffffff), /* TSAD; TNPDS, THPDS */
    [0x24 / 4] = RW(0xffffffff),
    [0x28 / 4] = RW(0xffffffff),
    [0x2c / 4] = RW(0xffffffff),
    [0x30 / 4] = RW(0xffffffff),                                                  /* RBSTART */
    [0x34 / 4] = {.other = (uint32_t)(RTL_CR_TE | RTL_CR_RE) << 24},              /* CR */
    [0x38 / 4] = {.reset = 0xfff0, .writable = 0xffff, .other = 0xffff0000},      /* CAPR, CBR */
    [0x3c / 4] = {.writable = RTL_ISR_ALL, .other = (uint32_t)RTL_ISR_ALL << 16}, /* IMR, ISR */
    [0x40 / 4] = {.reset = HWVERID_C, .writable = 0x030f07f0},                    /* TCR */
    [0x44 / 4] = RW(0x0f03ffbf),                                                  /* RCR */
    [0x4c / 4] = {.other = MPC_MAX},
    [0x50 / 4] = {.reset = 0x000c0000, /* CONFIG1: registers are in ports and in memory */
                  .writable = 0x00f10000,
                  .locked = 0x00f10000,
                  .other = CR9346_WRITABLE},
    [0x54 / 4] = RW(0xffffffff), /* TimerInt */
    [0x58 / 4] = {.writable = 0x00f77080, .locked = 0x00f77000, .other = MSR_SPEED_10},
    [0x5c / 4] = {.reset = 0x00100000, .writable = 0x00000fff}, /* MULINT, RERID */
    [0x60 / 4] = {.reset = (uint32_t)BMCR_DEFAULT << 16, .other = (uint32_t)BMCR_WRITABLE << 16},
    [0x64 / 4] = {.reset = 0x05e1782d, .writable = 0x2de00000}, /* BMSR, ANAR */
    [0x68 / 4] = {.reset = 0x00010000 | ANLPAR_VALUE, .other = ANLPAR_VALUE},
    [0x70 / 4] = RW(0x000000ff),                                /* NWAYTR */
    [0x74 / 4] = {.reset = 0x000003c8, .writable = 0x0000ffff}, /* CSCR */
    [0x78 / 4] = RW(0xffffffff),                                /* PHY parameters */
    [0x7c / 4] = RW(0xffffffff),
    [0x80 / 4] = RW(0x000000ff),
    [0x84 / 4 ... 0xd0 / 4] = RW(0xffffffff), /* wake-up frames and their CRCs */
    [0xd8 / 4] = {.writable = 0x0000007f,     /* CONFIG5, which nothing locks; TPPoll */
                  .other = (uint32_t)(RTL_TPPOLL_NPQ | RTL_TPPOLL_HPQ) << 8},
    [0xe0 / 4] = RW(0xffff007b), /* CPCR, interrupt mitigation */
    [0xe4 / 4] = RW(0xffffff00), /* RDSAR */
    [0xe8 / 4] = RW(0xffffffff),
    [0xec / 4] = RW(0x0000003f), /* ETThR */
};

/* The RTL8139C ends here, but for CONFIG5. */
#define CPLUS_FIRST (0xe0 / 4)

static struct bits bits_at(const struct nm_dev *d, unsigned i)
{
    struct bits b = bits_of[i];

    if (rtl8139_has_cplus(d)) {
        if (i == 0x40 / 4)
            b.reset = HWVERID_CPLUS;
        if (i == 0x5c / 4)
            b.reset = 0x00200000;
    } else if (i >= CPLUS_FIRST) {
        b = (struct bits){0};
    } else if (i == 0xd8 / 4) {
        b.other = 0;
    }
    return b;
}

bool rtl8139_file_valid(const struct nm_dev *d)
{
    const struct rtl8139_regs *r = d->regs;

    for (unsigned i = 0; i < RTL8139_SIZE / 4; i++) {
        struct bits b = bits_at(d, i);

        if ((r->file.dword[i] ^ b.reset) & ~(b.writable | b.other))
            return false;
    }
    return true;
}

/* --- reset --- */

/* What the EEPROM's words say (DS, EEPROM contents). */
static void auto_load(struct nm_dev *d)
{
    union rtl8139_file *f = &((struct rtl8139_regs *)d->regs)->file;
    const uint16_t *word = rtl8139_ram_of(d)->eeprom;

    memcpy(f->idr, &word[7], 6);
    f->config1 = (uint8_t)(word[10] >> 8 & 0xf1) | 0x0c;
    f->config3 = word[6] >> 8 & 0x70;
    f->config4 = word[12] >> 8 & 0xf7;
    f->config5 = word[15] >> 8 & 0x7f;
}

static void reset_range(struct nm_dev *d, unsigned from, unsigned to)
{
    struct rtl8139_regs *r = d->regs;

    for (unsigned i = from / 4; i < to / 4; i++)
        r->file.dword[i] = bits_at(d, i).reset;
}

static void reset_rings(struct rtl8139_regs *r)
{
    r->tx_next = 0;
    for (unsigned q = 0; q < RTL_NQUEUES; q++)
        r->tx[q].next = 0, r->tx[q].sent = 0;
    r->rx.next = 0;
}

/* CR.RST: addresses, configuration and PHY stay (DS, CR; drivers rely on it). */
static void chip_reset(struct nm_dev *d)
{
    struct rtl8139_regs *r = d->regs;

    reset_range(d, 0x10, 0x50);
    reset_range(d, 0x54, 0x58);
    reset_range(d, 0xe0, 0x100);
    r->file.tppoll = 0;
    r->tctr_zero = d->env->now(d);
    reset_rings(r);
    rtl8139_update(d);
}

void rtl8139_power_on(struct nm_dev *d)
{
    struct rtl8139_regs *r = d->regs;

    reset_range(d, 0, RTL8139_SIZE);
    ee93c46_reset(&r->ee);
    auto_load(d);
    chip_reset(d);
}

/* --- timer --- */

static uint64_t ticks_since(const struct nm_dev *d, uint64_t zero)
{
    return (d->env->now((struct nm_dev *)d) - zero) * MHZ / 1000;
}

static uint32_t timer_count(const struct nm_dev *d)
{
    const struct rtl8139_regs *r = d->regs;

    return (uint32_t)ticks_since(d, r->tctr_zero);
}

/* When TCTR will be TimerInt; if it is just now, the next time around. */
static void arm_timer(struct nm_dev *d)
{
    struct rtl8139_regs *r = d->regs;
    uint64_t now = d->env->now(d);
    uint32_t left = r->file.timer_int - timer_count(d);
    uint64_t ticks = left ? left : 1ull << 32;

    r->timer_at = now + (ticks * 1000 + MHZ - 1) / MHZ;
}

bool rtl8139_timer(struct nm_dev *d)
{
    struct rtl8139_regs *r = d->regs;
    uint64_t now;

    if (!r->file.timer_int)
        return false;
    now = d->env->now(d);
    /* A deadline that is further off than one round of TCTR is another clock's. */
    if (now < r->timer_at && r->timer_at - now <= (1ull << 32) * 1000 / MHZ + 1000)
        return false;
    arm_timer(d);
    d->changed = true;
    rtl8139_raise(d, RTL_ISR_TIMEOUT);
    return true;
}

/* --- reading --- */

/* TSAD (0x60): of each TSD its TOK, TUN, TABT and OWN. */
static uint16_t all_transmit_status(const struct rtl8139_regs *r)
{
    unsigned v = 0;

    if (rtl8139_cp_tx_mode(r))
        return 0;
    for (unsigned i = 0; i < RTL8139_NTX; i++) {
        uint32_t tsd = r->file.tsd[i];

        v |= (unsigned)!!(tsd & RTL_TSD_OWN) << i | (unsigned)!!(tsd & RTL_TSD_TABT) << (4 + i) |
             (unsigned)!!(tsd & RTL_TSD_TUN) << (8 + i) |
             (unsigned)!!(tsd & RTL_TSD_TOK) << (12 + i);
    }
    return (uint16_t)v;
}

static uint32_t read_dword(const struct nm_dev *d, unsigned at)
{
    const struct rtl8139_regs *r = d->regs;
    uint32_t v = r->file.dword[at / 4];

    switch (at) {
    case 0x34: return v | (rtl8139_ring_is_empty(r) ? (uint32_t)RTL_CR_BUFE << 24 : 0);
    case 0x48: return timer_count(d);
    case 0x50: return v | (r->ee.data_out ? RTL_9346_EEDO : 0);
    case 0x60: return v | all_transmit_status(r);
    default: return v;
    }
}

uint64_t rtl8139_read(const struct nm_dev *d, unsigned offset, unsigned size)
{
    uint64_t value = ~0ull;

    for (unsigned i = 0; i < size && offset + i < RTL8139_SIZE;) {
        unsigned at = offset + i, lane = at & 3, n = 4 - lane < size - i ? 4 - lane : size - i;
        uint32_t v = read_dword(d, at & ~3u) >> 8 * lane;
        uint64_t mask = (1ull << 8 * n) - 1;

        value = (value & ~(mask << 8 * i)) | (v & mask) << 8 * i;
        i += n;
    }
    return size < 8 ? value & ((1ull << 8 * size) - 1) : value;
}

/* --- writing --- */

/* One double word on its way: `value` where `lanes` has ones. */
struct lanes {
    uint32_t value, lanes;
};

static bool wrote(const struct lanes *w, uint32_t bits)
{
    return (w->lanes & bits) != 0;
}

/* What a register that holds what is written holds then. */
static void store(struct nm_dev *d, unsigned i, const struct lanes *w)
{
    struct rtl8139_regs *r = d->regs;
    struct bits b = bits_at(d, i);
    uint32_t mask = b.writable & w->lanes;

    if ((r->file.cr9346 & RTL_9346_EEM) != RTL_EEM_CONFIG)
        mask &= ~b.locked;
    r->file.dword[i] = (r->file.dword[i] & ~mask) | (w->value & mask);
}

/* Counters to memory at a multiple of 64; it takes no time. */
static void dump_tally(struct nm_dev *d)
{
    struct rtl8139_regs *r = d->regs;
    uint64_t at = r->file.dtccr & ~63ull;

    if (!rtl8139_master(r))
        return; /* the command stays pending, as it would on a bus that is not granted */
    r->file.dtccr &= ~(uint64_t)RTL_DTCCR_CMD;
    if (!nm_dma_write(d, at, &r->tally, sizeof(r->tally)))
        rtl8139_abort(d);
}

static void write_tsd(struct nm_dev *d, unsigned i, const struct lanes *w)
{
    struct rtl8139_regs *r = d->regs;
    uint32_t *tsd = &r->file.tsd[i], v = (*tsd & ~w->lanes) | (w->value & w->lanes);

    if (rtl8139_cp_tx_mode(r)) {
        *tsd = v; /* DTCCR: in that mode there are no TSDs */
        if (!i && wrote(w, RTL_DTCCR_CMD) && (v & RTL_DTCCR_CMD))
            dump_tally(d);
        return;
    }
    /* Any write ends what the status said of the transmission before. */
    *tsd = v & (RTL_TSD_SIZE | RTL_TSD_OWN | RTL_TSD_ERTXTH);
    rtl8139_transmit(d);
}

static void write_cr(struct nm_dev *d, uint8_t value)
{
    struct rtl8139_regs *r = d->regs;
    uint8_t off = (uint8_t)(r->file.cr & ~value);

    if (value & RTL_CR_RST) {
        chip_reset(d);
        return;
    }
    r->file.cr = value & (RTL_CR_TE | RTL_CR_RE);
    /* A part that is switched off begins anew: drivers set their own counts to 0 then. */
    if (off & RTL_CR_TE) {
        r->tx_next = 0;
        r->file.tppoll = 0;
        for (unsigned q = 0; q < RTL_NQUEUES; q++)
            r->tx[q].next = 0, r->tx[q].sent = 0;
    }
    if (off & RTL_CR_RE) {
        r->rx.next = 0;
        rtl8139_empty_ring(r);
    }
    rtl8139_transmit(d);
}

static void write_tppoll(struct nm_dev *d, uint8_t value)
{
    struct rtl8139_regs *r = d->regs;

    if (!rtl8139_has_cplus(d))
        return;
    if (value & RTL_TPPOLL_FSWINT)
        rtl8139_raise(d, RTL_ISR_SWINT);
    if (!rtl8139_tx_on(r) || !rtl8139_cp_tx_mode(r))
        return;
    r->file.tppoll |= value & (RTL_TPPOLL_NPQ | RTL_TPPOLL_HPQ);
    rtl8139_cp_transmit(d);
}

static void write_9346cr(struct nm_dev *d, uint8_t value)
{
    struct rtl8139_regs *r = d->regs;
    bool program = (value & RTL_9346_EEM) == RTL_EEM_PROGRAM;

    r->file.cr9346 = value & CR9346_WRITABLE;
    ee93c46_lines(&r->ee, rtl8139_ram_of(d)->eeprom, program && (value & RTL_9346_EECS),
                  program && (value & RTL_9346_EESK), value & RTL_9346_EEDI);
    if ((value & RTL_9346_EEM) == RTL_EEM_AUTOLOAD) {
        auto_load(d);
        r->file.cr9346 &= (uint8_t)~RTL_9346_EEM; /* loaded: back to normal operation */
    }
}

static void write_bmcr(struct rtl8139_regs *r, uint16_t value)
{
    union rtl8139_file *f = &r->file;

    if ((f->cr9346 & RTL_9346_EEM) != RTL_EEM_CONFIG)
        return;
    f->bmcr = value & BMCR_RESET ? BMCR_DEFAULT : value & BMCR_WRITABLE;
    f->anlpar = f->bmcr & BMCR_ANE ? ANLPAR_VALUE : 0;
    f->msr &= (uint8_t)~MSR_SPEED_10;
    if (!(f->bmcr & (BMCR_ANE | BMCR_SPD_SET)))
        f->msr |= MSR_SPEED_10;
}

/* A ring's address: the chip begins at its start. */
static void write_ring_address(struct rtl8139_regs *r, unsigned at)
{
    if (at >= 0xe4)
        r->rx.next = 0;
    else if (rtl8139_cp_tx_mode(r))
        r->tx[(at - 0x20) / 8].next = 0, r->tx[(at - 0x20) / 8].sent = 0;
}

static void write_dword(struct nm_dev *d, unsigned at, const struct lanes *w)
{
    struct rtl8139_regs *r = d->regs;

    store(d, at / 4, w);
    switch (at) {
    case 0x10:
    case 0x14:
    case 0x18:
    case 0x1c: write_tsd(d, (at - 0x10) / 4, w); break;
    case 0x20:
    case 0x24:
    case 0x28:
    case 0x2c:
    case 0xe4:
    case 0xe8: write_ring_address(r, at); break;
    case 0x30: rtl8139_empty_ring(r); break;
    case 0x34:
        if (wrote(w, 0xff000000))
            write_cr(d, (uint8_t)(w->value >> 24));
        break;
    case 0x3c:
        r->file.isr &= (uint16_t) ~(w->value >> 16);
        rtl8139_update(d);
        break;
    case 0x48:
        r->tctr_zero = d->env->now(d);
        arm_timer(d);
        break;
    case 0x4c: r->file.mpc = 0; break;
    case 0x50:
        if (wrote(w, 0xff))
            write_9346cr(d, (uint8_t)w->value);
        break;
    case 0x54: arm_timer(d); break;
    case 0x60:
        if (wrote(w, 0xffff0000))
            write_bmcr(r, (uint16_t)(w->value >> 16));
        break;
    case 0xd8:
        if (wrote(w, 0xff00))
            write_tppoll(d, (uint8_t)(w->value >> 8));
        break;
    default: break;
    }
}

void rtl8139_write(struct nm_dev *d, unsigned offset, unsigned size, uint64_t value)
{
    for (unsigned i = 0; i < size && offset + i < RTL8139_SIZE;) {
        unsigned at = offset + i, lane = at & 3, n = 4 - lane < size - i ? 4 - lane : size - i;
        uint32_t mask = (uint32_t)((1ull << 8 * n) - 1);
        struct lanes w = {.lanes = mask << 8 * lane};

        w.value = ((uint32_t)(value >> 8 * i) & mask) << 8 * lane;
        write_dword(d, at & ~3u, &w);
        i += n;
    }
}
