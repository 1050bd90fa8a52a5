/* SPDX-License-Identifier: BSD-3-Clause */
/* The I/O core's side of a simulated Xen domain: what ctl_request.c does, without the socket. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../iocore/source_xen.h"
#include "../../nicmodels/dp8390.h"
#include "xen_rig.h"

int xr_note_fd = -1;
int xr_state_fd[XR_MAX_DEVS] = {-1, -1, -1, -1};

int xr_open(struct xr_ioc *i, uint32_t flags, const char **why)
{
    struct iotp_domain q = {.domid = XR_DOMID, .nvcpus = XR_VCPUS, .flags = flags};

    memset(i, 0, sizeof(*i));
    return xen_domain_open(&q, xr_note_fd, &i->x, why);
}

int xr_add(struct xr_ioc *i, unsigned n, const struct iotp_device *q, const char **why)
{
    struct dev_opts o = {.d = q, .core = &i->core, .mem = &i->x->mem, .state_fd = xr_state_fd[n]};
    const struct nm_model *m = nm_model_find(q->model);
    struct xen_dev *xd = NULL;
    int state_fd = -1, err = xen_domain_prepare(i->x, q, m->pci, &xd, &o.irq, why);

    if (err)
        return err;
    o.shadow = &xd->shadow;
    err = dev_create(&o, &i->dev[n], &state_fd, why);
    if (err)
        o.irq->ops->close(o.irq);
    else if ((err = xen_domain_add(i->x, n, xd, i->dev[n], why)))
        dev_destroy(i->dev[n]);
    if (!err) {
        if (state_fd >= 0)
            xr_state_fd[n] = state_fd;
        return 0;
    }
    if (state_fd >= 0)
        close(state_fd);
    i->dev[n] = NULL;
    free(xd);
    return err;
}

int xr_start(struct xr_ioc *i, const char **why)
{
    int err = xen_domain_start(i->x, why);

    if (err)
        return err;
    for (unsigned n = 0; n < XR_MAX_DEVS; n++)
        if (i->dev[n]) {
            dev_join(i->dev[n]);
            dev_resume(i->dev[n]);
        }
    src_xen_resume(i->x);
    return 0;
}

void xr_quiesce(struct xr_ioc *i)
{
    for (unsigned n = 0; n < XR_MAX_DEVS; n++)
        if (i->dev[n])
            dev_leave(i->dev[n]);
}

unsigned xr_poll(struct xr_ioc *i)
{
    return i->x->src.ops->poll(&i->x->src, 0);
}

static void destroy_devices(struct xr_ioc *i)
{
    for (unsigned n = 0; n < XR_MAX_DEVS; n++)
        if (i->dev[n]) {
            dev_destroy(i->dev[n]);
            i->dev[n] = NULL;
        }
}

void xr_close(struct xr_ioc *i)
{
    xr_quiesce(i);
    xen_domain_stop(i->x);
    destroy_devices(i);
    xen_domain_close(i->x);
}

/* What the destructors write into the notebook was never written. */
void xr_die(struct xr_ioc *i)
{
    uint8_t note[IOTP_DOMAIN_STATE_SIZE];

    xr_kill();
    if (pread(xr_note_fd, note, sizeof(note), 0) != sizeof(note))
        abort();
    xen_domain_stop(i->x);
    destroy_devices(i);
    i->x->has_server = false;
    xen_domain_close(i->x);
    if (pwrite(xr_note_fd, note, sizeof(note), 0) != sizeof(note))
        abort();
    xr_reap();
}

/* --- devices --- */

static struct iotp_device device(const char *model)
{
    struct iotp_device q = {.mac = {0x52, 0x54, 0, 1, 2, 3}, .name = "nic"};

    snprintf(q.model, sizeof(q.model), "%s", model);
    return q;
}

struct iotp_device xr_ne2000(uint16_t io_base, uint64_t mmio_base, uint8_t irq)
{
    struct iotp_device q = device("ne2000");

    q.io_base = io_base;
    q.mmio_base = mmio_base;
    q.irq = irq;
    return q;
}

struct iotp_device xr_rtl8029(uint8_t slot)
{
    struct iotp_device q = device("rtl8029");

    q.slot = slot;
    q.mac[5] = slot;
    return q;
}

/* --- accesses --- */

uint64_t xr_access(struct xr_ioc *i, const struct ioreq *r)
{
    uint64_t data = ~0ull, bits = r->size < 8 ? (1ull << (8 * r->size)) - 1 : ~0ull;

    if (xr_is_ours(r)) {
        xr_post(0, r);
        xr_poll(i);
        data = xr_take(0);
    }
    return data & bits;
}

void xr_dma(struct xr_ioc *i, unsigned base, uint8_t command, unsigned addr, unsigned len)
{
    xr_outb(i, base + DP8390_CR, CR_RD2 | CR_STA);
    xr_outb(i, base + PG0W_RSAR0, (uint8_t)addr);
    xr_outb(i, base + PG0W_RSAR1, (uint8_t)(addr >> 8));
    xr_outb(i, base + PG0W_RBCR0, (uint8_t)len);
    xr_outb(i, base + PG0W_RBCR1, (uint8_t)(len >> 8));
    xr_outb(i, base + DP8390_CR, command);
}
