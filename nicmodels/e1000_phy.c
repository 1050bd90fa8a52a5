/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the MAC reaches by serial lines: the transceiver (MDIC; Marvell 88E1011, IEEE 802.3 clauses
 * 22, 28 and 40) and the EEPROM (EECD bit by bit, EERD a word at a time; SDM 5).
 */
#include <string.h>

#include "e1000_priv.h"

#define PHY_ADDR  1
#define EE_VALID  0x4000 /* word 0Ah: the signature, without which hardware ignores the rest */
#define EE_LOADS  0x0003 /* and: IDs are to be loaded */
#define EE_PAUSE  0x3000 /* word 0Fh: flow control both ways */
#define EE_SUM    0xbaba /* what all words come to (SDM 5.6.25) */
#define EECD_MASK (EECD_SK | EECD_CS | EECD_DI | 0x30u | EECD_REQ)

enum {
    PHY_BMCR = 0,
    PHY_BMSR = 1,
    PHY_ID1 = 2,
    PHY_ID2 = 3,
    PHY_ANAR = 4,
    PHY_ANLPAR = 5,
    PHY_ANER = 6,
    PHY_NPTX = 7,
    PHY_1000_CTRL = 9,
    PHY_1000_STATUS = 10,
    PHY_EXT_STATUS = 15,
    PHY_SPEC_CTRL = 16,
    PHY_SPEC_STATUS = 17,
    PHY_EXT_SPEC_CTRL = 20,
};
enum {
    BMCR_RESET = 0x8000,
    BMCR_LOOPBACK = 0x4000,
    BMCR_POWER_DOWN = 0x0800,
    BMCR_ISOLATE = 0x0400,
    BMCR_AN_RESTART = 0x0200,
};
enum { BMSR_LINK = 0x0004, BMSR_AN_DONE = 0x0020 };
enum { SPEC_STATUS_LINK = 0x0400 };

/* Registers that are what they are; the others are the host's. */
#define READ_ONLY                                                                                  \
    (1u << PHY_BMSR | 1u << PHY_ID1 | 1u << PHY_ID2 | 1u << PHY_ANLPAR | 1u << PHY_ANER |          \
     1u << 8 | 1u << PHY_1000_STATUS | 1u << PHY_EXT_STATUS | 1u << PHY_SPEC_STATUS | 1u << 19 |   \
     1u << 21)

void e1000_reset_phy(struct e1000_regs *r)
{
    memset(r->phy, 0, sizeof(r->phy));
    r->phy[PHY_BMCR] = 0x1140;        /* autonegotiation, 1000 Mb/s, full duplex */
    r->phy[PHY_BMSR] = 0x7949;        /* 10 and 100 Mb/s, extended status, can negotiate */
    r->phy[PHY_ID1] = 0x0141;         /* Marvell */
    r->phy[PHY_ID2] = 0x0c20;         /* 88E1011 */
    r->phy[PHY_ANAR] = 0x0de1;        /* all there is, and pause */
    r->phy[PHY_ANLPAR] = 0x4de1;      /* the partner has it, too, and heard us */
    r->phy[PHY_ANER] = 0x0001;        /* the partner negotiates */
    r->phy[PHY_NPTX] = 0x2001;        /* a message page */
    r->phy[PHY_1000_CTRL] = 0x0300;   /* advertise 1000BASE-T, both duplexes */
    r->phy[PHY_1000_STATUS] = 0x3c00; /* both receivers fine, the partner has it */
    r->phy[PHY_EXT_STATUS] = 0x3000;  /* 1000BASE-T, both duplexes */
    r->phy[PHY_SPEC_CTRL] = 0x0068;
    r->phy[PHY_SPEC_STATUS] = 0xa800; /* 1000 Mb/s, full duplex, resolved */
    r->phy[PHY_EXT_SPEC_CTRL] = 0x0c60;
}

bool e1000_link(const struct e1000_regs *r)
{
    return !(r->phy[PHY_BMCR] & (BMCR_POWER_DOWN | BMCR_ISOLATE));
}

bool e1000_phy_loopback(const struct e1000_regs *r)
{
    return r->phy[PHY_BMCR] & BMCR_LOOPBACK;
}

void e1000_check_link(struct nm_dev *d)
{
    struct e1000_regs *r = e1000_regs(d);
    bool up = e1000_link(r) && (r->ctrl & CTRL_SLU), was = r->status & STATUS_LU;

    if (up == was)
        return;
    r->status ^= STATUS_LU;
    e1000_raise(d, ICR_LSC);
}

static uint16_t read_phy(const struct e1000_regs *r, unsigned reg)
{
    if (reg == PHY_BMSR && e1000_link(r))
        return r->phy[reg] | BMSR_LINK | BMSR_AN_DONE;
    if (reg == PHY_SPEC_STATUS && e1000_link(r))
        return r->phy[reg] | SPEC_STATUS_LINK;
    return r->phy[reg];
}

static void write_bmcr(struct nm_dev *d, uint16_t v)
{
    struct e1000_regs *r = e1000_regs(d);

    /* A reset leaves registers alone (88E1011S, "software reset"); it and negotiation take no time.
     */
    r->phy[PHY_BMCR] = v & (uint16_t) ~(BMCR_RESET | BMCR_AN_RESTART);
    e1000_check_link(d);
    if (v & (BMCR_RESET | BMCR_AN_RESTART) && r->status & STATUS_LU)
        e1000_raise(d, ICR_LSC); /* it went and came */
}

void e1000_mdic(struct nm_dev *d)
{
    struct e1000_regs *r = e1000_regs(d);
    unsigned reg = r->mdic >> 16 & 31, phy = r->mdic >> 21 & 31;
    uint32_t op = r->mdic & MDIC_OP;

    r->mdic &= ~(uint32_t)(MDIC_R | MDIC_E);
    if (op != MDIC_OP_READ && op != MDIC_OP_WRITE)
        return;
    if (phy != PHY_ADDR)
        r->mdic |= MDIC_E;
    else if (op == MDIC_OP_READ)
        r->mdic = (r->mdic & ~0xffffu) | read_phy(r, reg);
    else if (reg == PHY_BMCR)
        write_bmcr(d, (uint16_t)r->mdic);
    else if (!(READ_ONLY >> reg & 1))
        r->phy[reg] = (uint16_t)r->mdic;
    r->mdic |= MDIC_R;
    if (r->mdic & MDIC_I)
        e1000_raise(d, ICR_MDAC);
}

/* --- EEPROM --- */

/* SDM 5.6, table 5-2. */
void e1000_fill_eeprom(uint16_t word[EE_WORDS], const uint8_t mac[6])
{
    uint16_t sum = EE_SUM;

    memset(word, 0, EE_WORDS * sizeof(*word));
    for (unsigned i = 0; i < 3; i++)
        word[i] = (uint16_t)(mac[2 * i] | mac[2 * i + 1] << 8);
    word[0x08] = word[0x09] = 0xffff; /* no part number */
    word[0x0a] = EE_VALID | EE_LOADS;
    word[0x0b] = 0x001e; /* subsystem: PRO/1000 MT Desktop */
    word[0x0c] = 0x8086;
    word[0x0d] = 0x100e;
    word[0x0e] = 0x8086;
    word[0x0f] = EE_PAUSE;
    for (unsigned i = 0; i < EE_WORDS - 1; i++)
        sum = (uint16_t)(sum - word[i]);
    word[EE_WORDS - 1] = sum;
}

void e1000_load_address(struct nm_dev *d)
{
    const uint16_t *word = e1000_ram(d)->eeprom;
    struct e1000_regs *r = e1000_regs(d);

    r->ra[0] = word[0] | (uint32_t)word[1] << 16;
    r->ra[1] = word[2] | RAH_AV;
}

/* The lines reach the chip while the host was granted them (SDM 5.3.1); it always is. */
void e1000_eecd(struct nm_dev *d)
{
    struct e1000_regs *r = e1000_regs(d);
    uint32_t v = r->eecd & EECD_MASK;

    if (v & EECD_REQ)
        ee93c46_lines(&r->eeprom, e1000_ram(d)->eeprom, v & EECD_CS, v & EECD_SK, v & EECD_DI);
    r->eecd = v | EECD_PRES | (v & EECD_REQ ? EECD_GNT : 0) | (r->eeprom.data_out ? EECD_DO : 0);
}

void e1000_eerd(struct nm_dev *d)
{
    struct e1000_regs *r = e1000_regs(d);
    unsigned addr = r->eerd >> 8 & 0xff;

    if (!(r->eerd & EERD_START))
        return;
    r->eerd = (uint32_t)e1000_ram(d)->eeprom[addr % EE_WORDS] << 16 | addr << 8 | EERD_DONE;
}
