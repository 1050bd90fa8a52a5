/* SPDX-License-Identifier: BSD-3-Clause */
#include "numa.h"

#include <errno.h>
#include <numa.h>
#include <numaif.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static bool have_numa(void)
{
    return numa_available() >= 0;
}

void nl_prepare(void)
{
    if (have_numa())
        numa_node_of_cpu(0); /* reads, and keeps, the CPUs of every node */
}

int nl_nodes(void)
{
    int n = have_numa() ? numa_num_configured_nodes() : 1;

    return n < 1 ? 1 : n;
}

int nl_node_of_cpu(int cpu)
{
    int node = have_numa() ? numa_node_of_cpu(cpu) : 0;

    return node < 0 ? NL_ANY : node;
}

int nl_node_of_page(const void *page)
{
    void *p = (void *)(uintptr_t)page;
    int node = -1;

    if (!have_numa())
        return 0;
    if (numa_move_pages(0, 1, &p, NULL, &node, 0) || node < 0)
        return NL_ANY;
    return node;
}

static void __attribute__((format(printf, 3, 4))) say(char *said, size_t size, const char *fmt, ...)
{
    va_list ap;

    if (!said || size == 0)
        return;
    va_start(ap, fmt);
    vsnprintf(said, size, fmt, ap);
    va_end(ap);
}

static bool node_exists(int node)
{
    if (!have_numa())
        return node == 0;
    return node >= 0 && numa_bitmask_isbitset(numa_all_nodes_ptr, (unsigned)node);
}

static int bind_to(void *addr, size_t len, int node, enum nl_policy how)
{
    struct bitmask *nodes = numa_allocate_nodemask();
    int err;

    if (!nodes)
        return -ENOMEM;
    numa_bitmask_setbit(nodes, (unsigned)node);
    err = mbind(addr, len, how == NL_BIND ? MPOL_BIND : MPOL_PREFERRED, nodes->maskp,
                nodes->size + 1, MPOL_MF_MOVE)
              ? -errno
              : 0;
    numa_bitmask_free(nodes);
    return err;
}

int nl_place(void *addr, size_t len, int node, enum nl_policy how, const char *what, char *said,
             size_t said_size)
{
    int err;

    if (node == NL_ANY) {
        say(said, said_size, "%s: on any NUMA node", what);
        return 0;
    }
    if (!node_exists(node)) {
        say(said, said_size, "%s: there is no NUMA node %d on this machine", what, node);
        return -EINVAL;
    }
    if (nl_nodes() == 1) {
        say(said, said_size, "%s: this machine has one NUMA node, nothing to choose", what);
        return 0;
    }
    err = bind_to(addr, len, node, how);
    if (err)
        say(said, said_size, "%s: cannot be put on NUMA node %d: %s", what, node, strerror(-err));
    else
        say(said, said_size, "%s: %s NUMA node %d", what,
            how == NL_BIND ? "bound to" : "preferably on", node);
    return err;
}
