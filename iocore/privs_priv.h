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
 * @param xen allows Xen's requests on its device files, and opening files
 * @return 0; negative errno, said in err
 */
int privs_load_filter(bool refuse, bool xen, FILE *err);

/**
 * From now on no thread opens any file but Xen's device files (Landlock). A kernel without Landlock
 * is told of and used as it is. Sets no_new_privs.
 * @return 0; negative errno, said in err
 */
int privs_confine_files(FILE *err);

#endif
