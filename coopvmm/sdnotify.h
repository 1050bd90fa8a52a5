/* SPDX-License-Identifier: BSD-3-Clause */
/* The service manager's notification socket: sd_notify(3), section "Notes", which describes the
 * protocol as stable and meant to be spoken without the library. */
#ifndef COOPVMM_SDNOTIFY_H
#define COOPVMM_SDNOTIFY_H

/** Tells the service manager, if there is one ($NOTIFY_SOCKET), e.g. "READY=1". Never fails. */
void sd_notify_state(const char *state);

#endif
