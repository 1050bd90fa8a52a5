/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device-model interface: what a device is to the rest of coopvmm.
 *
 * A model is a table of functions over its own state. It knows nothing of VMMs, rings or threads;
 * its only way out is the environment (struct nm_env). The same model runs on an I/O core, on the
 * vCPU's own thread (placement "inline") and behind a thread hand-off ("blocking").
 *
 * State comes in two parts, so that an I/O core can be killed at any instruction:
 *   regs  a plain struct (no pointers), private to whoever runs the model. The runner copies it to
 *         durable memory after each call that set nm_dev.changed: the *commit*.
 *   ram   memory of the device (packet buffers), always durable, written in place.
 * A call may be repeated from the last committed regs, so what it does to ram and to guest memory
 * must come out the same when repeated. Frames given to env->tx leave only after the commit.
 *
 * A guest that polls its memory (descriptor rings) must not see there what is not committed: it
 * would go on from there, and a successor would start from before. So a model notes in regs and ram
 * what it is going to tell, and tells it when it is called back after the commit (committed).
 *
 * Threads: a device is driven by one thread at a time; models have no locks. On the fast path
 * (access, poll, receive) they neither allocate nor make system calls.
 * Everything the guest controls is hostile: any access sequence is answered as hardware would.
 */
#ifndef COOPVMM_NICMODELS_MODEL_H
#define COOPVMM_NICMODELS_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NM_MAX_FRAME     1518 /* bytes of an Ethernet frame without FCS, with one VLAN tag */
#define NM_MIN_FRAME     60   /* bytes without FCS; shorter ones are padded by whoever receives */
#define NM_MAX_REGIONS   8    /* numbered as enum iotp_region in protocol/iotp.h */
#define NM_REGION_ROM    6
#define NM_REGION_CONFIG 7
#define NM_MAX_CELLS     30   /* shadowed registers a model may declare */
#define NM_MAX_REGS      2048 /* bytes of regs a model may have */
#define NM_TX_BURST      32   /* frames one call of a model may send: there is room for so many */

struct nm_dev;
struct nm_tso; /* offload.h */

/** Reads `len` bytes of a frame, from `at` on. @return false: they are not all there */
typedef bool (*nm_read_fn)(const void *from, uint32_t at, void *to, uint32_t len);

/* Outcome of an access; the values are those of enum iotp_status. */
enum nm_status {
    NM_DONE = 0,
    NM_UNCLAIMED = 1, /* nothing at that offset: reads give all ones */
    NM_FAILED = 2,    /* string I/O met guest memory that is not there */
};

/* One access, single or string. */
struct nm_access {
    uint64_t offset; /* within the region, bytes */
    uint64_t data;   /* in: value to write; out: value read, zero-extended */
    uint32_t count;  /* string: elements wanted; single: 1 */
    /* Out, string: elements transferred. May be fewer: the caller asks again. 0 if the next one has
     * to wait for the commit of what went before in the same request (nm_dev.changed is set). */
    uint32_t done_count;
    uint8_t region;
    uint8_t size; /* bytes an element: 1, 2, 4 or 8 */
    bool write;   /* guest to device */
    /* String I/O: element i lies at `mem` + i * size, or - i * size if `down`. The runner has made
     * `mem` accessible; it is host memory of exactly count * size bytes. NULL: a single access. */
    uint8_t *mem;
    bool down;
};

/* The model's way out. All functions may be called from access, poll and receive only. */
struct nm_env {
    /**
     * Guest-physical to host address, for DMA. Bounds-checked on every use.
     * @param len in: bytes wanted; out: bytes that are contiguous from there (1 to *len)
     * @return NULL if there is no memory at gpa (*len is untouched).
     */
    void *(*dma)(struct nm_dev *d, uint64_t gpa, uint64_t *len, bool write);
    /** Sets an interrupt line (0 = INTA# or the ISA line). Called on changes only or always. */
    void (*irq)(struct nm_dev *d, unsigned line, bool level);
    /** Sends a message-signalled interrupt. */
    void (*msi)(struct nm_dev *d, uint64_t addr, uint32_t data);
    /**
     * Sends a frame (without FCS, NM_MIN_FRAME padding not needed). Copied before it returns.
     * It leaves after the commit. @return false if there was no room: the frame is lost.
     */
    bool (*tx)(struct nm_dev *d, const void *frame, size_t len);
    /**
     * Sends a TCP segment that is still to be segmented, as `t` says: hdr_len + payload bytes, read
     * from `from` before it returns. IP's length and checksum are right for the whole, TCP's
     * checksum field holds the pseudo header's sum. @return false, or the function NULL: the model
     * segments it and sends each segment.
     */
    bool (*tx_large)(struct nm_dev *d, const struct nm_tso *t, nm_read_fn read, const void *from);
    /**
     * Nanoseconds since some moment; does not go back. A process that takes the device over, or a
     * loaded state, may know another moment: a deadline further off than the longest delay there is
     * has to be taken for over.
     */
    uint64_t (*now)(struct nm_dev *d);
};

/* A range of registers with a property, in a model's constant table. An access has it only if all
 * of its bytes lie in one range. */
struct nm_reg_range {
    uint8_t region;
    uint8_t flags;   /* NM_REG_* */
    uint16_t length; /* bytes */
    uint32_t offset;
};
/* nm_reg_range.flags: writes need no answer; the guest cannot tell that they took effect later. */
#define NM_REG_POSTED 1
/* A write says only that there is work in guest memory, whatever is written: polling finds it. So
 * it will do to wake whoever polls. */
#define NM_REG_KICK 2

/* A register whose value is published, so that reading it needs no request. Reads must be free of
 * side effects whatever state the device is in; while they are not, the cell is marked invalid. */
struct nm_reg_cell {
    uint8_t region;
    uint8_t size; /* the access size that is answered: 1, 2, 4 or 8 */
    uint32_t offset;
};

/* A window the device answers in the guest's address spaces. */
enum nm_space { NM_SPACE_NONE = 0, NM_SPACE_PIO, NM_SPACE_MMIO };
struct nm_window {
    uint8_t region;
    uint8_t space; /* enum nm_space */
    uint64_t size; /* bytes */
    uint64_t base; /* where it is now; a PCI BAR: only if enabled (else space NONE) */
};

/* What the configuration says of a device; unused fields are zero. */
struct nm_params {
    uint8_t mac[6];
    uint16_t io_base;   /* ISA: first port; 0: the model's default */
    uint64_t mmio_base; /* ISA: the port window also at this guest-physical address; 0: nowhere */
    uint8_t irq;        /* ISA: line; 0: the model's default */
    uint8_t queues;     /* queue pairs of a device that can have several; 0: one */
    bool pci;           /* set by the model: it is a PCI function */
};

struct nm_model {
    const char *name;  /* as in the config file: "ne2000", "virtio-net" */
    const char *title; /* for people: "NE2000 (DP8390), ISA" */
    uint32_t version;  /* of regs' layout; raised with each change to it */
    uint32_t regs_size;
    uint32_t ram_size; /* bytes; zeroed at power-on */
    bool pci;
    bool multiqueue; /* heeds nm_params.queues */
    const struct nm_reg_range *ranges;
    unsigned nranges;
    const struct nm_reg_cell *cells;
    unsigned ncells; /* at most NM_MAX_CELLS */

    /** Power-on: regs and ram are zeroed. @return 0; -EINVAL: *why says which parameter and why. */
    int (*init)(struct nm_dev *d, const struct nm_params *p, const char **why);
    /** Hardware reset (the bus's reset line). */
    void (*reset)(struct nm_dev *d);
    /** One access. Sets a->data (reads) and a->done_count (strings). */
    enum nm_status (*access)(struct nm_dev *d, struct nm_access *a);
    /** Work that needs no request. May be NULL. @return how much was done, 0 if nothing. */
    unsigned (*poll)(struct nm_dev *d);
    /** Is there work for poll, now or (a timer runs) later? poll is called while there is. With
     * poll, not without. */
    bool (*pending)(const struct nm_dev *d);
    /**
     * The registers were committed: tells the guest, in its memory, what they say is done.
     * Comes before interrupts are signalled and the request is answered. Changes no regs; what was
     * told is noted in ram, at once, since after a restart it is called again. May be NULL.
     */
    void (*committed)(struct nm_dev *d);
    /**
     * The runner will not call poll any more unless something happens: asks the guest to notify of
     * what it makes available, by an access. May send interrupts that were held back. @return
     * false: there is work already. NULL: the model cannot; while its `pending` says so it has to
     * be polled now and then.
     */
    bool (*arm)(struct nm_dev *d);
    /** The runner polls from now on: the guest need not notify. NULL: it is not told. A device
     * begins armed. */
    void (*disarm)(struct nm_dev *d);
    /**
     * Registers and ram come from a former process: brings them up to what that had shown to the
     * guest, and signals what it may not have. After validate, before anything else. May be NULL.
     */
    void (*resume)(struct nm_dev *d);
    /** Would receive accept a frame of len bytes now? A frame is offered again later if not. */
    bool (*can_receive)(const struct nm_dev *d, size_t len);
    /**
     * A frame waits because can_receive said no: sees to it that the guest will look, should
     * nothing that is pending tell it to. Without it a guest that has acknowledged its interrupt
     * but left packets in a full ring would wait for the frame, and the frame for the guest. May be
     * NULL.
     */
    void (*waiting)(struct nm_dev *d);
    /** A frame from the network, without FCS. May be dropped, as hardware would. */
    void (*receive)(struct nm_dev *d, const void *frame, size_t len);
    /** Does the driver take TCP segments that are still to be segmented? NULL: never. */
    bool (*takes_large)(const struct nm_dev *d, bool ipv6);
    /** Such a one, as env->tx_large has it: hdr_len + payload bytes. With takes_large. */
    void (*receive_large)(struct nm_dev *d, const struct nm_tso *t, const void *frame);
    /**
     * Fills cell[ncells] with what reads would give now.
     * @return bit i: cell i is valid.
     */
    uint32_t (*publish)(const struct nm_dev *d, uint64_t *cell);
    /** The windows the device answers now. @return their number (0 to max). */
    unsigned (*windows)(const struct nm_dev *d, struct nm_window *w, unsigned max);
    /**
     * Checks regs that come from outside (a saved state): every index, length and enumeration in
     * range, so that no later access can leave ram. @return 0, or -EPROTO and *why.
     */
    int (*validate)(const struct nm_dev *d, const char **why);
    /**
     * The levels of the interrupt lines now, bit n for line n. A runner that loaded a state
     * (nm_load) sets its lines to it: env->irq is not called by a load. May be NULL: all low.
     */
    uint32_t (*lines)(const struct nm_dev *d);
};

/* A device. The runner embeds or points to it; `runner` finds its own struct again. */
struct nm_dev {
    const struct nm_model *model;
    void *regs;   /* model->regs_size bytes */
    uint8_t *ram; /* model->ram_size bytes */
    const struct nm_env *env;
    void *runner;
    bool changed; /* the model sets it when regs changed; the runner clears it */
};

/** For init. @return 0; -EINVAL and *why: not an address a station can have. */
int nm_check_mac(const uint8_t mac[6], const char **why);

/** Finds a model by name. @return NULL if there is none. */
const struct nm_model *nm_model_find(const char *name);
/** All models: @return the i-th, NULL past the end. */
const struct nm_model *nm_model_at(unsigned i);

/*
 * Saving and loading: a self-describing image, magic, model name, version, sizes, regs, ram.
 * Little-endian; refused (never guessed at) if any of these differ.
 */
size_t nm_save_size(const struct nm_dev *d);
/** @return bytes written, -ENOSPC if `size` is too small. */
long nm_save(const struct nm_dev *d, void *image, size_t size);
/** @return 0; -EPROTO and *why (state untouched). */
int nm_load(struct nm_dev *d, const void *image, size_t size, const char **why);

#endif
