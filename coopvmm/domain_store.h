/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What xenstore tells of a domain: where its console is, and that some domain has ended. Paths as
 * in docs/misc/xenstore-paths of Xen.
 *
 * Threads: one; libxenstore has one of its own for watches.
 */
#ifndef COOPVMM_DOMAIN_STORE_H
#define COOPVMM_DOMAIN_STORE_H

#include <stdbool.h>
#include <stddef.h>

struct store;

/**
 * Connects and watches for ends of domains and for this one's console.
 * @param hvm its console is QEMU's first serial port, else Xen's own
 * @return 0 and *out; a negative errno
 */
int store_open(int domid, bool hvm, struct store **out);
void store_close(struct store *s);
/** Readable when something was written that is watched. */
int store_fd(const struct store *s);
/** Takes note of what was. @return whether a domain has ended, this one or another */
bool store_drain(struct store *s);
/** The console's terminal. @return false: it is not there yet */
bool store_console(struct store *s, char *path, size_t size);

#endif
