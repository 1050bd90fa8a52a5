/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ACPI tables of platform "pc": RSDP, XSDT, FADT, FACS, MADT, MCFG, and the DSDT, which is
 * compiled from dsdt.asl. Source: ACPI specification 6.3, chapter 5; MCFG: PCI Firmware
 * specification 3.2, 4.1.2.
 *
 * Threads: no state.
 */
#ifndef COOPVMM_ACPI_H
#define COOPVMM_ACPI_H

#include <stdint.h>

#define ACPI_TABLES      0xe0000u /* guest-physical; the RSDP is first, where also a scan finds it */
#define ACPI_TABLES_SIZE 0x10000u

/**
 * Writes the tables of a machine with vCPUs 0 to nvcpus - 1, whose numbers are their APIC IDs.
 * @param at where guest-physical ACPI_TABLES is here, ACPI_TABLES_SIZE bytes
 * @return bytes used; 0: too many vCPUs to fit
 */
uint32_t acpi_write(uint8_t *at, unsigned nvcpus);

#endif
