/* SPDX-License-Identifier: BSD-3-Clause */
/* An e1000 behind IOTP that sends to itself, as a driver sets it up through requests. */
#ifndef COOPVMM_TESTS_E1000_IOTP_H
#define COOPVMM_TESTS_E1000_IOTP_H

#include <string.h>

#include "../../nicmodels/e1000.h"
#include "iotp_rig.h"

/* Both rings have E_IOTP_RING descriptors. */
#define E_IOTP_RING    128
#define E_IOTP_RX_RING 0x1000u
#define E_IOTP_TX_RING 0x2000u
#define E_IOTP_RX_BUF  0x10000u /* 2 KB each */

/* Rings, and both directions enabled; what is sent comes in again. No receive descriptor is given
 * out yet, no interrupt enabled. */
static inline void e1000_loopback(struct rig_vmm *v, uint32_t rctl, uint32_t itr)
{
    rig_enable_pci(v, 0);
    for (uint64_t i = 0; i < E_IOTP_RING; i++) {
        uint64_t addr = E_IOTP_RX_BUF + 2048 * i;

        memcpy(v->mem + E_IOTP_RX_RING + 16 * i, &addr, 8);
    }
    rig_out(v, 0, E1000_RDBAL, 4, E_IOTP_RX_RING);
    rig_out(v, 0, E1000_RDLEN, 4, E_IOTP_RING * 16);
    rig_out(v, 0, E1000_TDBAL, 4, E_IOTP_TX_RING);
    rig_out(v, 0, E1000_TDLEN, 4, E_IOTP_RING * 16);
    rig_out(v, 0, E1000_RCTL, 4, rctl | RCTL_EN | 1u << 6); /* loopback by the MAC */
    rig_out(v, 0, E1000_TCTL, 4, TCTL_EN | TCTL_PSP);
    rig_out(v, 0, E1000_ITR, 4, itr);
}

#endif
