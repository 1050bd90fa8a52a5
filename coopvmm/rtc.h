/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A PC's real-time clock, MC146818A, as far as operating systems read it at boot: the host's time
 * in UTC, and battery-backed memory. Source: Motorola MC146818A data sheet (1984).
 *
 * The clock is the host's: what a guest writes to its time is ignored. It has no alarm and no
 * periodic interrupt (ACPI gives it no line).
 *
 * Threads: none of its own; whoever calls has a lock.
 */
#ifndef COOPVMM_RTC_H
#define COOPVMM_RTC_H

#include <stdint.h>
#include <time.h>

#define RTC_BYTES 128

struct rtc {
    uint8_t index;
    uint8_t ram[RTC_BYTES]; /* registers of the time are computed */
};

void rtc_reset(struct rtc *r);
/** Port 0x70 (reg 0) or 0x71 (reg 1). `now` is the time shown. */
uint8_t rtc_read(const struct rtc *r, unsigned reg, time_t now);
void rtc_write(struct rtc *r, unsigned reg, uint8_t value);

#endif
