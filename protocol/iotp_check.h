/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a control message must be: for each type the length of its body, how many descriptors come
 * with it, and a check of every field. Internal to the library.
 */
#ifndef COOPVMM_IOTP_CHECK_H
#define COOPVMM_IOTP_CHECK_H

#include <stddef.h>
#include <stdint.h>

#include "iotp_ctl.h"

struct iotp_msg_type_info {
    uint32_t body; /* bytes of body */
    /* Checks m->u and m->nfds, which are filled. @return NULL, or what is wrong. May be NULL: no
     * body, no descriptors. */
    const char *(*check)(const struct iotp_msg *m);
};

/** @return NULL if there is no such type. */
const struct iotp_msg_type_info *iotp_msg_type_info(uint16_t type);

/** Checks a whole message, header and body. @return NULL, or what is wrong (constant text). */
const char *iotp_msg_check(const struct iotp_msg *m);

#endif
