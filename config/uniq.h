/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What may be there only once: a set of texts, each with where it came from. Search trees of libc
 * (tsearch), so that a file of a thousand VMs is not compared a million times. Internal to config/.
 */
#ifndef COOPVMM_CONFIG_UNIQ_H
#define COOPVMM_CONFIG_UNIQ_H

struct uniq {
    void *root; /* zeroed: empty */
};

struct uniq_entry {
    char *text;
    char *owner;   /* who had it first, for messages: "I/O core io0" */
    unsigned line; /* where, 0: not written in the file (a default) */
};

/**
 * Enters `text` (printf-like) for its owner. Out of memory is treated as "not seen".
 * @return the entry that was there before; NULL: it is new
 */
const struct uniq_entry *uniq_add(struct uniq *u, const char *owner, unsigned line, const char *fmt,
                                  ...) __attribute__((format(printf, 4, 5)));
void uniq_clear(struct uniq *u);

#endif
