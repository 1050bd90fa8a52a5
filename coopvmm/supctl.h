/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The supervisor's control socket: DIR/ctl.sock, UNIX SOCK_SEQPACKET. A packet is one JSON object;
 * a client asks, the supervisor answers each packet with one, in order. The connection closes when
 * either side wants; the supervisor's end of it is the end of the testbed.
 *
 *   {"verb": "ps"}               state of the testbed and of each of its processes
 *   {"verb": "info"}             where things are: config, logs, telemetry, namespace
 *   {"verb": "stop"}             begins to stop everything
 *   {"verb": "stop", "vm": NAME} begins to stop one VM
 *   {"verb": "start", "vm": NAME} begins to start one that is over
 *
 * Answers: {"ok": true, ...} or {"ok": false, "error": TEXT}. Only the testbed's user and root may
 * ask: the directory's mode keeps others out, and the peer's credentials are checked again.
 *
 * Threads: none of this is shared; one thread uses a descriptor at a time.
 */
#ifndef COOPVMM_SUPCTL_H
#define COOPVMM_SUPCTL_H

#include <jansson.h>

#define SUPCTL_MAX_REQUEST 4096         /* bytes of a request */
#define SUPCTL_MAX_REPLY   (192u << 10) /* bytes of an answer: about 600 VMs */

/** Listens at a path, mode 0600. @return a non-blocking descriptor or a negative errno */
int supctl_listen(const char *path);
/**
 * Accepts a connection and checks who it is.
 * @return a non-blocking descriptor; -EAGAIN: nobody there; -EACCES: refused (and closed)
 */
int supctl_accept(int listener);
/**
 * Receives one request.
 * @return 0 and *out, an object; -EAGAIN: none yet; -ENOTCONN: the client closed; -EPROTO: not
 *         one JSON object of at most SUPCTL_MAX_REQUEST bytes
 */
int supctl_recv(int fd, json_t **out);
/** Sends an answer and releases it. Never blocks. @return 0 or a negative errno */
int supctl_send(int fd, json_t *answer);
/** An answer that says no. printf-like text. */
json_t *supctl_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** The client's side: connects to DIR/ctl.sock. @return a blocking descriptor or a negative errno
 */
int supctl_connect(const char *dir);
/**
 * Asks and waits for the answer, at most timeout_ms. Releases `request`.
 * @return 0 and *answer, if it says ok; -EREMOTEIO and *answer: it says no and "error" why;
 *         -ETIMEDOUT; -ENOTCONN: the supervisor ended; -EPROTO; another negative errno
 */
int supctl_ask(int fd, json_t *request, int timeout_ms, json_t **answer);
/** Waits until the supervisor closes the connection. @return 0, -ETIMEDOUT or a negative errno */
int supctl_wait_end(int fd, int timeout_ms);

#endif
