/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device model that runs in the VMM's own process, for the placements "inline" and "blocking":
 * the baselines the I/O cores are compared with, and what small machines use. The model is the
 * same; its network is a tap of its own.
 *
 * Threads: any vCPU, and a reader thread (the tap's frames, the model's timers); one lock a device.
 */
#ifndef COOPVMM_LOCAL_H
#define COOPVMM_LOCAL_H

#include <pthread.h>
#include <stdio.h>

#include "../iocore/guestmem.h"
#include "../nicmodels/model.h"
#include "bus.h"

struct local_dev {
    struct bus_dev bus;
    struct nm_dev nm;
    struct guestmem mem;
    pthread_mutex_t lock;
    uint32_t irq_level; /* lines asserted */
    int irq_fd;         /* the engine's */
    int tap_fd;         /* -1: not connected */
    int wake_fd;        /* eventfd: the reader looks at quit, and whether the model has work */
    bool quit;          /* atomic */
    bool pending;       /* the model has work, and the reader knows */
    pthread_t reader;
    bool reading;
    _Alignas(64) uint8_t regs[NM_MAX_REGS];
};

/** Makes the model, its tap and reader. @return 0 or a negative errno (said on `err`) */
int local_init(struct local_dev *l, struct vm *vm, const struct cfg_device *c,
               const struct placement *place, FILE *err);
/** Carries a request out under the device's lock. */
void local_request(struct local_dev *l, unsigned vcpu, const struct iotp_req *r,
                   struct iotp_resp *out);
void local_fini(struct local_dev *l);

/** Makes a device of placement inline or blocking and adds it to the bus. @return as local_init */
int inline_create(struct vm *vm, const struct cfg_device *c, FILE *err);
int blocking_create(struct vm *vm, const struct cfg_device *c, FILE *err);

#endif
