/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "nicmodels/model.h"
#include "protocol/iotp_ctl.h"
#include "shape.h"

#define OWNER_SIZE  96
#define MAX_WINDOWS 8  /* of one device */
#define PCI_SLOTS   31 /* device numbers on bus 0, less the host bridge */

#define MAX_OWN_CLAIMS 24 /* of a machine, its memory too */

struct claims {
    struct claim claim[MAX_OWN_CLAIMS + SCHEMA_MAX_DEVICES * MAX_WINDOWS];
    unsigned count;
};

/* A device of a VM while it is checked. */
struct device_check {
    struct check *k;
    const struct cfg_vm *vm;
    const struct cfg_device *d;
    const struct doc_node *n;
    const struct nm_model *model; /* NULL: unknown */
    char owner[OWNER_SIZE];
};

static bool overlap(const struct claim *a, const struct claim *b)
{
    return a->space == b->space && a->base < b->base + b->size && b->base < a->base + a->size;
}

static void claim(struct device_check *x, struct claims *all, const struct nm_window *w)
{
    const char *key = w->space == NM_SPACE_PIO ? "io_base" : "mmio_base";
    struct claim mine = {w->space, w->base, w->size, x->d->name};

    for (unsigned i = 0; i < all->count; i++)
        if (overlap(&all->claim[i], &mine))
            report_node(x->k->report, check_at(x->n, key),
                        "%s %#" PRIx64 " to %#" PRIx64 " of %s meet %#" PRIx64 " to %#" PRIx64
                        " of %s; set %s to a free range",
                        w->space == NM_SPACE_PIO ? "ports" : "addresses", mine.base,
                        mine.base + mine.size - 1, x->owner, all->claim[i].base,
                        all->claim[i].base + all->claim[i].size - 1, all->claim[i].owner, key);
    all->claim[all->count++] = mine;
}

/* Models say "KEY: what is wrong": then it is told at that key. */
static void refused_by_model(struct device_check *x, const char *why)
{
    const struct doc_node *at = x->n;
    const char *colon = strchr(why, ':');
    char key[16] = "";

    if (colon && (size_t)(colon - why) < sizeof(key))
        snprintf(key, sizeof(key), "%.*s", (int)(colon - why), why);
    if (doc_get(x->n, key)) {
        at = doc_get(x->n, key);
        why = colon + 1 + strspn(colon + 1, " ");
    }
    report_node(x->k->report, at, "%s refuses it: %s", x->d->model, why);
}

/* An environment that leads nowhere: powering up may already drive the interrupt line low. */
static void *no_dma(struct nm_dev *d, uint64_t gpa, uint64_t *len, bool write)
{
    (void)d, (void)gpa, (void)len, (void)write;
    return NULL;
}

static void no_irq(struct nm_dev *d, unsigned line, bool level)
{
    (void)d, (void)line, (void)level;
}

static void no_msi(struct nm_dev *d, uint64_t addr, uint32_t data)
{
    (void)d, (void)addr, (void)data;
}

static bool no_tx(struct nm_dev *d, const void *frame, size_t len)
{
    (void)d, (void)frame, (void)len;
    return false;
}

static uint64_t no_time(struct nm_dev *d)
{
    (void)d;
    return 0;
}

static const struct nm_env nowhere = {
    .dma = no_dma, .irq = no_irq, .msi = no_msi, .tx = no_tx, .now = no_time};

/* Powers a device up for a moment: the model itself knows best what it accepts and where it sits.
 */
static void check_model(struct device_check *x, struct claims *all)
{
    struct nm_params p = {.io_base = x->d->io_base,
                          .mmio_base = x->d->mmio_base,
                          .irq = x->d->irq,
                          .queues = x->d->queues};
    struct nm_dev dev = {.model = x->model, .env = &nowhere};
    struct nm_window w[MAX_WINDOWS];
    const char *why = "no reason is given";
    unsigned n;

    cfg_parse_mac(x->d->mac, p.mac);
    dev.regs = calloc(1, x->model->regs_size + 1);
    dev.ram = calloc(1, x->model->ram_size + 1);
    if (dev.regs && dev.ram) {
        if (x->model->init(&dev, &p, &why))
            refused_by_model(x, why);
        else {
            n = x->model->windows(&dev, w, MAX_WINDOWS);
            for (unsigned i = 0; i < n && i < MAX_WINDOWS; i++)
                if (w[i].space != NM_SPACE_NONE && w[i].size)
                    claim(x, all, &w[i]);
        }
    }
    free(dev.regs);
    free(dev.ram);
}

static void unknown_model(struct device_check *x)
{
    const struct nm_model *m, *close = NULL;
    char list[160] = "";
    size_t used = 0;

    for (unsigned i = 0; (m = nm_model_at(i)); i++) {
        if (!close && shape_distance(m->name, x->d->model) <= 2)
            close = m;
        used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "", m->name);
        if (used >= sizeof(list))
            used = sizeof(list) - 1;
    }
    if (close)
        report_node(x->k->report, check_at(x->n, "model"),
                    "there is no model %s; did you mean \"%s\"?", x->d->model, close->name);
    else
        report_node(x->k->report, check_at(x->n, "model"), "there is no model %s; use one of %s",
                    x->d->model, list);
}

static void refuse_key(struct device_check *x, const char *key, const char *why)
{
    const struct doc_node *at = doc_get(x->n, key);

    if (at)
        report_node(x->k->report, at, "%s", why);
}

static void check_placement(struct device_check *x)
{
    const struct cfg_device *d = x->d;

    if (d->placement != CFG_PLACE_IOCORE) {
        refuse_key(x, "iocore", "only a device with placement: iocore has one; remove it");
        if (!d->connected)
            refuse_key(
                x, "connected",
                "only a device with placement: iocore is plugged into the switch; remove it, "
                "and name a tap or none");
        if (d->tap_address && !d->tap)
            report_node(x->k->report, doc_get(x->n, "tap_address"),
                        "there is no tap to give the address to; add \"tap\"");
        return;
    }
    refuse_key(x, "tap",
               "a device with placement: iocore reaches the host through a port; remove it, or set "
               "placement to inline or blocking");
    refuse_key(x, "tap_address",
               "a device with placement: iocore reaches the host through a port; set \"address\" "
               "there");
    if (!x->k->c->iocores_count)
        report_node(x->k->report, x->n,
                    "no I/O core is there to run it; add one under iocores, or set placement to "
                    "inline");
    else
        check_iocore_ref(x->k, x->n, d->iocore);
}

static void check_device(struct device_check *x, struct claims *all)
{
    char scope[OWNER_SIZE];

    snprintf(x->owner, sizeof(x->owner), "%s of VM %s", x->d->name, x->vm->name);
    snprintf(scope, sizeof(scope), "in %s", x->vm->name);
    check_name(x->k, x->n, scope, "a device", x->d->name);
    check_mac(x->k, x->n, x->owner, x->d->mac);
    check_placement(x);
    check_iface(x->k, x->n, "tap", x->owner, x->d->tap);
    check_cidr(x->k, x->n, "tap_address", x->d->tap_address);
    x->model = nm_model_find(x->d->model);
    if (!x->model) {
        unknown_model(x);
        return;
    }
    if (x->model->pci) {
        if (x->d->io_base)
            refuse_key(x, "io_base",
                       "a PCI device's addresses are its guest's to choose; remove it");
        if (x->d->mmio_base)
            refuse_key(x, "mmio_base",
                       "a PCI device's addresses are its guest's to choose; remove it");
    }
    if (x->d->queues > 1 && !x->model->multiqueue)
        refuse_key(x, "queues", "this model has one queue pair; remove it");
    check_model(x, all);
}

static void check_devices(struct check *k, const struct cfg_vm *vm, const struct doc_node *devices)
{
    struct claims *all = calloc(1, sizeof(*all));
    const struct doc_node *n = doc_at(devices, 0);
    const struct machine *m = machine_of(vm);
    unsigned pci = 0;

    if (!all)
        return;
    all->count = m->nclaims;
    memcpy(all->claim, m->claims, all->count * sizeof(*m->claims));
    all->claim[all->count++] =
        (struct claim){NM_SPACE_MMIO, 0, machine_memory_end(vm), "the VM's memory"};
    for (unsigned i = 0; i < vm->devices_count; i++, n = n->next) {
        struct device_check x = {.k = k, .vm = vm, .d = &vm->devices[i], .n = n};

        check_device(&x, all);
        pci += x.model && x.model->pci;
    }
    if (pci > PCI_SLOTS)
        report_node(k->report, devices, "%u PCI devices are too many for one bus; use at most %d",
                    pci, PCI_SLOTS);
    check_irqs(k, vm, devices);
    free(all);
}

static void check_cores(struct check *k, const struct cfg_vm *vm, const struct doc_node *cores)
{
    const struct doc_node *n = doc_at(cores, 0);
    char owner[OWNER_SIZE];

    if (cores && cores->count > vm->vcpus)
        report_node(k->report, cores, "%u cores for %u vCPUs; raise vcpus, or name fewer",
                    cores->count, vm->vcpus);
    if (vm->engine == CFG_ENGINE_XEN)
        return; /* physical CPUs: not the numbers I/O cores have in dom0 */
    for (unsigned i = 0; n; i++, n = n->next) {
        const struct cfg_iocore *io = NULL;

        for (unsigned c = 0; c < k->c->iocores_count; c++)
            if (vm->cores[i] != CFG_ANY && k->c->iocores[c].core == vm->cores[i])
                io = &k->c->iocores[c];
        if (!io)
            continue;
        snprintf(owner, sizeof(owner), "vCPU %u of VM %s", i, vm->name);
        report_node(k->report, n, "CPU %d is given to I/O core %s and to %s; give each its own",
                    vm->cores[i], io->name, owner);
    }
}

/* The control channel gives one VM at most IOTP_MAX_AREAS I/O cores. */
static void check_areas(struct check *k, const struct cfg_vm *vm, const struct doc_node *n)
{
    unsigned used = 0;

    for (unsigned i = 0; i < vm->devices_count; i++) {
        bool before = !vm->devices[i].iocore;

        for (unsigned e = 0; e < i && !before; e++)
            before = vm->devices[e].iocore && !strcmp(vm->devices[e].iocore, vm->devices[i].iocore);
        used += !before;
    }
    if (used > IOTP_MAX_AREAS)
        report_node(k->report, n, "its devices use %u I/O cores; use at most %d", used,
                    IOTP_MAX_AREAS);
}

void check_vm(struct check *k, const struct cfg_vm *vm, const struct doc_node *n)
{
    check_name(k, n, "vm", "a VM", vm->name);
    if (!vm->kernel && vm->engine != CFG_ENGINE_XEN)
        report_node(k->report, n, "the key \"kernel\" is missing; name the %s it runs",
                    vm->platform == CFG_PLATFORM_PC ? "Linux kernel" : "ELF file");
    if (vm->engine == CFG_ENGINE_USER && vm->memory > CFG_USER_MAX_MEMORY)
        report_node(k->report, check_at(n, "memory"),
                    "%u MiB is too much for engine user; use at most %d, or engine kvm", vm->memory,
                    CFG_USER_MAX_MEMORY);
    check_cores(k, vm, doc_get(n, "cores"));
    check_areas(k, vm, n);
    check_devices(k, vm, doc_get(n, "devices"));
    check_xen(k, vm, n);
    check_pc(k, vm, n);
}
