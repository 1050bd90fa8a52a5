/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What model.h says of every model, checked over random sequences of whatever a guest and the
 * network may do. A suite gives the sequences: steps that lead somewhere with its model.
 */
#ifndef COOPVMM_TESTS_PROPS_RIG_H
#define COOPVMM_TESTS_PROPS_RIG_H

#include "nm_rig.h"

enum props_kind {
    PROPS_ACCESS,
    PROPS_STRING, /* on `bytes` */
    PROPS_FRAME,  /* `bytes`, `len` of them, from the network */
    PROPS_POLL,
    PROPS_RESET,
    PROPS_GUEST, /* no call: what the guest does to its memory */
};

struct props_step {
    enum props_kind kind;
    struct nm_access a; /* its `mem` is set when the step is made */
    uint8_t bytes[NM_MAX_FRAME];
    size_t len;
    uint64_t ns;  /* that pass behind it */
    uint64_t arg; /* the suite's own, for `beside` */
};

struct props {
    const char *model;
    /** Powers a device up and starts it as a driver does. */
    void (*start)(struct rig *g);
    /** Makes a step up; *t is zeroed. `now` is a device as it is before the step. */
    void (*step)(uint64_t *seed, struct props_step *t, struct rig *now);
    /** Behind each step, when it is committed: what is the guest's part of it. */
    void (*beside)(struct rig *g, const struct props_step *t);
    unsigned stride; /* all memory is compared every so many steps; the rest always */
};

/* How often there was something to see. */
struct props_seen {
    unsigned posted; /* writes that may be posted */
    unsigned cells;  /* valid shadow cells */
    unsigned idle;   /* steps behind which nothing was pending */
    unsigned sent;   /* frames */
};

/** A step as a runner does it: call, commit, what happens beside. */
void props_do(const struct props *p, struct rig *g, struct props_step *t);

/** Two devices that came to the same: state, line, frames; guest memory too if `all`. */
bool props_same(const struct rig *a, const struct rig *b, bool all);

/**
 * model.h's recovery rule: killed in mid-call, regs go back to the last commit, memory does not,
 * and the call is repeated; killed behind the commit, `committed` comes twice. Either way it comes
 * out as if nobody had died. @return frames sent
 */
unsigned props_replay(const struct props *p, uint64_t seed, unsigned steps);

/** Saved at any moment, loaded into another device: both go on alike. */
void props_save_load(const struct props *p, uint64_t seed, unsigned steps);

/**
 * Changed regs are told of; a call sends no more than a runner keeps; posted writes do not lower
 * the line; cells are what reads give, and reads of them do nothing; validate accepts what the
 * device itself comes to; the line is what `lines` says; without pending work there is none.
 */
struct props_seen props_promises(const struct props *p, uint64_t seed, unsigned steps);

#endif
