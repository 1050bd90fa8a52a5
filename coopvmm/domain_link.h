/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A domain and its devices on I/O cores, by IOTP's control channel: DOMAIN and DEVICE messages, and
 * the state memfds that outlive the I/O-core process.
 *
 * Threads: one.
 */
#ifndef COOPVMM_DOMAIN_LINK_H
#define COOPVMM_DOMAIN_LINK_H

#include "domain.h"
#include "qemu_claims.h"

struct domain_link;

/**
 * Connects and attaches the (paused) domain with all its devices.
 * @param path the I/O-core process's socket
 * @return 0 and *out; -ECANCELED; another negative errno (said on d->err)
 */
int domain_link_create(const struct domain *d, const char *path, struct domain_link **out);
/** The connection, for polling: readable when it broke. */
int domain_link_fd(const struct domain_link *l);
/** Attaches everything anew to a restarted I/O-core process. @return as domain_link_create */
int domain_link_reattach(struct domain_link *l, unsigned timeout_ms);
/** The i-th device as it was attached. @return false: there is none */
bool domain_link_device(const struct domain_link *l, unsigned i, struct qemu_rival *out);
/**
 * HVM: asks QEMU what PCI slots and ports it has.
 * @return 0, also if QEMU cannot be asked (then it is a warning in the log); -EEXIST: devices of
 *         ours have some of them, too (said on d->err)
 */
int domain_check_qemu(const struct domain *d, const struct domain_link *l);
/** Closes the connection, which detaches the domain. NULL is accepted. */
void domain_link_free(struct domain_link *l);

#endif
