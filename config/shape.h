/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Holds a document against the schema, before libcyaml loads it: unknown and missing keys, kinds,
 * numbers and their ranges, words. libcyaml alone would stop at the first error, take "64M" for 64
 * and any word for "true". Internal to config/.
 */
#ifndef COOPVMM_CONFIG_SHAPE_H
#define COOPVMM_CONFIG_SHAPE_H

#include "doc.h"
#include "schema.h"

/** Checks a whole document; everything wrong is reported. */
void shape_check(struct report *r, const struct doc_node *root, const cyaml_schema_value_t *schema);

/**
 * How many letters have to be inserted, deleted, replaced or swapped to make b of a; both at most
 * 31 characters long, else a large number.
 */
unsigned shape_distance(const char *a, const char *b);

#endif
