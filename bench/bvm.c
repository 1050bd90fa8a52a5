/* SPDX-License-Identifier: BSD-3-Clause */
#include "bvm.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../config/plan.h"
#include "../nicmodels/model.h"
#include "iod.h"

#define MEMORY_MIB 1
#define SPIN_US    100 /* the configuration's default */
#define WARM_UP    200

/* --- an engine without a guest --- */

static int no_probe(char found[256])
{
    found[0] = '\0';
    return 0;
}

/* One descriptor for all lines: nobody takes the interrupts, which never come anyway. */
static int create(struct vm *vm)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    vm->engine_state = (void *)(intptr_t)fd;
    return fd < 0 ? -errno : 0;
}

static int start(struct vm *vm)
{
    (void)vm;
    return 0;
}

static void stop(struct vm *vm)
{
    (void)vm;
}

static void destroy(struct vm *vm)
{
    close((int)(intptr_t)vm->engine_state);
}

static int irq_fd(struct vm *vm, unsigned line)
{
    (void)line;
    return (int)(intptr_t)vm->engine_state;
}

static const struct vm_engine no_engine = {.name = "bench",
                                           .title = "the measuring thread",
                                           .probe = no_probe,
                                           .create = create,
                                           .start = start,
                                           .stop = stop,
                                           .destroy = destroy,
                                           .irq_fd = irq_fd};

/* --- the VM --- */

static void describe(struct bvm *b, unsigned number, enum cfg_placement place, const char *model)
{
    snprintf(b->model, sizeof(b->model), "%s", model);
    snprintf(b->name, sizeof(b->name), "bench%u", number);
    snprintf(b->mac, sizeof(b->mac), "52:54:00:be:%02x:%02x", number >> 8 & 0xff, number & 0xff);
    b->core = CFG_ANY;
    b->dev = (struct cfg_device){.model = b->model,
                                 .name = "nic",
                                 .mac = b->mac,
                                 .placement = place,
                                 .iocore = IOD_CORE,
                                 .irq = nm_model_find(model)->pci ? CFG_IRQ_PCI : CFG_IRQ_ISA};
    b->c = (struct cfg_vm){.name = b->name,
                           .memory = MEMORY_MIB,
                           .vcpus = 1,
                           .cores = &b->core,
                           .cores_count = 1,
                           .node = CFG_ANY,
                           .cmdline = "",
                           .spin_us = SPIN_US,
                           .devices = &b->dev,
                           .devices_count = 1};
}

int bvm_create(struct bvm *b, unsigned number, enum cfg_placement place, const char *sock,
               struct guard *g, FILE *err)
{
    return bvm_create_model(b, number, place, "ne2000", sock, g, err);
}

int bvm_create_model(struct bvm *b, unsigned number, enum cfg_placement place, const char *model,
                     const char *sock, struct guard *g, FILE *err)
{
    static const struct cfg nothing_else;
    int ret;

    *b = (struct bvm){.guard = g};
    describe(b, number, place, model);
    ret = vm_create_on(&no_engine, &nothing_else, &b->c, sock, err, &b->vm);
    if (ret) {
        b->vm = NULL;
        return ret;
    }
    ret = guard_add_vm(g, b->vm);
    if (ret)
        bvm_destroy(b);
    return ret;
}

void bvm_destroy(struct bvm *b)
{
    if (!b->vm)
        return;
    guard_remove_vm(b->guard, b->vm);
    vm_destroy(b->vm);
    b->vm = NULL;
}

int bvm_sample(const struct bvm *b, uint16_t port, struct series *s, size_t n)
{
    int err = 0;

    for (unsigned i = 0; i < WARM_UP && !err; i++)
        err = bvm_inb(b, port);
    for (size_t i = 0; i < n && !err; i++) {
        uint64_t begin = tsc_read(), end;

        err = bvm_inb(b, port);
        end = tsc_read();
        series_add(s, tsc_sample(begin, end));
    }
    return err;
}
