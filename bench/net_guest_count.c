/* SPDX-License-Identifier: BSD-3-Clause */
/* What the machine did for a guest of coopvmm bench net: CPU time, exits. */
#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "net_guest.h"

#define KVM_STATS "/sys/kernel/debug/kvm"

/* --- who works for it --- */

/* /proc/PID/stat: "PID (name) state ppid ..."; the name may hold anything. */
static pid_t parent_of(pid_t pid, char name[32])
{
    char path[64], line[512];
    char *open, *close;
    int parent = 0;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    f = fopen(path, "re");
    if (!f)
        return 0;
    if (fgets(line, sizeof(line), f) && (open = strchr(line, '(')) &&
        (close = strrchr(line, ')')) && sscanf(close + 1, " %*c %d", &parent) == 1)
        snprintf(name, 32, "%.*s", (int)(close - open - 1), open + 1);
    fclose(f);
    return parent;
}

static bool descends(pid_t pid, pid_t from)
{
    char name[32] = "";

    for (unsigned depth = 0; pid > 1 && depth < 8; depth++) {
        if (pid == from)
            return true;
        pid = parent_of(pid, name);
    }
    return false;
}

/* vhost's kernel threads are called after the process they work for. */
static bool works_for(pid_t pid, pid_t from)
{
    char name[32] = "", wanted[32];

    snprintf(wanted, sizeof(wanted), "vhost-%d", (int)from);
    parent_of(pid, name);
    return !strcmp(name, wanted) || descends(pid, from);
}

void net_count_family(pid_t pid, void (*fn)(pid_t pid, void *ctx), void *ctx)
{
    DIR *d = opendir("/proc");

    for (struct dirent *e; d && (e = readdir(d));) {
        pid_t other = isdigit((unsigned char)e->d_name[0]) ? atoi(e->d_name) : 0;

        if (other && works_for(other, pid))
            fn(other, ctx);
    }
    if (d)
        closedir(d);
}

/* --- counters --- */

/* The first number in a file; 0 if there is none. */
static uint64_t first_number(const char *path)
{
    unsigned long long n = 0;
    FILE *f = fopen(path, "re");

    if (!f)
        return 0;
    if (fscanf(f, "%llu", &n) != 1)
        n = 0;
    fclose(f);
    return n;
}

/* schedstat: nanoseconds on a CPU, of each thread. Those that ended are not counted; none do here
 * while it is measured. */
static void add_cpu(pid_t pid, struct net_count *c)
{
    char path[300];
    DIR *d;

    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));) {
        snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", (int)pid, e->d_name);
        if (isdigit((unsigned char)e->d_name[0]))
            c->cpu_s += (double)first_number(path) / 1e9;
    }
    if (d)
        closedir(d);
}

static uint64_t kvm_stat(const char *vm, const char *what)
{
    char path[400];

    snprintf(path, sizeof(path), KVM_STATS "/%s/%s", vm, what);
    return first_number(path);
}

/* A VM's folder is called PID-DESCRIPTOR. */
static void add_exits(pid_t pid, struct net_count *c)
{
    DIR *d = opendir(KVM_STATS);

    for (struct dirent *e; d && (e = readdir(d));) {
        char *end;

        if (strtol(e->d_name, &end, 10) != pid || *end != '-')
            continue;
        c->exits += kvm_stat(e->d_name, "exits");
        c->accesses += kvm_stat(e->d_name, "io_exits") + kvm_stat(e->d_name, "mmio_exits");
    }
    if (d)
        closedir(d);
}

static void add(pid_t pid, void *ctx)
{
    add_cpu(pid, ctx);
    add_exits(pid, ctx);
}

void net_count_read(const struct net_guest *n, struct net_count *out)
{
    *out = (struct net_count){0};
    net_count_family(n->bed.child.pid, add, out);
}

bool net_count_exits(void)
{
    FILE *f = fopen(KVM_STATS "/exits", "re");

    if (f)
        fclose(f);
    return f != NULL;
}
