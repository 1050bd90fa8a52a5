/* SPDX-License-Identifier: BSD-3-Clause */
/* A device's interrupts as Xen takes them: levels of lines (HVM only), and messages. */
#include <stdlib.h>

#include "xen_domain.h"

struct xen_irq {
    struct irq_sink sink; /* first: what the device holds */
    struct xen_dm *dm;
    uint8_t slot, irq; /* slot 0: an ISA line */
};

static void set(struct irq_sink *s, bool level)
{
    const struct xen_irq *q = (struct xen_irq *)s;

    /* fails only if the domain is gone */
    if (q->slot)
        xen_dm_intx(q->dm, q->slot, level);
    else
        xen_dm_isa_irq(q->dm, q->irq, level);
}

static void raise_line(struct irq_sink *s, unsigned line)
{
    (void)line; /* there is one: INTA#, or the ISA line */
    set(s, true);
}

static void lower_line(struct irq_sink *s, unsigned line)
{
    (void)line;
    set(s, false);
}

static void send_msi(struct irq_sink *s, uint64_t addr, uint32_t data)
{
    xen_dm_msi(((struct xen_irq *)s)->dm, addr, data);
}

/* What the guest's interrupt controller sees of a device that is gone. */
static void close_irq(struct irq_sink *s)
{
    if (s->nlines)
        set(s, false);
    free(s);
}

static const struct irq_ops xen_irq_ops = {
    .raise = raise_line, .lower = lower_line, .msi = send_msi, .close = close_irq};

struct irq_sink *xen_irq_new(struct xen_domain *x, const struct xen_dev *xd)
{
    struct xen_irq *q = calloc(1, sizeof(*q));

    if (!q)
        return NULL;
    /* Without lines of its platform a domain must not be given any: stock Xen goes down. */
    q->sink =
        (struct irq_sink){.ops = &xen_irq_ops, .nlines = x->flags & IOTP_DOMAIN_LINES ? 1 : 0};
    q->dm = x->dm;
    q->slot = xd->slot;
    q->irq = xd->irq;
    return &q->sink;
}
