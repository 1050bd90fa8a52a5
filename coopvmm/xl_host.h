/* SPDX-License-Identifier: BSD-3-Clause */
/* The Xen host this runs on, as xl tells it; and planning that may need it. */
#ifndef COOPVMM_XL_HOST_H
#define COOPVMM_XL_HOST_H

#include "../config/plan_xen.h"

#define XL_HOST_WHY 320

/** Is this Xen's control domain (dom0)? Looks at ROOT/proc/xen/capabilities. */
bool xl_is_dom0(const char *root);

/**
 * Asks xl for versions, physical CPUs, vCPUs and cpupools.
 * @param why receives, on error, what is wrong and what to do
 * @return 0 and *h (release with xen_host_clear); -ENODEV: this is no dom0; another negative errno
 */
int xl_host_read(struct xen_host *h, char why[XL_HOST_WHY]);

/**
 * plan_fill, and plan_xen if the config has Xen domains.
 * @param must_run true: Xen domains cannot do without Xen (an error); false: without it they are
 * left open, with a warning
 * @return as plan_fill
 */
int xl_host_plan(struct cfg *c, const struct topo *t, bool must_run, FILE *err);

#endif
