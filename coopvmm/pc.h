/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Platform "pc": what a stock Linux kernel finds around its vCPUs, besides PCI (pci_root.c) and the
 * interrupt controllers, timer and clocks that KVM has itself.
 *
 * Guest-physical addresses:
 *   0x00000000 - 0x0009ffff  memory; the lowest 128 KiB as boot.h says
 *   0x000a0000 - 0x000fffff  memory, reserved: ACPI tables at 0xe0000
 *   0x00100000 -             memory, up to 3 GiB
 *   0xc0000000 - 0xdfffffff  PCI
 *   0xe0000000 - 0xe00fffff  configuration space of PCI bus 0 (ECAM)
 *   0xfec00000, 0xfee00000   I/O APIC, local APICs
 *   0x100000000 -            the rest of memory
 *
 * Interrupt lines (GSIs): ISA has 0 to 15, COM1 line 4; PCI INTA# to INTD# of device d are 16 + (d
 * + pin) % 4, level-triggered; 20 is ACPI's, and never raised.
 *
 * Ports: 0x3f8 COM1 (uart.h), 0x70 clock (rtc.h), 0x60/0x64 of the keyboard controller that resets,
 * 0xcf9 reset control, 0x600 power management (ACPI 6.3, 4.8.3: PM1a event and control block).
 *
 * Threads: any vCPU; one lock for all of it, since none of it is fast.
 */
#ifndef COOPVMM_PC_H
#define COOPVMM_PC_H

#include "engine.h"

#define PC_MIN_MEMORY (16u << 20) /* bytes; less than any kernel wants */
#define PC_HOLE       0xc0000000u /* no memory from here to 4 GiB */
#define PC_MMIO       0xc0000000u /* PCI memory windows */
#define PC_MMIO_SIZE  0x20000000u
#define PC_PIO        0xc000u /* PCI I/O windows are dealt out from here on */
#define PC_ECAM       0xe0000000u
#define PC_ECAM_SIZE  0x00100000u /* one bus */
#define PC_IOAPIC     0xfec00000u
#define PC_LAPIC      0xfee00000u
#define PC_LINES      24 /* pins of the I/O APIC */
#define PC_COM1       0x3f8
#define PC_COM1_LINE  4
#define PC_RTC        0x70
#define PC_PM1_EVT    0x600 /* status, enable: 2 bytes each */
#define PC_PM1_CNT    0x604
#define PC_SCI        20
#define PC_RESET      0xcf9
#define PC_RESET_ALL  0x06 /* what is written there */
#define PC_S5         5    /* SLP_TYP of soft off, as the DSDT's \_S5 says */

/** The line of a PCI device's pin: 0 is INTA#. */
static inline unsigned pc_pci_line(unsigned slot, unsigned pin)
{
    return 16 + (slot + pin) % 4;
}

/** Makes it. `set_line` sets an ISA line's level; any vCPU's thread. @return NULL: out of memory */
struct pc *pc_new(struct vm *vm, void (*set_line)(struct vm *vm, unsigned line, bool level));
void pc_free(struct pc *p);

/** @return true if it was one of the machine's ports; *err then as vm_io */
bool pc_port(struct vm *vm, unsigned vcpu, struct vm_io *io, int *err);

/*
 * The serial port's other end. `output` is called with what the guest sends, under the machine's
 * lock: it must not block. Set before the guest runs.
 */
void pc_serial_attach(struct pc *p, void (*output)(void *ctx, uint8_t byte), void *ctx);
/** Bytes for the guest. Any thread. @return how many it took */
unsigned pc_serial_input(struct pc *p, const uint8_t *byte, unsigned n);

#endif
