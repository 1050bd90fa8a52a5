/* SPDX-License-Identifier: BSD-3-Clause */
#include "rtc.h"

#include <stdbool.h>
#include <string.h>

enum {
    SECONDS = 0,
    MINUTES = 2,
    HOURS = 4,
    DAY_OF_WEEK = 6,
    DAY_OF_MONTH = 7,
    MONTH = 8,
    YEAR = 9,
    REGISTER_A = 10,
    REGISTER_B = 11,
    REGISTER_C = 12,
    REGISTER_D = 13,
    CENTURY = 0x32, /* by convention of PCs; the FADT names it */
};
#define A_DIVIDER  0x26 /* 32.768 kHz, 1.024 kHz square wave; an update is never in progress */
#define B_24_HOURS 0x02
#define B_BINARY   0x04
#define B_WRITABLE 0x06 /* without SET and the interrupt enables */
#define D_VALID    0x80

void rtc_reset(struct rtc *r)
{
    memset(r, 0, sizeof(*r));
    r->ram[REGISTER_A] = A_DIVIDER;
    r->ram[REGISTER_B] = B_24_HOURS;
}

static uint8_t form(const struct rtc *r, int n)
{
    bool binary = r->ram[REGISTER_B] & B_BINARY;

    return (uint8_t)(binary ? n : n / 10 * 16 + n % 10);
}

static uint8_t hours(const struct rtc *r, int hour)
{
    if (r->ram[REGISTER_B] & B_24_HOURS)
        return form(r, hour);
    return (uint8_t)(form(r, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? 0x80 : 0));
}

uint8_t rtc_read(const struct rtc *r, unsigned reg, time_t now)
{
    struct tm t = {0};

    if (reg == 0)
        return 0xff; /* the index cannot be read */
    gmtime_r(&now, &t);
    switch (r->index) {
    case SECONDS: return form(r, t.tm_sec > 59 ? 59 : t.tm_sec);
    case MINUTES: return form(r, t.tm_min);
    case HOURS: return hours(r, t.tm_hour);
    case DAY_OF_WEEK: return form(r, t.tm_wday + 1);
    case DAY_OF_MONTH: return form(r, t.tm_mday);
    case MONTH: return form(r, t.tm_mon + 1);
    case YEAR: return form(r, t.tm_year % 100);
    case CENTURY: return form(r, (t.tm_year + 1900) / 100);
    case REGISTER_C: return 0;
    case REGISTER_D: return D_VALID;
    default: return r->ram[r->index];
    }
}

void rtc_write(struct rtc *r, unsigned reg, uint8_t value)
{
    if (reg == 0)
        r->index = value % RTC_BYTES; /* bit 7 masks the NMI, of which there is none */
    else if (r->index == REGISTER_B)
        r->ram[REGISTER_B] = value & B_WRITABLE;
    else if (r->index > REGISTER_D || r->index == 1 || r->index == 3 || r->index == 5)
        r->ram[r->index] = value; /* memory, and the alarm that never rings */
}
