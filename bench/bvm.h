/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A VM for benchmarks: everything of a real one (bus, placements, the link to the I/O core) but an
 * engine. The measuring thread itself plays the vCPU and calls vm_io() as an engine would, so what
 * is measured is a request's way without the trap that leads to it. One device: an NE2000, if not
 * told.
 */
#ifndef COOPVMM_BENCH_BVM_H
#define COOPVMM_BENCH_BVM_H

#include <stdio.h>

#include "../coopvmm/bus.h"
#include "../coopvmm/vm.h"
#include "guard.h"
#include "stats.h"

/* NE2000's registers, at its default ports (DP8390 data sheet, "Register address assignments"). */
#define BVM_PORT_FIFO  0x306 /* page 0 read: no side effect outside loopback; never shadowed */
#define BVM_PORT_RSAR0 0x308 /* page 0 write: remote start address; posted */
#define BVM_PORT_BNRY  0x303 /* page 0 read: shadowed */

struct bvm {
    struct vm *vm; /* NULL: not there */
    struct guard *guard;
    struct cfg_vm c;
    struct cfg_device dev;
    int core;
    char name[24], mac[24], model[24];
};

/**
 * Makes one.
 * @param number 0 to 65535: its name and MAC
 * @param sock where the I/O-core process listens; unused by the other placements
 * @return 0; a negative errno (said on `err`)
 */
int bvm_create(struct bvm *b, unsigned number, enum cfg_placement place, const char *sock,
               struct guard *g, FILE *err);
/** The same with another model of `nicmodels/` than the NE2000, by its name there. */
int bvm_create_model(struct bvm *b, unsigned number, enum cfg_placement place, const char *model,
                     const char *sock, struct guard *g, FILE *err);
/** Harmless if it is not there. */
void bvm_destroy(struct bvm *b);

/** One `inb` or `outb`, as an engine would carry it out. @return 0, -ECANCELED */
static inline int bvm_inb(const struct bvm *b, uint16_t port)
{
    struct vm_io io = {.space = VM_PIO, .addr = port, .size = 1, .count = 1};

    return vm_io(b->vm, 0, &io);
}
static inline int bvm_outb(const struct bvm *b, uint16_t port, uint8_t value)
{
    struct vm_io io = {
        .space = VM_PIO, .addr = port, .size = 1, .count = 1, .write = true, .data = value};

    return vm_io(b->vm, 0, &io);
}

/** Samples n reads of a port, after some that do not count. @return 0, -ECANCELED */
int bvm_sample(const struct bvm *b, uint16_t port, struct series *s, size_t n);

#endif
