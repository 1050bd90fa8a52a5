/* SPDX-License-Identifier: BSD-3-Clause */
#include "vm_run.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "pc_console.h"
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

#define RESET_WANTED (-1)

static int exit_status(struct vm *vm)
{
    switch (__atomic_load_n(&vm->end, __ATOMIC_ACQUIRE)) {
    case VM_GUEST_EXIT: return vm->exit_status;
    case VM_CRASHED: return VM_EXIT_CRASHED;
    case VM_RESET: return RESET_WANTED;
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

/* From power-on to power-off, or to a reset, which is both. */
static int run_once(struct vm_run *r, const char *iotp_path, int sig_fd, struct pc_console *console)
{
    int status = VM_EXIT_CANNOT_START;
    struct vm *vm;

    if (vm_create(r->cfg, r->c, iotp_path, stderr, &vm))
        return status;
    pc_console_attach(console, vm->pc);
    if (!vm_start(vm, stderr)) {
        vm_run_ready(r);
        r->ready_fd = -1;
        status = watch(vm, sig_fd);
    }
    pc_console_attach(console, NULL);
    if (status == RESET_WANTED)
        vm_log(vm, "reset by the guest");
    vm_destroy(vm);
    return status;
}

static bool can_run_here(const struct cfg_vm *c)
{
    const struct vm_engine *e = vm_engine_find(c->engine);
    char why[256];

    if (!e || !e->suits || !e->suits(c, why))
        return true;
    fprintf(stderr, "%s: %s\n", c->name, why);
    return false;
}

int vm_run(const struct vm_run *orders)
{
    struct vm_run r = *orders;
    struct pc_console *console = NULL;
    struct termsig *sig = NULL;
    char path[512];
    int status;

    if (!can_run_here(r.c))
        return VM_EXIT_CANNOT_START;
    snprintf(path, sizeof(path), "%s/iotp.sock", r.rundir);
    /* first of all: the threads made later, vCPUs too, must not take the signals */
    if (termsig_create(&sig))
        return VM_EXIT_CANNOT_START;
    if (r.c->platform == CFG_PLATFORM_PC)
        console = pc_console_open(r.rundir, r.c->name, stderr);
    do
        status = run_once(&r, path, termsig_fd(sig), console);
    while (status == RESET_WANTED);
    pc_console_close(console);
    termsig_free(sig);
    return status;
}
