/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine_common.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#include "boot.h"

int engine_load(struct vm *vm, struct elf_image *img)
{
    const char *why = "";
    int err = boot_load(vm->mem.host, vm->mem.size, vm->c->kernel, vm->c->cmdline, img, &why);

    if (err)
        vm_log(vm, "kernel %s: %s: %s", vm->c->kernel, why, strerror(-err));
    return err;
}

int engine_pin(struct vm *vm, unsigned vcpu, pthread_t thread, int core)
{
    cpu_set_t *set;
    size_t size;
    int err;

    if (core == CFG_ANY)
        return 0;
    set = core < 0 ? NULL : CPU_ALLOC(core + 1);
    if (!set)
        return -EINVAL;
    size = CPU_ALLOC_SIZE(core + 1);
    CPU_ZERO_S(size, set);
    CPU_SET_S(core, size, set);
    err = -pthread_setaffinity_np(thread, size, set);
    CPU_FREE(set);
    if (err)
        vm_log(vm,
               "vCPU %u cannot be pinned to CPU %d: %s; is it online and in this process's "
               "cpuset?",
               vcpu, core, strerror(-err));
    return err;
}
