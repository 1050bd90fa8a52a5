/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine_kvm_irq.h"

#include <errno.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "engine_kvm.h"
#include "engine_kvm_msi.h"
#include "pc.h"

#define FIRST_PCI   16          /* lines from here on are level-triggered */
#define MAX_LEVELS  32          /* devices on one line */
#define MAX_DEVICES 32          /* that send messages */
#define MSI_ADDRESS 0xfee00000u /* physical destination 0, edge, fixed */

/* A guest is interrupted again in the very moment in which it ends an interrupt whose line is still
 * high, and does not get any further: where its driver needs to do so before it can quiet the
 * device that is for ever (8139cp, when the end of its poll is interrupted on the way to
 * unmasking). No real board is that fast. The kernel gives a guest 10 ms after 10,000 such
 * interrupts; here it gets them after so many accesses that left the line high. */
#define STORM   1000
#define HOLD_NS 10000000

/* What the kernel was told of a line that takes levels. HELD: low, though it is wanted. */
enum told { LOW, HIGH, HELD, LOOKING };

/* A line: how it is raised, and of a level-triggered one what asserts it. */
struct line {
    int fd;      /* -1: not made */
    bool levels; /* it takes levels, not edges */
    enum told told;
    unsigned stayed; /* accesses that left it high */
    unsigned nlevels;
    const uint32_t *level[MAX_LEVELS];
};

struct kvm_irqs {
    int vm_fd;
    bool pc;
    pthread_mutex_t lock; /* of what follows, but for fds that are set once */
    unsigned nlines;
    struct line line[KVM_MAX_LINES];
    unsigned nmessages;
    struct kvm_messages *messages[MAX_DEVICES];
    int epfd;  /* what the thread waits for */
    int wake;  /* it is to end */
    int timer; /* lines have been held for long enough */
    bool running;
    pthread_t thread;
};

/* --- routes --- */

static void route_chip(struct kvm_irq_routing *t, unsigned gsi, unsigned chip, unsigned pin)
{
    t->entries[t->nr++] = (struct kvm_irq_routing_entry){
        .gsi = gsi, .type = KVM_IRQ_ROUTING_IRQCHIP, .u.irqchip = {.irqchip = chip, .pin = pin}};
}

static void route_vector(struct kvm_irq_routing *t, unsigned gsi)
{
    t->entries[t->nr++] = (struct kvm_irq_routing_entry){
        .gsi = gsi,
        .type = KVM_IRQ_ROUTING_MSI,
        .u.msi = {.address_lo = MSI_ADDRESS, .data = KVM_FIRST_VECTOR + gsi}};
}

/* As the chips are wired in a PC; the 8259s cascade through line 2. */
static void route_pc(struct kvm_irq_routing *t)
{
    for (unsigned i = 0; i < PC_LINES; i++) {
        if (i < FIRST_PCI && i != 2)
            route_chip(t, i, i < 8 ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE, i % 8);
        route_chip(t, i, KVM_IRQCHIP_IOAPIC, i);
    }
}

/* The table is replaced as a whole each time. */
static int set_routes(const struct kvm_irqs *q)
{
    unsigned most = 2 * PC_LINES + KVM_MAX_LINES + MAX_DEVICES * IOTP_MAX_ROUTES;
    struct kvm_irq_routing *t = calloc(1, sizeof(*t) + most * sizeof(t->entries[0]));
    int err = 0;

    if (!t)
        return -ENOMEM;
    if (q->pc)
        route_pc(t);
    for (unsigned i = 0; i < q->nlines && !q->pc; i++)
        if (q->line[i].fd >= 0)
            route_vector(t, i);
    for (unsigned i = 0; i < q->nmessages; i++)
        kvm_messages_route(q->messages[i], t);
    if (t->nr && ioctl(q->vm_fd, KVM_SET_GSI_ROUTING, t) < 0)
        err = -errno;
    free(t);
    return err;
}

/* --- levels, and messages to be routed --- */

static void set_line(const struct kvm_irqs *q, unsigned n, bool level)
{
    struct kvm_irq_level l = {.irq = n, .level = level};

    ioctl(q->vm_fd, KVM_IRQ_LINE, &l);
}

static bool wanted(const struct line *l)
{
    for (unsigned i = 0; i < l->nlevels; i++)
        if (__atomic_load_n(l->level[i], __ATOMIC_ACQUIRE))
            return true;
    return false;
}

static enum told next_of(const struct line *l, enum told was, bool level)
{
    if (!level)
        return LOW;
    if (was == HIGH && __atomic_load_n(&l->stayed, __ATOMIC_RELAXED) >= STORM)
        return HELD;
    return was == HELD ? HELD : HIGH;
}

static void start_timer(const struct kvm_irqs *q)
{
    const struct itimerspec t = {.it_value.tv_nsec = HOLD_NS};

    timerfd_settime(q->timer, 0, &t, NULL);
}

/* Locked. Edge Q1: LOOKING, then the levels; in kvm_irqs_look the level, then what was told. So who
 * changes a level while it is being looked at here comes to the lock, and looks after this. */
static void settle(const struct kvm_irqs *q, struct line *l)
{
    enum told was = l->told, next;

    __atomic_store_n(&l->told, LOOKING, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    next = next_of(l, was, wanted(l));
    if ((next == HIGH) != (was == HIGH))
        set_line(q, (unsigned)(l - q->line), next == HIGH);
    if (next == HELD && was != HELD)
        start_timer(q);
    if (next != was)
        __atomic_store_n(&l->stayed, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&l->told, next, __ATOMIC_RELAXED);
}

/* Locked. What was held is raised again if it is still wanted. */
static void let_go(struct kvm_irqs *q)
{
    uint64_t times;

    if (read(q->timer, &times, sizeof(times)) < 0)
        return;
    for (unsigned i = 0; i < q->nlines; i++)
        if (q->line[i].told == HELD) {
            __atomic_store_n(&q->line[i].told, LOW, __ATOMIC_RELAXED);
            settle(q, &q->line[i]);
        }
}

/* Somebody says that a level rose. */
static void hear(const struct kvm_irqs *q, struct line *l)
{
    uint64_t count;

    if (read(l->fd, &count, sizeof(count)) > 0)
        settle(q, l);
}

/* What a device asks for is routed first, then delivered, then told. */
static void serve_messages(struct kvm_irqs *q, struct kvm_messages *m)
{
    if (kvm_messages_take(m) && !set_routes(q))
        kvm_messages_done(m, q->vm_fd);
}

/* What there is to hear of: the end, lines that take levels by their number, doorbells by theirs
 * behind PC_LINES. Each rise of a level-triggered line comes by here: no long lists. */
#define THE_END UINT32_MAX
#define LET_GO  (UINT32_MAX - 1)
#define EVENTS  8

static int listen_to(const struct kvm_irqs *q, int fd, uint32_t what)
{
    struct epoll_event e = {.events = EPOLLIN, .data.u32 = what};

    return epoll_ctl(q->epfd, EPOLL_CTL_ADD, fd, &e) ? -errno : 0;
}

/* @return false: it is time to end */
static bool wait_once(struct kvm_irqs *q)
{
    struct epoll_event e[EVENTS];
    int n = epoll_wait(q->epfd, e, EVENTS, -1);
    bool ending = false;

    if (n < 0)
        return errno == EINTR;
    pthread_mutex_lock(&q->lock);
    for (int i = 0; i < n; i++)
        if (e[i].data.u32 == THE_END)
            ending = true;
        else if (e[i].data.u32 == LET_GO)
            let_go(q);
        else if (e[i].data.u32 < PC_LINES)
            hear(q, &q->line[e[i].data.u32]);
        else
            serve_messages(q, q->messages[e[i].data.u32 - PC_LINES]);
    pthread_mutex_unlock(&q->lock);
    return !ending;
}

static void *thread(void *arg)
{
    while (wait_once(arg))
        ;
    return NULL;
}

/* Not before somebody needs it. */
static int start_thread(struct kvm_irqs *q)
{
    int err;

    if (q->running)
        return 0;
    err = -pthread_create(&q->thread, NULL, thread, q);
    q->running = !err;
    return err;
}

/* --- lines --- */

static void forget(struct line *l)
{
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
}

/* Levels are the thread's business, edges the kernel's. */
static int bind_line(struct kvm_irqs *q, unsigned n)
{
    const struct line *l = &q->line[n];
    struct kvm_irqfd irq = {.fd = (uint32_t)l->fd, .gsi = n};
    int err;

    if (l->levels) {
        err = listen_to(q, l->fd, n);
        return err ? err : start_thread(q);
    }
    err = q->pc ? 0 : set_routes(q);
    if (!err && ioctl(q->vm_fd, KVM_IRQFD, &irq) < 0)
        err = -errno;
    return err;
}

static int make_line(struct kvm_irqs *q, unsigned n)
{
    struct line *l = &q->line[n];
    int err;

    l->levels = q->pc && n >= FIRST_PCI;
    l->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    err = l->fd < 0 ? -errno : bind_line(q, n);
    if (err)
        forget(l);
    return err;
}

int kvm_irqs_line(struct kvm_irqs *q, unsigned line)
{
    int err = 0, fd;

    if (line >= q->nlines)
        return -EINVAL;
    pthread_mutex_lock(&q->lock);
    if (q->line[line].fd < 0)
        err = make_line(q, line);
    fd = q->line[line].fd;
    pthread_mutex_unlock(&q->lock);
    return err ? err : fd;
}

int kvm_irqs_level(struct kvm_irqs *q, unsigned line, const uint32_t *level)
{
    struct line *l = line < q->nlines ? &q->line[line] : NULL;
    int err = 0;

    if (!l || !l->levels)
        return 0; /* edges are all it takes */
    pthread_mutex_lock(&q->lock);
    if (l->nlevels == MAX_LEVELS)
        err = -ENOSPC;
    else
        l->level[l->nlevels++] = level;
    pthread_mutex_unlock(&q->lock);
    return err;
}

/* Of accesses at the same time one may go uncounted. */
static bool is_settled(struct line *l)
{
    enum told now;
    unsigned stayed;

    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* Q1 */
    now = __atomic_load_n(&l->told, __ATOMIC_RELAXED);
    if (!wanted(l))
        return now == LOW;
    if (now != HIGH)
        return now == HELD;
    stayed = __atomic_load_n(&l->stayed, __ATOMIC_RELAXED) + 1;
    __atomic_store_n(&l->stayed, stayed, __ATOMIC_RELAXED);
    return stayed < STORM;
}

bool kvm_irqs_look(struct kvm_irqs *q, unsigned line)
{
    struct line *l = line < q->nlines ? &q->line[line] : NULL;

    if (!l || !l->levels)
        return false;
    if (is_settled(l))
        return true;
    pthread_mutex_lock(&q->lock);
    settle(q, l);
    pthread_mutex_unlock(&q->lock);
    return true;
}

/* Numbers of routes begin behind those of the lines. */
static int add_messages(struct kvm_irqs *q, struct vm_messages *out)
{
    unsigned n = q->nmessages, first = PC_LINES + n * IOTP_MAX_ROUTES;
    int err = n == MAX_DEVICES ? -ENOSPC : kvm_messages_open(q->vm_fd, first, &q->messages[n], out);

    if (err)
        return err;
    q->nmessages++;
    err = listen_to(q, kvm_messages_doorbell(q->messages[n]), PC_LINES + n);
    return err ? err : start_thread(q);
}

int kvm_irqs_messages(struct kvm_irqs *q, struct vm_messages *out)
{
    int err;

    pthread_mutex_lock(&q->lock);
    err = add_messages(q, out);
    pthread_mutex_unlock(&q->lock);
    return err;
}

int kvm_irqs_msi(struct kvm_irqs *q, uint64_t addr, uint32_t data)
{
    return kvm_messages_deliver(q->vm_fd, addr, data);
}

void kvm_irqs_isa(struct kvm_irqs *q, unsigned line, bool level)
{
    set_line(q, line, level);
}

int kvm_irqs_open(int vm_fd, bool pc, struct kvm_irqs **out)
{
    struct kvm_irqs *q = calloc(1, sizeof(*q));
    int err;

    if (!q)
        return -ENOMEM;
    q->vm_fd = vm_fd;
    q->pc = pc;
    q->nlines = pc ? PC_LINES : KVM_MAX_LINES;
    for (unsigned i = 0; i < KVM_MAX_LINES; i++)
        q->line[i].fd = -1;
    pthread_mutex_init(&q->lock, NULL);
    q->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    q->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    q->epfd = epoll_create1(EPOLL_CLOEXEC);
    err = q->wake < 0 || q->timer < 0 || q->epfd < 0 ? -errno : listen_to(q, q->wake, THE_END);
    if (!err)
        err = listen_to(q, q->timer, LET_GO);
    if (!err)
        err = set_routes(q);
    if (err)
        kvm_irqs_close(q);
    else
        *out = q;
    return err;
}

void kvm_irqs_stop(struct kvm_irqs *q)
{
    const uint64_t one = 1;

    if (!q->running)
        return;
    if (write(q->wake, &one, sizeof(one)) < 0) {
        /* EAGAIN: it knows */
    }
    pthread_join(q->thread, NULL);
    q->running = false;
}

void kvm_irqs_close(struct kvm_irqs *q)
{
    if (!q)
        return;
    kvm_irqs_stop(q);
    for (unsigned i = 0; i < q->nlines; i++)
        forget(&q->line[i]);
    for (unsigned i = 0; i < q->nmessages; i++)
        kvm_messages_close(q->messages[i]);
    if (q->wake >= 0)
        close(q->wake);
    if (q->timer >= 0)
        close(q->timer);
    if (q->epfd >= 0)
        close(q->epfd);
    pthread_mutex_destroy(&q->lock);
    free(q);
}
