/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The few ports the VMM answers itself: 0xe9 (guest's console, as Bochs and Xen have it) and 0x501
 * (the guest ends with a status).
 */
#ifndef COOPVMM_PORTS_H
#define COOPVMM_PORTS_H

#include "engine.h"

#define PORT_CONSOLE 0xe9
#define PORT_EXIT    0x501

/** @return true if it was one of these ports; *err then as vm_io */
bool ports_access(struct vm *vm, unsigned vcpu, struct vm_io *io, int *err);

/** Element i of a string, in guest memory or the bounce buffer. @return NULL: it is not there */
uint8_t *ports_element(struct vm *vm, unsigned vcpu, const struct vm_io *io, uint32_t i);

/** Fills a string read's memory with `byte`; done_count says how far memory went. @return 0 */
int ports_fill_string(struct vm *vm, unsigned vcpu, struct vm_io *io, uint8_t byte);

/** Writes out what is left of an unfinished console line. */
void ports_flush(struct vm *vm);

#endif
