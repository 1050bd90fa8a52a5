/* SPDX-License-Identifier: BSD-3-Clause */
/* Between privs.c and its two halves. */
#ifndef COOPVMM_IOCORE_PRIVS_PRIV_H
#define COOPVMM_IOCORE_PRIVS_PRIV_H

#include <stdbool.h>
#include <stdio.h>

/**
 * Drops all capabilities of all threads of the process, and the bounding and ambient sets.
 * Capabilities belong to threads (capabilities(7)), so each thread is made to drop its own, by a
 * signal; then each is looked at.
 * @return 0; negative errno, said in err
 */
int privs_drop_caps(FILE *err);

/**
 * Loads the system-call filter into all threads. Sets no_new_privs.
 * @param refuse instead of killing the process, EPERM
 * @return 0; negative errno, said in err
 */
int privs_load_filter(bool refuse, FILE *err);

#endif
