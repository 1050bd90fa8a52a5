/* SPDX-License-Identifier: BSD-3-Clause */
/* NE2000 boards, powered on and driven as a driver does, for their suites. */
#ifndef COOPVMM_TESTS_NE2000_RIG_H
#define COOPVMM_TESTS_NE2000_RIG_H

#include <CUnit/CUnit.h>

#include "../../nicmodels/ne2000.h"
#include "../../nicmodels/pci.h"
#include "nm_rig.h"

#define DATA     0x10
#define RESET    0x1f
#define TX_PAGE  0x40
#define RX_START 0x4c
#define RX_STOP  0x80

static inline void enable_ports(struct rig *g)
{
    if (g->d.model->pci)
        rig_write(g, NM_REGION_CONFIG, PCI_COMMAND, 2, PCI_COMMAND_IO);
}

/* A powered-on device whose ports answer. */
static inline void board_up(struct rig *g, const char *name)
{
    const char *why = NULL;

    CU_ASSERT_EQUAL_FATAL(rig_init(g, nm_model_find(name), NULL, &why), 0);
    enable_ports(g);
}

static inline void remote(struct rig *g, uint16_t addr, uint16_t count, uint8_t rd_bits)
{
    outb(g, PG0W_RSAR0, (uint8_t)addr);
    outb(g, PG0W_RSAR1, (uint8_t)(addr >> 8));
    outb(g, PG0W_RBCR0, (uint8_t)count);
    outb(g, PG0W_RBCR1, (uint8_t)(count >> 8));
    outb(g, DP8390_CR, CR_STA | rd_bits);
}

/* As Linux's 8390 core starts a board. */
static inline void driver_start(struct rig *g)
{
    outb(g, DP8390_CR, CR_RD2 | CR_STP);
    outb(g, PG0W_DCR, DCR_WTS | DCR_LS | 0x40);
    outb(g, PG0W_TPSR, TX_PAGE);
    outb(g, PG0W_PSTART, RX_START);
    outb(g, PG0W_BNRY, RX_STOP - 1);
    outb(g, PG0W_PSTOP, RX_STOP);
    outb(g, PG0W_ISR, 0xff);
    outb(g, PG0W_IMR, 0);
    outb(g, DP8390_CR, CR_RD2 | CR_PS0 | CR_STP);
    for (unsigned i = 0; i < 6; i++) {
        outb(g, PG1_PAR0 + i, rig_mac[i]);
        CU_ASSERT_EQUAL(inb(g, PG1_PAR0 + i), rig_mac[i]);
    }
    outb(g, PG1_CURR, RX_START);
    outb(g, DP8390_CR, CR_RD2 | CR_STP);
    outb(g, PG0W_ISR, 0xff);
    outb(g, PG0W_IMR, 0x3f);
    outb(g, DP8390_CR, CR_RD2 | CR_STA);
    outb(g, PG0W_TCR, 0);
    outb(g, PG0W_RCR, RCR_AB);
}

#endif
