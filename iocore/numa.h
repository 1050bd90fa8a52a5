/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * NUMA placement of shared memory, through libnuma.
 *
 * Threads: any; the functions have no state. The prefix is nl_ because libnuma's own is numa_.
 */
#ifndef COOPVMM_IOCORE_NUMA_H
#define COOPVMM_IOCORE_NUMA_H

#include <stddef.h>

#define NL_ANY (-1)

/** Lets libnuma read what it wants from /sys, once: the other functions then open no file any more.
 * privs_drop() calls it. */
void nl_prepare(void);

/** NUMA nodes with memory; 1 if the machine or kernel knows none. */
int nl_nodes(void);
/** The node of a CPU; 0 where there is no NUMA, NL_ANY if there is no such CPU. */
int nl_node_of_cpu(int cpu);
/** The node a page lies on (it must have been touched). @return NL_ANY if unknown */
int nl_node_of_page(const void *page);

enum nl_policy { NL_PREFER, NL_BIND };

/**
 * Sets where the pages of a mapping are (or will be) allocated, moving those already there.
 * @param node NL_ANY: leaves it alone
 * @param what name of the memory for `said`, "memory of VM web1"
 * @param said one line of what was done, for people; NULL: not wanted
 * @return 0, also when there is nothing to choose (one node: said so); -EINVAL: no such node;
 *         else the negative errno of mbind(2)
 */
int nl_place(void *addr, size_t len, int node, enum nl_policy how, const char *what, char *said,
             size_t said_size);

#endif
