/* SPDX-License-Identifier: BSD-3-Clause */
/* The options --synthetic and --isolated, which several commands share. */
#ifndef COOPVMM_TOPO_OPTS_H
#define COOPVMM_TOPO_OPTS_H

#include "config/plan.h"

struct topo_opts {
    const char *synthetic; /* hwloc description; NULL: this machine */
    const char *isolated;  /* CPU list; NULL: as found */
};

/**
 * Loads the topology the options ask for. What is wrong is reported in the name of `command`.
 * @return CMD_OK and *out (release with topo_free), CMD_USAGE or CMD_FAILED
 */
int topo_open(const char *command, const struct topo_opts *opts, struct topo **out);

#endif
