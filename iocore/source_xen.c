/* SPDX-License-Identifier: BSD-3-Clause */
#include "source_xen.h"

#include <rte_cycles.h>
#include <stddef.h>
#include <string.h>

#include <xen/hvm/ioreq.h>

#include "xen_ioreq.h"

/* The state shares its byte with flags that stay as Xen set them; `type` follows it. */
#define STATE_BYTE (offsetof(struct ioreq, type) - 1)
#define STATE_BITS 0x0fu
_Static_assert(sizeof(struct ioreq) == 32 && offsetof(struct ioreq, type) == 31, "Xen's ABI");

static struct xen_domain *of(struct ioc_source *s)
{
    return (struct xen_domain *)s;
}

static uint8_t *state_byte(struct xen_domain *x, unsigned v)
{
    return (uint8_t *)&x->slot[v] + STATE_BYTE;
}

/* X1 */
static unsigned state_of(struct xen_domain *x, unsigned v)
{
    return __atomic_load_n(state_byte(x, v), __ATOMIC_ACQUIRE) & STATE_BITS;
}

static void set_state(struct xen_domain *x, unsigned v, unsigned state)
{
    uint8_t flags = *state_byte(x, v) & (uint8_t)~STATE_BITS;

    __atomic_store_n(state_byte(x, v), (uint8_t)(flags | state), __ATOMIC_RELEASE);
}

uint32_t src_xen_remote_port(const struct xen_domain *x, unsigned v)
{
    return x->slot[v].vp_eport;
}

/* --- answering --- */

/* X3: does the vCPU spin, so that it sees the answer by itself? */
static bool is_spinning(struct xen_domain *x, unsigned v)
{
    if (!x->spins)
        return false;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return __atomic_load_n(&x->slot[v]._pad0, __ATOMIC_RELAXED) != 0;
}

static void notify(struct xen_domain *x, unsigned v)
{
    uint64_t begin = rte_rdtsc();

    xen_dm_notify(x->dm, x->port[v]);
    hist_add(&x->n.notify, rte_rdtsc() - begin);
    hist_store(&x->n.notifies, x->n.notifies + 1);
}

static void answer(struct xen_domain *x, unsigned v, const struct ioreq *r, uint64_t data)
{
    if (r->dir == IOREQ_READ && !r->data_is_ptr)
        x->slot[v].data = data;
    set_state(x, v, STATE_IORESP_READY); /* X2 */
}

static void tell(struct xen_domain *x, unsigned v)
{
    if (is_spinning(x, v))
        hist_store(&x->n.unnotified, x->n.unnotified + 1);
    else
        notify(x, v);
}

static void finish(struct xen_domain *x, unsigned v, uint64_t begin)
{
    struct ioreq r;
    uint64_t data;

    memcpy(&r, &x->slot[v], sizeof(r));
    data = xen_ioreq_carry_out(x, v, &r);
    answer(x, v, &r, data);
    hist_add(&x->stats[v].service, rte_rdtsc() - begin);
    tell(x, v);
    if (x->after)
        dev_after(x->after);
}

/* The notebook first: a request whose state is READY was never begun. */
static void serve(struct xen_domain *x, unsigned v)
{
    struct xen_step *s = &x->note->vcpu[v], fresh = {.seq = s->seq + 1};
    uint64_t begin = rte_rdtsc(), word;

    memcpy(&word, &fresh, sizeof(word));
    __atomic_store_n((uint64_t *)s, word, __ATOMIC_RELAXED);
    set_state(x, v, STATE_IOREQ_INPROCESS);
    finish(x, v, begin);
}

/* --- the source's functions --- */

static unsigned poll(struct ioc_source *src, uint64_t now)
{
    struct xen_domain *x = of(src);
    unsigned work = 0;

    (void)now;
    for (unsigned v = 0; v < x->nvcpus; v++)
        if (state_of(x, v) == STATE_IOREQ_READY) {
            serve(x, v);
            work++;
        }
    return work;
}

static bool peek(struct ioc_source *src)
{
    struct xen_domain *x = of(src);

    for (unsigned v = 0; v < x->nvcpus; v++)
        if (state_of(x, v) == STATE_IOREQ_READY)
            return true;
    return false;
}

/* Ports that signalled are masked from then on, until this side sleeps: while it polls it takes no
 * interrupts. */
static void take_events(struct xen_domain *x)
{
    int port;

    while ((port = xen_dm_take_event(x->dm)) >= 0) {
        hist_store(&x->n.upcalls, x->n.upcalls + 1);
        for (unsigned v = 0; v < x->nvcpus; v++)
            if (x->port[v] == port)
                x->unmasked[v] = false;
    }
}

static bool cool(struct ioc_source *src)
{
    take_events(of(src));
    return !peek(src);
}

static bool arm(struct ioc_source *src)
{
    struct xen_domain *x = of(src);

    take_events(x);
    for (unsigned v = 0; v < x->nvcpus; v++)
        if (!x->unmasked[v]) {
            x->unmasked[v] = true;
            xen_dm_unmask(x->dm, x->port[v]);
        }
    return !peek(src);
}

static void disarm(struct ioc_source *src)
{
    take_events(of(src));
}

static const struct ioc_source_ops xen_ops = {
    .name = "xen", .poll = poll, .peek = peek, .cool = cool, .arm = arm, .disarm = disarm};

void src_xen_init(struct xen_domain *x)
{
    x->src = (struct ioc_source){.ops = &xen_ops, .kick_fd = xen_dm_event_fd(x->dm)};
}

/* --- restart and end --- */

void src_xen_resume(struct xen_domain *x)
{
    for (unsigned v = 0; v < x->nvcpus; v++) {
        switch (state_of(x, v)) {
        case STATE_IOREQ_INPROCESS:
            x->resuming = true;
            finish(x, v, rte_rdtsc());
            notify(x, v); /* whether it spins is not known of one that waited so long */
            break;
        case STATE_IORESP_READY: notify(x, v); break;
        default: break;
        }
    }
    x->taken = false;
}

unsigned src_xen_answer_all(struct xen_domain *x)
{
    unsigned n = 0;

    for (unsigned v = 0; v < x->nvcpus; v++) {
        unsigned state = state_of(x, v);
        struct ioreq r;

        if (state != STATE_IOREQ_READY && state != STATE_IOREQ_INPROCESS)
            continue;
        memcpy(&r, &x->slot[v], sizeof(r));
        answer(x, v, &r, ~0ull);
        notify(x, v);
        n++;
    }
    return n;
}
