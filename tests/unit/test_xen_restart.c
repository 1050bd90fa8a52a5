/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Exactly once behind Xen: the process dies before each store to what outlives it (the page of
 * requests, the notebook, the devices' states, guest memory), and before and after each hypercall.
 * Its successor must come to what one process that lived on would have come to.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cu_main.h"
#include "step_rig.h"
#include "test_xen.h"

#define OTHER  7       /* a second RTL8029 */
#define PLACE  0xd000u /* where it is */
#define MEMORY (6 * CHUNK)
#define STATE  8192 /* of a device's state: what comes before its memory */

/* All that outlives a process. */
struct world {
    struct xr xr;
    struct ioreq page[XR_PAGE / sizeof(struct ioreq)];
    uint8_t note[IOTP_DOMAIN_STATE_SIZE];
    uint8_t state[XR_MAX_DEVS][64 * 1024];
    uint8_t memory[MEMORY];
};
static struct world before, after; /* the request; the answer of a process that lived */
static uint32_t flags;
static bool closes_memory; /* guest memory is watched, too */

static void save(struct world *w)
{
    w->xr = xr;
    memcpy(w->page, xr_slot, XR_PAGE);
    memcpy(w->memory, xr_mem, MEMORY);
    if (pread(xr_note_fd, w->note, sizeof(w->note), 0) != sizeof(w->note))
        abort();
    for (unsigned n = 0; n < XR_MAX_DEVS; n++)
        if (xr_state_fd[n] >= 0 && pread(xr_state_fd[n], w->state[n], sizeof(w->state[n]), 0) < 0)
            abort();
}

static void restore(const struct world *w)
{
    xr = w->xr;
    memcpy(xr_slot, w->page, XR_PAGE);
    memcpy(xr_mem, w->memory, MEMORY);
    if (pwrite(xr_note_fd, w->note, sizeof(w->note), 0) != sizeof(w->note))
        abort();
    for (unsigned n = 0; n < XR_MAX_DEVS; n++)
        if (xr_state_fd[n] >= 0 &&
            pwrite(xr_state_fd[n], w->state[n], (size_t)lseek(xr_state_fd[n], 0, SEEK_END), 0) < 0)
            abort();
}

/* --- processes --- */

static void watch(void)
{
    uint64_t len;

    step_watch(ioc.x->note, IOTP_DOMAIN_STATE_SIZE);
    step_watch(ioc.x->slot, XR_PAGE);
    for (unsigned n = 0; n < XR_MAX_DEVS; n++)
        if (ioc.dev[n])
            step_watch(state_ram(ioc.dev[n]->state) - STATE, STATE);
    for (unsigned i = 0; closes_memory && i < xr_windows(); i++) {
        void *at = xr_window(i, &len);

        step_watch(at, len);
    }
}

static void be_born(void)
{
    struct iotp_device q[] = {xr_ne2000(ISA, ISA_MEM, 5), xr_rtl8029(SLOT), xr_rtl8029(OTHER)};
    const char *why = NULL;

    memset(&ioc, 0, sizeof(ioc));
    if (xr_open(&ioc, flags, &why) || xr_add(&ioc, 0, &q[0], &why) ||
        xr_add(&ioc, 1, &q[1], &why) || xr_add(&ioc, 2, &q[2], &why)) {
        fprintf(stderr, "a process is not born: %s\n", why);
        abort();
    }
}

static void touch_memory(void)
{
    uint64_t len = 1;

    for (uint64_t i = 0; i < 3; i++)
        xen_mem_at(ioc.x->cache, i * CHUNK, &len);
}

static void live(void)
{
    const char *why = NULL;

    if (xr_start(&ioc, &why))
        abort();
}

static void serve(void *arg)
{
    (void)arg;
    watch();
    xr_poll(&ioc);
}

/* From its birth to the answer; the stores before START are nobody's. */
static void serve_all_life(void *arg)
{
    be_born();
    touch_memory();
    watch();
    live();
    if (xr_slot[0].state == STATE_IOREQ_READY)
        xr_poll(&ioc);
    (void)arg;
}

/* What it left in the middle of being made is lost; the kernel closes what it had open. */
static void be_buried(void)
{
    if (ioc.x) {
        xr_die(&ioc);
        return;
    }
    xr_kill();
    xr_reap();
}

/* --- what must come out --- */

static bool same_ranges(const struct xr *a, const struct xr *b)
{
    if (a->nranges != b->nranges || a->slots != b->slots)
        return false;
    for (unsigned i = 0; i < a->nranges; i++) {
        bool found = false;

        for (unsigned k = 0; k < b->nranges; k++)
            found |= a->range[i].ports == b->range[k].ports &&
                     a->range[i].first == b->range[k].first && a->range[i].last == b->range[k].last;
        if (!found)
            return false;
    }
    return true;
}

/* The notebook lists what Xen knows, but for the root's ports. */
static unsigned told(void)
{
    unsigned n = (flags & IOTP_DOMAIN_PCI_ROOT) != 0;

    for (unsigned i = 0; i < XEN_MAX_TOLD; i++)
        n += ioc.x->note->told[i].used;
    return n;
}

static uint8_t regs[XR_MAX_DEVS][NM_MAX_REGS]; /* of the process that lived */

static const char *difference(void)
{
    if (xr_slot[0].state != STATE_IOREQ_NONE || xr_slot[0].data != after.page[0].data)
        return "the answer";
    if (memcmp(xr_mem, after.memory, MEMORY))
        return "guest memory";
    if (memcmp(xr.isa, after.xr.isa, sizeof(xr.isa)) ||
        memcmp(xr.intx, after.xr.intx, sizeof(xr.intx)))
        return "interrupt lines";
    if (!same_ranges(&xr, &after.xr) || told() != xr.nranges)
        return "ranges";
    if (ioc.x->note->config_address != ((struct xen_note *)after.note)->config_address)
        return "the PCI root";
    for (unsigned n = 0; n < 3; n++) {
        const struct ioc_dev *d = ioc.dev[n];

        if (memcmp(d->regs, regs[n], d->nm.model->regs_size))
            return "a device's registers";
        if (memcmp(d->nm.ram, after.state[n] + STATE, d->nm.model->ram_size))
            return "a device's memory";
    }
    return NULL;
}

/* --- one request --- */

/* Nobody dies. */
static void live_once(void)
{
    restore(&before);
    be_born();
    live();
    xr_poll(&ioc);
    xr_take(0);
    for (unsigned n = 0; n < 3; n++)
        memcpy(regs[n], ioc.dev[n]->regs, sizeof(regs[n]));
    xr_die(&ioc);
    save(&after);
}

/* The last of the line. @return was all as it must be? */
static bool finish(unsigned step, const char *who)
{
    const char *what;

    be_born();
    live();
    if (!xr_is_answered(0))
        xr_poll(&ioc);
    xr_take(0); /* aborts if the vCPU would sleep for ever */
    what = difference();
    if (what)
        printf("\n    %s died at step %u: %s", who, step, what);
    xr_die(&ioc);
    return !what;
}

/* @return did it die? */
static bool die_at(unsigned step)
{
    restore(&before);
    be_born();
    live();
    if (closes_memory)
        touch_memory();
    xr_hook = step_here;
    if (step_run(serve, NULL, step)) {
        xr_hook = NULL;
        xr_die(&ioc);
        return false;
    }
    xr_hook = NULL;
    be_buried();
    return true;
}

/* Its successor dies, too: at each of its steps. */
static unsigned die_twice(unsigned first)
{
    unsigned n = 0, wrong = 0;

    for (unsigned second = 1;; second++) {
        unsigned lived;

        if (!die_at(first))
            break;
        xr_hook = step_here;
        lived = step_run(serve_all_life, NULL, second);
        xr_hook = NULL;
        be_buried();
        if (lived)
            break;
        n++;
        wrong += !finish(second, "a successor");
    }
    CU_ASSERT_EQUAL(wrong, 0);
    return n;
}

/* The request that is in `before` under death at each `stride`-th step. */
static void die_everywhere(unsigned stride, unsigned successors)
{
    unsigned n = 0, again = 0, wrong = 0;

    live_once();
    for (unsigned step = 1; die_at(step); step += stride, n++)
        wrong += !finish(step, "the process");
    for (unsigned i = 0; i < successors; i++)
        again += die_twice(1 + i * n * stride / successors);
    printf("(%u deaths, %u of successors) ", n, again);
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_TRUE(n > 4);
    CU_ASSERT_TRUE(!successors || again > 20);
}

/* --- scenarios --- */

static void power_on(uint32_t f)
{
    flags = f;
    closes_memory = true;
    test_eal();
    memset(&before, 0, sizeof(before));
    memset(&after, 0, sizeof(after));
    xr_power_on(1, f & IOTP_DOMAIN_LINES);
    be_born();
    live();
    if (f & IOTP_DOMAIN_PCI_ROOT)
        return;
    set_config(SLOT, PCI_BAR0, 4, PCI);
    set_config(SLOT, PCI_COMMAND, 2, PCI_COMMAND_IO);
    set_config(OTHER, PCI_BAR0, 4, PLACE);
    set_config(OTHER, PCI_COMMAND, 2, PCI_COMMAND_IO);
    xr_outb(&ioc, ISA + PG0W_DCR, DCR_LS);
    xr_outb(&ioc, PCI + PG0W_DCR, DCR_LS);
    xr_outb(&ioc, ISA + PG0W_IMR, ISR_RDC);
    for (unsigned i = 0; i < MEMORY; i++)
        xr_mem[i] = (uint8_t)(i * 5 + (i >> 8));
    for (unsigned i = 0; i < 0x4000; i++) {
        ioc.dev[0]->nm.ram[i] = (uint8_t)(i * 3 + 1);
        ioc.dev[1]->nm.ram[i] = (uint8_t)(i * 7 + 2);
    }
}

/* vCPU 0 asks, and the process that was there so far is gone. */
static void ask(struct ioreq r)
{
    xr_post(0, &r);
    xr_die(&ioc);
    save(&before);
}

static void power_off(void)
{
    CU_ASSERT_EQUAL(xr_power_off(), 0);
}

static void die_in_write(void)
{
    struct ioreq r = xr_req(PIO, false, ISA + DATA, 1);

    power_on(IOTP_DOMAIN_LINES);
    xr_dma(&ioc, ISA, CR_STA | CR_RD1, RAM + 5, 1); /* the last byte interrupts */
    r.data = 0x99;
    ask(r);
    die_everywhere(1, 8);
    CU_ASSERT_TRUE(after.xr.isa[5]);
    power_off();
}

static void die_in_read(void)
{
    power_on(IOTP_DOMAIN_LINES);
    xr_dma(&ioc, ISA, CR_STA | CR_RD0, RAM + 5, 100);
    ask(xr_req(MMIO, true, ISA_MEM + DATA, 8));
    die_everywhere(1, 4);
    power_off();
}

static void die_in_acknowledge(void)
{
    struct ioreq r = xr_req(PIO, false, ISA + PG0W_ISR, 1);

    power_on(IOTP_DOMAIN_LINES);
    xr_dma(&ioc, ISA, CR_STA | CR_RD1, RAM + 5, 1);
    xr_outb(&ioc, ISA + DATA, 1);
    CU_ASSERT_TRUE(xr.isa[5]);
    r.data = 0xff;
    ask(r);
    die_everywhere(1, 4);
    CU_ASSERT_FALSE(after.xr.isa[5]);
    power_off();
}

static void string(bool in, unsigned size, uint64_t gpa, unsigned len, bool down, unsigned stride,
                   bool memory)
{
    struct ioreq r = xr_rep(PIO, in, PCI + DATA, size, gpa, len / size);

    power_on(IOTP_DOMAIN_LINES);
    closes_memory = memory;
    xr_dma(&ioc, PCI, CR_STA | (in ? CR_RD0 : CR_RD1), RAM, len);
    r.df = down;
    ask(r);
    die_everywhere(stride, memory ? 2 : 0);
    power_off();
}

static void die_in_short_strings(void)
{
    string(true, 2, XR_PAGE - 11, 40, false, 1, true);
    string(true, 4, CHUNK + 9, 32, true, 1, true); /* down over the edge of a chunk */
    string(false, 1, CHUNK - 20, 40, false, 1, true);
}

/* Several steps of the I/O core, each of which is done once. */
static void die_in_long_strings(void)
{
    string(true, 4, 3 * CHUNK + 100, 0x8000, false, 1, false);
    string(false, 2, 3 * CHUNK + 100, 0x8000, false, 1, false);
    string(true, 1, 5 * CHUNK, 0x8000, true, 1, false);
}

/* Each element is a step. */
static void copy(bool in, bool down)
{
    struct ioreq r = xr_rep(MMIO, in, ISA_MEM + DATA, 1, CHUNK - 3, 8);

    power_on(IOTP_DOMAIN_LINES);
    xr_dma(&ioc, ISA, CR_STA | (in ? CR_RD0 : CR_RD1), RAM + 9, 8);
    r.df = down;
    if (down) {
        r.addr += 7;
        r.data += 7;
    }
    ask(r);
    die_everywhere(1, 3);
    power_off();
}

static void die_in_copies(void)
{
    copy(true, false);
    copy(false, false);
    copy(true, true);
    copy(false, true);
}

static void die_in_repeated_stores(void)
{
    struct ioreq r = xr_req(MMIO, false, ISA_MEM + DATA, 2);

    power_on(IOTP_DOMAIN_LINES);
    xr_dma(&ioc, ISA, CR_STA | CR_RD1, RAM + 9, 8);
    r.count = 4;
    r.data = 0x1234;
    ask(r);
    die_everywhere(1, 2);
    power_off();
}

/* As far as there is memory, once. */
static void die_in_holes(void)
{
    struct ioreq r = xr_rep(PIO, false, ISA + DATA, 1, 2 * XR_PAGE - 10, 40);

    power_on(IOTP_DOMAIN_LINES);
    xr_page(2, XR_HOLE);
    xr_dma(&ioc, ISA, CR_STA | CR_RD1, RAM + 9, 40);
    ask(r);
    die_everywhere(1, 2);
    power_off();
}

static void move(unsigned slot, unsigned reg, unsigned size, uint64_t value)
{
    struct ioreq r = xr_req(CONFIG, false, xr_bdf(slot, reg), size);

    r.data = value;
    ask(r);
    die_everywhere(1, 6);
    power_off();
}

static void die_in_moves(void)
{
    power_on(IOTP_DOMAIN_LINES);
    move(SLOT, PCI_BAR0, 4, 0xe000);
    power_on(IOTP_DOMAIN_LINES);
    move(SLOT, PCI_COMMAND, 2, 0);
    power_on(IOTP_DOMAIN_LINES);
    set_config(SLOT, PCI_COMMAND, 2, 0);
    move(SLOT, PCI_COMMAND, 2, PCI_COMMAND_IO);
}

/* Onto one another, and away again. */
static void die_in_moves_of_two(void)
{
    power_on(IOTP_DOMAIN_LINES);
    move(OTHER, PCI_BAR0, 4, PCI);
    power_on(IOTP_DOMAIN_LINES);
    move(SLOT, PCI_BAR0, 4, PLACE);
    power_on(IOTP_DOMAIN_LINES);
    set_config(OTHER, PCI_BAR0, 4, PCI);
    move(SLOT, PCI_BAR0, 4, 0xe000);
    power_on(IOTP_DOMAIN_LINES);
    set_config(OTHER, PCI_BAR0, 4, PCI);
    move(OTHER, PCI_BAR0, 4, PLACE);
}

static void die_in_root(void)
{
    struct ioreq r = xr_req(PIO, false, 0xcf8, 4);

    power_on(IOTP_DOMAIN_PCI_ROOT);
    r.data = 0x80003810;
    ask(r);
    die_everywhere(1, 3);
    power_off();
    power_on(IOTP_DOMAIN_PCI_ROOT);
    move(SLOT, PCI_BAR0, 4, 0xe000);
}

static void die_in_invalidate(void)
{
    power_on(IOTP_DOMAIN_LINES);
    ask(xr_req(IOREQ_TYPE_INVALIDATE, false, 0, 4));
    closes_memory = false;
    die_everywhere(1, 0);
    power_off();
}

/* --- birth --- */

static void start_fresh(void *arg)
{
    (void)arg;
    be_born();
    live();
}

/* Before there is anything to take up: the domain comes to its devices all the same. */
static void die_in_birth(void)
{
    unsigned n = 0;

    test_eal();
    for (unsigned root = 0; root < 2; root++)
        for (unsigned step = 1, lived = 0; !lived; step++, n++) {
            flags = root ? IOTP_DOMAIN_PCI_ROOT : IOTP_DOMAIN_LINES;
            xr_power_on(2, !root);
            xr_hook = step_here;
            lived = step_run(start_fresh, NULL, step);
            xr_hook = NULL;
            be_buried();
            be_born();
            live();
            CU_ASSERT_TRUE(xr.enabled);
            CU_ASSERT_EQUAL(told(), xr.nranges);
            CU_ASSERT_EQUAL(xr_inb(&ioc, ISA), CR_RD2 | CR_STP);
            CU_ASSERT_EQUAL(config(SLOT, PCI_VENDOR_ID, 2), 0x10ec);
            if (root)
                CU_ASSERT_EQUAL(xr_inb(&ioc, (unsigned)config(OTHER, PCI_BAR0, 4) & ~1u),
                                CR_RD2 | CR_STP);
            /* a server that nobody knows of can be left if it dies right after it was made */
            CU_ASSERT_TRUE(xr.created - xr.destroyed <= 1 + xr.servers);
            xr_close(&ioc);
            CU_ASSERT_EQUAL(xr_power_off(), 0);
        }
    printf("(%u deaths) ", n);
}

const char *const suite_name = "xen_restart";
const struct cu_test suite_tests[] = {
    {"a write", die_in_write},
    {"a read", die_in_read},
    {"an acknowledgement", die_in_acknowledge},
    {"short strings", die_in_short_strings},
    {"long strings", die_in_long_strings},
    {"copies from and to memory", die_in_copies},
    {"repeated stores", die_in_repeated_stores},
    {"a string into a hole", die_in_holes},
    {"devices move", die_in_moves},
    {"devices move onto one another", die_in_moves_of_two},
    {"the PCI root", die_in_root},
    {"invalidate", die_in_invalidate},
    {"birth", die_in_birth},
    {NULL, NULL},
};
