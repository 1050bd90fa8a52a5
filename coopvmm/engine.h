/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine interface: what makes a guest's code run and its traps arrive.
 *
 * A VM lives in a process of its own (`coopvmm-vm`). The engine owns the vCPU threads and calls
 * vm_io() for each trapped access; everything behind that call (routing, placement, IOTP) is the
 * same for all engines.
 *
 * What a stock kernel sees on platform "pc": pc.h.
 * What a freestanding guest sees, with each engine alike (docs/architecture.md, "Guest contract"):
 * guest-physical memory from 0 to `memory`, identity-mapped; vCPUs enter the ELF's 64-bit entry
 * point in long mode, RBX = guest-physical address of struct hvm_start_info, RSI = vCPU number;
 * ports 0xe9 (console), 0x501 (exit with status); interrupt line n of a device arrives as an edge
 * on vector 0x20 + n at vCPU 0; local APIC in x2APIC mode (EOI, ID, ICR fixed IPIs).
 */
#ifndef COOPVMM_ENGINE_H
#define COOPVMM_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../config/config.h"
#include "../protocol/iotp_ctl.h"

struct vm;
struct pc;

/* Where an access goes. */
enum vm_space { VM_PIO, VM_MMIO };

/* One trapped access, or a string of them. */
struct vm_io {
    enum vm_space space;
    bool write;
    bool string; /* count elements between addr and memory at mem */
    bool down;   /* string: addresses descend from mem */
    bool bounce; /* string: mem is an offset in the vCPU's bounce buffer, see vm_bounce() */
    uint8_t size;
    uint32_t count;
    uint32_t done_count; /* out */
    uint64_t addr;       /* port, or guest-physical address */
    uint64_t mem;        /* string: guest-physical address of the first element */
    uint64_t data;       /* in or out */
};

/**
 * Carries an access out; returns when the guest may go on. An access that nothing claims reads all
 * ones and ignores writes. One that crosses a device's end is split at it.
 * Thread: the vCPU's own; async-signal-safe.
 * @return 0; -ECANCELED: the VM is stopping
 */
int vm_io(struct vm *vm, unsigned vcpu, struct vm_io *io);

/** This vCPU's bounce buffer of IOTP_BOUNCE_SIZE bytes. */
uint8_t *vm_bounce(struct vm *vm, unsigned vcpu);

/*
 * Guest memory: one piece here, and one for the guest from guest-physical 0 on, unless it is so
 * large that a PC's hole (pc.h) cuts it in two: then the rest is at VM_HIGH.
 */
struct vm_mem {
    uint8_t *host; /* where it is mapped here */
    uint64_t size; /* bytes */
    uint64_t low;  /* bytes from guest-physical 0 on; the rest from VM_HIGH on */
    int fd;        /* memfd, sealed against shrinking */
};
#define VM_HIGH (1ull << 32)

/**
 * Where guest-physical `gpa` is here.
 * @param len in: bytes wanted; out: how many are contiguous from there. NULL: one
 * @return NULL if there is no memory
 */
static inline uint8_t *vm_mem_at(const struct vm_mem *m, uint64_t gpa, uint64_t *len)
{
    uint64_t offset = gpa < VM_HIGH ? gpa : gpa - VM_HIGH + m->low;
    uint64_t end = gpa < VM_HIGH ? m->low : m->size;

    if (offset >= end)
        return NULL;
    if (len && *len > end - offset)
        *len = end - offset;
    return m->host + offset;
}

/* Ways for a device's messages, as IOTP's MSI wants them: table, doorbell, an eventfd a route. */
struct vm_messages {
    unsigned nroutes;
    int fd[2 + IOTP_MAX_ROUTES]; /* the engine's */
};

struct vm_engine {
    const char *name;
    const char *title;
    /**
     * Can it run here? Tried for real, not looked up.
     * @param found what was found, for people (256 bytes)
     * @return 0 or a negative errno
     */
    int (*probe)(char found[256]);
    /**
     * Can that VM's guest run here? NULL: whatever probe accepts.
     * @param why if not, for people (256 bytes)
     * @return 0 or -ENOTSUP
     */
    int (*suits)(const struct cfg_vm *c, char why[256]);
    /** Creates the engine's state; vm->mem is there, nothing runs. Sets vm->engine_state. */
    int (*create)(struct vm *vm);
    /** Loads the kernel, starts the vCPU threads, pins them. */
    int (*start)(struct vm *vm);
    /** Makes all vCPU threads leave and joins them; others of the engine, too. Also before start.
     */
    void (*stop)(struct vm *vm);
    void (*destroy)(struct vm *vm);
    /**
     * A descriptor for interrupt line `line`: writing 8 bytes to it raises the line's vector.
     * The engine keeps it; IOTP passes a duplicate to the I/O core.
     * @return it, or a negative errno
     */
    int (*irq_fd)(struct vm *vm, unsigned line);
    /**
     * A device's levels, which a line that takes levels follows: when its descriptor is written to,
     * and at irq_look. `level` is read by a thread of the engine's until `stop`. NULL: lines are
     * edges
     */
    int (*irq_level)(struct vm *vm, unsigned line, const uint32_t *level);
    /**
     * A device's level may have changed: the line follows it before this returns. Called by a
     * vCPU's thread whose request was answered, before the guest goes on, or by whoever changed it.
     * @return false: the line takes edges. NULL: all do
     */
    bool (*irq_look)(struct vm *vm, unsigned line);
    /** Makes ways for the messages of one device more. NULL, or -ENOTSUP: there are none, a message
     * is an edge on the device's line */
    int (*messages)(struct vm *vm, struct vm_messages *out);
    /**
     * A guest's writes to one address become 8 bytes written to `fd`, without an exit; or no more.
     * Any thread. @return 0 or a negative errno. NULL: they are exits always
     */
    int (*kick)(struct vm *vm, enum vm_space space, uint64_t addr, int fd, bool on);
    /** Delivers a message of a device that runs in this process; any thread. NULL: as above */
    int (*msi)(struct vm *vm, uint64_t addr, uint32_t data);
};

extern const struct vm_engine vm_engine_user, vm_engine_kvm;

/* How a VM ended. */
enum vm_end {
    VM_RUNNING = 0,
    VM_GUEST_EXIT, /* port 0x501 */
    VM_STOPPED,
    VM_CRASHED,
    VM_POWERED_OFF, /* ACPI S5 */
    VM_RESET,       /* wants to be started anew */
};

/* What the engines see of a VM. The bus and the placements keep theirs behind `bus`. */
struct vm {
    const struct cfg *cfg;
    const struct cfg_vm *c;
    const struct vm_engine *engine;
    void *engine_state;
    struct vm_mem mem;
    struct vm_bus *bus;
    struct pc *pc;       /* platform pc: the machine around the vCPUs; else NULL */
    bool stopping;       /* set once, read by all threads (__atomic) */
    int end_fd;          /* eventfd: written once when the VM ends by itself */
    enum vm_end end;     /* set (once, __atomic) before end_fd is written */
    uint8_t exit_status; /* VM_GUEST_EXIT: what the guest wrote to port 0x501 */
};

/** The guest ended by itself (any thread, async-signal-safe). The first call counts. */
void vm_end(struct vm *vm, enum vm_end how, uint8_t status);
/** A line of text about the VM for its log; printf-like, async-signal-safe enough: one write(2). */
void vm_log(struct vm *vm, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
