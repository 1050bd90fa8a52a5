/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What NE2000 boards have in common: a window of 32 ports, and 32 bytes of station PROM.
 *
 *   0x00-0x0f  the DP8390's registers, 8 bits each
 *   0x10-0x17  the data port: remote DMA, 8 or 16 bits as DCR.WTS says
 *   0x18-0x1f  the reset port: any access resets the DP8390
 *
 * Wider accesses are split as the bus would: into bytes at successive ports, or at the data port in
 * word mode into words. A byte access there in word mode still moves a whole word, of which the
 * host sees the low byte; drivers of 16-bit boards read the station PROM that way.
 *
 * Posted writes (ne2000_ranges): an access range may be posted if a guest cannot tell that its
 * write took effect a little later than the instruction. What it could notice is a read (but reads
 * drain posted writes first), a frame (but the network has no common clock with the vCPU), or an
 * interrupt that arrives though the guest has just acknowledged or masked it. So only writes that
 * can lower the INT pin must be waited for: 0x00 CR          starts things; neither stopping nor
 * changing the page touches ISR's interrupt bits or IMR, so INT can only rise 0x01-0x06 PSTART,
 * PSTOP, BNRY, TPSR, TBCR; PAR; page 2 pointers: no part in INT. BNRY clears ISR.RST, which does
 * not interrupt 0x07 ISR, CURR   not posted: acknowledging lowers INT 0x08-0x0e        RSAR, RBCR,
 * RCR, TCR, DCR; MAR; RTL8029 configuration: as above. TCR may release a transmission that waits:
 * INT can only rise 0x0f IMR, MAR7   not posted: masking lowers INT 0x10-0x17 data   fills memory
 * only the device reads; the last one raises ISR.RDC, as late as a slow memory would 0x18-0x1f
 * reset  not posted: reset clears IMR, which lowers INT CURR and MAR7 share their offsets with ISR
 * and IMR and pay for it; both are rare.
 *
 * Shadow cells (ne2000_cells): byte reads without side effect whichever page is selected:
 * 0x00-0x05, 0x07-0x0c. Not 0x06 (reading FIFO advances it), not 0x0d-0x0f (reading clears tally
 * counters).
 */
#ifndef COOPVMM_NICMODELS_NE2000_H
#define COOPVMM_NICMODELS_NE2000_H

#include "dp8390.h"

#define NE2000_PORTS     0x20
#define NE2000_DATAPORT  0x10
#define NE2000_RESET     0x18
#define NE2000_PROM_SIZE 32 /* bytes of local memory, from address 0 */

#define NE2000_NRANGES 3
#define NE2000_NCELLS  12
extern const struct nm_reg_range ne2000_ranges[NE2000_NRANGES];
extern const struct nm_reg_cell ne2000_cells[NE2000_NCELLS];

/** An access, single or string, to the port window. */
enum nm_status ne2000_access(const struct dp8390_chip *c, struct nm_access *a);

/** nm_model.publish for ne2000_cells. */
uint32_t ne2000_publish(const struct dp8390_chip *c, uint64_t *cell);

/** The station PROM as 16-bit boards show it: each byte twice, signature "WW". */
void ne2000_prom(uint8_t prom[NE2000_PROM_SIZE], const uint8_t mac[6]);

#endif
