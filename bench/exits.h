/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The guest of `coopvmm bench exits`: some instructions in long mode under KVM that write a number
 * of times to one place, and then say that they are done. Source: Linux
 * Documentation/virt/kvm/api.rst, 4.59 KVM_IOEVENTFD, 4.116 KVM_(UN)REGISTER_COALESCED_MMIO.
 *
 * Threads: a guest belongs to one thread.
 */
#ifndef COOPVMM_BENCH_EXITS_H
#define COOPVMM_BENCH_EXITS_H

#define EXITS_WRITES 100 /* a run; a coalescing ring has room for more */

enum exits_where {
    EXITS_NOWHERE, /* the loop alone */
    EXITS_PORT_USER,
    EXITS_PORT_EVENTFD,
    EXITS_PORT_COALESCED,
    EXITS_MMIO_USER,
    EXITS_MMIO_EVENTFD,
    EXITS_MMIO_COALESCED,
};

struct exits_guest;

/** @param step receives, if it fails, what did (constant text). @return 0 or a negative errno */
int exits_guest_create(struct exits_guest **out, const char **step);
/** NULL is fine. */
void exits_guest_free(struct exits_guest *g);

/**
 * Lets the guest write EXITS_WRITES times there.
 * @param each called for each write that comes to user space; NULL: nothing is done about it
 * @return 0; -EPROTO: an exit that was not expected; -errno of KVM_RUN; what `each` returned
 */
int exits_guest_run(struct exits_guest *g, enum exits_where where, int (*each)(void *arg),
                    void *arg);

#endif
