/* SPDX-License-Identifier: BSD-3-Clause */
/* DPDK's arguments from a configuration, and the idle strategies' accounts. */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>

#include "../../iocore/eal.h"
#include "cu_main.h"

static struct cfg_iocore io[130];
static struct cfg bed;
static char *said;
static size_t said_size;

/* A testbed "bed" with I/O cores on the given CPUs. */
static struct cfg *cores_on(const int *cpu, unsigned n)
{
    memset(io, 0, sizeof(io));
    for (unsigned i = 0; i < n; i++)
        io[i] = (struct cfg_iocore){.name = "io", .core = cpu[i]};
    bed = (struct cfg){.name = "bed", .iocores = io, .iocores_count = n, .daemon.hugepages = true};
    return &bed;
}

static struct eal_host host_with(int cpus, uint64_t huge)
{
    struct eal_host h = {.program = "prog", .huge_free = huge};

    for (int i = 0; i < cpus; i++)
        CPU_SET(i, &h.cpus);
    return h;
}

/* @return the arguments, one blank apart, or the error's number */
static const char *args(const struct cfg *c, struct eal_host h)
{
    static char line[32768];
    struct eal_args a;
    FILE *err;
    int e;

    free(said);
    err = open_memstream(&said, &said_size);
    e = eal_args(c, &h, &a, err);
    fclose(err);
    line[0] = 0;
    if (e) {
        snprintf(line, sizeof(line), "%d", e);
        CU_ASSERT_TRUE(said_size > 0);
        return line;
    }
    CU_ASSERT_PTR_NULL(a.arg[a.n]);
    for (int i = 0; i < a.n; i++) {
        strcat(line, i ? " " : "");
        strcat(line, a.arg[i]);
    }
    eal_args_free(&a);
    return line;
}

static bool has(const char *line, const char *part)
{
    return strstr(line, part) != NULL;
}

static void test_two_cpus(void)
{
    const char *a = args(cores_on((int[]){0}, 1), host_with(2, 0));

    CU_ASSERT_STRING_EQUAL(
        a, "prog --file-prefix=coopvmm-bed --log-level=warning "
           "--log-level=lib.telemetry:error --no-shconf --lcores=0@(1),1@0 -m 256 --no-huge "
           "--no-pci --iova-mode=va");
}

static void test_lcores(void)
{
    struct eal_host h = host_with(16, 0);

    CPU_CLR(9, &h.cpus);
    CU_ASSERT_TRUE(
        has(args(cores_on((int[]){2, 3, 8}, 3), h), "--lcores=0@(0-1,4-7,10-15),1@2,2@3,3@8 "));
    /* the I/O cores have all CPUs: the control thread floats over them */
    CU_ASSERT_TRUE(has(args(cores_on((int[]){0}, 1), host_with(1, 0)), "--lcores=0@(0),1@0 "));
    CU_ASSERT_TRUE(
        has(args(cores_on((int[]){1, 0, 1}, 3), host_with(2, 0)), "--lcores=0@(0-1),1@1,2@0,3@1 "));
}

static void test_refused(void)
{
    static int many[130];
    struct cfg *c;

    CU_ASSERT_STRING_EQUAL(args(cores_on((int[]){5}, 1), host_with(4, 0)), "-22");
    CU_ASSERT_TRUE(has(said, "CPU 5") && has(said, "0-3"));
    CU_ASSERT_STRING_EQUAL(args(cores_on((int[]){CFG_ANY}, 1), host_with(4, 0)), "-22");
    CU_ASSERT_STRING_EQUAL(args(cores_on(many, 130), host_with(4, 0)), "-22");
    CU_ASSERT_STRING_EQUAL(args(cores_on(many, 0), host_with(4, 0)), "-22");
    c = cores_on((int[]){0}, 1);
    c->name = "a-name-that-is-much-too-long-a-name-that-is-much-too-long-a-name-that-is-much-too-"
              "long-a-name-that-is-much-too-long-a-name";
    CU_ASSERT_STRING_EQUAL(args(c, host_with(4, 0)), "-22");
}

static void test_memory(void)
{
    struct cfg *c = cores_on((int[]){0}, 1);
    const char *a;

    c->daemon.memory = 512;
    CU_ASSERT_TRUE(has(args(c, host_with(2, 512ull << 20)), "-m 512 --in-memory"));
    CU_ASSERT_TRUE(has(args(c, host_with(2, (512ull << 20) - 1)), "-m 512 --no-huge"));
    c->daemon.hugepages = false;
    a = args(c, host_with(2, 1ull << 40));
    CU_ASSERT_TRUE(has(a, "--no-huge") && !has(a, "--in-memory"));
}

static void test_pci(void)
{
    struct cfg_port ports[70] = {
        {.name = "t", .type = CFG_PORT_TAP, .iface = "t0"},
        {.name = "nic", .type = CFG_PORT_PCI, .pci = "0000:03:00.0"},
        {.name = "nic2", .type = CFG_PORT_PCI, .pci = "0000:03:00.1"},
    };
    struct cfg *c = cores_on((int[]){0}, 1);
    const char *a;

    c->ports = ports;
    c->ports_count = 3;
    a = args(c, host_with(2, 0));
    CU_ASSERT_TRUE(has(a, "--allow=0000:03:00.0 --allow=0000:03:00.1"));
    CU_ASSERT_FALSE(has(a, "--no-pci") || has(a, "--iova-mode") || has(a, "t0"));
    for (unsigned i = 0; i < 70; i++)
        ports[i] = (struct cfg_port){.name = "n", .type = CFG_PORT_PCI, .pci = "0000:03:00.0"};
    c->ports_count = 70;
    CU_ASSERT_STRING_EQUAL(args(c, host_with(2, 0)), "-22");
}

static void test_host(void)
{
    struct eal_host h;

    eal_host(&h);
    CU_ASSERT_TRUE(CPU_COUNT(&h.cpus) >= 1);
    CU_ASSERT_PTR_NOT_NULL(h.program);
}

static void test_telemetry_path(void)
{
    char path[64];

    setenv("RUNTIME_DIRECTORY", "/r", 1);
    CU_ASSERT_EQUAL(eal_telemetry_path(cores_on((int[]){0}, 1), path, sizeof(path)), 0);
    CU_ASSERT_STRING_EQUAL(path, "/r/dpdk/coopvmm-bed/dpdk_telemetry.v2");
    CU_ASSERT_EQUAL(eal_telemetry_path(&bed, path, 10), -ENAMETOOLONG);
    unsetenv("RUNTIME_DIRECTORY");
}

const char *const suite_name = "eal arguments";
const struct cu_test suite_tests[] = {
    {"two CPUs, no hugepages", test_two_cpus},
    {"lcores", test_lcores},
    {"refused", test_refused},
    {"memory", test_memory},
    {"PCI", test_pci},
    {"this machine", test_host},
    {"telemetry's socket", test_telemetry_path},
    {NULL, NULL},
};
