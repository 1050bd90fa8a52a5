/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A VMM's side of IOTP's control channel: connecting, asking, and connecting again when the
 * I/O-core process was restarted. What is said on it is the caller's business.
 *
 * Threads: one at a time.
 */
#ifndef COOPVMM_ATTACH_H
#define COOPVMM_ATTACH_H

#include <stdio.h>

#include "../config/config.h"
#include "../protocol/iotp_ctl.h"

struct attach {
    const char *vm;   /* its name, for HELLO and messages */
    const char *path; /* of the I/O-core process's socket */
    int stop_fd;      /* if readable, waiting ends with -ECANCELED; -1: nothing does that */
    int sock;         /* -1: not connected */
};

/** The conversation after connecting, HELLO and START included. @return 0 or a negative errno */
typedef int attach_talk(void *arg, FILE *err);

/**
 * Connects and talks, again and again until it works; an old connection is closed first.
 * @return 0; -ETIMEDOUT or why the last try failed; -ECANCELED; what `talk` returned, if that was a
 *         refusal rather than a broken connection. Said on `err`, but for -ECANCELED
 */
int attach_retry(struct attach *a, unsigned timeout_ms, attach_talk *talk, void *arg, FILE *err);
void attach_close(struct attach *a);

/**
 * Asks a question; a refusal is said on `err`, with `what` it was about. A broken connection is
 * not.
 * @return as iotp_msg_ask
 */
int attach_ask(struct attach *a, struct iotp_msg *m, const char *what, FILE *err);
/** HELLO. @return 0 and the features agreed on; as attach_ask */
int attach_hello(struct attach *a, uint64_t *features, FILE *err);
/** START: from now on requests are served. @return as attach_ask */
int attach_start(struct attach *a, FILE *err);

/**
 * DEVICE: attaches a device of the config, or attaches it again.
 * @param m with area, device and lines, and the lines' descriptors, filled in; empty afterwards
 * @param state_fd the device's durable state; -1: none yet, then it is made by the I/O-core
 *        process, and *info says what the device is
 * @return as attach_ask; -EPROTO
 */
int attach_device(struct attach *a, struct iotp_msg *m, const struct cfg_device *c, int *state_fd,
                  struct iotp_device_info *info, FILE *err);

/** Copies a name into a message. */
void attach_name(char to[IOTP_NAME_SIZE], const char *from);

#endif
