/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A YAML document as a small tree that remembers lines: libyaml's parser events, kept. libcyaml
 * fills the structs, but tells neither lines nor more than one error, and cannot say which keys
 * were there; this tree does. Internal to config/.
 *
 * The limits make hostile files cheap: no aliases (so no alias bombs), and caps on depth and on the
 * number of children. Control characters are refused, so texts are safe to print as they are.
 */
#ifndef COOPVMM_CONFIG_DOC_H
#define COOPVMM_CONFIG_DOC_H

#include <stddef.h>
#include <stdint.h>

#include "report.h"

#define DOC_MAX_SIZE  (1u << 20) /* bytes of a file */
#define DOC_MAX_DEPTH 16
#define DOC_MAX_KEYS  64   /* in a mapping */
#define DOC_MAX_ITEMS 1024 /* in a sequence */

enum doc_kind { DOC_SCALAR, DOC_MAPPING, DOC_SEQUENCE };

struct doc_node {
    enum doc_kind kind;
    unsigned line;  /* from 1; of the key, if it has one */
    unsigned index; /* child of a sequence: which */
    unsigned count; /* children */
    char *key;      /* child of a mapping: its key; else NULL */
    char *text;     /* DOC_SCALAR: its value; else NULL */
    struct doc_node *parent, *first, *last, *next;
};

/**
 * Parses a document. Errors are reported.
 * @return 0 and *root (release with doc_free); -EINVAL, -ENOMEM
 */
int doc_parse(const uint8_t *data, size_t len, struct report *r, struct doc_node **root);
void doc_free(struct doc_node *root);

/** The child of a mapping with that key. @return NULL if there is none, or `n` is NULL. */
const struct doc_node *doc_get(const struct doc_node *n, const char *key);
/** The i-th child. @return NULL if there is none, or `n` is NULL. */
const struct doc_node *doc_at(const struct doc_node *n, unsigned i);

#endif
