/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What xl prints, read: `xl info -n`, `xl vcpu-list`, `xl cpupool-list -c`, `xl list -v`. Any text
 * is accepted without harm; what does not look as expected is skipped.
 */
#ifndef COOPVMM_XL_PARSE_H
#define COOPVMM_XL_PARSE_H

#include "../config/plan_xen.h"

#define XL_MAX_CPUS  4096 /* more of anything are not read */
#define XL_MAX_VCPUS 65536
#define XL_MAX_POOLS 256

/** `xl info -n`: version, physical CPUs, nodes. @return 0; -EPROTO: there are no CPUs in it;
 * -ENOMEM
 */
int xl_parse_info(const char *text, struct xen_host *h);
/** `xl vcpu-list`. "all" stands for all of h->cpus. @return 0; -EPROTO: dom0 is not in it; -ENOMEM
 */
int xl_parse_vcpus(const char *text, struct xen_host *h);
/** `xl cpupool-list -c`. @return 0; -EPROTO: no pool is in it; -ENOMEM */
int xl_parse_pools(const char *text, struct xen_host *h);

/* Why a domain does not run any more (xen/include/public/sched.h, SHUTDOWN_*). */
enum xl_reason {
    XL_POWEROFF = 0,
    XL_REBOOT = 1,
    XL_SUSPEND = 2,
    XL_CRASH = 3,
    XL_WATCHDOG = 4,
    XL_SOFT_RESET = 5,
    XL_RUNS = -1,  /* it is there and has not shut down */
    XL_GONE = -2,  /* no such domain, or it is being destroyed */
    XL_OTHER = -3, /* shut down for a reason that is not known here */
};

/**
 * `xl list -v`: the domain with that UUID (36 characters, lower case).
 * @param domid receives its number, if it is there; may be NULL
 * @return its state; XL_GONE: it is not in the list
 */
enum xl_reason xl_parse_list(const char *text, const char *uuid, int *domid);

#endif
