/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The host's side of a tap: may we have it, who made it, its address. By ioctl, so that nothing
 * depends on /sys being that of our network namespace.
 *
 * Threads: control. Source: linux/if_tun.h, netdevice(7).
 */
#ifndef COOPVMM_IOCORE_TAP_H
#define COOPVMM_IOCORE_TAP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/** @return a descriptor of /dev/net/tun that does not block; negative errno */
int tap_node(void);
/**
 * Attaches it to the tap, which is made if it is not there: several queues, frames behind a virtio
 * header. All who attach to a tap of ours must do it by this, for the flags are the tap's.
 * @return 0; negative errno
 */
int tap_attach(int fd, const char *iface);
/**
 * Tries to attach to the tap, and lets it go again.
 * @return 0; -ENOENT, -EACCES: /dev/net/tun; -EPERM: CAP_NET_ADMIN is missing; -EBUSY: another
 *         process is attached to it; -EINVAL: it is no multi-queue tap; others from TUNSETIFF
 */
int tap_try(const char *iface, bool held);
/** What to do about an error of tap_try, one line. */
void tap_explain(int err, const char *iface, FILE *to);

bool tap_exists(const char *iface);
/** @return 0 and the interface's MAC; negative errno */
int tap_get_mac(const char *iface, uint8_t mac[6]);
/** A MAC for a tap whose owner did not choose one: locally administered, the same for a name. */
void tap_default_mac(const char *iface, uint8_t mac[6]);

/**
 * Gives it an IPv4 address, unless it has exactly this one, and sets it up.
 * @param addr, mask network byte order
 * @return 0; negative errno
 */
int tap_set_address(const char *iface, uint32_t addr, uint32_t mask);
/** Sets it up, without touching addresses. @return 0; negative errno */
int tap_set_up(const char *iface);
/** Takes persistence away: the tap goes when its last descriptor is closed. Needs no privilege.
 * @param fd one of its queues. @return 0; negative errno */
int tap_forget(int fd);

#endif
