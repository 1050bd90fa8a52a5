/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the test's guest (guest.c) and its device model (spin_test.c) have agreed upon.
 *
 * The guest fetches a command word from PORT_COMMAND, and its argument by a second read; carries it
 * out; writes RESULTS results to PORT_RESULT; begins anew. All ones is no command. Everything is
 * accessed by 32 bits unless said otherwise.
 */
#ifndef COOPVMM_XEN_TESTS_GUEST_H
#define COOPVMM_XEN_TESTS_GUEST_H

#include <stdint.h>

/* The ioreq server that commands come from. */
#define PORT_COMMAND 0x510
#define PORT_RESULT  0x514

/* Targets: ports of the first server, of the server under test, and nobody's. */
#define PORT_STOCK  0x520
#define PORT_SPIN   0x540
#define PORT_NOBODY 0x560
/* A register window of the server under test, and nobody's. */
#define MMIO_SPIN   0xf0000000u
#define MMIO_NOBODY 0xf0010000u

#define RESULTS 3

/* op | count << 8. The argument is the port or the address of the target. */
enum op {
    OP_MEASURE_PORT, /* n times inb: p50, p99, min in TSC cycles */
    OP_MEASURE_MMIO, /* n times a read from memory */
    OP_VERIFY_PORT,  /* n times inl and outl by turns: wrong values, 0, 0 */
    OP_VERIFY_MMIO,  /* n times a read and xchg by turns: wrong values, 0, 0 */
    OP_VERIFY_INS,   /* n times rep insb of STRING_BYTES: wrong bytes, 0, 0 */
    OP_VERIFY_OUTS,  /* n times rep outsb */
    OP_REPLACE_PAGE, /* n times gives a page back to Xen and takes one: failures, 0, 0 */
    OP_SHUTDOWN,     /* powers off, with no result */
};

#define OP_SAMPLES   20000 /* n of OP_MEASURE_*: at most */
#define STRING_BYTES 300

/* The i-th value that the target gives and expects. */
static inline uint32_t pattern(uint32_t i)
{
    return (i + 1) * 2654435761u;
}

#endif
