/* SPDX-License-Identifier: BSD-3-Clause */
/* Good messages of IOTP's control channel, and packets that need not be. */
#ifndef COOPVMM_TESTS_CTL_RIG_H
#define COOPVMM_TESTS_CTL_RIG_H

#include <stddef.h>
#include <stdint.h>

#include "../../protocol/iotp_ctl.h"

#define CTL_LAST IOTP_MSG_MSI /* types are IOTP_MSG_HELLO to this */

/** Descriptors this process has open. */
unsigned ctl_open_fds(void);

/** A connection that does not block. */
void ctl_pair(int s[2]);
void ctl_close(int s[2]);

/** Descriptors that come with a type. */
unsigned ctl_fds(unsigned type);
/** Bytes of its body. */
size_t ctl_body(unsigned type);
/** A good message of this type; its descriptors (all the same file) are the caller's to close. */
struct iotp_msg ctl_good(unsigned type);
/** The same as a packet. @return its length */
size_t ctl_packet(unsigned type, uint8_t packet[IOTP_MAX_MSG]);

/** Sends raw bytes with `nfds` descriptors. */
void ctl_send_raw(int sock, const void *p, size_t len, unsigned nfds);
/**
 * Takes a message. With -EPROTO there must be a reason, and no descriptor left.
 * @param serial may be NULL
 * @return the error
 */
int ctl_receive(int sock, uint32_t *serial);

#endif
