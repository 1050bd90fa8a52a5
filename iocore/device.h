/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device on an I/O core: a model, its durable state, its way to guest memory, interrupts and the
 * switch. Carries requests out so that each takes effect exactly once (state.h).
 *
 * The order in which a request's effects become visible:
 *   1. registers and the record of the request are committed; then the model tells the guest what
 *      is done in its memory (nm_model.committed)
 *   2. shadow cells and the interrupt level are published (IOTP edge H1); lines that fell are
 * lowered
 *   3. the request is completed (C1) or the posted entry freed (T1), by the source
 *   4. interrupts are signalled and frames leave (dev_after)
 *
 * Threads: created and destroyed by the control thread while no core has it; else its core only.
 * Counters are read by any thread.
 */
#ifndef COOPVMM_IOCORE_DEVICE_H
#define COOPVMM_IOCORE_DEVICE_H

#include "../nicmodels/model.h"
#include "../protocol/iotp_ctl.h"
#include "../protocol/iotp_ioc.h"
#include "core.h"
#include "guestmem.h"
#include "irq.h"
#include "state.h"

#define DEV_TX_BURST  NM_TX_BURST
#define DEV_BACKLOG   256 /* frames that wait until the device has room; a power of two */
#define DEV_MSI_BURST 32  /* different messages one call of a model may signal */

struct rte_mbuf;
struct rte_mempool;

struct dev_counters {
    uint64_t reads, writes, posted, strings, unclaimed, failed;
    uint64_t tx_frames, tx_bytes, tx_drops;
    uint64_t rx_frames, rx_bytes, rx_drops;
    uint64_t irqs, commits;
    uint64_t tx_large, rx_large; /* of the frames: those still to be segmented */
};

struct ioc_dev {
    struct nm_dev nm;
    struct ioc_core *core;
    struct sw *sw;
    struct rte_mempool *pool;
    int sw_port; /* -1: not connected */
    const struct guestmem *mem;
    struct state *state;
    struct state_record rec;
    struct iotp_shadow *shadow;
    uint64_t ns_scale; /* nanoseconds in a TSC tick, in units of 2^-32 */
    bool publishes;    /* the model has cells, and the VMM wants them */
    uint32_t valid;    /* as published */
    uint64_t cell[NM_MAX_CELLS];
    struct irq_sink *irq;
    uint32_t irq_level; /* bit a line */
    uint32_t irq_rose;  /* since dev_after */
    uint32_t irq_told;  /* levels the sink knows of; of one that takes levels */
    unsigned nmsi;
    struct dev_msi {
        uint64_t addr;
        uint32_t data;
    } msi[DEV_MSI_BURST];
    bool busy; /* is in core->busy */
    unsigned ntx;
    struct rte_mbuf *tx[DEV_TX_BURST];
    uint32_t rx_head, rx_tail; /* free-running */
    struct rte_mbuf *rx[DEV_BACKLOG];
    struct dev_counters n;
    char name[IOTP_NAME_SIZE];
    _Alignas(64) uint8_t regs[NM_MAX_REGS];
};

/* What dev_create needs to know. */
struct dev_opts {
    const struct iotp_device *d;
    struct ioc_core *core;
    struct rte_mempool *pool;
    const struct guestmem *mem;
    struct iotp_shadow *shadow;
    bool publishes;       /* IOTP_F_SHADOW was agreed on */
    int state_fd;         /* -1: a new device */
    struct irq_sink *irq; /* taken over on success */
};

/**
 * Control. Makes a device, or takes up the one whose state is in state_fd.
 * @param state_fd_out a descriptor of the state's memfd if it is new; the caller's
 * @param why what is wrong and what to do
 * @return 0; -ENODEV (no such model), -EINVAL, -EPROTO (state refused), -ENOMEM
 */
int dev_create(const struct dev_opts *o, struct ioc_dev **out, int *state_fd_out, const char **why);
/** Control. No core has it any more. */
void dev_destroy(struct ioc_dev *d);
/**
 * Control. Plugs it into the switch; frames may come at once. Its MAC is pinned to the port.
 * @return 0 or a negative errno (-EEXIST: another device has that MAC; dev_unplug all the same)
 */
int dev_plug(struct ioc_dev *d, const char *vm, const uint8_t mac[6]);
void dev_unplug(struct ioc_dev *d);

/** Core. Publishes everything anew and signals all lines: after a restart. */
void dev_resume(struct ioc_dev *d);

/** Core. Carries a synchronous request out, up to step 2. */
void dev_request(struct ioc_dev *d, uint32_t vcpu, uint32_t seq, uint8_t *bounce,
                 const struct iotp_req *r, struct iotp_resp *out);
/** Core. Carries a posted write out, up to step 2. */
void dev_posted(struct ioc_dev *d, uint32_t vcpu, const struct iotp_post *p);
/** Core. Step 4. */
void dev_after(struct ioc_dev *d);

/** Core. Was this request carried out by a former process, though not answered? If so *out. */
bool dev_was_done(const struct ioc_dev *d, uint32_t vcpu, uint32_t seq, struct iotp_resp *out);
/** Core. The same for a posted entry. */
bool dev_was_posted(const struct ioc_dev *d, uint32_t vcpu, uint32_t seq);

/** Core. Work that needs no request: frames that waited, the model's own. @return how much */
unsigned dev_poll(struct ioc_dev *d);
static inline bool dev_is_busy(const struct ioc_dev *d)
{
    return d->rx_head != d->rx_tail || (d->nm.model->pending && d->nm.model->pending(&d->nm));
}
/** Core. Takes entry i off the core's busy list. */
void dev_unbusy(struct ioc_core *k, unsigned i);
/** Core. It is about to sleep: the guest is asked to tell of new work. @return false: there is work
 */
bool dev_arm(struct ioc_dev *d);
void dev_disarm(struct ioc_dev *d);
/** Core. Does all the work that an armed device waits for announce itself? Else the sleep is
 * bounded. */
static inline bool dev_wakes(const struct ioc_dev *d)
{
    return d->rx_head == d->rx_tail && d->nm.model->arm;
}
/** Core. The device comes to, or leaves, its core. */
void dev_join(struct ioc_dev *d);
void dev_leave(struct ioc_dev *d);

#endif
