/* SPDX-License-Identifier: BSD-3-Clause */
/* What a VMM may ask for, one function a message (SPEC.md, "Control channel"). */
#include <errno.h>
#include <rte_cycles.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon.h"
#include "devio.h"
#include "numa.h"

static int take_fd(struct iotp_msg *m, unsigned i)
{
    int fd = m->fd[i];

    m->fd[i] = -1;
    return fd;
}

static int ok(struct attached_vm *vm, uint32_t serial)
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
    return ok(vm, m->serial);
}

static struct ioc_core *core_by_name(struct daemon *d, const char *name)
{
    for (unsigned i = 0; i < d->ncores; i++)
        if (!strcmp(d->core[i]->c->name, name))
            return d->core[i];
    return NULL;
}

static void unmap_area(struct vm_area *a)
{
    if (a->src)
        src_iotp_destroy(a->src);
    if (a->iotp)
        iotp_ioc_detach(a->iotp);
    if (a->base)
        munmap(a->base, a->size);
    *a = (struct vm_area){0};
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
    return err ? err : src_iotp_create(a->iotp, kick_fd, &a->src);
}

static int area(struct daemon *d, struct attached_vm *vm, struct iotp_msg *m)
{
    const struct iotp_area *q = &m->u.area;
    struct vm_area *a = &vm->area[q->area];
    struct ioc_core *core = core_by_name(d, q->core);
    int err;

    if (a->used)
        return iotp_msg_error(vm->sock, m->serial, -EALREADY, "area %u is there already", q->area);
    if (!core)
        return iotp_msg_error(vm->sock, m->serial, -ENOENT, "there is no I/O core %s", q->core);
    pthread_mutex_lock(&d->lock);
    err = map_area(a, m->fd[0], q->size, m->fd[1], core->node);
    if (!err && (a->iotp->features & ~vm->features))
        err = -EPROTO;
    if (err)
        unmap_area(a);
    else
        a->used = true;
    pthread_mutex_unlock(&d->lock);
    if (err)
        return iotp_msg_error(vm->sock, m->serial, err, "area %u: %s", q->area,
                              err == -EPROTO ? "its header is not what was agreed on"
                                             : strerror(-err));
    a->core = core;
    a->kick_fd = take_fd(m, 1);
    return ok(vm, m->serial);
}

static int make_device(struct daemon *d, struct attached_vm *vm, struct iotp_msg *m, int *state_fd,
                       const char **why)
{
    const struct iotp_device *q = &m->u.device;
    struct vm_area *a = &vm->area[q->area];
    struct vm_device *vd = &vm->dev[vm->ndevs];
    struct dev_opts o = {
        .d = q,
        .core = a->core,
        .pool = d->pool,
        .mem = &vm->mem,
        .shadow = &a->iotp->shadow[q->device],
        .publishes = (vm->features & IOTP_F_SHADOW) != 0,
        .state_fd = q->has_state ? m->fd[q->nlines] : -1,
        .irq_fds = m->fd,
    };
    int err = dev_create(&o, &vd->dev, state_fd, why);

    if (err)
        return err;
    for (unsigned i = 0; i < q->nlines; i++)
        take_fd(m, i); /* the device's now */
    vd->area = q->area;
    vd->connected = q->connected;
    memcpy(vd->mac, q->mac, sizeof(vd->mac));
    a->src->dev[q->device] = vd->dev;
    vm->ndevs++;
    return 0;
}

static const char *device_refusal(const struct attached_vm *vm, const struct iotp_device *q)
{
    const struct vm_area *a = &vm->area[q->area];

    if (!a->used)
        return "its area was not given";
    if (q->device >= a->iotp->lay.ndevices)
        return "its index is outside the area";
    if (a->src->dev[q->device])
        return "its index is taken";
    if (vm->ndevs == IOTP_MAX_DEVICES)
        return "too many devices";
    return NULL;
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
    if (err)
        return iotp_msg_error(vm->sock, m->serial, err, "device %s (%s): %s", q->name, q->model,
                              why ? why : strerror(-err));
    devio_describe(&vm->dev[vm->ndevs - 1].dev->nm, &a.u.device_info);
    a.fd[0] = state_fd >= 0 ? state_fd : m->fd[q->nlines];
    err = iotp_msg_send(vm->sock, &a);
    if (state_fd >= 0)
        close(state_fd);
    return err;
}

/* --- on and off the cores --- */

static void join_area(struct ioc_core *k, void *arg)
{
    struct vm_area *a = arg;

    a->joined = !core_add_source(k, &a->src->src);
    if (!a->joined)
        return;
    k->nareas++;
    for (unsigned i = 0; i < a->iotp->lay.ndevices; i++)
        if (a->src->dev[i]) {
            dev_join(a->src->dev[i]);
            dev_resume(a->src->dev[i]);
        }
    src_iotp_resume(a->src);
}

static void leave_area(struct ioc_core *k, void *arg)
{
    struct vm_area *a = arg;

    core_remove_source(k, &a->src->src);
    a->joined = false;
    k->nareas--;
    for (unsigned i = 0; i < a->iotp->lay.ndevices; i++)
        if (a->src->dev[i])
            dev_leave(a->src->dev[i]);
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

static int start(struct daemon *d, struct attached_vm *vm, const struct iotp_msg *m)
{
    int err = 0;

    if (vm->running)
        return iotp_msg_error(vm->sock, m->serial, -EALREADY, "it runs already");
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
    return ok(vm, m->serial);
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
    for (unsigned i = 0; i < vm->ndevs; i++)
        dev_destroy(vm->dev[i].dev);
    for (unsigned i = 0; i < IOTP_MAX_AREAS; i++) {
        if (vm->area[i].used)
            close(vm->area[i].kick_fd);
        unmap_area(&vm->area[i]);
    }
    guestmem_unmap(&vm->mem);
}

/* The order of messages is part of the protocol. */
static const char *out_of_order(const struct attached_vm *vm, unsigned type)
{
    if (type != IOTP_MSG_HELLO && !vm->greeted)
        return "say HELLO first";
    if ((type == IOTP_MSG_DEVICE || type == IOTP_MSG_START) && !vm->mem.nregions)
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
    case IOTP_MSG_AREA: return area(d, vm, m);
    case IOTP_MSG_DEVICE: return device(d, vm, m);
    case IOTP_MSG_START: return start(d, vm, m);
    case IOTP_MSG_QUIESCE: vm_quiesce(d, vm); return ok(vm, m->serial);
    default:
        return iotp_msg_error(vm->sock, m->serial, -EINVAL,
                              "message type %u is an answer, not a request", m->type);
    }
}
