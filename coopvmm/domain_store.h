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

/* A domain's consoles. Which of them a guest prints on is its own affair. */
enum store_console {
    STORE_CONSOLE_PV,     /* Xen's own (hvc0): of every domain */
    STORE_CONSOLE_SERIAL, /* QEMU's first serial port (ttyS0): HVM only */
    STORE_CONSOLES
};

/**
 * Connects and watches for ends of domains and for this one's consoles.
 * @return 0 and *out; a negative errno
 */
int store_open(int domid, struct store **out);
void store_close(struct store *s);
/** Readable when something was written that is watched. */
int store_fd(const struct store *s);
/** Takes note of what was. @return whether a domain has ended, this one or another */
bool store_drain(struct store *s);
/** A console's terminal. @return false: it is not there, or not yet */
bool store_console(struct store *s, enum store_console which, char *path, size_t size);

#endif
