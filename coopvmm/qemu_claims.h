/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a QEMU beside a domain has already: PCI slots and I/O ports. Xen gives an access to the
 * ioreq server that asked last, in silence; so a device of ours must not ask for what is QEMU's.
 */
#ifndef COOPVMM_QEMU_CLAIMS_H
#define COOPVMM_QEMU_CLAIMS_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "../protocol/iotp_ctl.h"

#define QEMU_SLOTS    32
#define QEMU_PORTS    128 /* ranges; more are not looked at */
#define QEMU_WHO_SIZE 48

struct qemu_ports {
    uint16_t first, last; /* inclusive */
    char who[QEMU_WHO_SIZE];
};

struct qemu_claims {
    char slot[QEMU_SLOTS][QEMU_WHO_SIZE]; /* "": free */
    struct qemu_ports ports[QEMU_PORTS];
    unsigned nports;
};

/** The answer to `query-pci`: takes note of bus 0. @return 0; -EPROTO: it is none */
int qemu_read_pci(const json_t *answer, struct qemu_claims *q);
/** The answer to `info mtree -f`: the view of the address space "I/O". @return 0; -EPROTO: not
 * there */
int qemu_read_ports(const char *text, struct qemu_claims *q);

/* A device of ours as it was attached. */
struct qemu_rival {
    const char *vm, *name;
    uint8_t slot; /* 0: no PCI device */
    const struct iotp_device_info *info;
};
/**
 * Compares a device with them. Each clash is said on `err`, with both sides and what to do.
 * @return how many there are
 */
unsigned qemu_clashes(const struct qemu_claims *q, const struct qemu_rival *r, FILE *err);

#endif
