/* SPDX-License-Identifier: BSD-3-Clause */
#include "msix.h"

#include <errno.h>
#include <string.h>

#include "access.h"

/* An entry: message address (8 bytes), message data, vector control. */
#define ENTRY_DATA    8
#define ENTRY_CONTROL 12
enum { CONTROL_MASK = 1 };

void msix_reset(struct msix *x)
{
    memset(x, 0, sizeof(*x));
    for (unsigned v = 0; v < MSIX_MAX; v++)
        x->table[v * MSIX_ENTRY + ENTRY_CONTROL] = CONTROL_MASK;
}

/* The address is a double word's, and of the control word there is one bit. */
static uint8_t writable(unsigned offset)
{
    switch (offset % MSIX_ENTRY) {
    case 0: return 0xfc;
    case ENTRY_CONTROL: return CONTROL_MASK;
    case ENTRY_CONTROL + 1:
    case ENTRY_CONTROL + 2:
    case ENTRY_CONTROL + 3: return 0;
    default: return 0xff;
    }
}

/*
 * Linux in a Xen HVM domain takes messages as Xen's event channels: it writes vector 0, which no
 * local APIC accepts, and leaves the entry masked. Such a message is sent all the same: elsewhere
 * there is none.
 */
static bool masked(const struct msix *x, unsigned v)
{
    const uint8_t *e = x->table + v * MSIX_ENTRY;
    bool for_xen = nm_get_le(e, 8) && !e[ENTRY_DATA];

    return (e[ENTRY_CONTROL] & CONTROL_MASK) && !for_xen;
}

static void send(struct nm_dev *d, const struct msix *x, unsigned v)
{
    const uint8_t *e = x->table + v * MSIX_ENTRY;

    d->env->msi(d, nm_get_le(e, 8), (uint32_t)nm_get_le(e + ENTRY_DATA, 4));
}

void msix_signal(struct nm_dev *d, struct msix *x, unsigned n, uint16_t ctrl, unsigned v)
{
    if (v >= n || !(ctrl & MSIX_CTRL_ENABLE))
        return;
    if (!(ctrl & MSIX_CTRL_MASK_ALL) && !masked(x, v)) {
        send(d, x, v);
    } else if (!(x->pending >> v & 1)) {
        x->pending |= 1ull << v;
        d->changed = true;
    }
}

void msix_update(struct nm_dev *d, struct msix *x, unsigned n, uint16_t ctrl)
{
    if (!(ctrl & MSIX_CTRL_ENABLE) || (ctrl & MSIX_CTRL_MASK_ALL))
        return;
    for (unsigned v = 0; v < n; v++)
        if ((x->pending >> v & 1) && !masked(x, v)) {
            x->pending &= ~(1ull << v);
            d->changed = true;
            send(d, x, v);
        }
}

static uint8_t read_byte(const struct msix *x, unsigned n, uint64_t offset)
{
    if (offset < (uint64_t)n * MSIX_ENTRY)
        return x->table[offset];
    if (offset >= MSIX_PBA && offset < MSIX_PBA + sizeof(x->pending))
        return (uint8_t)(x->pending >> 8 * (offset - MSIX_PBA));
    return 0;
}

enum nm_status msix_access(struct nm_dev *d, struct msix *x, unsigned n, uint16_t ctrl,
                           struct nm_access *a)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < a->size; i++) {
        uint64_t at = a->offset + i;

        if (!a->write)
            value |= (uint64_t)read_byte(x, n, at) << 8 * i;
        else if (at < (uint64_t)n * MSIX_ENTRY)
            x->table[at] = (uint8_t)((x->table[at] & ~writable((unsigned)at)) |
                                     (a->data >> 8 * i & writable((unsigned)at)));
    }
    if (a->write) {
        d->changed = true;
        msix_update(d, x, n, ctrl);
    } else {
        a->data = value;
    }
    return NM_DONE;
}

int msix_validate(const struct msix *x, unsigned n, const char **why)
{
    struct msix fresh;

    msix_reset(&fresh);
    for (unsigned i = 0; i < sizeof(x->table); i++)
        if ((x->table[i] ^ fresh.table[i]) & (i < n * MSIX_ENTRY ? ~writable(i) & 0xff : 0xff)) {
            *why = "the MSI-X table differs where it cannot be written";
            return -EPROTO;
        }
    if (x->pending >> n) {
        *why = "a message is pending of an MSI-X vector there is not";
        return -EPROTO;
    }
    return 0;
}
