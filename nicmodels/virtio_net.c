/* SPDX-License-Identifier: BSD-3-Clause */
/* Virtio network device over PCI, transitional: the model. */
#include "virtio_net.h"

#include <errno.h>
#include <string.h>

#include "access.h"
#include "models.h"
#include "offload.h"

#define MTU          1500   /* what NM_MAX_FRAME leaves */
#define HOLD_NS      250000 /* longest that the driver is not told of what was sent */
#define TX_BUFFERS   8      /* frames taken from a ring at once */
#define FLOW_HEADERS 128    /* bytes in which a flow's addresses and ports are */

/* struct virtio_net_config (5.1.4) */
enum { CONFIG_MAC = 0, CONFIG_STATUS = 6, CONFIG_MAX_PAIRS = 8, CONFIG_MTU = 10, CONFIG_LEN = 12 };
enum { VIRTIO_NET_S_LINK_UP = 1, VIRTIO_NET_S_ANNOUNCE = 2 };

/* What needs a control queue (5.1.3.1). */
#define BY_CTRL                                                                                    \
    (VIRTIO_NET_F_CTRL_RX | VIRTIO_NET_F_CTRL_VLAN | VIRTIO_NET_F_CTRL_RX_EXTRA |                  \
     VIRTIO_NET_F_GUEST_ANNOUNCE | VIRTIO_NET_F_CTRL_MAC_ADDR)
#define HOST_TSO (VIRTIO_NET_F_HOST_TSO4 | VIRTIO_NET_F_HOST_TSO6)

static const struct virtio_class net_class;

static struct vp vp_of(const struct nm_dev *d)
{
    return (struct vp){.d = (struct nm_dev *)(uintptr_t)d, .r = d->regs, .c = &net_class};
}

/* --- what the transport asks --- */

static uint64_t features(const struct vp *p, bool legacy)
{
    uint64_t f = VP_FEATURES | VNET_FEATURES | BY_CTRL | VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_MAC |
                 VIRTIO_NET_F_STATUS | VIRTIO_NET_F_MTU | VIRTIO_NET_F_CTRL_GUEST_OFFLOADS |
                 VNET_GUEST_TSO;

    if (vn_of(p)->max_pairs > 1)
        f |= VIRTIO_NET_F_MQ;
    return legacy ? (f & UINT32_MAX) | VP_FEATURES_LEGACY : f;
}

/* 5.1.3.1: features that mean nothing without others. */
static bool accepts(uint64_t f)
{
    bool ctrl = f & VIRTIO_NET_F_CTRL_VQ, csum = f & VIRTIO_NET_F_CSUM;

    return (ctrl || !(f & (BY_CTRL | VIRTIO_NET_F_MQ | VIRTIO_NET_F_CTRL_GUEST_OFFLOADS))) &&
           (csum || !(f & (HOST_TSO | VIRTIO_NET_F_HOST_USO))) &&
           ((f & VIRTIO_NET_F_GUEST_CSUM) || !(f & VNET_GUEST_TSO)) &&
           ((f & HOST_TSO) || !(f & VIRTIO_NET_F_HOST_ECN));
}

static unsigned nqueues(const struct vp *p)
{
    return 2u * vn_of(p)->max_pairs + 1;
}

static unsigned config(const struct vp *p, uint8_t cfg[VP_CONFIG_MAX])
{
    const struct virtio_net *r = vn_of(p);

    memcpy(cfg + CONFIG_MAC, r->mac, 6);
    nm_put_le(cfg + CONFIG_STATUS, VIRTIO_NET_S_LINK_UP | (r->announce ? VIRTIO_NET_S_ANNOUNCE : 0),
              2);
    nm_put_le(cfg + CONFIG_MAX_PAIRS, r->max_pairs, 2);
    nm_put_le(cfg + CONFIG_MTU, MTU, 2);
    return CONFIG_LEN;
}

/* Legacy drivers write the address byte by byte (5.1.4.1). */
static void write_config(const struct vp *p, unsigned offset, uint8_t value)
{
    if (offset < CONFIG_MAC + 6)
        vn_of(p)->mac[offset] = value;
}

static void reset(const struct vp *p)
{
    struct virtio_net *r = vn_of(p);

    memcpy(r->mac, r->own_mac, 6);
    r->pairs = 1;
    r->announce = r->next_tx = 0;
    r->offloads = VN_OFFLOAD_ALL;
    r->ctrl_done = r->ctrl_ack = 0;
    r->ctrl_at = (struct vq_pos){0};
    memset(r->segment, 0, sizeof(r->segment));
    memset(r->held, 0, sizeof(r->held));
    vn_reset_filter(p);
}

/* Receive queues only hold buffers: whether there are new ones is looked at when a frame comes. */
static bool awaits(const struct vp *p, unsigned queue)
{
    return (queue & 1) || queue == vn_ctrl_queue(p);
}

static struct vq_journal *journal(const struct vp *p, unsigned queue)
{
    return &vn_ram(p)->journal[queue];
}

static const struct pci_spec spec = {
    .vendor_id = 0x1af4,
    .device_id = 0x1000, /* 4.1.2.3: transitional; the subsystem's ID says which kind */
    .subsystem_vendor_id = 0x1af4,
    .subsystem_id = 1,
    .class_code = 0x020000, /* Ethernet controller */
    .interrupt_pin = 1,
    .command_writable =
        PCI_COMMAND_IO | PCI_COMMAND_MEM | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE,
    .bar = VP_BARS,
    .caps = vp_caps,
    .ncaps = VP_NCAPS,
};

static const struct virtio_class net_class = {
    .spec = &spec,
    .features = features,
    .accepts = accepts,
    .nqueues = nqueues,
    .config = config,
    .write_config = write_config,
    .reset = reset,
    .awaits = awaits,
    .journal = journal,
};

/* --- frames --- */

static void send(const struct vp *p, unsigned pair, const struct vnet_room *out)
{
    for (unsigned i = 0; i < out->n; i++) {
        if (vn_of(p)->pairs > 1)
            nm_flows_learn(&vn_ram(p)->flows, out->f[i].data, out->f[i].len, pair);
        p->d->env->tx(p->d, out->f[i].data, out->f[i].len);
    }
}

/* Who sends: for vnet.send_large. */
struct sender {
    const struct vp *p;
    unsigned pair;
};

/* A flow is known by its headers. */
static bool send_large(void *ctx, const struct nm_tso *t, nm_read_fn read, const void *from)
{
    const struct sender *s = ctx;
    uint8_t head[FLOW_HEADERS];
    uint32_t n = t->hdr_len < sizeof(head) ? t->hdr_len : sizeof(head);

    if (vn_of(s->p)->pairs > 1 && read(from, 0, head, n))
        nm_flows_learn(&vn_ram(s->p)->flows, head, n, s->pair);
    return s->p->d->env->tx_large(s->p->d, t, read, from);
}

/* Is this done for the driver now? */
static bool does(const struct vp *p, unsigned offload)
{
    return (vn_offloads(p->r->features) & vn_of(p)->offloads & offload) != 0;
}

static struct vnet vnet_of(const struct vp *p, const struct vq_mem *m, struct sender *s)
{
    return (struct vnet){
        .mem = m,
        .mergeable = vp_has(p, VIRTIO_NET_F_MRG_RXBUF),
        .legacy = !vp_has(p, VIRTIO_F_VERSION_1),
        .tell_valid = does(p, VN_OFFLOAD_CSUM),
        .send_large = s && p->d->env->tx_large ? send_large : NULL,
        .ctx = s,
    };
}

/*
 * A device that polls is done with a frame before the driver looks away, and the driver, which asks
 * to be told after three quarters of what is under way, would be interrupted for each one. So what
 * is sent is told a little later, and not at all if the driver has come by meanwhile, as it does
 * with the next frame: under load there are no such interrupts.
 */
static void hold_interrupt(const struct vp *p, unsigned pair, struct vq_pos from)
{
    struct vn_held *h = &vn_of(p)->held[pair];

    if (!p->r->polled)
        vp_interrupt(p, 2 * pair + 1);
    else if (!h->due)
        *h = (struct vn_held){p->d->env->now(p->d) + HOLD_NS, from};
}

/* @return whether one was given up */
static bool release_interrupt(const struct vp *p, unsigned pair)
{
    struct vn_held *h = &vn_of(p)->held[pair];
    struct vq_mem m = vp_mem(p);
    unsigned i = 2 * pair + 1;

    h->due = 0;
    if (!vq_wants_interrupt(&p->r->q[i].vq, &m, h->from))
        return false;
    vp_interrupt(p, i);
    return true;
}

/* Those whose time is over. One that is further off than can be is of another clock. */
static unsigned release_interrupts(const struct vp *p, bool all)
{
    struct vn_held *h = vn_of(p)->held;
    unsigned n = 0;

    for (unsigned i = 0; i < vn_of(p)->pairs; i++) {
        uint64_t now = h[i].due ? p->d->env->now(p->d) : 0;

        if (h[i].due && (all || h[i].due <= now || h[i].due - now > HOLD_NS))
            n += release_interrupt(p, i);
    }
    return n;
}

/* Frames on their way from the ring to env->tx; they stay in the cache. */
struct buffers {
    struct vnet_frame f[TX_BUFFERS];
    uint8_t data[TX_BUFFERS][NM_MAX_FRAME];
};

static struct vnet_room room_of(struct buffers *b, unsigned most)
{
    for (unsigned i = 0; i < TX_BUFFERS; i++)
        b->f[i].data = b->data[i];
    return (struct vnet_room){.f = b->f, .size = most < TX_BUFFERS ? most : TX_BUFFERS};
}

/* @param room frames, counted down */
static unsigned transmit(const struct vp *p, unsigned pair, unsigned *room)
{
    struct vq_mem m = vp_mem(p);
    struct sender s = {p, pair};
    struct vnet n = vnet_of(p, &m, &s);
    struct vq_pos from = p->r->q[2 * pair + 1].vq.pos;
    unsigned i = 2 * pair + 1, work = 0, size;
    struct buffers buffers;
    struct vnet_room out;
    bool irq = false;

    do {
        out = room_of(&buffers, *room);
        size = out.size;
        work +=
            vnet_transmit(&n, &p->r->q[i].vq, journal(p, i), &vn_of(p)->segment[pair], &out, &irq);
        send(p, pair, &out);
        *room -= out.n + (size - out.size);
    } while (*room && out.n);
    if (irq)
        hold_interrupt(p, pair, from);
    vp_check_broken(p, i);
    return work;
}

/* The pairs take turns at being first: the frames one call may send are few. */
static unsigned net_poll(struct nm_dev *d)
{
    struct vp p = vp_of(d);
    struct virtio_net *r = d->regs;
    unsigned room = NM_TX_BURST, work;

    if (!vp_live(&p))
        return 0;
    work = vn_control(&p);
    for (unsigned i = 0; i < r->pairs && room; i++)
        work += transmit(&p, (r->next_tx + i) % r->pairs, &room);
    r->next_tx = (uint8_t)((r->next_tx + 1) % r->pairs);
    return work + release_interrupts(&p, false);
}

static bool has_work(const struct vp *p)
{
    struct vq_mem m = vp_mem(p);

    for (unsigned i = 0; i < vn_of(p)->pairs; i++)
        if (vq_available(&p->r->q[2 * i + 1].vq, &m))
            return true;
    return vn_control_pending(p);
}

static bool net_pending(const struct nm_dev *d)
{
    struct vp p = vp_of(d);

    return vp_live(&p) && (p.r->polled || has_work(&p));
}

/* The queue a frame will go to is known only with the frame: all must have room. */
static bool net_can_receive(const struct nm_dev *d, size_t len)
{
    struct vp p = vp_of(d);
    struct vq_mem m = vp_mem(&p);
    struct vnet n = vnet_of(&p, &m, NULL);

    if (!vp_live(&p))
        return true;
    for (unsigned i = 0; i < vn_of(&p)->pairs; i++)
        if (!vnet_can_receive(&n, &p.r->q[2 * i].vq, len))
            return false;
    return true;
}

/* @param t NULL: a frame as it was on the wire */
static void receive(struct nm_dev *d, const struct nm_tso *t, const uint8_t *frame, size_t len)
{
    struct vp p = vp_of(d);
    struct vq_mem m = vp_mem(&p);
    struct vnet n = vnet_of(&p, &m, NULL);
    struct vnet_frame f = {(uint8_t *)(uintptr_t)frame, (uint32_t)len, t};
    bool irq = false;
    unsigned i;

    if (!vp_live(&p) || !vn_accepts(&p, frame, len))
        return;
    i = 2 * nm_flows_pair(&vn_ram(&p)->flows, frame, len, vn_of(&p)->pairs);
    vnet_receive(&n, &p.r->q[i].vq, journal(&p, i), &f, 1, &irq);
    if (irq)
        vp_interrupt(&p, i);
    vp_check_broken(&p, i);
}

static void net_receive(struct nm_dev *d, const void *frame, size_t len)
{
    receive(d, NULL, frame, len);
}

/* In buffers of any size: without mergeable ones it would have to be told from each chain. */
static bool net_takes_large(const struct nm_dev *d, bool ipv6)
{
    struct vp p = vp_of(d);

    return vp_live(&p) && vp_has(&p, VIRTIO_NET_F_MRG_RXBUF) &&
           does(&p, ipv6 ? VN_OFFLOAD_TSO6 : VN_OFFLOAD_TSO4);
}

static void net_receive_large(struct nm_dev *d, const struct nm_tso *t, const void *frame)
{
    receive(d, t, frame, t->hdr_len + t->payload);
}

/* --- the model --- */

static int net_init(struct nm_dev *d, const struct nm_params *params, const char **why)
{
    struct virtio_net *r = d->regs;
    struct vp p = vp_of(d);
    int err = nm_check_mac(params->mac, why);

    if (err)
        return err;
    if (params->queues > VN_MAX_PAIRS) {
        *why = "a virtio-net device has at most 8 queue pairs";
        return -EINVAL;
    }
    memcpy(r->own_mac, params->mac, 6);
    r->max_pairs = params->queues ? params->queues : 1;
    vp_reset(&p);
    return 0;
}

static void net_reset(struct nm_dev *d)
{
    struct vp p = vp_of(d);

    vp_reset(&p);
}

static enum nm_status net_access(struct nm_dev *d, struct nm_access *a)
{
    struct vp p = vp_of(d);

    return vp_access(&p, a);
}

static bool net_arm(struct nm_dev *d)
{
    struct vp p = vp_of(d);

    if (vp_live(&p))
        release_interrupts(&p, true);
    return vp_arm(&p);
}

static void net_disarm(struct nm_dev *d)
{
    struct vp p = vp_of(d);

    vp_disarm(&p);
}

/* Others may have learned meanwhile that the guest is elsewhere, or nothing any more (5.1.6.5.4).
 */
static void net_resume(struct nm_dev *d)
{
    struct vp p = vp_of(d);
    struct virtio_net *r = d->regs;

    memset(r->segment, 0, sizeof(r->segment));
    memset(r->held, 0, sizeof(r->held)); /* all are sent once more */
    vp_resume(&p);
    if (vp_live(&p) && vp_has(&p, VIRTIO_NET_F_GUEST_ANNOUNCE)) {
        r->announce = 1;
        vp_config_changed(&p);
    }
}

static unsigned net_windows(const struct nm_dev *d, struct nm_window *w, unsigned max)
{
    const struct virtio_net *r = d->regs;

    return pci_windows(&spec, &r->v.pci, w, max);
}

static const char *wrong_register(const struct virtio_net *r)
{
    if (!r->max_pairs || r->max_pairs > VN_MAX_PAIRS || !r->pairs || r->pairs > r->max_pairs ||
        r->next_tx >= r->max_pairs)
        return "the number of queue pairs is out of range";
    if (r->nuni + r->nmulti > VN_MAX_MACS)
        return "the table of MAC addresses is longer than it can be";
    if (r->announce > 1 || r->offloads > VN_OFFLOAD_ALL || r->ctrl_done > 1 || r->ctrl_ack > 1)
        return "a state variable of the virtio-net device is out of range";
    return NULL;
}

static int net_validate(const struct nm_dev *d, const char **why)
{
    struct vp p = vp_of(d);

    *why = wrong_register(d->regs);
    return *why ? -EPROTO : vp_validate(&p, why);
}

static uint32_t net_lines(const struct nm_dev *d)
{
    struct vp p = vp_of(d);

    return vp_lines(&p);
}

const struct nm_model nm_virtio_net = {
    .name = "virtio-net",
    .title = "Virtio network device, PCI, transitional",
    .version = 2,
    .regs_size = sizeof(struct virtio_net),
    .ram_size = sizeof(struct virtio_net_ram),
    .pci = true,
    .multiqueue = true,
    .ranges = vp_ranges,
    .nranges = VP_NRANGES,
    .init = net_init,
    .reset = net_reset,
    .access = net_access,
    .poll = net_poll,
    .pending = net_pending,
    .arm = net_arm,
    .disarm = net_disarm,
    .resume = net_resume,
    .can_receive = net_can_receive,
    .receive = net_receive,
    .takes_large = net_takes_large,
    .receive_large = net_receive_large,
    .windows = net_windows,
    .validate = net_validate,
    .lines = net_lines,
};
_Static_assert(sizeof(struct virtio_net) <= NM_MAX_REGS, "a runner has room for so many");
