/* SPDX-License-Identifier: BSD-3-Clause */
#include "eeprom93c46.h"

#include <string.h>

#define INSTRUCTION_BITS 9 /* start, opcode, address */

/* The opcode, and of EXTEND the upper two address bits. */
enum { OP_EXTEND = 0, OP_WRITE = 1, OP_READ = 2, OP_ERASE = 3 };
enum { EXT_EWDS = 0, EXT_WRAL = 1, EXT_ERAL = 2, EXT_EWEN = 3 };

void ee93c46_reset(struct eeprom93c46 *e)
{
    memset(e, 0, sizeof(*e));
    e->data_out = 1;
}

/* The instruction's nine bits: those before the data, if there are data. */
static uint32_t instruction(const struct eeprom93c46 *e)
{
    return e->nin == EE_MAX_BITS ? e->in >> 16 : e->in;
}

static unsigned opcode(const struct eeprom93c46 *e)
{
    return instruction(e) >> 6 & 3;
}

static unsigned address(const struct eeprom93c46 *e)
{
    return instruction(e) & (EE_WORDS - 1);
}

/* WRITE and WRAL are followed by a word. */
static bool takes_data(const struct eeprom93c46 *e)
{
    uint32_t bits = e->nin > INSTRUCTION_BITS ? e->in >> (e->nin - INSTRUCTION_BITS) : e->in;
    unsigned op = bits >> 6 & 3;

    return op == OP_WRITE || (op == OP_EXTEND && (bits >> 4 & 3) == EXT_WRAL);
}

/* CS fell behind a whole instruction: what it asks for is done. */
static void execute(struct eeprom93c46 *e, uint16_t word[EE_WORDS])
{
    bool whole = e->nin == (takes_data(e) ? EE_MAX_BITS : INSTRUCTION_BITS);
    unsigned ext = address(e) >> 4;

    if (!whole)
        return;
    if (opcode(e) == OP_EXTEND && (ext == EXT_EWEN || ext == EXT_EWDS))
        e->writable = ext == EXT_EWEN;
    if (!e->writable)
        return;
    if (opcode(e) == OP_WRITE)
        word[address(e)] = (uint16_t)e->in;
    else if (opcode(e) == OP_ERASE)
        word[address(e)] = 0xffff;
    else if (opcode(e) == OP_EXTEND && (ext == EXT_WRAL || ext == EXT_ERAL))
        for (unsigned i = 0; i < EE_WORDS; i++)
            word[i] = ext == EXT_WRAL ? (uint16_t)e->in : 0xffff;
}

static void deselect(struct eeprom93c46 *e, uint16_t word[EE_WORDS])
{
    execute(e, word);
    e->nin = e->nout = e->next = e->reading = 0;
    e->in = 0;
    e->out = 0;
    e->data_out = 1; /* open, pulled up; and "ready" when CS is high again */
}

static void start_reading(struct eeprom93c46 *e, const uint16_t word[EE_WORDS])
{
    e->reading = 1;
    e->data_out = 0; /* the dummy bit */
    e->nout = 0;
    e->out = word[address(e)];
    e->next = (uint8_t)((address(e) + 1) % EE_WORDS);
}

static void shift_out(struct eeprom93c46 *e, const uint16_t word[EE_WORDS])
{
    e->data_out = (uint8_t)(e->out >> (15 - e->nout) & 1);
    if (++e->nout < 16)
        return;
    e->nout = 0;
    e->out = word[e->next];
    e->next = (uint8_t)((e->next + 1) % EE_WORDS);
}

static void shift_in(struct eeprom93c46 *e, const uint16_t word[EE_WORDS], bool di)
{
    unsigned want = e->nin >= INSTRUCTION_BITS && takes_data(e) ? EE_MAX_BITS : INSTRUCTION_BITS;

    if ((!e->nin && !di) || e->nin >= want)
        return; /* waiting for a start bit, or for CS to fall */
    e->in = e->in << 1 | di;
    e->nin++;
    if (e->nin == INSTRUCTION_BITS && opcode(e) == OP_READ)
        start_reading(e, word);
}

void ee93c46_lines(struct eeprom93c46 *e, uint16_t word[EE_WORDS], bool cs, bool sk, bool di)
{
    bool rises = sk && !e->sk;

    e->sk = sk;
    if (e->cs && !cs)
        deselect(e, word);
    e->cs = cs;
    if (!cs || !rises)
        return;
    if (e->reading)
        shift_out(e, word);
    else
        shift_in(e, word, di);
}

bool ee93c46_valid(const struct eeprom93c46 *e)
{
    return e->cs <= 1 && e->sk <= 1 && e->writable <= 1 && e->data_out <= 1 && e->reading <= 1 &&
           e->nin <= EE_MAX_BITS && e->nout < 16 && e->next < EE_WORDS && !e->reserved[0] &&
           !e->reserved[1];
}
