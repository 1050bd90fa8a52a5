/* SPDX-License-Identifier: BSD-3-Clause */
/* A fuzz target's input, taken from front to back; past its end there are zeros. */
#ifndef COOPVMM_FUZZ_INPUT_H
#define COOPVMM_FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* What must hold whatever the input: the fuzzer sees an abort. */
#define CHECK(c)                                                                                   \
    do {                                                                                           \
        if (!(c))                                                                                  \
            abort();                                                                               \
    } while (0)

struct input {
    const uint8_t *p;
    size_t left;
};

/* The next n bytes (at most 8) as a number, the first one highest. */
static inline uint64_t take(struct input *in, unsigned n)
{
    uint64_t v = 0;

    for (; n; n--) {
        v = v << 8 | (in->left ? *in->p : 0);
        in->p += in->left != 0;
        in->left -= in->left != 0;
    }
    return v;
}

#endif
