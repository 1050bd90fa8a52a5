/* SPDX-License-Identifier: BSD-3-Clause */
/* Virtio network device: the control queue (VIRTIO 1.2, 5.1.6.5). */
#include <endian.h>
#include <string.h>

#include "virtio_net.h"

enum {
    VIRTIO_NET_CTRL_RX = 0,
    VIRTIO_NET_CTRL_MAC = 1,
    VIRTIO_NET_CTRL_VLAN = 2,
    VIRTIO_NET_CTRL_ANNOUNCE = 3,
    VIRTIO_NET_CTRL_MQ = 4,
    VIRTIO_NET_CTRL_GUEST_OFFLOADS = 5,
};
enum { CTRL_RX_PROMISC = 0, CTRL_RX_NOBCAST = 5, CTRL_RX_LAST_PLAIN = 1 };
enum { CTRL_MAC_TABLE_SET = 0, CTRL_MAC_ADDR_SET = 1 };
enum { CTRL_VLAN_ADD = 0, CTRL_VLAN_DEL = 1 };
enum { CTRL_ANNOUNCE_ACK = 0 };
enum { CTRL_MQ_VQ_PAIRS_SET = 0 };
enum { CTRL_GUEST_OFFLOADS_SET = 0 };
enum { VIRTIO_NET_OK = 0, VIRTIO_NET_ERR = 1 };

/* A command as it is being read. */
struct command {
    const struct vp *p;
    const struct vq_mem *m;
    const struct vq_chain *c;
    uint32_t at;
};

static bool take(struct command *k, void *to, uint32_t len)
{
    if (!vq_chain_copy(k->m, k->c, k->at, to, len, false))
        return false;
    k->at += len;
    return true;
}

static bool take16(struct command *k, uint16_t *v)
{
    bool ok = take(k, v, sizeof(*v));

    *v = le16toh(*v);
    return ok;
}

/* The modes' bits are in the commands' order. */
static bool set_rx_mode(struct command *k, uint8_t cmd)
{
    struct virtio_net *r = vn_of(k->p);
    uint64_t need = cmd <= CTRL_RX_LAST_PLAIN ? VIRTIO_NET_F_CTRL_RX : VIRTIO_NET_F_CTRL_RX_EXTRA;
    uint8_t on;

    if (cmd > CTRL_RX_NOBCAST || !vp_has(k->p, need) || !take(k, &on, 1))
        return false;
    r->rx_mode = (uint8_t)((r->rx_mode & ~(1u << cmd)) | (on ? 1u << cmd : 0));
    return true;
}

/* A list of addresses into the table from `first` on. @return how many; -1: it is cut short */
static int take_macs(struct command *k, unsigned first, bool *overflow)
{
    uint32_t n, i;

    if (!take(k, &n, sizeof(n)))
        return -1;
    n = le32toh(n);
    if (n > (k->c->out_len - k->at) / 6)
        return -1;
    *overflow = n > VN_MAX_MACS - first;
    for (i = 0; i < n && !*overflow; i++)
        if (!take(k, vn_ram(k->p)->macs[first + i], 6))
            return -1;
    k->at += 6 * (n - i);
    return (int)i;
}

/* Each list either fits or counts as "all" (5.1.6.5.2). */
static bool set_mac_table(struct command *k)
{
    struct virtio_net *r = vn_of(k->p);
    bool uni_overflow, multi_overflow;
    int nuni = take_macs(k, 0, &uni_overflow);
    int nmulti = nuni < 0 ? -1 : take_macs(k, (unsigned)nuni, &multi_overflow);

    if (nmulti < 0)
        return false;
    r->nuni = (uint8_t)nuni;
    r->nmulti = (uint8_t)nmulti;
    r->rx_mode &= (uint8_t) ~(VN_RX_UNI_OVERFLOW | VN_RX_MULTI_OVERFLOW);
    r->rx_mode |= (uint8_t)((uni_overflow ? VN_RX_UNI_OVERFLOW : 0) |
                            (multi_overflow ? VN_RX_MULTI_OVERFLOW : 0));
    return true;
}

static bool set_mac(struct command *k)
{
    uint8_t mac[6];

    if (!vp_has(k->p, VIRTIO_NET_F_CTRL_MAC_ADDR) || !take(k, mac, 6))
        return false;
    memcpy(vn_of(k->p)->mac, mac, 6);
    return true;
}

static bool do_mac(struct command *k, uint8_t cmd)
{
    if (cmd == CTRL_MAC_TABLE_SET)
        return vp_has(k->p, VIRTIO_NET_F_CTRL_RX) && set_mac_table(k);
    return cmd == CTRL_MAC_ADDR_SET && set_mac(k);
}

static bool do_vlan(struct command *k, uint8_t cmd)
{
    uint8_t *vlans = vn_ram(k->p)->vlans;
    uint16_t id;

    if (!vp_has(k->p, VIRTIO_NET_F_CTRL_VLAN) || cmd > CTRL_VLAN_DEL || !take16(k, &id) ||
        id > 0xfff)
        return false;
    if (cmd == CTRL_VLAN_ADD)
        vlans[id / 8] |= (uint8_t)(1u << id % 8);
    else
        vlans[id / 8] &= (uint8_t) ~(1u << id % 8);
    return true;
}

static bool do_announce(struct command *k, uint8_t cmd)
{
    struct virtio_net *r = vn_of(k->p);

    if (cmd != CTRL_ANNOUNCE_ACK || !r->announce)
        return false;
    r->announce = 0;
    return true;
}

static bool do_mq(struct command *k, uint8_t cmd)
{
    struct virtio_net *r = vn_of(k->p);
    uint16_t pairs;

    if (!vp_has(k->p, VIRTIO_NET_F_MQ) || cmd != CTRL_MQ_VQ_PAIRS_SET || !take16(k, &pairs) ||
        !pairs || pairs > r->max_pairs)
        return false;
    r->pairs = (uint8_t)pairs;
    return true;
}

unsigned vn_offloads(uint64_t features)
{
    return (features & VIRTIO_NET_F_GUEST_CSUM ? VN_OFFLOAD_CSUM : 0) |
           (features & VIRTIO_NET_F_GUEST_TSO4 ? VN_OFFLOAD_TSO4 : 0) |
           (features & VIRTIO_NET_F_GUEST_TSO6 ? VN_OFFLOAD_TSO6 : 0);
}

static bool do_offloads(struct command *k, uint8_t cmd)
{
    uint64_t wanted;

    if (!vp_has(k->p, VIRTIO_NET_F_CTRL_GUEST_OFFLOADS) || cmd != CTRL_GUEST_OFFLOADS_SET ||
        !take(k, &wanted, sizeof(wanted)))
        return false;
    wanted = le64toh(wanted);
    if (wanted & ~(k->p->r->features & (VIRTIO_NET_F_GUEST_CSUM | VNET_GUEST_TSO)))
        return false;
    vn_of(k->p)->offloads = (uint8_t)vn_offloads(wanted);
    return true;
}

static bool carry_out(struct command *k)
{
    uint8_t head[2]; /* class, command */

    if (!take(k, head, sizeof(head)))
        return false;
    switch (head[0]) {
    case VIRTIO_NET_CTRL_RX: return set_rx_mode(k, head[1]);
    case VIRTIO_NET_CTRL_MAC: return do_mac(k, head[1]);
    case VIRTIO_NET_CTRL_VLAN: return do_vlan(k, head[1]);
    case VIRTIO_NET_CTRL_ANNOUNCE: return do_announce(k, head[1]);
    case VIRTIO_NET_CTRL_MQ: return do_mq(k, head[1]);
    case VIRTIO_NET_CTRL_GUEST_OFFLOADS: return do_offloads(k, head[1]);
    default: return false;
    }
}

/* The answer is the writable part's first byte; without one nobody wants it. */
static void answer(const struct vp *p, const struct vq_mem *m, struct vq_batch *b,
                   const struct vq_chain *c)
{
    unsigned i = vn_ctrl_queue(p);
    bool told = vq_chain_copy(m, c, 0, &vn_of(p)->ctrl_ack, 1, true);

    vq_done(&p->r->q[i].vq, b, c, told);
    if (vq_publish(&p->r->q[i].vq, m, &vn_ram(p)->journal[i], b))
        vp_interrupt(p, i);
}

static bool answer_is_due(const struct vp *p)
{
    const struct virtio_net *r = vn_of(p);
    const struct virtq *q = &p->r->q[vn_ctrl_queue(p)].vq;

    return r->ctrl_done && r->ctrl_at.index == q->pos.index && r->ctrl_at.wrap == q->pos.wrap;
}

bool vn_control_pending(const struct vp *p)
{
    struct vq_mem m = vp_mem(p);

    return vp_has(p, VIRTIO_NET_F_CTRL_VQ) && vq_available(&p->r->q[vn_ctrl_queue(p)].vq, &m);
}

unsigned vn_control(const struct vp *p)
{
    struct virtq *q = &p->r->q[vn_ctrl_queue(p)].vq;
    struct virtio_net *r = vn_of(p);
    struct vq_mem m = vp_mem(p);
    struct vq_batch b;
    struct vq_chain c;

    if (!vp_has(p, VIRTIO_NET_F_CTRL_VQ))
        return 0;
    vq_begin(q, &m, &b);
    if (vq_next(q, &m, &b, &c) != 1) {
        vp_check_broken(p, vn_ctrl_queue(p));
        return 0;
    }
    if (answer_is_due(p)) {
        answer(p, &m, &b, &c);
        r->ctrl_done = 0;
    } else {
        struct command k = {.p = p, .m = &m, .c = &c};

        r->ctrl_ack = carry_out(&k) ? VIRTIO_NET_OK : VIRTIO_NET_ERR;
        r->ctrl_done = 1;
        r->ctrl_at = q->pos;
    }
    p->d->changed = true;
    return 1;
}
