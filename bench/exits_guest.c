/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../coopvmm/boot.h"
#include "../coopvmm/engine_kvm.h"
#include "exits.h"

#define MEMORY    (1u << 20)
#define CODE      0x20000u
#define PORT_DONE 0x81
/* By enum exits_where: ports, then addresses where there is no memory. */
static const uint64_t place[] = {0, 0x90, 0x92, 0x94, 0xd0000000, 0xd0001000, 0xd0002000};

/* RSI: the place; RBX: how often. RDX takes the port. */
static const uint8_t nothing[] = {
    0x48, 0xff,      0xcb, /* 1: dec %rbx */
    0x75, 0xfb,            /* jnz 1b */
    0xe6, PORT_DONE,       /* out %al,$0x81 */
};
static const uint8_t ports[] = {
    0x89, 0xf2,            /* mov %esi,%edx */
    0xee,                  /* 1: out %al,(%dx) */
    0x48, 0xff,      0xcb, /* dec %rbx */
    0x75, 0xfa,            /* jnz 1b */
    0xe6, PORT_DONE,
};
static const uint8_t mmio[] = {
    0x89, 0x06,            /* 1: mov %eax,(%rsi) */
    0x48, 0xff,      0xcb, /* dec %rbx */
    0x75, 0xf9,            /* jnz 1b */
    0xe6, PORT_DONE,
};

struct exits_guest {
    struct kvm_machine m;
    struct kvm_cpu cpu;
    uint8_t *mem;
    struct kvm_coalesced_mmio_ring *ring;
    int event; /* of both ioeventfds: nobody looks at it */
};

static int control(const struct exits_guest *g, unsigned long request, void *arg)
{
    return ioctl(g->m.vm, request, arg) < 0 ? -errno : 0;
}

static int add_eventfds(struct exits_guest *g)
{
    struct kvm_ioeventfd pio = {
        .addr = place[EXITS_PORT_EVENTFD], .len = 1, .flags = KVM_IOEVENTFD_FLAG_PIO};
    struct kvm_ioeventfd mem = {.addr = place[EXITS_MMIO_EVENTFD], .len = 4};
    int err;

    g->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (g->event < 0)
        return -errno;
    pio.fd = mem.fd = g->event;
    err = control(g, KVM_IOEVENTFD, &pio);
    return err ? err : control(g, KVM_IOEVENTFD, &mem);
}

static int add_coalesced(struct exits_guest *g)
{
    struct kvm_coalesced_mmio_zone pio = {.addr = place[EXITS_PORT_COALESCED], .size = 1, .pio = 1};
    struct kvm_coalesced_mmio_zone mem = {.addr = place[EXITS_MMIO_COALESCED], .size = 4};
    int err = control(g, KVM_REGISTER_COALESCED_MMIO, &pio);

    g->ring = (void *)((uint8_t *)g->cpu.run +
                       KVM_COALESCED_MMIO_PAGE_OFFSET * (size_t)sysconf(_SC_PAGESIZE));
    return err ? err : control(g, KVM_REGISTER_COALESCED_MMIO, &mem);
}

static int set_up(struct exits_guest *g, const char **step)
{
    static const uint64_t gdt[3] = {0, 0x00af9b000000ffffull, 0x00cf93000000ffffull};
    int err;

    *step = "memory";
    g->mem = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (g->mem == MAP_FAILED) {
        g->mem = NULL;
        return -errno;
    }
    memcpy(g->mem + BOOT_GDT, gdt, sizeof(gdt));
    boot_page_tables(g->mem, 0);
    err = kvm_machine_open(&g->m, step);
    if (err)
        return err;
    *step = "KVM_SET_USER_MEMORY_REGION";
    err = kvm_machine_memory(&g->m, 0, 0, g->mem, MEMORY);
    if (err)
        return err;
    *step = "a vCPU";
    err = kvm_cpu_open(&g->m, 0, &g->cpu);
    if (err)
        return err;
    *step = "KVM_IOEVENTFD";
    err = add_eventfds(g);
    if (err)
        return err;
    *step = "KVM_REGISTER_COALESCED_MMIO";
    return add_coalesced(g);
}

int exits_guest_create(struct exits_guest **out, const char **step)
{
    struct exits_guest *g = calloc(1, sizeof(*g));
    int err;

    *step = "memory";
    if (!g)
        return -ENOMEM;
    *g = (struct exits_guest){.cpu.fd = -1, .m = {.sys = -1, .vm = -1}, .event = -1};
    err = set_up(g, step);
    if (err)
        exits_guest_free(g);
    else
        *out = g;
    return err;
}

void exits_guest_free(struct exits_guest *g)
{
    if (!g)
        return;
    kvm_cpu_close(&g->m, &g->cpu);
    kvm_machine_close(&g->m);
    if (g->event >= 0)
        close(g->event);
    if (g->mem)
        munmap(g->mem, MEMORY);
    free(g);
}

static void load(struct exits_guest *g, enum exits_where where)
{
    if (where == EXITS_NOWHERE)
        memcpy(g->mem + CODE, nothing, sizeof(nothing));
    else if (where <= EXITS_PORT_COALESCED)
        memcpy(g->mem + CODE, ports, sizeof(ports));
    else
        memcpy(g->mem + CODE, mmio, sizeof(mmio));
}

/* What stays in the kernel must not come here, and nothing but the loop's writes may. */
static bool expected(const struct kvm_run *run, enum exits_where where)
{
    if (run->exit_reason == KVM_EXIT_IO)
        return where == EXITS_PORT_USER && run->io.port == place[where];
    return run->exit_reason == KVM_EXIT_MMIO && where == EXITS_MMIO_USER;
}

static bool done(const struct kvm_run *run)
{
    return run->exit_reason == KVM_EXIT_IO && run->io.port == PORT_DONE;
}

/* A ring that fills up would make writes exits; one that is empty got none. */
static int take_coalesced(struct exits_guest *g, enum exits_where where)
{
    bool empty = g->ring->last == g->ring->first;

    __atomic_store_n(&g->ring->first, g->ring->last, __ATOMIC_RELEASE);
    return empty && (where == EXITS_PORT_COALESCED || where == EXITS_MMIO_COALESCED) ? -EPROTO : 0;
}

int exits_guest_run(struct exits_guest *g, enum exits_where where, int (*each)(void *arg),
                    void *arg)
{
    int err;

    load(g, where);
    err = kvm_cpu_enter_at(&g->cpu, CODE, EXITS_WRITES, place[where]);
    while (!err) {
        if (ioctl(g->cpu.fd, KVM_RUN, 0) < 0 && errno != EINTR)
            return -errno;
        if (done(g->cpu.run))
            return take_coalesced(g, where);
        if (!expected(g->cpu.run, where))
            return -EPROTO;
        err = each ? each(arg) : 0;
    }
    return err;
}
