/* SPDX-License-Identifier: BSD-3-Clause */
/* Placing Xen domains on machines that Xen tells of: what xl prints, read and planned with. */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/plan_xen.h"
#include "coopvmm/xl_parse.h"
#include "cu_main.h"

const char *const suite_name = "plan_xen";

/* Four physical CPUs, two of them dom0's; as Xen 4.17's xl prints it. */
#define INFO                                                                                       \
    "nr_cpus                : 4\n"                                                                 \
    "free_memory            : 2004\n"                                                              \
    "cpu_topology           :\n"                                                                   \
    "cpu:    core    socket     node\n"                                                            \
    "  0:       0        0        0\n"                                                             \
    "  1:       1        0        0\n"                                                             \
    "  2:       2        0        0\n"                                                             \
    "  3:       3        0        0\n"                                                             \
    "device topology        :\n"                                                                   \
    "device           node\n"                                                                      \
    "No device topology data available\n"                                                          \
    "numa_info              :\n"                                                                   \
    "node:    memsize    memfree    distances\n"                                                   \
    "   0:      6144       2004      10\n"                                                         \
    "xen_version            : 4.17.7\n"
#define VCPU_HEAD                                                                                  \
    "Name                                ID  VCPU   CPU State   Time(s) Affinity (Hard / Soft)\n"
#define DOM0_PINNED                                                                                \
    VCPU_HEAD "Domain-0                             0     0    0   r--      20.3  0 / all\n"       \
              "Domain-0                             0     1    1   -b-       9.3  1 / all\n"
#define POOL "Name               CPU list\nPool-0             0,1,2,3\n"

/* Two CPUs in dom0, where dom0 shows them. */
#define DOM0_TOPO "[numa] core:2 pu:1"
#define TESTBED   "iocores: [{name: io0, core: 1}]\nvms:\n"
#define DOMAIN    "- {name: a, engine: xen, kernel: /k, devices: [{model: rtl8029}]"

struct host {
    const char *info, *vcpus, *pools;
};
static const struct host pinned = {INFO, DOM0_PINNED, POOL};

struct made {
    struct cfg *c;
    int ret;
    char *said;
    size_t len;
};

static void read_host(const struct host *text, struct xen_host *h)
{
    *h = (struct xen_host){0};
    CU_ASSERT_EQUAL_FATAL(xl_parse_info(text->info, h), 0);
    CU_ASSERT_EQUAL_FATAL(xl_parse_vcpus(text->vcpus, h), 0);
    CU_ASSERT_EQUAL_FATAL(xl_parse_pools(text->pools, h), 0);
}

static struct made make(const struct host *text, const char *yaml)
{
    struct made m = {0};
    FILE *f = open_memstream(&m.said, &m.len);
    struct xen_host h;
    struct topo *t;

    read_host(text, &h);
    CU_ASSERT_EQUAL_FATAL(topo_load(DOM0_TOPO, &t), 0);
    m.ret = cfg_load_data("t.yaml", (const uint8_t *)yaml, strlen(yaml), &m.c, f);
    fflush(f);
    if (m.ret)
        fprintf(stderr, "\n-- %s", m.said);
    CU_ASSERT_EQUAL_FATAL(m.ret, 0);
    m.ret = plan_fill(m.c, t, f);
    if (!m.ret)
        m.ret = plan_xen(m.c, &h, f);
    fclose(f);
    topo_free(t);
    xen_host_clear(&h);
    return m;
}

static void drop(struct made *m)
{
    cfg_free(m->c);
    free(m->said);
}

static void says(const struct made *m, const char *text)
{
    if (!strstr(m->said, text))
        fprintf(stderr, "\n-- expected: %s\n-- got: %s", text, m->said);
    CU_ASSERT_PTR_NOT_NULL(strstr(m->said, text));
}

static void test_free_cpus(void)
{
    struct made m = make(&pinned, TESTBED DOMAIN ", vcpus: 2}\n");

    CU_ASSERT_EQUAL_FATAL(m.ret, 0);
    CU_ASSERT(m.c->vms[0].cores[0] == 2 && m.c->vms[0].cores[1] == 3);
    CU_ASSERT_EQUAL(m.c->vms[0].node, 0);
    CU_ASSERT_STRING_EQUAL(m.c->vms[0].devices[0].iocore, "io0");
    CU_ASSERT_EQUAL(m.c->iocores[0].core, 1);
    says(&m, "VM a: a PVH domain has no interrupt lines, its drivers have to poll rtl8029.0");
    drop(&m);
}

static void test_more_vcpus_than_free(void)
{
    struct made m = make(&pinned, TESTBED DOMAIN ", vcpus: 4}\n");
    unsigned on[4] = {0};

    CU_ASSERT_EQUAL_FATAL(m.ret, 0);
    for (unsigned i = 0; i < 4; i++)
        on[m.c->vms[0].cores[i] & 3]++;
    CU_ASSERT_EQUAL(on[1], 0); /* the I/O core's */
    CU_ASSERT(on[0] >= 1 && on[2] >= 1 && on[3] >= 1);
    says(&m, "physical CPU 0 is not its alone, other work runs there too");
    drop(&m);
}

/* dom0's CPU 1 is an I/O core; the physical CPU 1 is where Xen runs it. */
static void test_clash(void)
{
    struct made m = make(&pinned, TESTBED DOMAIN ", cores: [1]}\n");

    CU_ASSERT_EQUAL(m.ret, -EINVAL);
    says(&m, "physical CPU 1 is given to I/O core io0 and to vCPU 0 of VM a; give each its own");
    drop(&m);
}

/* The same numbers on both sides mean different CPUs if dom0's vCPUs are pinned elsewhere. */
static void test_crossed(void)
{
    static const struct host crossed = {
        INFO,
        VCPU_HEAD "Domain-0                             0     0    2   r--      20.3  2 / all\n"
                  "Domain-0                             0     1    3   -b-       9.3  3 / all\n",
        POOL};
    struct made m = make(&crossed, TESTBED DOMAIN ", cores: [1]}\n");

    CU_ASSERT_EQUAL(m.ret, 0);
    CU_ASSERT_EQUAL(m.c->vms[0].cores[0], 1);
    drop(&m);
    m = make(&crossed, TESTBED DOMAIN ", cores: [3]}\n");
    CU_ASSERT_EQUAL(m.ret, -EINVAL);
    says(&m, "physical CPU 3 is given to I/O core io0 and to vCPU 0 of VM a");
    drop(&m);
}

static void test_no_such_cpu(void)
{
    struct made m = make(&pinned, TESTBED DOMAIN ", cores: [4]}\n");

    CU_ASSERT_EQUAL(m.ret, -EINVAL);
    says(&m, "physical CPU 4, given to vCPU 0 of VM a, does not exist here (the last one is 3)");
    drop(&m);
}

static void test_unpinned(void)
{
    static const struct host floating = {
        INFO,
        VCPU_HEAD "Domain-0                             0     0    3   r--      20.3  all / all\n"
                  "Domain-0                             0     1    2   -b-       9.3  0-2 / all\n",
        POOL};
    struct made m = make(&floating, TESTBED DOMAIN "}\n");

    CU_ASSERT_EQUAL(m.ret, 0);
    says(&m,
         "I/O core io0 polls on dom0's vCPU 1, which Xen may move and share; pin it: xl vcpu-pin "
         "0 1 2");
    drop(&m);
}

static void test_other_domains(void)
{
    static const struct host busy = {
        INFO,
        DOM0_PINNED "some one else                        4     0    2   -b-       0.3  2 / all\n",
        POOL};
    struct made m = make(&busy, TESTBED DOMAIN "}\n");

    CU_ASSERT_EQUAL(m.ret, 0);
    CU_ASSERT_EQUAL(m.c->vms[0].cores[0], 3);
    drop(&m);
    m = make(&busy, TESTBED DOMAIN ", cores: [2]}\n");
    CU_ASSERT_EQUAL(m.ret, 0);
    says(&m, "VM a: physical CPU 2 is not its alone, other work runs there too");
    drop(&m);
}

static void test_pools(void)
{
    static const struct host two = {
        INFO, DOM0_PINNED, "Name               CPU list\nPool-0             0,1,2\nguests    3\n"};
    struct made m = make(&two, TESTBED DOMAIN ", xen: {cpupool: guests}}\n"
                                              "- {name: b, engine: xen, kernel: /k}\n"
                                              "- {name: c, engine: xen, kernel: /k,\n"
                                              "   xen: {cpupool: Pool-0}}\n");

    CU_ASSERT_EQUAL_FATAL(m.ret, 0);
    CU_ASSERT_EQUAL(m.c->vms[0].cores[0], 3);
    CU_ASSERT_EQUAL(m.c->vms[1].cores[0], 2);
    CU_ASSERT_EQUAL(m.c->vms[2].cores[0], 0); /* the same pool as b's */
    drop(&m);
    m = make(&two, TESTBED DOMAIN ", cores: [2], xen: {cpupool: guests}}\n");
    CU_ASSERT_EQUAL(m.ret, -EINVAL);
    says(&m, "physical CPU 2, given to vCPU 0 of VM a, is not in cpupool guests");
    drop(&m);
    m = make(&two, TESTBED DOMAIN ", xen: {cpupool: others}}\n");
    CU_ASSERT_EQUAL(m.ret, -EINVAL);
    says(&m, "VM a: there is no cpupool others; make it with xl cpupool-create");
    drop(&m);
}

/* Two sockets with SMT: the domain goes beside the I/O core, but not onto its sibling. */
static void test_numa_and_smt(void)
{
    static const struct host big = {
        "cpu_topology           :\n"
        "cpu:    core    socket     node\n"
        "  0:       0        0        0\n  1:       0        0        0\n"
        "  2:       1        0        0\n  3:       1        0        0\n"
        "  4:       0        1        1\n  5:       0        1        1\n"
        "  6:       1        1        1\n  7:       1        1        1\n"
        "numa_info              :\n"
        "   0:      6144       2004      10,21\n   1:      6144       30      21,10\n",
        VCPU_HEAD "Domain-0                             0     0    0   r--      20.3  0 / all\n"
                  "Domain-0                             0     1    4   -b-       9.3  4 / all\n",
        "Name               CPU list\nPool-0             0,1,2,3,4,5,6,7\n"};
    struct made m = make(&big, TESTBED DOMAIN "}\n");

    CU_ASSERT_EQUAL_FATAL(m.ret, 0);
    CU_ASSERT_EQUAL(m.c->vms[0].node, 1);
    CU_ASSERT_EQUAL(m.c->vms[0].cores[0], 6);
    says(&m, "NUMA node 1 has 30 MiB of free memory, its VMs want 64 MiB");
    drop(&m);
}

/* VMs of this machine do not see domains, nor these them. */
static void test_mixed(void)
{
    struct made m = make(&pinned, TESTBED DOMAIN ", cores: [0]}\n"
                                                 "- {name: b, kernel: /k, cores: [0]}\n");

    CU_ASSERT_EQUAL_FATAL(m.ret, 0);
    CU_ASSERT(m.c->vms[0].cores[0] == 0 && m.c->vms[1].cores[0] == 0);
    CU_ASSERT_PTR_NULL(strstr(m.said, "take turns"));
    drop(&m);
}

const struct cu_test suite_tests[] = {
    {"a domain gets physical CPUs nobody is bound to", test_free_cpus},
    {"the I/O core's physical CPU stays its own", test_more_vcpus_than_free},
    {"an overlap names both sides", test_clash},
    {"numbers of dom0's CPUs are not physical ones", test_crossed},
    {"a physical CPU that does not exist", test_no_such_cpu},
    {"an I/O core whose vCPU is not pinned", test_unpinned},
    {"CPUs other domains are bound to come last", test_other_domains},
    {"cpupools", test_pools},
    {"NUMA nodes and SMT siblings, as Xen tells them", test_numa_and_smt},
    {"domains beside VMs of this machine", test_mixed},
    {NULL, NULL},
};
