/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a loaded config means: references, combinations, duplicates. All that is wrong is reported.
 * Internal to config/.
 */
#ifndef COOPVMM_CONFIG_CHECK_H
#define COOPVMM_CONFIG_CHECK_H

#include "config.h"
#include "doc.h"
#include "machine.h"
#include "nicmodels/model.h"
#include "uniq.h"

struct check {
    struct report *report;
    const struct cfg *c;
    const struct doc_node *root;
    struct uniq names;  /* "iocore NAME", "port NAME", "vm NAME", and per VM its devices */
    struct uniq cpus;   /* given by hand; entries of I/O cores only */
    struct uniq ifaces; /* taps and interfaces */
    struct uniq macs;
};

/** Checks all of `c`, which was loaded from `root` and filled by defaults_fill. */
void check_config(struct report *r, const struct cfg *c, const struct doc_node *root);

/** Checks one VM and its devices; `n` is its node. (check_vm.c) */
void check_vm(struct check *k, const struct cfg_vm *vm, const struct doc_node *n);

/** Checks what is particular to a VM of engine xen, or refuses what only such a VM has.
 * (check_xen.c) */
void check_xen(struct check *k, const struct cfg_vm *vm, const struct doc_node *n);

/** Reports what does not fit platform pc. (check_pc.c) */
void check_pc(struct check *k, const struct cfg_vm *vm, const struct doc_node *n);

/**
 * Interrupt lines: those of the machine are not for devices, and lines raise edges here, so that
 * two devices on one line would lose interrupts, but for PCI. (check_irq.c)
 */
void check_irqs(struct check *k, const struct cfg_vm *vm, const struct doc_node *devices);

/* Shared: each reports at `n`'s child `key`, or at `n` if that was not written. */

/** A name: its syntax, and that no other of its kind has it. `what` is "I/O core", "VM", ... */
void check_name(struct check *k, const struct doc_node *n, const char *kind, const char *what,
                const char *name);
/** An interface name, and that nobody else uses it. NULL is fine. */
void check_iface(struct check *k, const struct doc_node *n, const char *key, const char *owner,
                 const char *iface);
/** A unicast MAC that nobody else has. NULL is fine. */
void check_mac(struct check *k, const struct doc_node *n, const char *owner, const char *mac);
/** An address with prefix length. NULL is fine. */
void check_cidr(struct check *k, const struct doc_node *n, const char *key, const char *cidr);
/** The name of an I/O core that is there. NULL is fine. */
void check_iocore_ref(struct check *k, const struct doc_node *n, const char *iocore);
/** The node errors about `key` of `n` are reported at. */
const struct doc_node *check_at(const struct doc_node *n, const char *key);

#endif
