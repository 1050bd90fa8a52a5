/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Virtqueues whose rings, tables and journal are the input: any bytes at any place, queues anywhere
 * in and outside of memory, of any size. Guest memory is an allocation of its exact size.
 */
#include <stdlib.h>
#include <string.h>

#include "../../nicmodels/virtq.h"
#include "input.h"

#define MEM_BASE 0x1000
#define MEM_SIZE 0x3000

static uint8_t *mem;

static void *at(void *ctx, uint64_t gpa, uint64_t *len, bool write)
{
    uint64_t off = gpa - MEM_BASE, piece = 0x1000 - off % 0x1000;

    (void)ctx, (void)write;
    CHECK(*len);
    if (off >= MEM_SIZE)
        return NULL;
    if (*len > piece)
        *len = piece;
    return mem + off;
}

#define PIECES (MEM_SIZE / 0x1000)
static struct vq_piece piece[PIECES];
static struct vq_mem m = {.at = at, .piece = piece};

/* The same memory as pieces that stay, or not. */
static void choose_memory(bool stays)
{
    for (unsigned i = 0; i < PIECES; i++)
        piece[i] = (struct vq_piece){MEM_BASE + 0x1000u * i, 0x1000, mem + 0x1000u * i};
    m.npieces = stays ? PIECES : 0;
}

/* Mostly a ring that could be one. */
static void choose_queue(struct input *in, struct virtq *q)
{
    uint8_t how = (uint8_t)take(in, 1);

    memset(q, 0, sizeof(*q));
    q->packed = how & 1;
    q->event_idx = how >> 1 & 1;
    q->indirect = how >> 2 & 1;
    q->size = how & 8 ? (uint16_t)take(in, 2) : (uint16_t)(1u << (how >> 4 & 7));
    q->desc = MEM_BASE + (take(in, 2) & 0x3ff0);
    q->driver = MEM_BASE + (take(in, 2) & 0x3ffc);
    q->device = MEM_BASE + (take(in, 2) & 0x3ffc);
    if (how & 0x80)
        q->desc = take(in, 8);
}

/* The input into memory: bursts of it at places it names. */
static void scribble(struct input *in)
{
    size_t off = take(in, 2) % MEM_SIZE, n = take(in, 1) % 33;

    for (; n && in->left && off < MEM_SIZE; n--)
        mem[off++] = (uint8_t)take(in, 1);
}

/* What is taken as plain is a piece of memory, and what is given back is there again. */
static void plain(struct virtq *q, struct vq_batch *b, unsigned most, bool writable)
{
    struct vq_plain p[VQ_BATCH];
    unsigned before = b->n, n = vq_take_plain(q, &m, b, writable, p, most);

    CHECK(n <= most && b->n == before + n && b->n <= VQ_BATCH);
    for (unsigned i = 0; i < n; i++)
        if (writable)
            memset(p[i].p, 0x5a, p[i].len);
        else
            CHECK(p[i].p >= mem && p[i].p + p[i].len <= mem + MEM_SIZE);
    vq_untake_plain(q, b, n / 2);
}

static void work(struct virtq *q, struct vq_journal *j, unsigned most)
{
    static uint8_t bytes[256];
    struct vq_batch b;
    struct vq_chain c;

    vq_begin(q, &m, &b);
    plain(q, &b, most, most & 1);
    while (most-- && vq_next(q, &m, &b, &c) == 1) {
        uint64_t out = 0, all = 0;

        CHECK(c.nbufs <= VQ_MAX_CHAIN && c.nout <= c.nbufs && c.slots && c.slots <= q->size);
        for (unsigned i = 0; i < c.nbufs; i++) {
            all += c.buf[i].len;
            out += i < c.nout ? c.buf[i].len : 0;
        }
        CHECK(out == c.out_len && all - out == c.in_len);
        vq_chain_copy(&m, &c, 0, bytes, sizeof(bytes), false);
        vq_chain_copy(&m, &c, 3, bytes, sizeof(bytes), true);
        vq_done(q, &b, &c, sizeof(bytes));
    }
    vq_publish(q, &m, j, &b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    struct vq_journal *j = calloc(1, sizeof(*j));
    struct virtq q;

    mem = calloc(1, MEM_SIZE);
    CHECK(mem && j);
    choose_memory(take(&in, 1) & 1);
    choose_queue(&in, &q);
    if (vq_start(&q, &m, vq_first(q.packed), take(&in, 1) & 1))
        in.left = 0;
    while (in.left) {
        uint8_t op = (uint8_t)take(&in, 1);

        switch (op & 7) {
        case 0: work(&q, j, 1 + (op >> 3)); break;
        case 1: vq_quiet(&q, &m); break;
        case 2: vq_arm(&q, &m); break;
        case 3:
            for (unsigned n = 0; n < sizeof(*j) && n < 24; n++)
                ((uint8_t *)j)[n] = (uint8_t)take(&in, 1);
            vq_resume(&q, &m, j);
            break;
        case 4: vq_start(&q, &m, q.pos, op >> 3 & 1); break;
        default: scribble(&in); break;
        }
        CHECK(vq_validate(&q) == 0);
    }
    free(mem);
    free(j);
    return 0;
}
