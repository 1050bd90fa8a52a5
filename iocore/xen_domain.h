/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A Xen domain that has an ioreq server on an I/O core: the server's life, its devices, the ranges
 * that are theirs. What polls it is source_xen.h, what carries a request out xen_ioreq.h.
 *
 * Life: xen_domain_open (server made or taken up again, page mapped), xen_domain_add for each
 * device, xen_domain_start (server enabled, ports bound), then the source is the core's; at the end
 * xen_domain_close answers what is pending and gives the server up.
 *
 * A process that dies leaves the server behind, enabled: the guest's requests wait. The notebook
 * (struct xen_note), in memory that outlives the process, tells the next one which server it was
 * and how far each vCPU's request was carried out.
 *
 * Threads: opened, added to, started and closed by the control thread while no core has it; else
 * its core only. Counters are read by any thread.
 */
#ifndef COOPVMM_IOCORE_XEN_DOMAIN_H
#define COOPVMM_IOCORE_XEN_DOMAIN_H

#include "../nicmodels/pci_assign.h"
#include "../protocol/iotp_ctl.h"
#include "device.h"
#include "source.h"
#include "xen_dm.h"
#include "xen_mem.h"

/* How far a vCPU's request got; one 64-bit store changes both. */
struct xen_step {
    uint32_t seq;  /* of the step that is being carried out, or was last; steps never repeat one */
    uint32_t done; /* elements of the request that earlier steps carried out */
};

/* A range that Xen knows of, or is about to know or to forget. */
struct xen_told {
    uint64_t base, size;
    uint8_t device; /* index in the domain */
    uint8_t window; /* the how-manyth of the device's */
    uint8_t ports;  /* 1: ports; 0: addresses */
    uint8_t used;   /* stored last */
    uint32_t reserved;
};
#define XEN_MAX_TOLD 120

/* The notebook, in the state memfd that came with DOMAIN. */
struct xen_note {
    uint32_t magic;
    uint16_t version;
    uint16_t domid;
    uint16_t server;
    uint8_t stage; /* enum xen_stage */
    uint8_t spins;
    uint32_t config_address; /* PCI root: what was written to port 0xcf8 */
    struct xen_step vcpu[IOTP_DOMAIN_MAX_VCPUS];
    struct xen_told told[XEN_MAX_TOLD];
};
enum xen_stage { XEN_NO_SERVER = 0, XEN_SERVER_MADE, XEN_SERVER_ENABLED };

/* A window of a device: ports or addresses that Xen sends us, if it is mapped. */
struct xen_range {
    uint8_t region; /* of the device */
    bool ports;
    bool mapped;
    bool refused; /* by Xen, at this very place */
    uint64_t base, size;
    struct xen_told *told; /* its entry in the notebook, while it is mapped */
};

struct xen_dev {
    struct ioc_dev *dev;
    uint8_t index; /* in the domain */
    uint8_t slot;  /* on bus 0; 0: an ISA device */
    uint8_t irq;   /* ISA */
    unsigned nranges;
    struct xen_range range[IOTP_MAX_WINDOWS];
    struct iotp_shadow shadow; /* nobody reads it: a device wants one */
};

struct xen_counters {
    uint64_t notifies;    /* answers that Xen was told of */
    uint64_t unnotified;  /* answers a vCPU was spinning for */
    uint64_t upcalls;     /* event-channel interrupts taken */
    uint64_t invalidates; /* IOREQ_TYPE_INVALIDATE */
    uint64_t refused;     /* ranges that Xen refused: the guest put two devices into one place */
    struct hist notify;   /* TSC ticks a notification takes */
};

struct xen_domain {
    struct ioc_source src; /* first: what the core sees */
    struct xen_dm *dm;
    uint16_t domid, server;
    uint32_t flags; /* IOTP_DOMAIN_* */
    bool spins;     /* Xen lets vCPUs spin for this server's answers */
    bool has_server;
    bool bound;    /* the ports are */
    bool taken;    /* it is a former process's, and has what that one gave it */
    bool resuming; /* the next step may have been carried out by a former process */
    unsigned nvcpus, ndevs;
    struct ioreq *slot;    /* [nvcpus] Xen's page */
    struct xen_note *note; /* mapped */
    struct ioc_dev *after; /* the device the request in hand was for */
    struct guestmem mem;   /* through the cache */
    struct xen_mem *cache;
    struct src_stats *stats;                /* [nvcpus] */
    struct ioc_dev *dev[IOTP_MAX_DEVICES];  /* NULL: none */
    struct xen_dev *xdev[IOTP_MAX_DEVICES]; /* the same ones */
    int port[IOTP_DOMAIN_MAX_VCPUS];        /* event channels, this side's */
    bool unmasked[IOTP_DOMAIN_MAX_VCPUS];
    struct xen_counters n;
};

/**
 * Makes an ioreq server, or takes up the one in the notebook.
 * @param note_fd the state memfd; stays the caller's
 * @param why what is wrong and what to do
 * @return 0; -ENODEV, -EPERM, -EACCES, -EPROTO (notebook refused), -ESRCH (no such domain), -errno
 */
int xen_domain_open(const struct iotp_domain *q, int note_fd, struct xen_domain **out,
                    const char **why);
/** Answers what is pending with all ones, gives the server up. Devices stay the caller's, and must
 * be gone already: their interrupt lines need the domain. */
void xen_domain_close(struct xen_domain *x);
/** Takes the server out of the guest's sight: no new requests. Before the devices go. Idempotent.
 */
void xen_domain_stop(struct xen_domain *x);

/**
 * A device's entry, for what it is created with (shadow, interrupts).
 * @return 0; -EINVAL (slot), -ENOMEM; *why
 */
int xen_domain_prepare(struct xen_domain *x, const struct iotp_device *q, bool pci,
                       struct xen_dev **out, struct irq_sink **irq, const char **why);
/** Its ranges become the guest's. @return 0; -EEXIST: slot or ports are taken; -errno; *why */
int xen_domain_add(struct xen_domain *x, unsigned index, struct xen_dev *xd, struct ioc_dev *dev,
                   const char **why);
/** Gives the devices addresses where no firmware does, enables the server, binds the ports. */
int xen_domain_start(struct xen_domain *x, const char **why);

/** Core, or control before start. The guest moved or switched windows: Xen is told. */
void xen_domain_follow(struct xen_domain *x, struct xen_dev *xd);
/* Control. The rest of xen_ranges.c: a device goes; it takes up what it had before a restart; all
 * that the notebook still has, of devices that did not come back, goes. */
void xen_ranges_leave(struct xen_domain *x, struct xen_dev *xd);
void xen_ranges_resume(struct xen_domain *x, struct xen_dev *xd);
void xen_ranges_forget(struct xen_domain *x);

/** The device's interrupts as this domain takes them. */
struct irq_sink *xen_irq_new(struct xen_domain *x, const struct xen_dev *xd);

#endif
