/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Descriptor rings, and writing descriptors back so that a killed process's successor neither
 * forgets one nor does one twice: a call queues them in ram, the commit of wb_head makes them
 * count, and wb_tail in ram says how far the guest was told.
 */
#include "dma.h"
#include "e1000_priv.h"

static struct e1000_ring ring(uint32_t bal, uint32_t bah, uint32_t len, uint32_t head,
                              uint32_t tail)
{
    struct e1000_ring g = {.base = (uint64_t)bah << 32 | bal, .head = head, .tail = tail};
    uint32_t n = len / E1000_DESC;

    if (head < n && tail < n)
        g.n = n;
    return g;
}

struct e1000_ring e1000_rx_ring(const struct e1000_regs *r)
{
    return ring(r->rdbal, r->rdbah, r->rdlen, r->rdh, r->rdt);
}

struct e1000_ring e1000_tx_ring(const struct e1000_regs *r)
{
    return ring(r->tdbal, r->tdbah, r->tdlen, r->tdh, r->tdt);
}

/* Queued ones. ram is memory others can write: what makes no sense is an empty queue. */
static uint32_t queued(const struct nm_dev *d)
{
    uint32_t n = e1000_regs(d)->wb_head - e1000_ram(d)->wb_tail;

    return n <= E1000_WB ? n : 0;
}

uint32_t e1000_wb_room(const struct nm_dev *d)
{
    return E1000_WB - queued(d);
}

void e1000_wb_add(struct nm_dev *d, uint64_t gpa, uint64_t value, unsigned size)
{
    struct e1000_regs *r = e1000_regs(d);

    e1000_ram(d)->wb[r->wb_head++ % E1000_WB] =
        (struct e1000_wb){.gpa = gpa, .value = value, .size = size};
}

void e1000_committed(struct nm_dev *d)
{
    uint32_t head = e1000_regs(d)->wb_head;
    struct e1000_ram *m = e1000_ram(d);
    uint32_t tail = head - queued(d);

    for (; tail != head; tail++) {
        struct e1000_wb w = m->wb[tail % E1000_WB];

        nm_dma_publish(d, w.gpa, w.value, w.size == 8 ? 8 : 1);
        /* Next to each other: between the two a kill would tell the guest twice. */
        __atomic_store_n(&m->wb_tail, tail + 1, __ATOMIC_RELEASE);
    }
    if (m->wb_tail != head)
        m->wb_tail = head;
}
