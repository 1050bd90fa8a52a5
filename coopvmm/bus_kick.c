/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Registers that only kick (IOTP_RANGE_KICK): a write says no more than that there is work in guest
 * memory. So the engine may turn it, in the kernel, into a write to what wakes the I/O core, and
 * the guest's vCPU never leaves the guest for it. What a guest uses is learned from its first
 * write; what is behind a window that moves is forgotten, since something else may be there next.
 */
#include "bus_priv.h"

static bool known(const struct vm_bus *b, uint8_t space, uint64_t addr)
{
    for (unsigned i = 0; i < b->nkicks; i++)
        if (b->kick[i].space == space && b->kick[i].addr == addr)
            return true;
    return false;
}

static int turn(const struct vm_bus *b, const struct bus_kick *k, bool on)
{
    return b->vm->engine->kick(b->vm, k->space == NM_SPACE_PIO ? VM_PIO : VM_MMIO, k->addr,
                               k->dev->place->kick_fd(k->dev), on);
}

/* Locked. A window may have moved since the access found it: then it is looked for anew, and
 * whoever moves it comes to bus_kick_forget() after this. */
static void learn(struct vm_bus *b, const struct bus_window *w, uint64_t offset)
{
    struct bus_kick k = {
        .dev = w->dev, .addr = w->base + offset, .space = w->space, .region = w->region};
    struct bus_window now;

    if (b->nkicks == BUS_MAX_KICKS || known(b, k.space, k.addr))
        return;
    if (!bus_find_window(b, k.space, k.addr, &now) || now.dev != k.dev || now.base != w->base)
        return;
    if (turn(b, &k, true))
        __atomic_store_n(&b->kicks_fail, true, __ATOMIC_RELAXED);
    else
        b->kick[b->nkicks++] = k;
}

void bus_kick_learn(struct vm_bus *b, const struct bus_window *w, const struct iotp_req *r)
{
    if (!b->vm->engine->kick || !w->dev->place->kick_fd ||
        !bus_in_range(w->dev, r, IOTP_RANGE_KICK) ||
        __atomic_load_n(&b->kicks_fail, __ATOMIC_RELAXED))
        return;
    pthread_mutex_lock(&b->kick_lock);
    learn(b, w, r->offset);
    pthread_mutex_unlock(&b->kick_lock);
}

void bus_kick_forget(struct vm_bus *b, const struct bus_dev *d, uint8_t region)
{
    pthread_mutex_lock(&b->kick_lock);
    for (unsigned i = 0; i < b->nkicks;) {
        if (b->kick[i].dev != d || b->kick[i].region != region) {
            i++;
            continue;
        }
        turn(b, &b->kick[i], false);
        b->kick[i] = b->kick[--b->nkicks];
    }
    pthread_mutex_unlock(&b->kick_lock);
}
