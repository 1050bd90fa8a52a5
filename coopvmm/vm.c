/* SPDX-License-Identifier: BSD-3-Clause */
#include "vm.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../iocore/numa.h"
#include "../nicmodels/model.h"
#include "local.h"
#include "pc.h"
#include "place_iocore.h"
#include "ports.h"

/* What engines see, and what is ours. */
struct vm_full {
    struct vm vm; /* first: engines hold pointers to it */
    struct vm_console console;
    struct link *link;                   /* NULL: no device on an I/O core */
    uint8_t (*bounce)[IOTP_BOUNCE_SIZE]; /* without a link */
    bool engine_created;
};

static struct vm_full *full(const struct vm *vm)
{
    return (struct vm_full *)vm;
}

struct vm_console *vm_console(struct vm *vm)
{
    return &full(vm)->console;
}

uint8_t *vm_bounce(struct vm *vm, unsigned vcpu)
{
    struct vm_full *f = full(vm);

    return f->link ? link_bounce(f->link, vcpu) : f->bounce[vcpu];
}

const struct vm_engine *vm_engine_find(enum cfg_engine e)
{
    switch (e) {
    case CFG_ENGINE_USER: return &vm_engine_user;
    case CFG_ENGINE_KVM: return &vm_engine_kvm;
    default: return NULL;
    }
}

static bool is_pci(const struct cfg_device *c)
{
    const struct nm_model *m = nm_model_find(c->model);

    return m && m->pci;
}

uint8_t vm_pci_slot(const struct cfg_vm *vm, const struct cfg_device *c)
{
    uint8_t slot = 1;

    if (!is_pci(c))
        return 0;
    for (unsigned i = 0; i < vm->devices_count && &vm->devices[i] != c; i++)
        slot = (uint8_t)(slot + is_pci(&vm->devices[i]));
    return slot;
}

uint8_t vm_irq_line(const struct cfg_vm *vm, const struct cfg_device *c)
{
    if (vm->platform == CFG_PLATFORM_PC && is_pci(c))
        return (uint8_t)pc_pci_line(vm_pci_slot(vm, c), 0);
    if (c->irq)
        return c->irq;
    return is_pci(c) ? 11 : 9;
}

void vm_end(struct vm *vm, enum vm_end how, uint8_t status)
{
    enum vm_end running = VM_RUNNING;
    uint64_t one = 1;

    if (!__atomic_compare_exchange_n(&vm->end, &running, how, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE))
        return;
    vm->exit_status = status;
    __atomic_store_n(&vm->stopping, true, __ATOMIC_RELEASE);
    if (write(vm->end_fd, &one, sizeof(one)) < 0) {
        /* the counter cannot be full: this is the first and only write */
    }
}

void vm_log(struct vm *vm, const char *fmt, ...)
{
    char line[1024];
    va_list ap;
    int n = snprintf(line, sizeof(line), "%s: ", vm->c->name);
    int m;

    va_start(ap, fmt);
    m = vsnprintf(line + n, sizeof(line) - (size_t)n - 1, fmt, ap);
    va_end(ap);
    n = m < 0 ? n : n + m;
    if (n > (int)sizeof(line) - 2)
        n = sizeof(line) - 2;
    if (!n || line[n - 1] != '\n')
        line[n++] = '\n';
    if (write(STDERR_FILENO, line, (size_t)n) < 0) {
        /* nowhere to complain to */
    }
}

static int make_memory(struct vm *vm, FILE *err)
{
    uint64_t size = (uint64_t)vm->c->memory << 20;
    char said[128] = "";
    void *at;

    vm->mem.size = vm->mem.low = size;
    if (vm->c->platform == CFG_PLATFORM_PC && size > PC_HOLE)
        vm->mem.low = PC_HOLE;
    vm->mem.fd =
        vm->c->hugepages ? iotp_memfd_huge(vm->c->name, size) : iotp_memfd(vm->c->name, size);
    if (vm->mem.fd < 0) {
        fprintf(err, "%s: cannot have %u MiB of guest memory%s: %s\n", vm->c->name, vm->c->memory,
                vm->c->hugepages ? " in huge pages" : "", strerror(-vm->mem.fd));
        return vm->mem.fd;
    }
    at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vm->mem.fd, 0);
    if (at == MAP_FAILED) {
        int ret = -errno;

        fprintf(err, "%s: cannot map %u MiB of guest memory%s: %s\n", vm->c->name, vm->c->memory,
                vm->c->hugepages ? " in huge pages; reserve more: sysctl vm.nr_hugepages=N" : "",
                strerror(-ret));
        return ret;
    }
    vm->mem.host = at;
    /* Where the kernel gives shared memory huge pages for the asking ("advise"; it is a no
     * elsewhere): a stock guest's boot touches tens of thousands of small ones, a fault each. */
    madvise(at, size, MADV_HUGEPAGE);
    if (nl_place(at, size, vm->c->node, NL_PREFER, "guest memory", said, sizeof(said)) ||
        nl_nodes() > 1)
        vm_log(vm, "%s", said);
    return 0;
}

static int add_device(struct vm *vm, const struct cfg_device *c, FILE *err)
{
    int ret = 0;

    if (c->placement == CFG_PLACE_INLINE)
        ret = inline_create(vm, c, err);
    else if (c->placement == CFG_PLACE_BLOCKING)
        ret = blocking_create(vm, c, err);
    if (ret)
        fprintf(err, "%s: device %s: %s\n", vm->c->name, c->name, strerror(-ret));
    return ret;
}

static bool wants_iocore(const struct cfg_vm *c)
{
    for (unsigned i = 0; i < c->devices_count; i++)
        if (c->devices[i].placement == CFG_PLACE_IOCORE)
            return true;
    return false;
}

static int make_devices(struct vm_full *f, const char *iotp_path, FILE *err)
{
    struct vm *vm = &f->vm;
    int ret = 0;

    f->bounce = calloc(vm->c->vcpus, IOTP_BOUNCE_SIZE);
    vm->bus = bus_new(vm);
    if (!f->bounce || !vm->bus)
        return -ENOMEM;
    if (wants_iocore(vm->c))
        ret = link_create(vm, iotp_path, err, &f->link);
    for (unsigned i = 0; i < vm->c->devices_count && !ret; i++)
        ret = add_device(vm, &vm->c->devices[i], err);
    return ret ? ret : bus_assign_pci(vm->bus);
}

static int make_engine(struct vm_full *f, FILE *err)
{
    struct vm *vm = &f->vm;
    int ret = vm->engine->create(vm);

    f->engine_created = !ret;
    if (ret)
        fprintf(err, "%s: engine %s: %s\n", vm->c->name, vm->engine->name, strerror(-ret));
    return ret;
}

int vm_create(const struct cfg *cfg, const struct cfg_vm *c, const char *iotp_path, FILE *err,
              struct vm **out)
{
    const struct vm_engine *engine = vm_engine_find(c->engine);

    if (!engine) {
        fprintf(err, "%s: engine %s is not in this build\n", c->name, cfg_engine_name(c->engine));
        return -ENOTSUP;
    }
    return vm_create_on(engine, cfg, c, iotp_path, err, out);
}

int vm_create_on(const struct vm_engine *engine, const struct cfg *cfg, const struct cfg_vm *c,
                 const char *iotp_path, FILE *err, struct vm **out)
{
    struct vm_full *f = calloc(1, sizeof(*f));
    struct vm *vm = &f->vm;
    int ret;

    if (!f)
        return -ENOMEM;
    *vm = (struct vm){.cfg = cfg, .c = c, .engine = engine, .mem.fd = -1};
    vm->end_fd = eventfd(0, EFD_CLOEXEC);
    ret = vm->end_fd < 0 ? -errno : make_memory(vm, err);
    if (!ret)
        ret = make_engine(f, err);
    if (!ret)
        ret = make_devices(f, iotp_path, err);
    if (ret)
        vm_destroy(vm);
    else
        *out = vm;
    return ret;
}

int vm_start(struct vm *vm, FILE *err)
{
    int ret = vm->engine->start(vm);

    if (ret)
        fprintf(err, "%s: cannot start: %s\n", vm->c->name, strerror(-ret));
    return ret;
}

int vm_iotp_fd(const struct vm *vm)
{
    return full(vm)->link ? link_fd(full(vm)->link) : -1;
}

int vm_reattach(struct vm *vm, unsigned timeout_ms, FILE *err)
{
    return link_reattach(full(vm)->link, timeout_ms, err);
}

/* Order matters: vCPUs first, then what they use. */
void vm_destroy(struct vm *vm)
{
    struct vm_full *f = full(vm);

    __atomic_store_n(&vm->stopping, true, __ATOMIC_RELEASE);
    if (f->link)
        link_cancel(f->link);
    if (f->engine_created)
        vm->engine->stop(vm);
    if (vm->bus)
        bus_free(vm->bus);
    if (f->link)
        link_free(f->link);
    if (f->engine_created)
        vm->engine->destroy(vm);
    if (vm->mem.host)
        munmap(vm->mem.host, vm->mem.size);
    if (vm->mem.fd >= 0)
        close(vm->mem.fd);
    if (vm->end_fd >= 0)
        close(vm->end_fd);
    free(f->bounce);
    free(f);
}
