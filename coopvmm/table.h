/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Small tables for eyes: a header line, then rows, columns padded to their widest cell and kept two
 * spaces apart. A column whose cells all are numbers (or "-", or empty) is set flush right.
 *
 *   static const char *const head[] = {"VM", "vCPU", "CPU"};
 *   struct table *t = table_new(head, 3);
 *   table_cell(t, "%s", vm->name);
 *   table_cell(t, "%u", i);
 *   table_cell(t, "%d", vm->cores[i]);
 *   table_print(t, stdout);
 *   table_free(t);
 *
 * Running out of memory is remembered, and table_print then says so (-ENOMEM): the calls in between
 * need no checks, and a NULL table is accepted everywhere.
 * Threads: a table belongs to one thread. Widths are counted in UTF-8 code points.
 */
#ifndef COOPVMM_TABLE_H
#define COOPVMM_TABLE_H

#include <stdio.h>

struct table;

/**
 * @param headers n column titles; the strings must outlive the table
 * @param n columns, 1 to 32
 * @return the table, or NULL (out of memory, or n out of range)
 */
struct table *table_new(const char *const *headers, unsigned n);
void table_free(struct table *t);

/** Adds the next cell; the first cell after a full row begins the next row. */
void table_cell(struct table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** Leaves the rest of the current row empty. Does nothing at the beginning of a row. */
void table_end_row(struct table *t);
/** @return rows begun so far. */
unsigned table_rows(const struct table *t);

/**
 * Prints the table; headers alone if it has no rows. A row that was not filled ends early.
 * @return 0, -ENOMEM if a cell was lost, -EIO if writing failed
 */
int table_print(const struct table *t, FILE *out);

#endif
