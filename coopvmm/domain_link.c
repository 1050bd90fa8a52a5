/* SPDX-License-Identifier: BSD-3-Clause */
#include "domain_link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach.h"

#define FIRST_MS 5000 /* the I/O-core process serves before VMs are started */

/* The domain on one I/O core. */
struct area {
    char core[IOTP_NAME_SIZE];
    int state_fd;
    unsigned ndevs;
};

struct device {
    const struct cfg_device *c;
    unsigned area;
    uint16_t index; /* in its area */
    int state_fd;   /* -1 until the first DEVICE_INFO */
    struct iotp_device_info info;
};

struct domain_link {
    const struct domain *d;
    struct attach at;
    char *path;
    unsigned nareas, ndevs;
    struct area area[IOTP_MAX_AREAS];
    struct device *dev; /* [d->c->devices_count] */
};

static int area_for(struct domain_link *l, const char *core, unsigned *index)
{
    struct area *a;

    for (*index = 0; *index < l->nareas; ++*index)
        if (!strcmp(l->area[*index].core, core))
            return 0;
    if (l->nareas == IOTP_MAX_AREAS)
        return -ENOSPC;
    a = &l->area[l->nareas++];
    attach_name(a->core, core);
    a->state_fd = iotp_memfd("coopvmm-domain", IOTP_DOMAIN_STATE_SIZE);
    return a->state_fd < 0 ? a->state_fd : 0;
}

/* Which device goes to which I/O core. */
static int plan_areas(struct domain_link *l)
{
    const struct cfg_vm *c = l->d->c;

    l->dev = calloc(c->devices_count + 1, sizeof(*l->dev));
    if (!l->dev)
        return -ENOMEM;
    for (unsigned i = 0; i < c->devices_count; i++) {
        struct device *dev = &l->dev[i];
        int err;

        *dev = (struct device){.c = &c->devices[i], .state_fd = -1};
        l->ndevs++;
        err = dev->c->iocore ? area_for(l, dev->c->iocore, &dev->area) : -EINVAL;
        if (err)
            return err;
        dev->index = (uint16_t)l->area[dev->area].ndevs++;
    }
    return 0;
}

/* --- the conversation with one I/O-core process --- */

/* Only the first server of a PVH domain plays host bridge: there is one. */
static uint32_t flags_of(const struct cfg_xen *x, unsigned area)
{
    uint32_t flags = x->spin ? IOTP_DOMAIN_SPIN : 0;

    if (x->type == CFG_XEN_HVM)
        return flags | IOTP_DOMAIN_LINES;
    return area == 0 ? flags | IOTP_DOMAIN_PCI_ROOT : flags;
}

static int give_domain(struct domain_link *l, unsigned i)
{
    struct iotp_msg m = {.type = IOTP_MSG_DOMAIN, .nfds = 1, .fd = {l->area[i].state_fd}};

    m.u.domain = (struct iotp_domain){.area = i,
                                      .domid = (uint16_t)l->d->domid,
                                      .nvcpus = (uint16_t)l->d->c->vcpus,
                                      .flags = flags_of(l->d->c->xen, i)};
    attach_name(m.u.domain.core, l->area[i].core);
    return attach_ask(&l->at, &m, "domain", l->d->err);
}

static int give_device(struct domain_link *l, struct device *dev)
{
    struct iotp_msg m = {.type = IOTP_MSG_DEVICE};

    m.u.device = (struct iotp_device){.area = dev->area, .device = dev->index};
    return attach_device(&l->at, &m, dev->c, &dev->state_fd, &dev->info, l->d->err);
}

static int talk(void *arg, FILE *err)
{
    struct domain_link *l = arg;
    uint64_t features;
    int ret = attach_hello(&l->at, &features, err);

    for (unsigned i = 0; i < l->nareas && !ret; i++)
        ret = give_domain(l, i);
    for (unsigned i = 0; i < l->ndevs && !ret; i++)
        ret = give_device(l, &l->dev[i]);
    return ret ? ret : attach_start(&l->at, err);
}

int domain_link_create(const struct domain *d, const char *path, struct domain_link **out)
{
    struct domain_link *l = calloc(1, sizeof(*l));
    int ret;

    if (!l)
        return -ENOMEM;
    l->d = d;
    l->path = strdup(path);
    l->at = (struct attach){.vm = d->c->name, .path = l->path, .stop_fd = d->stop_fd, .sock = -1};
    ret = l->path ? plan_areas(l) : -ENOMEM;
    if (ret)
        domain_log(d, "cannot set up its devices: %s", strerror(-ret));
    else
        ret = domain_link_reattach(l, FIRST_MS);
    if (ret)
        domain_link_free(l);
    else
        *out = l;
    return ret;
}

int domain_link_fd(const struct domain_link *l)
{
    return l->at.sock;
}

bool domain_link_device(const struct domain_link *l, unsigned i, struct qemu_rival *out)
{
    if (i >= l->ndevs)
        return false;
    *out =
        (struct qemu_rival){l->d->c->name, l->dev[i].c->name, l->dev[i].c->slot, &l->dev[i].info};
    return true;
}

int domain_link_reattach(struct domain_link *l, unsigned timeout_ms)
{
    return attach_retry(&l->at, timeout_ms, talk, l, l->d->err);
}

void domain_link_free(struct domain_link *l)
{
    if (!l)
        return;
    attach_close(&l->at);
    for (unsigned i = 0; i < l->nareas; i++)
        if (l->area[i].state_fd >= 0)
            close(l->area[i].state_fd);
    for (unsigned i = 0; i < l->ndevs; i++)
        if (l->dev[i].state_fd >= 0)
            close(l->dev[i].state_fd);
    free(l->dev);
    free(l->path);
    free(l);
}
