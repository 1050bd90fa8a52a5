/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is counted of each vCPU's requests, whatever source they come from.
 *
 * Threads: written by the source's core, read by any.
 */
#ifndef COOPVMM_IOCORE_SOURCE_H
#define COOPVMM_IOCORE_SOURCE_H

#include "../protocol/iotp_vmm.h"
#include "hist.h"

struct src_stats {
    uint64_t requests, posted, unclaimed, failed;
    struct hist wait;    /* TSC ticks from the VMM's stamp to here */
    struct hist service; /* from here to the completion */
};

static inline void src_account(struct src_stats *t, enum iotp_status status)
{
    hist_store(&t->requests, t->requests + 1);
    if (status == IOTP_UNCLAIMED)
        hist_store(&t->unclaimed, t->unclaimed + 1);
    if (status == IOTP_FAILED)
        hist_store(&t->failed, t->failed + 1);
}

#endif
