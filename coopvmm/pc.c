/* SPDX-License-Identifier: BSD-3-Clause */
#include "pc.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "ports.h"
#include "rtc.h"
#include "uart.h"
#include "vm.h"

#define KBC_DATA    0x60
#define KBC_COMMAND 0x64
#define KBC_PULSE   0xf0 /* pulses output lines whose bit is 0; line 0 is the CPU's reset */

#define PM1_BYTES       6
#define PM1_CNT_LOW     4 /* offsets in the block */
#define PM1_CNT_HIGH    5
#define PM1_SCI_EN      0x01 /* of PM1_CNT's low byte; always set: there is no legacy mode */
#define PM1_SLP_EN      0x20 /* of its high byte */
#define PM1_SLP_TYP(b)  ((b) >> 2 & 7)
#define RESET_CPU       0x04
#define RESET_PORT_BITS 0x0e

struct pc {
    struct vm *vm;
    void (*set_line)(struct vm *vm, unsigned line, bool level);
    pthread_mutex_t lock;
    struct uart com1;
    bool com1_level;
    void (*output)(void *ctx, uint8_t byte);
    void *output_ctx;
    struct rtc rtc;
    uint8_t pm1[PM1_BYTES];
    uint8_t reset;
};

/* One of the machine's devices: bytes at ports. */
struct pc_ports {
    uint16_t base, count;
    uint8_t (*read)(struct pc *p, unsigned reg);
    void (*write)(struct pc *p, unsigned reg, uint8_t value);
};

static void com1_update(struct pc *p)
{
    bool level = uart_interrupt(&p->com1);

    if (level != p->com1_level)
        p->set_line(p->vm, PC_COM1_LINE, level);
    p->com1_level = level;
}

static uint8_t com1_read(struct pc *p, unsigned reg)
{
    uint8_t value = uart_read(&p->com1, reg);

    com1_update(p);
    return value;
}

static void com1_write(struct pc *p, unsigned reg, uint8_t value)
{
    uart_write(&p->com1, reg, value);
    com1_update(p);
}

static void com1_send(void *ctx, uint8_t byte)
{
    struct pc *p = ctx;
    struct vm_console *c = vm_console(p->vm);

    console_lock(c);
    console_put(c, byte);
    console_unlock(c);
    if (p->output)
        p->output(p->output_ctx, byte);
}

static uint8_t clock_read(struct pc *p, unsigned reg)
{
    return rtc_read(&p->rtc, reg, time(NULL));
}

static void clock_write(struct pc *p, unsigned reg, uint8_t value)
{
    rtc_write(&p->rtc, reg, value);
}

static void end(struct pc *p, enum vm_end how)
{
    ports_flush(p->vm);
    vm_end(p->vm, how, 0);
}

/* No keyboard: nothing to read, never busy. */
static uint8_t kbc_read(struct pc *p, unsigned reg)
{
    (void)p, (void)reg;
    return 0;
}

static void kbc_write(struct pc *p, unsigned reg, uint8_t value)
{
    if (reg == KBC_COMMAND - KBC_DATA && (value & KBC_PULSE) == KBC_PULSE && !(value & 1))
        end(p, VM_RESET);
}

static uint8_t reset_read(struct pc *p, unsigned reg)
{
    (void)reg;
    return p->reset;
}

static void reset_write(struct pc *p, unsigned reg, uint8_t value)
{
    (void)reg;
    p->reset = value & RESET_PORT_BITS & ~RESET_CPU;
    if (value & RESET_CPU)
        end(p, VM_RESET);
}

static uint8_t pm1_read(struct pc *p, unsigned reg)
{
    return p->pm1[reg];
}

/* Status bits are never set, so that clearing them does nothing. */
static void pm1_write(struct pc *p, unsigned reg, uint8_t value)
{
    if (reg >= 2)
        p->pm1[reg] = reg == PM1_CNT_LOW ? value | PM1_SCI_EN : value;
    if (reg != PM1_CNT_HIGH)
        return;
    p->pm1[reg] &= (uint8_t)~PM1_SLP_EN; /* write only */
    if (value & PM1_SLP_EN && PM1_SLP_TYP(value) == PC_S5)
        end(p, VM_POWERED_OFF);
}

static const struct pc_ports devices[] = {
    {PC_COM1, UART_PORTS, com1_read, com1_write},
    {PC_RTC, 2, clock_read, clock_write},
    {KBC_DATA, KBC_COMMAND - KBC_DATA + 1, kbc_read, kbc_write},
    {PC_PM1_EVT, PM1_BYTES, pm1_read, pm1_write},
    {PC_RESET, 1, reset_read, reset_write},
};

static const struct pc_ports *find(uint64_t port)
{
    for (unsigned i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
        if (port - devices[i].base < devices[i].count)
            return &devices[i];
    return NULL;
}

/* As an ISA bus does with 8-bit devices: a byte after the other. What lies beyond reads all ones.
 */
static uint64_t access_bytes(struct pc *p, const struct pc_ports *d, const struct vm_io *io,
                             uint64_t data)
{
    unsigned reg = (unsigned)(io->addr - d->base);
    uint64_t value = 0;

    for (unsigned i = 0; i < io->size; i++) {
        bool there = reg + i < d->count;

        if (io->write && there)
            d->write(p, reg + i, (uint8_t)(data >> 8 * i));
        else if (!io->write)
            value |= (uint64_t)(there ? d->read(p, reg + i) : 0xff) << 8 * i;
    }
    return value;
}

static void access_string(struct pc *p, const struct pc_ports *d, unsigned vcpu, struct vm_io *io)
{
    for (io->done_count = 0; io->done_count < io->count; io->done_count++) {
        uint8_t *at = ports_element(p->vm, vcpu, io, io->done_count);
        uint64_t data = 0;

        if (!at)
            return;
        for (unsigned i = 0; io->write && i < io->size; i++)
            data |= (uint64_t)at[i] << 8 * i;
        data = access_bytes(p, d, io, data);
        for (unsigned i = 0; !io->write && i < io->size; i++)
            at[i] = (uint8_t)(data >> 8 * i);
    }
}

bool pc_port(struct vm *vm, unsigned vcpu, struct vm_io *io, int *err)
{
    struct pc *p = vm->pc;
    const struct pc_ports *d = p ? find(io->addr) : NULL;

    /* of the reset port only bytes: the double word belongs to PCI's configuration */
    if (!d || (d->base == PC_RESET && io->size != 1))
        return false;
    pthread_mutex_lock(&p->lock);
    if (io->string) {
        access_string(p, d, vcpu, io);
    } else {
        uint64_t value = access_bytes(p, d, io, io->data);

        io->data = io->write ? io->data : value;
        io->done_count = 1;
    }
    pthread_mutex_unlock(&p->lock);
    *err = __atomic_load_n(&vm->stopping, __ATOMIC_RELAXED) ? -ECANCELED : 0;
    return true;
}

void pc_serial_attach(struct pc *p, void (*output)(void *ctx, uint8_t byte), void *ctx)
{
    pthread_mutex_lock(&p->lock);
    p->output = output;
    p->output_ctx = ctx;
    pthread_mutex_unlock(&p->lock);
}

unsigned pc_serial_input(struct pc *p, const uint8_t *byte, unsigned n)
{
    unsigned room;

    pthread_mutex_lock(&p->lock);
    room = uart_room(&p->com1);
    n = n < room ? n : room;
    for (unsigned i = 0; i < n; i++)
        uart_receive(&p->com1, byte[i]);
    com1_update(p);
    pthread_mutex_unlock(&p->lock);
    return n;
}

struct pc *pc_new(struct vm *vm, void (*set_line)(struct vm *vm, unsigned line, bool level))
{
    struct pc *p = calloc(1, sizeof(*p));

    if (!p)
        return NULL;
    p->vm = vm;
    p->set_line = set_line;
    pthread_mutex_init(&p->lock, NULL);
    p->com1 = (struct uart){.send = com1_send, .ctx = p};
    uart_reset(&p->com1);
    rtc_reset(&p->rtc);
    p->pm1[PM1_CNT_LOW] = PM1_SCI_EN;
    return p;
}

void pc_free(struct pc *p)
{
    if (!p)
        return;
    pthread_mutex_destroy(&p->lock);
    free(p);
}
