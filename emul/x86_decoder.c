/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Decoding, and a direct-mapped cache of what was decoded. Guests trap in few places, their
 * drivers' accessors, so that nearly every trap is a hit.
 */
#include "x86_decoder.h"

#include <stdlib.h>
#include <string.h>

#include "x86_translate.h"

#define CACHE_BITS 10

struct x86_decoder {
    struct insn cache[1 << CACHE_BITS]; /* first: aligned to its lines */
    ZydisDecoder zydis;
    ZydisFormatter formatter;
};

struct x86_decoder *x86_decoder_new(void)
{
    /* A multiple of the alignment, as aligned_alloc() wants it. */
    size_t size = (sizeof(struct x86_decoder) + 63) & ~(size_t)63;
    struct x86_decoder *d = aligned_alloc(64, size);
    if (!d)
        return NULL;
    memset(d, 0, size);
    ZydisDecoderInit(&d->zydis, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    ZydisFormatterInit(&d->formatter, ZYDIS_FORMATTER_STYLE_INTEL);
    ZydisFormatterSetProperty(&d->formatter, ZYDIS_FORMATTER_PROP_FORCE_SIZE, ZYAN_TRUE);
    return d;
}

void x86_decoder_free(struct x86_decoder *d)
{
    free(d);
}

/* Instructions are some bytes apart and functions aligned: mix high bits in. */
static unsigned slot_of(uint64_t rip)
{
    return (unsigned)(rip * 0x9e3779b97f4a7c15ULL >> (64 - CACHE_BITS));
}

static uint64_t load64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

/*
 * Are the cached bytes those that are there? Two loads, of bytes 0 to 7 and 7 to 14, when all of
 * X86_MAX_INSN are readable.
 */
static bool same_bytes(const struct insn *in, const uint8_t *bytes, size_t len)
{
    if (len < X86_MAX_INSN)
        return memcmp(in->bytes, bytes, in->len) == 0;
    unsigned low = in->len < 8 ? in->len : 8, high = in->len > 7 ? in->len - 7u : 0;
    uint64_t differ = (load64(in->bytes) ^ load64(bytes)) << (64 - 8 * low);
    if (high)
        differ |= (load64(in->bytes + 7) ^ load64(bytes + 7)) << (64 - 8 * high);
    return differ == 0;
}

/* Decodes into the slot; a slot whose instruction is not emulated is left free. */
static bool decode(const struct x86_decoder *d, uint64_t rip, const uint8_t *bytes, size_t len,
                   struct insn *slot)
{
    ZydisDecodedInstruction zi;
    ZydisDecodedOperand zo[ZYDIS_MAX_OPERAND_COUNT];
    slot->len = 0;
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&d->zydis, bytes, len, &zi, zo)))
        return false;
    struct insn in;
    if (!x86_translate(&zi, zo, &in))
        return false;
    in.rip = rip;
    in.len = zi.length;
    memcpy(in.bytes, bytes, zi.length);
    *slot = in;
    return true;
}

const struct insn *x86_decode(struct x86_decoder *d, uint64_t rip, const uint8_t *bytes, size_t len)
{
    struct insn *slot = &d->cache[slot_of(rip)];
    /* A free slot has length 0, which becomes the largest number. */
    if (slot->rip == rip && slot->len - (size_t)1 < len && same_bytes(slot, bytes, len))
        return slot;
    return decode(d, rip, bytes, len, slot) ? slot : NULL;
}

/* What is wrong with bytes that are no instruction. */
static const char *wrong(ZyanStatus status)
{
    switch (status) {
    case ZYDIS_STATUS_NO_MORE_DATA: return "incomplete instruction";
    case ZYDIS_STATUS_INSTRUCTION_TOO_LONG: return "instruction longer than 15 bytes";
    case ZYDIS_STATUS_BAD_REGISTER: return "invalid register";
    case ZYDIS_STATUS_ILLEGAL_LOCK: return "lock prefix on an instruction that cannot be locked";
    case ZYDIS_STATUS_ILLEGAL_LEGACY_PFX: return "illegal prefix";
    case ZYDIS_STATUS_ILLEGAL_REX: return "illegal REX prefix";
    default: return "no valid instruction";
    }
}

void x86_describe(const struct x86_decoder *d, uint64_t rip, const uint8_t *bytes, size_t len,
                  struct x86_fault *fault)
{
    ZydisDecodedInstruction zi;
    ZydisDecodedOperand zo[ZYDIS_MAX_OPERAND_COUNT];
    ZyanStatus status = ZydisDecoderDecodeFull(&d->zydis, bytes, len, &zi, zo);
    fault->len = (uint8_t)(ZYAN_SUCCESS(status) ? zi.length : len);
    memset(fault->insn, 0, sizeof fault->insn);
    memcpy(fault->insn, bytes, fault->len);
    if (ZYAN_SUCCESS(status))
        status = ZydisFormatterFormatInstruction(&d->formatter, &zi, zo, zi.operand_count_visible,
                                                 fault->text, sizeof fault->text, rip, NULL);
    if (!ZYAN_SUCCESS(status))
        strcpy(fault->text, wrong(status)); /* the longest has 53 characters */
}
