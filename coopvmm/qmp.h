/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Questions to a QEMU by its machine protocol (docs/interop/qmp-spec.txt of QEMU): JSON, a line
 * each. What it answers is not trusted further than that it is bounded.
 *
 * Threads: one a connection.
 */
#ifndef COOPVMM_QMP_H
#define COOPVMM_QMP_H

#include <jansson.h>
#include <stddef.h>

#define QMP_MAX_LINE (4u << 20) /* bytes */

struct qmp;

/**
 * Connects and negotiates. @param timeout_ms for each answer
 * @return 0 and *out; -ETIMEDOUT; -EPROTO: not QEMU's words; another negative errno
 */
int qmp_open(const char *path, unsigned timeout_ms, struct qmp **out);
void qmp_close(struct qmp *q);

/**
 * Executes a command. @param arguments is released; NULL: none
 * @return 0 and *answer, what "return" was (release it); -EREMOTEIO: QEMU refused; as qmp_open
 */
int qmp_execute(struct qmp *q, const char *command, json_t *arguments, json_t **answer);

#endif
