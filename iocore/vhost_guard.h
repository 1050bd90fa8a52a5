/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory that a vhost-user front end shares is a file that it can cut short at any time: reading
 * what is no longer there raises SIGBUS. Here such memory is replaced by zeroed memory of our own,
 * so that a front end that does so harms itself alone.
 *
 * Threads: add and remove by the control thread; the signal by whoever touches the memory.
 */
#ifndef COOPVMM_IOCORE_VHOST_GUARD_H
#define COOPVMM_IOCORE_VHOST_GUARD_H

#include <stddef.h>

#define VHOST_GUARD_MAX 1024 /* mappings */

/** Guards a shared mapping. The first time it takes SIGBUS for its own. @return 0 or -ENOSPC */
int vhost_guard_add(void *base, size_t len);
/** No longer. Before it is unmapped. */
void vhost_guard_remove(const void *base);

#endif
