/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The register file (SDM 13.4): a table says where a register is kept, what of it can be written,
 * and what happens then. Arrays (filters, statistics) are beside it.
 */
#include <stddef.h>
#include <string.h>

#include "e1000_priv.h"

struct reg {
    uint16_t offset;
    uint16_t field; /* in struct e1000_regs */
    uint32_t mask;  /* what the host can write */
    uint32_t reset;
    /** After the masked value was stored; `value` is what was written, `old` what was there. */
    void (*written)(struct nm_dev *d, uint32_t value, uint32_t old);
    uint32_t (*read)(struct nm_dev *d); /* NULL: gives what is stored */
};

#define CTRL_MASK (~(uint32_t)(CTRL_RST | CTRL_PHY_RST))
#define RCTL_MASK 0x06dfb3feu
#define TCTL_MASK 0x017ffffau

static void written_ctrl(struct nm_dev *d, uint32_t value, uint32_t old)
{
    (void)old;
    if (value & CTRL_PHY_RST)
        e1000_reset_phy(e1000_regs(d));
    if (value & CTRL_RST)
        e1000_reset_mac(d);
    e1000_check_link(d);
}

static void written_eecd(struct nm_dev *d, uint32_t value, uint32_t old)
{
    (void)value, (void)old;
    e1000_eecd(d);
}

static void written_eerd(struct nm_dev *d, uint32_t value, uint32_t old)
{
    (void)value, (void)old;
    e1000_eerd(d);
}

static void written_mdic(struct nm_dev *d, uint32_t value, uint32_t old)
{
    (void)value, (void)old;
    e1000_mdic(d);
}

static void written_ctrl_ext(struct nm_dev *d, uint32_t value, uint32_t old)
{
    (void)old;
    if (value & CTRL_EXT_EE_RST)
        e1000_load_address(d);
}

/* Written as 1, a cause is taken back. */
static void written_icr(struct nm_dev *d, uint32_t value, uint32_t old)
{
    e1000_regs(d)->icr = old & ~value;
    e1000_update_irq(d);
}

static uint32_t read_icr(struct nm_dev *d)
{
    struct e1000_regs *r = e1000_regs(d);
    uint32_t v;

    e1000_take_held(d);
    v = r->icr;
    if (v) {
        r->icr = 0;
        d->changed = true;
        e1000_update_irq(d);
    }
    return v;
}

static void written_ics(struct nm_dev *d, uint32_t value, uint32_t old)
{
    e1000_regs(d)->icr = old;
    e1000_raise(d, value & ICR_CAUSES);
}

static void written_ims(struct nm_dev *d, uint32_t value, uint32_t old)
{
    e1000_regs(d)->ims = old | (value & ICR_CAUSES);
    e1000_update_irq(d);
}

static void written_imc(struct nm_dev *d, uint32_t value, uint32_t old)
{
    e1000_regs(d)->ims = old & ~value;
    e1000_update_irq(d);
}

static uint32_t read_nothing(struct nm_dev *d)
{
    (void)d;
    return 0;
}

static void written_itr(struct nm_dev *d, uint32_t value, uint32_t old)
{
    (void)value, (void)old;
    e1000_update_irq(d);
}

static void written_rdtr(struct nm_dev *d, uint32_t value, uint32_t old)
{
    const struct e1000_regs *r = e1000_regs(d);

    (void)old;
    if (value & RDTR_FPD && (r->rdtr_at || r->radv_at))
        e1000_flush_rx_timers(d);
}

static void written_tidv(struct nm_dev *d, uint32_t value, uint32_t old)
{
    const struct e1000_regs *r = e1000_regs(d);

    (void)old;
    if (value & TIDV_FPD && (r->tidv_at || r->tadv_at))
        e1000_flush_tx_timers(d);
}

/* Transmits what the ring has, once the access is over. */
static void written_tx(struct nm_dev *d, uint32_t value, uint32_t old)
{
    (void)value, (void)old;
    e1000_regs(d)->tx_more = 1;
}

/* Another ring, or place in it: no packet is under way there. */
static void written_tx_ring(struct nm_dev *d, uint32_t value, uint32_t old)
{
    struct e1000_regs *r = e1000_regs(d);

    (void)value, (void)old;
    r->tso_next = 0;
    r->tx_skip = 0;
}

/* RXA is given, TXA is what it leaves of 64 KB (SDM 13.4.35). */
static void written_pba(struct nm_dev *d, uint32_t value, uint32_t old)
{
    uint32_t rxa = value & 0x7f;

    e1000_regs(d)->pba = rxa <= 64 ? (64 - rxa) << 16 | rxa : old;
}

#define F(name) offsetof(struct e1000_regs, name)

/* In ascending order. */
static const struct reg table[] = {
    {E1000_CTRL, F(ctrl), CTRL_MASK, CTRL_FD | CTRL_ASDE | CTRL_SPEED_1000, written_ctrl, NULL},
    {E1000_STATUS, F(status), 0, STATUS_FD | STATUS_SPEED_1000 | STATUS_ASDV_1000, NULL, NULL},
    {E1000_EECD, F(eecd), UINT32_MAX, EECD_PRES | EECD_DO, written_eecd, NULL},
    {E1000_EERD, F(eerd), UINT32_MAX, 0, written_eerd, NULL},
    {E1000_CTRL_EXT, F(ctrl_ext), ~(uint32_t)CTRL_EXT_EE_RST, 0, written_ctrl_ext, NULL},
    {E1000_MDIC, F(mdic), UINT32_MAX >> 1, MDIC_R, written_mdic, NULL},
    {E1000_FCAL, F(fcal), UINT32_MAX, 0, NULL, NULL},
    {E1000_FCAH, F(fcah), 0xffff, 0, NULL, NULL},
    {E1000_FCT, F(fct), 0xffff, 0, NULL, NULL},
    {E1000_VET, F(vet), 0xffff, 0x8100, NULL, NULL},
    {E1000_ICR, F(icr), ICR_CAUSES, 0, written_icr, read_icr},
    {E1000_ITR, F(itr), 0xffff, 0, written_itr, NULL},
    {E1000_ICS, F(icr), ICR_CAUSES, 0, written_ics, read_nothing},
    {E1000_IMS, F(ims), ICR_CAUSES, 0, written_ims, NULL},
    {E1000_IMC, F(ims), ICR_CAUSES, 0, written_imc, read_nothing},
    {E1000_RCTL, F(rctl), RCTL_MASK, 0, NULL, NULL},
    {E1000_FCTTV, F(fcttv), 0xffff, 0, NULL, NULL},
    {E1000_TXCW, F(txcw), 0xc000ffff, 0, NULL, NULL},
    {E1000_TCTL, F(tctl), TCTL_MASK, 0, written_tx, NULL},
    {E1000_TIPG, F(tipg), 0x3fffffff, 0, NULL, NULL},
    {E1000_AIT, F(ait), 0xffff, 0, NULL, NULL},
    {E1000_LEDCTL, F(ledctl), 0xcfcfcfcf, 0x07068302, NULL, NULL},
    {E1000_PBA, F(pba), UINT32_MAX, 16u << 16 | 48, written_pba, NULL},
    {E1000_FCRTL, F(fcrtl), 0x8000fff8, 0, NULL, NULL},
    {E1000_FCRTH, F(fcrth), 0xfff8, 0, NULL, NULL},
    {E1000_RDBAL, F(rdbal), 0xfffffff0, 0, NULL, NULL},
    {E1000_RDBAH, F(rdbah), UINT32_MAX, 0, NULL, NULL},
    {E1000_RDLEN, F(rdlen), 0xfff80, 0, NULL, NULL},
    {E1000_RDH, F(rdh), 0xffff, 0, NULL, NULL},
    {E1000_RDT, F(rdt), 0xffff, 0, NULL, NULL},
    {E1000_RDTR, F(rdtr), 0xffff, 0, written_rdtr, NULL},
    {E1000_RXDCTL, F(rxdctl), UINT32_MAX, 0x01010000, NULL, NULL},
    {E1000_RADV, F(radv), 0xffff, 0, NULL, NULL},
    {E1000_RSRPD, F(rsrpd), 0xfff, 0, NULL, NULL},
    {E1000_TXDMAC, F(txdmac), 1, 0, NULL, NULL},
    {E1000_TDBAL, F(tdbal), 0xfffffff0, 0, written_tx_ring, NULL},
    {E1000_TDBAH, F(tdbah), UINT32_MAX, 0, written_tx_ring, NULL},
    {E1000_TDLEN, F(tdlen), 0xfff80, 0, written_tx_ring, NULL},
    {E1000_TDH, F(tdh), 0xffff, 0, written_tx_ring, NULL},
    {E1000_TDT, F(tdt), 0xffff, 0, written_tx, NULL},
    {E1000_TIDV, F(tidv), 0xffff, 0, written_tidv, NULL},
    {E1000_TXDCTL, F(txdctl), UINT32_MAX, 0x01000000, NULL, NULL},
    {E1000_TADV, F(tadv), 0xffff, 0, NULL, NULL},
    {E1000_TSPMT, F(tspmt), UINT32_MAX, 0x01000400, NULL, NULL},
    {E1000_RXCSUM, F(rxcsum), 0x3ff, RXCSUM_IPOFLD | RXCSUM_TUOFLD, NULL, NULL},
    {E1000_WUC, F(wuc), 0xf, 0, NULL, NULL},
    {E1000_WUFC, F(wufc), 0xf80ff, 0, NULL, NULL},
    {E1000_WUS, F(wus), 0, 0, NULL, NULL},
    {E1000_MANC, F(manc), UINT32_MAX, 0, NULL, NULL},
    {E1000_IPAV, F(ipav), 0x1000f, 0, NULL, NULL},
    {E1000_WUPL, F(wupl), 0xfff, 0, NULL, NULL},
};
#define NREGS (sizeof(table) / sizeof(table[0]))

static const struct reg *find(uint32_t offset)
{
    unsigned low = 0, high = NREGS;

    while (low < high) {
        unsigned mid = (low + high) / 2;

        if (table[mid].offset == offset)
            return &table[mid];
        if (table[mid].offset < offset)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

static uint32_t *field_of(struct e1000_regs *r, const struct reg *g)
{
    return (uint32_t *)((uint8_t *)r + g->field);
}

/* An array's element. @return NULL: `offset` is in none */
static uint32_t *element(struct nm_dev *d, uint32_t offset, uint32_t *mask)
{
    struct e1000_ram *m = e1000_ram(d);

    *mask = UINT32_MAX;
    if (offset - E1000_MTA < sizeof(m->mta))
        return &m->mta[(offset - E1000_MTA) / 4];
    if (offset - E1000_VFTA < sizeof(m->vfta))
        return &m->vfta[(offset - E1000_VFTA) / 4];
    if (offset - E1000_RA < sizeof(e1000_regs(d)->ra)) {
        if (offset & 4)
            *mask = RAH_AV | RAH_AS | 0xffff;
        return &e1000_regs(d)->ra[(offset - E1000_RA) / 4];
    }
    return NULL;
}

uint32_t e1000_read_reg(struct nm_dev *d, uint32_t offset)
{
    const struct reg *g = find(offset);
    const uint32_t *e;
    uint32_t mask;

    if (g)
        return g->read ? g->read(d) : *field_of(e1000_regs(d), g);
    if (offset - E1000_STATS < 4 * E1000_NSTATS)
        return e1000_read_stat(d, (offset - E1000_STATS) / 4);
    e = element(d, offset, &mask);
    return e ? *e : 0;
}

void e1000_write_reg(struct nm_dev *d, uint32_t offset, uint32_t value)
{
    const struct reg *g = find(offset);
    uint32_t *at, mask, old;

    if (g) {
        at = field_of(e1000_regs(d), g);
        old = *at;
        *at = (old & ~g->mask) | (value & g->mask);
        if (g->written)
            g->written(d, value, old);
        return;
    }
    at = element(d, offset, &mask);
    if (at)
        *at = value & mask;
}

void e1000_reset_mac(struct nm_dev *d)
{
    struct e1000_regs *r = e1000_regs(d);
    struct e1000_ram *m = e1000_ram(d);

    for (unsigned i = 0; i < NREGS; i++)
        *field_of(r, &table[i]) = table[i].reset;
    memset(r->stats, 0, sizeof(r->stats));
    memset(r->ra, 0, sizeof(r->ra));
    memset(r->ctx, 0, sizeof(r->ctx));
    memset(m->mta, 0, sizeof(m->mta));
    memset(m->vfta, 0, sizeof(m->vfta));
    r->rdtr_at = r->radv_at = r->tidv_at = r->tadv_at = r->itr_ready = 0;
    r->ioaddr = 0;
    r->tso_next = 0;
    r->level = r->tx_more = r->tx_skip = 0;
    r->tx_held = 0;
    e1000_load_address(d);
    e1000_update_irq(d);
}

static bool bad_status(const struct e1000_regs *r)
{
    return (r->status & ~(uint32_t)STATUS_LU) != (STATUS_FD | STATUS_SPEED_1000 | STATUS_ASDV_1000);
}

bool e1000_bad_regs(const struct e1000_regs *r)
{
    for (unsigned i = 0; i < NREGS; i++) {
        const struct reg *g = &table[i];
        const uint32_t *at = (const uint32_t *)((const uint8_t *)r + g->field);

        if ((*at ^ g->reset) & ~(g->mask | g->reset) && g->offset != E1000_STATUS)
            return true;
    }
    for (unsigned i = 1; i < 2 * E1000_NRA; i += 2)
        if (r->ra[i] & ~(RAH_AV | RAH_AS | 0xffff))
            return true;
    return bad_status(r);
}
