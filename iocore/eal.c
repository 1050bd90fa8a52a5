/* SPDX-License-Identifier: BSD-3-Clause */
#include "eal.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>

#define HUGE_DIR    "/sys/kernel/mm/hugepages"
#define MAX_POOL    16384
#define LCORES_SIZE 16384 /* bytes of the --lcores argument */

/* --- the machine --- */

static uint64_t read_number(const char *path)
{
    FILE *f = fopen(path, "re");
    unsigned long long n = 0;

    if (f) {
        if (fscanf(f, "%llu", &n) != 1)
            n = 0;
        fclose(f);
    }
    return n;
}

/* Kernel documentation, admin-guide/mm/hugetlbpage: one directory a page size. */
static uint64_t free_hugepages(void)
{
    DIR *d = opendir(HUGE_DIR);
    uint64_t bytes = 0;
    struct dirent *e;
    char path[512];

    while (d && (e = readdir(d))) {
        unsigned long long kb;

        if (sscanf(e->d_name, "hugepages-%llukB", &kb) != 1)
            continue;
        snprintf(path, sizeof(path), HUGE_DIR "/%s/free_hugepages", e->d_name);
        bytes += read_number(path) * kb * 1024;
    }
    if (d)
        closedir(d);
    return bytes;
}

void eal_host(struct eal_host *out)
{
    *out = (struct eal_host){
        .program = program_invocation_short_name,
        .huge_free = free_hugepages(),
    };
    if (sched_getaffinity(0, sizeof(out->cpus), &out->cpus))
        CPU_ZERO(&out->cpus);
}

/* --- arguments --- */

static int __attribute__((format(printf, 2, 3))) add(struct eal_args *a, const char *fmt, ...)
{
    va_list ap;
    int n;

    if (a->n == EAL_MAX_ARGS)
        return -EINVAL;
    va_start(ap, fmt);
    n = vasprintf(&a->arg[a->n], fmt, ap);
    va_end(ap);
    if (n < 0) {
        a->arg[a->n] = NULL;
        return -ENOMEM;
    }
    a->n++;
    return 0;
}

void eal_args_free(struct eal_args *a)
{
    for (int i = 0; i < a->n; i++)
        free(a->arg[i]);
    memset(a, 0, sizeof(*a));
}

/* The control thread keeps off the I/O cores' CPUs, if that leaves any. */
static cpu_set_t control_cpus(const struct cfg *c, const struct eal_host *h)
{
    cpu_set_t rest = h->cpus;

    for (unsigned i = 0; i < c->iocores_count; i++)
        CPU_CLR(c->iocores[i].core, &rest);
    return CPU_COUNT(&rest) ? rest : h->cpus;
}

/* "0-3,8": runs of CPUs. @return characters written, as snprintf */
static int print_cpus(char *to, size_t size, const cpu_set_t *set)
{
    int n = 0;

    for (int cpu = 0, last; cpu < CPU_SETSIZE; cpu = last + 1) {
        last = cpu;
        if (!CPU_ISSET(cpu, set))
            continue;
        while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, set))
            last++;
        if ((size_t)n < size)
            n += snprintf(to + n, size - (size_t)n, last > cpu ? "%s%d-%d" : "%s%d", n ? "," : "",
                          cpu, last);
    }
    return n;
}

static int check_cores(const struct cfg *c, const struct eal_host *h, FILE *err)
{
    char allowed[1024] = "";

    if (c->iocores_count == 0 || c->iocores_count + 1 > RTE_MAX_LCORE) {
        fprintf(err, "iocores: %u of them; DPDK can run 1 to %d\n", c->iocores_count,
                RTE_MAX_LCORE - 1);
        return -EINVAL;
    }
    print_cpus(allowed, sizeof(allowed), &h->cpus);
    for (unsigned i = 0; i < c->iocores_count; i++) {
        int cpu = c->iocores[i].core;

        if (cpu >= 0 && cpu < CPU_SETSIZE && CPU_ISSET(cpu, &h->cpus))
            continue;
        fprintf(err,
                "I/O core %s: CPU %d is not among those this process may use (%s); see "
                "taskset(1), and AllowedCPUs= or cpuset of its unit or container\n",
                c->iocores[i].name, cpu, allowed);
        return -EINVAL;
    }
    return 0;
}

/* "--lcores=0@(0,2-3),1@1": DPDK's numbers from 0 on, each with its CPUs. */
static int add_lcores(const struct cfg *c, const struct eal_host *h, struct eal_args *out)
{
    char *text = malloc(LCORES_SIZE);
    cpu_set_t control = control_cpus(c, h);
    int n, err;

    if (!text)
        return -ENOMEM;
    n = snprintf(text, LCORES_SIZE, "0@(");
    n += print_cpus(text + n, LCORES_SIZE - (size_t)n, &control);
    n += snprintf(text + n, LCORES_SIZE - (size_t)n, ")");
    for (unsigned i = 0; i < c->iocores_count; i++)
        n +=
            snprintf(text + n, LCORES_SIZE - (size_t)n, ",%u@%d", eal_lcore(i), c->iocores[i].core);
    err = add(out, "--lcores=%s", text);
    free(text);
    return err;
}

static uint32_t memory_of(const struct cfg *c)
{
    return c->daemon.memory ? c->daemon.memory : EAL_DEFAULT_MEMORY;
}

static int add_memory(const struct cfg *c, const struct eal_host *h, struct eal_args *out)
{
    int err = add(out, "-m");

    if (!err)
        err = add(out, "%u", memory_of(c));
    out->hugepages = c->daemon.hugepages && h->huge_free >= (uint64_t)memory_of(c) << 20;
    return err ? err : add(out, out->hugepages ? "--in-memory" : "--no-huge");
}

static int add_pci(const struct cfg *c, struct eal_args *out)
{
    bool any = false;
    int err = 0;

    for (unsigned i = 0; i < c->ports_count && !err; i++)
        if (c->ports[i].type == CFG_PORT_PCI && c->ports[i].pci) {
            any = true;
            err = add(out, "--allow=%s", c->ports[i].pci);
        }
    if (any || err)
        return err;
    err = add(out, "--no-pci");
    return err ? err : add(out, "--iova-mode=va");
}

int eal_prefix(const struct cfg *c, char *out, size_t size)
{
    return (size_t)snprintf(out, size, "coopvmm-%s", c->name) < size ? 0 : -EINVAL;
}

static int build(const struct cfg *c, const struct eal_host *h, struct eal_args *out)
{
    char prefix[128];
    int err = eal_prefix(c, prefix, sizeof(prefix));

    if (!err)
        err = add(out, "%s", h->program);
    if (!err)
        err = add(out, "--file-prefix=%s", prefix);
    if (!err)
        err = add(out, "--log-level=warning");
    if (!err) /* it warns of a legacy socket that nobody uses */
        err = add(out, "--log-level=lib.telemetry:error");
    if (!err) /* no secondary processes: no files, no thread and no socket for them */
        err = add(out, "--no-shconf");
    if (!err)
        err = add_lcores(c, h, out);
    if (!err)
        err = add_memory(c, h, out);
    return err ? err : add_pci(c, out);
}

int eal_args(const struct cfg *c, const struct eal_host *h, struct eal_args *out, FILE *err)
{
    int e = check_cores(c, h, err);

    memset(out, 0, sizeof(*out));
    if (e)
        return e;
    e = build(c, h, out);
    if (e == -EINVAL)
        fprintf(err, "too many PCI ports (at most %d), or the testbed's name is too long\n",
                EAL_MAX_ARGS - 10);
    if (e)
        eal_args_free(out);
    return e;
}

/* --- start --- */

static void explain(int e, const struct cfg *c, FILE *err)
{
    fprintf(err, "DPDK does not start: %s; see its messages above. ", rte_strerror(e));
    if (e == ENOMEM)
        fprintf(err, "It wanted %u MiB: lower daemon.memory, or free some\n", memory_of(c));
    else if (e == EALREADY)
        fprintf(err, "It runs in this process already\n");
    else
        fprintf(err,
                "Is a daemon of testbed %s running? Is its runtime directory writable "
                "(RUNTIME_DIRECTORY)?\n",
                c->name);
}

int eal_start(const struct cfg *c, FILE *err)
{
    struct eal_args a;
    struct eal_host h;
    char *arg[EAL_MAX_ARGS + 1];
    int e;

    eal_host(&h);
    e = eal_args(c, &h, &a, err);
    if (e)
        return e;
    memcpy(arg, a.arg, sizeof(arg)); /* EAL changes the order */
    if (rte_eal_init(a.n, arg) < 0) {
        e = rte_errno ? rte_errno : EIO;
        explain(e, c, err);
    }
    eal_args_free(&a);
    return -e;
}

void eal_stop(void)
{
    rte_eal_cleanup();
}

int eal_telemetry_path(const struct cfg *c, char *out, size_t size)
{
    const char *dir = getenv("RUNTIME_DIRECTORY");
    char prefix[128];

    if (!dir && getuid() == 0)
        dir = "/var/run";
    if (!dir)
        dir = getenv("XDG_RUNTIME_DIR");
    if (!dir)
        dir = "/tmp";
    if (eal_prefix(c, prefix, sizeof(prefix)))
        return -ENAMETOOLONG;
    return (size_t)snprintf(out, size, "%s/dpdk/%s/dpdk_telemetry.v2", dir, prefix) < size
               ? 0
               : -ENAMETOOLONG;
}

/* --- mbufs --- */

/* Half of the memory: DPDK needs some itself, and device rings come from it. */
static unsigned pool_count(const struct cfg *c)
{
    uint64_t each = sizeof(struct rte_mbuf) + RTE_PKTMBUF_HEADROOM + EAL_FRAME_ROOM + 64;
    uint64_t n = ((uint64_t)memory_of(c) << 20) / 2 / each;

    return n > MAX_POOL ? MAX_POOL : (unsigned)n;
}

static struct rte_mempool *make_pool(const char *name, unsigned count, int node)
{
    /* A cache for each lcore spares the pool's shared ring; it may hold at most 2/3 of count. */
    unsigned cache = count >= 4096 ? 256 : count / 16;

    return rte_pktmbuf_pool_create(name, count, cache, 0, RTE_PKTMBUF_HEADROOM + EAL_FRAME_ROOM,
                                   node);
}

struct rte_mempool *eal_pool(const struct cfg *c, const char *name, unsigned count, int node,
                             FILE *err)
{
    unsigned n = count ? count : pool_count(c);
    struct rte_mempool *p = make_pool(name, n, node < 0 ? SOCKET_ID_ANY : node);

    if (!p && node >= 0) {
        p = make_pool(name, n, SOCKET_ID_ANY);
        if (p)
            fprintf(err, "%s: no DPDK memory on NUMA node %d, took it elsewhere\n", name, node);
    }
    if (!p)
        fprintf(err, "%s: no room for %u frames in DPDK's %u MiB (%s); raise daemon.memory\n", name,
                n, memory_of(c), rte_strerror(rte_errno));
    return p;
}
