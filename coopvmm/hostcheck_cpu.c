/* SPDX-License-Identifier: BSD-3-Clause */
/* Host check: are the CPUs left alone, and do they run at one speed and one clock? */
#include <stdio.h>
#include <string.h>

#include "hostcheck_priv.h"

#define LIST_SIZE 256
#define MAX_CPUS  4096

/* CPUs of the testbed that are not in `have`; without a testbed, all is well if `have` has any. */
static void check_list(struct hostcheck *h, const char *topic, hwloc_const_bitmap_t have,
                       const char *what, const char *todo)
{
    char list[LIST_SIZE], missing[LIST_SIZE];
    hwloc_bitmap_t rest = hwloc_bitmap_dup(h->cpus);

    if (!rest)
        return;
    hwloc_bitmap_andnot(rest, h->cpus, have);
    hc_list_text(have, list, sizeof(list));
    if (!hwloc_bitmap_iszero(rest))
        hc_add(h, HC_WARN, topic, todo, "%s: %s; CPUs %s of the testbed are not among them", what,
               list, hc_list_text(rest, missing, sizeof(missing)));
    else if (hwloc_bitmap_iszero(have))
        hc_add(h, HC_WARN, topic, todo, "%s: none", what);
    else
        hc_add(h, HC_OK, topic, NULL, "%s: %s", what, list);
    hwloc_bitmap_free(rest);
}

static hwloc_bitmap_t read_list(const struct hostcheck *h, const char *path)
{
    char text[HC_TEXT];

    hc_read(h, text, "%s", path);
    return hc_cpulist(text);
}

/* rcu_nocbs has no file in sysfs: the command line tells, and nohz_full implies it. */
static hwloc_bitmap_t rcu_nocbs(const struct hostcheck *h, hwloc_const_bitmap_t nohz)
{
    char text[HC_TEXT];
    hwloc_bitmap_t set;
    const char *at;

    hc_read(h, text, "/proc/cmdline");
    at = strstr(text, "rcu_nocbs=");
    if (at) {
        at += strlen("rcu_nocbs=");
        text[(at - text) + (long)strcspn(at, " ")] = '\0';
    }
    set = hc_cpulist(at ? at : "");
    if (set)
        hwloc_bitmap_or(set, set, nohz);
    return set;
}

void hc_check_isolation(struct hostcheck *h)
{
    hwloc_bitmap_t isolated = read_list(h, "/sys/devices/system/cpu/isolated");
    hwloc_bitmap_t partition = read_list(h, "/sys/fs/cgroup/cpuset.cpus.isolated");
    hwloc_bitmap_t nohz = read_list(h, "/sys/devices/system/cpu/nohz_full");
    hwloc_bitmap_t nocbs = nohz ? rcu_nocbs(h, nohz) : NULL;

    if (isolated && partition && nocbs) {
        hwloc_bitmap_or(isolated, isolated, partition);
        check_list(h, "isolcpus", isolated, "CPUs the scheduler keeps other work off",
                   "boot with isolcpus=managed_irq,domain,LIST (LIST: the CPUs of I/O cores and "
                   "vCPUs, see `coopvmm plan`), or make a cpuset partition of type isolated");
        check_list(h, "nohz_full", nohz, "CPUs without the periodic tick",
                   "boot with nohz_full=LIST: a busy CPU is then not interrupted by the timer");
        check_list(h, "rcu_nocbs", nocbs, "CPUs whose RCU callbacks run elsewhere",
                   "boot with rcu_nocbs=LIST (nohz_full=LIST implies it)");
    }
    hwloc_bitmap_free(isolated);
    hwloc_bitmap_free(partition);
    hwloc_bitmap_free(nohz);
    hwloc_bitmap_free(nocbs);
}

/* The CPUs a per-CPU check looks at: the testbed's, or all that are there. */
static bool concerns(const struct hostcheck *h, unsigned cpu)
{
    return !h->c || hwloc_bitmap_isset(h->cpus, cpu);
}

static void check_governor(struct hostcheck *h)
{
    char text[HC_TEXT], example[32] = "", list[LIST_SIZE];
    hwloc_bitmap_t slow = hwloc_bitmap_alloc();
    unsigned seen = 0;

    for (unsigned cpu = 0; slow && cpu < MAX_CPUS; cpu++) {
        if (!concerns(h, cpu) ||
            !hc_read(h, text, "/sys/devices/system/cpu/cpu%u/cpufreq/scaling_governor", cpu))
            continue;
        seen++;
        if (!strcmp(text, "performance"))
            continue;
        hwloc_bitmap_set(slow, cpu);
        snprintf(example, sizeof(example), "%.20s", text);
    }
    if (!seen)
        hc_add(h, HC_OK, "governor", NULL, "no frequency scaling is visible here");
    else if (!slow || hwloc_bitmap_iszero(slow))
        hc_add(h, HC_OK, "governor", NULL, "performance on %u CPUs", seen);
    else
        hc_add(h, HC_WARN, "governor",
               "cpupower frequency-set -g performance (package linux-cpupower)",
               "%s on CPUs %s: the clock rises only after work has come", example,
               hc_list_text(slow, list, sizeof(list)));
    hwloc_bitmap_free(slow);
}

/* Somebody of the testbed on the SMT sibling of an I/O core. */
static bool check_siblings(struct hostcheck *h)
{
    char text[HC_TEXT], io[80], other[80];
    int cpu, twin;
    bool found = false;

    hwloc_bitmap_foreach_begin(cpu, h->iocpus)
    {
        hwloc_bitmap_t twins;

        hc_read(h, text, "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
        twins = hc_cpulist(text);
        if (twins)
            hwloc_bitmap_and(twins, twins, h->cpus);
        for (twin = twins ? hwloc_bitmap_first(twins) : -1; twin >= 0;
             twin = hwloc_bitmap_next(twins, twin)) {
            if (twin == cpu)
                continue;
            found = true;
            hc_add(h, HC_WARN, "smt", "leave the sibling idle: have fewer vCPUs, or pin otherwise",
                   "%s (CPU %d) and %s (CPU %d) share a physical core",
                   hc_who(h, cpu, io, sizeof(io)), cpu, hc_who(h, twin, other, sizeof(other)),
                   twin);
        }
        hwloc_bitmap_free(twins);
    }
    hwloc_bitmap_foreach_end();
    return found;
}

static void check_smt(struct hostcheck *h)
{
    char text[HC_TEXT];

    if (!hc_read(h, text, "/sys/devices/system/cpu/smt/active") || strcmp(text, "1") != 0) {
        hc_add(h, HC_OK, "smt", NULL, "off, or the CPU has none: nobody shares a physical core");
        return;
    }
    if (!check_siblings(h))
        hc_add(h, HC_NOTE, "smt",
               "for the last bit of jitter: echo off > /sys/devices/system/cpu/"
               "smt/control",
               "on; the planner leaves the siblings of I/O cores idle");
}

static bool has_flag(const char *flags, const char *flag)
{
    size_t len = strlen(flag);

    for (const char *at = strstr(flags, flag); at; at = strstr(at + len, flag))
        if ((at == flags || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
            return true;
    return false;
}

static void check_tsc(struct hostcheck *h)
{
    char text[HC_TEXT], flags[HC_TEXT] = "";

    hc_read(h, text, "/proc/cpuinfo");
    hc_field(text, "flags", flags, sizeof(flags));
    if (!has_flag(flags, "constant_tsc") || !has_flag(flags, "nonstop_tsc"))
        hc_add(h, HC_WARN, "tsc",
               "trust no latency figure across frequency changes or sleep states",
               "the CPU does not say that its time stamp counter is constant_tsc and nonstop_tsc");
    else
        hc_add(h, HC_OK, "tsc", NULL, "constant_tsc, nonstop_tsc");
    if (!hc_read(h, text, "/sys/devices/system/clocksource/clocksource0/current_clocksource"))
        return;
    if (!strcmp(text, "tsc") || !strcmp(text, "kvm-clock"))
        hc_add(h, HC_OK, "clocksource", NULL, "%.40s", text);
    else
        hc_add(h, HC_WARN, "clocksource", "find out from dmesg why the kernel distrusts the TSC",
               "%.40s: reading the time is a slow system call", text);
}

void hc_check_cpus(struct hostcheck *h)
{
    check_governor(h);
    check_smt(h);
    check_tsc(h);
}
