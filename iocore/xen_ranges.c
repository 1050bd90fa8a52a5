/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which ports and addresses Xen sends us: where the devices' windows are.
 *
 * A range is written into the notebook before Xen is told of it, and erased after Xen forgot it:
 * a process that dies in between leaves one too many there, never one too few.
 */
#include <errno.h>

#include "xen_domain.h"

static bool same(const struct xen_range *r, const struct nm_window *w)
{
    return w->space != NM_SPACE_NONE && r->ports == (w->space == NM_SPACE_PIO) &&
           r->base == w->base && r->size == w->size;
}

static struct xen_told *write_down(struct xen_domain *x, const struct xen_dev *xd, unsigned window)
{
    const struct xen_range *r = &xd->range[window];

    for (unsigned i = 0; i < XEN_MAX_TOLD; i++) {
        struct xen_told *t = &x->note->told[i];

        if (t->used)
            continue;
        *t = (struct xen_told){.base = r->base,
                               .size = r->size,
                               .device = xd->index,
                               .window = (uint8_t)window,
                               .ports = r->ports};
        __atomic_store_n(&t->used, 1, __ATOMIC_RELEASE);
        return t;
    }
    return NULL;
}

static void erase(struct xen_told *t)
{
    __atomic_store_n(&t->used, 0, __ATOMIC_RELEASE);
}

/* --- one window --- */

static int tell(struct xen_domain *x, struct xen_dev *xd, unsigned window)
{
    struct xen_range *r = &xd->range[window];
    int err;

    r->told = write_down(x, xd, window);
    if (!r->told)
        return -ENOSPC;
    err = xen_dm_range(x->dm, x->server, r->ports, r->base, r->size, true);
    if (err)
        erase(r->told);
    return err;
}

/* A window that Xen refuses (it lies on another device's, or beyond what an address can be) answers
 * nothing, as on a bus where both would drive the lines. */
static void map_range(struct xen_domain *x, struct xen_dev *xd, unsigned window,
                      const struct nm_window *w)
{
    struct xen_range *r = &xd->range[window];
    bool again = r->refused && same(r, w);

    *r = (struct xen_range){
        .region = w->region, .ports = w->space == NM_SPACE_PIO, .base = w->base, .size = w->size};
    if (w->space == NM_SPACE_NONE)
        return;
    r->mapped = !tell(x, xd, window);
    r->refused = !r->mapped;
    if (r->refused && !again)
        hist_store(&x->n.refused, x->n.refused + 1);
}

static void unmap_range(struct xen_domain *x, struct xen_range *r)
{
    xen_dm_range(x->dm, x->server, r->ports, r->base, r->size, false);
    erase(r->told);
    r->mapped = false;
}

/* --- a device --- */

static unsigned windows_of(const struct xen_dev *xd, struct nm_window *w)
{
    const struct nm_dev *nm = &xd->dev->nm;

    return nm->model->windows(nm, w, IOTP_MAX_WINDOWS);
}

/* @return was there anything that has to go? */
static bool leave_old_places(struct xen_domain *x, struct xen_dev *xd, const struct nm_window *w,
                             unsigned n)
{
    bool left = false;

    for (unsigned i = 0; i < IOTP_MAX_WINDOWS; i++)
        if (xd->range[i].mapped && (i >= n || !same(&xd->range[i], &w[i]))) {
            unmap_range(x, &xd->range[i]);
            left = true;
        }
    return left;
}

static void take_new_places(struct xen_domain *x, struct xen_dev *xd, const struct nm_window *w,
                            unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        xd->range[i].region = w[i].region;
        if (!xd->range[i].mapped)
            map_range(x, xd, i, &w[i]);
    }
    xd->nranges = n;
}

/* First away from the old places, then to the new ones: windows may change places. Where one left,
 * another device's may have waited. */
void xen_domain_follow(struct xen_domain *x, struct xen_dev *xd)
{
    struct nm_window w[IOTP_MAX_WINDOWS];
    unsigned n = windows_of(xd, w);
    bool left = leave_old_places(x, xd, w, n);

    take_new_places(x, xd, w, n);
    for (unsigned i = 0; left && i < x->ndevs; i++)
        if (x->xdev[i] && x->xdev[i] != xd)
            take_new_places(x, x->xdev[i], w, windows_of(x->xdev[i], w));
}

void xen_ranges_leave(struct xen_domain *x, struct xen_dev *xd)
{
    leave_old_places(x, xd, NULL, 0);
}

/* --- after a restart --- */

/* Refused at this place, and not yet erased? */
static bool is_anothers(const struct xen_domain *x, const struct xen_told *t)
{
    for (unsigned i = 0; i < XEN_MAX_TOLD; i++) {
        const struct xen_told *o = &x->note->told[i];

        if (o != t && o->used && o->ports == t->ports && o->base <= t->base + (t->size - 1) &&
            t->base <= o->base + (o->size - 1))
            return true;
    }
    return false;
}

/* Whether Xen had heard of it is not known: if not, it does now. */
static void take_up(struct xen_domain *x, struct xen_dev *xd, struct xen_told *t)
{
    struct xen_range *r = &xd->range[t->window];
    int err;

    *r = (struct xen_range){.ports = t->ports, .base = t->base, .size = t->size, .told = t};
    err = xen_dm_range(x->dm, x->server, r->ports, r->base, r->size, true);
    r->mapped = !err || (err == -EEXIST && !is_anothers(x, t));
    if (!r->mapped)
        erase(t);
}

static bool makes_sense(const struct xen_told *t)
{
    return t->window < IOTP_MAX_WINDOWS && t->ports <= 1 && t->size &&
           t->base + (t->size - 1) >= t->base;
}

void xen_ranges_resume(struct xen_domain *x, struct xen_dev *xd)
{
    for (unsigned i = 0; i < XEN_MAX_TOLD; i++) {
        struct xen_told *t = &x->note->told[i];

        if (!t->used || t->device != xd->index)
            continue;
        if (makes_sense(t) && !xd->range[t->window].mapped)
            take_up(x, xd, t);
        else
            erase(t);
    }
}

void xen_ranges_forget(struct xen_domain *x)
{
    for (unsigned i = 0; i < XEN_MAX_TOLD; i++) {
        struct xen_told *t = &x->note->told[i];

        if (!t->used)
            continue;
        if (makes_sense(t))
            xen_dm_range(x->dm, x->server, t->ports, t->base, t->size, false);
        erase(t);
    }
}
