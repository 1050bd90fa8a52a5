/* SPDX-License-Identifier: BSD-3-Clause */
/* The serial port, register by register, as Linux's 8250 driver finds and uses it. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "../../coopvmm/uart.h"
#include "cu_main.h"

const char *const suite_name = "uart";

enum { RBR = 0, IER, IIR, LCR, MCR, LSR, MSR, SCR };

static uint8_t sent[64];
static unsigned nsent;

static void record(void *ctx, uint8_t byte)
{
    (void)ctx;
    if (nsent < sizeof(sent))
        sent[nsent++] = byte;
}

static struct uart fresh(void)
{
    struct uart u = {.send = record};

    nsent = 0;
    uart_reset(&u);
    return u;
}

static void test_reset(void)
{
    struct uart u = fresh();

    CU_ASSERT_EQUAL(uart_read(&u, IER), 0);
    CU_ASSERT_EQUAL(uart_read(&u, IIR), 0x01);
    CU_ASSERT_EQUAL(uart_read(&u, LCR), 0);
    CU_ASSERT_EQUAL(uart_read(&u, MCR), 0);
    CU_ASSERT_EQUAL(uart_read(&u, LSR), 0x60);
    CU_ASSERT_EQUAL(uart_read(&u, MSR), 0xb0);
    CU_ASSERT_FALSE(uart_interrupt(&u));
}

/* The steps of autoconfig(): scratch, IER, loopback, FIFO. */
static void test_found_by_linux(void)
{
    struct uart u = fresh();

    uart_write(&u, IER, 0);
    CU_ASSERT_EQUAL(uart_read(&u, IER) & 0x0f, 0);
    uart_write(&u, IER, 0x0f);
    CU_ASSERT_EQUAL(uart_read(&u, IER) & 0x0f, 0x0f);
    uart_write(&u, IER, 0);
    uart_write(&u, MCR, 0x1a); /* LOOP, OUT2, RTS */
    CU_ASSERT_EQUAL(uart_read(&u, MSR) & 0xf0, 0x90);
    uart_write(&u, MCR, 0);
    uart_write(&u, LCR, 0);
    uart_write(&u, IIR, 0x01);
    CU_ASSERT_EQUAL(uart_read(&u, IIR) >> 6, 3); /* a 16550A */
    uart_write(&u, SCR, 0x5a);
    CU_ASSERT_EQUAL(uart_read(&u, SCR), 0x5a);
}

static void test_divisor(void)
{
    struct uart u = fresh();

    uart_write(&u, LCR, 0x83);
    uart_write(&u, RBR, 0x34);
    uart_write(&u, IER, 0x12);
    CU_ASSERT_EQUAL(uart_read(&u, RBR), 0x34);
    CU_ASSERT_EQUAL(uart_read(&u, IER), 0x12);
    CU_ASSERT_EQUAL(nsent, 0);
    uart_write(&u, LCR, 0x03);
    CU_ASSERT_EQUAL(uart_read(&u, IER), 0);
    uart_write(&u, RBR, 'x');
    CU_ASSERT(nsent == 1 && sent[0] == 'x');
}

static void test_transmit_interrupt(void)
{
    struct uart u = fresh();

    uart_write(&u, MCR, 0x08);
    uart_write(&u, IER, 0x02); /* empty already: at once */
    CU_ASSERT_TRUE(uart_interrupt(&u));
    CU_ASSERT_EQUAL(uart_read(&u, IIR), 0x02);
    CU_ASSERT_FALSE(uart_interrupt(&u)); /* reading IIR clears it */
    CU_ASSERT_EQUAL(uart_read(&u, IIR), 0x01);
    uart_write(&u, RBR, 'a');
    CU_ASSERT_TRUE(uart_interrupt(&u));
    uart_write(&u, MCR, 0); /* not connected to the bus */
    CU_ASSERT_FALSE(uart_interrupt(&u));
}

static void test_receive(void)
{
    struct uart u = fresh();

    uart_write(&u, IIR, 0x01);
    uart_write(&u, MCR, 0x08);
    uart_write(&u, IER, 0x01);
    CU_ASSERT_EQUAL(uart_room(&u), UART_FIFO);
    for (unsigned i = 0; i < UART_FIFO; i++)
        uart_receive(&u, (uint8_t)('a' + i));
    CU_ASSERT_EQUAL(uart_room(&u), 0);
    CU_ASSERT_TRUE(uart_interrupt(&u));
    CU_ASSERT_EQUAL(uart_read(&u, IIR), 0xc4);
    uart_receive(&u, 'z'); /* lost, and told */
    CU_ASSERT_EQUAL(uart_read(&u, LSR), 0x63);
    CU_ASSERT_EQUAL(uart_read(&u, LSR), 0x61);
    for (unsigned i = 0; i < UART_FIFO; i++)
        CU_ASSERT_EQUAL(uart_read(&u, RBR), 'a' + i);
    CU_ASSERT_FALSE(uart_interrupt(&u));
    CU_ASSERT_EQUAL(uart_read(&u, LSR), 0x60);
    CU_ASSERT_EQUAL(uart_read(&u, RBR), 0);
}

/* Without FIFOs one byte waits; clearing them loses what waits. */
static void test_fifo_control(void)
{
    struct uart u = fresh();

    CU_ASSERT_EQUAL(uart_room(&u), 1);
    uart_receive(&u, 'a');
    CU_ASSERT_EQUAL(uart_room(&u), 0);
    uart_write(&u, IIR, 0x01);
    CU_ASSERT_EQUAL(uart_read(&u, LSR), 0x60);
    uart_receive(&u, 'b');
    uart_write(&u, IIR, 0x03);
    CU_ASSERT_EQUAL(uart_room(&u), UART_FIFO);
}

static void test_loopback(void)
{
    struct uart u = fresh();

    uart_write(&u, MCR, 0x10);
    CU_ASSERT_EQUAL(uart_room(&u), 0);
    uart_receive(&u, 'x'); /* not connected */
    CU_ASSERT_EQUAL(uart_read(&u, LSR), 0x60);
    uart_write(&u, RBR, 'q');
    CU_ASSERT_EQUAL(nsent, 0);
    CU_ASSERT_EQUAL(uart_read(&u, RBR), 'q');
}

const struct cu_test suite_tests[] = {
    {"registers after reset", test_reset},
    {"Linux finds a 16550A", test_found_by_linux},
    {"the divisor latch", test_divisor},
    {"the transmitter's interrupt", test_transmit_interrupt},
    {"receiving, and overrun", test_receive},
    {"FIFO control", test_fifo_control},
    {"loopback", test_loopback},
    {NULL, NULL},
};
