/* SPDX-License-Identifier: BSD-3-Clause */
/* Text to the PV console or the debug port, a call at a time: vCPUs do not mix within a line. */
#include <stdarg.h>

#include "guest.h"

struct line {
    char text[256];
    uint32_t len;
};

static bool lock;

static void put(struct line *l, char c)
{
    if (l->len < sizeof(l->text))
        l->text[l->len++] = c;
}

static void put_number(struct line *l, uint64_t v, unsigned base)
{
    char digits[20];
    unsigned n = 0;

    do {
        digits[n++] = "0123456789abcdef"[v % base];
        v /= base;
    } while (v);
    while (n)
        put(l, digits[--n]);
}

static void put_signed(struct line *l, int64_t v)
{
    if (v < 0)
        put(l, '-');
    put_number(l, v < 0 ? -(uint64_t)v : (uint64_t)v, 10);
}

static void put_string(struct line *l, const char *s)
{
    while (*s)
        put(l, *s++);
}

static void flush(const struct line *l)
{
    while (__atomic_exchange_n(&lock, true, __ATOMIC_ACQUIRE))
        pause();
    if (!xen_console(l->text, l->len))
        outsb(PORT_CONSOLE, l->text, l->len);
    __atomic_store_n(&lock, false, __ATOMIC_RELEASE);
}

void print(const char *fmt, ...)
{
    struct line l = {.len = 0};
    va_list ap;

    va_start(ap, fmt);
    for (; *fmt; fmt++) {
        bool wide = false;

        if (*fmt != '%') {
            put(&l, *fmt);
            continue;
        }
        for (fmt++; *fmt == 'l'; fmt++)
            wide = true;
        switch (*fmt) {
        case 'u': put_number(&l, wide ? va_arg(ap, uint64_t) : va_arg(ap, uint32_t), 10); break;
        case 'x': put_number(&l, wide ? va_arg(ap, uint64_t) : va_arg(ap, uint32_t), 16); break;
        case 'd': put_signed(&l, wide ? va_arg(ap, int64_t) : va_arg(ap, int32_t)); break;
        case 's': put_string(&l, va_arg(ap, const char *)); break;
        case 'c': put(&l, va_arg(ap, int)); break;
        default: put(&l, *fmt); break;
        }
    }
    va_end(ap);
    flush(&l);
}

void guest_exit(uint8_t status)
{
    cli();
    if (status)
        print("guest: exit status %u\n", (unsigned)status);
    if (on_xen())
        xen_shutdown(status);
    outb(PORT_EXIT, status);
    for (;;) /* nobody took the exit: be silent */
        __asm__ volatile("hlt");
}
