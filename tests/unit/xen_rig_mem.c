/* SPDX-License-Identifier: BSD-3-Clause */
/* libxenforeignmemory: the guest's memory, frame by frame, and the page of requests. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xenforeignmemory.h>

#include <xen/memory.h>

#include "../../protocol/iotp_ctl.h"
#include "xen_rig_priv.h"

#define MAX_WINDOWS   2048
#define GRAVES        4096 /* windows that went, whose addresses are not used again yet */
#define MAX_MAP_PAGES 64

struct xenforeignmemory_handle {
    struct xr_handle h;
};
struct xenforeignmemory_resource_handle {
    struct ioreq *page; /* of requests, as the process sees it */
};
struct window {
    uint8_t *at;
    unsigned pages;
};
int xr_page_fd = -1;
bool xr_page_is_mapped;
uint8_t *xr_mem;
static int mem_fd = -1;
static uint32_t page_of[XR_PAGES];
static struct xenforeignmemory_handle fmem;
static struct xenforeignmemory_resource_handle resource;
static struct window window[MAX_WINDOWS];
static unsigned nwindows;

void xr_memory_on(void)
{
    xr_page_fd = iotp_memfd("xr-page", XR_PAGE);
    mem_fd = iotp_memfd("xr-mem", (uint64_t)XR_PAGES * XR_PAGE);
    xr_mem = xr_map_all(mem_fd, (size_t)XR_PAGES * XR_PAGE);
    for (unsigned i = 0; i < XR_PAGES; i++)
        page_of[i] = i;
}

void xr_memory_off(void)
{
    munmap(xr_mem, (size_t)XR_PAGES * XR_PAGE);
    close(mem_fd);
    close(xr_page_fd);
}

void xr_page(uint64_t gfn, uint32_t page)
{
    page_of[gfn] = page;
}

unsigned xr_windows(void)
{
    return nwindows;
}

void *xr_window(unsigned n, uint64_t *len)
{
    *len = (uint64_t)window[n].pages * XR_PAGE;
    return window[n].at;
}

static void forget_window(struct window *w);

unsigned xr_left_memory(void)
{
    return fmem.h.open + nwindows + xr_page_is_mapped;
}

void xr_reap_memory(void)
{
    fmem.h.open = false;
    while (nwindows)
        forget_window(&window[0]);
    xenforeignmemory_unmap_resource(&fmem, &resource);
}

xenforeignmemory_handle *xenforeignmemory_open(struct xentoollog_logger *logger, unsigned flags)
{
    (void)logger, (void)flags;
    return xr_open_handle("xenforeignmemory_open", &fmem.h) ? &fmem : NULL;
}

int xenforeignmemory_close(xenforeignmemory_handle *f)
{
    f->h.open = false;
    return 0;
}

int xenforeignmemory_restrict(xenforeignmemory_handle *f, domid_t domid)
{
    return xr_restrict_handle("xenforeignmemory_restrict", &f->h, domid);
}

xenforeignmemory_resource_handle *xenforeignmemory_map_resource(xenforeignmemory_handle *f,
                                                                domid_t domid, unsigned type,
                                                                unsigned id, unsigned long frame,
                                                                unsigned long nframes, void **addr,
                                                                int prot, int flags)
{
    (void)flags;
    if (!xr_operate("xenforeignmemory_map_resource", &f->h, domid))
        return NULL;
    if (type != XENMEM_resource_ioreq_server ||
        frame != XENMEM_resource_ioreq_server_frame_ioreq(0) || nframes != 1 ||
        prot != (PROT_READ | PROT_WRITE) || xr_page_is_mapped)
        xr_host_down("an odd resource is mapped");
    if (!xr.made || id != xr.id) {
        xr_refuse(ENOENT);
        return NULL;
    }
    *addr = resource.page = xr_map_all(xr_page_fd, XR_PAGE);
    xr_page_is_mapped = true;
    xr_leave(0);
    return &resource;
}

int xenforeignmemory_unmap_resource(xenforeignmemory_handle *f, xenforeignmemory_resource_handle *r)
{
    (void)f;
    if (xr_page_is_mapped)
        munmap(r->page, XR_PAGE);
    xr_page_is_mapped = false;
    return 0;
}

/* Addresses that nothing else gets for a while, so that stale pointers fault. */
static void bury(void *at, size_t len)
{
    static struct {
        void *at;
        size_t len;
    } grave[GRAVES];
    static unsigned next;

    if (mmap(at, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) !=
        at)
        xr_host_down("rig: bury: %s", strerror(errno));
    if (grave[next].at)
        munmap(grave[next].at, grave[next].len);
    grave[next].at = at;
    grave[next].len = len;
    next = (next + 1) % GRAVES;
}

/* Where a frame is; XR_HOLE: nowhere. */
static uint32_t page_at(xen_pfn_t gfn)
{
    return gfn < XR_PAGES ? page_of[gfn] : XR_HOLE;
}

/* Maps frames whose pages lie one after another, from the first one on. @return how many */
static size_t map_run(uint8_t *at, const xen_pfn_t *gfn, size_t n, int prot, int *err)
{
    uint32_t first = page_at(gfn[0]);
    size_t run = 1;

    err[0] = first == XR_HOLE ? EINVAL : 0;
    if (err[0])
        return 1;
    for (; run < n && page_at(gfn[run]) == first + run; run++)
        err[run] = 0;
    if (mmap(at, run * XR_PAGE, prot, MAP_SHARED | MAP_FIXED, mem_fd, (off_t)first * XR_PAGE) != at)
        xr_host_down("rig: map: %s", strerror(errno));
    return run;
}

/* A page on either side stays closed. */
void *xenforeignmemory_map(xenforeignmemory_handle *f, uint32_t domid, int prot, size_t pages,
                           const xen_pfn_t *arr, int *err)
{
    uint8_t *at;

    if (!xr_operate("xenforeignmemory_map", &f->h, domid))
        return NULL;
    if (!pages || pages > MAX_MAP_PAGES || nwindows == MAX_WINDOWS || !err)
        xr_host_down("rig: %zu pages in window %u", pages, nwindows);
    at = mmap(NULL, (pages + 2) * XR_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
              -1, 0);
    if (at == MAP_FAILED)
        xr_host_down("rig: window: %s", strerror(errno));
    at += XR_PAGE;
    for (size_t i = 0; i < pages;)
        i += map_run(at + i * XR_PAGE, arr + i, pages - i, prot, err + i);
    window[nwindows++] = (struct window){.at = at, .pages = (unsigned)pages};
    xr.maps++;
    xr_leave(0);
    return at;
}

static void forget_window(struct window *w)
{
    bury(w->at - XR_PAGE, (w->pages + 2) * (size_t)XR_PAGE);
    *w = window[--nwindows];
}

int xenforeignmemory_unmap(xenforeignmemory_handle *f, void *addr, size_t pages)
{
    (void)f;
    for (unsigned i = 0; i < nwindows; i++)
        if (window[i].at == addr && window[i].pages == pages) {
            forget_window(&window[i]);
            xr.unmaps++;
            return 0;
        }
    if (!xr_is_dead())
        xr_host_down("what is not mapped is unmapped");
    return 0;
}
