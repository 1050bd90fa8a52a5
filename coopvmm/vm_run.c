/* SPDX-License-Identifier: BSD-3-Clause */
#include "vm_run.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "termsig.h"
#include "vm.h"

void vm_run_ready(const struct vm_run *r)
{
    if (r->ready_fd < 0)
        return;
    if (write(r->ready_fd, "ready\n", 6) < 0)
        perror("coopvmm-vm: --ready-fd");
    close(r->ready_fd);
}

static int exit_status(struct vm *vm)
{
    switch (__atomic_load_n(&vm->end, __ATOMIC_ACQUIRE)) {
    case VM_GUEST_EXIT: return vm->exit_status;
    case VM_CRASHED: return VM_EXIT_CRASHED;
    default: return 0;
    }
}

/* Waits for the guest's end, SIGTERM, or a broken connection to the I/O cores. */
static int watch(struct vm *vm, int sig_fd)
{
    for (;;) {
        struct pollfd p[3] = {{.fd = vm->end_fd, .events = POLLIN},
                              {.fd = sig_fd, .events = POLLIN},
                              {.fd = vm_iotp_fd(vm), .events = POLLIN | POLLRDHUP}};

        if (poll(p, 3, -1) < 0)
            continue;
        if (p[0].revents)
            return exit_status(vm);
        if (p[1].revents)
            return 0;
        if (p[2].revents) {
            vm_log(vm, "the I/O-core process is gone; waiting for its successor");
            if (vm_reattach(vm, VM_REATTACH_MS, stderr))
                return VM_EXIT_CANNOT_START;
            vm_log(vm, "attached to the new I/O-core process");
        }
    }
}

int vm_run(const struct vm_run *r)
{
    char path[512];
    struct vm *vm;
    struct termsig *sig = NULL;
    int status = VM_EXIT_CANNOT_START;

    snprintf(path, sizeof(path), "%s/iotp.sock", r->rundir);
    /* first of all: the threads made later, vCPUs too, must not take the signals */
    if (termsig_create(&sig) || vm_create(r->cfg, r->c, path, stderr, &vm)) {
        termsig_free(sig);
        return VM_EXIT_CANNOT_START;
    }
    if (!vm_start(vm, stderr)) {
        vm_run_ready(r);
        status = watch(vm, termsig_fd(sig));
    }
    vm_destroy(vm);
    termsig_free(sig);
    return status;
}
