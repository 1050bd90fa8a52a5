/* SPDX-License-Identifier: BSD-3-Clause */
/* What the parts of the host check share. */
#ifndef COOPVMM_HOSTCHECK_PRIV_H
#define COOPVMM_HOSTCHECK_PRIV_H

#include <dirent.h>
#include <hwloc/bitmap.h>
#include <stddef.h>

#include "hostcheck.h"

#define HC_TEXT 4096 /* bytes of a small file that are looked at */

struct hostcheck {
    const char *root;
    const struct cfg *c;   /* NULL: no testbed */
    hwloc_bitmap_t iocpus; /* CPUs of the testbed's I/O cores; empty without one */
    hwloc_bitmap_t cpus;   /* of I/O cores and vCPUs */
    struct hc_finding *findings;
    unsigned count, room;
};

/** Adds a finding; `todo` must be a literal, or NULL. */
void hc_add(struct hostcheck *h, enum hc_level level, const char *topic, const char *todo,
            const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/** Reads the beginning of a file below root, without the last newline. @return false: not there */
bool hc_read(const struct hostcheck *h, char out[HC_TEXT], const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/** Opens a directory below root. @return NULL: not there */
DIR *hc_opendir(const struct hostcheck *h, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/** The next entry whose name begins with a digit. @return NULL at the end */
const char *hc_next_number(DIR *d);
/** The value behind "NAME:" in text like /proc/PID/status or /proc/cpuinfo. @return false: not
 * there */
bool hc_field(const char *text, const char *name, char *out, size_t size);
/** Parses a CPU list as Linux writes it. @return an empty set if there is none; free it */
hwloc_bitmap_t hc_cpulist(const char *text);
/** Writes a set as a CPU list. @return out */
const char *hc_list_text(hwloc_const_bitmap_t set, char *out, size_t size);
/** Who is planned on a CPU: "I/O core io0", "vCPU 1 of VM web". @return out */
const char *hc_who(const struct hostcheck *h, int cpu, char *out, size_t size);

/* The checks, by file. */
void hc_check_isolation(struct hostcheck *h); /* hostcheck_cpu.c */
void hc_check_cpus(struct hostcheck *h);      /* hostcheck_cpu.c: governor, SMT, clocks */
void hc_check_noise(struct hostcheck *h);     /* hostcheck_noise.c: interrupts, other processes */
void hc_check_memory(struct hostcheck *h);    /* hostcheck_mem.c: NUMA, pages, limits */
void hc_check_devices(struct hostcheck *h);   /* hostcheck_dev.c: KVM, IOMMU, tun, namespaces */
void hc_check_xen(struct hostcheck *h);       /* hostcheck_xen.c */
struct xen_host;
/** dom0 and the testbed's I/O cores in it, as Xen tells them. (hostcheck_xen.c) */
void hc_check_dom0(struct hostcheck *h, const struct xen_host *x);

#endif
