/* SPDX-License-Identifier: BSD-3-Clause */
/* What a VM of platform pc may and must have, and hugepages. What it has by itself: machine.c. */
#include "check.h"

void check_pc(struct check *k, const struct cfg_vm *vm, const struct doc_node *n)
{
    if (vm->hugepages && vm->engine != CFG_ENGINE_KVM)
        report_node(k->report, check_at(n, "hugepages"),
                    "engine %s does not choose its guest's pages; remove it, or use engine: kvm",
                    cfg_engine_name(vm->engine));
    if (vm->platform != CFG_PLATFORM_PC)
        return;
    if (vm->engine != CFG_ENGINE_KVM)
        report_node(k->report, check_at(n, "platform"),
                    "engine %s makes no PC; use engine: kvm, or remove it",
                    cfg_engine_name(vm->engine));
    if (vm->vcpus > CFG_PC_MAX_VCPUS)
        report_node(k->report, check_at(n, "vcpus"),
                    "%u vCPUs are too many for a PC; use at most %d", vm->vcpus, CFG_PC_MAX_VCPUS);
}
