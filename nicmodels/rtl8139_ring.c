/* SPDX-License-Identifier: BSD-3-Clause */
/* RTL8139C+: what the descriptor rings have in common (DS, C+ mode). */
#include <stddef.h>

#include "dma.h"
#include "rtl8139.h"

/* Edge D1: the driver writes a descriptor and then OWN (in Linux behind a wmb); here OWN is read,
 * and then the rest of it. */
bool rtl8139_desc_read(struct nm_dev *d, uint64_t at, struct rtl8139_desc *desc)
{
    const size_t rest = offsetof(struct rtl8139_desc, opts2);

    if (!nm_dma_read(d, at, &desc->opts1, sizeof(desc->opts1)))
        return false;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return nm_dma_read(d, at + rest, &desc->opts2, sizeof(*desc) - rest);
}

void rtl8139_notes_begin(struct rtl8139_notes *n, uint32_t done, uint8_t next)
{
    if (rtl8139_notes_open(n, done))
        return;
    n->epoch = (n->epoch + 1) & 0xffffff;
    n->first = next;
    n->count = 0;
}
