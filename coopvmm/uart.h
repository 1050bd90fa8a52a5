/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A 16550A, as a PC's serial port. Source: National Semiconductor PC16550D data sheet (1995),
 * section 8; register and bit names as there.
 *
 * What is sent is gone at once, so that the transmitter is always empty; what is received waits in
 * a FIFO of 16 bytes. Modem lines say that somebody is there.
 *
 * Threads: none of its own; whoever calls has a lock.
 */
#ifndef COOPVMM_UART_H
#define COOPVMM_UART_H

#include <stdbool.h>
#include <stdint.h>

#define UART_PORTS 8
#define UART_FIFO  16

struct uart {
    uint8_t ier, lcr, mcr, scr, fcr;
    uint16_t divisor;
    bool thre_pending; /* the transmitter became empty, and IIR was not read since */
    bool overrun;
    uint8_t rx[UART_FIFO];
    uint8_t rx_head, rx_count;
    /* The way out. */
    void (*send)(void *ctx, uint8_t byte);
    void *ctx;
};

/** After power-on. */
void uart_reset(struct uart *u);
/** @param reg 0 to 7 */
uint8_t uart_read(struct uart *u, unsigned reg);
void uart_write(struct uart *u, unsigned reg, uint8_t value);
/** The level of its interrupt line; to be looked at after each call. */
bool uart_interrupt(const struct uart *u);

/** How many bytes it takes now; more would be lost. */
unsigned uart_room(const struct uart *u);
/** A byte arrives. */
void uart_receive(struct uart *u, uint8_t byte);

#endif
