/* SPDX-License-Identifier: BSD-3-Clause */
#include "irq_msi.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../protocol/iotp_ctl.h"

/* What we know of a route; once it is open, nothing but `routed` is read from the table. */
struct way {
    uint64_t addr;
    uint32_t data;
    uint32_t asked; /* 0: free */
    int fd;
};

struct irq_msi {
    struct iotp_route *table; /* shared */
    int table_fd, doorbell;
    unsigned nroutes, last; /* last: where the latest message was found; many come in a row */
    unsigned next;          /* the one to be given away when all are taken */
    struct way way[IOTP_MAX_ROUTES];
};

static void signal_fd(int fd)
{
    uint64_t one = 1;

    (void)!write(fd, &one, sizeof(one)); /* EAGAIN: it is pending already */
}

static bool carries(const struct way *w, uint64_t addr, uint32_t data)
{
    return w->asked && w->addr == addr && w->data == data;
}

static bool is_routed(const struct irq_msi *q, unsigned i)
{
    return __atomic_load_n(&q->table[i].routed, __ATOMIC_ACQUIRE) == q->way[i].asked; /* M2 */
}

/* The slow way, and for a new route the first: the VMM delivers it. 0 is no number. */
static void ask(struct irq_msi *q, unsigned i)
{
    q->way[i].asked++;
    q->way[i].asked += !q->way[i].asked;
    __atomic_store_n(&q->table[i].asked, q->way[i].asked, __ATOMIC_RELEASE); /* M1 */
    signal_fd(q->doorbell);
}

/* `asked` is made to differ from `routed` by ask(), whatever a former process asked for. */
static void assign(struct irq_msi *q, unsigned i, uint64_t addr, uint32_t data)
{
    struct iotp_route *r = &q->table[i];

    __atomic_store_n(&r->asked, 0, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    __atomic_store_n(&r->addr, addr, __ATOMIC_RELAXED);
    __atomic_store_n(&r->data, data, __ATOMIC_RELAXED);
    q->way[i].addr = addr;
    q->way[i].data = data;
    /* A number is not used twice: the VMM may just be at work on the last one. */
    if (!q->way[i].asked)
        q->way[i].asked = __atomic_load_n(&r->routed, __ATOMIC_ACQUIRE);
}

static unsigned find(const struct irq_msi *q, uint64_t addr, uint32_t data)
{
    unsigned i = q->last;

    if (carries(&q->way[i], addr, data))
        return i;
    for (i = 0; i < q->nroutes; i++)
        if (carries(&q->way[i], addr, data))
            break;
    return i;
}

static unsigned choose(struct irq_msi *q)
{
    unsigned i;

    for (i = 0; i < q->nroutes; i++)
        if (!q->way[i].asked)
            return i;
    i = q->next;
    q->next = (i + 1) % q->nroutes;
    return i;
}

void irq_msi_send(struct irq_msi *q, uint64_t addr, uint32_t data)
{
    unsigned i = find(q, addr, data);
    bool fresh = i == q->nroutes;

    if (fresh) {
        i = choose(q);
        assign(q, i, addr, data);
    }
    q->last = i;
    if (!fresh && is_routed(q, i))
        signal_fd(q->way[i].fd);
    else
        ask(q, i);
}

/* A message may have been lost with the former process: each it ever sent is delivered once more.
 */
static void adopt(struct irq_msi *q, unsigned i)
{
    const struct iotp_route *r = &q->table[i];

    if (!__atomic_load_n(&r->asked, __ATOMIC_ACQUIRE))
        return;
    q->way[i].addr = __atomic_load_n(&r->addr, __ATOMIC_RELAXED);
    q->way[i].data = __atomic_load_n(&r->data, __ATOMIC_RELAXED);
    q->way[i].asked = __atomic_load_n(&r->routed, __ATOMIC_ACQUIRE);
    ask(q, i);
}

int irq_msi_open(const int *fd, unsigned nroutes, struct irq_msi **out)
{
    uint64_t size = nroutes * sizeof(struct iotp_route);
    struct irq_msi *q;
    int err = iotp_memfd_check(fd[0], size);

    if (err)
        return err;
    q = calloc(1, sizeof(*q));
    if (!q)
        return -ENOMEM;
    q->table = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd[0], 0);
    if (q->table == MAP_FAILED) {
        err = -errno;
        free(q);
        return err;
    }
    q->table_fd = fd[0];
    q->doorbell = fd[1];
    q->nroutes = nroutes;
    for (unsigned i = 0; i < nroutes; i++)
        q->way[i].fd = fd[2 + i];
    for (unsigned i = 0; i < nroutes; i++)
        adopt(q, i);
    *out = q;
    return 0;
}

void irq_msi_close(struct irq_msi *q)
{
    if (!q)
        return;
    munmap(q->table, q->nroutes * sizeof(q->table[0]));
    close(q->table_fd);
    close(q->doorbell);
    for (unsigned i = 0; i < q->nroutes; i++)
        close(q->way[i].fd);
    free(q);
}
