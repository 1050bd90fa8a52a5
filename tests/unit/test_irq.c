/* SPDX-License-Identifier: BSD-3-Clause */
/* A device's interrupts: what a sink that takes edges, or levels, or messages is told, and when. */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../iocore/device.h"
#include "../../iocore/irq_msi.h"
#include "../../nicmodels/dp8390.h"
#include "../../protocol/iotp_ctl.h"
#include "cu_main.h"

#define DATA 0x10

/* --- a sink that remembers --- */

struct memory {
    struct irq_sink sink; /* first */
    char told[64];
    unsigned n, closed, lines_above; /* of lines that are not there */
    uint64_t addr[16];
};
static struct memory sink;

static void remember(struct irq_sink *s, char what, unsigned line)
{
    struct memory *m = (struct memory *)s;

    m->lines_above += line >= s->nlines;
    if (m->n < sizeof(m->told) - 1)
        m->told[m->n++] = what;
}

static void on_raise(struct irq_sink *s, unsigned line)
{
    remember(s, 'R', line);
}

static void on_lower(struct irq_sink *s, unsigned line)
{
    remember(s, 'L', line);
}

static void on_msi(struct irq_sink *s, uint64_t addr, uint32_t data)
{
    ((struct memory *)s)->addr[((struct memory *)s)->n % 16] = addr + data;
    remember(s, 'I', 0);
}

static void on_close(struct irq_sink *s)
{
    ((struct memory *)s)->closed++;
}

static const struct irq_ops levels = {
    .raise = on_raise, .lower = on_lower, .msi = on_msi, .close = on_close};
static const struct irq_ops edges = {.raise = on_raise, .close = on_close};

/* What it was told since last time. */
static bool told(const char *what)
{
    bool right = !strcmp(sink.told, what) && !sink.lines_above;

    memset(sink.told, 0, sizeof(sink.told));
    sink.n = 0;
    return right;
}

/* --- a device --- */

static struct ioc_core core;
static struct guestmem gm;
static struct iotp_shadow shadow;
static struct ioc_dev *dev;
static int state_fd = -1;

static int make(struct irq_sink *irq, int fd)
{
    struct iotp_device q = {.mac = {0x52, 0x54, 0, 1, 2, 3}, .model = "ne2000", .name = "nic"};
    struct dev_opts o = {.d = &q,
                         .core = &core,
                         .mem = &gm,
                         .shadow = &shadow,
                         .publishes = true,
                         .state_fd = fd,
                         .irq = irq};
    const char *why;
    int new_fd, err = dev_create(&o, &dev, &new_fd, &why);

    if (new_fd >= 0)
        state_fd = new_fd;
    return err;
}

static void set_up(const struct irq_ops *ops, unsigned nlines)
{
    memset(&shadow, 0, sizeof(shadow));
    sink = (struct memory){.sink = {.ops = ops, .nlines = nlines}};
    CU_ASSERT_EQUAL_FATAL(make(&sink.sink, -1), 0);
}

static void tear_down(void)
{
    unsigned before = sink.closed;

    dev_destroy(dev);
    CU_ASSERT_EQUAL(sink.closed, before + (sink.sink.ops != NULL));
    sink.sink.ops = NULL;
    close(state_fd);
    state_fd = -1;
}

static void request(unsigned reg, uint8_t value)
{
    struct iotp_req r = {.offset = reg, .data = value, .count = 1, .op = IOTP_OP_WRITE, .size = 1};
    struct iotp_resp out;

    dev_request(dev, 0, 1, NULL, &r, &out);
}

static void write_reg(unsigned reg, uint8_t value)
{
    request(reg, value);
    dev_after(dev);
}

/* Up to the access that interrupts. */
static void prepare(void)
{
    write_reg(DP8390_CR, CR_STA | CR_RD2);
    write_reg(PG0W_DCR, DCR_LS);
    write_reg(PG0W_IMR, ISR_RDC);
    write_reg(PG0W_RSAR1, 0x40);
    write_reg(PG0W_RBCR0, 1);
    write_reg(DP8390_CR, CR_STA | CR_RD1);
}

/* --- levels --- */

/* Up: not before dev_after. Down: before the request is answered, and once. */
static void a_level_and_its_order(void)
{
    set_up(&levels, 1);
    prepare();
    CU_ASSERT_TRUE(told(""));
    request(DATA, 0);
    CU_ASSERT_EQUAL(shadow.irq_level, 1); /* whoever looks there sees it at once */
    CU_ASSERT_TRUE(told(""));
    dev_after(dev);
    CU_ASSERT_TRUE(told("R"));
    write_reg(PG0W_BNRY, 9);
    CU_ASSERT_TRUE(told(""));
    request(PG0W_ISR, ISR_RDC);
    CU_ASSERT_EQUAL(shadow.irq_level, 0);
    CU_ASSERT_TRUE(told("L"));
    dev_after(dev);
    write_reg(PG0W_ISR, ISR_RDC);
    CU_ASSERT_TRUE(told(""));
    CU_ASSERT_EQUAL(dev->n.irqs, 1);
    tear_down();
}

/* A pulse that was over before anybody was told. */
static void a_pulse(void)
{
    set_up(&levels, 1);
    dev->nm.env->irq(&dev->nm, 0, true);
    dev->nm.env->irq(&dev->nm, 0, false);
    dev_after(dev);
    CU_ASSERT_TRUE(told(""));
    tear_down();
    set_up(&edges, 1); /* but an edge is an edge */
    dev->nm.env->irq(&dev->nm, 0, true);
    dev->nm.env->irq(&dev->nm, 0, false);
    dev_after(dev);
    CU_ASSERT_TRUE(told("R"));
    tear_down();
}

static void lines_that_lead_nowhere(void)
{
    set_up(&levels, 0);
    prepare();
    write_reg(DATA, 0);
    write_reg(PG0W_ISR, ISR_RDC);
    dev_resume(dev);
    CU_ASSERT_TRUE(told(""));
    tear_down();
    set_up(&edges, 0);
    prepare();
    write_reg(DATA, 0);
    dev->nm.env->msi(&dev->nm, 0, 0);
    dev_resume(dev);
    CU_ASSERT_TRUE(told(""));
    CU_ASSERT_EQUAL(dev->n.irqs, 0);
    tear_down();
}

/* --- edges --- */

static void each_edge(void)
{
    set_up(&edges, 1);
    for (unsigned i = 0; i < 3; i++) {
        prepare();
        write_reg(DATA, 0);
        CU_ASSERT_TRUE(told("R"));
        write_reg(PG0W_ISR, ISR_RDC);
        CU_ASSERT_TRUE(told(""));
    }
    CU_ASSERT_EQUAL(dev->n.irqs, 3);
    tear_down();
}

/* --- messages --- */

static void messages(void)
{
    set_up(&levels, 1);
    for (unsigned i = 0; i < 3; i++)
        dev->nm.env->msi(&dev->nm, 0xfee00000, i);
    CU_ASSERT_TRUE(told(""));
    dev_after(dev);
    for (unsigned i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(sink.addr[i], 0xfee00000 + i);
    CU_ASSERT_TRUE(told("III"));
    tear_down();
    set_up(&edges, 1); /* nobody takes them: an edge stands for each burst */
    dev->nm.env->msi(&dev->nm, 0xfee00000, 1);
    dev->nm.env->msi(&dev->nm, 0xfee00000, 2);
    dev_after(dev);
    CU_ASSERT_TRUE(told("R"));
    tear_down();
}

/* --- restart --- */

/* A sink of the new process's knows nothing: it is told both what is up and what is down. */
static void a_new_process(void)
{
    int fd;

    set_up(&levels, 1);
    prepare();
    write_reg(DATA, 0);
    dev_resume(dev);
    CU_ASSERT_TRUE(told("RR"));
    fd = dup(state_fd);
    tear_down();
    sink = (struct memory){.sink = {.ops = &levels, .nlines = 1}};
    CU_ASSERT_EQUAL_FATAL(make(&sink.sink, fd), 0);
    CU_ASSERT_TRUE(told(""));
    dev_resume(dev);
    CU_ASSERT_TRUE(told("R"));
    write_reg(PG0W_ISR, ISR_RDC);
    CU_ASSERT_TRUE(told("L"));
    dev_resume(dev);
    CU_ASSERT_TRUE(told("L"));
    CU_ASSERT_EQUAL(shadow.irq_level, 0);
    tear_down();
    close(fd);
}

/* A sink stays the caller's if the device cannot be made. */
static void refused_devices(void)
{
    const char *why;
    struct iotp_device q = {.model = "ne2000", .io_base = 0x1f, .name = "nic"};
    struct dev_opts o = {.d = &q, .core = &core, .mem = &gm, .shadow = &shadow, .state_fd = -1};
    int fd;

    sink = (struct memory){.sink = {.ops = &levels, .nlines = 1}};
    o.irq = &sink.sink;
    CU_ASSERT_NOT_EQUAL(dev_create(&o, &dev, &fd, &why), 0);
    CU_ASSERT_EQUAL(fd, -1);
    CU_ASSERT_EQUAL(sink.closed, 0);
}

/* --- descriptors --- */

static uint64_t taken(int fd)
{
    uint64_t n = 0;

    return read(fd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

static void an_eventfd(void)
{
    int fd = eventfd(0, EFD_NONBLOCK), mine = dup(fd);
    struct irq_sink *s = irq_fds_new(&mine, 1);
    uint64_t most = UINT64_MAX - 1;

    sink.sink.ops = NULL;
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    CU_ASSERT_EQUAL_FATAL(make(s, -1), 0);
    for (unsigned i = 0; i < 2; i++) {
        prepare();
        write_reg(DATA, 0);
        CU_ASSERT_EQUAL(taken(fd), 1);
        write_reg(PG0W_ISR, ISR_RDC);
        CU_ASSERT_EQUAL(taken(fd), 0);
    }
    CU_ASSERT_EQUAL(write(fd, &most, sizeof(most)), sizeof(most)); /* full: nobody waits */
    prepare();
    write_reg(DATA, 0);
    CU_ASSERT_EQUAL(taken(fd), most);
    tear_down();
    CU_ASSERT_EQUAL(fcntl(mine, F_GETFD), -1);
    close(fd);
}

static void sockets(void)
{
    int pair[4], mine[2];
    struct irq_sink *s;

    CU_ASSERT_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    CU_ASSERT_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, pair + 2), 0);
    mine[0] = pair[0];
    mine[1] = pair[2];
    s = irq_fds_new(mine, 2);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    s->ops->raise(s, 1);
    CU_ASSERT_EQUAL(taken(pair[3]), 1);
    s->ops->raise(s, 0);
    CU_ASSERT_EQUAL(taken(pair[1]), 1);
    for (unsigned i = 0; i < 100000; i++) /* nobody reads: nobody waits */
        s->ops->raise(s, 0);
    CU_ASSERT_EQUAL(taken(pair[1]), 1);
    close(pair[1]); /* gone: no SIGPIPE */
    s->ops->raise(s, 0);
    s->ops->close(s);
    CU_ASSERT_EQUAL(fcntl(mine[0], F_GETFD), -1);
    CU_ASSERT_EQUAL(fcntl(mine[1], F_GETFD), -1);
    close(pair[3]);
}

/* A route that is given away while the VMM is at work on what it carried gets a number of its own:
 * else the VMM, done with the old message, would tell that the new one is routed. */
static void a_route_is_given_away(void)
{
    uint64_t size = 2 * sizeof(struct iotp_route);
    int table = iotp_memfd("msi", size), fd[4] = {table};
    struct iotp_route *r = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, table, 0);
    struct irq_msi *q = NULL;
    uint32_t at_work;

    CU_ASSERT_FATAL(r != MAP_FAILED);
    for (unsigned i = 1; i < 4; i++)
        fd[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    CU_ASSERT_EQUAL_FATAL(irq_msi_open(fd, 2, &q), 0);
    irq_msi_send(q, 0xfee00000, 1);
    at_work = r[0].asked;
    irq_msi_send(q, 0xfee00000, 2);
    irq_msi_send(q, 0xfee00000, 3); /* takes the first one's place */
    CU_ASSERT_EQUAL(r[0].data, 3);
    CU_ASSERT_NOT_EQUAL(r[0].asked, at_work);
    r[0].routed = at_work;
    taken(fd[1]);
    irq_msi_send(q, 0xfee00000, 3); /* so it is asked for again, not thought to be routed */
    CU_ASSERT_EQUAL(taken(fd[1]), 1);
    munmap(r, size);
    irq_msi_close(q);
}

const char *const suite_name = "irq";
const struct cu_test suite_tests[] = {
    {"a level and its order", a_level_and_its_order},
    {"a pulse", a_pulse},
    {"lines that lead nowhere", lines_that_lead_nowhere},
    {"each edge", each_edge},
    {"messages", messages},
    {"a new process", a_new_process},
    {"a device that is refused", refused_devices},
    {"an eventfd", an_eventfd},
    {"sockets", sockets},
    {"a route is given away", a_route_is_given_away},
    {NULL, NULL},
};
