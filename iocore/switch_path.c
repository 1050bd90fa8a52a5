/* SPDX-License-Identifier: BSD-3-Clause */
/* A frame's way through the switch: learn its source, find its destination, deliver or hand over.
 */
#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_ether.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include "counter.h"
#include "large.h"
#include "switch_priv.h"

#define RUN 64 /* frames handed to a send function or an inbox at once, at most */

/* --- learning --- */

/* The slow path of learning: an address that is new, or was seen elsewhere. */
static void learn_slow(struct sw *sw, struct sw_port *p, uint64_t key, uint32_t sec)
{
    struct fdb_where was;
    int err;

    if (__atomic_load_n(&p->macs, __ATOMIC_RELAXED) >= sw->o.port_macs) {
        counter_add(&p->c.learn_refused, 1);
        return;
    }
    if (!rte_spinlock_trylock(&sw->fdb.lock))
        return; /* its next frame will do */
    err = sw_place(sw, p, key, sec, false, &was);
    rte_spinlock_unlock(&sw->fdb.lock);
    if (err)
        counter_add(&p->c.learn_refused, 1);
    else
        counter_add(was.port == UINT16_MAX ? &p->c.learned : &p->c.moved, 1);
}

/* @return true: it is known to be here, and was before */
static inline bool learn(struct sw *sw, struct sw_port *p, uint64_t key, uint32_t sec)
{
    struct fdb_where w;
    int pos = fdb_find(&sw->fdb, key, &w);

    if (likely(pos >= 0 && w.port == p->id && w.gen == p->gen)) {
        fdb_touch(&sw->fdb, pos, sec);
        return true;
    }
    if (pos >= 0 && w.pinned && sw_port_of(sw, w))
        counter_add(&p->c.learn_refused, 1);
    else
        learn_slow(sw, p, key, sec);
    return false;
}

/* --- out of the switch --- */

/* Frames that others hold too become copies. @return how many are left in m */
static uint16_t unshare_all(struct sw *sw, struct sw_port *p, struct rte_mbuf **m, uint16_t n)
{
    uint16_t left = 0;

    for (uint16_t i = 0; i < n; i++) {
        struct rte_mbuf *own = m[i];

        if (rte_mbuf_refcnt_read(own) > 1) {
            own = rte_pktmbuf_copy(m[i], sw->o.pool, 0, UINT32_MAX);
            rte_pktmbuf_free(m[i]);
        }
        if (own)
            m[left++] = own;
        else
            counter_add(&p->c.tx_drops, 1);
    }
    return left;
}

/* Hands frames to the port's send function. */
static void send_on(struct sw *sw, struct sw_port *p, struct rte_mbuf **m, uint16_t n)
{
    uint64_t bytes = 0;
    uint16_t sent;

    if (unlikely(p->flags & SW_PORT_WRITES))
        n = unshare_all(sw, p, m, n);
    for (uint16_t i = 0; i < n; i++) /* before: afterwards they are the receiver's */
        bytes += m[i]->pkt_len;
    sent = p->send(p->ctx, m, n);
    for (uint16_t i = sent; i < n; i++) {
        bytes -= m[i]->pkt_len;
        rte_pktmbuf_free(m[i]);
    }
    counter_add(&p->c.tx_frames, sent);
    counter_add(&p->c.tx_bytes, bytes);
    if (unlikely(sent < n))
        counter_add(&p->c.tx_drops, n - sent);
}

/* A port that takes no large frames gets the segments. */
static void send_segments(struct sw *sw, struct sw_port *p, struct rte_mbuf *m)
{
    struct rte_mbuf *part[RUN];
    uint32_t next = 0;
    unsigned n;

    while (sw->o.pool && (n = large_split(m, &next, sw->o.pool, part, RUN)))
        send_on(sw, p, part, (uint16_t)n);
    rte_pktmbuf_free(m);
}

/* On the port's core. */
static void deliver(struct sw *sw, struct sw_port *p, struct rte_mbuf **m, uint16_t n)
{
    uint16_t from = 0;

    for (uint16_t i = 0; i < n && !(p->flags & SW_PORT_LARGE); i++)
        if (unlikely(large_is(m[i]))) {
            if (i > from)
                send_on(sw, p, m + from, (uint16_t)(i - from));
            send_segments(sw, p, m[i]);
            from = (uint16_t)(i + 1);
        }
    if (n > from)
        send_on(sw, p, m + from, (uint16_t)(n - from));
}

/* To another core's inbox. What does not fit is dropped, at the ingress port's expense. */
static void hand_over(struct sw *sw, struct sw_port *in, const struct sw_port *p,
                      struct rte_mbuf **m, uint16_t n)
{
    struct sw_msg msg[RUN];
    unsigned done;

    for (uint16_t i = 0; i < n; i++)
        msg[i] = (struct sw_msg){.m = m[i], .port = p->id, .gen = p->gen};
    done = rte_ring_enqueue_burst_elem(sw->inbox[p->core], msg, sizeof(msg[0]), n, NULL);
    if (unlikely(done < n)) {
        counter_add(&in->c.inbox_drops, n - done);
        rte_pktmbuf_free_bulk(m + done, n - done);
    }
}

#define NO_KEY UINT64_MAX /* no address: those have 48 bits */

/* Frames in a row that go the same way, and the cores that found something in their inbox.
 * Frames of a burst mostly are of one conversation: addresses are looked up once while they stay
 * the same, and a frame with the same two goes where the one before went. That is as if the burst
 * had come at that moment; what this burst itself changes in the table makes it look again. */
struct run {
    struct sw *sw;
    struct sw_port *in, *out;
    uint16_t n;
    struct rte_mbuf *m[RUN];
    uint64_t woken[SW_MAX_CORES / 64];
    uint64_t src;                 /* the last source, if it is learned; else NO_KEY */
    uint64_t dst;                 /* the last destination that was looked up, or NO_KEY */
    struct sw_port *to;           /* where that is; NULL: unknown */
    struct sw_port *again;        /* where the last frame went, if to one port; else NULL */
    bool again_unknown;           /* it was flooded there */
    struct rte_ether_hdr eth;     /* its header, of which the addresses count */
    const struct sw_portset *set; /* all ports, once one is flooded to; NULL before */
    unsigned others;              /* of them but `in` */
    struct sw_port *other;        /* the last of these */
    uint64_t frames, bytes, flooded, unknown;
};

static void send_run(struct run *r)
{
    struct sw_port *out = r->out;

    if (r->n == 0)
        return;
    if (out->core == r->in->core) {
        deliver(r->sw, out, r->m, r->n);
    } else {
        hand_over(r->sw, r->in, out, r->m, r->n);
        r->woken[out->core / 64] |= 1ull << (out->core % 64);
    }
    r->n = 0;
}

static inline void add_to_run(struct run *r, struct sw_port *out, struct rte_mbuf *m)
{
    if (r->out != out || r->n == RUN) {
        send_run(r);
        r->out = out;
    }
    r->m[r->n++] = m;
}

/* What a flooded frame goes to is the same for the whole burst. */
static void find_others(struct run *r)
{
    r->set = __atomic_load_n(&r->sw->set, __ATOMIC_ACQUIRE);
    r->others = 0;
    for (unsigned i = 0; i < r->set->n; i++)
        if (r->set->p[i] != r->in) {
            r->others++;
            r->other = r->set->p[i];
        }
}

/* One reference for each port; none is left with the caller. */
static void flood(struct run *r, struct rte_mbuf *m)
{
    if (unlikely(!r->set))
        find_others(r);
    r->flooded++;
    if (likely(r->others == 1)) {
        add_to_run(r, r->other, m);
        return;
    }
    if (r->others == 0) {
        rte_pktmbuf_free(m);
        return;
    }
    rte_pktmbuf_refcnt_update(m, (int16_t)(r->others - 1));
    for (unsigned i = 0; i < r->set->n; i++)
        if (r->set->p[i] != r->in)
            add_to_run(r, r->set->p[i], m);
}

static void wake_cores(struct run *r)
{
    if (!r->sw->o.wake)
        return;
    for (unsigned w = 0; w < SW_MAX_CORES / 64; w++)
        for (uint64_t bits = r->woken[w]; bits; bits &= bits - 1)
            r->sw->o.wake(r->sw->o.wake_ctx, w * 64 + (unsigned)__builtin_ctzll(bits));
}

/* --- into the switch --- */

static inline bool frame_ok(const struct sw *sw, const struct rte_mbuf *m)
{
    if (unlikely(large_is(m)))
        return large_fits(m, sw->o.max_frame);
    return m->data_len >= RTE_ETHER_HDR_LEN && m->pkt_len <= sw->o.max_frame;
}

static inline void learn_source(struct run *r, uint64_t src, uint32_t sec)
{
    if (likely(src == r->src))
        return;
    if (learn(r->sw, r->in, src, sec)) {
        r->src = src;
    } else {
        r->src = NO_KEY; /* what is refused is counted for each frame */
        r->dst = NO_KEY;
    }
}

static inline struct sw_port *find(struct run *r, uint64_t dst)
{
    struct fdb_where w;

    if (unlikely(dst != r->dst)) {
        r->dst = dst;
        r->to = fdb_find(&r->sw->fdb, dst, &w) < 0 ? NULL : sw_port_of(r->sw, w);
    }
    return r->to;
}

/* @return the one port it went to, or NULL */
static struct sw_port *forward(struct run *r, struct rte_mbuf *m, uint64_t dst)
{
    struct sw_port *out;

    if (dst & 1) { /* group bit: the lowest of the first byte */
        flood(r, m);
        return NULL;
    }
    out = find(r, dst);
    if (!out) {
        r->unknown++;
        flood(r, m);
        out = r->others == 1 ? r->other : NULL;
    } else if (out == r->in) {
        counter_add(&r->in->c.rx_filtered, 1);
        rte_pktmbuf_free(m);
        out = NULL;
    } else {
        add_to_run(r, out, m);
    }
    return out;
}

static inline bool same_addresses(const struct rte_ether_hdr *a, const struct rte_ether_hdr *b)
{
    return memcmp(a, b, 2 * RTE_ETHER_ADDR_LEN) == 0;
}

/* As the frame before, which was learned and forwarded to one port. */
static inline void input_again(struct run *r, struct rte_mbuf *m)
{
    r->unknown += r->again_unknown;
    r->flooded += r->again_unknown;
    add_to_run(r, r->again, m);
}

static void input_first(struct run *r, struct rte_mbuf *m, const struct rte_ether_hdr *eth,
                        uint32_t sec)
{
    uint64_t unknown = r->unknown;
    struct sw_port *out;

    r->eth = *eth;
    learn_source(r, fdb_key(r->eth.src_addr.addr_bytes), sec);
    out = forward(r, m, fdb_key(r->eth.dst_addr.addr_bytes));
    r->again = r->src == NO_KEY ? NULL : out;
    r->again_unknown = r->unknown != unknown;
}

static inline void input_one(struct run *r, struct rte_mbuf *m, uint32_t sec)
{
    const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);

    if (unlikely(!frame_ok(r->sw, m) || (eth->src_addr.addr_bytes[0] & 1))) {
        counter_add(&r->in->c.rx_bad, 1);
        rte_pktmbuf_free(m);
        return;
    }
    r->frames++;
    r->bytes += m->pkt_len;
    if (r->again && same_addresses(eth, &r->eth))
        input_again(r, m);
    else
        input_first(r, m, eth, sec);
}

void sw_input(struct sw *sw, int port, struct rte_mbuf **m, uint16_t n, uint64_t now)
{
    struct run r;
    uint32_t sec = sw_second(sw, now);

    r.sw = sw;
    r.in = port < 0 ? NULL : sw_port_at(sw, (unsigned)port);
    r.out = NULL;
    r.n = 0;
    r.src = r.dst = NO_KEY;
    r.again = NULL;
    r.set = NULL;
    r.frames = r.bytes = r.flooded = r.unknown = 0;
    memset(r.woken, 0, sizeof(r.woken));
    if (unlikely(!r.in)) {
        rte_pktmbuf_free_bulk(m, n);
        return;
    }
    for (uint16_t i = 0; i < n; i++) {
        if (i + 1 < n)
            rte_prefetch0(rte_pktmbuf_mtod(m[i + 1], void *));
        input_one(&r, m[i], sec);
    }
    send_run(&r);
    counter_add(&r.in->c.rx_frames, r.frames);
    counter_add(&r.in->c.rx_bytes, r.bytes);
    if (r.flooded) {
        counter_add(&r.in->c.flooded, r.flooded);
        counter_add(&r.in->c.unknown, r.unknown);
    }
    wake_cores(&r);
}

/* The port a message is for, if it is still there and still this core's. */
static struct sw_port *msg_port(const struct sw *sw, const struct sw_msg *msg)
{
    return sw_port_of(sw, (struct fdb_where){.port = (uint16_t)msg->port, .gen = msg->gen});
}

static void deliver_msgs(struct sw *sw, const struct sw_msg *msg, unsigned n)
{
    struct rte_mbuf *m[RUN];

    for (unsigned i = 0, end; i < n; i = end) {
        struct sw_port *p = msg_port(sw, &msg[i]);

        for (end = i; end < n && msg[end].port == msg[i].port && msg[end].gen == msg[i].gen; end++)
            m[end - i] = msg[end].m;
        if (p)
            deliver(sw, p, m, (uint16_t)(end - i));
        else
            rte_pktmbuf_free_bulk(m, end - i);
    }
}

unsigned sw_poll(struct sw *sw, unsigned core)
{
    struct sw_msg msg[RUN];
    unsigned n = rte_ring_dequeue_burst_elem(sw->inbox[core], msg, sizeof(msg[0]), RUN, NULL);

    if (n)
        deliver_msgs(sw, msg, n);
    rte_rcu_qsbr_quiescent(sw->rcu, core);
    return n;
}

bool sw_pending(const struct sw *sw, unsigned core)
{
    return !rte_ring_empty(sw->inbox[core]);
}
