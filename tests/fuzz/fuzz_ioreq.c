/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Xen's requests, a guest that moves its devices and its memory, hypercalls that fail, a process
 * that dies and a notebook that somebody wrote into; on real device models and a simulated Xen
 * (tests/unit/xen_rig.h), whose foreign mappings fault where nothing may be touched.
 *
 * Checked after each command: each vCPU that asked goes on; the slot keeps what is not the
 * answer's; mappings are bounded; what the devices believe to be theirs Xen has, once, and the
 * notebook, too.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../nicmodels/pci.h"
#include "../unit/test_eal.h"
#include "../unit/xen_rig.h"
#include "input.h"

#define VCPUS 2
#define SLOTS 3 /* RTL8029s, from slot 5 on; device 0 is the ISA NE2000 */

/* --- the process --- */

static struct xr_ioc ioc;
static uint32_t flags;

static bool be_born(void)
{
    const char *why = NULL;

    if (xr_open(&ioc, flags, &why)) {
        CHECK(why);
        return false;
    }
    for (unsigned n = 0; n <= SLOTS; n++) {
        struct iotp_device q = n ? xr_rtl8029((uint8_t)(4 + n)) : xr_ne2000(0x300, 0xfe000000, 5);

        CHECK(!xr_add(&ioc, n, &q, &why) || why);
    }
    if (xr_start(&ioc, &why)) {
        CHECK(why);
        for (unsigned n = 0; n <= SLOTS; n++)
            if (ioc.dev[n])
                dev_join(ioc.dev[n]);
        xr_close(&ioc);
        return false;
    }
    return true;
}

/* Those that waited for the dead one are answered by now, or ready to be served. */
static bool be_reborn(void)
{
    xr_die(&ioc);
    if (!be_born())
        return false;
    xr_poll(&ioc);
    for (unsigned v = 0; v < VCPUS; v++)
        if (xr_slot[v].state == STATE_IORESP_READY)
            xr_take(v);
    return true;
}

/* --- requests --- */

static uint64_t an_address(struct input *in, unsigned type)
{
    static const uint64_t place[] = {0x300,  0x300,  0x2f8,  0xcf8,      0xc000,
                                     0xc020, 0xc200, 0xffe0, 0xfe000000, 0};
    uint8_t which = (uint8_t)take(in, 1);

    if (type == IOREQ_TYPE_PCI_CONFIG)
        return xr_bdf(4 + which % 5, (uint8_t)take(in, 1)) + (which >= 250 ? take(in, 8) : 0);
    if (which >= 250)
        return take(in, 8);
    return place[which % 10] + take(in, 1) % 0x24;
}

static uint64_t a_pointer(struct input *in)
{
    uint8_t which = (uint8_t)take(in, 1);
    uint64_t page = which & 0x3f, near = take(in, 1);

    if (which == 0xff)
        return take(in, 8);
    return page * XR_PAGE + (which & 0x80 ? near : -near);
}

static struct ioreq a_request(struct input *in)
{
    static const uint8_t types[] = {0, 0, 0, 1, 1, 2, 2, 2, 8};
    uint8_t how = (uint8_t)take(in, 1), kind = (uint8_t)take(in, 1);
    struct ioreq r = {.type = kind < 250 ? types[kind % 9] : kind};

    r.addr = an_address(in, r.type);
    r.size = how & 1 ? 1u << (how >> 1 & 3) : (uint32_t)take(in, 1 + (how >> 1 & 3));
    r.dir = how >> 3 & 1;
    r.df = how >> 4 & 1;
    r.data_is_ptr = how >> 5 & 1;
    r.count = how & 0x40 ? (uint32_t)take(in, kind >= 240 ? 4 : 1) : 1; /* long ones take long */
    r.data = r.data_is_ptr ? a_pointer(in) : take(in, 4);
    r._pad1 = how >> 7;
    return r;
}

static void check_slot(unsigned v, const struct ioreq *before)
{
    struct ioreq now = xr_slot[v];

    CHECK(now.state == STATE_IORESP_READY);
    now.state = before->state;
    if (now.dir == IOREQ_READ && !now.data_is_ptr)
        now.data = before->data;
    CHECK(!memcmp(&now, before, sizeof(now)));
}

/* vCPU 0 asks, or both do, and they go on. */
static void ask(struct input *in, bool both)
{
    struct ioreq asked[VCPUS];
    unsigned n = both ? VCPUS : 1;

    for (unsigned v = 0; v < n; v++) {
        struct ioreq r = a_request(in);

        if (xr_slot[v].state != STATE_IOREQ_NONE)
            return; /* it waits for a successor */
        xr_post(v, &r);
        asked[v] = xr_slot[v];
    }
    CHECK(xr_poll(&ioc) == n);
    for (unsigned v = 0; v < n; v++) {
        check_slot(v, &asked[v]);
        xr_take(v);
    }
}

/* The process dies while it carries a request out, or before it begins. */
static bool die_with_a_request(struct input *in)
{
    struct ioreq r = a_request(in);

    if (xr_slot[0].state == STATE_IOREQ_NONE) {
        xr_post(0, &r);
        xr_slot[0].state = 1 + take(in, 1) % 3;
        if (xr_slot[0].state == STATE_IORESP_READY)
            xr_stop_spinning(0);
    }
    return be_reborn();
}

/* --- everything else --- */

static void move_memory(struct input *in)
{
    uint8_t gfn = (uint8_t)take(in, 1) & 0x3f, to = (uint8_t)take(in, 1);

    xr_page(gfn, to & 0x80 ? XR_HOLE : to);
}

static void make_trouble(struct input *in)
{
    static const char *const call[] = {"xenforeignmemory_map",
                                       "xendevicemodel_map_io_range_to_ioreq_server",
                                       "xendevicemodel_unmap_io_range_from_ioreq_server",
                                       "xendevicemodel_set_isa_irq_level",
                                       "xenforeignmemory_map_resource",
                                       "xendevicemodel_map_pcidev_to_ioreq_server",
                                       "xenevtchn_bind_interdomain"};
    static const int err[] = {12, 17, 28, 1};
    uint8_t which = (uint8_t)take(in, 1);

    xr_fail(call[which % 7], 1 + which / 64, err[which / 8 % 4]);
}

static void source_call(struct input *in)
{
    struct ioc_source *s = &ioc.x->src;

    switch (take(in, 1) % 5) {
    case 0: s->ops->arm(s); break;
    case 1: s->ops->disarm(s); break;
    case 2: s->ops->cool(s); break;
    case 3: xr_ring(1); break;
    default: s->ops->peek(s);
    }
}

/* The VMM's memory: whatever is in there is read by the successor. */
static bool scribble(struct input *in)
{
    uint64_t v, at = take(in, 2) % (sizeof(struct xen_note) - 8);
    unsigned n = 1 + take(in, 1) % 8;

    if (pread(xr_note_fd, &v, n, (off_t)at) != n)
        abort();
    for (unsigned i = 0; i < n; i++)
        ((uint8_t *)&v)[i] ^= (uint8_t)take(in, 1);
    if (pwrite(xr_note_fd, &v, n, (off_t)at) != n)
        abort();
    return take(in, 1) & 1 ? be_reborn() : true;
}

static bool xen_has(const struct xen_range *r)
{
    for (unsigned i = 0; i < xr.nranges; i++)
        if (xr.range[i].ports == r->ports && xr.range[i].first == r->base &&
            xr.range[i].last == r->base + r->size - 1)
            return true;
    return false;
}

/* @param honest nobody wrote into the notebook, and Xen did as it was told */
static void check(bool honest)
{
    unsigned n = (flags & IOTP_DOMAIN_PCI_ROOT) != 0, told = n;

    CHECK(xr_windows() <= XEN_MEM_CHUNKS);
    CHECK(xen_mem_read(ioc.x->cache).chunks == xr_windows());
    if (!honest)
        return;
    for (unsigned d = 0; d < ioc.x->ndevs; d++)
        for (unsigned i = 0; ioc.x->xdev[d] && i < IOTP_MAX_WINDOWS; i++)
            if (ioc.x->xdev[d]->range[i].mapped) {
                CHECK(xen_has(&ioc.x->xdev[d]->range[i]));
                n++;
            }
    for (unsigned i = 0; i < XEN_MAX_TOLD; i++)
        told += ioc.x->note->told[i].used;
    CHECK(n == xr.nranges && n == told);
}

/* @return false: there is no process any more */
static bool command(struct input *in, bool *honest)
{
    uint8_t c = (uint8_t)take(in, 1);

    switch (c % 16) {
    case 0: move_memory(in); return true;
    case 1: source_call(in); return true;
    case 2: return die_with_a_request(in);
    case 3:
        *honest = false;
        make_trouble(in);
        return true;
    case 4: *honest = false; return scribble(in);
    case 5: ask(in, true); return true;
    default: ask(in, false); return true;
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    test_eal();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    uint8_t how = (uint8_t)take(&in, 1);
    bool lives, honest = true;

    flags = how & 1 ? IOTP_DOMAIN_PCI_ROOT : IOTP_DOMAIN_LINES;
    flags |= how & 2 ? IOTP_DOMAIN_SPIN : 0;
    xr_power_on(VCPUS, how & 1 ? false : true);
    xr.patched = how & 4;
    lives = be_born();
    CHECK(lives);
    while (in.left && lives) {
        lives = command(&in, &honest);
        if (lives)
            check(honest);
    }
    if (lives && how >> 4 != 0xf) /* the other way takes milliseconds */
        xr_die(&ioc);
    else if (lives)
        xr_close(&ioc);
    CHECK(xr_power_off() == 0);
    return 0;
}
