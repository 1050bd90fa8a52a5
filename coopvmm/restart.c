/* SPDX-License-Identifier: BSD-3-Clause */
#include "restart.h"

#include <string.h>

/* Forgets deaths that are out of the window. */
static void forget_old(struct restart *r, uint64_t now_ms)
{
    unsigned old = 0;

    while (old < r->n && now_ms - r->died_ms[old] >= RESTART_WINDOW_MS)
        old++;
    memmove(r->died_ms, r->died_ms + old, (r->n - old) * sizeof(r->died_ms[0]));
    r->n -= old;
}

int restart_after(struct restart *r, uint64_t now_ms, uint64_t served_ms)
{
    if (served_ms >= RESTART_SERVED_MS) {
        r->n = 0;
        return 0;
    }
    forget_old(r, now_ms);
    r->died_ms[r->n++] = now_ms;
    if (r->n == RESTART_MAX) {
        r->n = 0;
        return -1;
    }
    return r->n == 1 ? 0 : RESTART_FIRST_MS << (r->n - 2);
}
