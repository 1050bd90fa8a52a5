/* SPDX-License-Identifier: BSD-3-Clause */
/* Virtio network device: which frames the driver wants. */
#include <string.h>

#include "offload.h"
#include "virtio_net.h"

static bool in_table(const struct vp *p, const uint8_t *mac, unsigned first, unsigned n)
{
    for (unsigned i = first; i < first + n && i < VN_MAX_MACS; i++)
        if (!memcmp(vn_ram(p)->macs[i], mac, 6))
            return true;
    return false;
}

static bool vlan_wanted(const struct vp *p, const uint8_t *frame, size_t len)
{
    uint16_t tci;

    if (!vp_has(p, VIRTIO_NET_F_CTRL_VLAN) || !nm_vlan_get(frame, len, NM_ETH_VLAN, &tci))
        return true;
    tci &= 0xfff;
    return vn_ram(p)->vlans[tci / 8] >> tci % 8 & 1;
}

static bool multicast_wanted(const struct vp *p, const uint8_t *mac)
{
    static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    const struct virtio_net *r = vn_of(p);

    if (!memcmp(mac, broadcast, 6))
        return !(r->rx_mode & VN_RX_NOBCAST);
    if (r->rx_mode & VN_RX_NOMULTI)
        return false;
    return (r->rx_mode & (VN_RX_ALLMULTI | VN_RX_MULTI_OVERFLOW)) ||
           in_table(p, mac, r->nuni, r->nmulti);
}

bool vn_accepts(const struct vp *p, const uint8_t *frame, size_t len)
{
    const struct virtio_net *r = vn_of(p);

    if (len < NM_ETH_HLEN)
        return false;
    if (r->rx_mode & VN_RX_PROMISC)
        return true;
    if (!vlan_wanted(p, frame, len))
        return false;
    if (frame[0] & 1)
        return multicast_wanted(p, frame);
    if (r->rx_mode & VN_RX_NOUNI)
        return false;
    return (r->rx_mode & (VN_RX_ALLUNI | VN_RX_UNI_OVERFLOW)) || !memcmp(frame, r->mac, 6) ||
           in_table(p, frame, 0, r->nuni);
}

/* Without a word from the driver all is received: one that knows no control queue wants it so. */
void vn_reset_filter(const struct vp *p)
{
    struct virtio_net *r = vn_of(p);

    r->rx_mode = VN_RX_PROMISC;
    r->nuni = r->nmulti = 0;
    memset(vn_ram(p)->macs, 0, sizeof(vn_ram(p)->macs));
    memset(vn_ram(p)->vlans, 0, sizeof(vn_ram(p)->vlans));
    memset(&vn_ram(p)->flows, 0, sizeof(vn_ram(p)->flows));
}
