/* SPDX-License-Identifier: BSD-3-Clause */
/* The bus: routing, splitting, posting, shadows, and the PCI root, with real models placed inline
 * and a recording placement where the question is what gets through. */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "../../coopvmm/bus_priv.h"
#include "../../coopvmm/local.h"
#include "../../coopvmm/vm.h"
#include "../../nicmodels/e1000.h"
#include "cu_main.h"

/* --- a placement that records --- */

static struct {
    unsigned calls, posts, shadows;
    struct iotp_req last;
    uint64_t answer;
    bool full, stale;
} rec;

static int rec_call(struct bus_dev *d, unsigned vcpu, const struct iotp_req *r,
                    struct iotp_resp *out)
{
    (void)d;
    (void)vcpu;
    rec.calls++;
    rec.last = *r;
    *out = (struct iotp_resp){.data = rec.answer, .done_count = r->count > 3 ? 3 : r->count};
    return 0;
}

static bool rec_post(struct bus_dev *d, unsigned vcpu, const struct iotp_req *r)
{
    (void)d;
    (void)vcpu;
    rec.posts += !rec.full;
    rec.last = *r;
    return !rec.full;
}

static bool rec_shadow(struct bus_dev *d, unsigned cell, uint64_t *value)
{
    (void)d;
    rec.shadows += !rec.stale;
    *value = 0x40 + cell;
    return !rec.stale;
}

static int rec_kick_fd(const struct bus_dev *d)
{
    (void)d;
    return 77;
}

static const struct placement recorder = {.name = "recorder",
                                          .call = rec_call,
                                          .post = rec_post,
                                          .shadow = rec_shadow,
                                          .kick_fd = rec_kick_fd};

static struct cfg_vm cfg_vm = {.name = "bus", .vcpus = 2, .memory = 1};
static struct vm *vm;
static struct bus_dev dev;

/* An engine that runs nothing: a VM without a guest. */
static int irq_fd; /* the last one */
static int no_irq(struct vm *v, unsigned line)
{
    (void)v;
    (void)line;
    irq_fd = eventfd(0, EFD_NONBLOCK);
    return irq_fd;
}
static int no_create(struct vm *v)
{
    (void)v;
    return 0;
}
static void no_destroy(struct vm *v)
{
    (void)v;
}

/* What it was told to turn into kicks. */
static struct {
    unsigned on, off;
    enum vm_space space;
    uint64_t addr;
    int fd, answer;
} kicks;
static int rec_kick(struct vm *v, enum vm_space space, uint64_t addr, int fd, bool on)
{
    (void)v;
    kicks.on += on;
    kicks.off += !on;
    kicks.space = space;
    kicks.addr = addr;
    kicks.fd = fd;
    return kicks.answer;
}
static const struct vm_engine no_engine = {.name = "none",
                                           .kick = rec_kick,
                                           .create = no_create,
                                           .stop = no_destroy,
                                           .destroy = no_destroy,
                                           .irq_fd = no_irq};
static const struct cfg cfg = {.name = "bus"};

static void open_bus(void)
{
    memset(&rec, 0, sizeof(rec));
    memset(&kicks, 0, sizeof(kicks));
    CU_ASSERT_EQUAL_FATAL(vm_create_on(&no_engine, &cfg, &cfg_vm, NULL, stderr, &vm), 0);
    dev = (struct bus_dev){.place = &recorder, .vm = vm};
    dev.info.nwindows = 2;
    dev.info.window[0] = (struct iotp_window){.region = 0, .space = 1, .size = 32, .base = 0x300};
    dev.info.window[1] =
        (struct iotp_window){.region = 0, .space = 2, .size = 32, .base = 0x7e000000};
    dev.info.nranges = 1;
    dev.info.range[0] = (struct iotp_range){.flags = IOTP_RANGE_POSTED, .length = 4, .offset = 8};
    dev.info.ncells = 2;
    dev.info.cell[0] = (struct iotp_cell){.size = 1, .offset = 3};
    dev.info.cell[1] = (struct iotp_cell){.size = 1, .offset = 7};
    CU_ASSERT_EQUAL_FATAL(bus_add(vm->bus, &dev), 0);
}

static void close_bus(void)
{
    vm_destroy(vm);
}

static uint64_t in(enum vm_space space, uint64_t addr, uint8_t size)
{
    struct vm_io io = {.space = space, .size = size, .count = 1, .addr = addr};

    CU_ASSERT_EQUAL(vm_io(vm, 0, &io), 0);
    CU_ASSERT_EQUAL(io.done_count, 1);
    return io.data;
}

static void out(enum vm_space space, uint64_t addr, uint8_t size, uint64_t value)
{
    struct vm_io io = {
        .space = space, .write = true, .size = size, .count = 1, .addr = addr, .data = value};

    CU_ASSERT_EQUAL(vm_io(vm, 0, &io), 0);
}

static void routing(void)
{
    open_bus();
    rec.answer = 0xaabbccdd11223344;
    CU_ASSERT_EQUAL(in(VM_PIO, 0x310, 2), 0x3344);
    CU_ASSERT_EQUAL(rec.last.offset, 0x10);
    CU_ASSERT_EQUAL(rec.last.op, IOTP_OP_READ);
    CU_ASSERT_EQUAL(in(VM_MMIO, 0x7e000010, 8), 0xaabbccdd11223344);
    CU_ASSERT_EQUAL(rec.calls, 2);
    CU_ASSERT_EQUAL(in(VM_PIO, 0x320, 4), 0xffffffff);
    CU_ASSERT_EQUAL(in(VM_PIO, 0x2ff, 1), 0xff);
    CU_ASSERT_EQUAL(in(VM_MMIO, 0x300, 8), ~0ull);
    out(VM_MMIO, ~0ull, 1, 5);
    CU_ASSERT_EQUAL(rec.calls, 2);
    close_bus();
}

static void accesses_across_the_end(void)
{
    open_bus();
    rec.answer = 0x11;
    /* two bytes in the window, two where nothing is */
    CU_ASSERT_EQUAL(in(VM_MMIO, 0x7e00001e, 4), 0xffff1111);
    CU_ASSERT_EQUAL(rec.calls, 2);
    CU_ASSERT_EQUAL(rec.last.size, 1);
    CU_ASSERT_EQUAL(rec.last.offset, 31);
    out(VM_MMIO, 0x7e00001f, 2, 0xbbaa);
    CU_ASSERT_EQUAL(rec.last.data, 0xaa);
    close_bus();
}

static void posting(void)
{
    open_bus();
    out(VM_PIO, 0x308, 1, 1);
    out(VM_PIO, 0x308, 4, 1);
    CU_ASSERT_EQUAL(rec.posts, 2);
    out(VM_PIO, 0x30a, 4, 1); /* reaches past the range */
    out(VM_PIO, 0x307, 1, 1);
    CU_ASSERT_EQUAL(rec.posts, 2);
    CU_ASSERT_EQUAL(rec.calls, 2);
    rec.full = true; /* a full ring: the write is made a request */
    out(VM_PIO, 0x308, 1, 9);
    CU_ASSERT_EQUAL(rec.posts, 2);
    CU_ASSERT_EQUAL(rec.calls, 3);
    CU_ASSERT_EQUAL(rec.last.data, 9);
    close_bus();
}

/* A register that only kicks: from its second write on the engine keeps it in the kernel. */
static void kicks_are_learned(void)
{
    open_bus();
    dev.info.range[dev.info.nranges++] = (struct iotp_range){
        .flags = IOTP_RANGE_POSTED | IOTP_RANGE_KICK, .length = 8, .offset = 16};
    out(VM_PIO, 0x308, 1, 0); /* posted, and carries a value */
    out(VM_PIO, 0x311, 4, 0); /* of a kicking range, but beyond... */
    CU_ASSERT_EQUAL(kicks.on, 1);
    CU_ASSERT(kicks.space == VM_PIO && kicks.addr == 0x311 && kicks.fd == 77);
    out(VM_PIO, 0x316, 4, 0); /* ... this is: it ends outside */
    in(VM_PIO, 0x310, 2);
    CU_ASSERT_EQUAL(kicks.on, 1);
    out(VM_MMIO, 0x7e000014, 2, 3);
    CU_ASSERT(kicks.on == 2 && kicks.space == VM_MMIO && kicks.addr == 0x7e000014);
    out(VM_MMIO, 0x7e000014, 2, 3); /* the engine was too late: nothing more to do */
    CU_ASSERT(kicks.on == 2 && kicks.off == 0);
    CU_ASSERT_EQUAL(rec.last.offset, 0x14); /* all of them arrived as writes */

    bus_move_window(vm->bus, &dev, 0, NM_SPACE_MMIO, 0x7f000000);
    CU_ASSERT_EQUAL(kicks.off, 2);
    out(VM_MMIO, 0x7f000014, 2, 3);
    CU_ASSERT(kicks.on == 3 && kicks.addr == 0x7f000014);
    close_bus();
}

static void kicks_that_fail_are_not_tried_again(void)
{
    open_bus();
    dev.info.range[dev.info.nranges++] = (struct iotp_range){
        .flags = IOTP_RANGE_POSTED | IOTP_RANGE_KICK, .length = 8, .offset = 16};
    kicks.answer = -ENOSPC;
    out(VM_PIO, 0x310, 2, 0);
    out(VM_PIO, 0x314, 2, 0);
    CU_ASSERT(kicks.on == 1 && kicks.off == 0 && rec.posts == 2);
    close_bus();
}

static void shadows(void)
{
    open_bus();
    CU_ASSERT_EQUAL(in(VM_PIO, 0x307, 1), 0x41);
    CU_ASSERT_EQUAL(in(VM_PIO, 0x303, 1), 0x40);
    CU_ASSERT_EQUAL(rec.calls, 0);
    in(VM_PIO, 0x307, 2); /* another size */
    in(VM_PIO, 0x304, 1); /* another register */
    CU_ASSERT_EQUAL(rec.calls, 2);
    rec.stale = true;
    rec.answer = 0x99;
    CU_ASSERT_EQUAL(in(VM_PIO, 0x307, 1), 0x99);
    CU_ASSERT_EQUAL(rec.calls, 3);
    close_bus();
}

/* The recorder does at most three elements at a time. */
static void strings_are_asked_for_again(void)
{
    struct vm_io io = {
        .string = true, .size = 2, .count = 8, .addr = 0x310, .mem = 0x1000, .write = true};

    open_bus();
    CU_ASSERT_EQUAL(vm_io(vm, 0, &io), 0);
    CU_ASSERT_EQUAL(io.done_count, 8);
    CU_ASSERT_EQUAL(rec.calls, 3);
    CU_ASSERT_EQUAL(rec.last.mem, 0x100c);
    CU_ASSERT_EQUAL(rec.last.count, 2);
    io.down = true;
    rec.calls = 0;
    CU_ASSERT_EQUAL(vm_io(vm, 0, &io), 0);
    CU_ASSERT_EQUAL(rec.last.mem, 0x1000 - 12);
    close_bus();
}

static void clashes(void)
{
    struct bus_dev other;

    open_bus();
    other = dev;
    other.info.nwindows = 1;
    other.info.window[0].base = 0x310;
    CU_ASSERT_EQUAL(bus_add(vm->bus, &other), -EEXIST);
    other.info.window[0].base = 0x320;
    CU_ASSERT_EQUAL(bus_add(vm->bus, &other), 0);
    close_bus();
}

static void stopping(void)
{
    struct vm_io io = {.size = 1, .count = 1, .addr = 0x300};

    open_bus();
    vm->stopping = true;
    CU_ASSERT_EQUAL(vm_io(vm, 0, &io), -ECANCELED);
    close_bus();
}

/* --- a real PCI function, inline --- */

static uint64_t config_read(unsigned slot, unsigned reg, uint8_t size)
{
    out(VM_PIO, 0xcf8, 4, 0x80000000u | slot << 11 | (reg & 0xfc));
    return in(VM_PIO, 0xcfc + (reg & 3), size);
}

static void config_write(unsigned slot, unsigned reg, uint8_t size, uint32_t value)
{
    out(VM_PIO, 0xcf8, 4, 0x80000000u | slot << 11 | (reg & 0xfc));
    out(VM_PIO, 0xcfc + (reg & 3), size, value);
}

static struct cfg_device pci_cfg = {
    .model = "rtl8029", .name = "nic", .mac = "52:54:00:00:00:01", .placement = CFG_PLACE_INLINE};

static void open_pci(void)
{
    static const struct cfg_vm c = {
        .name = "pci", .vcpus = 1, .memory = 1, .devices = &pci_cfg, .devices_count = 1};

    CU_ASSERT_EQUAL_FATAL(vm_create_on(&no_engine, &cfg, &c, NULL, stderr, &vm), 0);
}

static void pci_function(void)
{
    uint32_t bar;

    open_pci();
    CU_ASSERT_EQUAL(config_read(1, 0, 4), 0x802910ec);
    CU_ASSERT_EQUAL(config_read(1, 2, 2), 0x8029);
    CU_ASSERT_EQUAL(config_read(2, 0, 4), 0xffffffff);
    CU_ASSERT_EQUAL(config_read(1, 0x3c, 1), 11);
    bar = (uint32_t)config_read(1, 0x10, 4);
    CU_ASSERT_EQUAL(bar & 1, 1);
    bar &= ~3u;
    CU_ASSERT_EQUAL(in(VM_PIO, bar, 1) & 0x21, 0x21); /* CR after power-on: stopped */
    config_write(1, 4, 2, 0);                         /* decoding off */
    CU_ASSERT_EQUAL(in(VM_PIO, bar, 1), 0xff);
    config_write(1, 4, 2, 1);
    CU_ASSERT_EQUAL(in(VM_PIO, bar, 1) & 0x21, 0x21);
    config_write(1, 0x10, 4, 0xd000); /* moved */
    CU_ASSERT_EQUAL(in(VM_PIO, bar, 1), 0xff);
    CU_ASSERT_EQUAL(in(VM_PIO, 0xd000, 1) & 0x21, 0x21);
    config_write(1, 0x10, 4, 0xffffffff); /* sizing moves it away, writing it back brings it */
    config_write(1, 0x10, 4, 0xd000);
    CU_ASSERT_EQUAL(in(VM_PIO, 0xd000, 1) & 0x21, 0x21);
    close_bus();
}

static uint64_t interrupts(void)
{
    uint64_t n = 0;

    return read(irq_fd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

/* What a model does later it does though nobody asks it for anything. */
static void timers_inline(void)
{
    struct timespec nap = {.tv_nsec = 1000000};
    uint64_t mem;
    unsigned tries = 0;

    pci_cfg.model = "e1000";
    open_pci();
    mem = config_read(1, 0x10, 4);
    out(VM_MMIO, mem + E1000_ITR, 4, 0xffff); /* 17 ms from one to the next */
    out(VM_MMIO, mem + E1000_IMS, 4, ICR_LSC);
    out(VM_MMIO, mem + E1000_ICS, 4, ICR_LSC);
    CU_ASSERT_EQUAL(interrupts(), 1);
    in(VM_MMIO, mem + E1000_ICR, 4);
    out(VM_MMIO, mem + E1000_ICS, 4, ICR_LSC);
    CU_ASSERT_EQUAL(interrupts(), 0);
    while (!interrupts() && ++tries < 5000)
        nanosleep(&nap, NULL);
    CU_ASSERT_TRUE(tries < 5000);
    CU_ASSERT_EQUAL(in(VM_MMIO, mem + E1000_ICR, 4), ICR_LSC);
    close_bus();
    pci_cfg.model = "rtl8029";
}

static void config_mechanism(void)
{
    open_pci();
    out(VM_PIO, 0xcf8, 4, 0x80000800u);
    CU_ASSERT_EQUAL(in(VM_PIO, 0xcf8, 4), 0x80000800u);
    out(VM_PIO, 0xcf8, 1, 0x12); /* only double words reach CONFIG_ADDRESS */
    CU_ASSERT_EQUAL(in(VM_PIO, 0xcf8, 4), 0x80000800u);
    CU_ASSERT_EQUAL(in(VM_PIO, 0xcfe, 4), 0xffffffff); /* across the end */
    out(VM_PIO, 0xcf8, 4, 0x00000800u);                /* not enabled */
    CU_ASSERT_EQUAL(in(VM_PIO, 0xcfc, 4), 0xffffffff);
    out(VM_PIO, 0xcf8, 4, 0x80010800u); /* bus 1 */
    CU_ASSERT_EQUAL(in(VM_PIO, 0xcfc, 4), 0xffffffff);
    out(VM_PIO, 0xcf8, 4, 0x80000900u); /* function 1 */
    CU_ASSERT_EQUAL(in(VM_PIO, 0xcfc, 2), 0xffff);
    close_bus();
}

const char *const suite_name = "bus";
const struct cu_test suite_tests[] = {
    {"routing", routing},
    {"accesses across a device's end", accesses_across_the_end},
    {"posted writes, and a full ring", posting},
    {"registers that only kick", kicks_are_learned},
    {"kicks that fail are not tried again", kicks_that_fail_are_not_tried_again},
    {"shadowed registers", shadows},
    {"strings are asked for again", strings_are_asked_for_again},
    {"windows that clash", clashes},
    {"a stopping VM", stopping},
    {"a PCI function: identity, BARs, decoding", pci_function},
    {"a model's timers, inline", timers_inline},
    {"configuration mechanism 1", config_mechanism},
    {NULL, NULL},
};
