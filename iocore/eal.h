/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DPDK's environment abstraction layer: arguments from the configuration, start, mbuf pools.
 *
 *   lcore 0      the main lcore: the control thread; floats over all allowed CPUs but those of the
 *                I/O cores (over all, if they have all)
 *   lcore i + 1  I/O core i of the configuration, pinned to its CPU. Two may share a CPU.
 *
 * Memory: hugepages if the configuration allows them and enough are free
 * (--in-memory: no hugetlbfs is needed and no file is left behind), else ordinary pages
 * (--no-huge), enough for every virtual port; a physical NIC then needs an IOMMU. Without PCI ports
 * addresses for DMA are virtual ones.
 *
 * Works as root and as an ordinary user. DPDK's runtime directory, in which the telemetry socket
 * lies, is $RUNTIME_DIRECTORY/dpdk/<prefix>; without that variable /var/run/dpdk/<prefix> for root,
 * $XDG_RUNTIME_DIR/dpdk/<prefix> or /tmp/dpdk/<prefix> for others. Uid 0 of a user namespace, which
 * cannot write to /var/run, needs the variable.
 */
#ifndef COOPVMM_IOCORE_EAL_H
#define COOPVMM_IOCORE_EAL_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "../config/config.h"

struct rte_mempool;

#define EAL_MAX_ARGS       64
#define EAL_DEFAULT_MEMORY 256  /* MiB, if the configuration says 0 */
#define EAL_FRAME_ROOM     2048 /* bytes of a frame an mbuf holds, without headroom */

/* An argument vector; args[n] is NULL. */
struct eal_args {
    int n;
    char *arg[EAL_MAX_ARGS + 1];
    bool hugepages; /* what was decided */
};

/* What the decision depends on; eal_host() reads it from the machine, tests make their own. */
struct eal_host {
    const char *program; /* argv[0] */
    uint64_t huge_free;  /* bytes in free hugepages */
    cpu_set_t cpus;      /* that this process may use */
};

void eal_host(struct eal_host *out);

/**
 * Builds the arguments. The configuration must be planned (no CFG_ANY core).
 * @return 0 (release with eal_args_free); -EINVAL and a line in err; -ENOMEM
 */
int eal_args(const struct cfg *c, const struct eal_host *h, struct eal_args *out, FILE *err);
void eal_args_free(struct eal_args *a);

/**
 * rte_eal_init() with them. On return the caller is the main lcore's thread.
 * @return 0; negative errno and a line in err that says what to do
 */
int eal_start(const struct cfg *c, FILE *err);
/** rte_eal_cleanup(). */
void eal_stop(void);

/** lcore of I/O core i. */
static inline unsigned eal_lcore(unsigned iocore)
{
    return iocore + 1;
}

/** "coopvmm-<name>", the --file-prefix. @return -EINVAL if it does not fit */
int eal_prefix(const struct cfg *c, char *out, size_t size);
/** Path of DPDK's telemetry socket of the daemon of a testbed; needs no EAL.
 * @return 0; -ENAMETOOLONG */
int eal_telemetry_path(const struct cfg *c, char *out, size_t size);

/**
 * A pool of mbufs of EAL_FRAME_ROOM bytes.
 * @param count mbufs; 0: what fits in half of daemon.memory, at most 16384
 * @param node NUMA node, -1: any; falls back to any, and says so, if there is no memory on it
 * @return NULL and a line in err
 */
struct rte_mempool *eal_pool(const struct cfg *c, const char *name, unsigned count, int node,
                             FILE *err);

#endif
