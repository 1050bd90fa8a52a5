/* SPDX-License-Identifier: BSD-3-Clause */
#define __XEN_TOOLS__ 1
#include "dm.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <xen/hvm/hvm_op.h>
#include <xen/memory.h>

#define PAGE 4096u

void dm_fail(const char *what)
{
    fprintf(stderr, "spin_test: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void must(int rc, const char *what)
{
    if (rc < 0)
        dm_fail(what);
}

uint64_t dm_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void dm_open(struct dm *dm, domid_t domid)
{
    dm->domid = domid;
    dm->dmod = xendevicemodel_open(NULL, 0);
    dm->fmem = xenforeignmemory_open(NULL, 0);
    dm->evtchn = xenevtchn_open(NULL, 0);
    if (!dm->dmod || !dm->fmem || !dm->evtchn)
        dm_fail("no access to Xen");
}

int dm_add_server(struct dm *dm, struct server *s, bool spin)
{
    void *page = NULL;
    int flags = HVM_IOREQSRV_BUFIOREQ_OFF | (spin ? IOREQSRV_SPIN : 0);

    s->dm = dm;
    s->spin = spin;
    if (xendevicemodel_create_ioreq_server(dm->dmod, dm->domid, flags, &s->id) < 0)
        return -errno;
    if (!xenforeignmemory_map_resource(dm->fmem, dm->domid, XENMEM_resource_ioreq_server, s->id,
                                       XENMEM_resource_ioreq_server_frame_ioreq(0), 1, &page,
                                       PROT_READ | PROT_WRITE, 0))
        dm_fail("mapping the ioreq page");
    must(xendevicemodel_set_ioreq_server_state(dm->dmod, dm->domid, s->id, 1), "enabling");
    s->slot = ((shared_iopage_t *)page)->vcpu_ioreq;
    s->port = xenevtchn_bind_interdomain(dm->evtchn, dm->domid, s->slot->vp_eport);
    must(s->port, "binding the event channel");
    return 0;
}

void dm_add_ports(struct server *s, uint64_t first, uint64_t count)
{
    must(xendevicemodel_map_io_range_to_ioreq_server(s->dm->dmod, s->dm->domid, s->id, 0, first,
                                                     first + count - 1),
         "ports");
}

void dm_add_memory(struct server *s, uint64_t first, uint64_t bytes)
{
    must(xendevicemodel_map_io_range_to_ioreq_server(s->dm->dmod, s->dm->domid, s->id, 1, first,
                                                     first + bytes - 1),
         "memory");
}

static unsigned state_of(const struct server *s)
{
    return ((const volatile ioreq_t *)s->slot)->state;
}

static void set_state(struct server *s, unsigned state)
{
    __atomic_thread_fence(__ATOMIC_RELEASE);
    s->slot->state = state & 0xf;
}

/* The mark is _pad0 in headers of an unpatched Xen. */
static bool is_spinning(struct server *s)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return ((volatile ioreq_t *)s->slot)->_pad0 != 0;
}

bool dm_poll(struct server *s)
{
    ioreq_t r;
    uint64_t data;

    if (state_of(s) != STATE_IOREQ_READY)
        return false;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    r = *s->slot;
    set_state(s, STATE_IOREQ_INPROCESS);
    data = s->serve(s, &r);
    if (r.dir == IOREQ_READ && !r.data_is_ptr)
        s->slot->data = data;
    s->requests++;
    set_state(s, s->answer_state ? s->answer_state : STATE_IORESP_READY);
    s->answer_state = 0;
    if (is_spinning(s)) {
        s->unnotified++;
    } else {
        s->notified++;
        must(xenevtchn_notify(s->dm->evtchn, (evtchn_port_t)s->port), "notify");
    }
    return true;
}

void dm_sleep(struct dm *dm, unsigned milliseconds)
{
    struct pollfd fd = {.fd = xenevtchn_fd(dm->evtchn), .events = POLLIN};
    int port;

    if (poll(&fd, 1, (int)milliseconds) != 1)
        return;
    port = xenevtchn_pending(dm->evtchn);
    if (port >= 0)
        must(xenevtchn_unmask(dm->evtchn, (evtchn_port_t)port), "unmask");
}

static void copy_page(struct dm *dm, uint64_t gpa, void *data, uint32_t len, bool to_guest)
{
    xen_pfn_t gfn = gpa / PAGE;
    int err = 0;
    uint8_t *at = xenforeignmemory_map(dm->fmem, dm->domid, PROT_READ | PROT_WRITE, 1, &gfn, &err);

    if (!at || err)
        dm_fail("mapping guest memory");
    if (to_guest)
        memcpy(at + gpa % PAGE, data, len);
    else
        memcpy(data, at + gpa % PAGE, len);
    xenforeignmemory_unmap(dm->fmem, at, 1);
}

void dm_copy(struct dm *dm, uint64_t gpa, void *data, uint32_t len, bool to_guest)
{
    while (len) {
        uint32_t part = PAGE - gpa % PAGE;

        part = part < len ? part : len;
        copy_page(dm, gpa, data, part, to_guest);
        data = (uint8_t *)data + part;
        gpa += part;
        len -= part;
    }
}
