/* SPDX-License-Identifier: BSD-3-Clause */
/* An e1000 with guest memory and rings, as a driver would set it up. */
#ifndef COOPVMM_TESTS_E1000_RIG_H
#define COOPVMM_TESTS_E1000_RIG_H

#include <CUnit/CUnit.h>

#include "../../nicmodels/e1000.h"
#include "../../nicmodels/pci.h"
#include "net_frames.h"
#include "nm_rig.h"

#define E_MEM_SIZE 0x200000u
#define E_RX_RING  (RIG_MEM + 0x1000u)
#define E_TX_RING  (RIG_MEM + 0x3000u)
#define E_RX_BUF   (RIG_MEM + 0x10000u) /* buffer i at + i * 4096 */
#define E_TX_BUF   (RIG_MEM + 0x100000u)
#define E_RING     16 /* descriptors in each */
#define E_NS_US    1000u

static inline uint32_t reg(struct rig *g, uint32_t offset)
{
    return (uint32_t)rig_read(g, E1000_BAR_MEM, offset, 4);
}

static inline void set(struct rig *g, uint32_t offset, uint32_t value)
{
    CU_ASSERT_EQUAL(rig_write(g, E1000_BAR_MEM, offset, 4, value), NM_DONE);
}

/* Guest memory as the guest sees it, whatever pieces the device sees. */
static inline uint8_t *guest(struct rig *g, uint64_t gpa)
{
    return g->mem + (gpa - RIG_MEM);
}

static inline struct e1000_rx_desc rx_desc(struct rig *g, uint32_t i)
{
    struct e1000_rx_desc x;

    memcpy(&x, guest(g, E_RX_RING + 16 * i), sizeof(x));
    return x;
}

/* Gives the device all receive descriptors up to `tail`. */
static inline void rx_refill(struct rig *g, uint32_t tail)
{
    set(g, E1000_RDT, tail);
}

static inline void power_up(struct rig *g, uint64_t piece)
{
    const char *why = "";

    CU_ASSERT_EQUAL_FATAL(rig_init(g, nm_model_find("e1000"), NULL, &why), 0);
    rig_memory(g, E_MEM_SIZE, piece);
    g->ns = 1000000000;
    rig_write(g, NM_REGION_CONFIG, PCI_COMMAND, 2,
              PCI_COMMAND_IO | PCI_COMMAND_MEM | PCI_COMMAND_MASTER);
}

static inline void set_rings(struct rig *g)
{
    for (uint32_t i = 0; i < E_RING; i++) {
        uint64_t addr = E_RX_BUF + 4096ull * i;

        memcpy(guest(g, E_RX_RING + 16 * i), &addr, 8);
    }
    set(g, E1000_RDBAL, E_RX_RING);
    set(g, E1000_RDLEN, E_RING * 16);
    set(g, E1000_TDBAL, E_TX_RING);
    set(g, E1000_TDLEN, E_RING * 16);
    rx_refill(g, E_RING - 1);
}

/* Up and running, without delays and throttling. */
static inline void bring_up(struct rig *g, uint64_t piece)
{
    power_up(g, piece);
    set_rings(g);
    set(g, E1000_CTRL, CTRL_FD | CTRL_SLU);
    set(g, E1000_RCTL, RCTL_EN | RCTL_BAM | RCTL_SECRC);
    set(g, E1000_TCTL, TCTL_EN | TCTL_PSP);
    reg(g, E1000_ICR);
    set(g, E1000_IMS, ICR_CAUSES);
}

/* --- transmit descriptors --- */

struct tx_maker {
    struct rig *g;
    uint32_t tail; /* where the next one goes */
};

static inline void tx_put(struct tx_maker *t, uint64_t low, uint64_t high)
{
    uint8_t *at = guest(t->g, E_TX_RING + 16 * t->tail);

    memcpy(at, &low, 8);
    memcpy(at + 8, &high, 8);
    t->tail = (t->tail + 1) % E_RING;
}

static inline void tx_legacy(struct tx_maker *t, uint64_t addr, uint16_t len, uint8_t cmd,
                             uint8_t cso, uint8_t css, uint16_t special)
{
    tx_put(t, addr,
           len | (uint64_t)cso << 16 | (uint64_t)cmd << 24 | (uint64_t)css << 40 |
               (uint64_t)special << 48);
}

static inline void tx_data(struct tx_maker *t, uint64_t addr, uint32_t len, uint8_t dcmd,
                           uint8_t popts, uint16_t special)
{
    tx_put(t, addr,
           len | 1ull << 20 | (uint64_t)(dcmd | TXD_DEXT) << 24 | (uint64_t)popts << 40 |
               (uint64_t)special << 48);
}

static inline void tx_context(struct tx_maker *t, const struct e1000_context *c, uint32_t paylen)
{
    tx_put(t,
           c->ipcss | (uint64_t)c->ipcso << 8 | (uint64_t)c->ipcse << 16 |
               (uint64_t)c->tucss << 32 | (uint64_t)c->tucso << 40 | (uint64_t)c->tucse << 48,
           paylen | (uint64_t)(c->tucmd | TXD_DEXT) << 24 | (uint64_t)c->hdrlen << 40 |
               (uint64_t)c->mss << 48);
}

static inline uint8_t tx_status(struct rig *g, uint32_t i)
{
    return *guest(g, E_TX_RING + 16 * i + 12);
}

static inline void tx_go(struct tx_maker *t)
{
    set(t->g, E1000_TDT, t->tail);
}

#endif
