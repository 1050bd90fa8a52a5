/* SPDX-License-Identifier: BSD-3-Clause */
/* Topology and planner, on machines that hwloc makes up. */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/plan.h"
#include "cu_main.h"

const char *const suite_name = "plan";

#define TWO_64      "package:2 [numa] l3:1 core:64 pu:1"
#define TWO_64_SMT  "package:2 [numa] l3:1 core:64 pu:2"
#define TWO_CCX     "package:2 [numa] l3:8 core:8 pu:1"
#define TWO_CCX_SMT "package:2 [numa] l3:8 core:8 pu:2"
#define ONE_NODE    "package:1 [numa] l3:1 core:64 pu:2"

/* A config, a machine, and what the planner made of them. */
struct made {
    struct cfg *c;
    struct topo *t;
    int ret;
    char *said;
    size_t len;
};

struct machine {
    const char *synthetic, *isolated, *allowed; /* lists may be NULL */
};

static void load(struct made *m, const char *yaml)
{
    int err = yaml[0] == '@'
                  ? cfg_load(yaml + 1, &m->c, stderr)
                  : cfg_load_data("t.yaml", (const uint8_t *)yaml, strlen(yaml), &m->c, stderr);

    CU_ASSERT_EQUAL_FATAL(err, 0);
}

static void fill(struct made *m, const struct machine *on)
{
    FILE *f = open_memstream(&m->said, &m->len);

    CU_ASSERT_EQUAL_FATAL(topo_load(on->synthetic, &m->t), 0);
    if (on->isolated)
        CU_ASSERT_EQUAL(topo_set_isolated(m->t, on->isolated), 0);
    if (on->allowed)
        CU_ASSERT_EQUAL(topo_set_allowed(m->t, on->allowed), 0);
    m->ret = plan_fill(m->c, m->t, f);
    fclose(f);
}

/* `yaml`, or "@FILE". */
static struct made make_on(const struct machine *on, const char *yaml)
{
    struct made m = {0};

    load(&m, yaml);
    fill(&m, on);
    return m;
}

static struct made make(const char *synthetic, const char *yaml)
{
    struct machine on = {synthetic, NULL, NULL};

    return make_on(&on, yaml);
}

static void drop(struct made *m)
{
    topo_free(m->t);
    cfg_free(m->c);
    free(m->said);
}

static const struct topo_cpu *at(const struct made *m, int cpu)
{
    const struct topo_cpu *found = topo_cpu_find(m->t, cpu);

    CU_ASSERT_PTR_NOT_NULL_FATAL(found);
    return found;
}

/* Adds text to a config that is being written. */
static void __attribute__((format(printf, 2, 3))) add(char *yaml, const char *fmt, ...)
{
    size_t used = strlen(yaml);
    va_list ap;

    va_start(ap, fmt);
    vsprintf(yaml + used, fmt, ap);
    va_end(ap);
}

static void add_vm(char *yaml, unsigned i, unsigned vcpus, const char *more)
{
    add(yaml, "- {name: vm%u, kernel: /k, vcpus: %u, devices: [{model: rtl8029}]%s}\n", i, vcpus,
        more);
}

static char *write_config(unsigned iocores, unsigned vms, unsigned vcpus)
{
    static char yaml[1 << 16];

    strcpy(yaml, "iocores:\n");
    for (unsigned i = 0; i < iocores; i++)
        add(yaml, "- {name: io%u}\n", i);
    add(yaml, "vms:\n");
    for (unsigned i = 0; i < vms; i++)
        add_vm(yaml, i, vcpus, "");
    return yaml;
}

/* What holds of every plan on a machine with more than one CPU. */
static void check_iocores_alone(const struct made *m)
{
    for (unsigned i = 0; i < m->c->iocores_count; i++) {
        int cpu = m->c->iocores[i].core;

        CU_ASSERT_TRUE(at(m, cpu)->allowed);
        for (unsigned k = 0; k < i; k++)
            CU_ASSERT_NOT_EQUAL(cpu, m->c->iocores[k].core);
        for (unsigned v = 0; v < m->c->vms_count; v++)
            for (unsigned k = 0; k < m->c->vms[v].vcpus; k++)
                CU_ASSERT_NOT_EQUAL(cpu, m->c->vms[v].cores[k]);
    }
}

static void check_siblings_apart(const struct made *m)
{
    for (unsigned i = 0; i < m->c->iocores_count; i++)
        for (unsigned v = 0; v < m->c->vms_count; v++)
            for (unsigned k = 0; k < m->c->vms[v].vcpus; k++)
                CU_ASSERT_NOT_EQUAL(at(m, m->c->iocores[i].core)->core,
                                    at(m, m->c->vms[v].cores[k])->core);
}

/* vCPUs on a CPU: @return the largest number, and in *least the smallest among CPUs that have any.
 */
static unsigned most_on_a_cpu(const struct made *m)
{
    unsigned most = 0;

    for (unsigned i = 0; i < topo_ncpus(m->t); i++) {
        unsigned n = 0;

        for (unsigned v = 0; v < m->c->vms_count; v++)
            for (unsigned k = 0; k < m->c->vms[v].vcpus; k++)
                n += m->c->vms[v].cores[k] == topo_cpu_at(m->t, i)->cpu;
        most = n > most ? n : most;
    }
    return most;
}

static void check_vms_local(const struct made *m)
{
    for (unsigned v = 0; v < m->c->vms_count; v++) {
        const struct cfg_vm *vm = &m->c->vms[v];

        for (unsigned k = 0; k < vm->vcpus; k++)
            CU_ASSERT_EQUAL(at(m, vm->cores[k])->node, vm->node);
        for (unsigned i = 0; i < vm->devices_count; i++) {
            int io = cfg_iocore_index(m->c, vm->devices[i].iocore);

            CU_ASSERT_FATAL(io >= 0);
            CU_ASSERT_EQUAL(at(m, m->c->iocores[io].core)->node, vm->node);
        }
    }
}

/* Does everyone of `vm` sit under one last-level cache, and its first I/O core too? */
static bool shares_llc(const struct made *m, const struct cfg_vm *vm, bool with_iocore)
{
    int llc = at(m, vm->cores[0])->llc;

    for (unsigned k = 1; k < vm->vcpus; k++)
        if (at(m, vm->cores[k])->llc != llc)
            return false;
    return !with_iocore ||
           at(m, m->c->iocores[cfg_iocore_index(m->c, vm->devices[0].iocore)].core)->llc == llc;
}

static unsigned iocores_on(const struct made *m, int node)
{
    unsigned n = 0;

    for (unsigned i = 0; i < m->c->iocores_count; i++)
        n += at(m, m->c->iocores[i].core)->node == node;
    return n;
}

static void test_topo_synthetic(void)
{
    const struct topo_cpu *cpu;
    struct topo *t;

    CU_ASSERT_EQUAL_FATAL(topo_load(TWO_CCX_SMT, &t), 0);
    CU_ASSERT_TRUE(topo_is_synthetic(t));
    CU_ASSERT_EQUAL(topo_ncpus(t), 256);
    CU_ASSERT_EQUAL(topo_nnodes(t), 2);
    CU_ASSERT_EQUAL(topo_node_at(t, 1)->node, 1);
    CU_ASSERT_PTR_NULL(topo_node_at(t, 2));
    CU_ASSERT_PTR_NULL(topo_cpu_find(t, 256));
    CU_ASSERT_PTR_NULL(topo_cpu_at(t, 256));
    cpu = topo_cpu_find(t, 147);
    CU_ASSERT_PTR_NOT_NULL_FATAL(cpu);
    CU_ASSERT(cpu->core == 73 && cpu->llc == 9 && cpu->node == 1 && cpu->socket == 1);
    CU_ASSERT_TRUE(cpu->allowed && !cpu->isolated);
    CU_ASSERT_EQUAL(topo_pci_node(t, "0000:00:00.0"), CFG_ANY);
    topo_free(t);
    CU_ASSERT_EQUAL(topo_load("core:x", &t), -EINVAL);
    CU_ASSERT_EQUAL(topo_load("", &t), -EINVAL);
}

/* Without caches the node stands for the last-level cache. */
static void test_topo_no_cache(void)
{
    struct topo *t;

    CU_ASSERT_EQUAL_FATAL(topo_load("node:2 core:2 pu:1", &t), 0);
    CU_ASSERT(topo_cpu_find(t, 1)->llc == 0 && topo_cpu_find(t, 2)->llc == 1);
    topo_free(t);
}

static void test_topo_real(void)
{
    unsigned allowed = 0;
    struct topo *t;

    CU_ASSERT_EQUAL_FATAL(topo_load(NULL, &t), 0);
    CU_ASSERT_FALSE(topo_is_synthetic(t));
    CU_ASSERT(topo_ncpus(t) >= 1 && topo_nnodes(t) >= 1);
    CU_ASSERT((long)topo_ncpus(t) >= sysconf(_SC_NPROCESSORS_ONLN));
    for (unsigned i = 0; i < topo_ncpus(t); i++) {
        allowed += topo_cpu_at(t, i)->allowed;
        CU_ASSERT_PTR_EQUAL(topo_cpu_find(t, topo_cpu_at(t, i)->cpu), topo_cpu_at(t, i));
    }
    CU_ASSERT(allowed >= 1);
    topo_free(t);
}

static void test_topo_lists(void)
{
    struct topo *t;

    CU_ASSERT_EQUAL_FATAL(topo_load("[numa] core:8 pu:1", &t), 0);
    CU_ASSERT_EQUAL(topo_set_isolated(t, "2-3,7"), 0);
    CU_ASSERT_TRUE(topo_cpu_find(t, 3)->isolated && topo_cpu_find(t, 7)->isolated);
    CU_ASSERT_FALSE(topo_cpu_find(t, 4)->isolated);
    CU_ASSERT_EQUAL(topo_set_allowed(t, "0"), 0);
    CU_ASSERT_FALSE(topo_cpu_find(t, 1)->allowed);
    CU_ASSERT_EQUAL(topo_set_isolated(t, "a-b"), -EINVAL);
    topo_free(t);
}

static void test_one_cpu(void)
{
    struct made m = make("[numa] core:1 pu:1", write_config(2, 2, 2));

    CU_ASSERT_EQUAL_FATAL(m.ret, 0);
    CU_ASSERT(m.c->iocores[0].core == 0 && m.c->iocores[1].core == 0);
    CU_ASSERT(m.c->vms[1].cores[1] == 0 && m.c->vms[1].node == 0);
    CU_ASSERT_PTR_NOT_NULL(m.c->vms[1].devices[0].iocore);
    CU_ASSERT_PTR_NOT_NULL(strstr(m.said, "t.yaml: warning: there is one CPU only"));
    drop(&m);
}

/* Pinned by hand on a single CPU is fine too, though everything overlaps. */
static void test_one_cpu_pinned(void)
{
    struct made m = {0};
    struct machine on = {"[numa] core:1 pu:1", NULL, NULL};

    load(&m, write_config(1, 1, 1));
    m.c->iocores[0].core = m.c->vms[0].cores[0] = 0;
    fill(&m, &on);
    CU_ASSERT_EQUAL(m.ret, 0);
    drop(&m);
}

static void test_two_cpus(void)
{
    struct made m = make("[numa] core:2 pu:1", write_config(1, 1, 1));

    CU_ASSERT_EQUAL_FATAL(m.ret, 0);
    CU_ASSERT_EQUAL(m.c->iocores[0].core, 1);
    CU_ASSERT_EQUAL(m.c->vms[0].cores[0], 0);
    CU_ASSERT_STRING_EQUAL(m.said, "");
    drop(&m);
}

static void test_two_threads(void)
{
    struct made m = make("[numa] core:1 pu:2", write_config(1, 1, 1));

    CU_ASSERT_EQUAL_FATAL(m.ret, 0);
    check_iocores_alone(&m);
    CU_ASSERT_PTR_NOT_NULL(strstr(m.said, "vCPU 0 of VM vm0 (CPU 0) and I/O core io0 (CPU 1) are "
                                          "SMT siblings"));
    drop(&m);
}

static void test_four_cpus(void)
{
    struct made m = make("[numa] core:4 pu:1", write_config(1, 1, 3));

    CU_ASSERT_EQUAL_FATAL(m.ret, 0);
    check_iocores_alone(&m);
    CU_ASSERT_EQUAL(most_on_a_cpu(&m), 1);
    CU_ASSERT_EQUAL(m.c->vms[0].cores[2], 0); /* CPU 0 comes last */
    CU_ASSERT_STRING_EQUAL(m.said, "");
    drop(&m);
    m = make("[numa] core:4 pu:1", write_config(3, 1, 1));
    CU_ASSERT_EQUAL(m.ret, 0);
    check_iocores_alone(&m);
    drop(&m);
    m = make("[numa] core:4 pu:1", write_config(4, 1, 1));
    CU_ASSERT_EQUAL(m.ret, -EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(m.said, "t.yaml: error: no CPU is left for vCPU 0 of VM vm0: I/O "
                                          "cores have all 4"));
    drop(&m);
    m = make("[numa] core:4 pu:1", write_config(5, 1, 1));
    CU_ASSERT_EQUAL(m.ret, -EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(m.said, "error: no CPU is left for I/O core io4: all 4"));
    drop(&m);
}

static void check_shared_evenly(void)
{
    struct made m = make("[numa] core:4 pu:1", write_config(1, 5, 2));

    CU_ASSERT_EQUAL_FATAL(m.ret, 0);
    check_iocores_alone(&m);
    CU_ASSERT_EQUAL(most_on_a_cpu(&m), 4); /* ten on three */
    CU_ASSERT_PTR_NOT_NULL(strstr(m.said,
                                  "warning: there are more vCPUs than CPUs: 7 share one; for "
                                  "instance CPU "));
    drop(&m);
}

static void test_two_sockets(void)
{
    static const char *const machines[] = {TWO_64, TWO_64_SMT, TWO_CCX, TWO_CCX_SMT};

    for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
        struct made m = make(machines[i], "@config/examples/two-socket.yaml");

        CU_ASSERT_EQUAL_FATAL(m.ret, 0);
        CU_ASSERT_STRING_EQUAL(m.said, "");
        CU_ASSERT_EQUAL(m.c->iocores[0].core, 1);
        CU_ASSERT_EQUAL(m.c->vms[0].cores[0], 2);
        CU_ASSERT_EQUAL(m.c->vms[1].node, 1);
        check_iocores_alone(&m);
        check_siblings_apart(&m);
        check_vms_local(&m);
        CU_ASSERT_EQUAL(most_on_a_cpu(&m), 1);
        CU_ASSERT(iocores_on(&m, 0) == 2 && iocores_on(&m, 1) == 2);
        drop(&m);
    }
}

/* VMs that fit under a cache sit under one; the first ones beside their I/O core. */
static void test_caches(void)
{
    struct made m = make(TWO_CCX, write_config(4, 12, 4));

    CU_ASSERT_EQUAL_FATAL(m.ret, 0);
    check_vms_local(&m);
    for (unsigned v = 0; v < m.c->vms_count; v++)
        CU_ASSERT_TRUE(shares_llc(&m, &m.c->vms[v], v < 4));
    drop(&m);
}

static void test_one_node(void)
{
    struct made m = make(ONE_NODE, write_config(2, 15, 4));

    CU_ASSERT_EQUAL_FATAL(m.ret, 0);
    CU_ASSERT_STRING_EQUAL(m.said, "");
    check_iocores_alone(&m);
    check_siblings_apart(&m);
    check_vms_local(&m);
    CU_ASSERT_EQUAL(most_on_a_cpu(&m), 1);
    drop(&m);
    m = make(ONE_NODE, "@config/examples/two-socket.yaml");
    CU_ASSERT_EQUAL(m.ret, -EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(m.said, "error: NUMA node 1, given to VM archive, does not exist "
                                          "here (there are 1)"));
    drop(&m);
}

/* More vCPUs than physical cores: a VM's vCPUs sit on siblings, and no two VMs share a core. */
static void test_packed(void)
{
    struct made m = make(TWO_64_SMT, write_config(2, 50, 4));

    CU_ASSERT_EQUAL_FATAL(m.ret, 0);
    CU_ASSERT_STRING_EQUAL(m.said, "");
    check_siblings_apart(&m);
    CU_ASSERT_EQUAL(most_on_a_cpu(&m), 1);
    for (unsigned v = 0; v < m.c->vms_count; v++)
        for (unsigned k = 0; k < 4; k += 2)
            CU_ASSERT_EQUAL(at(&m, m.c->vms[v].cores[k])->core,
                            at(&m, m.c->vms[v].cores[k + 1])->core);
    drop(&m);
}

static void test_io_follows_vms(void)
{
    static char yaml[4096];
    struct made m;

    strcpy(yaml, "iocores: [{name: io0}, {name: io1}]\nvms:\n");
    for (unsigned i = 0; i < 4; i++)
        add_vm(yaml, i, 2, ", node: 1");
    m = make(TWO_64, yaml);
    CU_ASSERT_EQUAL_FATAL(m.ret, 0);
    CU_ASSERT_EQUAL(iocores_on(&m, 1), 2);
    CU_ASSERT_STRING_NOT_EQUAL(m.c->vms[0].devices[0].iocore, m.c->vms[1].devices[0].iocore);
    check_vms_local(&m);
    drop(&m);
}

/* A VM follows the I/O core its device names, and pinned vCPUs decide the node. */
static void test_bound(void)
{
    struct made m = make(TWO_64, "iocores: [{name: io0, core: 3}, {name: io1, core: 70}]\nvms:\n"
                                 "- {name: a, kernel: /k, vcpus: 2, devices: [{model: rtl8029, "
                                 "iocore: io1}]}\n"
                                 "- {name: b, kernel: /k, vcpus: 3, cores: [any, 100], devices: "
                                 "[{model: rtl8029}]}\n"
                                 "- {name: c, kernel: /k, node: 0, devices: [{model: rtl8029, "
                                 "iocore: io1}]}\n");

    CU_ASSERT_EQUAL_FATAL(m.ret, 0);
    CU_ASSERT_EQUAL(m.c->vms[0].node, 1);
    CU_ASSERT_EQUAL(m.c->vms[1].node, 1);
    CU_ASSERT_EQUAL(m.c->vms[1].cores[1], 100);
    CU_ASSERT_STRING_EQUAL(m.c->vms[1].devices[0].iocore, "io1");
    CU_ASSERT_EQUAL(at(&m, m.c->vms[1].cores[2])->node, 1);
    CU_ASSERT_EQUAL(most_on_a_cpu(&m), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(m.said,
                                  "warning: VM c is on NUMA node 0, but I/O core io1 of its "
                                  "rtl8029.0 is on node 1"));
    drop(&m);
}

static void test_large_vm(void)
{
    struct made m = make(TWO_64, write_config(1, 1, 100));

    CU_ASSERT_EQUAL_FATAL(m.ret, 0);
    CU_ASSERT_EQUAL(most_on_a_cpu(&m), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(m.said, "warning: VM vm0: its memory is on NUMA node "));
    drop(&m);
}

static void test_isolated(void)
{
    struct machine on = {"[numa] core:16 pu:1", "8-13", NULL};
    struct made m = make_on(&on, write_config(2, 2, 2));

    CU_ASSERT_EQUAL_FATAL(m.ret, 0);
    CU_ASSERT_STRING_EQUAL(m.said, "");
    for (unsigned i = 0; i < 2; i++) {
        CU_ASSERT_TRUE(at(&m, m.c->iocores[i].core)->isolated);
        CU_ASSERT_TRUE(at(&m, m.c->vms[i].cores[0])->isolated);
        CU_ASSERT_TRUE(at(&m, m.c->vms[i].cores[1])->isolated);
    }
    drop(&m);
    m = make_on(&on, write_config(2, 3, 2));
    CU_ASSERT_EQUAL_FATAL(m.ret, 0);
    CU_ASSERT_EQUAL(most_on_a_cpu(&m), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(m.said, "warning: VM vm2: CPU "));
    CU_ASSERT_PTR_NOT_NULL(strstr(m.said, "is not isolated"));
    drop(&m);
}

/* With isolated CPUs on one node only, that node is filled first. */
static void test_isolated_node(void)
{
    struct machine on = {"package:2 [numa] core:8 pu:1", "9-15", NULL};
    struct made m = make_on(&on, write_config(2, 2, 2));

    CU_ASSERT_EQUAL_FATAL(m.ret, 0);
    CU_ASSERT_EQUAL(iocores_on(&m, 1), 2);
    CU_ASSERT(m.c->vms[0].node == 1 && m.c->vms[1].node == 1);
    drop(&m);
}

static void test_allowed(void)
{
    struct machine on = {"[numa] core:8 pu:1", NULL, "4-6"};
    struct made m = make_on(&on, write_config(1, 1, 2));

    CU_ASSERT_EQUAL_FATAL(m.ret, 0);
    check_iocores_alone(&m);
    for (unsigned k = 0; k < 2; k++)
        CU_ASSERT_TRUE(at(&m, m.c->vms[0].cores[k])->allowed);
    drop(&m);
    m = make_on(&on, "iocores: [{name: io0, core: 2}]\n");
    CU_ASSERT_EQUAL(m.ret, -EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(m.said, "error: CPU 2, given to I/O core io0, is not allowed"));
    drop(&m);
}

static void test_share_sibling(void)
{
    struct made m = make("[numa] core:2 pu:2", "iocores: [{name: io0, share_sibling: true}]\nvms:\n"
                                               "- {name: a, kernel: /k, vcpus: 3}\n");

    CU_ASSERT_EQUAL_FATAL(m.ret, 0);
    CU_ASSERT_EQUAL(most_on_a_cpu(&m), 1);
    CU_ASSERT_STRING_EQUAL(m.said, "");
    drop(&m);
    m = make("[numa] core:2 pu:2",
             "iocores: [{name: io0}]\nvms:\n- {name: a, kernel: /k, vcpus: 3}\n");
    CU_ASSERT_EQUAL_FATAL(m.ret, 0);
    CU_ASSERT_EQUAL(most_on_a_cpu(&m), 2);
    check_siblings_apart(&m);
    drop(&m);
}

static void test_pinned_errors(void)
{
    struct machine on = {"[numa] core:8 pu:1", NULL, NULL};
    struct made m = {0};

    load(&m, write_config(2, 2, 2));
    m.c->iocores[0].core = m.c->iocores[1].core = 3;
    m.c->vms[0].cores[1] = 3;
    m.c->vms[0].cores[0] = m.c->vms[1].cores[0] = 5;
    m.c->vms[1].cores[1] = 8;
    m.c->vms[1].node = 1;
    fill(&m, &on);
    CU_ASSERT_EQUAL(m.ret, -EINVAL);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(m.said, "t.yaml: error: CPU 3 is given to I/O core io0 and to I/O core io1"));
    CU_ASSERT_PTR_NOT_NULL(strstr(m.said, "and to vCPU 1 of VM vm0; give each its own"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(m.said, "warning: CPU 5 is given to vCPU 0 of VM vm0 and to vCPU 0 of VM vm1"));
    CU_ASSERT_PTR_NOT_NULL(strstr(m.said, "error: CPU 8, given to vCPU 1 of VM vm1, does not exist "
                                          "here (the last one is 7)"));
    CU_ASSERT_PTR_NOT_NULL(strstr(m.said, "error: NUMA node 1, given to VM vm1, does not exist"));
    drop(&m);
}

/* A small generator of numbers: the same ones each time. */
static unsigned next(unsigned *state, unsigned below)
{
    *state = *state * 1103515245u + 12345u;
    return (*state >> 16) % below;
}

static void random_config(char *yaml, unsigned *state, unsigned iocores)
{
    unsigned vms = 1 + next(state, 12);

    strcpy(yaml, "iocores:\n");
    for (unsigned i = 0; i < iocores; i++)
        add(yaml, "- {name: io%u%s}\n", i, next(state, 4) ? "" : ", share_sibling: true");
    add(yaml, "vms:\n");
    for (unsigned i = 0; i < vms; i++) {
        char more[64] = "";

        if (!next(state, 4))
            sprintf(more, ", node: %u", next(state, 2));
        add_vm(yaml, i, 1 + next(state, 10), more);
    }
}

static bool same_plan(const struct cfg *a, const struct cfg *b)
{
    for (unsigned i = 0; i < a->iocores_count; i++)
        if (a->iocores[i].core != b->iocores[i].core)
            return false;
    for (unsigned v = 0; v < a->vms_count; v++)
        if (memcmp(a->vms[v].cores, b->vms[v].cores, a->vms[v].vcpus * sizeof(int)) ||
            a->vms[v].node != b->vms[v].node ||
            strcmp(a->vms[v].devices[0].iocore, b->vms[v].devices[0].iocore) != 0)
            return false;
    return true;
}

/* vCPUs share only if there are more than CPUs that are open to them. */
static void check_sharing_is_needed(const struct made *m)
{
    unsigned vcpus = 0, open = 0;

    for (unsigned v = 0; v < m->c->vms_count; v++)
        vcpus += m->c->vms[v].vcpus;
    for (unsigned i = 0; i < topo_ncpus(m->t); i++) {
        const struct topo_cpu *cpu = topo_cpu_at(m->t, i);
        bool blocked = false;

        for (unsigned k = 0; k < m->c->iocores_count; k++)
            blocked |= cpu->cpu == m->c->iocores[k].core ||
                       (!m->c->iocores[k].share_sibling &&
                        at(m, m->c->iocores[k].core)->core == cpu->core);
        open += !blocked;
    }
    CU_ASSERT_FATAL(open > 0);
    CU_ASSERT_EQUAL(most_on_a_cpu(m), (vcpus + open - 1) / open);
}

static void test_random(void)
{
    static char yaml[8192];
    unsigned state = 1;

    for (unsigned i = 0; i < 300; i++) {
        unsigned caches = 1 + next(&state, 3), cores = 2 + next(&state, 6);
        unsigned iocores = 1 + next(&state, 3);
        char machine[64];
        struct made a, b;

        sprintf(machine, "package:2 [numa] l3:%u core:%u pu:%u", caches, cores,
                1 + next(&state, 2));
        random_config(yaml, &state, iocores);
        a = make(machine, yaml);
        b = make(machine, yaml);
        CU_ASSERT_EQUAL_FATAL(a.ret, 0);
        CU_ASSERT_TRUE(same_plan(a.c, b.c));
        CU_ASSERT_STRING_EQUAL(a.said, b.said);
        check_iocores_alone(&a);
        check_sharing_is_needed(&a);
        drop(&a);
        drop(&b);
    }
}

/* A plan that was made stands when it is planned again. */
static void test_again(void)
{
    struct made m = make(TWO_CCX, "@config/examples/two-socket.yaml");
    struct topo *t = m.t;
    char *said = m.said;
    struct machine on = {TWO_CCX, NULL, NULL};
    int before = m.c->vms[5].cores[1];

    fill(&m, &on);
    CU_ASSERT_EQUAL(m.ret, 0);
    CU_ASSERT_EQUAL(m.c->vms[5].cores[1], before);
    topo_free(t);
    free(said);
    drop(&m);
}

const struct cu_test suite_tests[] = {
    {"synthetic topology", test_topo_synthetic},
    {"topology without caches", test_topo_no_cache},
    {"this machine's topology", test_topo_real},
    {"isolated and allowed lists", test_topo_lists},
    {"one CPU", test_one_cpu},
    {"one CPU, pinned", test_one_cpu_pinned},
    {"two CPUs", test_two_cpus},
    {"two threads of one core", test_two_threads},
    {"four CPUs", test_four_cpus},
    {"more vCPUs than CPUs", check_shared_evenly},
    {"many VMs on two sockets", test_two_sockets},
    {"last-level caches", test_caches},
    {"one node", test_one_node},
    {"more vCPUs than cores", test_packed},
    {"I/O cores go where the VMs are", test_io_follows_vms},
    {"bound and partly pinned VMs", test_bound},
    {"a VM larger than a node", test_large_vm},
    {"isolated CPUs", test_isolated},
    {"isolated CPUs on one node", test_isolated_node},
    {"allowed CPUs", test_allowed},
    {"share_sibling", test_share_sibling},
    {"errors name both sides", test_pinned_errors},
    {"random testbeds", test_random},
    {"planning twice changes nothing", test_again},
    {NULL, NULL},
};
