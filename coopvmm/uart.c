/* SPDX-License-Identifier: BSD-3-Clause */
#include "uart.h"

#include <string.h>

enum { RBR_THR = 0, IER, IIR_FCR, LCR, MCR, LSR, MSR, SCR };
enum {
    IER_ERBFI = 0x01,
    IER_ETBEI = 0x02,
    IER_ELSI = 0x04,
    IER_ALL = 0x0f,
    IIR_NONE = 0x01,
    IIR_THRE = 0x02,
    IIR_RECEIVED = 0x04,
    IIR_LINE_STATUS = 0x06,
    IIR_FIFOS = 0xc0,
    FCR_ENABLE = 0x01,
    FCR_CLEAR_RX = 0x02,
    LCR_DLAB = 0x80,
    MCR_DTR = 0x01,
    MCR_RTS = 0x02,
    MCR_OUT1 = 0x04,
    MCR_OUT2 = 0x08,
    MCR_LOOP = 0x10,
    MCR_ALL = 0x1f,
    LSR_DR = 0x01,
    LSR_OE = 0x02,
    LSR_THRE = 0x20,
    LSR_TEMT = 0x40,
    MSR_CTS = 0x10,
    MSR_DSR = 0x20,
    MSR_RI = 0x40,
    MSR_DCD = 0x80,
};

void uart_reset(struct uart *u)
{
    *u = (struct uart){.divisor = 12, .send = u->send, .ctx = u->ctx};
}

static uint8_t line_status(const struct uart *u)
{
    return (uint8_t)(LSR_THRE | LSR_TEMT | (u->rx_count ? LSR_DR : 0) | (u->overrun ? LSR_OE : 0));
}

/* In loopback the modem control outputs come back as inputs. */
static uint8_t modem_status(const struct uart *u)
{
    if (!(u->mcr & MCR_LOOP))
        return MSR_CTS | MSR_DSR | MSR_DCD;
    return (uint8_t)((u->mcr & MCR_RTS ? MSR_CTS : 0) | (u->mcr & MCR_DTR ? MSR_DSR : 0) |
                     (u->mcr & MCR_OUT1 ? MSR_RI : 0) | (u->mcr & MCR_OUT2 ? MSR_DCD : 0));
}

/* The cause of highest priority. Below the trigger level received bytes count after a time-out of
 * four characters; here that time is over at once. */
static uint8_t cause(const struct uart *u)
{
    if (u->ier & IER_ELSI && u->overrun)
        return IIR_LINE_STATUS;
    if (u->ier & IER_ERBFI && u->rx_count)
        return IIR_RECEIVED;
    if (u->ier & IER_ETBEI && u->thre_pending)
        return IIR_THRE;
    return IIR_NONE;
}

bool uart_interrupt(const struct uart *u)
{
    /* OUT2 connects the chip's interrupt to the bus in a PC */
    return u->mcr & MCR_OUT2 && !(u->mcr & MCR_LOOP) && cause(u) != IIR_NONE;
}

unsigned uart_room(const struct uart *u)
{
    unsigned size = u->fcr & FCR_ENABLE ? UART_FIFO : 1;

    return u->mcr & MCR_LOOP || u->rx_count >= size ? 0 : size - u->rx_count;
}

static void store(struct uart *u, uint8_t byte)
{
    if (u->rx_count >= (u->fcr & FCR_ENABLE ? UART_FIFO : 1)) {
        u->overrun = true;
        return;
    }
    u->rx[(u->rx_head + u->rx_count++) % UART_FIFO] = byte;
}

void uart_receive(struct uart *u, uint8_t byte)
{
    if (!(u->mcr & MCR_LOOP)) /* the input is disconnected then */
        store(u, byte);
}

static uint8_t take(struct uart *u)
{
    uint8_t byte = u->rx[u->rx_head];

    if (!u->rx_count)
        return 0;
    u->rx_head = (uint8_t)((u->rx_head + 1) % UART_FIFO);
    u->rx_count--;
    return byte;
}

uint8_t uart_read(struct uart *u, unsigned reg)
{
    bool dlab = u->lcr & LCR_DLAB;
    uint8_t value;

    switch (reg) {
    case RBR_THR: return dlab ? (uint8_t)u->divisor : take(u);
    case IER: return dlab ? (uint8_t)(u->divisor >> 8) : u->ier;
    case IIR_FCR:
        value = cause(u);
        if (value == IIR_THRE)
            u->thre_pending = false;
        return (uint8_t)(value | (u->fcr & FCR_ENABLE ? IIR_FIFOS : 0));
    case LCR: return u->lcr;
    case MCR: return u->mcr;
    case LSR:
        value = line_status(u);
        u->overrun = false;
        return value;
    case MSR: return modem_status(u);
    default: return u->scr;
    }
}

static void transmit(struct uart *u, uint8_t byte)
{
    if (u->mcr & MCR_LOOP)
        store(u, byte);
    else
        u->send(u->ctx, byte);
    u->thre_pending = true;
}

/* Enabling the transmitter's interrupt while it is empty raises it. */
static void set_ier(struct uart *u, uint8_t value)
{
    if (value & ~u->ier & IER_ETBEI)
        u->thre_pending = true;
    u->ier = value & IER_ALL;
}

/* Switching the FIFOs on or off empties them. */
static void set_fcr(struct uart *u, uint8_t value)
{
    if ((value ^ u->fcr) & FCR_ENABLE || value & FCR_CLEAR_RX)
        u->rx_count = 0;
    u->fcr = value & FCR_ENABLE;
}

void uart_write(struct uart *u, unsigned reg, uint8_t value)
{
    bool dlab = u->lcr & LCR_DLAB;

    switch (reg) {
    case RBR_THR:
        if (dlab)
            u->divisor = (uint16_t)((u->divisor & 0xff00) | value);
        else
            transmit(u, value);
        break;
    case IER:
        if (dlab)
            u->divisor = (uint16_t)((u->divisor & 0xff) | value << 8);
        else
            set_ier(u, value);
        break;
    case IIR_FCR: set_fcr(u, value); break;
    case LCR: u->lcr = value; break;
    case MCR: u->mcr = value & MCR_ALL; break;
    case SCR: u->scr = value; break;
    default: break; /* LSR and MSR are read only */
    }
}
