/* SPDX-License-Identifier: BSD-3-Clause */
/* Host check: who else wants the CPUs? Interrupts, irqbalance, processes pinned by others. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hostcheck_priv.h"

#define LIST_SIZE    256
#define MAX_EXAMPLES 5

/* "a, b, c": the first few of a kind, and how many there were. */
struct examples {
    unsigned count;
    size_t used;
    char text[512];
};

static void __attribute__((format(printf, 2, 3)))
add_example(struct examples *x, const char *fmt, ...)
{
    va_list ap;
    int n;

    if (x->count++ >= MAX_EXAMPLES || x->used + 3 >= sizeof(x->text))
        return;
    if (x->used)
        x->used += (size_t)snprintf(x->text + x->used, sizeof(x->text) - x->used, ", ");
    va_start(ap, fmt);
    n = vsnprintf(x->text + x->used, sizeof(x->text) - x->used, fmt, ap);
    va_end(ap);
    x->used += n > 0 ? (size_t)n : 0;
    if (x->used >= sizeof(x->text))
        x->used = sizeof(x->text) - 1;
}

static const char *more(const struct examples *x)
{
    return x->count > MAX_EXAMPLES ? ", ..." : "";
}

/* Does this interrupt arrive at one of the testbed's I/O cores? */
static bool hits_iocore(const struct hostcheck *h, const char *irq)
{
    char text[HC_TEXT];
    hwloc_bitmap_t set;
    bool hit;

    if (!hc_read(h, text, "/proc/irq/%s/effective_affinity_list", irq) || !text[0])
        hc_read(h, text, "/proc/irq/%s/smp_affinity_list", irq);
    set = hc_cpulist(text);
    hit = set && hwloc_bitmap_intersects(set, h->iocpus);
    hwloc_bitmap_free(set);
    return hit;
}

static void check_irqs(struct hostcheck *h)
{
    struct examples x = {0};
    DIR *d = hc_opendir(h, "/proc/irq");
    unsigned seen = 0;

    for (const char *irq; d && (irq = hc_next_number(d)); seen++)
        if (hits_iocore(h, irq))
            add_example(&x, "%.8s", irq);
    if (d)
        closedir(d);
    if (!h->c)
        hc_add(h, HC_NOTE, "irqs", "name a config file to have its I/O cores checked",
               "%u interrupts; which of them hit I/O cores depends on the testbed", seen);
    else if (x.count)
        hc_add(
            h, HC_WARN, "irqs",
            "echo OTHER-CPUS > /proc/irq/N/smp_affinity_list, or boot with irqaffinity=OTHER-CPUS",
            "%u of %u interrupts may arrive at I/O cores: %s%s", x.count, seen, x.text, more(&x));
    else
        hc_add(h, HC_OK, "irqs", NULL, "none of %u interrupts arrives at an I/O core", seen);
}

/* A process's or thread's name and the one CPU it is pinned to. @return false: it is not pinned */
struct task {
    char name[32];
    int cpu;
};

static bool read_task(const struct hostcheck *h, const char *pid, const char *tid, struct task *t)
{
    char text[HC_TEXT], list[LIST_SIZE], size[32];
    char *end;

    if (!hc_read(h, text, "/proc/%s/task/%s/status", pid, tid) &&
        !hc_read(h, text, "/proc/%s/status", pid))
        return false;
    /* Kernel threads have no address space; the per-CPU ones among them are always pinned. */
    if (!hc_field(text, "VmSize", size, sizeof(size)) ||
        !hc_field(text, "Cpus_allowed_list", list, sizeof(list)) ||
        !hc_field(text, "Name", t->name, sizeof(t->name)))
        return false;
    t->cpu = (int)strtol(list, &end, 10);
    return end != list && *end == '\0';
}

static void look_at_task(const struct hostcheck *h, const char *pid, const char *tid,
                         struct examples *x)
{
    char who[80];
    struct task t;

    if (!read_task(h, pid, tid, &t) || (h->c && !hwloc_bitmap_isset(h->cpus, (unsigned)t.cpu)))
        return;
    if (h->c)
        add_example(x, "%s (%.10s) on CPU %d, where %s goes", t.name, tid, t.cpu,
                    hc_who(h, t.cpu, who, sizeof(who)));
    else
        add_example(x, "%s (%.10s) on CPU %d", t.name, tid, t.cpu);
}

static void look_at_process(const struct hostcheck *h, const char *pid, struct examples *x)
{
    DIR *d = hc_opendir(h, "/proc/%s/task", pid);
    const char *tid;

    if (!d) {
        look_at_task(h, pid, pid, x);
        return;
    }
    while ((tid = hc_next_number(d)))
        look_at_task(h, pid, tid, x);
    closedir(d);
}

static bool is_irqbalance(const struct hostcheck *h, const char *pid)
{
    char comm[HC_TEXT];

    return hc_read(h, comm, "/proc/%s/comm", pid) && !strcmp(comm, "irqbalance");
}

static void report_pinned(struct hostcheck *h, const struct examples *x)
{
    if (!x->count)
        hc_add(h, HC_OK, "pinned", NULL, "no other process is pinned to %s",
               h->c ? "a CPU of the testbed" : "a single CPU");
    else if (h->c)
        hc_add(h, HC_WARN, "pinned",
               "stop it, move it (taskset -cp CPU PID), or pin the testbed "
               "elsewhere",
               "%u pinned threads of others: %s%s", x->count, x->text, more(x));
    else
        hc_add(h, HC_NOTE, "pinned", "pin the testbed elsewhere",
               "%u threads are pinned to a single CPU: %s%s", x->count, x->text, more(x));
}

void hc_check_noise(struct hostcheck *h)
{
    struct examples x = {0};
    DIR *d = hc_opendir(h, "/proc");
    bool irqbalance = false;
    char self[16];

    check_irqs(h);
    snprintf(self, sizeof(self), "%d", getpid());
    for (const char *pid; d && (pid = hc_next_number(d));) {
        irqbalance |= is_irqbalance(h, pid);
        if (h->root[0] || strcmp(pid, self) != 0)
            look_at_process(h, pid, &x);
    }
    if (d)
        closedir(d);
    if (irqbalance)
        hc_add(h, HC_WARN, "irqbalance",
               "systemctl stop irqbalance, or set IRQBALANCE_BANNED_CPULIST to the testbed's CPUs",
               "running: it may move interrupts onto I/O cores at any time");
    else
        hc_add(h, HC_OK, "irqbalance", NULL, "not running");
    report_pinned(h, &x);
}
