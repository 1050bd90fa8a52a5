/* SPDX-License-Identifier: BSD-3-Clause */
#include "local.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "../iocore/devio.h"
#include "tap.h"
#include "vm.h"

#define POLL_NS    50000 /* how often a model that has work is polled */
#define POLLS_MOST 64    /* in a row, before others get the lock */

static struct local_dev *of(struct nm_dev *d)
{
    return d->runner;
}

static void *env_dma(struct nm_dev *d, uint64_t gpa, uint64_t *len, bool write)
{
    (void)write;
    return guestmem_at(&of(d)->mem, gpa, len);
}

/* A line that takes levels follows at once; others get an edge per rise, as an I/O core does it. */
static void env_irq(struct nm_dev *d, unsigned line, bool level)
{
    struct local_dev *l = of(d);
    uint32_t bit = 1u << (line & 31), was = l->irq_level;
    struct vm *vm = l->bus.vm;
    uint64_t one = 1;

    __atomic_store_n(&l->irq_level, level ? was | bit : was & ~bit, __ATOMIC_RELEASE);
    if (vm->engine->irq_look && vm->engine->irq_look(vm, l->bus.irq))
        return;
    if (level && !(was & bit) && write(l->irq_fd, &one, sizeof(one)) < 0) {
        /* EAGAIN: an interrupt is pending already, which is all an edge can say */
    }
}

static void env_msi(struct nm_dev *d, uint64_t addr, uint32_t data)
{
    struct vm *vm = of(d)->bus.vm;

    if (vm->engine->msi && !vm->engine->msi(vm, addr, data))
        return;
    env_irq(d, 0, true);
    env_irq(d, 0, false);
}

static bool env_tx(struct nm_dev *d, const void *frame, size_t len)
{
    struct local_dev *l = of(d);

    return l->tap_fd >= 0 && write(l->tap_fd, frame, len) == (ssize_t)len;
}

static uint64_t env_now(struct nm_dev *d)
{
    struct timespec t;

    (void)d;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static const struct nm_env local_env = {
    .dma = env_dma, .irq = env_irq, .msi = env_msi, .tx = env_tx, .now = env_now};

static void committed(struct local_dev *l)
{
    if (l->nm.model->committed)
        l->nm.model->committed(&l->nm);
    l->nm.changed = false;
}

/* After each call of the model's: nothing here outlives the process, so all is committed at once;
 * then the work the call left. What is for later is the reader's. Under the lock. */
static void settle(struct local_dev *l)
{
    const struct nm_model *m = l->nm.model;
    uint64_t one = 1;
    bool was = l->pending;

    committed(l);
    for (unsigned i = 0; i < POLLS_MOST && m->poll && m->poll(&l->nm); i++)
        committed(l);
    l->pending = m->pending && m->pending(&l->nm);
    if (l->pending && !was && l->wake_fd >= 0 && write(l->wake_fd, &one, sizeof(one)) < 0) {
        /* EAGAIN: it is awake */
    }
}

void local_request(struct local_dev *l, unsigned vcpu, const struct iotp_req *r,
                   struct iotp_resp *out)
{
    pthread_mutex_lock(&l->lock);
    devio_request(&l->nm, &l->mem, vm_bounce(l->bus.vm, vcpu), r, out);
    settle(l);
    pthread_mutex_unlock(&l->lock);
}

/* A frame waits in the tap's queue until the device has room, as it would on the wire's far side;
 * the wait is bounded, then the device decides (and counts the loss). */
static void deliver(struct local_dev *l, const uint8_t *frame, size_t len)
{
    bool room = false;

    for (unsigned tries = 0; tries < 100 && !room; tries++) {
        pthread_mutex_lock(&l->lock);
        room = l->nm.model->can_receive(&l->nm, len);
        if (room || tries == 99)
            l->nm.model->receive(&l->nm, frame, len);
        settle(l);
        pthread_mutex_unlock(&l->lock);
        if (!room)
            usleep(50);
    }
}

static bool poll_model(struct local_dev *l)
{
    bool pending;

    pthread_mutex_lock(&l->lock);
    settle(l);
    pending = l->pending;
    pthread_mutex_unlock(&l->lock);
    return pending;
}

/* Frames from the tap, if there is one, and the model's own work. */
static void *reader(void *arg)
{
    struct local_dev *l = arg;
    struct pollfd p[2] = {{.fd = l->tap_fd, .events = POLLIN},
                          {.fd = l->wake_fd, .events = POLLIN}};
    const struct timespec soon = {.tv_nsec = POLL_NS};
    uint8_t frame[NM_MAX_FRAME + 4];
    bool pending = false;
    uint64_t wakes;

    for (;;) {
        ssize_t n = -1;

        if (ppoll(p, 2, pending ? &soon : NULL, NULL) < 0 && errno != EINTR)
            return NULL;
        if (p[1].revents && read(l->wake_fd, &wakes, sizeof(wakes)) < 0 && errno != EAGAIN)
            return NULL;
        if (__atomic_load_n(&l->quit, __ATOMIC_ACQUIRE)) /* pairs with the release in local_fini */
            return NULL;
        if (p[0].revents)
            n = read(l->tap_fd, frame, sizeof(frame));
        if (n >= 14)
            deliver(l, frame, (size_t)n);
        pending = l->nm.model->poll && poll_model(l);
    }
}

static int start_reader(struct local_dev *l, FILE *err)
{
    const struct cfg_device *c = l->bus.c;
    int ret;

    if (!c->tap && !l->nm.model->poll)
        return 0;
    if (c->tap) {
        l->tap_fd = tap_open(c->tap, c->tap_address, err);
        if (l->tap_fd < 0)
            return l->tap_fd;
    }
    l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (l->wake_fd < 0)
        return -errno;
    ret = -pthread_create(&l->reader, NULL, reader, l);
    l->reading = !ret;
    return ret;
}

static int init_model(struct local_dev *l, FILE *err)
{
    const struct cfg_device *c = l->bus.c;
    struct nm_params p = {
        .io_base = c->io_base, .mmio_base = c->mmio_base, .irq = c->irq, .queues = c->queues};
    const char *why = "";
    int ret;

    cfg_parse_mac(c->mac, p.mac);
    l->nm = (struct nm_dev){.model = nm_model_find(c->model), .env = &local_env, .runner = l};
    if (!l->nm.model)
        return -ENODEV;
    l->nm.regs = l->regs;
    l->nm.ram = calloc(1, l->nm.model->ram_size);
    if (!l->nm.ram)
        return -ENOMEM;
    ret = l->nm.model->init(&l->nm, &p, &why);
    if (ret)
        fprintf(err, "%s: %s: %s\n", l->bus.vm->c->name, c->name, why);
    else
        devio_describe(&l->nm, &l->bus.info);
    return ret;
}

int local_init(struct local_dev *l, struct vm *vm, const struct cfg_device *c,
               const struct placement *place, FILE *err)
{
    int ret;

    l->bus = (struct bus_dev){.place = place,
                              .c = c,
                              .vm = vm,
                              .place_state = l,
                              .irq = vm_irq_line(vm->c, c),
                              .pci_slot = vm_pci_slot(vm->c, c)};
    l->tap_fd = l->wake_fd = -1;
    pthread_mutex_init(&l->lock, NULL);
    l->irq_fd = vm->engine->irq_fd(vm, l->bus.irq);
    if (l->irq_fd < 0)
        return l->irq_fd;
    ret = guestmem_add(&l->mem, 0, vm->mem.low, vm->mem.host);
    if (!ret && vm->mem.size > vm->mem.low)
        ret =
            guestmem_add(&l->mem, VM_HIGH, vm->mem.size - vm->mem.low, vm->mem.host + vm->mem.low);
    if (!ret && vm->engine->irq_level)
        ret = vm->engine->irq_level(vm, l->bus.irq, &l->irq_level);
    if (!ret)
        ret = init_model(l, err);
    return ret ? ret : start_reader(l, err);
}

void local_fini(struct local_dev *l)
{
    uint64_t one = 1;

    __atomic_store_n(&l->quit, true, __ATOMIC_RELEASE);
    if (l->reading && (write(l->wake_fd, &one, sizeof(one)) == sizeof(one) || errno == EAGAIN))
        pthread_join(l->reader, NULL);
    if (l->tap_fd >= 0)
        close(l->tap_fd);
    if (l->wake_fd >= 0)
        close(l->wake_fd);
    free(l->nm.ram);
    pthread_mutex_destroy(&l->lock);
}
