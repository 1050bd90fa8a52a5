/* SPDX-License-Identifier: BSD-3-Clause */
#include "xen_domain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "../nicmodels/pci.h"
#include "source_xen.h"
#include "xen_root.h"

#define NOTE_MAGIC   0x4e584f43u /* "COXN" */
#define NOTE_VERSION 2
/* For requests, a millisecond apart, before a server goes: so many without finding any, and no more
 * than this, whatever the guest does. */
#define LAST_LOOKS 5
#define MOST_LOOKS 50

/* Where a guest without firmware finds its devices: I/O BARs as a BIOS would place them, memory
 * BARs in the hole that Xen leaves below 4 GiB. */
#define FIRST_PIO  0xc000u
#define FIRST_MMIO 0xf0000000u

_Static_assert(sizeof(struct xen_note) <= IOTP_DOMAIN_STATE_SIZE, "the notebook is too large");
_Static_assert(sizeof(struct xen_step) == 8, "a step is stored at once");

/* --- the notebook --- */

static const char *note_refusal(const struct xen_note *n, uint16_t domid)
{
    if (n->magic != NOTE_MAGIC || n->version != NOTE_VERSION)
        return "the domain's state is not one of this version's";
    if (n->domid != domid)
        return "the domain's state is another domain's";
    if (n->stage > XEN_SERVER_ENABLED || n->spins > 1)
        return "the domain's state makes no sense";
    return NULL;
}

static int map_note(struct xen_domain *x, int fd, const char **why)
{
    int err = iotp_memfd_check(fd, IOTP_DOMAIN_STATE_SIZE);
    void *at;

    if (err) {
        *why = "the domain's state is no sealed memfd of its size";
        return err == -EINVAL ? -EPROTO : err;
    }
    at = mmap(NULL, IOTP_DOMAIN_STATE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED)
        return -errno;
    x->note = at;
    if (!x->note->magic)
        *x->note =
            (struct xen_note){.magic = NOTE_MAGIC, .version = NOTE_VERSION, .domid = x->domid};
    *why = note_refusal(x->note, x->domid);
    return *why ? -EPROTO : 0;
}

/* --- the server --- */

static int make_server(struct xen_domain *x, const char **why)
{
    bool spin = (x->flags & IOTP_DOMAIN_SPIN) != 0;
    int err = xen_dm_create_server(x->dm, &spin, &x->server);

    if (err) {
        *why = err == -ENOSPC ? "the domain has as many ioreq servers as Xen allows"
                              : "Xen refuses an ioreq server";
        return err;
    }
    memset(x->note->told, 0, sizeof(x->note->told));
    x->note->server = x->server;
    x->note->spins = spin;
    __atomic_store_n(&x->note->stage, XEN_SERVER_MADE, __ATOMIC_RELEASE);
    return 0;
}

/* One that was never enabled has answered nothing: it is of no use to take it up. */
static void drop_unfinished(struct xen_domain *x)
{
    if (x->note->stage != XEN_SERVER_MADE)
        return;
    xen_dm_destroy_server(x->dm, x->note->server);
    x->note->stage = XEN_NO_SERVER;
}

static int take_server(struct xen_domain *x, const char **why)
{
    int err;

    drop_unfinished(x);
    err = x->note->stage == XEN_NO_SERVER ? make_server(x, why) : 0;
    if (err)
        return err;
    x->server = x->note->server;
    x->spins = x->note->spins;
    x->has_server = true;
    x->taken = x->note->stage == XEN_SERVER_ENABLED;
    *why = "Xen does not let its page of requests be mapped";
    return xen_dm_map_requests(x->dm, x->server, &x->slot);
}

static int count_vcpus(struct xen_domain *x, unsigned said, const char **why)
{
    int n = xen_dm_vcpus(x->dm);

    if (n < 0) {
        *why = "there is no such domain, or it is none that needs device models (PV)";
        return n;
    }
    if ((unsigned)n > said) {
        *why = "the domain has more vCPUs than was said";
        return -EINVAL;
    }
    x->nvcpus = (unsigned)n;
    return 0;
}

static int make_memory(struct xen_domain *x)
{
    x->cache = xen_mem_new(x->dm);
    x->mem = (struct guestmem){.far = xen_mem_at, .far_ctx = x->cache};
    x->stats = calloc(x->nvcpus, sizeof(x->stats[0]));
    return x->cache && x->stats ? 0 : -ENOMEM;
}

static int open_domain(struct xen_domain *x, const struct iotp_domain *q, int note_fd,
                       const char **why)
{
    int err = xen_dm_open(q->domid, &x->dm, why);

    if (!err)
        err = map_note(x, note_fd, why);
    if (!err)
        err = count_vcpus(x, q->nvcpus, why);
    if (!err)
        err = take_server(x, why);
    return err ? err : make_memory(x);
}

int xen_domain_open(const struct iotp_domain *q, int note_fd, struct xen_domain **out,
                    const char **why)
{
    struct xen_domain *x = calloc(1, sizeof(*x));
    int err;

    *why = NULL;
    if (!x)
        return -ENOMEM;
    x->domid = q->domid;
    x->flags = q->flags;
    err = open_domain(x, q, note_fd, why);
    if (err) {
        xen_domain_close(x);
        return err;
    }
    src_xen_init(x);
    *out = x;
    return 0;
}

/* --- devices --- */

int xen_domain_prepare(struct xen_domain *x, const struct iotp_device *q, bool pci,
                       struct xen_dev **out, struct irq_sink **irq, const char **why)
{
    struct xen_dev *xd;

    *why = pci ? "a PCI device of a domain needs a slot, 1 to 31" : "an ISA device has no slot";
    if (pci != (q->slot != 0))
        return -EINVAL;
    *why = "an ISA device of a domain needs an interrupt line, 1 to 15";
    if (!pci && (q->irq < 1 || q->irq > 15))
        return -EINVAL;
    *why = NULL;
    xd = calloc(1, sizeof(*xd));
    if (!xd)
        return -ENOMEM;
    xd->slot = q->slot;
    xd->irq = q->irq;
    *irq = xen_irq_new(x, xd);
    if (!*irq) {
        free(xd);
        return -ENOMEM;
    }
    *out = xd;
    return 0;
}

int xen_domain_add(struct xen_domain *x, unsigned index, struct xen_dev *xd, struct ioc_dev *dev,
                   const char **why)
{
    uint64_t before = x->n.refused;
    int err = xd->slot ? xen_dm_config(x->dm, x->server, xd->slot, true) : 0;

    if (err == -EEXIST && x->taken)
        err = 0;
    if (err) {
        *why = err == -EEXIST ? "another device has its slot" : "Xen refuses its slot";
        return err;
    }
    xd->dev = dev;
    xd->index = (uint8_t)index;
    if (x->taken)
        xen_ranges_resume(x, xd);
    xen_domain_follow(x, xd);
    if (!xd->slot && x->n.refused != before) {
        xen_ranges_leave(x, xd);
        *why = "another device has some of its ports or addresses";
        return -EEXIST;
    }
    x->xdev[index] = xd;
    x->dev[index] = dev;
    if (index >= x->ndevs)
        x->ndevs = index + 1;
    return 0;
}

/* --- start and end --- */

/* pci_config.access of a device that no guest has seen yet. */
static int config_access(void *ctx, bool write, unsigned reg, unsigned size, uint64_t *data)
{
    struct xen_dev *xd = ctx;
    struct iotp_req q = {.offset = reg,
                         .data = *data,
                         .count = 1,
                         .region = IOTP_REGION_CONFIG,
                         .op = write ? IOTP_OP_WRITE : IOTP_OP_READ,
                         .size = (uint8_t)size};
    struct iotp_resp out;

    dev_request(xd->dev, 0, 0, NULL, &q, &out);
    *data = out.data;
    return out.status == IOTP_DONE ? 0 : -EIO;
}

static unsigned bars_of(const struct xen_dev *xd)
{
    unsigned bars = 0;

    for (unsigned i = 0; i < xd->nranges; i++)
        if (xd->range[i].region < PCI_NBARS)
            bars |= 1u << xd->range[i].region;
    return bars;
}

static int be_firmware(struct xen_domain *x)
{
    struct pci_room room = {.pio = FIRST_PIO, .mmio = FIRST_MMIO};
    int err = xen_dm_config(x->dm, x->server, 0, true);

    if (!err)
        err = xen_dm_range(x->dm, x->server, true, XEN_ROOT_PORT, XEN_ROOT_PORTS, true);
    for (unsigned i = 0; i < x->ndevs && !err; i++) {
        struct pci_config config = {.access = config_access, .ctx = x->xdev[i]};

        if (!x->xdev[i] || !x->xdev[i]->slot)
            continue;
        err = pci_assign(&config, bars_of(x->xdev[i]), 0, &room);
        xen_domain_follow(x, x->xdev[i]);
    }
    return err;
}

static int bind_ports(struct xen_domain *x)
{
    for (unsigned v = 0; v < x->nvcpus; v++) {
        x->port[v] = xen_dm_bind(x->dm, src_xen_remote_port(x, v));
        if (x->port[v] < 0)
            return x->port[v];
        x->unmasked[v] = true; /* until it signals for the first time */
    }
    x->bound = true;
    return 0;
}

int xen_domain_start(struct xen_domain *x, const char **why)
{
    int err = 0;

    if (x->bound)
        return 0; /* it was quiet for a while */
    *why = "Xen refuses the PCI root's addresses";
    if (!x->taken && (x->flags & IOTP_DOMAIN_PCI_ROOT))
        err = be_firmware(x);
    if (!err && !x->taken) {
        *why = "Xen does not enable the ioreq server";
        err = xen_dm_enable(x->dm, x->server, true);
    }
    if (err)
        return err;
    x->note->stage = XEN_SERVER_ENABLED;
    *why = "Xen does not let the event channels be bound";
    return bind_ports(x);
}

static void let_go(struct xen_domain *x, struct xen_dev *xd)
{
    xen_ranges_leave(x, xd);
    if (xd->slot)
        xen_dm_config(x->dm, x->server, xd->slot, false);
    free(xd);
}

void xen_domain_stop(struct xen_domain *x)
{
    for (unsigned i = 0; i < x->ndevs; i++)
        if (x->xdev[i]) {
            let_go(x, x->xdev[i]);
            x->xdev[i] = NULL;
            x->dev[i] = NULL;
        }
    x->ndevs = 0;
    if (!x->has_server)
        return;
    xen_ranges_forget(x);
    if (!(x->flags & IOTP_DOMAIN_PCI_ROOT))
        return;
    xen_dm_config(x->dm, x->server, 0, false);
    xen_dm_range(x->dm, x->server, true, XEN_ROOT_PORT, XEN_ROOT_PORTS, false);
}

/* A request that is pending when its server goes leaves the vCPU blocked for ever: those on their
 * way when the ranges went are waited for, a few milliseconds, and answered. */
static void give_server_up(struct xen_domain *x)
{
    const struct timespec nap = {.tv_sec = 0, .tv_nsec = 1000000};

    if (x->taken && x->slot && !x->bound)
        bind_ports(x);
    for (int n = 0, quiet = 0; x->bound && quiet < LAST_LOOKS && n < MOST_LOOKS; n++) {
        quiet = src_xen_answer_all(x) ? 0 : quiet + 1;
        nanosleep(&nap, NULL);
    }
    xen_dm_enable(x->dm, x->server, false);
    xen_dm_destroy_server(x->dm, x->server);
    x->note->stage = XEN_NO_SERVER;
}

void xen_domain_close(struct xen_domain *x)
{
    if (x->has_server) {
        xen_domain_stop(x);
        give_server_up(x);
    }
    if (x->cache)
        xen_mem_free(x->cache);
    if (x->dm)
        xen_dm_close(x->dm);
    if (x->note)
        munmap(x->note, IOTP_DOMAIN_STATE_SIZE);
    free(x->stats);
    free(x);
}
