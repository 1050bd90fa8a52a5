/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Is this host ready? Looks at what makes I/O cores slow, jittery or impossible, and says of each
 * what was found and what to do. Nothing is changed.
 *
 * Sources: the kernel's Documentation/admin-guide (kernel-parameters, cpu-isolation, sysfs ABI),
 * proc(5), DPDK's Linux guide.
 */
#ifndef COOPVMM_HOSTCHECK_H
#define COOPVMM_HOSTCHECK_H

#include "../config/config.h"

enum hc_level {
    HC_OK,   /* as it should be */
    HC_NOTE, /* worth knowing; nothing has to be done */
    HC_WARN, /* works, but slower or with more jitter */
    HC_FAIL, /* what the testbed needs is not there: it will not run */
};

struct hc_finding {
    enum hc_level level;
    const char *topic; /* one word, stable: "isolcpus", "governor", ... */
    char *found;
    const char *todo; /* NULL: nothing */
};

struct hostcheck; /* a list of findings */

/**
 * Checks a host.
 * @param root where /proc, /sys and /dev are looked for; "" for this host. Another one (a copy of
 *             such a tree) is only read: KVM is then not tried
 * @param planned a config that plan_fill has filled in: its CPUs and its needs are checked. NULL:
 * the host in general
 * @return the findings (release with hostcheck_free), NULL: out of memory
 */
struct hostcheck *hostcheck_run(const char *root, const struct cfg *planned);
void hostcheck_free(struct hostcheck *h);
/** The i-th finding. @return NULL past the end. */
const struct hc_finding *hostcheck_at(const struct hostcheck *h, unsigned i);
/** The gravest level there is. */
enum hc_level hostcheck_worst(const struct hostcheck *h);
const char *hc_level_name(enum hc_level level);

#endif
