/* SPDX-License-Identifier: BSD-3-Clause */
#include "device.h"

#include <errno.h>
#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "devio.h"
#include "large.h"

/* --- the model's environment --- */

static struct ioc_dev *of(struct nm_dev *d)
{
    return d->runner;
}

static void *env_dma(struct nm_dev *d, uint64_t gpa, uint64_t *len, bool write)
{
    (void)write;
    return guestmem_at(of(d)->mem, gpa, len);
}

static void env_irq(struct nm_dev *d, unsigned line, bool level)
{
    struct ioc_dev *v = of(d);
    uint32_t bit = 1u << (line & 31);

    if (level) {
        v->irq_rose |= bit & ~v->irq_level;
        v->irq_level |= bit;
    } else {
        v->irq_level &= ~bit;
    }
}

/* Where lines are all that is carried, a message is an edge on the first one. The same message
 * twice says nothing new: an interrupt that is pending cannot be more pending. */
static void env_msi(struct nm_dev *d, uint64_t addr, uint32_t data)
{
    struct ioc_dev *v = of(d);

    if (!v->irq->ops->msi) {
        v->irq_rose |= 1;
        return;
    }
    for (unsigned i = 0; i < v->nmsi; i++)
        if (v->msi[i].addr == addr && v->msi[i].data == data)
            return;
    if (v->nmsi < DEV_MSI_BURST)
        v->msi[v->nmsi++] = (struct dev_msi){addr, data};
}

static bool env_tx(struct nm_dev *d, const void *frame, size_t len)
{
    struct ioc_dev *v = of(d);
    struct rte_mbuf *m;
    char *room;

    if (v->sw_port < 0 || v->ntx == DEV_TX_BURST || !(m = rte_pktmbuf_alloc(v->pool))) {
        v->n.tx_drops++;
        return false;
    }
    room = rte_pktmbuf_append(m, (uint16_t)len);
    if (!room) {
        rte_pktmbuf_free(m);
        v->n.tx_drops++;
        return false;
    }
    memcpy(room, frame, len);
    v->tx[v->ntx++] = m;
    v->n.tx_frames++;
    v->n.tx_bytes += len;
    return true;
}

static bool env_tx_large(struct nm_dev *d, const struct nm_tso *t, nm_read_fn read,
                         const void *from)
{
    struct ioc_dev *v = of(d);
    struct rte_mbuf *m;

    if (v->sw_port < 0 || v->ntx == DEV_TX_BURST || !(m = large_build(t, read, from, v->pool)))
        return false;
    v->n.tx_frames++;
    v->n.tx_large++;
    v->n.tx_bytes += m->pkt_len;
    v->tx[v->ntx++] = m;
    return true;
}

static uint64_t env_now(struct nm_dev *d)
{
    return (uint64_t)((unsigned __int128)rte_rdtsc() * of(d)->ns_scale >> 32);
}

static const struct nm_env core_env = {
    .dma = env_dma,
    .irq = env_irq,
    .msi = env_msi,
    .tx = env_tx,
    .tx_large = env_tx_large,
    .now = env_now,
};

/* --- effects, in their order --- */

static void commit(struct ioc_dev *d)
{
    d->rec.irq_level = d->irq_level;
    state_commit(d->state, d->regs, &d->rec);
    if (d->nm.model->committed)
        d->nm.model->committed(&d->nm);
    d->nm.changed = false;
    d->n.commits++;
}

/* Bit i: cell i is not what was published. */
static uint32_t changed_cells(const struct ioc_dev *d, const uint64_t *cell)
{
    uint32_t bits = 0;

    for (unsigned i = 0; i < d->nm.model->ncells && i < NM_MAX_CELLS; i++)
        bits |= (uint32_t)(cell[i] != d->cell[i]) << i;
    return bits;
}

/* Only what changed is stored: each store takes the line away from the vCPU that reads it. Several
 * cells at once are hidden meanwhile (edge H2). */
static void publish_cells(struct ioc_dev *d, uint32_t valid, const uint64_t *cell)
{
    uint32_t bits = changed_cells(d, cell);
    bool hide = (bits & (bits - 1)) != 0 && d->valid;

    if (hide)
        iotp_ioc_hide(d->shadow);
    for (; bits; bits &= bits - 1) {
        unsigned i = (unsigned)__builtin_ctz(bits);

        d->cell[i] = cell[i];
        iotp_ioc_set_cell(d->shadow, i, cell[i]);
    }
    if (hide || valid != d->valid)
        iotp_ioc_show(d->shadow, valid);
    d->valid = valid;
}

/* A line that fell must be down before the guest can end its interrupt. */
static void lower_lines(struct ioc_dev *d)
{
    uint32_t fell = d->irq_told & ~d->irq_level;

    if (!fell || !d->irq->ops->lower)
        return;
    d->irq_told &= ~fell;
    for (unsigned line = 0; line < d->irq->nlines; line++)
        if (fell >> line & 1)
            d->irq->ops->lower(d->irq, line);
}

/* `consumed` is kept current without IOTP_F_SHADOW too: the order of posted writes needs it. */
static void publish(struct ioc_dev *d)
{
    uint64_t cell[NM_MAX_CELLS];

    if (d->publishes)
        publish_cells(d, d->nm.model->publish(&d->nm, cell), cell);
    if (__atomic_load_n(&d->shadow->irq_level, __ATOMIC_RELAXED) != d->irq_level)
        __atomic_store_n(&d->shadow->irq_level, d->irq_level, __ATOMIC_RELAXED);
    iotp_ioc_publish(d->shadow, d->rec.consumed);
    lower_lines(d);
}

static void count(struct ioc_dev *d, const struct iotp_req *r, const struct iotp_resp *out)
{
    if (r->op & IOTP_OP_STRING)
        d->n.strings++;
    if (r->op & IOTP_OP_WRITE)
        d->n.writes++;
    else
        d->n.reads++;
    d->n.unclaimed += out->status == IOTP_UNCLAIMED;
    d->n.failed += out->status == IOTP_FAILED;
}

void dev_request(struct ioc_dev *d, uint32_t vcpu, uint32_t seq, uint8_t *bounce,
                 const struct iotp_req *r, struct iotp_resp *out)
{
    devio_request(&d->nm, d->mem, bounce, r, out);
    count(d, r, out);
    /* What changed nothing may as well be done again after a crash: no commit. */
    if (!d->nm.changed)
        return;
    d->rec.kind = STATE_SYNC;
    d->rec.vcpu = vcpu;
    d->rec.seq = seq;
    d->rec.data = out->data;
    d->rec.done_count = out->done_count;
    d->rec.status = out->status;
    commit(d);
    publish(d);
}

void dev_posted(struct ioc_dev *d, uint32_t vcpu, const struct iotp_post *p)
{
    struct iotp_req r = {.offset = p->offset,
                         .data = p->data,
                         .count = 1,
                         .region = p->region,
                         .op = IOTP_OP_WRITE,
                         .size = p->size};
    struct iotp_resp out;

    devio_request(&d->nm, d->mem, NULL, &r, &out);
    d->n.posted++;
    d->rec.kind = STATE_POSTED;
    d->rec.vcpu = vcpu;
    d->rec.seq = p->seq;
    d->rec.consumed++;
    commit(d);
    publish(d);
}

/* Of a sink that takes levels only what it does not know; of one that takes edges each of them. */
static void raise_lines(struct ioc_dev *d)
{
    uint32_t rose = d->irq_rose;

    d->irq_rose = 0;
    if (d->irq->ops->lower) {
        rose = d->irq_level & ~d->irq_told;
        d->irq_told |= rose;
    }
    for (unsigned line = 0; rose && line < d->irq->nlines; line++, rose >>= 1)
        if (rose & 1) {
            d->n.irqs++;
            d->irq->ops->raise(d->irq, line);
        }
}

static void send_messages(struct ioc_dev *d)
{
    for (unsigned i = 0; i < d->nmsi; i++)
        d->irq->ops->msi(d->irq, d->msi[i].addr, d->msi[i].data);
    d->n.irqs += d->nmsi;
    d->nmsi = 0;
}

static void make_busy(struct ioc_dev *d)
{
    struct ioc_core *k = d->core;

    if (!d->busy && k->nbusy < CORE_MAX_DEVS) {
        d->busy = true;
        k->busy[k->nbusy++] = d;
    }
}

void dev_after(struct ioc_dev *d)
{
    if (dev_is_busy(d))
        make_busy(d);
    if (d->irq_rose)
        raise_lines(d);
    if (d->nmsi)
        send_messages(d);
    if (d->ntx) {
        uint16_t n = (uint16_t)d->ntx;

        d->ntx = 0;
        sw_input(d->sw, d->sw_port, d->tx, n, rte_rdtsc());
    }
}

/* --- frames from the switch --- */

static bool takes_whole(const struct ioc_dev *d, const struct rte_mbuf *m)
{
    bool ipv6 = (m->ol_flags & RTE_MBUF_F_TX_IPV6) != 0;

    return !large_is(m) || (d->nm.model->takes_large && d->nm.model->takes_large(&d->nm, ipv6));
}

static void receive_large(struct ioc_dev *d, struct rte_mbuf *m)
{
    static _Thread_local uint8_t flat[LARGE_MAX];
    struct nm_tso t;

    large_read(m, &t);
    large_copy(m, 0, flat, m->pkt_len);
    d->nm.model->receive_large(&d->nm, &t, flat);
    d->n.rx_large++;
}

static void receive(struct ioc_dev *d, struct rte_mbuf *m)
{
    uint8_t flat[NM_MAX_FRAME];
    uint32_t len = rte_pktmbuf_pkt_len(m);
    const void *frame = len <= NM_MAX_FRAME ? rte_pktmbuf_read(m, 0, len, flat) : NULL;

    if (large_is(m) ? !takes_whole(d, m) : !frame) {
        d->n.rx_drops++;
        rte_pktmbuf_free(m);
        return;
    }
    if (large_is(m))
        receive_large(d, m);
    else
        d->nm.model->receive(&d->nm, frame, len);
    d->n.rx_frames++;
    d->n.rx_bytes += len;
    rte_pktmbuf_free(m);
}

/* Registers that changed without a request: the record of the last request stays. */
static void settle(struct ioc_dev *d)
{
    if (d->nm.changed) {
        commit(d);
        publish(d);
    }
    dev_after(d);
}

static bool has_room(struct ioc_dev *d, const struct rte_mbuf *m)
{
    return d->nm.model->can_receive(&d->nm, rte_pktmbuf_pkt_len(m));
}

static unsigned take_backlog(struct ioc_dev *d)
{
    unsigned n = 0;

    for (; d->rx_tail != d->rx_head && has_room(d, d->rx[d->rx_tail % DEV_BACKLOG]); n++)
        receive(d, d->rx[d->rx_tail++ % DEV_BACKLOG]);
    if (d->rx_tail != d->rx_head && d->nm.model->waiting)
        d->nm.model->waiting(&d->nm);
    return n;
}

/* A frame the device has no room for waits. @return false: with the backlog full it cannot */
static bool accept(struct ioc_dev *d, struct rte_mbuf *m)
{
    if (d->rx_head == d->rx_tail && has_room(d, m))
        receive(d, m);
    else if (d->rx_head - d->rx_tail < DEV_BACKLOG)
        d->rx[d->rx_head++ % DEV_BACKLOG] = m;
    else
        return false;
    return true;
}

/* A large frame for a driver that wants segments. */
static void accept_segments(struct ioc_dev *d, struct rte_mbuf *m)
{
    struct rte_mbuf *part;
    uint32_t next = 0;

    while (large_split(m, &next, d->pool, &part, 1))
        if (!accept(d, part)) {
            rte_pktmbuf_free(part);
            d->n.rx_drops++;
        }
    rte_pktmbuf_free(m);
}

/* The switch's send function; what is refused it counts as a drop. */
static uint16_t dev_send(void *ctx, struct rte_mbuf **m, uint16_t n)
{
    struct ioc_dev *d = ctx;
    uint16_t i;

    for (i = 0; i < n; i++) {
        if (!takes_whole(d, m[i]))
            accept_segments(d, m[i]);
        else if (!accept(d, m[i]))
            break;
    }
    d->n.rx_drops += n - i;
    settle(d);
    return i;
}

unsigned dev_poll(struct ioc_dev *d)
{
    unsigned work = take_backlog(d);

    if (d->nm.model->poll)
        work += d->nm.model->poll(&d->nm);
    if (work || d->nm.changed)
        settle(d);
    return work;
}

void dev_unbusy(struct ioc_core *k, unsigned i)
{
    k->busy[i]->busy = false;
    k->busy[i] = k->busy[--k->nbusy];
}

bool dev_arm(struct ioc_dev *d)
{
    bool quiet = !d->nm.model->arm || d->nm.model->arm(&d->nm);

    settle(d); /* what was held back is told before the sleep */
    return quiet;
}

void dev_disarm(struct ioc_dev *d)
{
    if (d->nm.model->disarm)
        d->nm.model->disarm(&d->nm);
}

void dev_join(struct ioc_dev *d)
{
    d->core->ndevs++;
    if (d->nm.model->resume)
        d->nm.model->resume(&d->nm);
    dev_disarm(d);
    if (dev_is_busy(d))
        make_busy(d);
}

void dev_leave(struct ioc_dev *d)
{
    for (unsigned i = 0; i < d->core->nbusy; i++)
        if (d->core->busy[i] == d) {
            dev_unbusy(d->core, i);
            break;
        }
    for (; d->rx_tail != d->rx_head; d->rx_tail++)
        rte_pktmbuf_free(d->rx[d->rx_tail % DEV_BACKLOG]);
    d->core->ndevs--;
}

/* --- restart --- */

bool dev_was_done(const struct ioc_dev *d, uint32_t vcpu, uint32_t seq, struct iotp_resp *out)
{
    if (d->rec.kind != STATE_SYNC || d->rec.vcpu != vcpu || d->rec.seq != seq)
        return false;
    *out = (struct iotp_resp){
        .data = d->rec.data, .done_count = d->rec.done_count, .status = (uint8_t)d->rec.status};
    return true;
}

bool dev_was_posted(const struct ioc_dev *d, uint32_t vcpu, uint32_t seq)
{
    return d->rec.kind == STATE_POSTED && d->rec.vcpu == vcpu && d->rec.seq == seq;
}

void dev_resume(struct ioc_dev *d)
{
    /* The edge may have been lost with the former process; one too many does no harm. And what a
     * sink that takes levels was told last is not known. */
    d->irq_rose = d->irq_level;
    d->irq_told = ~d->irq_level;
    if (d->nm.model->committed)
        d->nm.model->committed(&d->nm);
    memset(d->cell, 0xff, sizeof(d->cell));
    d->valid = 0;
    iotp_ioc_hide(d->shadow);
    publish(d);
    dev_after(d);
}

/* --- making and unmaking --- */

static int open_state(struct ioc_dev *d, const struct dev_opts *o, int *fd_out, const char **why)
{
    const struct nm_model *m = d->nm.model;
    uint64_t size = state_size(m);
    int fd = o->state_fd, err;

    *fd_out = -1;
    if (fd < 0) {
        fd = iotp_memfd("coopvmm-state", size);
        if (fd < 0)
            return fd;
        *fd_out = fd;
    } else if (iotp_memfd_check(fd, size)) {
        *why = "the saved state is no sealed memfd of the model's size";
        return -EPROTO;
    }
    err = state_map(fd, m, o->state_fd < 0, &d->state, why);
    if (!err)
        d->nm.ram = state_ram(d->state);
    return err;
}

static int power_on(struct ioc_dev *d, const struct iotp_device *c, const char **why)
{
    struct nm_params p = {
        .io_base = c->io_base, .mmio_base = c->mmio_base, .irq = c->irq, .queues = c->queues};
    int err;

    memcpy(p.mac, c->mac, sizeof(p.mac));
    err = d->nm.model->init(&d->nm, &p, why);
    if (!err)
        commit(d);
    return err;
}

/* Fresh, or where the former process left off. */
static int load_or_power_on(struct ioc_dev *d, const struct dev_opts *o, const char **why)
{
    int err;

    if (o->state_fd < 0 || !state_load(d->state, d->regs, &d->rec))
        return power_on(d, o->d, why);
    err = d->nm.model->validate(&d->nm, why);
    d->irq_level = d->rec.irq_level;
    return err;
}

/* In a process without DPDK's environment (tests) ticks have no length; they are as good as any. */
static uint64_t ns_scale(void)
{
    uint64_t hz = rte_get_tsc_hz();

    return hz ? (uint64_t)(1e9 * 4294967296.0 / (double)hz) : 1ull << 32;
}

int dev_create(const struct dev_opts *o, struct ioc_dev **out, int *state_fd_out, const char **why)
{
    struct ioc_dev *d = aligned_alloc(64, sizeof(*d));
    int err;

    *state_fd_out = -1;
    if (!d)
        return -ENOMEM;
    memset(d, 0, sizeof(*d));
    d->nm = (struct nm_dev){
        .model = nm_model_find(o->d->model), .regs = d->regs, .env = &core_env, .runner = d};
    d->core = o->core;
    d->sw = o->core->sw;
    d->pool = o->pool;
    d->mem = o->mem;
    d->ns_scale = ns_scale();
    d->shadow = o->shadow;
    d->publishes = o->publishes && d->nm.model && d->nm.model->publish;
    d->sw_port = -1;
    d->irq = o->irq;
    memcpy(d->name, o->d->name, sizeof(d->name));
    *why = "no such device model";
    err = d->nm.model ? open_state(d, o, state_fd_out, why) : -ENODEV;
    if (!err)
        err = load_or_power_on(d, o, why);
    if (err) {
        d->irq = NULL; /* stays the caller's */
        dev_destroy(d);
        if (*state_fd_out >= 0)
            close(*state_fd_out);
        *state_fd_out = -1;
        return err;
    }
    *out = d;
    return 0;
}

void dev_destroy(struct ioc_dev *d)
{
    if (d->irq)
        d->irq->ops->close(d->irq);
    if (d->state)
        state_unmap(d->state);
    free(d);
}

int dev_plug(struct ioc_dev *d, const char *vm, const uint8_t mac[6])
{
    char name[SW_NAME_SIZE];
    int port;

    snprintf(name, sizeof(name), "%s/%s", vm, d->name);
    port = sw_port_add(d->sw, name, d->core->index, SW_PORT_LARGE, dev_send, d);
    if (port < 0)
        return port;
    d->sw_port = port;
    /* Its frames come here whatever other guests claim to be. */
    return sw_port_pin(d->sw, port, mac);
}

void dev_unplug(struct ioc_dev *d)
{
    if (d->sw_port >= 0)
        sw_port_remove(d->sw, d->sw_port);
    d->sw_port = -1;
}
