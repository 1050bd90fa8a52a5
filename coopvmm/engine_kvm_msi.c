/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine_kvm_msi.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define TABLE_SIZE (IOTP_MAX_ROUTES * sizeof(struct iotp_route))

/* A route as KVM has it. */
struct way {
    uint64_t addr;
    uint32_t data;
    uint32_t taken; /* the `asked` that addr and data belong to; 0: none yet */
    bool pending;   /* taken, and not told yet */
    int fd;
};

struct kvm_messages {
    struct iotp_route *table; /* shared */
    int table_fd, doorbell;
    unsigned first_gsi;
    struct way way[IOTP_MAX_ROUTES];
};

int kvm_messages_deliver(int vm_fd, uint64_t addr, uint32_t data)
{
    struct kvm_msi m = {.address_lo = (uint32_t)addr, .address_hi = addr >> 32, .data = data};
    int n = ioctl(vm_fd, KVM_SIGNAL_MSI, &m);

    return n < 0 ? -errno : 0; /* 0 of them took it: it is masked, which is the guest's business */
}

/* @return whether something new is asked for, and whole */
static bool take(struct way *w, const struct iotp_route *r)
{
    uint32_t asked = __atomic_load_n(&r->asked, __ATOMIC_ACQUIRE); /* M1 */
    uint64_t addr;
    uint32_t data;

    if (!asked || asked == w->taken)
        return false;
    addr = __atomic_load_n(&r->addr, __ATOMIC_RELAXED);
    data = __atomic_load_n(&r->data, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (__atomic_load_n(&r->asked, __ATOMIC_RELAXED) != asked)
        return false; /* it will ring again */
    w->addr = addr;
    w->data = data;
    w->taken = asked;
    w->pending = true;
    return true;
}

bool kvm_messages_take(struct kvm_messages *m)
{
    uint64_t count;
    bool any = false;

    if (read(m->doorbell, &count, sizeof(count)) < 0)
        return false;
    for (unsigned i = 0; i < IOTP_MAX_ROUTES; i++)
        any |= take(&m->way[i], &m->table[i]);
    return any;
}

void kvm_messages_route(const struct kvm_messages *m, struct kvm_irq_routing *t)
{
    for (unsigned i = 0; i < IOTP_MAX_ROUTES; i++) {
        const struct way *w = &m->way[i];

        if (w->taken)
            t->entries[t->nr++] = (struct kvm_irq_routing_entry){
                .gsi = m->first_gsi + i,
                .type = KVM_IRQ_ROUTING_MSI,
                .u.msi = {
                    .address_lo = (uint32_t)w->addr, .address_hi = w->addr >> 32, .data = w->data}};
    }
}

void kvm_messages_done(struct kvm_messages *m, int vm_fd)
{
    for (unsigned i = 0; i < IOTP_MAX_ROUTES; i++) {
        struct way *w = &m->way[i];

        if (!w->pending)
            continue;
        kvm_messages_deliver(vm_fd, w->addr, w->data);
        w->pending = false;
        __atomic_store_n(&m->table[i].routed, w->taken, __ATOMIC_RELEASE); /* M2 */
    }
}

int kvm_messages_doorbell(const struct kvm_messages *m)
{
    return m->doorbell;
}

static int make_table(struct kvm_messages *m)
{
    void *p;

    m->table_fd = iotp_memfd("coopvmm-msi", TABLE_SIZE);
    if (m->table_fd < 0)
        return m->table_fd;
    p = mmap(NULL, TABLE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, m->table_fd, 0);
    if (p == MAP_FAILED)
        return -errno;
    m->table = p;
    m->doorbell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return m->doorbell < 0 ? -errno : 0;
}

/* Bound before it has a route: until then nothing comes of writing to it. */
static int make_way(struct kvm_messages *m, unsigned i, int vm_fd)
{
    struct kvm_irqfd irq = {.gsi = m->first_gsi + i};

    m->way[i].fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (m->way[i].fd < 0)
        return -errno;
    irq.fd = (uint32_t)m->way[i].fd;
    return ioctl(vm_fd, KVM_IRQFD, &irq) < 0 ? -errno : 0;
}

int kvm_messages_open(int vm_fd, unsigned first_gsi, struct kvm_messages **out,
                      struct vm_messages *fds)
{
    struct kvm_messages *m = calloc(1, sizeof(*m));
    int err;

    if (!m)
        return -ENOMEM;
    m->first_gsi = first_gsi;
    m->table_fd = m->doorbell = -1;
    for (unsigned i = 0; i < IOTP_MAX_ROUTES; i++)
        m->way[i].fd = -1;
    err = make_table(m);
    for (unsigned i = 0; i < IOTP_MAX_ROUTES && !err; i++)
        err = make_way(m, i, vm_fd);
    if (err) {
        kvm_messages_close(m);
        return err;
    }
    fds->nroutes = IOTP_MAX_ROUTES;
    fds->fd[0] = m->table_fd;
    fds->fd[1] = m->doorbell;
    for (unsigned i = 0; i < IOTP_MAX_ROUTES; i++)
        fds->fd[2 + i] = m->way[i].fd;
    *out = m;
    return 0;
}

void kvm_messages_close(struct kvm_messages *m)
{
    if (m->table)
        munmap(m->table, TABLE_SIZE);
    if (m->table_fd >= 0)
        close(m->table_fd);
    if (m->doorbell >= 0)
        close(m->doorbell);
    for (unsigned i = 0; i < IOTP_MAX_ROUTES; i++)
        if (m->way[i].fd >= 0)
            close(m->way[i].fd);
    free(m);
}
