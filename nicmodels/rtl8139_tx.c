/* SPDX-License-Identifier: BSD-3-Clause */
/* RTL8139: transmission by the four descriptor registers (DS, TSD), and
 * where frames of either mode leave. */
#include "dma.h"
#include "rtl8139.h"

#define MIN_ADDR 14 /* bytes of an Ethernet header; less reaches nobody */

/* With TCR.CRC set the host has put an FCS of its own behind the frame; who receives it is not
 * shown an FCS anyway, so it is dropped here whatever it is. */
static size_t without_fcs(const struct rtl8139_regs *r, size_t len)
{
    if (!(r->file.tcr & RTL_TCR_CRC))
        return len;
    return len > 4 ? len - 4 : 0;
}

void rtl8139_send(struct nm_dev *d, const uint8_t *frame, size_t len)
{
    struct rtl8139_regs *r = d->regs;

    r->tally.tx_ok++;
    len = without_fcs(r, len);
    if (len < MIN_ADDR)
        return;
    if ((r->file.tcr & RTL_TCR_LBK) == RTL_TCR_LBK)
        rtl8139_receive(d, frame, len);
    else
        d->env->tx(d, frame, len);
}

static void transmit_one(struct nm_dev *d, unsigned i)
{
    struct rtl8139_regs *r = d->regs;
    uint32_t *tsd = &r->file.tsd[i];
    size_t len = *tsd & RTL_TSD_SIZE;
    uint8_t frame[NM_MAX_FRAME];

    if (len > sizeof(frame))
        len = sizeof(frame);
    *tsd |= RTL_TSD_OWN;
    if (!nm_dma_read(d, r->file.tsad[i], frame, len)) {
        *tsd |= RTL_TSD_TABT;
        r->tally.tx_err++;
        rtl8139_abort(d);
        rtl8139_raise(d, RTL_ISR_TER);
        return;
    }
    rtl8139_send(d, frame, len);
    *tsd |= RTL_TSD_TOK;
    rtl8139_raise(d, RTL_ISR_TOK);
}

/* The chip takes the descriptors in their order, whichever was written. */
void rtl8139_transmit(struct nm_dev *d)
{
    struct rtl8139_regs *r = d->regs;

    if (!rtl8139_tx_on(r) || rtl8139_cp_tx_mode(r))
        return;
    for (unsigned n = 0; n < RTL8139_NTX && !(r->file.tsd[r->tx_next] & RTL_TSD_OWN); n++) {
        transmit_one(d, r->tx_next);
        r->tx_next = (r->tx_next + 1) % RTL8139_NTX;
    }
}
