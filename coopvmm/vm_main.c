/* SPDX-License-Identifier: BSD-3-Clause */
/* coopvmm-vm: one VM in a process of its own. The supervisor (coopvmm run) starts it. */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../config/config.h"
#include "termsig.h"
#include "vm.h"

#define REATTACH_MS 20000 /* how long guests wait for a restarted I/O-core process */

struct options {
    const char *config, *rundir, *vm, *cores;
    int node, ready_fd;
};

static const char usage[] =
    "Usage: coopvmm-vm --config FILE --rundir DIR --vm NAME [options]\n"
    "Runs one VM of a testbed; `coopvmm run` starts it.\n\n"
    "  --config FILE    the testbed's configuration\n"
    "  --rundir DIR     the testbed's run directory (DIR/iotp.sock: the I/O cores)\n"
    "  --vm NAME        which VM\n"
    "  --cores LIST     CPUs of its vCPUs, in order: 0,3\n"
    "  --node N         NUMA node of its memory\n"
    "  --ready-fd N     write \"ready\" to this descriptor once the guest runs\n"
    "  --help           this text\n\n"
    "Exit status: the guest's own (port 0x501); 125 could not start; 126 the guest crashed;\n"
    "0 when stopped by SIGTERM.\n";

enum { EXIT_CANNOT_START = 125, EXIT_CRASHED = 126 };

static int parse(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {
        {"config", 1, NULL, 'c'}, {"rundir", 1, NULL, 'r'}, {"vm", 1, NULL, 'v'},
        {"cores", 1, NULL, 'C'},  {"node", 1, NULL, 'n'},   {"ready-fd", 1, NULL, 'f'},
        {"help", 0, NULL, 'h'},   {NULL, 0, NULL, 0},
    };
    int c;

    *o = (struct options){.node = CFG_ANY, .ready_fd = -1};
    while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
        switch (c) {
        case 'c': o->config = optarg; break;
        case 'r': o->rundir = optarg; break;
        case 'v': o->vm = optarg; break;
        case 'C': o->cores = optarg; break;
        case 'n': o->node = atoi(optarg); break;
        case 'f': o->ready_fd = atoi(optarg); break;
        case 'h': fputs(usage, stdout); exit(0);
        default: fputs(usage, stderr); return -EINVAL;
        }
    }
    if (!o->config || !o->rundir || !o->vm || optind != argc) {
        fputs(usage, stderr);
        return -EINVAL;
    }
    return 0;
}

static struct cfg_vm *find_vm(struct cfg *cfg, const char *name)
{
    for (unsigned i = 0; i < cfg->vms_count; i++)
        if (!strcmp(cfg->vms[i].name, name))
            return &cfg->vms[i];
    return NULL;
}

/* The planner's decisions come as arguments: whoever started us made them for all VMs at once. */
static int apply_plan(struct cfg_vm *c, const struct options *o)
{
    const char *p = o->cores;

    if (o->node != CFG_ANY)
        c->node = o->node;
    for (unsigned i = 0; p && i < c->cores_count; i++) {
        char *end;
        long cpu = strtol(p, &end, 10);

        if (end == p || cpu < 0 || (*end && *end != ','))
            return -EINVAL;
        c->cores[i] = (int)cpu;
        p = *end ? end + 1 : NULL;
    }
    return 0;
}

static void say_ready(int fd)
{
    if (fd >= 0) {
        if (write(fd, "ready\n", 6) < 0)
            perror("coopvmm-vm: --ready-fd");
        close(fd);
    }
}

static int exit_status(struct vm *vm)
{
    switch (__atomic_load_n(&vm->end, __ATOMIC_ACQUIRE)) {
    case VM_GUEST_EXIT: return vm->exit_status;
    case VM_CRASHED: return EXIT_CRASHED;
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
            if (vm_reattach(vm, REATTACH_MS, stderr))
                return EXIT_CANNOT_START;
            vm_log(vm, "attached to the new I/O-core process");
        }
    }
}

static int run(const struct options *o, struct cfg *cfg)
{
    char path[512];
    struct cfg_vm *c = find_vm(cfg, o->vm);
    struct vm *vm;
    struct termsig *sig = NULL;
    int status = EXIT_CANNOT_START;

    if (!c || apply_plan(c, o)) {
        fprintf(stderr, "coopvmm-vm: %s: no VM %s, or --cores is no list of CPUs\n", o->config,
                o->vm);
        return EXIT_CANNOT_START;
    }
    snprintf(path, sizeof(path), "%s/iotp.sock", o->rundir);
    signal(SIGPIPE, SIG_IGN);
    /* first of all: the threads made later, vCPUs too, must not take the signals */
    if (termsig_create(&sig) || vm_create(cfg, c, path, stderr, &vm)) {
        termsig_free(sig);
        return EXIT_CANNOT_START;
    }
    if (!vm_start(vm, stderr)) {
        say_ready(o->ready_fd);
        status = watch(vm, termsig_fd(sig));
    }
    vm_destroy(vm);
    termsig_free(sig);
    return status;
}

int main(int argc, char **argv)
{
    struct options o;
    struct cfg *cfg;
    int status;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (parse(argc, argv, &o))
        return EXIT_CANNOT_START;
    if (cfg_load(o.config, &cfg, stderr))
        return EXIT_CANNOT_START;
    status = run(&o, cfg);
    cfg_free(cfg);
    return status;
}
