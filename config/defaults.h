/* SPDX-License-Identifier: BSD-3-Clause */
/* Fills in what a config file leaves out. Internal to config/. */
#ifndef COOPVMM_CONFIG_DEFAULTS_H
#define COOPVMM_CONFIG_DEFAULTS_H

#include "config.h"
#include "doc.h"

/**
 * Gives each key that is not in the document its default, makes paths absolute, and sizes each VM's
 * `cores` to its vCPUs. `root` says which keys were there; c->path has been set.
 * @return 0 or -ENOMEM
 */
int defaults_fill(struct cfg *c, const struct doc_node *root);

#endif
