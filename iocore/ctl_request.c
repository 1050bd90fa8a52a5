/* SPDX-License-Identifier: BSD-3-Clause */
/* What a VMM may ask for, one function a message (SPEC.md, "Control channel"). */
#include <errno.h>
#include <rte_cycles.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon.h"
#include "devio.h"

int take_fd(struct iotp_msg *m, unsigned i)
{
    int fd = m->fd[i];

    m->fd[i] = -1;
    return fd;
}

int answer_ok(struct attached_vm *vm, uint32_t serial)
{
    struct iotp_msg m = {.type = IOTP_MSG_OK, .serial = serial};

    return iotp_msg_send(vm->sock, &m);
}

static bool name_is_taken(struct daemon *d, const struct attached_vm *me, const char *name)
{
    for (unsigned i = 0; i < d->nvms; i++)
        if (d->vm[i] != me && d->vm[i]->greeted && !strcmp(d->vm[i]->name, name))
            return true;
    return false;
}

static int hello(struct daemon *d, struct attached_vm *vm, const struct iotp_msg *m)
{
    const struct iotp_hello *h = &m->u.hello;
    struct iotp_msg a = {.type = IOTP_MSG_HELLO_OK, .serial = m->serial};

    if (vm->greeted)
        return iotp_msg_error(vm->sock, m->serial, -EALREADY, "HELLO was said already");
    if (h->version_min > IOTP_VERSION || h->version_max < IOTP_VERSION)
        return iotp_msg_error(vm->sock, m->serial, -EPROTONOSUPPORT,
                              "this I/O core speaks IOTP version %d, the VMM %u to %u",
                              IOTP_VERSION, h->version_min, h->version_max);
    if (name_is_taken(d, vm, h->vm))
        return iotp_msg_error(vm->sock, m->serial, -EEXIST, "a VM named %s is attached already",
                              h->vm);
    pthread_mutex_lock(&d->lock);
    memcpy(vm->name, h->vm, sizeof(vm->name));
    vm->pid = h->pid;
    vm->features = h->features & IOTP_F_ALL;
    vm->greeted = true;
    pthread_mutex_unlock(&d->lock);
    a.u.hello_ok = (struct iotp_hello_ok){.version = IOTP_VERSION,
                                          .max_vcpus = IOTP_MAX_VCPUS,
                                          .max_devices = IOTP_MAX_DEVICES,
                                          .features = vm->features,
                                          .tsc_hz = d->tsc_hz};
    strncpy(a.u.hello_ok.daemon, d->cfg->name, IOTP_NAME_SIZE - 1);
    return iotp_msg_send(vm->sock, &a);
}

static int memory(struct attached_vm *vm, struct iotp_msg *m)
{
    const struct iotp_memory *t = &m->u.memory;

    if (vm->mem.nregions)
        return iotp_msg_error(vm->sock, m->serial, -EALREADY, "MEMORY was given already");
    for (uint32_t i = 0; i < t->nregions; i++) {
        const struct iotp_memory_region *r = &t->region[i];
        int err = iotp_memfd_check(m->fd[i], r->offset + r->size);

        if (!err)
            err = guestmem_map(&vm->mem, r->gpa, r->size, m->fd[i], r->offset);
        if (err) {
            guestmem_unmap(&vm->mem);
            return iotp_msg_error(vm->sock, m->serial, err, "memory region %u: %s%s", i,
                                  strerror(-err),
                                  err == -EPERM ? ": seal its memfd with F_SEAL_SHRINK" : "");
        }
    }
    return answer_ok(vm, m->serial);
}

/* How a device on rings reaches its VM: the area's shadow, a descriptor a line. */
static int ring_device(const struct vm_area *a, struct attached_vm *vm, struct iotp_msg *m,
                       struct dev_opts *o)
{
    const struct iotp_device *q = &m->u.device;

    o->mem = &vm->mem;
    o->shadow = &a->iotp->shadow[q->device];
    o->publishes = (vm->features & IOTP_F_SHADOW) != 0;
    o->irq = irq_fds_new(m->fd, q->nlines);
    if (!o->irq)
        return -ENOMEM;
    for (unsigned i = 0; i < q->nlines; i++)
        take_fd(m, i); /* the device's now */
    return 0;
}

/* How one of a domain does: interrupts by hypercalls, memory by foreign mappings. */
static int domain_device(const struct vm_area *a, struct iotp_msg *m, struct dev_opts *o,
                         struct xen_dev **xd, const char **why)
{
    const struct iotp_device *q = &m->u.device;
    const struct nm_model *model = nm_model_find(q->model);
    int err;

    *why = "no such device model";
    if (!model)
        return -ENODEV;
    *why = "a domain's lines need no descriptors";
    err = q->nlines ? -EINVAL : xen_domain_prepare(a->xen, q, model->pci, xd, &o->irq, why);
    if (err)
        return err;
    o->mem = &a->xen->mem;
    o->shadow = &(*xd)->shadow;
    return 0;
}

static int make_device(struct daemon *d, struct attached_vm *vm, struct iotp_msg *m, int *state_fd,
                       const char **why)
{
    const struct iotp_device *q = &m->u.device;
    struct vm_area *a = &vm->area[q->area];
    struct vm_device *vd = &vm->dev[vm->ndevs];
    struct xen_dev *xd = NULL;
    struct dev_opts o = {
        .d = q, .core = a->core, .pool = d->pool, .state_fd = q->has_state ? m->fd[q->nlines] : -1};
    int err = a->xen ? domain_device(a, m, &o, &xd, why) : ring_device(a, vm, m, &o);

    if (err)
        return err;
    err = dev_create(&o, &vd->dev, state_fd, why);
    if (err)
        o.irq->ops->close(o.irq);
    else if (xd && (err = xen_domain_add(a->xen, q->device, xd, vd->dev, why)))
        dev_destroy(vd->dev);
    if (err) {
        free(xd);
        return err;
    }
    vd->area = q->area;
    vd->connected = q->connected;
    memcpy(vd->mac, q->mac, sizeof(vd->mac));
    a->dev[q->device] = vd->dev;
    vm->ndevs++;
    return 0;
}

static const char *device_refusal(const struct attached_vm *vm, const struct iotp_device *q)
{
    const struct vm_area *a = &vm->area[q->area];

    if (!a->used)
        return "its area was not given";
    if (q->device >= a->ndevices)
        return "its index is outside the area";
    if (a->dev[q->device])
        return "its index is taken";
    if (vm->ndevs == IOTP_MAX_DEVICES)
        return "too many devices";
    return NULL;
}

/* What a device is, as far as the VMM can be told. */
static void describe(const struct attached_vm *vm, const struct ioc_dev *dev,
                     struct iotp_device_info *out)
{
    devio_describe(&dev->nm, out);
    for (unsigned i = 0; i < out->nranges && !(vm->features & IOTP_F_KICK); i++)
        out->range[i].flags &= (uint8_t)~IOTP_RANGE_KICK;
}

static int device(struct daemon *d, struct attached_vm *vm, struct iotp_msg *m)
{
    const struct iotp_device *q = &m->u.device;
    const char *why = device_refusal(vm, q);
    struct iotp_msg a = {.type = IOTP_MSG_DEVICE_INFO, .serial = m->serial, .nfds = 1};
    int err, state_fd = -1;

    if (why)
        return iotp_msg_error(vm->sock, m->serial, -EINVAL, "device %s: %s", q->name, why);
    pthread_mutex_lock(&d->lock);
    err = make_device(d, vm, m, &state_fd, &why);
    pthread_mutex_unlock(&d->lock);
    if (err && state_fd >= 0)
        close(state_fd);
    if (err)
        return iotp_msg_error(vm->sock, m->serial, err, "device %s (%s): %s", q->name, q->model,
                              why ? why : strerror(-err));
    describe(vm, vm->dev[vm->ndevs - 1].dev, &a.u.device_info);
    a.fd[0] = state_fd >= 0 ? state_fd : m->fd[q->nlines];
    err = iotp_msg_send(vm->sock, &a);
    if (state_fd >= 0)
        close(state_fd);
    return err;
}

/* Routes for the messages of a device that was given before. */
static int msi(struct attached_vm *vm, struct iotp_msg *m)
{
    const struct iotp_msi *q = &m->u.msi;
    const struct vm_area *a = &vm->area[q->area];
    struct ioc_dev *d = a->used && q->device < a->ndevices ? a->dev[q->device] : NULL;
    int err =
        d && (vm->features & IOTP_F_MSI) ? irq_fds_add_msi(d->irq, m->fd, q->nroutes) : -EINVAL;

    if (err)
        return iotp_msg_error(vm->sock, m->serial, err, "routes of messages: %s",
                              err == -EINVAL ? "no such device on rings, or it has some"
                                             : strerror(-err));
    for (unsigned i = 0; i < m->nfds; i++)
        take_fd(m, i); /* the device's now */
    return answer_ok(vm, m->serial);
}

/* --- on and off the cores --- */

static void join_area(struct ioc_core *k, void *arg)
{
    struct vm_area *a = arg;

    a->joined = !core_add_source(k, a->src);
    if (!a->joined)
        return;
    k->nareas++;
    for (unsigned i = 0; i < a->ndevices; i++)
        if (a->dev[i]) {
            dev_join(a->dev[i]);
            dev_resume(a->dev[i]);
        }
    if (a->xen)
        src_xen_resume(a->xen);
    else
        src_iotp_resume(a->rings);
}

static void leave_area(struct ioc_core *k, void *arg)
{
    struct vm_area *a = arg;

    core_remove_source(k, a->src);
    a->joined = false;
    k->nareas--;
    for (unsigned i = 0; i < a->ndevices; i++)
        if (a->dev[i])
            dev_leave(a->dev[i]);
}

static int plug_devices(struct attached_vm *vm)
{
    for (unsigned i = 0; i < vm->ndevs; i++) {
        int err = vm->dev[i].connected ? dev_plug(vm->dev[i].dev, vm->name, vm->dev[i].mac) : 0;

        if (err)
            return err;
    }
    return 0;
}

/* Servers are enabled before any core polls them; their page is mapped. */
static int start_domains(struct attached_vm *vm, const char **why)
{
    int err = 0;

    for (unsigned i = 0; i < IOTP_MAX_AREAS && !err; i++)
        if (vm->area[i].xen)
            err = xen_domain_start(vm->area[i].xen, why);
    return err;
}

static int start(struct daemon *d, struct attached_vm *vm, const struct iotp_msg *m)
{
    const char *why = NULL;
    int err;

    if (vm->running)
        return iotp_msg_error(vm->sock, m->serial, -EALREADY, "it runs already");
    err = start_domains(vm, &why);
    if (err)
        return iotp_msg_error(vm->sock, m->serial, err, "%s (%s)", why, strerror(-err));
    for (unsigned i = 0; i < IOTP_MAX_AREAS; i++)
        if (vm->area[i].used) {
            core_do(vm->area[i].core, join_area, &vm->area[i]);
            if (!vm->area[i].joined)
                err = -ENOSPC;
        }
    pthread_mutex_lock(&d->lock);
    vm->running = true;
    pthread_mutex_unlock(&d->lock);
    if (!err)
        err = plug_devices(vm);
    if (err) {
        vm_quiesce(d, vm);
        return iotp_msg_error(vm->sock, m->serial, err, "cannot join: %s",
                              err == -EEXIST ? "another device has its MAC; give it one of its own"
                                             : strerror(-err));
    }
    fprintf(stderr, "coopvmm-iocored: VM %s attached: %u device%s\n", vm->name, vm->ndevs,
            vm->ndevs == 1 ? "" : "s");
    return answer_ok(vm, m->serial);
}

void vm_quiesce(struct daemon *d, struct attached_vm *vm)
{
    if (!vm->running)
        return;
    for (unsigned i = 0; i < vm->ndevs; i++)
        dev_unplug(vm->dev[i].dev);
    for (unsigned i = 0; i < IOTP_MAX_AREAS; i++)
        if (vm->area[i].joined)
            core_do(vm->area[i].core, leave_area, &vm->area[i]);
    pthread_mutex_lock(&d->lock);
    vm->running = false;
    pthread_mutex_unlock(&d->lock);
}

void vm_release(struct attached_vm *vm)
{
    for (unsigned i = 0; i < IOTP_MAX_AREAS; i++)
        area_stop(&vm->area[i]);
    for (unsigned i = 0; i < vm->ndevs; i++)
        dev_destroy(vm->dev[i].dev);
    for (unsigned i = 0; i < IOTP_MAX_AREAS; i++)
        area_release(&vm->area[i]);
    guestmem_unmap(&vm->mem);
}

/* A domain's memory is Xen's to map. */
static bool has_domain(const struct attached_vm *vm)
{
    for (unsigned i = 0; i < IOTP_MAX_AREAS; i++)
        if (vm->area[i].xen)
            return true;
    return false;
}

/* The order of messages is part of the protocol. */
static const char *out_of_order(const struct attached_vm *vm, unsigned type)
{
    if (type != IOTP_MSG_HELLO && !vm->greeted)
        return "say HELLO first";
    if ((type == IOTP_MSG_DEVICE || type == IOTP_MSG_START) && !vm->mem.nregions && !has_domain(vm))
        return "give MEMORY first";
    if (vm->running && type != IOTP_MSG_QUIESCE && type != IOTP_MSG_START)
        return "the VM runs; QUIESCE first";
    return NULL;
}

int ctl_request(struct daemon *d, struct attached_vm *vm, struct iotp_msg *m)
{
    const char *why = out_of_order(vm, m->type);

    if (why)
        return iotp_msg_error(vm->sock, m->serial, -EINVAL, "%s", why);
    switch (m->type) {
    case IOTP_MSG_HELLO: return hello(d, vm, m);
    case IOTP_MSG_MEMORY: return memory(vm, m);
    case IOTP_MSG_AREA: return area_create(d, vm, m);
    case IOTP_MSG_DOMAIN: return domain_create(d, vm, m);
    case IOTP_MSG_DEVICE: return device(d, vm, m);
    case IOTP_MSG_MSI: return msi(vm, m);
    case IOTP_MSG_START: return start(d, vm, m);
    case IOTP_MSG_QUIESCE: vm_quiesce(d, vm); return answer_ok(vm, m->serial);
    default:
        return iotp_msg_error(vm->sock, m->serial, -EINVAL,
                              "message type %u is an answer, not a request", m->type);
    }
}
