/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A client of DPDK's telemetry socket (DPDK programmer's guide, "Telemetry Library"): UNIX
 * SOCK_SEQPACKET; on connecting the server sends {"version", "pid", "max_output_len"}; then each
 * request is one packet "/command,parameters", each answer one packet {"/command": VALUE}, and
 * VALUE is null if the command or its parameters are wrong. The server serves ten clients at a
 * time.
 *
 * What comes from the socket is not trusted: the I/O-core process at its other end handles what
 * guests say. Sizes, counts and times are bounded.
 *
 * Threads: one thread uses a client at a time.
 */
#ifndef COOPVMM_TELCLIENT_H
#define COOPVMM_TELCLIENT_H

#include <jansson.h>

#define TELCLIENT_MAX_REQUEST 1024       /* bytes, as in DPDK */
#define TELCLIENT_MAX_ANSWER  (1u << 20) /* bytes; DPDK 22.11 sends at most 16 KiB */
#define TELCLIENT_MAX_ITEMS   65536      /* of a paged list */

struct telclient {
    int fd;
    char *buf;
    size_t size;
};

/**
 * Connects and takes the greeting.
 * @param timeout_ms of this and each later answer
 * @return 0; -ENOENT, -ECONNREFUSED: nobody serves there; -EBUSY: too many clients; -ETIMEDOUT;
 *         -EPROTO: it is no telemetry socket; another negative errno
 */
int telclient_open(struct telclient *t, const char *path, int timeout_ms);
void telclient_close(struct telclient *t);

/**
 * Asks one command.
 * @param params after the comma, NULL: none
 * @return 0 and *value; -ENOENT: answered with null; -ENOTCONN: the server is gone; -ETIMEDOUT;
 *         -EPROTO: not the answer to this request; -EMSGSIZE: it or the request is too long
 */
int telclient_ask(struct telclient *t, const char *command, const char *params, json_t **value);
/**
 * Asks a list of iocore/telemetry.h, page by page.
 * @return 0 and *items, an array in the order of the items' numbers; as above
 */
int telclient_list(struct telclient *t, const char *command, const char *params, json_t **items);

#endif
