/* SPDX-License-Identifier: BSD-3-Clause */
#include "place_iocore.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "attach.h"
#include "vm.h"

/* One area: this VM's share of one I/O core. */
struct link_area {
    char core[IOTP_NAME_SIZE];
    int memfd, kick_fd;
    uint8_t *base;
    struct iotp_layout lay;
    struct iotp_vcpu *vcpu; /* [vm->c->vcpus] */
    unsigned ndevs;
};

/* One device of ours. */
struct link_dev {
    struct bus_dev bus;
    struct link *link;
    struct link_area *area;
    int irq_fd;                  /* the engine's */
    struct vm_messages messages; /* the engine's; none for devices that cannot send any */
    int state_fd;                /* -1 until the first DEVICE_INFO */
    struct iotp_shadow *shadow;
    uint64_t posted; /* writes posted by all vCPUs; what shadow->consumed is compared with */
    uint64_t *mark;  /* [vm->c->vcpus]: see iotp_post_ordered */
};

struct link {
    struct vm *vm;
    char *path;
    struct attach at;
    unsigned nareas, ndevs;
    uint64_t features;
    struct link_area area[IOTP_MAX_AREAS];
    struct link_dev dev[BUS_MAX_DEVICES];
};

static struct iotp_vcpu *ring_of(struct bus_dev *d, unsigned vcpu)
{
    return &((struct link_dev *)d->place_state)->area->vcpu[vcpu];
}

/* String I/O through the bounce buffer: engines know one a vCPU, each area has its own. */
static int call_bounced(struct link_dev *ld, unsigned vcpu, const struct iotp_req *r,
                        struct iotp_resp *out)
{
    struct iotp_vcpu *ring = &ld->area->vcpu[vcpu];
    uint8_t *engines = link_bounce(ld->link, vcpu);
    int err;

    if (ring->bounce == engines)
        return iotp_call(ring, r, out);
    memcpy(ring->bounce, engines, IOTP_BOUNCE_SIZE);
    err = iotp_call(ring, r, out);
    memcpy(engines, ring->bounce, IOTP_BOUNCE_SIZE);
    return err;
}

/* The line follows what the guest is about to learn, before the guest can end its interrupt. */
static void look_at_line(const struct bus_dev *d)
{
    if (d->vm->engine->irq_look)
        d->vm->engine->irq_look(d->vm, d->irq);
}

static int call(struct bus_dev *d, unsigned vcpu, const struct iotp_req *r, struct iotp_resp *out)
{
    int err = r->op & IOTP_OP_BOUNCE ? call_bounced(d->place_state, vcpu, r, out)
                                     : iotp_call(ring_of(d, vcpu), r, out);

    look_at_line(d);
    return err;
}

static bool post(struct bus_dev *d, unsigned vcpu, const struct iotp_req *r)
{
    struct link_dev *ld = d->place_state;

    return iotp_post_ordered(ring_of(d, vcpu), &ld->posted, &ld->mark[vcpu], ld->shadow, r->device,
                             r->region, r->offset, r->size, r->data);
}

static bool shadow(struct bus_dev *d, unsigned cell, uint64_t *value)
{
    struct link_dev *ld = d->place_state;
    uint64_t posted = __atomic_load_n(&ld->posted, __ATOMIC_ACQUIRE);

    if (!iotp_shadow_read(ld->shadow, cell, posted, value))
        return false;
    look_at_line(d); /* a posted write may have lowered it */
    return true;
}

static int kick_fd(const struct bus_dev *d)
{
    const struct link_dev *ld = d->place_state;

    return ld->area->kick_fd;
}

static const struct placement placement_iocore = {
    .name = "iocore", .call = call, .post = post, .shadow = shadow, .kick_fd = kick_fd};

/* --- what the VM owns and any I/O-core process can be given --- */

static struct link_area *area_for(struct link *l, const char *core)
{
    struct link_area *a;

    for (unsigned i = 0; i < l->nareas; i++)
        if (!strcmp(l->area[i].core, core))
            return &l->area[i];
    if (l->nareas == IOTP_MAX_AREAS)
        return NULL;
    a = &l->area[l->nareas++];
    a->memfd = a->kick_fd = -1;
    attach_name(a->core, core);
    return a;
}

/* Decides which device goes to which area. */
static int plan_areas(struct link *l)
{
    const struct cfg_vm *c = l->vm->c;

    for (unsigned i = 0; i < c->devices_count; i++) {
        const struct cfg_device *cd = &c->devices[i];
        struct link_dev *d = &l->dev[l->ndevs];

        if (cd->placement != CFG_PLACE_IOCORE)
            continue;
        if (l->ndevs == BUS_MAX_DEVICES)
            return -ENOSPC;
        d->area = area_for(l, cd->iocore);
        if (!d->area)
            return -ENOSPC;
        d->link = l;
        d->state_fd = -1;
        d->mark = calloc(c->vcpus, sizeof(d->mark[0]));
        if (!d->mark)
            return -ENOMEM;
        d->bus = (struct bus_dev){.place = &placement_iocore,
                                  .c = cd,
                                  .vm = l->vm,
                                  .place_state = d,
                                  .index = (uint16_t)d->area->ndevs++,
                                  .irq = vm_irq_line(c, cd),
                                  .pci_slot = vm_pci_slot(c, cd)};
        l->ndevs++;
    }
    return 0;
}

static int map_area(struct link_area *a, unsigned vcpus, uint64_t features)
{
    int err = iotp_layout_of(vcpus, a->ndevs, IOTP_DEFAULT_POSTED, &a->lay);

    if (err)
        return err;
    a->memfd = iotp_memfd("coopvmm-area", a->lay.size);
    if (a->memfd < 0)
        return a->memfd;
    a->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (a->kick_fd < 0)
        return -errno;
    a->base = mmap(NULL, a->lay.size, PROT_READ | PROT_WRITE, MAP_SHARED, a->memfd, 0);
    if (a->base == MAP_FAILED) {
        a->base = NULL;
        return -errno;
    }
    return iotp_area_format(a->base, &a->lay, features);
}

/* How a vCPU waits: for so long in polls with a pause, or, where pauses are dear, without. */
struct patience {
    uint32_t eager, spin;
};

static uint32_t rounds_in(uint32_t us, uint32_t ns_each)
{
    double n = us * 1000.0 / (ns_each ? ns_each : 1);

    return n < 4e9 ? (uint32_t)n : 4000000000u;
}

#define POLL_NS 3 /* of a poll without a pause; an emulator takes some times as long */

static struct patience patience_of(uint32_t us)
{
    uint32_t pause = iotp_pause_ns();

    if (us && pause >= IOTP_PAUSE_DEAR)
        return (struct patience){.eager = rounds_in(us, POLL_NS), .spin = 1};
    return (struct patience){.eager = us ? IOTP_EAGER_POLLS : 0, .spin = rounds_in(us, pause)};
}

static int make_area(struct link *l, struct link_area *a, uint64_t features, struct patience p)
{
    unsigned n = l->vm->c->vcpus;
    int err = map_area(a, n, features);

    if (err)
        return err;
    a->vcpu = calloc(n, sizeof(a->vcpu[0]));
    if (!a->vcpu)
        return -ENOMEM;
    for (unsigned v = 0; v < n && !err; v++) {
        err = iotp_vcpu_init(&a->vcpu[v], a->base, &a->lay, v, p.spin, a->kick_fd);
        a->vcpu[v].eager = p.eager;
        a->vcpu[v].cancel = &l->vm->stopping;
    }
    return err;
}

static int make_areas(struct link *l, uint64_t features)
{
    struct patience p = patience_of(l->vm->c->spin_us);
    int err = 0;

    for (unsigned i = 0; i < l->nareas && !err; i++)
        if (!l->area[i].base)
            err = make_area(l, &l->area[i], features, p);
    for (unsigned i = 0; i < l->ndevs && !err; i++) {
        struct link_dev *d = &l->dev[i];

        d->shadow = (struct iotp_shadow *)(d->area->base + d->area->lay.off_shadow) + d->bus.index;
    }
    return err;
}

/* --- the conversation with one I/O-core process --- */

static int give_memory(struct link *l, FILE *err)
{
    const struct vm_mem *mem = &l->vm->mem;
    struct iotp_msg m = {.type = IOTP_MSG_MEMORY, .nfds = 1, .fd = {mem->fd, mem->fd}};

    m.u.memory.region[0].size = mem->low;
    if (mem->size > mem->low)
        m.u.memory.region[m.nfds++] = (struct iotp_memory_region){
            .gpa = VM_HIGH, .size = mem->size - mem->low, .offset = mem->low};
    m.u.memory.nregions = m.nfds;
    return attach_ask(&l->at, &m, "memory", err);
}

static int give_area(struct link *l, unsigned i, FILE *err)
{
    struct link_area *a = &l->area[i];
    struct iotp_msg m = {.type = IOTP_MSG_AREA, .nfds = 2, .fd = {a->memfd, a->kick_fd}};

    m.u.area = (struct iotp_area){.area = i, .size = a->lay.size};
    attach_name(m.u.area.core, a->core);
    return attach_ask(&l->at, &m, "area", err);
}

static int give_messages(struct link *l, struct link_dev *d, FILE *err)
{
    struct iotp_msg m = {.type = IOTP_MSG_MSI, .nfds = 2 + d->messages.nroutes};

    if (!d->messages.nroutes || !(l->features & IOTP_F_MSI))
        return 0;
    m.u.msi = (struct iotp_msi){.area = (uint32_t)(d->area - l->area),
                                .device = d->bus.index,
                                .nroutes = (uint16_t)d->messages.nroutes};
    memcpy(m.fd, d->messages.fd, m.nfds * sizeof(m.fd[0]));
    return attach_ask(&l->at, &m, d->bus.c->name, err);
}

static int give_device(struct link *l, struct link_dev *d, FILE *err)
{
    struct iotp_msg m = {.type = IOTP_MSG_DEVICE, .nfds = 1, .fd = {d->irq_fd}};
    int ret;

    m.u.device = (struct iotp_device){
        .area = (uint32_t)(d->area - l->area), .device = d->bus.index, .nlines = 1};
    ret = attach_device(&l->at, &m, d->bus.c, &d->state_fd, &d->bus.info, err);
    return ret ? ret : give_messages(l, d, err);
}

/* The whole conversation; the areas are made once, when the features are known. */
static int talk(void *arg, FILE *err)
{
    struct link *l = arg;
    int ret = attach_hello(&l->at, &l->features, err);

    if (!ret)
        ret = make_areas(l, l->features);
    if (!ret)
        ret = give_memory(l, err);
    for (unsigned i = 0; i < l->nareas && !ret; i++)
        ret = give_area(l, i, err);
    for (unsigned i = 0; i < l->ndevs && !ret; i++)
        ret = give_device(l, &l->dev[i], err);
    return ret ? ret : attach_start(&l->at, err);
}

int link_reattach(struct link *l, unsigned timeout_ms, FILE *err)
{
    return attach_retry(&l->at, timeout_ms, talk, l, err);
}

/* Only a PCI device can send messages. */
static int open_messages(const struct link *l, struct link_dev *d)
{
    const struct vm_engine *engine = l->vm->engine;
    int ret = d->bus.pci_slot && engine->messages ? engine->messages(l->vm, &d->messages) : 0;

    return ret == -ENOTSUP ? 0 : ret;
}

static int open_irqs(struct link *l)
{
    int ret = 0;

    for (unsigned i = 0; i < l->ndevs && !ret; i++) {
        l->dev[i].irq_fd = l->vm->engine->irq_fd(l->vm, l->dev[i].bus.irq);
        ret = l->dev[i].irq_fd < 0 ? l->dev[i].irq_fd : open_messages(l, &l->dev[i]);
    }
    return ret;
}

static int add_to_bus(struct link *l, FILE *err)
{
    const struct vm_engine *engine = l->vm->engine;

    for (unsigned i = 0; i < l->ndevs; i++) {
        struct link_dev *d = &l->dev[i];
        int ret = bus_add(l->vm->bus, &d->bus);

        if (!ret && engine->irq_level)
            ret = engine->irq_level(l->vm, d->bus.irq, &d->shadow->irq_level);
        if (ret) {
            fprintf(err, "%s: %s: %s\n", l->vm->c->name, l->dev[i].bus.c->name,
                    ret == -EEXIST ? "another device has its ports; set io_base" : strerror(-ret));
            return ret;
        }
    }
    return 0;
}

int link_create(struct vm *vm, const char *path, FILE *err, struct link **out)
{
    struct link *l = calloc(1, sizeof(*l));
    int ret;

    if (!l)
        return -ENOMEM;
    l->vm = vm;
    l->path = strdup(path);
    l->at = (struct attach){.vm = vm->c->name, .path = l->path, .stop_fd = -1, .sock = -1};
    ret = l->path ? plan_areas(l) : -ENOMEM;
    if (!ret)
        ret = open_irqs(l);
    if (!ret)
        ret = link_reattach(l, 5000, err);
    if (!ret)
        ret = add_to_bus(l, err);
    if (ret)
        link_free(l);
    else
        *out = l;
    return ret;
}

int link_fd(const struct link *l)
{
    return l->at.sock;
}

void link_cancel(struct link *l)
{
    for (unsigned i = 0; i < l->nareas; i++)
        for (unsigned v = 0; l->area[i].vcpu && v < l->vm->c->vcpus; v++)
            iotp_cancel(&l->area[i].vcpu[v]);
}

uint8_t *link_bounce(struct link *l, unsigned vcpu)
{
    return l->area[0].vcpu[vcpu].bounce;
}

void link_free(struct link *l)
{
    attach_close(&l->at);
    for (unsigned i = 0; i < l->nareas; i++) {
        struct link_area *a = &l->area[i];

        if (a->base)
            munmap(a->base, a->lay.size);
        if (a->memfd >= 0)
            close(a->memfd);
        if (a->kick_fd >= 0)
            close(a->kick_fd);
        free(a->vcpu);
    }
    for (unsigned i = 0; i < l->ndevs; i++) {
        if (l->dev[i].state_fd >= 0)
            close(l->dev[i].state_fd);
        free(l->dev[i].mark);
    }
    free(l->path);
    free(l);
}
