/* SPDX-License-Identifier: BSD-3-Clause */
#include "neighbours.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "supctl.h"
#include "testbed.h"

struct search {
    const struct cfg *c;
    FILE *err;
    unsigned found;
};

static bool has(const json_t *cores, int cpu)
{
    size_t i;
    json_t *n;

    json_array_foreach(cores, i, n) if (json_integer_value(n) == cpu) return true;
    return false;
}

/* A Xen domain's cores are physical CPUs: not the numbers I/O cores have. */
static bool is_domain(const json_t *vm)
{
    const char *engine = json_string_value(json_object_get(vm, "engine"));

    return engine && !strcmp(engine, cfg_engine_name(CFG_ENGINE_XEN));
}

static bool vcpu_on(const json_t *vms, int cpu)
{
    size_t i;
    json_t *vm;

    json_array_foreach(vms, i, vm)
    {
        if (!is_domain(vm) && has(json_object_get(vm, "cores"), cpu))
            return true;
    }
    return false;
}

static void warn(struct search *s, const char *ours, int cpu, const char *theirs, const char *name)
{
    fprintf(s->err,
            "%s: warning: CPU %d is given to %s and to %s of testbed %s, which runs: they starve "
            "each other; choose other cores, or `coopvmm stop %s`\n",
            s->c->path, cpu, ours, theirs, name, name);
    s->found++;
}

static void compare(struct search *s, const char *name, const json_t *iocores, const json_t *vms)
{
    if (!name || !strcmp(name, s->c->name))
        return; /* the same one again: refused elsewhere */
    for (unsigned i = 0; i < s->c->iocores_count; i++) {
        int cpu = s->c->iocores[i].core;

        if (has(iocores, cpu))
            warn(s, "an I/O core", cpu, "an I/O core", name);
        else if (vcpu_on(vms, cpu))
            warn(s, "an I/O core", cpu, "a vCPU", name);
    }
    for (unsigned v = 0; v < s->c->vms_count; v++)
        for (unsigned i = 0; cfg_runs_here(&s->c->vms[v]) && i < s->c->vms[v].cores_count; i++)
            if (has(iocores, s->c->vms[v].cores[i]))
                warn(s, "a vCPU", s->c->vms[v].cores[i], "an I/O core", name);
}

static int look(const struct rundir_ref *ref, void *arg)
{
    int fd = supctl_connect(ref->path);
    json_t *ps = NULL;

    if (fd < 0)
        return 0;
    if (supctl_ask(fd, testbed_verb("ps"), TESTBED_ASK_MS, &ps) == 0)
        compare(arg, json_string_value(json_object_get(ps, "testbed")),
                json_object_get(json_object_get(ps, "iocored"), "cores"),
                json_object_get(ps, "vms"));
    json_decref(ps);
    close(fd);
    return 0;
}

unsigned neighbours_warn(const struct cfg *c, FILE *err)
{
    struct search s = {.c = c, .err = err};

    rundir_each(look, &s);
    return s.found;
}
