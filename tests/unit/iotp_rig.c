/* SPDX-License-Identifier: BSD-3-Clause */
#include "iotp_rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../nicmodels/pci.h"

bool rig_vmm_open(struct rig_vmm *v, unsigned nvcpus)
{
    *v = (struct rig_vmm){.nvcpus = nvcpus, .state_fd = -1};
    v->mem_fd = iotp_memfd("rig-mem", RIG_MEMORY);
    v->kick_fd = eventfd(0, EFD_NONBLOCK);
    v->irq_fd = eventfd(0, EFD_NONBLOCK);
    if (iotp_layout_of(nvcpus, 1, 64, &v->lay))
        return false;
    v->area_fd = iotp_memfd("rig-area", v->lay.size);
    v->mem = mmap(NULL, RIG_MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, v->mem_fd, 0);
    v->area = mmap(NULL, v->lay.size, PROT_READ | PROT_WRITE, MAP_SHARED, v->area_fd, 0);
    if (v->mem == MAP_FAILED || v->area == MAP_FAILED ||
        iotp_area_format(v->area, &v->lay, IOTP_F_ALL))
        return false;
    for (unsigned n = 0; n < nvcpus; n++)
        if (iotp_vcpu_init(&v->vcpu[n], v->area, &v->lay, n, 2000, v->kick_fd))
            return false;
    return true;
}

void rig_vmm_close(struct rig_vmm *v)
{
    munmap(v->mem, RIG_MEMORY);
    munmap(v->area, v->lay.size);
    close(v->mem_fd);
    close(v->area_fd);
    close(v->kick_fd);
    close(v->irq_fd);
    if (v->state_fd >= 0)
        close(v->state_fd);
}

static bool make_device(struct rig_ioc *i, struct rig_vmm *v, const char *model)
{
    struct iotp_device d = {.nlines = 1, .mac = {0x52, 0x54, 0, 1, 2, 3}, .name = "rig"};
    int irq_fd = dup(v->irq_fd), state_fd;
    struct irq_sink *irq = irq_fds_new(&irq_fd, 1);
    struct dev_opts o = {.d = &d,
                         .core = &i->core,
                         .mem = &i->gm,
                         .shadow = &i->area->shadow[0],
                         .publishes = true,
                         .state_fd = v->state_fd,
                         .irq = irq};
    const char *why = "";
    int err;

    snprintf(d.model, sizeof(d.model), "%s", model);
    err = irq ? dev_create(&o, &i->dev, &state_fd, &why) : -ENOMEM;
    if (err) {
        fprintf(stderr, "rig: %s: %s\n", model, why);
        return false;
    }
    if (v->state_fd < 0)
        v->state_fd = state_fd;
    return true;
}

bool rig_ioc_open(struct rig_ioc *i, struct rig_vmm *v, const char *model)
{
    void *base;

    memset(i, 0, sizeof(*i));
    base = mmap(NULL, v->lay.size, PROT_READ | PROT_WRITE, MAP_SHARED, v->area_fd, 0);
    if (base == MAP_FAILED || guestmem_map(&i->gm, 0, RIG_MEMORY, v->mem_fd, 0) ||
        iotp_ioc_attach(base, v->lay.size, &i->area) || src_iotp_create(i->area, -1, &i->src) ||
        !make_device(i, v, model))
        return false;
    i->src->dev[0] = i->dev;
    dev_join(i->dev);
    dev_resume(i->dev);
    src_iotp_resume(i->src);
    return true;
}

void rig_ioc_close(struct rig_ioc *i)
{
    dev_leave(i->dev);
    dev_destroy(i->dev);
    src_iotp_destroy(i->src);
    munmap(i->area->base, i->area->lay.size);
    iotp_ioc_detach(i->area);
    guestmem_unmap(&i->gm);
}

void rig_ioc_poll(struct rig_ioc *i)
{
    i->src->src.ops->poll(&i->src->src, 0);
    if (dev_is_busy(i->dev))
        dev_poll(i->dev);
}

static struct iotp_req request(unsigned reg, unsigned size, uint8_t op, uint64_t value)
{
    return (struct iotp_req){
        .offset = reg, .data = value, .count = 1, .op = op, .size = (uint8_t)size};
}

uint64_t rig_in(struct rig_vmm *v, unsigned n, unsigned reg, unsigned size)
{
    struct iotp_req r = request(reg, size, IOTP_OP_READ, 0);
    struct iotp_resp resp = {.data = ~0ull};

    if (iotp_call(&v->vcpu[n], &r, &resp))
        return ~0ull;
    return resp.data;
}

void rig_out(struct rig_vmm *v, unsigned n, unsigned reg, unsigned size, uint64_t value)
{
    struct iotp_req r = request(reg, size, IOTP_OP_WRITE, value);
    struct iotp_resp resp;

    iotp_call(&v->vcpu[n], &r, &resp);
}

void rig_post(struct rig_vmm *v, unsigned n, unsigned reg, unsigned size, uint64_t value)
{
    if (!iotp_post(&v->vcpu[n], 0, 0, reg, (uint8_t)size, value))
        rig_out(v, n, reg, size, value);
}

void rig_enable_pci(struct rig_vmm *v, unsigned n)
{
    struct iotp_req r = request(PCI_COMMAND, 2, IOTP_OP_WRITE,
                                PCI_COMMAND_IO | PCI_COMMAND_MEM | PCI_COMMAND_MASTER);
    struct iotp_resp resp;

    r.region = NM_REGION_CONFIG;
    iotp_call(&v->vcpu[n], &r, &resp);
}

uint32_t rig_string(struct rig_vmm *v, unsigned n, bool write, unsigned reg, unsigned size,
                    uint64_t gpa, uint32_t count)
{
    struct iotp_req r = request(reg, size, IOTP_OP_STRING | (write ? IOTP_OP_WRITE : 0), 0);
    struct iotp_resp resp = {0};

    r.mem = gpa;
    r.count = count;
    iotp_call(&v->vcpu[n], &r, &resp);
    return resp.done_count;
}
