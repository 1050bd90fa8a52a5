/* SPDX-License-Identifier: BSD-3-Clause */
#include "defaults.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nicmodels/model.h"
#include "uniq.h"

#define MAC_OUI    "52:54:00"
#define MAC_TRIES  1000
#define DAEMON_MIB 256
#define IDLE_US    1000
#define SPIN_US    100
#define VM_MIB     64
#define MAC_AGE_S  300

static bool absent(const struct doc_node *n, const char *key)
{
    return doc_get(n, key) == NULL;
}

static int set_text(char **field, const char *text)
{
    if (*field)
        return 0;
    *field = strdup(text);
    return *field ? 0 : -ENOMEM;
}

/* "/etc/coopvmm/lab.yaml" gives "lab". */
static int name_from_path(struct cfg *c)
{
    const char *slash = strrchr(c->path, '/');
    const char *base = slash ? slash + 1 : c->path;
    size_t len = strlen(base);

    if (c->name)
        return 0;
    if (len > 5 && !strcmp(base + len - 5, ".yaml"))
        len -= 5;
    else if (len > 4 && !strcmp(base + len - 4, ".yml"))
        len -= 4;
    c->name = strndup(base, len);
    return c->name ? 0 : -ENOMEM;
}

/* Paths in the file are relative to the file, not to wherever the command happens to run. */
static int make_absolute(const struct cfg *c, char **path)
{
    const char *slash = strrchr(c->path, '/');
    char *whole;

    if (!*path || (*path)[0] == '/' || !slash)
        return 0;
    if (asprintf(&whole, "%.*s%s", (int)(slash - c->path + 1), c->path, *path) < 0)
        return -ENOMEM;
    free(*path);
    *path = whole;
    return 0;
}

static void fill_daemon(struct cfg_daemon *d, const struct doc_node *n)
{
    if (absent(n, "memory"))
        d->memory = DAEMON_MIB;
    if (absent(n, "hugepages"))
        d->hugepages = true;
    if (absent(n, "realtime"))
        d->realtime = true;
    if (absent(n, "seccomp"))
        d->seccomp = true;
    if (absent(n, "mac_age_s"))
        d->mac_age_s = MAC_AGE_S;
}

static void fill_iocore(struct cfg_iocore *io, const struct doc_node *n)
{
    if (absent(n, "core"))
        io->core = CFG_ANY;
    if (absent(n, "idle"))
        io->idle = CFG_IDLE_PAUSE;
    if (absent(n, "idle_us") && io->idle == CFG_IDLE_SLEEP)
        io->idle_us = IDLE_US;
}

static int fill_port(struct cfg *c, struct cfg_port *p)
{
    int err = c->iocores_count ? set_text(&p->iocore, c->iocores[0].name) : 0;

    if (!err)
        err = make_absolute(c, &p->rx_pcap);
    if (!err)
        err = make_absolute(c, &p->socket);
    return err ? err : make_absolute(c, &p->tx_pcap);
}

static int fill_cores(struct cfg_vm *vm)
{
    int *cores;

    if (vm->cores_count >= vm->vcpus)
        return 0;
    cores = realloc(vm->cores, vm->vcpus * sizeof(*cores));
    if (!cores)
        return -ENOMEM;
    for (unsigned i = vm->cores_count; i < vm->vcpus; i++)
        cores[i] = CFG_ANY;
    vm->cores = cores;
    vm->cores_count = vm->vcpus;
    return 0;
}

/* "ne2000.1" for the second NE2000 of the VM. */
static int name_device(const struct cfg_vm *vm, unsigned i)
{
    struct cfg_device *d = &vm->devices[i];
    unsigned before = 0;

    for (unsigned k = 0; k < i; k++)
        before += !strcmp(vm->devices[k].model, d->model);
    if (d->name)
        return 0;
    return asprintf(&d->name, "%s.%u", d->model, before) < 0 ? -ENOMEM : 0;
}

static bool is_hvm(const struct cfg_vm *vm)
{
    return vm->xen && vm->xen->type == CFG_XEN_HVM;
}

static bool is_pci(const struct cfg_device *d)
{
    const struct nm_model *m = nm_model_find(d->model);

    return m && m->pci;
}

/* Only a Xen VM has `xen`; given to another it is left for check_config to refuse. */
static int fill_xen(const struct cfg *c, struct cfg_vm *vm, const struct doc_node *n)
{
    if (vm->engine != CFG_ENGINE_XEN)
        return 0;
    if (!vm->xen)
        vm->xen = calloc(1, sizeof(*vm->xen));
    if (!vm->xen)
        return -ENOMEM;
    if (absent(n, "spin"))
        vm->xen->spin = true;
    return make_absolute(c, &vm->xen->device_model);
}

/* Each PCI device of a Xen VM that has no slot yet gets the first one that no other asks for. */
static void fill_slots(struct cfg_vm *vm)
{
    unsigned slot = is_hvm(vm) ? CFG_SLOT_HVM : CFG_SLOT_PVH;
    uint32_t taken = 0;

    for (unsigned i = 0; i < vm->devices_count; i++)
        taken |= 1u << (vm->devices[i].slot & 31);
    for (unsigned i = 0; i < vm->devices_count && vm->xen; i++) {
        while (slot < 32 && taken >> slot & 1)
            slot++;
        if (is_pci(&vm->devices[i]) && !vm->devices[i].slot && slot < 32)
            vm->devices[i].slot = (uint8_t)slot++;
    }
}

static int fill_device(const struct cfg *c, const struct cfg_vm *vm, unsigned i,
                       const struct doc_node *n)
{
    struct cfg_device *d = &vm->devices[i];

    if (absent(n, "connected"))
        d->connected = true;
    if (!d->irq)
        d->irq = is_pci(d) ? CFG_IRQ_PCI : is_hvm(vm) ? CFG_IRQ_HVM : CFG_IRQ_ISA;
    if (name_device(vm, i))
        return -ENOMEM;
    if (d->placement == CFG_PLACE_IOCORE && c->iocores_count == 1)
        return set_text(&d->iocore, c->iocores[0].name);
    return 0;
}

static int fill_vm(const struct cfg *c, struct cfg_vm *vm, const struct doc_node *n)
{
    const struct doc_node *devices = doc_get(n, "devices");
    int err;

    if (absent(n, "memory"))
        vm->memory = VM_MIB;
    if (absent(n, "vcpus"))
        vm->vcpus = 1;
    if (absent(n, "node"))
        vm->node = CFG_ANY;
    if (absent(n, "spin_us"))
        vm->spin_us = SPIN_US;
    err = fill_cores(vm);
    if (!err)
        err = set_text(&vm->cmdline, "");
    if (!err)
        err = make_absolute(c, &vm->kernel);
    if (!err)
        err = make_absolute(c, &vm->initrd);
    if (!err)
        err = fill_xen(c, vm, doc_get(n, "xen"));
    for (unsigned i = 0; i < vm->devices_count && !err; i++)
        err = fill_device(c, vm, i, doc_at(devices, i));
    fill_slots(vm);
    return err;
}

/* FNV-1a, folded to 24 bits. */
static uint32_t hash24(const char *vm, const char *device, unsigned salt)
{
    const char *const parts[] = {vm, "/", device};
    uint32_t h = 2166136261u + salt;

    for (unsigned i = 0; i < 3; i++)
        for (const char *p = parts[i]; *p; p++)
            h = (h ^ (unsigned char)*p) * 16777619u;
    return (h >> 24 ^ h) & 0xffffff;
}

static bool mac_is_new(struct uniq *seen, const char *mac)
{
    char lower[18] = "";

    for (unsigned i = 0; i + 1 < sizeof(lower) && mac[i]; i++)
        lower[i] = (char)tolower((unsigned char)mac[i]);
    return !uniq_add(seen, "", 0, "%s", lower);
}

/* The same names always give the same MAC; if another device has it, the next one that is free. */
static int default_mac(struct uniq *seen, const struct cfg_vm *vm, struct cfg_device *d)
{
    char mac[18];

    for (unsigned salt = 0; salt < MAC_TRIES; salt++) {
        uint32_t h = hash24(vm->name, d->name, salt);

        snprintf(mac, sizeof(mac), MAC_OUI ":%02x:%02x:%02x", h >> 16 & 0xff, h >> 8 & 0xff,
                 h & 0xff);
        if (mac_is_new(seen, mac))
            break;
    }
    return set_text(&d->mac, mac);
}

static int fill_macs(struct cfg *c)
{
    struct uniq seen = {NULL};
    int err = 0;

    for (unsigned v = 0; v < c->vms_count; v++)
        for (unsigned i = 0; i < c->vms[v].devices_count; i++)
            if (c->vms[v].devices[i].mac)
                mac_is_new(&seen, c->vms[v].devices[i].mac);
    for (unsigned v = 0; v < c->vms_count && !err; v++)
        for (unsigned i = 0; i < c->vms[v].devices_count && !err; i++)
            if (!c->vms[v].devices[i].mac)
                err = default_mac(&seen, &c->vms[v], &c->vms[v].devices[i]);
    uniq_clear(&seen);
    return err;
}

int defaults_fill(struct cfg *c, const struct doc_node *root)
{
    const struct doc_node *iocores = doc_get(root, "iocores"), *vms = doc_get(root, "vms");
    int err = name_from_path(c);

    fill_daemon(&c->daemon, doc_get(root, "daemon"));
    for (unsigned i = 0; i < c->iocores_count; i++)
        fill_iocore(&c->iocores[i], doc_at(iocores, i));
    for (unsigned i = 0; i < c->ports_count && !err; i++)
        err = fill_port(c, &c->ports[i]);
    for (unsigned i = 0; i < c->vms_count && !err; i++)
        err = fill_vm(c, &c->vms[i], doc_at(vms, i));
    return err ? err : fill_macs(c);
}
