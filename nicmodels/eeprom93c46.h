/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A serial EEPROM 93C46 in its 64 x 16 organization, driven by three lines (Microwire).
 *
 * Source: data sheet 93C46 (Microchip 20001749, Atmel 0172: "instruction set", "timing diagrams").
 * While CS is high, DI is taken at each rising edge of SK: a start bit, two bits of opcode, six of
 * address, and 16 of data if the instruction has some. READ puts a 0 and then the word on DO, most
 * significant bit first, and goes on with the next word. Erasing and writing begin when CS falls;
 * they take no time here, so DO tells "ready" (1) as soon as CS is high again.
 *
 * Recovery (model.h): the words lie in nm_dev.ram. One change of the lines changes words only as
 * the struct before it says, so a repeated call that makes one change comes out the same.
 *
 * Threads: as nm_dev.
 */
#ifndef COOPVMM_NICMODELS_EEPROM93C46_H
#define COOPVMM_NICMODELS_EEPROM93C46_H

#include <stdbool.h>
#include <stdint.h>

#define EE_WORDS 64

/* Where it is; goes into a model's regs. */
struct eeprom93c46 {
    uint8_t cs, sk;   /* the lines, as they were last: 0 or 1 */
    uint8_t writable; /* 1: EWEN was given */
    uint8_t data_out; /* the line DO: 0 or 1 */
    uint8_t nin;      /* bits since the start bit, it included; at most EE_MAX_BITS */
    uint8_t nout;     /* READ: bits of `out` that were put on DO, 0 to 15 */
    uint8_t reserved[2];
    uint32_t in;     /* those bits, the last one lowest */
    uint16_t out;    /* READ: what is shifted out */
    uint8_t next;    /* READ: the word that follows, 0 to EE_WORDS - 1 */
    uint8_t reading; /* 1: a READ is under way */
};
_Static_assert(sizeof(struct eeprom93c46) == 16, "no padding: states are compared as bytes");

#define EE_MAX_BITS 25 /* start, opcode, address, data */

/** Power-on. */
void ee93c46_reset(struct eeprom93c46 *e);
/** The host sets its lines. */
void ee93c46_lines(struct eeprom93c46 *e, uint16_t word[EE_WORDS], bool cs, bool sk, bool di);
/** For nm_model.validate. @return is this a state it can be in? */
bool ee93c46_valid(const struct eeprom93c46 *e);

#endif
