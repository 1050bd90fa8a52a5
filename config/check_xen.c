/* SPDX-License-Identifier: BSD-3-Clause */
/* What a VM of engine xen may and must have, and what no other may. */
#include <string.h>

#include "check.h"
#include "protocol/iotp_ctl.h"

static void check_slot(struct check *k, const struct cfg_vm *vm, unsigned i,
                       const struct doc_node *n, bool pci)
{
    const struct cfg_device *d = &vm->devices[i];

    if (!pci && d->slot)
        report_node(k->report, check_at(n, "slot"),
                    "%s is no PCI device and has no slot; remove it", d->model);
    if (pci && !d->slot)
        report_node(k->report, n,
                    "no PCI slot is left for %s; give fewer devices, or slots by hand", d->name);
    for (unsigned e = 0; e < i && d->slot; e++)
        if (vm->devices[e].slot == d->slot)
            report_node(k->report, check_at(n, "slot"),
                        "PCI slot %u of %s is that of %s already; choose another", d->slot, d->name,
                        vm->devices[e].name);
}

static void check_xen_devices(struct check *k, const struct cfg_vm *vm,
                              const struct doc_node *devices)
{
    const struct doc_node *n = doc_at(devices, 0);

    for (unsigned i = 0; i < vm->devices_count; i++, n = n->next) {
        const struct cfg_device *d = &vm->devices[i];
        const struct nm_model *m = nm_model_find(d->model);

        if (d->placement != CFG_PLACE_IOCORE)
            report_node(k->report, check_at(n, "placement"),
                        "a Xen domain's vCPUs are Xen's, none of coopvmm's threads runs with them; "
                        "use placement: iocore");
        if (m)
            check_slot(k, vm, i, n, m->pci);
    }
}

static void check_pvh(struct check *k, const struct cfg_vm *vm, const struct doc_node *n)
{
    const struct doc_node *xen = doc_get(n, "xen");

    if (!vm->kernel)
        report_node(k->report, n,
                    "the key \"kernel\" is missing; a PVH domain has no firmware that could load "
                    "one: name it, or use xen: {type: hvm}");
    if (vm->xen->device_model)
        report_node(k->report, doc_get(xen, "device_model"),
                    "a PVH domain has no QEMU; remove it, or use type: hvm");
}

static void check_hvm(struct check *k, const struct cfg_vm *vm, const struct doc_node *n)
{
    if (!vm->kernel && !vm->xen->disk_count)
        report_node(
            k->report, n,
            "there is nothing to boot; name a \"kernel\", or a disk under xen: {disk: ...}");
}

/* Keys that only a Xen VM has. */
static void refuse_xen(struct check *k, const struct cfg_vm *vm, const struct doc_node *n)
{
    const struct doc_node *d = doc_at(doc_get(n, "devices"), 0);

    if (vm->initrd && vm->platform != CFG_PLATFORM_PC)
        report_node(k->report, doc_get(n, "initrd"),
                    "engine %s loads no initrd; remove it, or use engine: xen, or kvm with "
                    "platform: pc",
                    cfg_engine_name(vm->engine));
    if (vm->xen)
        report_node(k->report, doc_get(n, "xen"), "the engine is %s; remove it, or use engine: xen",
                    cfg_engine_name(vm->engine));
    for (unsigned i = 0; i < vm->devices_count; i++, d = d->next)
        if (vm->devices[i].slot)
            report_node(k->report, doc_get(d, "slot"),
                        "engine %s chooses PCI slots itself; remove it",
                        cfg_engine_name(vm->engine));
}

void check_xen(struct check *k, const struct cfg_vm *vm, const struct doc_node *n)
{
    if (vm->engine != CFG_ENGINE_XEN) {
        refuse_xen(k, vm, n);
        return;
    }
    if (vm->vcpus > IOTP_DOMAIN_MAX_VCPUS)
        report_node(k->report, check_at(n, "vcpus"),
                    "%u vCPUs are too many for a Xen domain; use at most %d", vm->vcpus,
                    IOTP_DOMAIN_MAX_VCPUS);
    if (vm->initrd && !vm->kernel)
        report_node(k->report, doc_get(n, "initrd"),
                    "an initrd goes with a kernel; add \"kernel\", or remove it");
    if (vm->cmdline[0] && !vm->kernel)
        report_node(k->report, check_at(n, "cmdline"),
                    "a command line goes with a kernel; add \"kernel\", or remove it");
    if (vm->xen->type == CFG_XEN_HVM)
        check_hvm(k, vm, n);
    else
        check_pvh(k, vm, n);
    check_xen_devices(k, vm, doc_get(n, "devices"));
}
