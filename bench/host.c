/* SPDX-License-Identifier: BSD-3-Clause */
#include "host.h"

#include <cpuid.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../config/plan.h"

static void read_cpu_name(char *name, size_t size)
{
    FILE *f = fopen("/proc/cpuinfo", "re");
    char line[256];

    snprintf(name, size, "unknown CPU");
    while (f && fgets(line, sizeof(line), f)) {
        const char *colon = strchr(line, ':');

        if (strncmp(line, "model name", 10) || !colon)
            continue;
        snprintf(name, size, "%s", colon + 2);
        name[strcspn(name, "\n")] = '\0';
        break;
    }
    if (f)
        fclose(f);
}

/* CPUID 1, ECX bit 31, and the signature at 4000_0000. */
static void read_hypervisor(struct host *h)
{
    unsigned a, b = 0, c = 0, d = 0;

    h->virtualised = __get_cpuid(1, &a, &b, &c, &d) && (c & 1u << 31);
    if (!h->virtualised)
        return;
    __cpuid(0x40000000, a, b, c, d);
    memcpy(h->hypervisor, &b, 4);
    memcpy(h->hypervisor + 4, &c, 4);
    memcpy(h->hypervisor + 8, &d, 4);
}

void host_read(struct host *h)
{
    struct utsname u;

    memset(h, 0, sizeof(*h));
    read_cpu_name(h->cpu, sizeof(h->cpu));
    read_hypervisor(h);
    if (uname(&u) == 0)
        snprintf(h->kernel, sizeof(h->kernel), "%.32s %.64s", u.sysname, u.release);
    h->cpus = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
}

void host_line(const struct host *h, char *text, size_t size)
{
    snprintf(text, size, "%s, %u CPUs, %s, %s%s%s%s", h->cpu, h->cpus, h->kernel,
             h->virtualised ? "virtualised" : "not virtualised", *h->hypervisor ? " (" : "",
             h->hypervisor, *h->hypervisor ? ")" : "");
}

/* proc(5): cpu user nice system idle iowait irq softirq steal ... */
void host_time_read(struct host_time *t)
{
    FILE *f = fopen("/proc/stat", "re");
    uint64_t v[8] = {0};

    *t = (struct host_time){0};
    if (!f)
        return;
    if (fscanf(f,
               "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
               " %" SCNu64 " %" SCNu64,
               &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7]) == 8) {
        for (unsigned i = 0; i < 8; i++)
            t->total += v[i];
        t->stolen = v[7];
    }
    fclose(f);
}

double host_stolen(const struct host_time *before, const struct host_time *after)
{
    uint64_t total = after->total - before->total;

    return total ? (double)(after->stolen - before->stolen) / (double)total : 0;
}

/* How well two CPUs suit a vCPU and its I/O core; higher is better. */
static int score(const struct topo_cpu *a, const struct topo_cpu *b)
{
    return (a->core != b->core) * 16 + (a->llc == b->llc) * 8 + (a->node == b->node) * 4 +
           a->isolated + b->isolated;
}

static bool fits(const struct topo_cpu *c, int wanted)
{
    return wanted == CFG_ANY ? c->allowed : c->cpu == wanted;
}

static void best_pair(const struct topo *t, int cpu, int iocpu, struct host_pair *out)
{
    int best = -1;

    for (unsigned i = 0; i < topo_ncpus(t); i++)
        for (unsigned k = 0; k < topo_ncpus(t); k++) {
            const struct topo_cpu *a = topo_cpu_at(t, i), *b = topo_cpu_at(t, k);

            if (i == k || !fits(a, cpu) || !fits(b, iocpu) || score(a, b) <= best)
                continue;
            best = score(a, b);
            *out = (struct host_pair){.cpu = a->cpu,
                                      .iocpu = b->cpu,
                                      .same_llc = a->llc == b->llc,
                                      .siblings = a->core == b->core};
        }
}

static bool usable(const struct topo *t, int cpu, FILE *err)
{
    const struct topo_cpu *c = cpu == CFG_ANY ? NULL : topo_cpu_find(t, cpu);

    if (cpu == CFG_ANY || (c && c->allowed))
        return true;
    fprintf(err, "CPU %d %s\n", cpu,
            c ? "is not among those this process may run on (taskset -p shows them)"
              : "is not there (coopvmm topo lists them)");
    return false;
}

int host_choose(int cpu, int iocpu, struct host_pair *out, FILE *err)
{
    struct topo *t;
    int ret = topo_load(NULL, &t);

    if (ret)
        return ret;
    *out = (struct host_pair){.cpu = CFG_ANY};
    if (usable(t, cpu, err) && usable(t, iocpu, err)) {
        best_pair(t, cpu, iocpu, out);
        if (out->cpu == CFG_ANY)
            fprintf(err, "two different CPUs are needed, one to measure on and one for the I/O "
                         "core\n");
    }
    topo_free(t);
    return out->cpu == CFG_ANY ? -EINVAL : 0;
}

int host_pin(int cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}
