/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device's durable state: the memfd that outlives the I/O-core process.
 *
 * The VMM keeps the descriptor and hands it to the next I/O-core process. Two images of the
 * device's registers stand in it, one of them current; a commit writes the other and then makes it
 * current with one store. With the registers goes a record of the request that led to them, so that
 * "executed but not yet answered" is told from "not executed": each request takes effect exactly
 * once, however the process dies. The device's own memory (ram) follows and is written in place.
 *
 * The VMM can write this memory, so a loaded state is checked (nm_model.validate), and while a
 * device runs its registers are private: nothing is read back.
 *
 * Threads: the I/O core that owns the device.
 */
#ifndef COOPVMM_IOCORE_STATE_H
#define COOPVMM_IOCORE_STATE_H

#include "../nicmodels/model.h"
#include "../protocol/iotp_vmm.h"

/* What the registers of an image are the result of. */
enum state_kind { STATE_NOTHING = 0, STATE_SYNC = 1, STATE_POSTED = 2 };

struct state_record {
    uint64_t consumed; /* posted writes carried out on this device so far */
    uint64_t data;     /* STATE_SYNC: the answer */
    uint32_t kind;     /* enum state_kind */
    uint32_t vcpu;
    uint32_t seq; /* STATE_SYNC: req_seq; STATE_POSTED: the entry's seq */
    uint32_t done_count;
    uint32_t status;
    uint32_t irq_level; /* lines asserted */
};

struct state; /* one mapped state memfd */

/** Bytes a model's state memfd has. */
uint64_t state_size(const struct nm_model *m);

/**
 * Maps a state memfd. The descriptor stays the caller's.
 * @param fresh it is new and zeroed: it gets a header and stays otherwise empty
 * @return 0; -EPROTO and *why: not a state of this model and version
 */
int state_map(int fd, const struct nm_model *m, bool fresh, struct state **out, const char **why);
void state_unmap(struct state *s);

/** The device's ram, in the mapping. */
uint8_t *state_ram(struct state *s);

/** Copies the current image into regs and *rec. @return false if nothing was ever committed. */
bool state_load(const struct state *s, void *regs, struct state_record *rec);

/** Makes regs and *rec durable, at once and together. */
void state_commit(struct state *s, const void *regs, const struct state_record *rec);

#endif
