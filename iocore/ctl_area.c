/* SPDX-License-Identifier: BSD-3-Clause */
/* Areas: a VM's share of an I/O core. Rings in shared memory (AREA), or an ioreq server (DOMAIN).
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon.h"
#include "numa.h"

static struct ioc_core *core_by_name(struct daemon *d, const char *name)
{
    for (unsigned i = 0; i < d->ncores; i++)
        if (!strcmp(d->core[i]->c->name, name))
            return d->core[i];
    return NULL;
}

/* The core that a new area is to be polled by. @return NULL: *err and *why */
static struct ioc_core *core_for(struct daemon *d, const struct vm_area *a, const char *name,
                                 int *err, const char **why)
{
    struct ioc_core *core = core_by_name(d, name);

    *err = a->used ? -EALREADY : -ENOENT;
    *why = a->used ? "it is there already" : "there is no I/O core of that name";
    return a->used ? NULL : core;
}

/* The rings lie on the I/O core's node: it is the one that polls them. */
static int map_area(struct vm_area *a, int memfd, uint64_t size, int kick_fd, int node)
{
    int err = iotp_memfd_check(memfd, size);

    if (err)
        return err;
    a->size = size;
    a->base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
    if (a->base == MAP_FAILED) {
        a->base = NULL;
        return -errno;
    }
    nl_place(a->base, size, node, NL_PREFER, "rings", NULL, 0);
    err = iotp_ioc_attach(a->base, size, &a->iotp);
    return err ? err : src_iotp_create(a->iotp, kick_fd, &a->rings);
}

static void describe_rings(struct vm_area *a)
{
    a->src = &a->rings->src;
    a->nvcpus = a->iotp->lay.nvcpus;
    a->ndevices = a->iotp->lay.ndevices;
    a->dev = a->rings->dev;
    a->stats = a->rings->stats;
}

int area_create(struct daemon *d, struct attached_vm *vm, struct iotp_msg *m)
{
    const struct iotp_area *q = &m->u.area;
    struct vm_area *a = &vm->area[q->area];
    const char *why;
    int err;
    struct ioc_core *core = core_for(d, a, q->core, &err, &why);

    if (!core)
        return iotp_msg_error(vm->sock, m->serial, err, "area %u: %s", q->area, why);
    pthread_mutex_lock(&d->lock);
    a->kick_fd = -1;
    err = map_area(a, m->fd[0], q->size, m->fd[1], core->node);
    if (!err && (a->iotp->features & ~vm->features))
        err = -EPROTO;
    if (err) {
        area_release(a);
    } else {
        describe_rings(a);
        a->core = core;
        a->kick_fd = take_fd(m, 1);
        a->used = true;
    }
    pthread_mutex_unlock(&d->lock);
    if (err)
        return iotp_msg_error(vm->sock, m->serial, err, "area %u: %s", q->area,
                              err == -EPROTO ? "its header is not what was agreed on"
                                             : strerror(-err));
    return answer_ok(vm, m->serial);
}

static void describe_domain(struct vm_area *a)
{
    a->src = &a->xen->src;
    a->nvcpus = a->xen->nvcpus;
    a->ndevices = IOTP_MAX_DEVICES;
    a->dev = a->xen->dev;
    a->stats = a->xen->stats;
}

int domain_create(struct daemon *d, struct attached_vm *vm, struct iotp_msg *m)
{
    const struct iotp_domain *q = &m->u.domain;
    struct vm_area *a = &vm->area[q->area];
    const char *why = NULL;
    int err;
    struct ioc_core *core = core_for(d, a, q->core, &err, &why);

    if (!core)
        return iotp_msg_error(vm->sock, m->serial, err, "area %u: %s", q->area, why);
    pthread_mutex_lock(&d->lock);
    a->kick_fd = -1;
    err = xen_domain_open(q, m->fd[0], &a->xen, &why);
    if (!err) {
        describe_domain(a);
        a->core = core;
        a->used = true;
    }
    pthread_mutex_unlock(&d->lock);
    if (err)
        return iotp_msg_error(vm->sock, m->serial, err, "domain %u: %s (%s)", q->domid,
                              why ? why : "out of memory", strerror(-err));
    return answer_ok(vm, m->serial);
}

void area_stop(struct vm_area *a)
{
    if (a->xen)
        xen_domain_stop(a->xen);
}

void area_release(struct vm_area *a)
{
    if (a->xen)
        xen_domain_close(a->xen);
    if (a->rings)
        src_iotp_destroy(a->rings);
    if (a->iotp)
        iotp_ioc_detach(a->iotp);
    if (a->base)
        munmap(a->base, a->size);
    if (a->used && a->kick_fd >= 0)
        close(a->kick_fd);
    *a = (struct vm_area){0};
}
