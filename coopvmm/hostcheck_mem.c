/* SPDX-License-Identifier: BSD-3-Clause */
/* Host check: memory, and what this process may do with it and with its priority. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostcheck_priv.h"

#define CAP_IPC_LOCK_BIT 14 /* include/uapi/linux/capability.h */
#define CAP_SYS_NICE_BIT 23

static void check_numa(struct hostcheck *h)
{
    char text[HC_TEXT];
    hwloc_bitmap_t online;
    int nodes;

    hc_read(h, text, "/sys/devices/system/node/online");
    online = hc_cpulist(text);
    nodes = online ? hwloc_bitmap_weight(online) : 0;
    hwloc_bitmap_free(online);
    if (nodes <= 1) {
        hc_add(h, HC_OK, "numa", NULL, "one node");
        return;
    }
    if (hc_read(h, text, "/proc/sys/kernel/numa_balancing") && strcmp(text, "0") != 0)
        hc_add(h, HC_WARN, "numa", "sysctl kernel.numa_balancing=0",
               "%d nodes, and the kernel moves pages between them: guests stall on the faults",
               nodes);
    else
        hc_add(h, HC_OK, "numa", NULL, "%d nodes, no automatic balancing", nodes);
}

static long read_number(const struct hostcheck *h, const char *path)
{
    char text[HC_TEXT];

    return hc_read(h, text, "%s", path) ? strtol(text, NULL, 10) : -1;
}

static void check_hugepages(struct hostcheck *h)
{
    long n2m = read_number(h, "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages");
    long f2m = read_number(h, "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages");
    long n1g = read_number(h, "/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages");
    long f1g = read_number(h, "/sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages");
    long mib = (f2m > 0 ? 2 * f2m : 0) + (f1g > 0 ? 1024 * f1g : 0);

    if (n2m < 0 && n1g < 0)
        hc_add(h, HC_NOTE, "hugepages", NULL, "the kernel has none; ordinary pages are used");
    else if (n2m <= 0 && n1g <= 0)
        hc_add(h, HC_NOTE, "hugepages",
               "sysctl vm.nr_hugepages=256, or boot with "
               "default_hugepagesz=1G hugepages=N",
               "none reserved; ordinary pages are used, at more TLB misses");
    else if (h->c && h->c->daemon.hugepages && mib < (long)h->c->daemon.memory)
        hc_add(h, HC_WARN, "hugepages", "reserve more: sysctl vm.nr_hugepages=N",
               "%ld MiB free, the testbed's daemon.memory is %u MiB", mib, h->c->daemon.memory);
    else
        hc_add(h, HC_OK, "hugepages", NULL, "2 MiB: %ld of %ld free; 1 GiB: %ld of %ld free",
               f2m > 0 ? f2m : 0, n2m > 0 ? n2m : 0, f1g > 0 ? f1g : 0, n1g > 0 ? n1g : 0);
}

static void check_thp(struct hostcheck *h)
{
    char text[HC_TEXT];

    if (!hc_read(h, text, "/sys/kernel/mm/transparent_hugepage/enabled"))
        hc_add(h, HC_OK, "thp", NULL, "not in this kernel");
    else if (strstr(text, "[always]"))
        hc_add(h, HC_NOTE, "thp", "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled",
               "always: khugepaged may stall any process while it joins pages");
    else
        hc_add(h, HC_OK, "thp", NULL, "%.60s", text);
}

/* Guests' memory is shared with the I/O cores; for such the kernel has a switch of its own. */
static void check_shared_thp(struct hostcheck *h)
{
    static const char file[] = "/sys/kernel/mm/transparent_hugepage/shmem_enabled";
    char text[HC_TEXT];

    if (!hc_read(h, text, file))
        hc_add(h, HC_OK, "sharedthp", NULL, "not in this kernel");
    else if (strstr(text, "[never]") || strstr(text, "[deny]"))
        hc_add(h, HC_NOTE, "sharedthp",
               "echo advise > /sys/kernel/mm/transparent_hugepage/shmem_enabled",
               "no huge pages for guests' memory unless they are reserved: guests boot slower");
    else
        hc_add(h, HC_OK, "sharedthp", NULL, "%.60s", text);
}

/* The soft limit in a line of /proc/self/limits; LONG_MAX: unlimited, -1: not there. */
static long soft_limit(const char *text, const char *name)
{
    const char *at = strstr(text, name);

    if (!at)
        return -1;
    at += strlen(name);
    at += strspn(at, " ");
    return !strncmp(at, "unlimited", 9) ? __LONG_MAX__ : strtol(at, NULL, 10);
}

static bool has_capability(const struct hostcheck *h, unsigned bit)
{
    char text[HC_TEXT], value[32];

    hc_read(h, text, "/proc/self/status");
    return hc_field(text, "CapEff", value, sizeof(value)) && strtoull(value, NULL, 16) >> bit & 1;
}

static unsigned long wanted_mib(const struct hostcheck *h)
{
    unsigned long mib = h->c ? h->c->daemon.memory : 256;

    for (unsigned i = 0; h->c && i < h->c->vms_count; i++)
        mib += h->c->vms[i].memory;
    return mib;
}

static void check_limits(struct hostcheck *h)
{
    char text[HC_TEXT];
    long locked, priority;

    hc_read(h, text, "/proc/self/limits");
    locked = soft_limit(text, "Max locked memory");
    priority = soft_limit(text, "Max realtime priority");
    if (has_capability(h, CAP_IPC_LOCK_BIT) || locked == __LONG_MAX__)
        hc_add(h, HC_OK, "memlock", NULL, "any amount of memory may be locked");
    else if (locked < 0 || (unsigned long)locked >> 20 < wanted_mib(h))
        hc_add(h, HC_WARN, "memlock", "ulimit -l unlimited, or LimitMEMLOCK=infinity in the unit",
               "%ld MiB may be locked, %lu MiB are wanted: pages may be swapped out",
               locked < 0 ? 0 : locked >> 20, wanted_mib(h));
    else
        hc_add(h, HC_OK, "memlock", NULL, "%ld MiB may be locked", locked >> 20);
    if (has_capability(h, CAP_SYS_NICE_BIT) || priority > 0)
        hc_add(h, HC_OK, "rtprio", NULL, "real-time scheduling is allowed");
    else
        hc_add(h, HC_WARN, "rtprio", "ulimit -r 50, or LimitRTPRIO=50 in the unit",
               "real-time scheduling is not allowed: other processes take turns with I/O cores");
}

/* A poller under SCHED_FIFO never blocks: with throttling it stands still 50 ms of each second. */
static void check_throttle(struct hostcheck *h)
{
    char text[HC_TEXT];

    if (!hc_read(h, text, "/proc/sys/kernel/sched_rt_runtime_us"))
        return;
    if (!strcmp(text, "-1"))
        hc_add(h, HC_OK, "rtthrottle", NULL, "off");
    else
        hc_add(h, HC_NOTE, "rtthrottle", "sysctl kernel.sched_rt_runtime_us=-1",
               "real-time tasks get %.20s us of each second where something else wants the CPU",
               text);
}

void hc_check_memory(struct hostcheck *h)
{
    check_numa(h);
    check_hugepages(h);
    check_thp(h);
    check_shared_thp(h);
    check_limits(h);
    check_throttle(h);
}
