/* SPDX-License-Identifier: BSD-3-Clause */
#include "xen_rig.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../protocol/iotp_ctl.h"
#include "xen_rig_priv.h"

struct xr xr;
struct ioreq *xr_slot;
void (*xr_hook)(void);

static bool dead;

void xr_host_down(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputs("\n", stderr);
    abort();
}

/* --- calls --- */

static struct {
    const char *name;
    unsigned after;
    int err;
} trouble;

void xr_fail(const char *name, unsigned n, int err)
{
    trouble.name = name;
    trouble.after = n;
    trouble.err = err;
}

int xr_refuse(int err)
{
    errno = err;
    return -1;
}

/* Begins a call of a library. @return false: it fails, errno is set */
bool xr_enter(const char *name)
{
    if (dead)
        return !xr_refuse(EBADF);
    if (xr_hook)
        xr_hook();
    if (!trouble.name || strcmp(name, trouble.name) || --trouble.after)
        return true;
    trouble.name = NULL;
    return !xr_refuse(trouble.err);
}

int xr_leave(int result)
{
    if (!dead && xr_hook)
        xr_hook();
    return result;
}

/* The same for an operation on the domain. */
bool xr_operate(const char *name, const struct xr_handle *h, unsigned domid)
{
    if (!xr_enter(name))
        return false;
    if (!h->open || h->domid != XR_DOMID)
        xr_host_down("%s: by a handle that is not restricted to the domain", name);
    if (domid != XR_DOMID)
        return !xr_refuse(EPERM);
    return xr.gone ? !xr_refuse(ESRCH) : true;
}

bool xr_open_handle(const char *name, struct xr_handle *h)
{
    if (!xr_enter(name))
        return false;
    if (h->open)
        xr_host_down("%s: is open already", name);
    *h = (struct xr_handle){.open = true, .domid = -1};
    xr_leave(0);
    return true;
}

int xr_restrict_handle(const char *name, struct xr_handle *h, unsigned domid)
{
    if (!xr_enter(name))
        return -1;
    h->domid = (int)domid;
    return xr_leave(0);
}

void xr_happened(char kind, uint64_t at)
{
    if (xr.nevents < XR_MAX_EVENTS)
        xr.event[xr.nevents++] =
            (struct xr_event){.kind = kind, .state = xr_slot[0].state, .at = at};
}

/* --- power --- */

void *xr_map_all(int fd, size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (fd < 0 || at == MAP_FAILED)
        xr_host_down("rig: no memory: %s", strerror(errno));
    return at;
}

void xr_power_on(unsigned nvcpus, bool lines)
{
    xr = (struct xr){.nvcpus = nvcpus, .lines = lines};
    trouble.name = NULL;
    xr_hook = NULL;
    xr_memory_on();
    xr_slot = xr_map_all(xr_page_fd, XR_PAGE);
    xr_note_fd = iotp_memfd("xr-note", IOTP_DOMAIN_STATE_SIZE);
    for (unsigned i = 0; i < XR_MAX_DEVS; i++)
        xr_state_fd[i] = -1;
}

unsigned xr_power_off(void)
{
    unsigned left = xr_left_dm() + xr_left_events() + xr_left_memory();

    xr_reap();
    munmap(xr_slot, XR_PAGE);
    xr_memory_off();
    close(xr_note_fd);
    for (unsigned i = 0; i < XR_MAX_DEVS; i++)
        if (xr_state_fd[i] >= 0)
            close(xr_state_fd[i]);
    return left;
}

void xr_kill(void)
{
    dead = true;
}

bool xr_is_dead(void)
{
    return dead;
}

void xr_reap(void)
{
    xr_reap_dm();
    xr_reap_events();
    xr_reap_memory();
    dead = false;
}

/* --- the vCPUs --- */

/* The bytes an access touches: ports do not move along. */
static void extent(const struct ioreq *r, uint64_t *first, uint64_t *last)
{
    uint64_t more = r->type == IOREQ_TYPE_COPY ? (uint64_t)(r->count - 1) * r->size : 0;

    *first = r->df ? r->addr - more : r->addr;
    *last = (r->df ? r->addr : r->addr + more) + r->size - 1;
}

bool xr_is_ours(const struct ioreq *r)
{
    uint64_t first, last;

    if (!xr.enabled)
        return false;
    if (r->type == IOREQ_TYPE_PCI_CONFIG)
        return !(r->addr >> 40) && xr.slots >> (r->addr >> 35 & 31) & 1 && !(r->addr >> 32 & 7);
    if (r->type != IOREQ_TYPE_PIO && r->type != IOREQ_TYPE_COPY)
        return true; /* broadcast */
    extent(r, &first, &last);
    for (unsigned i = 0; i < xr.nranges; i++)
        if (xr.range[i].ports == (r->type == IOREQ_TYPE_PIO) && xr.range[i].first <= first &&
            last <= xr.range[i].last)
            return true;
    return false;
}

/* As ioreq_send: everything, then the state. The bits beside the state are the request's. */
void xr_post(unsigned v, const struct ioreq *r)
{
    struct ioreq *s = &xr_slot[v];
    struct ioreq q = *r;

    if (s->state != STATE_IOREQ_NONE)
        xr_host_down("vCPU %u waits already", v);
    q.vp_eport = s->vp_eport;
    q._pad0 = xr.spin;
    q.state = STATE_IOREQ_NONE;
    *s = q;
    xr.woken[v] = false;
    s->state = STATE_IOREQ_READY;
    if (!xr.spin)
        xr_ring(v);
}

void xr_stop_spinning(unsigned v)
{
    bool in_flight =
        xr_slot[v].state == STATE_IOREQ_READY || xr_slot[v].state == STATE_IOREQ_INPROCESS;

    xr_slot[v]._pad0 = 0;
    if (in_flight)
        xr_ring(v);
    else
        xr.woken[v] = true;
}

bool xr_is_answered(unsigned v)
{
    return xr_slot[v].state == STATE_IORESP_READY && (xr.woken[v] || xr_slot[v]._pad0);
}

uint64_t xr_take(unsigned v)
{
    if (!xr_is_answered(v))
        xr_host_down("vCPU %u sleeps for ever: state %u, %swoken", v, xr_slot[v].state,
                     xr.woken[v] ? "" : "not ");
    xr_slot[v].state = STATE_IOREQ_NONE;
    return xr_slot[v].data;
}
