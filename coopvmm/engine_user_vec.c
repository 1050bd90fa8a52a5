/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Vector registers in a signal frame: the FXSAVE image, and behind it, if the kernel says so, the
 * XSAVE header and the upper halves. Source: Intel SDM volume 1, chapter 13 (standard format), and
 * Linux' asm/sigcontext.h for the software-reserved bytes.
 *
 * Only the few instructions that move vector registers to or from a device come here, so that the
 * others do not pay for 512 bytes of copying.
 */
#include <cpuid.h>
#include <string.h>

#include "engine_user.h"

#define FX_XMM       160         /* offset of XMM0 in the FXSAVE image */
#define FX_SW        464         /* struct _fpx_sw_bytes */
#define FX_SW_MAGIC  0x46505853u /* FP_XSTATE_MAGIC1: the frame is longer than FXSAVE's */
#define XSTATE_BV    512         /* first field of the XSAVE header */
#define XFEATURE_SSE (1ull << 1)
#define XFEATURE_YMM (1ull << 2)
#define XSAVE_YMM_ID 2

static uint8_t *frame(const struct user_vcpu *v)
{
    return (uint8_t *)v->uc->uc_mcontext.fpregs;
}

/* Offset of the upper halves, 0: the frame has none. */
static unsigned ymm_offset(const uint8_t *fx)
{
    struct _fpx_sw_bytes sw;
    unsigned size, offset, c, d;

    memcpy(&sw, fx + FX_SW, sizeof(sw));
    if (sw.magic1 != FX_SW_MAGIC || !(sw.xstate_bv & XFEATURE_YMM))
        return 0;
    __cpuid_count(0xd, XSAVE_YMM_ID, size, offset, c, d);
    return offset + size <= sw.xstate_size ? offset : 0;
}

static uint64_t state_bv(const uint8_t *fx)
{
    uint64_t bv;

    memcpy(&bv, fx + XSTATE_BV, sizeof(bv));
    return bv;
}

void user_vectors_load(struct user_vcpu *v)
{
    const uint8_t *fx = frame(v);
    unsigned high = ymm_offset(fx);
    /* A component whose bit is clear is in its initial state, zero, whatever the bytes say. */
    uint64_t bv = high ? state_bv(fx) : XFEATURE_SSE;

    memset(v->ymm, 0, sizeof(v->ymm));
    for (unsigned i = 0; i < 16; i++) {
        if (bv & XFEATURE_SSE)
            memcpy(v->ymm[i], fx + FX_XMM + 16 * i, 16);
        if (bv & XFEATURE_YMM)
            memcpy(v->ymm[i] + 16, fx + high + 16 * i, 16);
    }
    v->cpu.ymm = v->ymm;
    v->cpu.ymm_high = high != 0;
    v->vectors = true;
}

void user_vectors_store(struct user_vcpu *v)
{
    uint8_t *fx = frame(v);
    unsigned high = ymm_offset(fx);
    uint64_t bv;

    for (unsigned i = 0; i < 16; i++) {
        memcpy(fx + FX_XMM + 16 * i, v->ymm[i], 16);
        if (high)
            memcpy(fx + high + 16 * i, v->ymm[i] + 16, 16);
    }
    if (high) {
        bv = state_bv(fx) | XFEATURE_SSE | XFEATURE_YMM;
        memcpy(fx + XSTATE_BV, &bv, sizeof(bv));
    }
    v->vectors = false;
}
