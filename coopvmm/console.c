/* SPDX-License-Identifier: BSD-3-Clause */
#include "console.h"

#include <unistd.h>

#include "../protocol/iotp_vmm.h"

void console_lock(struct vm_console *c)
{
    while (__atomic_exchange_n(&c->lock, true, __ATOMIC_ACQUIRE))
        iotp_pause();
}

void console_unlock(struct vm_console *c)
{
    __atomic_store_n(&c->lock, false, __ATOMIC_RELEASE);
}

static void write_line(struct vm_console *c)
{
    if (c->used && write(STDOUT_FILENO, c->line, c->used) < 0) {
        /* nobody reads the guest's console any more; the guest goes on */
    }
    c->used = 0;
}

void console_flush(struct vm_console *c)
{
    if (c->used)
        c->line[c->used++] = '\n';
    write_line(c);
}

static char printable(uint8_t ch)
{
    return ch == '\n' || ch == '\t' || (ch >= 0x20 && ch < 0x7f) ? (char)ch : '.';
}

void console_put(struct vm_console *c, uint8_t ch)
{
    if (ch == '\r')
        return;
    c->line[c->used++] = printable(ch);
    if (ch == '\n' || c->used == sizeof(c->line) - 1) {
        if (ch != '\n')
            c->line[c->used++] = '\n';
        write_line(c);
    }
}
