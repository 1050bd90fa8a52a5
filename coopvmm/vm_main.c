/* SPDX-License-Identifier: BSD-3-Clause */
/* coopvmm-vm: one VM in a process of its own. The supervisor (coopvmm run) starts it. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "../config/config.h"
#include "vm_run.h"

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
    "Exit status: the guest's own (port 0x501; a Xen domain's is 0); 125 could not start;\n"
    "126 the guest crashed; 1 its domain was destroyed by somebody else; 0 when stopped by "
    "SIGTERM.\n";

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

static int run(const struct options *o, struct cfg *cfg)
{
    struct cfg_vm *c = find_vm(cfg, o->vm);
    struct vm_run r = {.cfg = cfg, .c = c, .rundir = o->rundir, .ready_fd = o->ready_fd};

    if (!c || apply_plan(c, o)) {
        fprintf(stderr, "coopvmm-vm: %s: no VM %s, or --cores is no list of CPUs\n", o->config,
                o->vm);
        return VM_EXIT_CANNOT_START;
    }
    signal(SIGPIPE, SIG_IGN);
    return c->engine == CFG_ENGINE_XEN ? domain_run(&r) : vm_run(&r);
}

int main(int argc, char **argv)
{
    struct options o;
    struct cfg *cfg;
    int status;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (parse(argc, argv, &o))
        return VM_EXIT_CANNOT_START;
    if (cfg_load(o.config, &cfg, stderr))
        return VM_EXIT_CANNOT_START;
    status = run(&o, cfg);
    cfg_free(cfg);
    return status;
}
