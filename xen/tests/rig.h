/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The guest in guest.c, ordered about by its device model: two ioreq servers, one as stock Xen has
 * them, one whose vCPU spins. Results go to standard output as "ok - ..." and "not ok - ...".
 */
#ifndef COOPVMM_XEN_TESTS_RIG_H
#define COOPVMM_XEN_TESTS_RIG_H

#include "dm.h"
#include "guest.h"

#define VECTORS 200u /* of BEFORE_INTERRUPT, each once: what is pending already kicks nobody */

/* What happens before a request for a target is answered. */
enum before {
    BEFORE_NOTHING,
    BEFORE_DELAY, /* every other answer comes around the bound, half of it to half as much again */
    BEFORE_TOO_LATE,   /* all of them come too late */
    BEFORE_PAUSE,      /* a hypercall that pauses the domain, synchronously */
    BEFORE_INTERRUPT,  /* an interrupt for the vCPU, which kicks it out of the guest */
    BEFORE_P2M_LOCK,   /* a hypercall that takes the p2m lock */
    BEFORE_MAP,        /* maps a page of the guest */
    BEFORE_TAKE_RANGE, /* the range that the request is for is taken away and given back */
};

struct rig {
    struct dm dm;
    struct server stock, spin;
    uint32_t word[2 + RESULTS];    /* the command, its argument, results */
    unsigned at;                   /* the next of these */
    uint32_t reads, writes, wrong; /* of the target */
    enum before before;
    bool asleep;             /* the device model waits for events */
    uint64_t bound;          /* ns */
    uint64_t patience;       /* ns; a guest that asks nothing for so long is blocked for good */
    uint64_t invalidates[2]; /* that each server has been told of */
    unsigned times;          /* how much of everything */
    int failures;
};

extern struct rig rig;

void say(bool ok, const char *what);

/** Adds both servers; then the domain may be unpaused. Ends the process on a Xen that cannot spin.
 */
void rig_begin(void);

/** Has a command carried out, n times at that port or address; results are in word[2] and on.
 * @return false: the guest does not go on */
bool rig_order(enum op op, uint32_t n, uint32_t at);

/** Requests of either server. @return false: there are none */
bool rig_serve(void);

int run_stock(void);
int run_measure(void);
int run_verify(void);
int run_meanwhile(void);
int run_late(void);
int run_crash(void);
int run_mute(void);

#endif
