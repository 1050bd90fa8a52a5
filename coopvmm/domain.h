/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A Xen domain's life as coopvmm-vm manages it: written down for xl, created paused, attached to
 * I/O cores, unpaused, watched, destroyed. Its vCPUs are Xen's, its requests reach the I/O cores
 * through Xen, not through this process.
 *
 * The domain is known by its UUID, chosen here: its name or number may some day be another's.
 *
 * Threads: one thread does all of it.
 */
#ifndef COOPVMM_DOMAIN_H
#define COOPVMM_DOMAIN_H

#include <stdbool.h>
#include <stdio.h>

#include "../config/config.h"
#include "xl_config.h"
#include "xl_parse.h"

#define DOMAIN_PATH 256

struct domain {
    const struct cfg *cfg;
    const struct cfg_vm *c;
    FILE *err;
    int stop_fd;          /* readable: what takes long is given up; -1: nothing is */
    char name[XL_DOMAIN]; /* Xen's for it */
    char uuid[XL_UUID];
    char file[DOMAIN_PATH]; /* for xl create */
    int domid;              /* -1: not created */
};

/** Chooses name and UUID and writes the file into the run directory. @return 0 or a negative errno
 * (said on `err`) */
int domain_init(struct domain *d, const struct cfg *cfg, const struct cfg_vm *c, const char *rundir,
                int stop_fd, FILE *err);
/**
 * Creates the domain, paused. @return 0; -ECANCELED; another negative errno (said on `err`). After
 * any of them domain_destroy is due
 */
int domain_create(struct domain *d);
/** Lets it run. @return 0 or a negative errno (said on `err`) */
int domain_unpause(struct domain *d);
/** Asks whether it runs. @return its state; XL_RUNS also if xl could not tell */
enum xl_reason domain_state(const struct domain *d);
/** Destroys what there is of it, whatever state it is in. @return 0 or a negative errno (said on
 * `err`, with what to do) */
int domain_destroy(struct domain *d);

/** A line about the VM for its log. */
void domain_log(const struct domain *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/**
 * Looks for a domain by UUID.
 * @param domid receives its number
 * @return 0; -ENOENT: Xen has none; another negative errno: xl could not tell
 */
int domain_find(const char *uuid, int *domid);

#endif
